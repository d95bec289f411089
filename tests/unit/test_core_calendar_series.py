"""Edits of a series and of single occurrences, as a person makes them in the CRM."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import Component, Item, Kind, Status, Timing, When
from syncd.core.canonical import Unit
from syncd.core.recurrence import occurrences
from syncd.core.series import (
    cancel_occurrence,
    change_occurrence,
    change_series,
    move_occurrence,
    natural,
    restore_occurrence,
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


def test_one_occurrence_is_changed_and_the_others_are_not() -> None:
    item = change_occurrence(WEEKLY, at(24), {Unit.SUBJECT: "Bilan"})
    assert times(item) == ["03-17 10:00 Point", "03-24 10:00 Bilan", "03-31 10:00 Point", "04-07 10:00 Point"]
    again = change_occurrence(item, at(24), {Unit.LOCATION: "Lyon"})
    assert (again.components[1].subject, again.components[1].location) == ("Bilan", "Lyon")


def test_one_occurrence_is_moved_over_the_change_of_clocks() -> None:
    item = move_occurrence(WEEKLY, at(31), at(28, 9), at(28, 9, 30))
    assert times(item) == ["03-17 10:00 Point", "03-24 10:00 Point", "03-28 09:00 Point", "04-07 10:00 Point"]


def test_one_occurrence_is_cancelled_and_restored() -> None:
    changed = change_occurrence(WEEKLY, at(24), {Unit.SUBJECT: "Bilan"})
    cancelled = cancel_occurrence(changed, at(24))
    assert times(cancelled) == ["03-17 10:00 Point", "03-31 10:00 Point", "04-07 10:00 Point"]
    assert cancel_occurrence(cancelled, at(24)) == cancelled
    assert restore_occurrence(cancelled, at(24)) == WEEKLY
    assert restore_occurrence(changed, at(24)) == WEEKLY


def test_a_cancellation_that_guests_shall_see_stays_as_an_override() -> None:
    item = cancel_occurrence(WEEKLY, at(24), tell=True)
    assert [one.status for one in item.components] == [Status.CONFIRMED, Status.CANCELLED]
    assert restore_occurrence(item, at(24)) == WEEKLY


def test_a_change_of_the_series_reaches_the_occurrences_that_still_had_its_value() -> None:
    item = change_occurrence(WEEKLY, at(24), {Unit.LOCATION: "Lyon"})
    item = change_occurrence(item, at(31), {Unit.SUBJECT: "Bilan"})
    changed = change_series(item, {Unit.SUBJECT: "Revue", Unit.LOCATION: "Paris"})
    assert [(one.subject, one.location) for one in changed.components] == [
        ("Revue", "Paris"), ("Revue", "Lyon"), ("Bilan", "Paris"),
    ]  # fmt: skip


def test_a_series_that_moves_by_the_hour_takes_its_exceptions_along() -> None:
    item = cancel_occurrence(WEEKLY, at(24))
    item = move_occurrence(item, at(31), at(31, 15), at(31, 16))
    item = change_occurrence(item, at(7, month=4), {Unit.SUBJECT: "Bilan"})
    later = change_series(
        item, {Unit.TIMING: replace(item.main.timing, start=at(17, 11), end=at(17, 12, 30))}
    )
    assert times(later) == ["03-17 11:00 Point", "03-31 15:00 Point", "04-07 11:00 Bilan"]
    assert later.main.timing.exdates == (at(24, 11),)
    assert later.components[2].timing.end == at(7, 12, 30, month=4)


def test_a_series_that_moves_to_another_day_leaves_its_exceptions_to_the_caller() -> None:
    item = move_occurrence(WEEKLY, at(24), at(24, 15), at(24, 16))
    moved = change_series(item, {Unit.TIMING: Timing(at(18), at(18, 11), "FREQ=WEEKLY;COUNT=4")})
    assert moved.components[1] == item.components[1]


def test_what_happens_once_has_no_occurrence_to_change() -> None:
    once = replace(WEEKLY, components=(replace(WEEKLY.main, timing=Timing(at(17), at(17, 11))),))
    with pytest.raises(ValueError, match="once only"):
        change_occurrence(once, at(17), {Unit.SUBJECT: "x"})
    alone = replace(WEEKLY, components=(replace(WEEKLY.main, recurrence_id=at(17)),))
    with pytest.raises(ValueError, match="somebody else's"):
        cancel_occurrence(alone, at(24))


def test_an_occurrence_named_in_utc_is_written_in_the_zone_of_the_series() -> None:
    place = When(datetime(2026, 3, 31, 8), "UTC")  # noqa: DTZ001 - zone beside it
    assert natural(WEEKLY.main, place).timing == Timing(at(31), at(31, 11))


def test_a_whole_day_stays_a_whole_day() -> None:
    days = Component(Timing(When(date(2026, 3, 17)), When(date(2026, 3, 19)), "FREQ=WEEKLY"))
    found = natural(days, When(date(2026, 3, 24)))
    assert found.timing == Timing(When(date(2026, 3, 24)), When(date(2026, 3, 26)))
