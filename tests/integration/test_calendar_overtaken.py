"""Who changes a record in the middle of a cycle: between what the cycle planned and what it writes down."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import ItemError
from store.database import Database
from store.errors import Invalid
from tests.servers.calendar_world import event
from tests.servers.meanwhile import before_writing
from tests.servers.memory_world import MemoryWorld

MEETING = ("ORGANIZER:mailto:claire@acme.example", "ATTENDEE:mailto:marc@acme.example",
           "ATTENDEE:mailto:guest@client.example")  # fmt: skip
DAILY = "RRULE:FREQ=DAILY;COUNT=5"


def opened(folder: Path, *users: str, section: str = "", auto_schedule: bool = False) -> MemoryWorld:
    world = MemoryWorld(folder / "syncd", f"sqlite:///{folder}/crm.db")
    world.calendar_section = section
    database = Database(world.database_url)
    database.upgrade()
    database.close()
    for user in users:
        world.add_user(user, auto_schedule=auto_schedule)
    return world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[MemoryWorld]:
    found = opened(tmp_path, "claire")
    yield found
    found.close()


def elsewhere(work: Callable[[], object]) -> None:
    """Another process does it, as far as locks and transactions go."""
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)


def cycle_with(world: MemoryWorld, looked: Callable[[], bool], meanwhile: Callable[[], object]) -> None:
    """A cycle in whose first transaction after `looked` somebody is faster."""
    installation = world.open()
    world.now = world.now.replace(minute=30)
    with before_writing(installation.database.engine, looked, lambda: elsewhere(meanwhile)):
        installation.supervisor.run("claire", lambda: world.now)


def test_what_a_person_changes_while_its_deletion_is_seen_is_not_cancelled_with_it(
    world: MemoryWorld,
) -> None:
    ref = world.put("claire", "a", event("a", "Point"))
    world.settle()
    server = world.servers["claire"]
    server.remove(ref)
    looks = server.calls["changes"]
    cycle_with(
        world,
        lambda: server.calls["changes"] > looks,
        lambda: world.desk("claire").edit(1, subject="Edited by hand"),
    )
    world.settle()
    assert world.rows("SELECT subject, status, hidden FROM event") == [("Edited by hand", "CONFIRMED", 0)]
    assert "Edited by hand" in world.text("claire")


def test_what_a_person_changes_again_in_the_same_instant_while_it_is_written_waits_for_its_turn(
    world: MemoryWorld,
) -> None:
    """A clock that stands still, or two changes in one of its ticks: neither is taken for the other."""
    world.settle()
    server, desk = world.servers["claire"], world.desk("claire")
    world.now = world.now.replace(minute=30)
    made = desk.add("Point")
    written = server.calls["create"]
    installation = world.open()
    with before_writing(
        installation.database.engine,
        lambda: server.calls["create"] > written,
        lambda: elsewhere(lambda: desk.edit(made, subject="Edited by hand")),
    ):
        installation.supervisor.run("claire", lambda: world.now)
    assert "SUMMARY:Point" in world.text("claire")
    world.settle()
    assert "SUMMARY:Edited by hand" in world.text("claire")


def test_the_same_field_changed_on_both_sides_in_one_moment_is_a_conflict(world: MemoryWorld) -> None:
    ref = world.put("claire", "a", event("a", "Point"))
    world.settle()
    server = world.servers["claire"]
    world.change("claire", ref, lambda text: text.replace("SUMMARY:Point", "SUMMARY:From the server"))
    reads = server.calls["read"]
    cycle_with(
        world,
        lambda: server.calls["read"] > reads,
        lambda: world.desk("claire").edit(1, subject="From the CRM"),
    )
    world.settle()
    assert world.rows("SELECT subject FROM event") == [("From the server",)]
    assert world.rows("SELECT unit, winner, crm_value, remote_value FROM conflict") == [
        ("subject", "REMOTE", '"From the CRM"', '"From the server"')
    ]


def test_what_is_overwritten_because_a_person_wrote_during_the_push_is_in_the_conflicts(
    world: MemoryWorld,
) -> None:
    ref = world.put("claire", "a", event("a", "Point", more=("LOCATION:Here",)))
    world.settle()
    world.change("claire", ref, lambda text: text.replace("LOCATION:Here", "LOCATION:Server"))
    world.desk("claire").edit(1, subject="First")
    world.servers["claire"].before(
        "update", lambda: elsewhere(lambda: world.desk("claire").edit(1, subject="Second", location="Desk"))
    )
    world.now = world.now.replace(minute=30)
    world.sync()
    world.settle()
    assert world.rows("SELECT subject, location FROM event") == [("Second", "Desk")]
    lost = world.rows("SELECT unit, winner, remote_value FROM conflict")
    assert ("location", "CRM", '"Server"') in lost


@pytest.mark.parametrize("first", ["marc", "claire"])
def test_a_meeting_that_its_organizer_deleted_does_not_come_back_for_a_colleagues_answer(
    tmp_path: Path, first: str
) -> None:
    world = opened(tmp_path, "claire", "marc", auto_schedule=True)
    organizers = world.put("claire", "m", event("m", "Point", more=MEETING))
    copy = world.put("marc", "m", event("m", "Point", more=MEETING))
    world.settle()
    world.servers["marc"].remove(copy)
    world.servers["claire"].remove(organizers)
    world.sync(first, {"marc": "claire", "claire": "marc"}[first])
    world.settle()
    assert "Point" not in world.text("claire") + world.text("marc")
    assert world.rows("SELECT status, hidden FROM event") == [("CANCELLED", 1)]
    assert not world.mailed()
    world.close()


def test_an_occurrence_changed_in_the_client_stays_there_while_a_person_decides_about_the_series(
    tmp_path: Path,
) -> None:
    world = opened(tmp_path, "claire", section='conflict = { default = "manual" }')
    ref = world.put("claire", "s", event("s", "Series", more=(DAILY,)))
    world.settle()
    world.desk("claire").edit(1, start="2026-11-24T11:00", end="2026-11-24T12:00")
    override = (
        "BEGIN:VEVENT\nUID:s\nDTSTAMP:20261101T080000Z\n"
        "RECURRENCE-ID;TZID=Europe/Paris:20261126T130000\nDTSTART;TZID=Europe/Paris:20261126T150000\n"
        "DTEND;TZID=Europe/Paris:20261126T160000\nSUMMARY:By the client\nEND:VEVENT\nEND:VCALENDAR"
    )
    world.change(
        "claire",
        ref,
        lambda text: (
            text.replace("20261124T090000", "20261124T130000")
            .replace("20261124T100000", "20261124T140000")
            .replace("END:VCALENDAR", override)
        ),
    )
    world.settle()
    assert "By the client" in world.text("claire")
    assert world.rows("SELECT unit, state FROM conflict WHERE state = 'OPEN'") == [("timing", "OPEN")]
    world.close()


# --- one UID in several places, a new calendar, an occurrence that becomes a series ---------------


@pytest.mark.parametrize("subject", ["Point", "Changed"])
def test_a_copy_made_while_the_first_one_goes_stops_nothing(world: MemoryWorld, subject: str) -> None:
    server = world.servers["claire"]
    for calendar in ("/b/", "/c/"):
        server.add_calendar(calendar)
    ref = world.put("claire", "a", event("a", "Point"))
    world.settle()
    server.remove(ref)
    server.put("/b/", event("a", subject), "/b/a.ics")
    server.put("/c/", event("a", subject), "/c/a.ics")
    world.settle()
    assert world.rows("SELECT subject, status FROM event") == [(subject, "CONFIRMED")]
    assert sorted(world.rows("SELECT remote_ref, state FROM binding")) == [
        ("/b/a.ics", "BOUND"),
        ("/c/a.ics", "IGNORED"),
    ]


@pytest.mark.parametrize("edited", [False, True])
def test_what_moves_into_a_calendar_that_is_new_is_not_gone(world: MemoryWorld, edited: bool) -> None:
    server = world.servers["claire"]
    ref = world.put("claire", "a", event("a", "Point"))
    world.settle()
    server.add_calendar("/new/")
    server.remove(ref)
    server.put("/new/", event("a", "Point"), "/new/a.ics")
    if edited:
        world.desk("claire").edit(1, location="Room 2")
    world.settle()
    assert world.rows("SELECT status, hidden FROM event") == [("CONFIRMED", 0)]
    assert list(server.sources("/calendar/")) == []
    assert (b"Room 2" in server.sources("/new/")["/new/a.ics"]) is edited
    assert "cancel_crm" not in [action for (action,) in world.rows("SELECT action FROM decision")]


OCCURRENCE = (
    "BEGIN:VEVENT\nUID:s\nDTSTAMP:20261101T080000Z\n{place}\n"
    "DTSTART;TZID=Europe/Paris:20261126T150000\nDTEND;TZID=Europe/Paris:20261126T160000\n"
    "SUMMARY:Only this one\nEND:VEVENT\n"
)
PLACE = "RECURRENCE-ID;TZID=Europe/Paris:20261126T090000"


def series(*occurrences: str) -> bytes:
    whole = event("s", "Series", more=(DAILY,)).decode().replace("\r\n", "\n")
    return (
        whole.replace("END:VCALENDAR", "".join(occurrences) + "END:VCALENDAR").replace("\n", "\r\n").encode()
    )


def test_an_invitation_to_one_occurrence_that_becomes_the_series_is_taken_in(world: MemoryWorld) -> None:
    one = OCCURRENCE.format(place=PLACE)
    alone = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{one}END:VCALENDAR\n".replace("\n", "\r\n").encode()
    ref = world.put("claire", "s", alone)
    world.settle()
    world.servers["claire"].put("/calendar/", series(one), ref)
    world.settle()
    rows = world.rows("SELECT subject, recurrence_key, series_id IS NULL FROM event ORDER BY id")
    assert rows == [("Series", "", 1), ("Only this one", "20261126T080000Z", 0)]


@pytest.mark.parametrize(
    "place", [PLACE, "RECURRENCE-ID:20261126T090000", "RECURRENCE-ID;VALUE=DATE:20261126"]
)
def test_an_occurrence_named_in_any_way_has_its_place_in_a_series_that_gets_longer(
    world: MemoryWorld, place: str
) -> None:
    ref = world.put("claire", "s", series())
    world.settle()
    world.desk("claire").edit(1, end="2026-11-24T11:00")
    world.servers["claire"].put("/calendar/", series(OCCURRENCE.format(place=place)), ref)
    world.settle()
    assert "Only this one" in world.text("claire")
    assert world.rows("SELECT count(*) FROM event WHERE subject = 'Only this one'") == [(1,)]
    assert world.rows("SELECT count(*) FROM conflict") == [(0,)]
    world.desk("claire").edit(1, subject="Renamed")
    world.settle()
    assert "Renamed" in world.text("claire")


def test_a_rule_that_ends_before_it_begins_is_refused_where_it_is_written(world: MemoryWorld) -> None:
    with pytest.raises(Invalid, match="ends \\(UNTIL\\) before it begins"):
        world.desk("claire").add("Never", rrule="FREQ=DAILY;UNTIL=20250101T000000Z")


def test_what_the_server_refused_once_needs_nobody_when_it_takes_it(world: MemoryWorld) -> None:
    def refuse() -> None:
        raise ItemError("The server does not take it.", locator="x")

    server = world.servers["claire"]
    world.desk("claire").add("Point")
    server.before("create", refuse)
    world.sync()
    assert world.rows("SELECT count(*) FROM quarantine") == [(1,)]
    world.now += timedelta(days=1)
    world.settle()
    assert "Point" in world.text("claire")
    assert world.rows("SELECT count(*) FROM quarantine") == [(0,)]
