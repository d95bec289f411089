"""Whatever a server sends is an item or Unreadable, soon; a time on a clock stays that time."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.calendar import Component, Dress, Item, Kind, Timing, When
from connectors.ical.lines import Unreadable, parse
from connectors.ical.reading import read
from connectors.ical.vtimezone import timezone
from connectors.ical.writing import new
from tests.property.calendar_items import LOCALS, ZONES
from tests.property.calendar_sources import sources

PATIENCE = 5.0  # seconds, on a busy machine
STAMP = datetime(2026, 11, 22, tzinfo=UTC)
SLOW = settings(deadline=None, max_examples=300)


def read_or_refuse(data: bytes) -> Item | None:
    try:
        return read(data)
    except Unreadable:
        return None


@SLOW
@given(st.binary(max_size=300))
def test_any_bytes_are_an_item_or_unreadable(data: bytes) -> None:
    read_or_refuse(data)
    read_or_refuse(
        b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101\n" + data + b"\nEND:VEVENT\nEND:VCALENDAR"
    )


@SLOW
@given(st.data())
def test_a_damaged_resource_is_an_item_or_unreadable(data: st.DataObject) -> None:
    source = bytearray(data.draw(sources()))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(source) - 1))
        cut = data.draw(st.integers(0, 30))
        source[at : at + cut] = data.draw(
            st.sampled_from([b"", b"\n", b":", b";", b'"', b"\xff", b"\\", b"0", b"99999", b"\r"])
        )
    read_or_refuse(bytes(source))


@SLOW
@given(
    st.sampled_from(
        ["DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID", "ATTENDEE", "COMPLETED"]
    ),
    st.sampled_from(
        ["", ";TZID=Europe", ";TZID=../x", ";TZID=", ";TZID=a.b", ';TZID="', ";VALUE=DATE", ";=;;", ";TZID=/"]
    ),
    st.text(alphabet='0129TZPDWHMS-+,;:/=FREQ\\^"', max_size=24),
)
def test_any_value_is_an_item_or_unreadable(name: str, params: str, value: str) -> None:
    for kind in ("VEVENT", "VTODO"):
        start = "" if name == "DTSTART" else "DTSTART;TZID=Europe/Paris:20260101T000000\n"
        inner = f"BEGIN:{kind}\nUID:1\n{start}{name}{params}:{value}\nEND:{kind}\n"
        text = f"BEGIN:VCALENDAR\n{inner}END:VCALENDAR\n"
        read_or_refuse(text.encode())


BODY = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000Z\n%s\nEND:VEVENT\nEND:VCALENDAR\n"
MANY = 100_000
HOSTILE = {
    "one long line": b"DESCRIPTION:" + b"x" * 1_000_000,
    "backslashes": b"SUMMARY:" + b"\\" * 1_000_000,
    "carriage returns": b"SUMMARY:" + b"\r" * 1_000_000,
    "a million folds": b"SUMMARY:" + b"\n " * 500_000,
    "blank lines": b"SUMMARY:a" + b"\n" * 900_000,
    "no lines at all": b"SUMMARY:a" + b"\nx y" * 300_000,
    "quotation marks": b'ATTENDEE;CN="' + b'"' * 1_000_000 + b":mailto:a@b.test",
    "quoted semicolons": b"ATTENDEE;CN=" + b'";"' * 300_000 + b":mailto:a@b.test",
    "an open quotation": b'ATTENDEE;CN="' + b";:" * 500_000,
    "parameters": b"DTSTART;" + b"A=b;" * 250_000 + b":20260101",
    "attendees": b"\n".join(b"ATTENDEE;CN=x:mailto:%d@b.test" % n for n in range(MANY)),
    "one attendee again and again": b"\n".join([b"ATTENDEE:mailto:a@b.test"] * MANY),
    "lines": b"\n".join([b"X-A:1"] * MANY),
    "categories": b"CATEGORIES:" + b",".join(b"%d" % n for n in range(MANY)),
    "escaped commas": b"CATEGORIES:" + b"\\," * 500_000,
    "exdates": b"EXDATE:" + b",".join([b"20260101T000000Z"] * 60_000),
    "a rule": b"RRULE:FREQ=DAILY;BYMONTHDAY=" + b"1," * 500_000,
    "rule parts": b"RRULE:" + b"FREQ=DAILY;" * 90_000,
    "alarms": b"\n".join([b"BEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM"] * 25_000),
    "markers": b"DESCRIPTION:" + b"--- CRM ---\\n" * 80_000,
    "blocks": b"DESCRIPTION:" + b"--- CRM ---\\n--- fin CRM ---\\n" * 35_000,
    "digits": b"SEQUENCE:" + b"9" * 1_000_000,
    "a zone": b"DTSTART;TZID=" + b"/x" * 500_000 + b":20260101T000000",
    "a trigger": b"BEGIN:VALARM\nTRIGGER:-P" + b"1" * 1_000_000 + b"\nEND:VALARM",
    "invalid UTF-8": b"SUMMARY:" + b"\xff" * 1_000_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_resource_costs_no_more_than_its_size(name: str) -> None:
    began = time.monotonic()
    read_or_refuse(BODY % HOSTILE[name])
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    "data",
    [
        b"BEGIN:VCALENDAR\n" + b"BEGIN:X\n" * 500_000,
        b"\n" * 3_000_000,
        b"BEGIN:VCALENDAR" * 300_000,
        b"x" * 6_000_000,
    ],
)
def test_a_resource_that_never_begins_or_never_ends_is_refused_soon(data: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(Unreadable):
        read(data)
    assert time.monotonic() - began < PATIENCE


def test_many_zones_that_nobody_knows_cost_no_more_than_their_size() -> None:
    zone = "BEGIN:VTIMEZONE\nTZID:(UTC) %d\nBEGIN:STANDARD\nDTSTART:20000101T000000\nTZOFFSETFROM:+0017\n"
    zone += "TZOFFSETTO:+0017\nEND:STANDARD\nEND:VTIMEZONE\n"
    count = 10_000
    zones = "".join(zone % number for number in range(count)) + "BEGIN:VTIMEZONE\nTZID:y\n" + "X:y\n" * 20_000
    dates = "".join(f"EXDATE;TZID=(UTC) {number}:20260101T000000\n" for number in range(count))
    dates += "EXDATE;TZID=y:20260101T000000\n" * 20_000
    event = f"BEGIN:VEVENT\nUID:1\nDTSTART:20260101T000000\n{dates}END:VEVENT\n"
    began = time.monotonic()
    item = read(f"BEGIN:VCALENDAR\n{zones}END:VTIMEZONE\n{event}END:VCALENDAR\n".encode())
    assert len(item.zones) == count + 1
    assert time.monotonic() - began < PATIENCE


@SLOW
@given(st.data())
def test_a_parsed_resource_is_written_back_to_the_byte(data: st.DataObject) -> None:
    source = data.draw(sources(dressed=True))
    assert parse(source).write() == source


@SLOW
@given(LOCALS, st.sampled_from(ZONES), st.integers(0, 3000))
def test_a_time_on_the_wall_stays_that_time_whatever_the_clocks_do(
    local: datetime, zone: str, minutes: int
) -> None:
    timing = Timing(When(local, zone), When(local + timedelta(minutes=minutes), zone))
    item = Item("1", Kind.EVENT, (Component(timing),))
    data = new(item, Dress(), stamp=STAMP, quiet=False)
    assert read(data).main.timing == timing
    theirs = icalendar.Calendar.from_ical(data).walk("VEVENT")[0].decoded("DTSTART")
    assert isinstance(theirs, datetime)
    assert theirs.replace(tzinfo=None) == local


@SLOW
@given(LOCALS, st.sampled_from([zone for zone in ZONES if zone not in {"", "UTC"}]), st.integers(2000, 2030))
def test_the_time_zones_that_are_written_tell_the_time_as_the_zone_does(
    local: datetime, zone: str, year: int
) -> None:
    made = icalendar.Timezone.from_ical(timezone(zone, min(year, local.year), b"\r\n").write())
    assert isinstance(made, icalendar.Timezone)
    clock = made.to_tz(lookup_tzid=False)
    theirs = local.replace(tzinfo=clock).utcoffset()
    real = {local.replace(tzinfo=ZoneInfo(zone), fold=fold).utcoffset() for fold in (0, 1)}
    assert theirs in real
