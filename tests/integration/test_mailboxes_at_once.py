"""Several at work at the same time: processes, mailboxes, and people who change the CRM."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, event

from connectors.imap.wire import Wire
from syncd.engine.report import CycleReport
from tests.mailboxes import CLAIRE, DENIS, MARTHA, PAUL, before_sending, subjects, with_paul
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.ports import wait_until
from tests.servers.world import NOW, PDF, World, mail

ROOT = Path(__file__).parents[2]
SYNCD = "from syncd.cli.main import main; main()"


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


def at_once(world: World) -> None:
    """Claire's mailbox and Denis', by two processes: hers commits when his waits for her, or is over.

    PostgreSQL only: SQLite lets one process write at a time.
    """
    ours, theirs = world.open(), world.open()
    reports: list[CycleReport] = []
    errors: list[BaseException] = []

    def rival() -> None:
        try:
            reports.append(theirs.supervisor.run("denis", lambda: NOW))
        except BaseException as error:  # noqa: BLE001 - looked at below, in the thread of the test
            errors.append(error)

    thread = threading.Thread(target=rival)
    inserted = threading.Event()

    def stored(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO email_message"):
            inserted.set()

    def waits(_connection: Connection) -> None:
        if inserted.is_set() and not thread.ident:
            thread.start()
            wait_until(
                lambda: (
                    not thread.is_alive()
                    or world.one(
                        "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    != 0
                ),
                "the other process waits for this one",
            )

    event.listen(ours.database.engine, "before_cursor_execute", stored)
    event.listen(ours.database.engine, "commit", waits)
    try:
        assert ours.supervisor.run("claire", lambda: NOW).error is None
        thread.join(30)
    finally:
        ours.close()
        theirs.close()
    assert errors == []
    assert [(report.error, report.folder_errors) for report in reports] == [(None, {})]


@pytest.fixture
def shared_world(dovecot: DovecotServer, new_database: NewDatabase, tmp_path: Path) -> World:
    """Claire and Denis, and their customer Paul, on PostgreSQL."""
    world = with_paul(World(dovecot, tmp_path / "syncd", new_database("postgresql")))
    world.add_user("denis")
    return world


def test_the_same_mail_logged_by_two_processes_at_once_is_one_record(shared_world: World) -> None:
    world = shared_world
    shared = mail(1, PAUL, [CLAIRE, DENIS], "À vous deux", attachments={"devis.pdf": PDF})
    for login in ("claire", "denis"):
        world.deliver(login, "INBOX", shared)
    at_once(world)
    assert world.one("SELECT count(*) FROM email_message") == 1
    assert world.one("SELECT count(*) FROM email_user") == 2
    assert world.one("SELECT count(*) FROM activity") == 1
    assert world.rows("SELECT verdict FROM verdict") == [(1,), (1,)]


@pytest.mark.parametrize(
    ("before", "to_claire", "to_denis"),
    [
        # Hers joins two threads, his answers into the one that ceases to be.
        ([(1, []), (2, [])], (3, ["1", "2"]), (4, ["2"])),
        # Neither is there: his answers to hers, and to one that never came.
        ([], (3, []), (4, ["2", "3"])),
    ],
)
def test_a_thread_that_two_processes_log_at_once_is_one_thread(
    shared_world: World,
    before: list[tuple[int, list[str]]],
    to_claire: tuple[int, list[str]],
    to_denis: tuple[int, list[str]],
) -> None:
    for number, names in before:
        shared_world.deliver("claire", "INBOX", mail(number, PAUL, CLAIRE, f"S{number}", reply_to=names))
    shared_world.sync()
    assert shared_world.one("SELECT count(DISTINCT thread_key) FROM email_message") == len(before)
    for login, (number, names) in (("claire", to_claire), ("denis", to_denis)):
        to = f"{login}@acme.example"
        shared_world.deliver(login, "INBOX", mail(number, PAUL, to, f"S{number}", reply_to=names))
    at_once(shared_world)
    assert len(subjects(shared_world)) == len(before) + 2
    assert shared_world.one("SELECT count(DISTINCT thread_key) FROM email_message") == 1


def test_a_contact_made_while_a_batch_is_read_misses_no_message(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_paul(world)
    world.deliver(
        "claire",
        "INBOX",
        mail(1, MARTHA, CLAIRE, "De Martha"),
        mail(2, PAUL, CLAIRE, "De Paul"),  # its body is fetched: the batch is judged, not committed
        mail(3, MARTHA, CLAIRE, "Encore de Martha"),
    )
    account = world.add_account("Autre SARL")

    def add_martha() -> None:
        world.add_contact(account, MARTHA)

    with before_sending(monkeypatch, b"BODY.PEEK[]", add_martha):
        report = world.sync()["claire"]
    assert report.error is None
    assert subjects(world) == ["De Martha", "De Paul", "Encore de Martha"]
    world.sync()
    assert not world.sync()["claire"].wrote
    assert world.one("SELECT count(*) FROM activity") == 3


def test_a_contact_made_after_one_batch_and_before_the_next_misses_no_message(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.engine.mail.HEADS", 2)
    for number in range(8):
        sender = PAUL if number % 2 else MARTHA
        company.deliver("claire", "INBOX", mail(number, sender, CLAIRE, f"S{number}"))
    account = company.add_account("Autre SARL")
    # The third look at headers: two batches are committed without Martha.
    looks = iter(range(100))
    send = Wire.send

    def watched(self: Wire, data: bytes) -> None:
        if b"HEADER.FIELDS" in data and next(looks) == 2:
            company.add_contact(account, MARTHA)
        send(self, data)

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "send", watched)
        company.sync()
    company.sync()
    assert subjects(company) == [f"S{number}" for number in range(8)]


def child(world: World, login: str) -> subprocess.Popen[bytes]:
    """Another process of the service, at work on one mailbox."""
    return subprocess.Popen(
        [sys.executable, "-c", SYNCD, "--config", str(world.config), "sync", login],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        cwd="/",
    )


@pytest.mark.parametrize("end", ["by itself", "killed"])
def test_a_mailbox_that_another_process_works_on_is_left_alone(world: World, end: str) -> None:
    with_paul(world)
    world.add_user("denis")
    world.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Devis"))
    world.deliver("denis", "INBOX", mail(2, PAUL, DENIS, "Pour Denis"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        world.port = silent.getsockname()[1]
        world.write_config()
        other = child(world, "claire")
        try:
            connection, _ = silent.accept()  # its cycle is under way: it waits for the server's greeting
            world.port = None
            reports = world.sync()
            assert "another syncd" in str(reports["claire"].skipped)
            assert reports["claire"].error is None
            assert not reports["claire"].wrote
            assert reports["denis"].skipped is None
            assert subjects(world) == ["Pour Denis"]
            if end == "killed":
                other.send_signal(signal.SIGKILL)
            connection.close()
        finally:
            other.wait(30)
    wait_until(lambda: world.sync()["claire"].skipped is None, "the mailbox is free again")
    assert subjects(world) == ["Devis", "Pour Denis"]
