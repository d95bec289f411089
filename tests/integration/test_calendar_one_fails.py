"""A calendar that cannot be written to, beside others of the same mailbox."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import CollectionError, CollectionRefused
from store import brakes
from store.bindings import BindingState
from tests.servers.calendar_world import event
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded

OTHER = "/other/"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire, with an event in each of two calendars."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    made.add_user("claire", auto_schedule=False).add_calendar(OTHER, "Autre")
    for number, calendar in enumerate((CALENDAR, OTHER), start=1):
        made.servers["claire"].put(calendar, event(f"e{number}"), f"{calendar}e{number}.ics")
    made.settle()
    yield made
    made.close()


def text(world: MemoryWorld, calendar: str, name: str) -> str:
    return unfolded(world.servers["claire"].sources(calendar)[f"{calendar}{name}.ics"])


def refused() -> CollectionError:
    return CollectionRefused("the calendar is locked", collection=CALENDAR)


def test_the_other_calendars_of_the_mailbox_go_on_and_the_failed_one_is_named(world: MemoryWorld) -> None:
    server = world.servers["claire"]
    for id_ in (1, 2):
        world.desk("claire").edit(id_, location="Lyon")
    server.put(OTHER, event("late", "Neuf"), f"{OTHER}late.ics")
    server.fail("update", refused)
    (report,) = world.sync().values()
    assert report.error is None
    assert report.folder_errors == {"Calendar": "the calendar is locked"}
    assert "LOCATION" not in text(world, CALENDAR, "e1")
    assert "LOCATION:Lyon" in text(world, OTHER, "e2")
    assert world.one("SELECT count(*) FROM event WHERE uid = 'late'") == 1
    assert world.one("SELECT count(*) FROM intent") == 0
    assert world.rows("SELECT error FROM collection WHERE error IS NOT NULL") == [("the calendar is locked",)]
    world.settle()
    assert "LOCATION:Lyon" in text(world, CALENDAR, "e1")
    assert world.rows("SELECT error FROM collection WHERE error IS NOT NULL") == []


def test_what_a_client_changed_where_the_write_failed_is_not_forgotten(world: MemoryWorld) -> None:
    """A merge: the client's half waits with the CRM's, since the calendar's cursor has not moved."""
    server = world.servers["claire"]
    world.desk("claire").edit(1, location="Lyon")
    world.change("claire", f"{CALENDAR}e1.ics", lambda one: one.replace("SUMMARY:", "SUMMARY:Grande "))
    server.fail("update", refused)
    world.sync()
    world.settle()
    assert world.rows("SELECT subject, location FROM event WHERE uid = 'e1'") == [("Grande Réunion", "Lyon")]
    assert "SUMMARY:Grande Réunion" in text(world, CALENDAR, "e1")
    assert "LOCATION:Lyon" in text(world, CALENDAR, "e1")
    assert world.one("SELECT count(*) FROM conflict") == 0


def test_what_only_the_server_tells_of_is_seen_again_where_the_write_failed(world: MemoryWorld) -> None:
    """Nothing waits in the CRM: only the cursor, which has not moved, brings it back."""
    world.mailbox_keys["claire"] = 'direction = "to-remote"'
    world.settle()
    world.change("claire", f"{CALENDAR}e1.ics", lambda one: one.replace("SUMMARY:", "SUMMARY:Grande "))
    world.servers["claire"].fail("update", refused)
    world.sync()
    assert "SUMMARY:Grande" in text(world, CALENDAR, "e1")
    world.settle()
    assert "SUMMARY:Réunion" in text(world, CALENDAR, "e1")


def test_many_writes_to_a_calendar_that_fails_are_tried_once(world: MemoryWorld) -> None:
    server = world.servers["claire"]
    for number in range(3, 33):
        server.put(CALENDAR, event(f"e{number}"), f"{CALENDAR}e{number}.ics")
    world.calendar_section = "brake = { count = 1000, percent = 100 }"
    world.settle()
    for id_ in range(1, 33):
        world.desk("claire").edit(id_, location="Lyon")
    server.calls.clear()
    server.fail("update", refused)
    (report,) = world.sync().values()
    assert report.error is None
    assert server.calls["update"] == 2
    assert "LOCATION:Lyon" in text(world, OTHER, "e2")
    world.settle()
    assert world.one("SELECT count(*) FROM pending") == 0


def test_a_calendar_that_became_read_only_comes_to_rest(world: MemoryWorld) -> None:
    world.servers["claire"].make_read_only(CALENDAR)
    world.desk("claire").edit(1, location="Lyon")
    (report,) = world.sync().values()
    assert (report.error, list(report.folder_errors)) == (None, ["Calendar"])
    world.settle()
    assert world.rows("SELECT error FROM collection WHERE error IS NOT NULL") == []
    bound = world.one("SELECT count(*) FROM binding WHERE state = :s", s=BindingState.BOUND.name)
    assert bound == 2


def test_what_a_person_let_go_stays_let_go_until_it_is_written(world: MemoryWorld) -> None:
    server = world.servers["claire"]
    for number in range(3, 16):
        world.desk("claire").add(f"Neuf {number}", f"2026-12-{number:02}T10:00")
    (report,) = world.sync().values()
    assert report.calendar.braked
    with world.open().database.write() as session:
        brakes.release(session, "claire", world.now, actor="admin")
    server.fail("create", refused)
    (report,) = world.sync().values()
    assert list(report.folder_errors) == ["Calendar"]
    world.settle()
    assert len(server.sources(CALENDAR)) == 14
    assert world.one("SELECT state FROM mailbox") == "RUNNING"
