"""`syncd run` with rules of recommendations and fields of the company's own."""

import signal
from contextlib import closing

import pytest
from xlsxwriter import Workbook

from syncd.daemon.wiring import Installation
from tests.servers.crm import NOW
from tests.servers.manager import ServiceManager
from tests.servers.world import World

RULE = """
[[recommendation_rules]]
name = "client"
condition = 'name == "Client"'
template = "Livrer le matin"
[[custom_fields]]
entity = "account"
key = "Z_sector"
type = "text"
"""


@pytest.fixture
def company(lite_world: World) -> World:
    lite_world.add_user("claire")
    lite_world.add_account("Client")
    lite_world.write_config()
    return lite_world


def stands(world: World) -> list[object]:
    return [row[0] for row in world.rows("SELECT message FROM account_recommendation WHERE active")]


def test_rules_write_at_the_start_and_when_they_change_and_fields_are_only_told_of(company: World) -> None:
    before = company.config.read_text()
    company.config.write_text(before + RULE)
    with ServiceManager(company.config) as manager:
        manager.await_that(lambda: stands(company) == ["Livrer le matin"], "the rule has written")
        assert manager.logged("fields") == [
            "the fields of the config and of the CRM differ: see `syncd fields diff`"
        ]
        company.config.write_text(before + RULE.replace("matin", "soir"))
        manager.send(signal.SIGHUP)
        manager.await_that(lambda: stands(company) == ["Livrer le soir"], "the other rule has written")
        company.config.write_text(before)
        manager.send(signal.SIGHUP)
        manager.await_that(lambda: stands(company) == [], "the rule's text is gone with it")
    assert company.rows("SELECT count(*) FROM custom_field_def") == [(0,)]
    assert company.rows("SELECT count(*) FROM account_recommendation") == [(2,)]
    assert len(manager.logged("fields")) == 2


def test_a_workbook_that_is_dropped_is_taken_in(company: World) -> None:
    drops = company.config.parent / "avis"
    drops.mkdir()
    company.config.write_text(company.config.read_text() + '[recommendations]\ndirectory = "avis"\n')
    with Workbook(str(drops / "avis.xlsx")) as book:
        first = book.add_worksheet()
        first.write_row(0, 0, ("account_ref", "message"))
        first.write_row(1, 0, ("Client", "Acompte exigé"))
    with closing(Installation.open(company.config)) as installation:
        installation.dropping.look()
        assert installation.dropping.run(NOW).taken == 1
    assert stands(company) == ["Acompte exigé"]
    assert [one.name for one in (drops / "done").iterdir()] == ["avis.xlsx"]
