"""Calendars of several mailboxes looked at in the same moment, by threads and by processes: on the first day
most meetings of a company lie in many calendars, and every mailbox sees all of them for the first time."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy import event as on_event

from syncd.engine.report import CycleReport
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.console import Outcome, program
from tests.servers.databases import NewDatabase
from tests.servers.meanwhile import before_writing
from tests.servers.memory_world import MemoryWorld
from tests.servers.ports import wait_until
from tests.servers.radicale import RadicaleServer

OWN = "ORGANIZER:mailto:claire@acme.example"
GUESTS = tuple(f"ATTENDEE:mailto:{name}@acme.example" for name in ("marc", "anne"))
TOGETHER = 8
BOUND = "SELECT count(*) FROM binding WHERE state = 'BOUND'"
EVENTS = "SELECT count(*) FROM event"


def meeting(number: int) -> bytes:
    return event(f"m{number}", f"Point {number}", more=(OWN, *GUESTS))


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire and Marc, who meet often, on servers that mail nobody."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    for login in ("claire", "marc"):
        made.add_user(login, auto_schedule=False)
        for number in range(TOGETHER):
            made.put(login, f"m{number}", meeting(number))
    yield made
    made.close()


def plain(report: CycleReport) -> tuple[str | None, dict[str, str]]:
    """What went wrong."""
    return report.error, dict(report.folder_errors)


def overtaken(world: MemoryWorld) -> None:
    """Marc's first cycle; between its plan and its first writing transaction, Claire's begins and ends."""
    installation = world.open()
    run = installation.supervisor.run
    reports: list[CycleReport] = []
    rival = threading.Thread(target=lambda: reports.append(run("claire", lambda: world.now)))

    def claires() -> None:
        rival.start()
        rival.join(60)

    with before_writing(
        installation.database.engine, lambda: world.servers["marc"].calls["read"] > 0, claires
    ):
        reports.append(run("marc", lambda: world.now))
    assert [plain(report) for report in reports] == [(None, {})] * 2


def test_what_another_mailbox_brought_in_meanwhile_is_linked_in_the_same_cycle_and_the_rest_goes_on(
    world: MemoryWorld,
) -> None:
    world.put("marc", "own", event("own", "Dentiste"))
    overtaken(world)
    assert world.one(EVENTS) == TOGETHER + 1
    assert world.one(BOUND) == 2 * TOGETHER + 1
    assert world.one("SELECT count(DISTINCT entity_id) FROM binding") == TOGETHER + 1
    for again in world.sync().values():
        assert (again.error, again.wrote) == (None, False)


def test_an_answer_in_a_copy_that_was_overtaken_is_heard(world: MemoryWorld) -> None:
    world.put(
        "marc", "m0", meeting(0).replace(b"ATTENDEE:mailto:marc", b"ATTENDEE;PARTSTAT=ACCEPTED:mailto:marc")
    )
    overtaken(world)
    answer = world.one(
        "SELECT p.response FROM event_participant p JOIN event e ON e.id = p.event_id "
        "WHERE e.uid = 'm0' AND p.email = 'marc@acme.example'"
    )
    assert answer == "ACCEPTED"


def test_the_same_tasks_in_two_mailboxes_at_once_are_one_record_each(world: MemoryWorld) -> None:
    task = event("task", "Rappeler").replace(b"VEVENT", b"VTODO").replace(b"DTEND", b"DUE")
    for login in ("claire", "marc"):
        world.put(login, "task", task)
    overtaken(world)
    assert world.one("SELECT count(*) FROM task") == 1


def test_two_transactions_that_bring_in_the_same_meetings_wait_for_each_other(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    """PostgreSQL only: SQLite lets one write at a time. Claire's commit waits until Marc's waits for hers."""
    world = MemoryWorld(tmp_path / "syncd", new_database("postgresql"))
    for login in ("claire", "marc"):
        world.add_user(login, auto_schedule=False)
        for number in range(TOGETHER) if login == "claire" else reversed(range(TOGETHER)):
            world.put(login, f"m{number}", meeting(number))
    installation = world.open()
    reports: list[CycleReport] = []
    rival = threading.Thread(
        target=lambda: reports.append(installation.supervisor.run("marc", lambda: world.now))
    )
    mine, inserted = threading.get_ident(), threading.Event()

    def stored(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT INTO event ") and threading.get_ident() == mine:
            inserted.set()

    def waits(_connection: Connection) -> None:
        if inserted.is_set() and not rival.ident:
            rival.start()
            wait_until(
                lambda: (
                    not rival.is_alive()
                    or world.one(
                        "SELECT count(*) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
                    )
                    != 0
                ),
                "the other transaction waits for this one",
            )

    engine = installation.database.engine
    on_event.listen(engine, "before_cursor_execute", stored)
    on_event.listen(engine, "commit", waits)
    try:
        reports.append(installation.supervisor.run("claire", lambda: world.now))
        rival.join(60)
    finally:
        on_event.remove(engine, "before_cursor_execute", stored)
        on_event.remove(engine, "commit", waits)
    try:
        assert [plain(report) for report in reports] == [(None, {})] * 2
        assert (world.one(EVENTS), world.one(BOUND)) == (TOGETHER, 2 * TOGETHER)
    finally:
        world.close()


def test_first_cycles_of_two_mailboxes_by_two_processes_all_end_well(
    radicale: RadicaleServer, database_url: str, tmp_path: Path
) -> None:
    world = CalendarWorld(radicale, tmp_path / "syncd", database_url)
    world.calendar_section = "brake = { count = 1000, percent = 100 }"
    for login in ("claire", "marc"):
        world.add_user(login)
        for number in range(TOGETHER):
            world.put(login, f"m{number}", meeting(number))
    config, outcomes = world.write_config(), list[Outcome]()

    def syncs(login: str) -> None:
        command = ("--config", str(config), "sync", login, "--json")
        outcomes.append(program(*command, cwd=world.folder))

    threads = [threading.Thread(target=syncs, args=(login,)) for login in world.users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert [(one.code, one.err) for one in outcomes] == [(0, "")] * 2
    assert [one.json[0]["error"] for one in outcomes] == [None] * 2
    assert (world.one(EVENTS), world.one(BOUND)) == (TOGETHER, 2 * TOGETHER)
