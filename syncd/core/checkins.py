"""Whether somebody who says to be on site is (table T7), and on which day that may be said of a meeting.

Pure: distances, limits and moments come in as arguments.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import NamedTuple
from zoneinfo import ZoneInfo


class Result(Enum):
    """What becomes of a check-in."""

    STORED = "stored"
    FAR = "far"  # stored, though farther than the alert
    LOW_ACCURACY = "low_accuracy"  # stored, though the device does not know well where it is
    FIRST_LOCATION = "first_location"  # stored, and tells where the account is
    TOO_FAR = "too_far"  # refused
    TOO_IMPRECISE = "too_imprecise"  # refused: nobody could tell where the account is

    @property
    def stored(self) -> bool:
        """Whether there is a check-in afterwards."""
        return self not in (Result.TOO_FAR, Result.TOO_IMPRECISE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How near is near, in metres; what is exactly at a limit is within it."""

    radius_m: int = 500
    alert_m: int = 350
    accuracy_m: int = 200


class Row(NamedTuple):
    """One row of table T7; None: whatever it is."""

    located: bool  # the place to be at is known
    within: bool | None  # distance <= radius
    precise: bool | None  # accuracy <= 200 m
    result: Result


TABLE = (
    Row(located=True, within=True, precise=True, result=Result.STORED),
    Row(located=True, within=True, precise=False, result=Result.LOW_ACCURACY),
    Row(located=True, within=False, precise=None, result=Result.TOO_FAR),
    Row(located=False, within=None, precise=True, result=Result.FIRST_LOCATION),
    Row(located=False, within=None, precise=False, result=Result.TOO_IMPRECISE),
)


def rows_for(distance_m: int | None, accuracy_m: int, limits: Limits) -> tuple[Row, ...]:
    """The rows of the table that speak of that case: one."""
    located = distance_m is not None
    within = distance_m is not None and distance_m <= limits.radius_m
    precise = accuracy_m <= limits.accuracy_m
    return tuple(
        row
        for row in TABLE
        if row.located == located and row.within in (None, within) and row.precise in (None, precise)
    )


def judge(distance_m: int | None, accuracy_m: int, limits: Limits) -> Result:
    """What becomes of a check-in at that distance, None where nobody knows the place, with a position that
    is so accurate."""
    (row,) = rows_for(distance_m, accuracy_m, limits)
    if row.result is Result.STORED and distance_m is not None and distance_m > limits.alert_m:
        return Result.FAR
    return row.result


def whole_metres(accuracy: float) -> int:
    """An accuracy in whole metres, rounded up: 200.1 m is not within 200 m. Raises ValueError."""
    if not math.isfinite(accuracy) or not 0 <= accuracy <= MOST_ACCURACY_M:
        raise ValueError(f"a number of metres from 0 to {MOST_ACCURACY_M} is expected")
    return math.ceil(accuracy)


MOST_ACCURACY_M = 20_037_508  # half of the way around the earth: nowhere in particular


@dataclass(frozen=True, slots=True)
class Span:
    """When something takes place, in moments; `end` is exclusive."""

    start: datetime
    end: datetime


def day_in(moment: datetime, zone: ZoneInfo) -> Span:
    """The whole day that the clocks of a zone show at a moment. It may have 23 or 25 hours."""
    day = moment.astimezone(zone).date()
    return Span(_midnight(day, zone), _midnight(day + timedelta(days=1), zone))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def nearest(moment: datetime, spans: Iterable[Span]) -> int | None:
    """Which of several meetings of a day is meant: the one that goes on, else the one that is least apart in
    time, the former of two. None of none."""

    def apart(span: Span) -> timedelta:
        return max(span.start - moment, moment - span.end, timedelta())

    found = list(spans)
    return min(range(len(found)), key=lambda n: (apart(found[n]), n)) if found else None
