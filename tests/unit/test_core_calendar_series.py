"""Edits of a series and of single occurrences, as a person makes them in the CRM."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import Component, Item, Kind, Status, Timing, When
from syncd.core.recurrence import occurrences
from syncd.core.series import (
    OccurrencesTied,
    PlaceLost,
    followed,
    natural,
    occurrence_at,
    restored,
    with_occurrence,
    without_occurrence,
)

PARIS = ZoneInfo("Europe/Paris")
SPRING = datetime(2026, 3, 1, tzinfo=UTC)


def at(day: int, hour: int = 10, minute: int = 0, month: int = 3) -> When:
    return When(datetime(2026, month, day, hour, minute), "Europe/Paris")  # noqa: DTZ001 - zone beside it


WEEKLY = Item(
    "u", Kind.EVENT, (Component(Timing(at(17), at(17, 11), "FREQ=WEEKLY;COUNT=4"), subject="Point"),)
)


def times(item: Item) -> list[str]:
    found = occurrences(item, SPRING, SPRING + timedelta(days=90), floating=PARIS).found
    return [f"{one.start.astimezone(PARIS):%m-%d %H:%M} {one.component.subject}" for one in found]


def changed(item: Item, place: When, **values: object) -> Item:
    """The item with other values in one occurrence."""
    return with_occurrence(item, replace(occurrence_at(item, place), **values))  # type: ignore[arg-type]


def moved(item: Item, place: When, start: When, end: When) -> Item:
    return changed(item, place, timing=Timing(start, end))


def with_series(item: Item, **values: object) -> Item:
    """The item with other values in its series."""
    return followed(item, replace(item.main, **values), floating=PARIS)  # type: ignore[arg-type]


def test_one_occurrence_is_changed_and_the_others_are_not() -> None:
    item = changed(WEEKLY, at(24), subject="Bilan")
    assert times(item) == ["03-17 10:00 Point", "03-24 10:00 Bilan", "03-31 10:00 Point", "04-07 10:00 Point"]
    again = changed(item, at(24), location="Lyon")
    assert (again.components[1].subject, again.components[1].location) == ("Bilan", "Lyon")
    assert changed(item, at(24), subject="Point") == WEEKLY


def test_one_occurrence_is_moved_over_the_change_of_clocks() -> None:
    item = moved(WEEKLY, at(31), at(28, 9), at(28, 9, 30))
    assert times(item) == ["03-17 10:00 Point", "03-24 10:00 Point", "03-28 09:00 Point", "04-07 10:00 Point"]


def test_one_occurrence_is_cancelled_and_restored() -> None:
    item = changed(WEEKLY, at(24), subject="Bilan")
    cancelled = without_occurrence(item, at(24))
    assert times(cancelled) == ["03-17 10:00 Point", "03-31 10:00 Point", "04-07 10:00 Point"]
    assert without_occurrence(cancelled, at(24)) == cancelled
    assert restored(cancelled, at(24)) == WEEKLY
    assert restored(item, at(24)) == WEEKLY


def test_a_change_of_the_series_reaches_the_occurrences_that_still_had_its_value() -> None:
    item = changed(WEEKLY, at(24), location="Lyon")
    item = changed(item, at(31), subject="Bilan")
    after = with_series(item, subject="Revue", location="Paris")
    assert [(one.subject, one.location) for one in after.components] == [
        ("Revue", "Paris"), ("Revue", "Lyon"), ("Bilan", "Paris"),
    ]  # fmt: skip


def test_an_occurrence_that_is_called_off_stays_as_it_is() -> None:
    item = changed(WEEKLY, at(24), status=Status.CANCELLED)
    assert with_series(item, subject="Revue").components[1] == item.components[1]


def test_a_series_that_moves_by_the_hour_takes_its_exceptions_along() -> None:
    item = without_occurrence(WEEKLY, at(24))
    item = moved(item, at(31), at(31, 15), at(31, 16))
    item = changed(item, at(7, month=4), subject="Bilan")
    later = with_series(item, timing=replace(item.main.timing, start=at(17, 11), end=at(17, 12, 30)))
    assert times(later) == ["03-17 11:00 Point", "03-31 15:00 Point", "04-07 11:00 Bilan"]
    assert later.main.timing.exdates == (at(24, 11),)
    assert later.components[2].timing.end == at(7, 12, 30, month=4)


def test_a_series_that_moves_to_another_day_takes_its_exceptions_along() -> None:
    item = moved(WEEKLY, at(24), at(24, 15), at(24, 16))
    after = with_series(item, timing=Timing(at(18), at(18, 11), "FREQ=WEEKLY;COUNT=4"))
    assert after.components[1].recurrence_id == at(25)
    assert after.components[1].timing == item.components[1].timing


def test_no_changed_occurrence_is_left_without_a_place() -> None:
    item = changed(WEEKLY, at(7, month=4), subject="Bilan")
    with pytest.raises(PlaceLost, match="2026-04-07"):
        with_series(item, timing=replace(item.main.timing, rrule="FREQ=WEEKLY;COUNT=2"))
    with pytest.raises(OccurrencesTied):
        with_series(item, timing=Timing(When(date(2026, 3, 17)), When(date(2026, 3, 18)), "FREQ=WEEKLY"))


def test_an_occurrence_named_in_utc_is_written_in_the_zone_of_the_series() -> None:
    place = When(datetime(2026, 3, 31, 8), "UTC")  # noqa: DTZ001 - zone beside it
    assert natural(WEEKLY.main, place).timing == Timing(at(31), at(31, 11))


def test_a_whole_day_stays_a_whole_day() -> None:
    days = Component(Timing(When(date(2026, 3, 17)), When(date(2026, 3, 19)), "FREQ=WEEKLY"))
    found = natural(days, When(date(2026, 3, 24)))
    assert found.timing == Timing(When(date(2026, 3, 24)), When(date(2026, 3, 26)))
