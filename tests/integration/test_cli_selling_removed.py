"""Projects, deals, opportunities, products and orders deleted and brought back, on both databases."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.servers.office import Office
from tests.servers.prepared import Prepared

NOUNS = ("project", "deal", "opportunity", "product", "order")
TABLES = {noun: noun for noun in NOUNS} | {"order": "sales_order"}
LISTS = {"opportunity": "opportunities"}


@pytest.fixture
def office(prepared: Prepared, tmp_path: Path) -> Office:
    """An account of claire's, more than six months old, on which one of each kind hangs."""
    made = Office(tmp_path / "syncd", prepared.copy(fill, lambda url: fill(Office(tmp_path / "first", url))))
    made.write_config()
    return made


def fill(made: Office) -> None:
    made.write_config()
    for arguments in (
        ("account", "add", "--name", "Garage", "--type", "client", "--owner", "claire",
         "--created-on", "2020-01-01"),
        ("project", "add", "--account", "Garage", "--name", "Toiture"),
        ("deal", "add", "--project", "Toiture", "--title", "Bois", "--status", "signed"),
        ("opportunity", "add", "--account", "Garage", "--title", "Cave"),
        ("product", "add", "--code", "T12", "--name", "Tuile", "--price", "2"),
        ("order", "add", "--account", "Garage", "--opportunity", "Cave", "--line", "product=T12; quantity=3"),
    ):  # fmt: skip
        made.done(*arguments)


def status(office: Office) -> object:
    return office.one("SELECT status FROM account")


def refused(office: Office, *arguments: str) -> str:
    outcome = office.run(*arguments)
    assert outcome.code == 1, outcome.out
    return outcome.err


def listed(office: Office, noun: str) -> int:
    return int(office.done("list", LISTS.get(noun, f"{noun}s"), "--json").json["total"])


def exported(office: Office, noun: str) -> int:
    """The rows of an export beside its headers."""
    return office.done("export", LISTS.get(noun, f"{noun}s"), "-").out.count("\n") - 1


def free(office: Office) -> None:
    """Takes out of the way whatever hangs on something."""
    office.done("order", "edit", "1", "--drop-line", "1", "--opportunity", "")
    office.done("deal", "delete", "1")


@pytest.mark.parametrize("noun", NOUNS)
def test_what_is_deleted_is_nowhere_until_it_is_brought_back(office: Office, noun: str) -> None:
    free(office)
    if noun != "deal":
        assert office.done(noun, "delete", "1").out == (
            f"{noun} 1 deleted; `syncd {noun} restore 1` brings it back\n"
        )
    assert (listed(office, noun), exported(office, noun)) == (0, 0)
    shown = f"syncd: {noun} 1 is deleted: `syncd {noun} restore 1` brings it back\n"
    assert refused(office, "show", noun, "1") == shown
    assert refused(office, noun, "delete", "1") == f"syncd: there is no {noun} 1\n"
    assert "there is no" in refused(office, noun, "edit", "1", "--ext-id", "x")

    if noun == "deal":
        assert refused(office, "project", "restore", "1") == "syncd: project 1 is not deleted\n"
    assert office.done(noun, "restore", "1").out == f"{noun} 1 is back\n"
    assert refused(office, noun, "restore", "1") == f"syncd: {noun} 1 is not deleted\n"
    assert (listed(office, noun), exported(office, noun)) == (1, 1)
    changes = office.rows(f"SELECT change FROM audit_log WHERE entity = '{TABLES[noun]}' ORDER BY id")
    read = [json.loads(one) if isinstance(one, str) else one for (one,) in changes]
    assert read[-2:] == [{"deleted": True}, {"restored": True}]


def test_what_something_hangs_on_stays(office: Office) -> None:
    assert "project 1 still has deal 1: move or delete them first" in refused(
        office, "project", "delete", "1"
    )
    told = refused(office, "opportunity", "delete", "1")
    assert "opportunity 1 still has order 1: empty --opportunity there or delete them first" in told
    told = refused(office, "product", "delete", "1")
    assert "product 1 is in order 1: `syncd product edit 1 --active no` takes it out of sale" in told
    told = refused(office, "account", "delete", "1")
    assert "account 1 still has 1 projects" in told

    office.done("opportunity", "win", "1", "--converted-deal", "Bois")
    told = refused(office, "deal", "delete", "1")
    assert "deal 1 is what became of opportunity 1: empty --converted-deal there first" in told
    office.done("order", "confirm", "1")
    assert "order 1 is CONFIRMED: `syncd order cancel 1` first" in refused(office, "order", "delete", "1")
    office.done("order", "cancel", "1")
    office.done("order", "delete", "1")
    office.done("product", "delete", "1")
    assert office.rows("SELECT count(*) FROM project WHERE deleted_at IS NULL") == [(1,)]


