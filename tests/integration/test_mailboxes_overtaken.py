"""A cycle that loses against somebody else: rules that changed, a deadlock, a lease that is gone."""

import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import ExceptionContext

from store import mailboxes
from syncd.engine.report import CycleReport
from tests.mailboxes import CLAIRE, PAUL, STRANGER, before_sending, is_green, subjects, with_paul
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.ports import wait_until
from tests.servers.world import NOW, PDF, World, mail


@pytest.fixture
def large_world(dovecot: DovecotServer, new_database: NewDatabase, tmp_path: Path) -> World:
    """Claire, and her customer Paul, on PostgreSQL."""
    return with_paul(World(dovecot, tmp_path / "syncd", new_database("postgresql")))


def cycle_with(world: World, monkeypatch: pytest.MonkeyPatch, rival: "threading.Thread") -> CycleReport:
    """A cycle in whose middle, between judging and committing, the rival does all it has to do."""

    def act() -> None:
        rival.start()
        rival.join(30)

    with before_sending(monkeypatch, b"BODY.PEEK[]", act):
        return world.sync("claire")["claire"]


# --- rules --------------------------------------------------------------------------------------------


def test_what_was_judged_by_rules_that_changed_meanwhile_is_not_committed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_paul(world)
    world.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Devis"), mail(2, STRANGER, CLAIRE))

    def another_process_reads_its_config_again() -> None:
        world.mail_section += f'\nexclude = [{{ address = "{PAUL}" }}]'
        other = world.open()
        with other.database.read() as session:
            marks = mailboxes.view(session, "claire").marks
        other.mail.prepare(marks, NOW)  # its search of the ledger does not find what is not there yet
        other.close()

    report = cycle_with(world, monkeypatch, threading.Thread(target=another_process_reads_its_config_again))

    assert "the rules of [mail] changed" in report.folder_errors["INBOX"]
    assert world.one("SELECT count(*) FROM verdict") == 0
    world.sync()
    assert world.rows("SELECT uid, verdict FROM verdict ORDER BY uid") == [(1, 4), (2, 2)]
    assert subjects(world) == []
    assert is_green(world)


# --- a deadlock ---------------------------------------------------------------------------------------


def test_a_batch_that_ends_in_a_deadlock_is_judged_and_committed_again(large_world: World) -> None:
    large_world.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Devis", attachments={"devis.pdf": PDF}))
    ours, database = large_world.open(), large_world.database()
    locked = threading.Event()
    lost: list[object] = []

    def rival() -> None:
        with database.write() as session:
            session.execute(text("SET LOCAL deadlock_timeout = '60s'"))  # so that it is ours that is ended
            session.execute(text("SELECT 1 FROM collection FOR UPDATE"))
            locked.set()
            session.execute(text("UPDATE directory_state SET version = version"))

    thread = threading.Thread(target=rival)

    def stored(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        """Our batch has locked the directory's state, and not yet the folder."""
        if statement.startswith("INSERT INTO email_message") and not thread.ident:
            thread.start()
            assert locked.wait(10)
            wait_until(
                lambda: (
                    large_world.one(
                        "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    == 1
                ),
                "the rival waits for our batch",
            )

    def failed(context: ExceptionContext) -> None:
        lost.append(getattr(context.original_exception, "sqlstate", None))

    event.listen(ours.database.engine, "before_cursor_execute", stored)
    event.listen(ours.database.engine, "handle_error", failed)
    try:
        report = ours.supervisor.run("claire", lambda: NOW)
        thread.join(30)
    finally:
        ours.close()
        database.close()
    assert lost == ["40P01"]
    assert (report.error, report.folder_errors, report.stored) == (None, {}, 1)
    assert subjects(large_world) == ["Devis"]
    assert not large_world.sync()["claire"].wrote
    assert len(large_world.files()) == 1


# --- a lease that is gone -----------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [False, True])
def test_a_cycle_that_loses_its_lease_repeats_nothing_and_loses_nothing(
    large_world: World, monkeypatch: pytest.MonkeyPatch, *, taken: bool
) -> None:
    """An administrator ends its connection; then another process may work on the same mailbox."""
    large_world.deliver(
        "claire",
        "INBOX",
        mail(1, PAUL, CLAIRE, "Devis", attachments={"devis.pdf": PDF}),
        mail(2, STRANGER, CLAIRE),
    )
    theirs = large_world.open()
    reports: list[CycleReport] = []

    def rival() -> None:
        with theirs.database.read() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(l.pid, 10000) FROM pg_locks l "
                    "JOIN pg_database d ON d.oid = l.database "
                    "WHERE l.locktype = 'advisory' AND d.datname = current_database()"
                )
            )
        if taken:
            reports.append(theirs.supervisor.run("claire", lambda: NOW))

    try:
        report = cycle_with(large_world, monkeypatch, threading.Thread(target=rival))
    finally:
        theirs.close()
    assert [(one.skipped, one.failed, one.stored) for one in reports] == [(None, False, 1)] * taken
    assert report.error is None
    if taken:
        assert "another process worked on it" in report.folder_errors["INBOX"]
    else:
        assert report.folder_errors == {}
    large_world.sync()
    assert subjects(large_world) == ["Devis"]
    assert large_world.one("SELECT count(*) FROM activity") == 1
    assert large_world.one("SELECT count(*) FROM verdict") == 2
    assert large_world.one("SELECT error FROM collection WHERE role = 'inbox'") is None
    assert large_world.files() == {large_world.one("SELECT sha256 FROM email_attachment")}
    assert is_green(large_world)
