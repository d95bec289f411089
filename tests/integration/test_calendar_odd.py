"""Calendars that are large, broken, gone or strange."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from syncd.core.recurrence import occurrences
from syncd.engine.calendar.items import item_of
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.desk import Desk
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded
from tests.servers.radicale import RadicaleServer

PARIS = ZoneInfo("Europe/Paris")
MANY = 10_000
SOME = 200  # Radicale takes its time for each file that it has never seen
CUSTOM = "BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:{offset}\n\
TZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"


@pytest.fixture
def world(radicale: RadicaleServer, sqlite_url: str, tmp_path: Path) -> CalendarWorld:
    """Claire, whose calendar is on a Radicale."""
    made = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    return made


@pytest.fixture
def memory(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    made = MemoryWorld(tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    yield made
    made.close()


@pytest.fixture
def both(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Once on SQLite and once on PostgreSQL, which minds how long a text is."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    made.add_user("claire")
    yield made
    made.close()


def columns(world: MemoryWorld, uid: str = "one") -> tuple[str, str, str, bool]:
    """start, end, tz and all_day of the event, as a person sees them who opens the database."""
    ((start, end, tz, all_day),) = world.rows(
        'SELECT start, "end", tz, all_day FROM event WHERE uid = :u AND series_id IS NULL', u=uid
    )
    return str(start)[:16], str(end)[:16], str(tz), bool(all_day)


def with_times(start: str, end: str = "", *more: str) -> bytes:
    """An event whose DTSTART and DTEND are written so."""
    lines = event("one", "Point", more=more).decode().split("\r\n")
    kept = [line for line in lines if not line.startswith(("DTSTART", "DTEND"))]
    at = kept.index("SUMMARY:Point")
    return "\r\n".join([*kept[:at], start, *([end] if end else []), *kept[at:]]).encode()


# --- large ----------------------------------------------------------------------------------------


def sown(number: int) -> bytes:
    day = f"2026{11 + number % 2:02}{23 + number % 7:02}T{8 + number % 10:02}0000"
    return event(f"e{number}", f"Événement {number}", day)


def test_a_calendar_of_ten_thousand_events_comes_in_whole_and_the_next_look_writes_nothing(
    memory: MemoryWorld,
) -> None:
    for number in range(MANY):
        memory.put("claire", f"e{number}", sown(number))
    began = time.monotonic()
    (report,) = memory.sync().values()
    assert report.error is None
    assert memory.one("SELECT count(*) FROM event") == MANY
    assert memory.one("SELECT count(*) FROM binding WHERE state = 'BOUND'") == MANY
    runs = memory.one("SELECT count(*) FROM run")
    memory.servers["claire"].calls.clear()
    (report,) = memory.sync().values()
    assert (report.error, report.wrote) == (None, False)
    assert memory.one("SELECT count(*) FROM run") == runs
    assert memory.servers["claire"].calls["read"] == 0
    assert time.monotonic() - began < 90


def test_files_that_were_put_into_the_servers_storage_come_in_and_the_next_look_writes_nothing(
    world: CalendarWorld,
) -> None:
    folder = world.server.base / "collections" / "collection-root" / world.calendars["claire"].strip("/")
    for number in range(SOME):
        (folder / f"e{number}.ics").write_bytes(sown(number))
    world.timeout = "60s"
    (report,) = world.sync().values()
    assert report.error is None
    assert world.one("SELECT count(*) FROM binding WHERE state = 'BOUND'") == SOME
    (report,) = world.sync().values()
    assert (report.error, report.wrote) == (None, False)


def test_a_calendar_that_is_removed_wipes_nothing_and_one_made_anew_in_its_place_neither(
    world: CalendarWorld,
) -> None:
    for number in range(5):
        world.put("claire", f"e{number}", event(f"e{number}", f"Événement {number}"))
    world.sync()
    path = world.calendars["claire"]
    world.client("claire").delete(path)
    for _ in range(2):
        (report,) = world.sync().values()
        assert report.folder_errors
    assert world.one("SELECT count(*) FROM event WHERE hidden") == 0
    body = b'<?xml version="1.0"?><mkcalendar xmlns="urn:ietf:params:xml:ns:caldav"/>'
    assert world.client("claire").request("MKCALENDAR", path, body, Content_Type="text/xml").status == 201
    for _ in range(3):
        world.sync()
    assert world.one("SELECT count(*) FROM event WHERE hidden") == 0


def test_an_item_of_a_megabyte_travels_both_ways(world: CalendarWorld) -> None:
    text = "\\n".join(f"Ligne {number} d'un très long compte rendu" for number in range(24_000))
    path = world.put("claire", "one", event("one", "Long", more=(f"DESCRIPTION:{text}",)))
    world.sync()
    id_ = world.one("SELECT id FROM event")
    assert isinstance(id_, int)
    assert len(str(world.one("SELECT notes FROM event"))) > 900_000
    Desk(world, "claire").edit(id_, subject="Long, vu au CRM")
    (report,) = world.sync().values()
    assert report.error is None
    assert "SUMMARY:Long\\, vu au CRM" in world.get(path)
    assert text in world.get(path)


# --- strange rules --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=1;BYSECOND=0,1,2,3",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31",
        "FREQ=DAILY;INTERVAL=999999999",
    ],
)
def test_an_endless_rule_costs_next_to_nothing(memory: MemoryWorld, rule: str) -> None:
    ref = memory.put("claire", "one", event("one", "Sans fin", more=(f"RRULE:{rule}",)))
    memory.put("claire", "two", event("two", "Ordinaire"))
    began = time.monotonic()
    memory.settle()
    id_ = memory.one("SELECT id FROM event WHERE uid = 'one'")
    assert isinstance(id_, int)
    memory.desk("claire").edit(id_, subject="Toujours sans fin")
    memory.settle()
    assert time.monotonic() - began < 10
    assert "SUMMARY:Toujours sans fin" in unfolded(memory.servers["claire"].sources(CALENDAR)[ref])
    assert memory.one("SELECT series_rrule FROM event WHERE uid = 'one'")
    assert memory.one("SELECT subject FROM event WHERE uid = 'two'") == "Ordinaire"


# --- strange times --------------------------------------------------------------------------------


def test_a_floating_time_stays_one(memory: MemoryWorld) -> None:
    ref = memory.put("claire", "one", with_times("DTSTART:20261124T090000", "DTEND:20261124T100000"))
    memory.settle()
    assert columns(memory) == ("2026-11-24 08:00", "2026-11-24 09:00", "", False)
    memory.desk("claire").edit(1, location="Ici")
    memory.settle()
    text = unfolded(memory.servers["claire"].sources(CALENDAR)[ref])
    assert {"DTSTART:20261124T090000", "DTEND:20261124T100000", "LOCATION:Ici"} <= set(text.splitlines())


def test_a_zone_that_nobody_knows_keeps_its_name_and_its_definition(memory: MemoryWorld) -> None:
    source = with_times(
        "DTSTART;TZID=Chez nous:20261124T090000", "DTEND;TZID=Chez nous:20261124T100000"
    ).decode()
    zone = CUSTOM.format(name="Chez nous", offset="+0345").replace("\n", "\r\n")
    ref = memory.put("claire", "one", source.replace("BEGIN:VEVENT", zone + "BEGIN:VEVENT").encode())
    memory.settle()
    assert columns(memory)[2:] == ("Chez nous", False)
    memory.desk("claire").edit(1, location="Ici")
    memory.settle()
    text = unfolded(memory.servers["claire"].sources(CALENDAR)[ref])
    assert "DTSTART;TZID=Chez nous:20261124T090000" in text
    assert "TZOFFSETTO:+0345" in text
    memory.desk("claire").edit(1, start="2026-11-24T11:00", end="2026-11-24T12:00")
    memory.settle()
    text = unfolded(memory.servers["claire"].sources(CALENDAR)[ref])
    assert text.count("BEGIN:VTIMEZONE") == text.count("END:VTIMEZONE") >= 1
    assert "TZOFFSETTO:+0345" in text


def test_times_around_the_change_of_clocks(memory: MemoryWorld) -> None:
    """In Paris the clocks go on at 02:00 on 28 March 2027, and back at 03:00 on 31 October 2027."""
    memory.calendar_section = 'window = { past = "30d", future = "400d" }'
    times = {
        "across": ("20270328T013000", "20270328T033000", "2027-03-28 00:30", "2027-03-28 01:30"),
        "gap": ("20270328T023000", "20270328T034500", "2027-03-28 01:30", "2027-03-28 01:45"),
        "fold": ("20271031T023000", "20271031T033000", "2027-10-31 00:30", "2027-10-31 02:30"),
    }
    for uid, (start, end, _, _) in times.items():
        source = with_times(f"DTSTART;TZID=Europe/Paris:{start}", f"DTEND;TZID=Europe/Paris:{end}")
        memory.put("claire", uid, source.replace(b"UID:one", f"UID:{uid}".encode()))
    memory.settle()
    for uid, (_, _, start, end) in times.items():
        assert columns(memory, uid) == (start, end, "Europe/Paris", False)
    for uid, (start, end, _, _) in times.items():
        id_ = memory.one("SELECT id FROM event WHERE uid = :u", u=uid)
        assert isinstance(id_, int)
        memory.desk("claire").edit(id_, location="Ici")
        memory.settle()
        text = unfolded(memory.servers["claire"].sources(CALENDAR)[f"{CALENDAR}{uid}.ics"])
        assert {f"DTSTART;TZID=Europe/Paris:{start}", f"DTEND;TZID=Europe/Paris:{end}"} <= set(
            text.splitlines()
        )


def test_a_daily_series_keeps_its_hour_across_the_change_of_clocks(memory: MemoryWorld) -> None:
    memory.put("claire", "one", with_times(
        "DTSTART;TZID=Europe/Paris:20270326T090000", "DTEND;TZID=Europe/Paris:20270326T100000",
        "RRULE:FREQ=DAILY;COUNT=5"))  # fmt: skip
    memory.settle()
    item = item_of(memory.desk("claire").record(1))
    start = memory.now + timedelta(days=100)
    found = occurrences(item, start, start + timedelta(days=60), floating=PARIS, cap=20).found
    begins = [one.when.start for one in found if one.when.start]
    assert [one.instant(PARIS).hour for one in begins] == [8, 8, 7, 7, 7]
    assert {one.local.strftime("%H:%M") for one in begins} == {"09:00"}


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (
            "DTSTART;VALUE=DATE:20261124",
            "DTEND;VALUE=DATE:20261127",
            ("2026-11-23 23:00", "2026-11-26 23:00"),
        ),
        ("DTSTART;VALUE=DATE:20261124", "", ("2026-11-23 23:00", "2026-11-24 23:00")),
        ("DTSTART;VALUE=DATE:20261124", "DURATION:P2D", ("2026-11-23 23:00", "2026-11-25 23:00")),
        ("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261124", ("2026-11-23 23:00", None)),
    ],
)
def test_whole_days(memory: MemoryWorld, start: str, end: str, expected: tuple[str, str | None]) -> None:
    ref = memory.put("claire", "one", with_times(start, end))
    before = unfolded(memory.servers["claire"].sources(CALENDAR)[ref])
    memory.settle()
    found = columns(memory)
    assert (found[0], found[3]) == (expected[0], True)
    if expected[1] is not None:
        assert found[1] == expected[1]
    memory.desk("claire").edit(1, notes="Vu")
    memory.settle()
    after = unfolded(memory.servers["claire"].sources(CALENDAR)[ref])
    assert [line for line in before.splitlines() if line[:2] in {"DT", "DU"} and "STAMP" not in line] == [
        line for line in after.splitlines() if line[:2] in {"DT", "DU"} and "STAMP" not in line
    ]


# --- strange texts --------------------------------------------------------------------------------

LONG = "x" * 400
LONGS = {
    "an address": ("ORGANIZER:mailto:claire@acme.example", f"ATTENDEE:mailto:{LONG}@client.example"),
    "an organizer": (f"ORGANIZER:mailto:{LONG}@client.example",),
    "a URI for a guest": (
        "ORGANIZER:mailto:claire@acme.example",
        f"ATTENDEE:https://x.example/{LONG}/{LONG}",
    ),
    "a subject": (f"SUMMARY:{LONG}",),
    "a place": (f"LOCATION:{LONG * 9}",),
    "a link": (f"URL:https://zoom.us/{LONG * 9}",),
    "a category": (f"CATEGORIES:{LONG * 3}",),
    "a rule": ("RRULE:FREQ=YEARLY;BYYEARDAY=" + ",".join(str(n) for n in range(1, 367)),),
    "a zone": (f"EXDATE;TZID={LONG}:20261125T090000", "RRULE:FREQ=DAILY;COUNT=3"),
    "nothing at all": ("DESCRIPTION:\\u0000\x7f",),
}


@pytest.mark.parametrize("kind", LONGS)
def test_a_text_longer_than_anybody_thought_of_stops_nothing(both: MemoryWorld, kind: str) -> None:
    both.put("claire", "long", event("long", more=LONGS[kind]))
    both.put("claire", "good", event("good", "Bon"))
    for _ in range(2):
        (report,) = both.sync().values()
        assert report.error is None
    assert both.one("SELECT subject FROM event WHERE uid = 'good'") == "Bon"


def test_names_and_zones_longer_than_their_columns_stop_nothing(both: MemoryWorld) -> None:
    zone = LONG[:300]
    place = f"RECURRENCE-ID;TZID={zone}:20261125T090000"
    series = with_times(
        f"DTSTART;TZID={zone}:20261124T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=4"
    ).decode()
    alone = with_times(f"DTSTART;TZID={zone}:20261125T110000", "DURATION:PT1H", place).decode()
    body = alone[alone.index("BEGIN:VEVENT") : alone.index("END:VCALENDAR")]
    both.put("claire", "long", series.replace("END:VCALENDAR", body + "END:VCALENDAR").encode())
    both.put("claire", f"{LONG[:200]}", event(f"uid-{LONG * 3}", "Long nom"))
    both.put("claire", "good", event("good", "Bon"))
    for _ in range(2):
        (report,) = both.sync().values()
        assert report.error is None
    assert both.one("SELECT subject FROM event WHERE uid = 'good'") == "Bon"


def test_an_alarm_of_centuries_is_kept_as_it_is_and_stops_nothing(both: MemoryWorld) -> None:
    alarm = ("BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-P9999999D", "DESCRIPTION:x", "END:VALARM")
    both.put("claire", "far", event("far", "Loin", more=alarm))
    both.put("claire", "near", event("near", "Près"))
    assert both.sync("claire")["claire"].error is None
    found = both.rows("SELECT subject, alarm_minutes FROM event ORDER BY subject")
    assert found == [("Loin", None), ("Près", None)]
