"""`syncd run` with rules of recommendations and fields of the company's own."""

import signal

import pytest

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
