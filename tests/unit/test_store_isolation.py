"""What transactions see of each other, and what becomes of one that loses."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection, event, text

from store import directory
from store.accounts import Account, AccountType
from store.database import Database, Transaction
from store.errors import Stale, StoreError
from tests.servers.databases import NewDatabase
from tests.servers.ports import wait_until

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def postgresql(new_database: NewDatabase) -> Iterator[Database]:
    made = Database(new_database("postgresql"))
    yield made
    made.close()


def add_account(session: Transaction, name: str) -> None:
    row = Account(name=name, type=AccountType.CUSTOMER, created_on=NOW.date(), created_at=NOW, updated_at=NOW)
    row.email = f"info@{name}.example"
    session.add(row)
    session.flush()
    directory.bump(session)


def test_the_row_that_counts_changes_is_there_before_any_process_needs_it(database: Database) -> None:
    """Two that make it at the same moment would be in each other's way."""
    with database.read() as session:
        assert directory.version(session) == 1


def test_a_reader_sees_one_state_whatever_is_committed_meanwhile(database: Database) -> None:
    with database.write() as session:
        directory.state(session)
        add_account(session, "one")
    with database.read() as session:
        before = directory.snapshot(session)
        with database.write() as other:
            add_account(other, "two")
        assert directory.snapshot(session) == before
    with database.read() as session:
        assert len(directory.snapshot(session).accounts) == 2


def test_the_directory_is_that_of_its_version_though_it_changes_between_two_queries(
    database: Database,
) -> None:
    with database.write() as session:
        directory.state(session)
    waiting = ["late"]

    def changed(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "FROM account" in statement and waiting:
            name = waiting.pop()
            with database.write() as other:
                add_account(other, name)

    event.listen(database.engine, "before_cursor_execute", changed)
    with database.read() as session:
        found = directory.snapshot(session)
    assert not waiting, "nothing changed in between"
    with database.read() as session:
        assert directory.version(session) == found.version + 1
    assert found.accounts == []


def test_of_two_transactions_that_wait_for_each_other_one_is_told_to_decide_again(
    postgresql: Database,
) -> None:
    with postgresql.write() as session:
        for name in ("one", "two"):
            add_account(session, name)
    barrier = threading.Barrier(2)
    ends: list[str] = []

    def change(first: str, second: str) -> None:
        statement = text("UPDATE account SET name = name WHERE name = :name")
        try:
            with postgresql.write() as session:
                session.execute(statement, {"name": first})
                barrier.wait(10)
                session.execute(statement, {"name": second})
            ends.append("committed")
        except Stale as error:
            ends.append(str(error))

    threads = [threading.Thread(target=change, args=pair) for pair in (("one", "two"), ("two", "one"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(ends) == ["committed", "somebody else wrote at the same time, try again: deadlock detected"]


def test_a_connection_that_is_ended_in_the_middle_is_a_database_that_cannot_be_used(
    postgresql: Database,
) -> None:
    def work() -> None:
        with postgresql.write() as session:
            add_account(session, "one")
            mine = session.scalar(text("SELECT pg_backend_pid()"))
            with postgresql.read() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": mine})
                wait_until(
                    lambda: (
                        other.scalar(
                            text("SELECT count(*) FROM pg_stat_get_activity(NULL) WHERE pid = :pid"),
                            {"pid": mine},
                        )
                        == 0
                    ),
                    "the connection is gone",
                )
            add_account(session, "two")

    with pytest.raises(StoreError, match="the database cannot be used: "):
        work()
    with postgresql.read() as session:  # the next one is fine, and nothing is there
        assert directory.snapshot(session).accounts == []
