"""Recommendations on the command line, on both databases."""

from datetime import UTC, datetime

import pytest

from tests.servers.console import Outcome, console, program
from tests.servers.world import World

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
ACCOUNTS = "ext_id,name,type\nA1,Garage Dupont,client\nA2,Banque,client\n"


def run(world: World, *arguments: str, at: datetime = NOON) -> Outcome:
    return console(world.config, *arguments, at=at)


@pytest.fixture
def office(world: World) -> World:
    """Two accounts."""
    world.add_user("claire")
    world.write_config()
    (world.folder / "accounts.csv").write_text(ACCOUNTS)
    assert run(world, "import", "accounts", str(world.folder / "accounts.csv")).code == 0
    return world


def test_show_account_begins_with_the_recommendation(office: World) -> None:
    told = run(office, "recommendation", "set", "A1", "30 jours\nde retard", "--category", "payment_delay")
    assert (told.code, told.err) == (0, "")
    shown = run(office, "show", "account", "Garage Dupont").out
    author = run(office, "show", "account", "A1", "--json").json["recommendation"]["author"]
    assert shown.splitlines()[:4] == [
        "! Retard de paiement : 30 jours",
        "! de retard",
        f"! — {author}, 2026-11-22 12:00",
        "",
    ]
    assert "!" not in run(office, "show", "account", "A2").out
    assert run(office, "show", "account", "A2", "--json").json["recommendation"] is None


def test_set_list_clear_and_history(office: World) -> None:
    long = "Ne livrer que le matin, " * 6
    assert run(office, "recommendation", "set", "A1", long, "--severity", "info").code == 0
    assert "nothing to change" in run(office, "recommendation", "set", "A1", long, "--severity", "info").out
    listed = run(office, "recommendation", "list").out
    assert "Garage Dupont" in listed
    assert [row["message"] for row in run(office, "recommendation", "list", "--json").json["rows"]] == [
        long.strip()
    ]
    assert "no recommendation any more" in run(office, "recommendation", "clear", "A1").out
    assert "nothing to change" in run(office, "recommendation", "clear", "A1").out
    shown = run(office, "recommendation", "show", "A1", "--json").json
    assert shown["recommendation"] is None
    assert [(one["message"], one["cleared"]) for one in shown["history"]] == [(long.strip(), True)]
    assert "None." in run(office, "recommendation", "list").out


def test_a_user_writes_only_where_the_account_is_the_users(office: World) -> None:
    refused = run(office, "recommendation", "set", "A1", "x", "--as", "claire")
    assert refused.code == 1
    assert "claire may not change account 1" in refused.err
    assert run(office, "recommendation", "set", "A1", " ").code == 1
    assert run(office, "recommendation", "set", "Nobody", "x").code == 1
    assert run(office, "recommendation", "set", "A1", "x", "--severity", "loud").code == 2


def test_the_text_may_come_from_standard_input(office: World) -> None:
    arguments = ("--config", str(office.config), "recommendation", "set", "A2", "-")
    assert program(*arguments, cwd=office.folder, stdin="à\nlire\n".encode()).code == 0
    assert office.one("SELECT message FROM account_recommendation") == "à\nlire"
    assert program(*arguments, cwd=office.folder, stdin=b"\xff\xfe").code == 2
