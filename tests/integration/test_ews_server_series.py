"""Recurring series at the EWS test server: masters, occurrences, exceptions."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from exchangelib import Account, CalendarItem, EWSDate, EWSDateTime, EWSTimeZone
from exchangelib.errors import (
    ErrorCalendarCannotUseIdForOccurrenceId,
    ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange,
    ErrorCalendarOccurrenceIsDeletedFromRecurrence,
    ErrorItemNotFound,
    ErrorOccurrenceCrossingBoundary,
)
from exchangelib.properties import OccurrenceItemId, RecurringMasterItemId
from exchangelib.recurrence import (
    AbsoluteMonthlyPattern,
    AbsoluteYearlyPattern,
    DailyPattern,
    Recurrence,
    RelativeMonthlyPattern,
    RelativeYearlyPattern,
    WeeklyPattern,
)

from tests.servers.ews.exchange_client import account, trusting
from tests.servers.ews.other_client import OtherClient, recurrence
from tests.servers.ews.server import EwsServer

ADDRESS = "claire@acme.example"
PARIS = EWSTimeZone("Europe/Paris")
ROMANCE = "Romance Standard Time"
FIRST = date(2026, 10, 12)  # a Monday; the clocks change on the 25th


@pytest.fixture
def claire(ews: EwsServer) -> Iterator[Account]:
    """exchangelib's account of a mailbox."""
    password = ews.add_mailbox(ADDRESS, "Claire Dupont")
    with trusting(ews.ca_file):
        opened = account(ews, ADDRESS, password)
        yield opened
        opened.protocol.close()


@pytest.fixture
def other(ews: EwsServer, claire: Account) -> OtherClient:
    """Another client of the same mailbox."""
    return OtherClient(ews, ADDRESS)


def series(of: Account, pattern: object, **limits: object) -> CalendarItem:
    start = EWSDateTime(2026, 10, 12, 9, tzinfo=PARIS)
    master = CalendarItem(
        account=of,
        folder=of.calendar,
        subject="Stand-up",
        start=start,
        end=start + timedelta(minutes=30),
        recurrence=Recurrence(pattern=pattern, start=EWSDate(2026, 10, 12), **limits),
    )
    master.save()
    return master


def weekly(of: Account, number: int = 4) -> CalendarItem:
    return series(of, WeeklyPattern(interval=1, weekdays=["Monday"]), number=number)


def local_starts(found: list[CalendarItem]) -> list[str]:
    return [item.start.astimezone(PARIS).strftime("%m-%d %H:%M") for item in found]


def view(of: Account) -> list[CalendarItem]:
    begin = EWSDateTime(2026, 10, 1, tzinfo=PARIS)
    return list(of.calendar.view(start=begin, end=begin + timedelta(days=400)))


def test_occurrences_keep_their_time_of_day_over_a_change_of_the_clocks(claire: Account) -> None:
    weekly(claire)
    assert local_starts(view(claire)) == ["10-12 09:00", "10-19 09:00", "10-26 09:00", "11-02 09:00"]
    assert {item.type for item in view(claire)} == {"Occurrence"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (DailyPattern(interval=3), ["10-12", "10-15", "10-18"]),
        (WeeklyPattern(interval=2, weekdays=["Monday", "Thursday"]), ["10-12", "10-15", "10-26"]),
        (AbsoluteMonthlyPattern(interval=1, day_of_month=31), ["10-31", "11-30", "12-31"]),
        (
            RelativeMonthlyPattern(interval=1, weekday="Friday", week_number="Last"),
            ["10-30", "11-27", "12-25"],
        ),
        (
            RelativeMonthlyPattern(interval=2, weekday="Weekday", week_number="First"),
            ["12-01", "02-01", "04-01"],
        ),
        (AbsoluteYearlyPattern(day_of_month=29, month=2), ["02-28", "02-29", "02-28"]),
        (RelativeYearlyPattern(weekday="Sunday", week_number="Second", month=5), ["05-09", "05-14", "05-13"]),
    ],
)
def test_every_pattern_has_its_days(
    claire: Account, other: OtherClient, pattern: object, expected: list[str]
) -> None:
    master = series(claire, pattern, number=12)
    found = other.occurrences(master.id, 3)
    starts = [target.start.astimezone(PARIS).strftime("%m-%d") for target in found]
    assert starts == expected


def test_a_pattern_comes_back_as_it_was_given(claire: Account) -> None:
    weekly(claire)
    [master] = claire.calendar.all()
    assert master.type == "RecurringMaster"
    assert [str(day) for day in master.recurrence.pattern.weekdays]
    assert master.recurrence.boundary.number == 4
    assert master.recurrence.boundary.start == FIRST
    assert master.first_occurrence.start == datetime(2026, 10, 12, 7, tzinfo=UTC)
    assert master.last_occurrence.start == datetime(2026, 11, 2, 8, tzinfo=UTC)


def test_an_occurrence_is_addressed_by_its_number(claire: Account) -> None:
    master = weekly(claire)
    third = master.occurrence(index=3)
    third.refresh()
    assert third.type == "Occurrence"
    assert local_starts([third]) == ["10-26 09:00"]
    assert third.recurrence is None
    with pytest.raises(ErrorCalendarOccurrenceIndexIsOutOfRecurrenceRange):
        master.occurrence(index=5).refresh()


def test_the_master_is_found_from_an_occurrence(claire: Account) -> None:
    master = weekly(claire)
    occurrence = view(claire)[1]
    [found] = claire.fetch([RecurringMasterItemId(id=occurrence.id, changekey=occurrence.changekey)])
    assert found.id == master.id


