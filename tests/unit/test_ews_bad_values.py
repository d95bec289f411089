"""Values in an item of Exchange that no calendar can hold: refused with a reason, at once."""

import time
from xml.etree import ElementTree as ET

import pytest

from connectors.calendar import Item, Status
from connectors.ews.calendar.native import Unreadable
from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.reading import Owner, item_of
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
