"""A cycle that broke off after some of it was written down: its cursor has not moved, and what it saw for the
first time may be gone before the next one looks. A listing since that cursor says nothing of what came and
went since (RFC 6578 section 3.5; SyncFolderItems)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.errors import Unreachable
from tests.servers.calendar_world import event
from tests.servers.memory_world import CALENDAR, MemoryWorld

SECOND = "/second/"


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire, who has two calendars at a server that tells no more than it must, and an event in step."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    server = world.add_user("claire")
    server.add_calendar(SECOND, "Second")
    server.tells_passing = False
    world.put("claire", "a", event("a@client.example", "Point"))
    world.settle()
    yield world
    world.close()


def break_off(office: MemoryWorld) -> None:
    """A cycle whose server goes away at its last write, which stands for whatever ends it there."""
    office.desk("claire").add("Encore un")
    office.servers["claire"].fail("create", lambda: Unreachable("the connection broke"))
    (report,) = office.sync().values()
    assert report.error


def shown(office: MemoryWorld) -> list[object]:
    """What the CRM shows beside the event that made the cycle write."""
    rows = office.rows("SELECT subject FROM event WHERE NOT hidden AND subject <> 'Encore un' ORDER BY id")
    return [subject for (subject,) in rows]


def test_what_a_client_made_and_deletes_after_a_cycle_that_broke_off_is_gone_in_the_crm(
    office: MemoryWorld,
) -> None:
    ref = office.put("claire", "new", event("new@client.example", "Bref"))
    break_off(office)
    assert shown(office) == ["Point", "Bref"]
    office.servers["claire"].remove(ref)

    office.settle()

    assert shown(office) == ["Point"]
    assert office.rows("SELECT * FROM binding WHERE uid = 'new@client.example'") == []


def test_what_the_crm_made_and_a_client_deletes_after_a_cycle_that_broke_off_does_not_wait_for_ever(
    office: MemoryWorld,
) -> None:
    id_ = office.desk("claire").add("Le nôtre")
    office.sync()
    ((ref,),) = office.rows("SELECT remote_ref FROM binding WHERE entity_id = :id", id=id_)
    office.desk("claire").edit(id_, location="Lyon")
    break_off(office)
    assert "LOCATION:Lyon" in office.text("claire")
    office.servers["claire"].remove(str(ref))
    office.desk("claire").cancel(id_)

    office.settle()

    assert shown(office) == ["Point"]
    assert office.rows("SELECT * FROM pending") == []
    assert office.rows("SELECT * FROM quarantine") == []
    assert office.rows("SELECT * FROM binding WHERE entity_id = :id", id=id_) == []


def test_what_moved_and_is_deleted_after_a_cycle_that_broke_off_is_gone_in_the_crm(
    office: MemoryWorld,
) -> None:
    server = office.servers["claire"]
    source = server.sources(CALENDAR)[f"{CALENDAR}a.ics"]
    server.remove(f"{CALENDAR}a.ics")
    server.put(SECOND, source, f"{SECOND}a.ics")
    break_off(office)
    server.remove(f"{SECOND}a.ics")

    office.settle()

    assert shown(office) == []
    assert office.rows("SELECT * FROM binding WHERE uid = 'a@client.example'") == []


def test_after_a_cycle_that_broke_off_nothing_is_asked_for_twice(office: MemoryWorld) -> None:
    office.put("claire", "new", event("new@client.example", "Bref"))
    break_off(office)
    office.settle()
    before = office.servers["claire"].calls["read"]

    office.settle()

    assert office.servers["claire"].calls["read"] == before
    assert office.rows("SELECT * FROM binding WHERE absent") == []
