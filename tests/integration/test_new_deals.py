"""A deal that is added together with its account (R157), on both databases."""

import json
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from store.errors import Forbidden
from store.importing import Occasion
from syncd.engine import new_deals, records
from tests.crash.steps import Steps, in_child
from tests.servers.branches import NOW, user
from tests.servers.databases import NewDatabase
from tests.servers.office import Office

NEW = ("--new-account", "Neuf", "--account-type", "client")
ADD = ("deal", "add", *NEW, "--title", "Bois", "--status", "signed")
ASKED = new_deals.Asked(
    {"name": "Neuf", "type": "client"}, {"name": "Bois"}, {"title": "Bois", "status": "signed"}
)
TABLES = ("account", "project", "deal", "account_status_history", "audit_log")


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Claire and marc are standard users, anne advanced, odile admin."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    return made


def counted(office: Office) -> dict[str, object]:
    return {table: office.one(f"SELECT count(*) FROM {table}") for table in TABLES}


def test_account_project_and_deal_are_added_together(office: Office) -> None:
    assert office.done(*ADD, "--as", "anne").out == "account 1, project 1 and deal 1 added\n"
    shown = office.done("show", "deal", "1", "--json").json["deal"]
    assert (shown["account"], shown["project"], shown["owner"]) == ("Neuf", "Bois", "anne")
    account = office.done("show", "account", "Neuf", "--json").json
    assert (account["account"]["owner"], account["account"]["type"]) == ("anne", "customer")
    assert [(one["from"], one["to"]) for one in account["status_history"]] == [(None, "active")], (
        "it never was a prospect"
    )
    entities = office.rows("SELECT actor, entity FROM audit_log ORDER BY id")
    assert entities == [("anne", "account"), ("anne", "project"), ("anne", "deal")]


def test_the_project_may_have_a_name_of_its_own_and_a_second_account_of_the_name_is_told(
    office: Office,
) -> None:
    office.done(*ADD, "--project", "Toiture")
    again = office.done(*ADD, "--project", "Toiture", "--json")
    assert (again.json["account"], again.json["project"], again.json["deal"]["project"]) == (2, 2, "Toiture")
    assert "is the name of another account too (1, 2)" in office.done(*ADD).err


def test_who_may_not_create_accounts_gets_neither_of_them(office: Office) -> None:
    refused = office.run(*ADD, "--as", "claire")
    assert refused.code == 1
    assert "claire may not create the account of a deal: that needs the role advanced or admin" in refused.err
    assert "`syncd account add --as claire` asks for one" in refused.err
    assert set(counted(office).values()) == {0}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--account-type", "kunde"), '--account-type: "kunde" is not known'),
        (("--new-account", ""), "--new-account: must not be empty"),
        (("--account-type", ""), "--account-type: must not be empty"),
        (("--status", "ended"), "--end-date: is required once the status is ENDED"),
        (("--project", "x" * 256), "--project: has 256 characters"),
        (("--amount", "viel"), "--amount: "),
    ],
)
def test_a_mistake_in_one_of_them_makes_none(office: Office, more: tuple[str, ...], told: str) -> None:
    wrong = office.run(*ADD, *more)
    assert (wrong.code, told in wrong.err) == (2, True), wrong.err
    assert set(counted(office).values()) == {0}


def test_the_type_is_for_a_new_account_only(office: Office) -> None:
    wrong = office.run("deal", "add", "--account-type", "client", "--title", "x", "--status", "signed")
    assert (wrong.code, wrong.err) == (2, "syncd: --account-type: is for --new-account NAME\n")


def test_the_service_itself_refuses_a_standard_user(office: Office) -> None:
    office.done("status")  # the users are there
    database = office.database()
    occasion = Occasion(user(database, "claire"), NOW, NOW.date(), "test")
    with database.write() as session, pytest.raises(Forbidden, match="claire may not create the account"):
        new_deals.add(session, ASKED, occasion, records.NOTHING_ELSE)
    database.close()
    assert set(counted(office).values()) == {0}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_at_any_step_it_leaves_all_of_them_or_none(
    kind: str, new_database: NewDatabase, clone_database: Callable[[str], str], tmp_path: Path
) -> None:
    office = Office(tmp_path / "syncd", new_database(kind))
    office.done("status")  # the users are there
    before, none = office.database_url, counted(office)
    told = tmp_path / "steps.json"
    office.database_url = clone_database(before)
    assert in_child(partial(make, office, 0, told)) == 0
    steps: list[str] = json.loads(told.read_text())
    assert steps.count("sql INSERT") > 3
    whole = counted(office)
    assert (whole["account"], whole["project"], whole["deal"]) == (1, 1, 1)
    last = len(steps) - steps[::-1].index("sql COMMIT")
    for number in range(1, len(steps) + 1):
        office.database_url = clone_database(before)
        where = f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        assert in_child(partial(make, office, number, None)) == -signal.SIGKILL, where
        assert counted(office) == (none if number <= last else whole), where


def make(office: Office, kill_at: int, told: Path | None) -> None:
    """Account, project and deal, in a process of its own."""
    from syncd.daemon.wiring import Installation

    installation = Installation.open(office.write_config())
    occasion = Occasion(user(installation.database, "anne"), NOW, NOW.date(), "test")
    steps = Steps(office.folder, kill_at)
    steps.watch()
    with installation.database.write() as session:
        new_deals.add(session, ASKED, occasion, installation.follows)
    steps.stop()
    if told is not None:
        told.write_text(json.dumps(steps.names))
