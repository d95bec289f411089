"""Exceptions of a series whose OriginalStart is no place of it (exchangelib's issue 291: an hour off), and
occurrences that say only of which day they are."""

from xml.etree import ElementTree as ET

import pytest

from connectors.calendar import Item
from connectors.ews.calendar.native import Unreadable
from connectors.ews.calendar.parsing import native_of
from connectors.ews.calendar.reading import Owner, item_of
from connectors.ews.calendar.xml import TYPES

OWNER = Owner(frozenset({"claire@acme.example"}), "Europe/Paris")
ZONES = '<StartTimeZone Id="Romance Standard Time"/><EndTimeZone Id="Romance Standard Time"/>'


def read(*contents: str) -> Item:
    elements = [
        f'<CalendarItem xmlns="{TYPES}"><ItemId Id="i{number}" ChangeKey="k"/><UID>u</UID>{one}{ZONES}'
        "</CalendarItem>"
        for number, one in enumerate(contents)
    ]
    return item_of([native_of(ET.fromstring(one)) for one in elements], OWNER)


def times(start: str, end: str, *more: str) -> str:
    return f"<Start>{start}</Start><End>{end}</End>{''.join(more)}"


def series(start: str, end: str, pattern: str) -> str:
    """Until a day of March, from the day of its start."""
    limits = "<EndDate>2027-03-31</EndDate></EndDateRecurrence></Recurrence>"
    begins = f"<EndDateRecurrence><StartDate>{start[:10]}</StartDate>"
    told = f"<Recurrence>{pattern}{begins}{limits}<CalendarItemType>RecurringMaster</CalendarItemType>"
    return times(start, end, told)


def exception(original: str, start: str = "2026-10-27T12:00:00Z") -> str:
    told = f"<OriginalStart>{original}</OriginalStart><CalendarItemType>Exception</CalendarItemType>"
    return times(start, f"{start[:11]}23:30:00Z", told)


DAILY = "<DailyRecurrence><Interval>1</Interval></DailyRecurrence>"
TUESDAYS = (
    "<WeeklyRecurrence><Interval>1</Interval><DaysOfWeek>Tuesday</DaysOfWeek>"
    "<FirstDayOfWeek>Monday</FirstDayOfWeek></WeeklyRecurrence>"
)


@pytest.mark.parametrize(
    ("master", "original", "place"),
    [
        # Tuesdays at 10 in Paris; on the 27th, after the change of the clocks, 09:00Z is right.
        (series("2026-10-20T08:00:00Z", "2026-10-20T09:00:00Z", TUESDAYS), "2026-10-27T09:00:00Z", "27T1000"),
        (series("2026-10-20T08:00:00Z", "2026-10-20T09:00:00Z", TUESDAYS), "2026-10-27T08:00:00Z", "27T1000"),
        (series("2026-10-20T08:00:00Z", "2026-10-20T09:00:00Z", TUESDAYS), "2026-10-27T00:00:00Z", "27T1000"),
        # Each day half past midnight: an hour off is the day before.
        (series("2026-10-19T22:30:00Z", "2026-10-19T23:00:00Z", DAILY), "2026-10-26T22:30:00Z", "27T0030"),
    ],
)
def test_the_place_of_the_series_counts_where_the_server_is_off(
    master: str, original: str, place: str
) -> None:
    found = read(master.replace("2026-10-19</StartDate>", "2026-10-20</StartDate>"), exception(original))
    at = found.components[1].recurrence_id
    assert at is not None
    assert f"{at.local:%dT%H%M}" == place
    assert at.zone == "Europe/Paris"


def test_an_exception_of_no_place_is_not_taken_for_one() -> None:
    master = series("2026-10-20T08:00:00Z", "2026-10-20T09:00:00Z", TUESDAYS)
    with pytest.raises(Unreadable, match="none of its series"):
        read(master, exception("2026-10-28T09:00:00Z"))


def test_a_time_that_the_clocks_skip_is_the_place_of_its_day() -> None:
    master = series("2027-03-21T01:30:00Z", "2027-03-21T02:00:00Z", DAILY)  # at half past two
    found = read(master, exception("2027-03-28T01:30:00Z", "2027-03-28T12:00:00Z"))
    at = found.components[1].recurrence_id
    assert at is not None
    assert f"{at.local:%dT%H%M}" == "28T0230"


def orphan(recurrence_id: str, start: str) -> str:
    return times(start, f"{start[:11]}23:30:00Z", f"<RecurrenceId>{recurrence_id}</RecurrenceId>")


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ("2026-12-01T09:00:00Z", "2026-12-01T10:00"),
        ("2026-12-01T08:00:00Z", "2026-12-01T09:00"),  # it was moved by an hour
        ("2026-12-01T00:00:00Z", "2026-12-01T10:00"),
        ("2026-11-30T23:00:00Z", "2026-12-01T10:00"),
    ],
)
def test_an_occurrence_alone_that_says_its_day_only_is_where_it_begins(told: str, place: str) -> None:
    at = read(orphan(told, "2026-12-01T09:00:00Z")).main.recurrence_id
    assert at is not None
    assert f"{at.local:%Y-%m-%dT%H:%M}" == place


def test_an_occurrence_alone_that_says_another_day_only_cannot_be_placed() -> None:
    with pytest.raises(Unreadable, match="which occurrence"):
        read(orphan("2026-12-02T00:00:00Z", "2026-12-01T09:00:00Z"))