def test_a_changed_occurrence_is_an_exception_with_an_id_of_its_own(
    claire: Account, other: OtherClient
) -> None:
    weekly(claire)
    occurrence = view(claire)[1]
    occurrence.subject = "Retrospective"
    occurrence.start += timedelta(hours=2)
    occurrence.end += timedelta(hours=2)
    occurrence.save(update_fields=["subject", "start", "end"], conflict_resolution="NeverOverwrite")

    [master] = claire.calendar.all()
    [listed] = master.modified_occurrences
    assert listed.original_start == datetime(2026, 10, 19, 7, tzinfo=UTC)
    assert listed.start == datetime(2026, 10, 19, 9, tzinfo=UTC)
    assert listed.id == occurrence.id != master.id
    [exception] = claire.fetch([(listed.id, None)])
    assert (exception.type, exception.subject) == ("Exception", "Retrospective")
    assert exception.recurrence_id == listed.original_start
    assert local_starts(view(claire)) == ["10-12 09:00", "10-19 11:00", "10-26 09:00", "11-02 09:00"]


def test_the_master_is_told_as_changed_when_an_exception_is(claire: Account, other: OtherClient) -> None:
    master = weekly(claire)
    list(claire.calendar.sync_items(only_fields=["subject"]))
    state = claire.calendar.item_sync_state
    second = other.occurrence_id(master.id, datetime(2026, 10, 19, 7, tzinfo=UTC))

    other.edit(second, Location="Room 2")
    changes = list(claire.calendar.sync_items(sync_state=state, only_fields=["subject"]))

    assert [(kind, item.id) for kind, item in changes] == [("update", master.id)]
    assert changes[0][1].changekey != master.changekey


def test_a_deleted_occurrence_is_listed_and_not_found_again(claire: Account) -> None:
    master = weekly(claire)
    occurrence = view(claire)[1]
    gone_id = occurrence.id
    occurrence.delete()

    [kept] = claire.calendar.all()
    assert [gone.start for gone in kept.deleted_occurrences] == [datetime(2026, 10, 19, 7, tzinfo=UTC)]
    assert local_starts(view(claire)) == ["10-12 09:00", "10-26 09:00", "11-02 09:00"]
    with pytest.raises(ErrorCalendarOccurrenceIsDeletedFromRecurrence):
        master.occurrence(index=2).refresh()
    [gone] = claire.fetch([(gone_id, None)])
    assert isinstance(gone, ErrorItemNotFound)


def test_a_new_pattern_drops_the_exceptions(claire: Account, other: OtherClient) -> None:
    master = weekly(claire)
    other.edit(other.occurrence_id(master.id, datetime(2026, 10, 19, 7, tzinfo=UTC)), Subject="Other")
    other.delete(other.occurrence_id(master.id, datetime(2026, 10, 26, 8, tzinfo=UTC)))
    [found] = claire.calendar.all()
    found.recurrence.pattern.interval = 2
    found.save(update_fields=["recurrence"])

    [found] = claire.calendar.all()
    assert found.modified_occurrences is None
    assert found.deleted_occurrences is None
    assert local_starts(view(claire)) == ["10-12 09:00", "10-26 09:00", "11-09 09:00", "11-23 09:00"]


def test_a_new_subject_keeps_the_exceptions(claire: Account, other: OtherClient) -> None:
    master = weekly(claire)
    other.edit(other.occurrence_id(master.id, datetime(2026, 10, 19, 7, tzinfo=UTC)), Location="Room 2")
    [found] = claire.calendar.all()
    found.subject = "Weekly"
    found.save(update_fields=["subject"])
    assert [(item.subject, item.location) for item in view(claire)][:2] == [
        ("Weekly", None),
        ("Weekly", "Room 2"),
    ]


def test_an_exception_may_not_cross_its_neighbour(claire: Account) -> None:
    weekly(claire)
    occurrence = view(claire)[1]
    occurrence.start += timedelta(days=8)
    occurrence.end += timedelta(days=8)
    with pytest.raises(ErrorOccurrenceCrossingBoundary):
        occurrence.save(update_fields=["start", "end"])
    assert local_starts(view(claire))[1] == "10-19 09:00"


def test_all_day_series_run_from_midnight_to_midnight(claire: Account, other: OtherClient) -> None:
    daily = recurrence("DailyRecurrence", date(2026, 10, 24), count=3, Interval="1")
    start = datetime(2026, 10, 24, tzinfo=PARIS)
    other.add_event(
        "Fair", start, start + timedelta(days=1), zone=ROMANCE, IsAllDayEvent="true", Recurrence=daily
    )
    found = view(claire)
    assert [item.start.isoformat() for item in found] == ["2026-10-24", "2026-10-25", "2026-10-26"]
    assert all(item.is_all_day for item in found)


def test_an_endless_series_is_expanded_within_the_view(claire: Account) -> None:
    series(claire, DailyPattern(interval=1))
    begin = EWSDateTime(2030, 1, 1, tzinfo=PARIS)
    found = list(claire.calendar.view(start=begin, end=begin + timedelta(days=3)))
    assert local_starts(found) == ["01-01 09:00", "01-02 09:00", "01-03 09:00"]


def test_an_occurrence_of_a_single_item_is_refused(claire: Account, other: OtherClient) -> None:
    start = datetime(2026, 10, 12, 7, tzinfo=UTC)
    single = other.add_event("One", start, start + timedelta(hours=1))
    with pytest.raises(ErrorCalendarCannotUseIdForOccurrenceId):
        list(claire.fetch([OccurrenceItemId(id=single, instance_index=1)]))
