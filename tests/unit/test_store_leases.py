"""One process at a time works on a mailbox, by a locked file or by a lock of the database."""

import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text
from sqlalchemy import event as sql_event

from store.database import Database
from store.errors import Busy, StoreError
from store.leases import Leases
from tests.servers.databases import NewDatabase


@pytest.fixture
def ours(database: Database, tmp_path: Path) -> Leases:
    return Leases(database, tmp_path / "locks")


@pytest.fixture
def theirs(database_url: str, tmp_path: Path) -> Iterator[Leases]:
    """Another process's, as far as a lock can tell: its own connections and its own open files."""
    other = Database(database_url)
    yield Leases(other, tmp_path / "locks")
    other.close()


def is_free(leases: Leases, mailbox: str = "claire") -> bool:
    try:
        with leases.lease(mailbox):
            return True
    except Busy:
        return False


def test_a_mailbox_that_somebody_works_on_is_refused_to_everybody_else(ours: Leases, theirs: Leases) -> None:
    with ours.lease("claire"):
        with pytest.raises(Busy, match=r"another syncd.* works on mailbox claire: left alone"):
            theirs.lease("claire").__enter__()
        assert not is_free(ours)  # nor to another thread of the same process
    assert is_free(theirs)
    assert is_free(ours)


def test_other_mailboxes_are_free(ours: Leases, theirs: Leases) -> None:
    with ours.lease("claire"), theirs.lease("denis"), ours.lease("claire.dupont"):
        assert not is_free(theirs, "claire")
        assert not is_free(ours, "denis")


def test_being_refused_takes_nothing_from_its_holder(ours: Leases, theirs: Leases) -> None:
    with ours.lease("claire"):
        assert not is_free(theirs)
        assert not is_free(theirs)
    with theirs.lease("claire"):
        assert not is_free(ours)


def test_a_lease_ends_with_an_error_too(ours: Leases, theirs: Leases) -> None:
    with pytest.raises(KeyError), ours.lease("claire"):
        raise KeyError("a defect")
    assert is_free(theirs)


def test_of_many_threads_one_gets_the_lease(ours: Leases) -> None:
    barrier, results, over = threading.Barrier(6), [], threading.Event()

    def attempt() -> None:
        barrier.wait(10)
        try:
            with ours.lease("claire"):
                results.append(True)
                over.wait(10)
        except Busy:
            results.append(False)
            if results.count(False) == 5:
                over.set()

    threads = [threading.Thread(target=attempt) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(results) == [False] * 5 + [True]
    assert is_free(ours)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_lease_ends_with_its_process_however_it_dies(
    database_url: str, tmp_path: Path, theirs: Leases, number: signal.Signals
) -> None:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            own = Leases(Database(database_url), tmp_path / "locks")
            with own.lease("claire"):
                os.write(writing, b"!")
                signal.pause()
        finally:
            os._exit(1)
    try:
        assert os.read(reading, 1) == b"!"
        assert not is_free(theirs)
    finally:
        os.kill(child, number)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)
    wait_for(theirs)


def wait_for(leases: Leases) -> None:
    """PostgreSQL notices a moment later that a client is gone."""
    over = threading.Event()
    for _ in range(100):
        if is_free(leases):
            return
        over.wait(0.05)
    pytest.fail("the lease of a dead process is still held after 5 seconds")


def test_the_file_of_a_lease_tells_people_who_holds_it(sqlite_database: Database, tmp_path: Path) -> None:
    leases = Leases(sqlite_database, tmp_path / "locks")
    lock = tmp_path / "locks" / "claire.lock"
    (tmp_path / "locks" / "claire.lock").write_text("4194304 and more than a process id")  # a dead process's
    with leases.lease("claire"):
        assert lock.read_text() == str(os.getpid())
        with pytest.raises(Busy, match=rf"\(process {os.getpid()}\)"):
            leases.lease("claire").__enter__()
    lock.unlink()
    with leases.lease("claire"):
        assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700


