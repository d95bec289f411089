"""Table T7 row by row, its limits, and the day of a meeting."""

import math
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from syncd.core.checkins import TABLE, Limits, Result, Span, day_in, judge, nearest, whole_metres

LIMITS = Limits()
PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("distance", "accuracy", "expected"),
    [
        (0, 0, Result.STORED),
        (350, 200, Result.STORED),
        (351, 200, Result.FAR),
        (500, 200, Result.FAR),
        (500, 0, Result.FAR),
        (0, 201, Result.LOW_ACCURACY),
        (350, 5000, Result.LOW_ACCURACY),
        (500, 201, Result.LOW_ACCURACY),  # one flag: that nobody knows says more than how far it seems
        (501, 0, Result.TOO_FAR),
        (501, 200, Result.TOO_FAR),
        (501, 201, Result.TOO_FAR),
        (20_015_000, 9999, Result.TOO_FAR),
        (None, 0, Result.FIRST_LOCATION),
        (None, 200, Result.FIRST_LOCATION),
        (None, 201, Result.TOO_IMPRECISE),
    ],
)
def test_each_row_of_the_table_holds_up_to_its_limits(
    distance: int | None, accuracy: int, expected: Result
) -> None:
    assert judge(distance, accuracy, LIMITS) is expected


def test_the_table_is_that_of_the_requirements() -> None:
    assert [tuple(row) for row in TABLE] == [
        (True, True, True, Result.STORED),
        (True, True, False, Result.LOW_ACCURACY),
        (True, False, None, Result.TOO_FAR),
        (False, None, True, Result.FIRST_LOCATION),
        (False, None, False, Result.TOO_IMPRECISE),
    ]
    assert (LIMITS.radius_m, LIMITS.alert_m, LIMITS.accuracy_m) == (500, 350, 200)
    assert {one for one in Result if not one.stored} == {Result.TOO_FAR, Result.TOO_IMPRECISE}


def test_the_limits_are_those_that_are_given() -> None:
    near = Limits(radius_m=100, alert_m=100, accuracy_m=20)
    assert judge(100, 20, near) is Result.STORED
    assert judge(101, 20, near) is Result.TOO_FAR
    assert judge(100, 21, near) is Result.LOW_ACCURACY


def test_an_accuracy_is_rounded_so_that_nothing_comes_within_a_limit() -> None:
    assert [whole_metres(one) for one in (0, 199.2, 200.0, 200.000001)] == [0, 200, 200, 201]
    for wrong in (-0.1, math.nan, math.inf, 1e300):
        with pytest.raises(ValueError, match="a number of metres"):
            whole_metres(wrong)


def test_a_day_is_that_of_the_zones_clocks() -> None:
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert day_in(late, PARIS) == Span(
        datetime(2026, 11, 23, tzinfo=PARIS), datetime(2026, 11, 24, tzinfo=PARIS)
    )
    spring = day_in(datetime(2026, 3, 29, 12, tzinfo=UTC), PARIS)
    assert spring.end.astimezone(UTC) - spring.start.astimezone(UTC) == timedelta(hours=23)


def test_of_several_meetings_of_a_day_the_nearest_is_meant() -> None:
    def at(hour: int) -> datetime:
        return datetime(2026, 11, 23, hour, tzinfo=UTC)

    spans = [Span(at(8), at(9)), Span(at(12), at(14)), Span(at(13), at(15))]
    assert nearest(at(7), spans) == 0
    assert nearest(at(10), spans) == 0
    assert nearest(at(13), spans) == 1
    assert nearest(at(20), spans) == 2
    assert nearest(at(20), []) is None
