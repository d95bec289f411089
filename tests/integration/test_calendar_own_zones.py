"""Time zones that only an event's own VTIMEZONE describes: whoever asks when the event is reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.console import console
from tests.servers.memory_world import MemoryWorld

ZONE = (
    "BEGIN:VTIMEZONE\r\nTZID:Chez nous\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n"
    "TZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
PAUL = "paul@client.example"
MEETING = ("ORGANIZER:mailto:claire@acme.example", f"ATTENDEE:mailto:{PAUL}")


@pytest.fixture
def world(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """It is 22 November 2026, noon in UTC; the workspace is in Paris."""
    made = MemoryWorld(tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    yield made
    made.close()


def at(start: str, offset: str, *more: str) -> bytes:
    """An hour of a zone that lies so far from UTC."""
    text = event("one", "Point", start, more=more).decode().replace("Europe/Paris", "Chez nous")
    return text.replace("BEGIN:VEVENT", ZONE.format(offset=offset) + "BEGIN:VEVENT").encode()


@pytest.mark.parametrize("rule", [(), ("RRULE:FREQ=DAILY;COUNT=2",)])
def test_events_are_listed_when_they_take_place(world: MemoryWorld, rule: tuple[str, ...]) -> None:
    world.put("claire", "one", at("20261124T100000", "-0500", *rule))
    world.settle()
    rows = console(world.config, "list", "events", "--json", at=world.now).json["rows"]
    assert [(row["start"], row["end"]) for row in rows][:1] == [
        ("2026-11-24T15:00:00Z", "2026-11-24T16:00:00Z")
    ]
    assert [row["start"][8:16] for row in rows] == ["24T15:00", "25T15:00"][: len(rows)]
    assert len(rows) == 1 + len(rule)


@pytest.mark.parametrize(
    ("start", "offset", "told"),
    [("20261122T180000", "+1200", []), ("20261122T030000", "-1100", [PAUL])],
    ids=["over", "to come"],
)
@pytest.mark.parametrize("series", [False, True])
def test_guests_hear_of_what_is_to_come_there_and_of_nothing_that_is_over(
    world: MemoryWorld, start: str, offset: str, told: list[str], *, series: bool
) -> None:
    """By the clocks of the workspace it would be the other way round."""
    more = (*MEETING, "RRULE:FREQ=DAILY;COUNT=1") if series else MEETING
    world.put("claire", "one", at(start, offset, *more))
    world.settle()
    world.desk("claire").edit(1, location="Lyon")
    world.settle()
    assert [one.recipient for one in world.mailed()] == told