def test_a_folder_that_cannot_be_made_is_told(sqlite_database: Database, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Leases(sqlite_database, tmp_path / "file" / "locks")


def test_a_lease_that_ended_leaves_no_lock_in_the_pool(new_database: NewDatabase, tmp_path: Path) -> None:
    """PostgreSQL only: its locks belong to a connection, and connections are used again."""
    database = Database(new_database("postgresql"))
    leases = Leases(database, tmp_path / "locks")
    for _ in range(3):
        with leases.lease("claire"), leases.lease("denis"):
            pass
    try:
        with database.read() as session:
            assert session.scalar(text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")) == 0
    finally:
        database.close()


def test_two_crms_on_one_database_server_do_not_hold_each_other_up(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    several = [Database(new_database("postgresql")) for _ in range(2)]
    try:
        one, other = (Leases(database, tmp_path / "locks") for database in several)
        with one.lease("claire"):
            assert is_free(other)
    finally:
        for database in several:
            database.close()


# --- PostgreSQL ends a connection -----------------------------------------------------------------------


@pytest.fixture
def on_postgresql(new_database: NewDatabase) -> Iterator[Database]:
    made = Database(new_database("postgresql"))
    yield made
    made.close()


def end_connections(database: Database) -> None:
    """As an administrator or a restart of the server does to the connections that hold leases."""
    with database.read() as session:
        ended = session.scalar(
            text(
                "SELECT count(pg_terminate_backend(l.pid, 10000)) FROM pg_locks l "
                "JOIN pg_database d ON d.oid = l.database "
                "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
            )
        )
    assert ended == 1


def test_a_lease_whose_connection_is_ended_is_left_without_an_error_and_free(
    on_postgresql: Database, tmp_path: Path
) -> None:
    leases = Leases(on_postgresql, tmp_path / "locks")
    with leases.lease("claire"):
        end_connections(on_postgresql)
        assert is_free(leases)
    assert is_free(leases)
    assert on_postgresql.engine.pool.status().endswith("Current Checked out connections: 0")


def test_a_lease_whose_connection_is_ended_while_it_is_taken_is_told(
    on_postgresql: Database, tmp_path: Path
) -> None:
    leases = Leases(on_postgresql, tmp_path / "locks")
    waiting = ["once"]

    def ended(connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if "pg_try_advisory_lock" in statement and waiting:
            waiting.pop()
            pid = connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr]
            with on_postgresql.read() as session:
                assert session.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})

    sql_event.listen(on_postgresql.engine, "before_cursor_execute", ended)
    with pytest.raises(StoreError, match="the database cannot be used: ") as caught:
        leases.lease("claire").__enter__()
    assert not isinstance(caught.value, Busy)
    assert not waiting
    assert on_postgresql.engine.pool.status().endswith("Current Checked out connections: 0")
    assert is_free(leases)


def test_a_lease_that_the_server_refuses_to_look_up_is_told_and_keeps_no_connection(
    on_postgresql: Database, tmp_path: Path
) -> None:
    """A statement that takes too long is cancelled, and its connection stays."""
    leases = Leases(on_postgresql, tmp_path / "locks")
    waiting = ["once"]

    def cancelled(
        _connection: Connection, _cursor: object, statement: str, parameters: object, *_: object
    ) -> tuple[str, object]:
        if "pg_try_advisory_lock" in statement and waiting:
            waiting.pop()
            return "DO $$ BEGIN RAISE EXCEPTION 'cancelled' USING ERRCODE = '57014'; END $$", {}
        return statement, parameters

    sql_event.listen(on_postgresql.engine, "before_cursor_execute", cancelled, retval=True)
    with pytest.raises(StoreError, match="the database cannot be used: cancelled") as caught:
        leases.lease("claire").__enter__()
    assert on_postgresql.engine.pool.status().endswith("Current Checked out connections: 0")
    assert caught.value.__traceback__ is not None  # it would keep the connection alive
    assert is_free(leases)
