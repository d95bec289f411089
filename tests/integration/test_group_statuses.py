"""The status of groups by what lies below them (`status.group_rollup`), and how deep accounts lie."""

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import event, select

from store import hierarchy, removing
from store.accounts import Account
from store.csvfile import Line, Refused
from store.database import Database
from store.importing import Occasion, Saved
from store.kinds import KINDS
from syncd.engine import records
from syncd.engine.records import Follows
from syncd.engine.statuses import Reading, StatusSync
from tests.integration.test_statuses import ADMIN, NOON, PARIS, history, stored
from tests.servers.office import Office
from tests.servers.prepared import Prepared

ROLLUP = Follows(reading=Reading(PARIS, group_rollup=True))
OLD = "2020-01-01"


def load(database: Database, kind: str, *rows: dict[str, str], follows: Follows = ROLLUP) -> Saved:
    """Each as a file of its own, whose columns are those given."""
    occasion = Occasion(ADMIN, NOON, date(2026, 11, 22), "test.csv")
    saved = Saved()
    for row in rows:
        with database.write() as session:
            saved = records.save(session, KINDS[kind], [Line(2, row)], occasion, follows=follows)
    return saved


def account(ext_id: str, parent: str = "", type_: str = "client") -> dict[str, str]:
    return {"ext_id": ext_id, "name": ext_id, "type": type_, "parent": parent, "created_on": OLD}


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users, and no accounts."""
    return Office(tmp_path / "syncd", database_url)


@pytest.fixture
def group(prepared: Prepared) -> Database:
    """A holding H, the group E below it, the customer C below that, its subsidiary S and the customer D."""
    return prepared.database(fill)


def fill(database: Database) -> None:
    load(database, "accounts", account("H", type_="groupe"), account("E", "H", "groupe"), account("C", "E"),
         account("S", "C"), account("D"))  # fmt: skip
    projects = [{"ext_id": f"P{one}", "name": f"P{one}", "account": one} for one in "CSD"]
    load(database, "projects", *projects)


def deal(name: str, project: str, end: str = "") -> dict[str, str]:
    return {"ext_id": name, "title": name, "project": project, "status": "SIGNED", "end_date": end}


def test_a_group_is_as_active_as_what_lies_below_it_at_once(group: Database) -> None:
    assert set(stored(group).values()) == {"INACTIVE"}
    load(group, "deals", deal("T", "PS"))
    assert stored(group) == {"C": "INACTIVE", "D": "INACTIVE", "E": "ACTIVE", "H": "ACTIVE", "S": "ACTIVE"}
    load(group, "deals", deal("T", "PS", "2026-07-01"))
    assert stored(group) == {
        "C": "INACTIVE", "D": "INACTIVE", "E": "NEGLECTED", "H": "NEGLECTED", "S": "NEGLECTED",
    }  # fmt: skip
    load(group, "opportunities", {"ext_id": "O", "title": "O", "account": "D", "account2": "C"})
    assert stored(group)["H"] == "PROSPECT", "each account of an opportunity counts"
    assert [one[:4] for one in history(group) if one[0] == "H"] == [
        ("H", None, "INACTIVE", 7), ("H", "INACTIVE", "ACTIVE", 1), ("H", "ACTIVE", "NEGLECTED", 4),
        ("H", "NEGLECTED", "PROSPECT", 2),
    ]  # fmt: skip


def test_by_default_a_group_goes_by_its_own(group: Database) -> None:
    load(group, "deals", deal("T", "PC"), follows=Follows(reading=Reading(PARIS)))
    assert stored(group) == {
        "C": "ACTIVE",
        "D": "INACTIVE",
        "E": "INACTIVE",
        "H": "INACTIVE",
        "S": "INACTIVE",
    }
    assert not StatusSync(group, PARIS).recompute(date(2026, 11, 22), NOON).changes
    rolled = StatusSync(group, PARIS, group_rollup=True).recompute(date(2026, 11, 22), NOON)
    assert {one.name for one in rolled.changes} == {"E", "H"}
    StatusSync(group, PARIS).recompute(date(2026, 11, 22), NOON)
    assert stored(group)["H"] == "INACTIVE", "switched off again"


def test_what_moves_below_another_group_changes_both(group: Database) -> None:
    load(group, "accounts", account("G", type_="groupe"))
    load(group, "deals", deal("T", "PS"))
    load(group, "accounts", {"ext_id": "C", "parent": "G"})
    assert stored(group) == {
        "C": "INACTIVE", "D": "INACTIVE", "E": "INACTIVE", "G": "ACTIVE", "H": "INACTIVE", "S": "ACTIVE",
    }  # fmt: skip
    load(group, "accounts", {"ext_id": "G", "type": "client"})
    assert stored(group)["G"] == "INACTIVE", "it is no group any more"
    load(group, "accounts", {"ext_id": "G", "type": "groupe"}, {"ext_id": "C", "parent": ""})
    assert stored(group)["G"] == "INACTIVE"
    assert not StatusSync(group, PARIS, group_rollup=True).recompute(date(2026, 11, 22), NOON).changes


def test_an_account_that_is_deleted_or_comes_back_changes_its_groups(group: Database) -> None:
    load(group, "accounts", account("N", "E"))
    load(group, "opportunities", {"ext_id": "O", "title": "O", "account": "N"})
    assert stored(group)["H"] == "PROSPECT"
    load(group, "opportunities", {"ext_id": "O", "account": "D"})
    assert stored(group)["H"] == "INACTIVE"
    with group.write() as session:
        id_ = session.scalars(select(Account.id).where(Account.ext_id == "N")).one()
        removed = removing.delete_account(session, id_, actor=ADMIN, now=NOON)
    assert len(removed.accounts) == 2, "itself and what it lay below"


def test_rules_act_on_a_groups_status_too(office: Office) -> None:
    office.more = """[status]