def test_an_account_goes_after_its_orders_and_opportunities(office: Office) -> None:
    free(office)
    office.done("project", "delete", "1")
    assert "still has 1 orders" in refused(office, "account", "delete", "1")
    office.done("order", "delete", "1")
    assert "still has 1 opportunities" in refused(office, "account", "delete", "1")
    office.done("opportunity", "delete", "1")
    office.done("account", "delete", "1")
    for noun in ("project", "opportunity", "order"):
        assert "its account 1 is deleted: restore that first" in refused(office, noun, "restore", "1")
    office.done("account", "restore", "1")
    assert "its project 1 is deleted: restore that first" in refused(office, "deal", "restore", "1")


def test_an_order_comes_back_with_its_lines_once_their_products_are_there(office: Office) -> None:
    office.done("order", "delete", "1")
    office.done("product", "delete", "1")
    assert "its product 1 is deleted: restore that first" in refused(office, "order", "restore", "1")
    office.done("product", "restore", "1")
    office.done("opportunity", "delete", "1")
    assert "its opportunity 1 is deleted: restore that first" in refused(office, "order", "restore", "1")
    office.done("opportunity", "restore", "1")
    office.done("order", "restore", "1")
    (line,) = office.done("show", "order", "1", "--json").json["lines"]
    assert (line["product"], float(line["total"])) == ("T12", 6.0)


def test_the_status_of_the_account_follows_at_once(office: Office) -> None:
    assert status(office) == "ACTIVE"
    office.done("deal", "delete", "1")
    assert status(office) == "PROSPECT", "the opportunity is open"
    office.done("order", "delete", "1")
    office.done("opportunity", "delete", "1")
    assert status(office) == "INACTIVE"
    office.done("opportunity", "restore", "1")
    assert status(office) == "PROSPECT"
    office.done("deal", "restore", "1")
    assert status(office) == "ACTIVE"
    passed = office.rows('SELECT "to" FROM account_status_history ORDER BY id')
    assert [one for (one,) in passed] == [
        "INACTIVE", "ACTIVE", "PROSPECT", "INACTIVE", "PROSPECT", "ACTIVE",
    ]  # fmt: skip
    assert office.done("recompute", "statuses", "--dry-run", "--json").json["changes"] == []


def test_an_account_that_comes_back_has_the_status_of_today(office: Office) -> None:
    office.done("account", "add", "--name", "Neuf", "--type", "client")
    office.done("account", "delete", "2")
    database = office.database()
    with database.write() as session:
        session.execute(text("UPDATE account SET created_on = '2020-01-01' WHERE id = 2"))
    database.close()
    office.done("account", "restore", "2")
    assert office.one("SELECT status FROM account WHERE id = 2") == "INACTIVE"


def test_rules_look_at_an_account_whose_deal_is_deleted(office: Office) -> None:
    office.more = """[[recommendation_rules]]
name = "asleep"
condition = 'status != "active"'
template = "À relancer"
"""
    office.done("deal", "delete", "1")
    assert office.rows("SELECT message FROM account_recommendation WHERE active") == [("À relancer",)]
    office.done("deal", "restore", "1")
    assert office.rows("SELECT message FROM account_recommendation WHERE active") == []


def test_what_somebody_changed_meanwhile_stays(office: Office) -> None:
    office.done("deal", "edit", "1", "--title", "Ardoise", "--if-version", "1")
    late = "syncd: deal 1 was changed meanwhile: it is at version 2, not 1\n"
    assert refused(office, "deal", "delete", "1", "--if-version", "1") == late
    assert refused(office, "deal", "edit", "1", "--title", "Bois", "--if-version", "1") == late
    office.done("deal", "delete", "1", "--if-version", "2")
    assert "it is at version 3, not 2" in refused(office, "deal", "restore", "1", "--if-version", "2")
    office.done("deal", "restore", "1", "--if-version", "3")
    assert office.rows("SELECT title, version FROM deal") == [("Ardoise", 4)]


def test_an_opportunity_that_is_deleted_takes_no_mail_any_more(office: Office) -> None:
    before = office.one("SELECT version FROM directory_state")
    office.done("order", "delete", "1")
    office.done("opportunity", "delete", "1")
    assert office.one("SELECT version FROM directory_state") == before + 2  # type: ignore[operator]
