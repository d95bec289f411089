"""Occurrences where no other reader is a fit judge: gaps, endless rules, odd clients."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import Component, Item, Kind, Status, Timing, When
from syncd.core.recurrence import is_occurrence, last_end, occurrences

PARIS = ZoneInfo("Europe/Paris")
JANUARY = datetime(2026, 1, 1, tzinfo=UTC)


def local(month: int, day: int, hour: int = 10, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute)  # noqa: DTZ001 - wall-clock


def when(month: int, day: int, hour: int = 10, minute: int = 0, zone: str = "Europe/Paris") -> When:
    return When(local(month, day, hour, minute), zone)


def series(
    rrule: str, start: When, *overrides: Component, minutes: int = 60, **dates: tuple[When, ...]
) -> Item:
    span = timedelta(days=1) if start.is_date else timedelta(minutes=minutes)
    timing = Timing(start, When(start.local + span, start.zone), rrule, **dates)
    return Item("u", Kind.EVENT, (Component(timing, subject="series"), *overrides))


def found(item: Item, start: datetime, days: int) -> list[str]:
    result = occurrences(item, start, start + timedelta(days=days), floating=PARIS)
    assert not result.truncated
    return [f"{one.start:%m-%d %H:%M}" for one in result.found]


def test_ten_o_clock_stays_ten_o_clock_when_the_clocks_change() -> None:
    item = series("FREQ=WEEKLY;COUNT=3", when(3, 21))
    assert found(item, JANUARY, 365) == ["03-21 09:00", "03-28 09:00", "04-04 08:00"]


def test_a_time_that_the_clocks_skip_does_not_happen_and_is_not_counted() -> None:
    item = series("FREQ=DAILY;COUNT=3", when(3, 28, 2, 30))
    assert found(item, JANUARY, 365) == ["03-28 01:30", "03-30 00:30", "03-31 00:30"]


def test_a_time_that_happens_twice_is_the_first_one() -> None:
    item = series("FREQ=DAILY;COUNT=2", when(10, 25, 2, 30))
    assert found(item, JANUARY, 365) == ["10-25 00:30", "10-26 01:30"]


def test_whole_days_begin_at_midnight_of_the_reader() -> None:
    item = series("FREQ=DAILY;COUNT=2", When(date(2026, 7, 1)))
    assert found(item, JANUARY, 365) == ["06-30 22:00", "07-01 22:00"]


@pytest.mark.parametrize(
    "rrule",
    [
        "FREQ=SECONDLY",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MINUTELY;INTERVAL=999999999",
        "FREQ=HOURLY;BYYEARDAY=366;BYMONTH=1",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=WEEKLY;BYMONTHDAY=31;BYMONTH=6",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=2",
        "FREQ=YEARLY;BYWEEKNO=20;BYYEARDAY=1",
        "FREQ=YEARLY;BYDAY=MO;BYHOUR=1,2,3,4,5,6;BYMINUTE=1,2,3,4;BYSECOND=1,2,3;BYSETPOS=400",
        "FREQ=SECONDLY;COUNT=1000000000",
        "FREQ=DAILY;INTERVAL=" + "9" * 300,
    ],
)
def test_no_rule_costs_more_than_a_moment(rrule: str) -> None:
    item = series(rrule, When(datetime(1970, 1, 1), "UTC"))  # noqa: DTZ001 - wall-clock
    began = perf_counter()
    result = occurrences(item, JANUARY, JANUARY + timedelta(days=365), floating=PARIS)
    last_end(item, floating=PARIS)
    is_occurrence(item, "20260101T000000Z", floating=PARIS)
    assert perf_counter() - began < 2
    assert len(result.found) <= 1000


def test_an_endless_rule_far_from_its_start_is_complete_within_a_small_window() -> None:
    item = series("FREQ=SECONDLY;INTERVAL=600", When(datetime(1970, 1, 1), "UTC"), minutes=1)  # noqa: DTZ001
    result = occurrences(item, JANUARY, JANUARY + timedelta(hours=1), floating=PARIS)
    assert len(result.found) == 6
    assert not result.truncated


def test_more_than_the_cap_is_told_as_truncated() -> None:
    result = occurrences(
        series("FREQ=DAILY", when(1, 1)), JANUARY, JANUARY + timedelta(days=90), floating=PARIS, cap=10
    )
    assert (len(result.found), result.truncated) == (10, True)


def test_a_rule_that_nobody_can_read_leaves_the_first_occurrence_and_says_so() -> None:
    for rrule in (
        "FREQ=OFTEN",
        "RUBBISH",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;COUNT=x",
    ):
        item = series(rrule, when(1, 5))
        result = occurrences(item, JANUARY, JANUARY + timedelta(days=90), floating=PARIS)
        assert ([one.key for one in result.found], result.truncated) == (["20260105T090000Z"], True)
        assert last_end(item, floating=PARIS) is None
        assert is_occurrence(item, "20260106T090000Z", floating=PARIS) is None


def test_a_moved_occurrence_appears_where_it_was_moved_and_nowhere_else() -> None:
    moved = Component(Timing(when(3, 1, 15), when(3, 1, 16)), when(1, 6))
    item = series("FREQ=DAILY;COUNT=3", when(1, 5), moved)
    assert found(item, JANUARY, 30) == ["01-05 09:00", "01-07 09:00"]
    assert found(item, datetime(2026, 3, 1, tzinfo=UTC), 2) == ["03-01 14:00"]


@pytest.mark.parametrize("named", [When(date(2026, 1, 6)), when(1, 6, 9, zone="UTC"), when(1, 6, zone="")])
def test_a_place_is_known_however_a_client_writes_it(named: When) -> None:
    assert found(series("FREQ=DAILY;COUNT=2", when(1, 5), exdates=(named,)), JANUARY, 90) == ["01-05 09:00"]
    moved = Component(Timing(when(1, 8), when(1, 8, 11)), named)
    assert found(series("FREQ=DAILY;COUNT=2", when(1, 5), moved), JANUARY, 90) == [
        "01-05 09:00",
        "01-08 09:00",
    ]


def test_a_change_from_then_on_holds_for_all_later_ones() -> None:
    later = Component(
        Timing(when(1, 7, 14), when(1, 7, 14, 30)), when(1, 7), this_and_future=True, subject="new"
    )
    item = series("FREQ=DAILY;COUNT=5", when(1, 5), later)
    result = occurrences(item, JANUARY, JANUARY + timedelta(days=30), floating=PARIS).found
    assert [(f"{one.start:%d %H:%M}", f"{one.end:%H:%M}", one.component.subject) for one in result] == [
        ("05 09:00", "10:00", "series"), ("06 09:00", "10:00", "series"), ("07 13:00", "13:30", "new"),
        ("08 13:00", "13:30", "new"), ("09 13:00", "13:30", "new"),
    ]  # fmt: skip


def test_a_cancelled_occurrence_is_listed_with_its_status() -> None:
    off = Component(Timing(when(1, 6), when(1, 6, 11)), when(1, 6), status=Status.CANCELLED)
    result = occurrences(
        series("FREQ=DAILY;COUNT=2", when(1, 5), off), JANUARY, JANUARY + timedelta(days=30), floating=PARIS
    )
    assert [one.component.status for one in result.found] == [Status.CONFIRMED, Status.CANCELLED]


def test_a_zone_unknown_to_this_machine_is_asked_for() -> None:
    item = series("FREQ=DAILY;COUNT=2", when(1, 5, zone="Acme Standard Time"))
    result = occurrences(
        item,
        JANUARY,
        JANUARY + timedelta(days=30),
        floating=PARIS,
        offset_of=lambda zone, _: timedelta(hours=-5) if zone == "Acme Standard Time" else None,
    )
    assert [one.start.hour for one in result.found] == [15, 15]


def test_until_counts_in_the_zone_of_the_series() -> None:
    assert len(found(series("FREQ=DAILY;UNTIL=20260107T090000Z", when(1, 5)), JANUARY, 90)) == 3
    assert len(found(series("FREQ=DAILY;UNTIL=20260107T085959Z", when(1, 5)), JANUARY, 90)) == 2
    assert len(found(series("FREQ=DAILY;UNTIL=20260107", when(1, 5)), JANUARY, 90)) == 3


def test_the_last_end_of_a_series_counts_what_was_moved_and_what_was_cancelled() -> None:
    item = series("FREQ=DAILY;COUNT=3", when(1, 5), exdates=(when(1, 7),))
    assert last_end(item, floating=PARIS) == datetime(2026, 1, 6, 10, tzinfo=UTC)
    moved = Component(Timing(when(3, 1), when(3, 1, 11)), when(1, 5))
    late = replace(item, components=(*item.components, moved))
    assert last_end(late, floating=PARIS) == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert last_end(series("FREQ=DAILY", when(1, 5)), floating=PARIS) is None
    assert last_end(series("", when(1, 5)), floating=PARIS) == datetime(2026, 1, 5, 10, tzinfo=UTC)


def test_an_event_that_touches_the_window_only_with_its_end_is_not_in_it() -> None:
    item = series("", when(1, 5))
    assert found(item, datetime(2026, 1, 5, 10, tzinfo=UTC), 1) == []
    assert found(item, datetime(2026, 1, 5, 9, 59, tzinfo=UTC), 1) == ["01-05 09:00"]


def test_a_reminder_without_any_date_happens_at_no_time() -> None:
    item = Item("t", Kind.TASK, (Component(Timing(), status=Status.OPEN),))
    assert found(item, JANUARY, 365) == []
    assert last_end(item, floating=PARIS) is None


def test_an_occurrence_that_began_long_before_the_window_is_in_it() -> None:
    item = series("FREQ=MONTHLY;COUNT=5", when(1, 5), minutes=9 * 24 * 60)
    assert found(item, datetime(2026, 3, 13, tzinfo=UTC), 1) == ["03-05 09:00"]