group_rollup = true
[[recommendation_rules]]
name = "awake"
condition = 'type == "group" and status == "active"'
template = "Actif"
[[status_rules]]
to = "active"
action = "task"
template = "{account} {from} {to}"
assignee = "claire"
"""
    office.done("account", "add", "--name", "H", "--type", "group", "--created-on", OLD)
    office.done("account", "add", "--name", "C", "--type", "client", "--created-on", OLD, "--parent", "H")
    office.done("project", "add", "--name", "P", "--account", "C")
    office.done("deal", "add", "--title", "T", "--project", "P", "--status", "signed")
    assert office.rows("SELECT name FROM account WHERE status = 'ACTIVE' ORDER BY id") == [("H",), ("C",)]
    advised = "SELECT account_id, message FROM account_recommendation WHERE active"
    assert office.rows(advised) == [(office.one("SELECT id FROM account WHERE name = 'H'"), "Actif")]
    tasks = {subject for (subject,) in office.rows("SELECT subject FROM task")}
    assert len(tasks) == 2, tasks
    office.done("deal", "delete", "1")
    assert office.rows("SELECT name FROM account WHERE status = 'ACTIVE'") == []
    office.done("deal", "restore", "1")
    assert len(office.rows("SELECT name FROM account WHERE status = 'ACTIVE'")) == 2


def test_a_look_at_groups_takes_as_many_queries_however_many_there_are(group: Database) -> None:
    counted = []
    listen = lambda *_: counted.append(1)  # noqa: E731
    event.listen(group.engine, "before_cursor_execute", listen)
    sync = StatusSync(group, PARIS, group_rollup=True)
    sync.recompute(date(2026, 11, 22), NOON, dry_run=True)
    few = len(counted)
    event.remove(group.engine, "before_cursor_execute", listen)
    load(group, "accounts", *(account(f"G{one}", "H", "groupe") for one in range(20)))
    counted.clear()
    event.listen(group.engine, "before_cursor_execute", listen)
    sync.recompute(date(2026, 11, 22), NOON, dry_run=True)
    event.remove(group.engine, "before_cursor_execute", listen)
    assert len(counted) == few


# --- how deep -------------------------------------------------------------------------------------


def test_no_more_than_so_many_accounts_lie_one_below_the_other(database: Database) -> None:
    chain = [account(f"A{one}", f"A{one - 1}" if one else "") for one in range(hierarchy.LEVELS)]
    occasion = Occasion(ADMIN, NOON, date(2026, 11, 22), "test.csv")
    with database.write() as session:
        lines = [Line(number, row) for number, row in enumerate(chain, 2)]
        records.save(session, KINDS["accounts"], lines, occasion)
    told = f"would make a chain of more than {hierarchy.LEVELS} accounts"
    with pytest.raises(Refused, match=told):
        load(database, "accounts", account("Z", f"A{hierarchy.LEVELS - 1}"))
    load(database, "accounts", account("Y", f"A{hierarchy.LEVELS - 2}"), account("T"))
    with pytest.raises(Refused, match=told):
        load(database, "accounts", {"ext_id": "A0", "parent": "T"})
    with pytest.raises(Refused, match="would make the account its own parent"):
        load(database, "accounts", {"ext_id": "A0", "parent": f"A{hierarchy.LEVELS - 1}"})
    load(database, "accounts", {"ext_id": "A1", "parent": "T"})
