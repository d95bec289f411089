"""Values in an item of Exchange that no calendar can hold: refused with a reason, at once."""

import json
import time
from xml.etree import ElementTree as ET

import pytest

from connectors.calendar import Item, Kind, Status
from connectors.ews.calendar.native import Unreadable
from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.planning import rest_of
from connectors.ews.calendar.reading import Owner, item_of, reminder_of
from connectors.ews.calendar.xml import PROPERTY_SET, TYPES

OWNER = Owner(frozenset({"claire@acme.example"}), "Europe/Paris")
SECONDS = 0.5


def read(body: str, kind: str) -> Item:
    source = f'<{kind} xmlns="{TYPES}"><ItemId Id="i" ChangeKey="k"/>{body}</{kind}>'
    return item_of([native_of(ET.fromstring(source))], OWNER)


def series(shape: str, until: str = "9999-12-31", **parts: str) -> Item:
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in parts.items())
    pattern = f"<{shape}Recurrence>{inside}</{shape}Recurrence>"
    return read(
        "<UID>u</UID><Start>2026-12-01T09:00:00Z</Start><End>2026-12-01T10:00:00Z</End>"
        f"<Recurrence>{pattern}<EndDateRecurrence><StartDate>2026-12-01</StartDate><EndDate>{until}</EndDate>"
        '</EndDateRecurrence></Recurrence><StartTimeZone Id="Romance Standard Time"/>',
        "CalendarItem",
    )


@pytest.mark.parametrize(
    ("shape", "parts"),
    [
        ("AbsoluteMonthly", {"Interval": "1", "DayOfMonth": "0"}),
        ("AbsoluteMonthly", {"Interval": "1", "DayOfMonth": "-3"}),
        ("AbsoluteMonthly", {"Interval": "1", "DayOfMonth": "32"}),
        ("AbsoluteMonthly", {"Interval": "1"}),
        ("AbsoluteYearly", {"DayOfMonth": "1"}),
        ("AbsoluteYearly", {"Month": "December"}),
        ("Daily", {"Interval": "2000000000"}),
        ("Daily", {"Interval": "-1"}),
        ("Weekly", {"Interval": "1"}),
        ("Weekly", {"Interval": "1000", "DaysOfWeek": "Tuesday"}),
        ("Weekly", {"Interval": "1", "DaysOfWeek": "Tuesday", "FirstDayOfWeek": " "}),
        ("RelativeMonthly", {"Interval": "1", "DaysOfWeek": "Tuesday"}),
        ("RelativeMonthly", {"Interval": "1", "DayOfWeekIndex": "First"}),
        ("RelativeYearly", {"DaysOfWeek": "Tuesday", "DayOfWeekIndex": "First"}),
    ],
)
def test_a_recurrence_that_is_none_is_refused_at_once(shape: str, parts: dict[str, str]) -> None:
    begun = time.process_time()
    with pytest.raises(Unreadable, match="recurrence"):
        series(shape, **parts)
    assert time.process_time() - begun < SECONDS


def test_a_series_with_the_longest_gaps_and_a_far_end_is_read_at_once() -> None:
    begun = time.process_time()
    item = series("Daily", "2999-12-31", Interval="999")
    assert "INTERVAL=999" in item.main.timing.rrule
    assert time.process_time() - begun < SECONDS


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-12-01T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"]
)
def test_a_moment_of_our_own_that_is_none_counts_for_nothing(text: str) -> None:
    item = read(
        "<DueDate>2026-12-04T00:00:00Z</DueDate><Status>Completed</Status>"
        "<CompleteDate>2026-12-03T00:00:00Z</CompleteDate><ExtendedProperty>"
        f'<ExtendedFieldURI PropertySetId="{PROPERTY_SET}" PropertyName="state" PropertyType="String"/>'
        f'<Value>{{"completed":"{text}"}}</Value></ExtendedProperty>',
        "Task",
    )
    assert item.main.status is Status.DONE
    assert item.main.completed is not None
    assert item.main.completed.isoformat() == "2026-12-03T00:00:00+00:00"


@pytest.mark.parametrize("minutes", ["2629801", "1525252321", "-5", "99999999999999999999"])
def test_a_reminder_of_more_minutes_than_exchange_has_is_none(minutes: str) -> None:
    """1525252321 stands for a client's default (types.xsd, ReminderMinutesBeforeStartMarkerType)."""
    found = read(
        "<UID>u</UID><Start>2026-12-01T09:00:00Z</Start><End>2026-12-01T10:00:00Z</End>"
        f"<ReminderIsSet>true</ReminderIsSet><ReminderMinutesBeforeStart>{minutes}"
        "</ReminderMinutesBeforeStart>",
        "CalendarItem",
    )
    assert found.main.alarms == frozenset()


def test_no_reminder_is_sent_that_exchange_refuses_to_take() -> None:
    assert reminder_of(frozenset({"-P4000D", "-P1D"})) == 1440
    assert reminder_of(frozenset({"-P4000D"})) is None


def rest(**changed: str) -> str:
    source = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nBEGIN:VEVENT\r\nUID:u\r\n"
        "DTSTAMP:20261122T120000Z\r\nDTSTART:20261201T090000Z\r\nDTEND:20261201T100000Z\r\n"
        "RRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    kept = {"item": source, "dress": ["", "", "", ""], "notify": True, **changed}
    return json.dumps(kept)


def test_what_is_still_to_be_done_counts_for_the_item_that_it_is_about() -> None:
    assert rest_of(rest(), "u", Kind.EVENT) is not None
    assert rest_of(rest(), "other", Kind.EVENT) is None
    assert rest_of(rest(), "u", Kind.TASK) is None


def test_what_is_still_to_be_done_is_no_more_than_we_would_write() -> None:
    assert rest_of(rest(item="x" * 5_000_000), "u", Kind.EVENT) is None
    assert rest_of(rest(more="x" * 5_000_000), "u", Kind.EVENT) is None
    assert rest_of("[" * 100_000, "u", Kind.EVENT) is None
