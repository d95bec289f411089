"""Lists, filtered and sorted, on both databases; and that the largest of them are read from indexes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from store import contact_list
from store.accounts import Account, AccountType
from store.contacts import Contact, CreatedVia, Gender
from store.database import Database, bulk
from store.report_rows import Query, Sort
from tests.integration.test_cli_records import ACCOUNTS, OPPORTUNITIES, run, write
from tests.servers.console import console
from tests.servers.prepared import Prepared
from tests.servers.world import World
from tests.servers.worlds import PreparedWorld

NOW = datetime(2026, 11, 22, 11, tzinfo=UTC)
NUMBER = 1200  # more than the hits of a text that are sorted by themselves


@pytest.fixture
def many(prepared: Prepared) -> Database:
    """Contacts of two accounts, every other one deleted, their names against the order of their ids."""
    return prepared.database(numbered)


def numbered(database: Database) -> None:
    entity = {"created_at": NOW, "version": 1}
    with database.write() as session:
        bulk(session, Account, [
            {"id": n, "name": name, "type": AccountType.CUSTOMER, "created_on": NOW.date(), "updated_at": NOW,
             **entity}
            for n, name in ((1, "Zinguerie 100%"), (2, "Banque"))
        ])  # fmt: skip
        bulk(session, Contact, [
            {"id": n, "account_id": 1 if n <= 10 else 2, "last_name": f"Nom{9999 - n}", "first_name": "A_b",
             "gender": Gender.UNSPECIFIED, "created_via": CreatedVia.IMPORT, "email": f"p{n}@x.example",
             "updated_at": NOW - timedelta(days=n), "deleted_at": NOW if n % 2 else None, **entity}
            for n in range(1, 2 * NUMBER + 1)
        ])  # fmt: skip


def ids(database: Database, query: Query) -> tuple[list[int], int]:
    with database.read() as session:
        page = contact_list.contacts(session, query)
    return [one.id for one in page.rows], page.total


def test_contacts_are_paged_by_name_and_those_that_are_deleted_left_out(many: Database) -> None:
    assert ids(many, Query(limit=2)) == ([2400, 2398], NUMBER)
    assert ids(many, Query(limit=2, offset=2)) == ([2396, 2394], NUMBER)
    assert ids(many, Query(sort=Sort("last_name", descending=True), limit=2)) == ([2, 4], NUMBER)
    assert ids(many, Query(sort=Sort("updated_at"), limit=2)) == ([2400, 2398], NUMBER)
    assert ids(many, Query(changed_since=NOW - timedelta(days=5))) == ([4, 2], 2)


@pytest.mark.parametrize(
    ("wanted", "found", "total"),
    [
        (Query(text="NOM", limit=2), [2400, 2398], NUMBER),  # more than are sorted by themselves
        (Query(text="NOM", sort=Sort("updated_at", descending=True), limit=2), [2, 4], NUMBER),
        (Query(text="p77"), [778, 776, 774, 772, 770], 5),
        (Query(text="p770@X.example"), [770], 1),
        (Query(text="zinguerie"), [10, 8, 6, 4, 2], 5),
        (Query(text="100%"), [10, 8, 6, 4, 2], 5),
        (Query(text="a_b", limit=1), [2400], NUMBER),
        (Query(text="a-b"), [], 0),
        (Query(text="%"), [10, 8, 6, 4, 2], 5),
        (Query(text="Nom9997", account=1), [2], 1),
        (Query(text="Nom9997", account=2), [], 0),
        (Query(text="p77", limit=2, offset=2), [774, 772], 5),
    ],
)
def test_a_text_is_found_in_names_addresses_and_accounts(
    many: Database, wanted: Query, found: list[int], total: int
) -> None:
    assert ids(many, wanted) == (found, total)


def test_what_is_searched_follows_every_change(many: Database) -> None:
    with many.write() as session:
        session.execute(text("UPDATE contact SET last_name = 'Renommée' WHERE id = 2"))
    assert ids(many, Query(text="renomm")) == ([2], 1)
    assert ids(many, Query(text="Nom9997")) == ([], 0)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Query(), "ix_contact_name"),
        (Query(offset=500), "ix_contact_name"),
        (Query(text="p77"), "ix_contact_search"),
        (Query(sort=Sort("updated_at", descending=True)), "ix_contact_updated_at"),
        (Query(account=1), "ix_contact_account_id"),
        (Query(owner=1), "ix_contact_owner_id"),
    ],
)
def test_no_page_needs_a_walk_through_the_table(many: Database, wanted: Query, index: str) -> None:
    plans = _plans(many, wanted)

    if many.sqlite or not wanted.text:  # PostgreSQL walks through the one column that holds the texts
        assert index in plans
    assert "SCAN contact\n" not in plans


def _plans(database: Database, wanted: Query) -> str:
    """How the queries of a page are carried out."""
    asked: list[tuple[str, Any]] = []
    explain = "EXPLAIN QUERY PLAN " if database.sqlite else "EXPLAIN "

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "FROM contact" in statement:
            asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        ids(database, wanted)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    assert asked
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not database.sqlite:  # it reads a table as small as this one whole, unless it is told not to
            connection.exec_driver_sql("VACUUM ANALYZE contact")
            connection.exec_driver_sql("SET enable_seqscan = off")
        return "\n".join(
            str(row[-1])
            for statement, parameters in asked
            for row in connection.exec_driver_sql(explain + statement, parameters)
        )


@pytest.fixture
def office(prepared_world: PreparedWorld) -> World:
    """A few records of each kind."""
    return prepared_world(few, "claire")


def few(world: World) -> None:
    for kind, rows in (
        ("accounts", ACCOUNTS),
        ("opportunities", OPPORTUNITIES),
        ("projects", "name,account\nP,A1\n"),
        ("deals", "title,project,status,amount,owner\nB,P,SIGNED,5,claire\nA,P,ONGOING,,\nC,P,SIGNED,7,\n"),
        ("orders", "account,date,state,total\nA1,2026-01-05,CONFIRMED,5\nA2,2026-02-05,DRAFT,\n"),
    ):
        assert run(world, "import", kind, write(world, "in.csv", rows)).code == 0


def test_lists_are_narrowed_and_sorted_from_the_command_line(office: World) -> None:
    def listed(*arguments: str) -> list[object]:
        rows = run(office, "list", *arguments, "--json").json["rows"]
        return [one.get("title") or one.get("name") or one.get("number") for one in rows]

    assert listed("deals", "--sort", "title") == ["A", "B", "C"]
    assert listed("deals", "--sort", "-amount") == ["C", "B", "A"], "what is empty comes last"
    assert listed("deals", "--sort", "amount") == ["B", "C", "A"]
    assert listed("deals", "--owner", "claire") == ["B"]
    assert listed("deals", "--status", "signed", "--sort", "-title") == ["C", "B"]
    assert listed("deals", "--since", "2100-01-01") == []
    assert listed("accounts", "--owner", "claire") == ["Garage Dupont"]
    assert listed("accounts", "--sort", "-name") == ["Garage Dupont", "Banque"]
    assert listed("opportunities", "--status", "perdue") == ["Cave"]
    assert listed("orders", "--status", "confirmée") == ["2026-1"]
    assert listed("orders", "--sort", "date") == ["2026-1", "2026-2"]
    assert listed("projects", "--status", "open") == ["P"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["contacts", "--sort", "position"], "--sort: contacts can be sorted by last_name, updated_at"),
        (["emails", "--sort", "date"], "--sort: emails can be sorted by nothing else"),
        (["contacts", "--status", "open"], "--status: contacts have none that it could mean"),
        (["emails", "--status", "open"], "--status: emails have none that it could mean"),
        (["deals", "--status", "off"], '--status: "off" is not known; accepted: SIGNED'),
        (["products", "--owner", "claire"], "--owner: a product has none"),
        (["deals", "--owner", "nobody"], "nobody"),
    ],
)
def test_what_a_list_cannot_do_is_told(office: World, arguments: list[str], told: str) -> None:
    outcome = console(office.config, "list", *arguments)
    assert outcome.code in (1, 2)
    assert told in outcome.err
