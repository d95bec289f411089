"""Laws of distances and of table T7."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.core.checkins import Limits, Result, judge, rows_for
from syncd.core.distance import EARTH_RADIUS_M, Position, haversine, metres, told

PLACES = st.builds(Position, st.floats(-90, 90), st.floats(-180, 180))
HALF_WAY = math.pi * EARTH_RADIUS_M
SLACK = 1e-3  # metres
NEAR_ANTIPODES = 0.5  # metres: the arc sine is steep there, and a last digit is worth 0.2 m


@given(PLACES, PLACES)
def test_a_way_is_as_long_back_as_forth_and_never_longer_than_half_around(
    one: Position, two: Position
) -> None:
    there = haversine(one, two)
    assert there == pytest.approx(haversine(two, one), abs=SLACK)
    assert 0 <= there <= HALF_WAY + SLACK


@given(PLACES)
def test_nothing_is_away_from_itself(one: Position) -> None:
    assert haversine(one, one) == 0
    assert metres(one, one) == 0


@given(PLACES, PLACES, PLACES)
def test_a_detour_is_never_shorter(one: Position, two: Position, three: Position) -> None:
    assert haversine(one, three) <= haversine(one, two) + haversine(two, three) + NEAR_ANTIPODES


@given(PLACES)
def test_what_is_opposite_is_half_way_around(one: Position) -> None:
    east = one.longitude - 180 if one.longitude > 0 else one.longitude + 180
    assert haversine(one, Position(-one.latitude, east)) == pytest.approx(HALF_WAY, abs=NEAR_ANTIPODES)


@given(st.floats(-180, 180), st.floats(-180, 180), st.sampled_from([90.0, -90.0]))
def test_at_a_pole_all_longitudes_are_one_place(one: float, two: float, pole: float) -> None:
    assert haversine(Position(pole, one), Position(pole, two)) < SLACK


@given(st.floats(-90, 90), st.floats(0, 0.01))
def test_the_date_line_is_no_border(latitude: float, apart: float) -> None:
    across = haversine(Position(latitude, 180 - apart), Position(latitude, -180 + apart))
    assert across == pytest.approx(
        haversine(Position(latitude, -apart), Position(latitude, apart)), abs=SLACK
    )
    assert haversine(Position(latitude, 180), Position(latitude, -180)) < SLACK


@given(st.integers(0, 20_100_000))
def test_a_distance_is_told_as_near_as_it_is_shown(distance: int) -> None:
    text = told(distance, "fr")
    number, unit = text.split(" ")
    assert (unit == "m") == (distance < 1000)
    shown = int(number) if unit == "m" else float(number.replace(",", ".")) * 1000
    assert abs(shown - distance) <= (0 if unit == "m" else 50.001)
    assert told(distance, "en") == text.replace(",", ".")


ANY = st.none() | st.integers(0, 20_100_000) | st.integers(0, 1100)
LIMITS = st.tuples(*[st.integers(0, 1000)] * 3).map(lambda n: Limits(max(n[:2]), min(n[:2]), n[2]))


@given(ANY, st.integers(0, 1100), LIMITS)
def test_one_row_of_the_table_speaks_of_every_case(
    distance: int | None, accuracy: int, limits: Limits
) -> None:
    assert len(rows_for(distance, accuracy, limits)) == 1
    result = judge(distance, accuracy, limits)
    if distance is not None:
        assert result.stored == (distance <= limits.radius_m)
    assert (result is Result.FAR) <= (distance is not None and limits.alert_m < distance <= limits.radius_m)


@given(st.integers(0, 1100), st.integers(0, 1100), st.integers(0, 1100), LIMITS)
def test_who_is_nearer_is_never_judged_worse(near: int, far: int, accuracy: int, limits: Limits) -> None:
    ranks = [Result.STORED, Result.LOW_ACCURACY, Result.FAR, Result.TOO_FAR]
    near, far = min(near, far), max(near, far)
    first, second = judge(near, accuracy, limits), judge(far, accuracy, limits)
    assert ranks.index(first) <= ranks.index(second)


def test_known_distances_come_out() -> None:
    """Paris to Lyon is 391.5 km on a sphere of that radius, a degree of a great circle 111.195 km."""
    paris, lyon = Position(48.8566, 2.3522), Position(45.7640, 4.8357)
    assert metres(paris, lyon) == pytest.approx(391_500, abs=100)
    assert haversine(Position(0, 0), Position(0, 1)) == pytest.approx(111_195.08, abs=0.01)
    assert haversine(Position(0, 0), Position(1, 0)) == pytest.approx(111_195.08, abs=0.01)
    assert metres(paris, None) is metres(None, lyon) is None


def test_metres_become_kilometres_at_a_thousand() -> None:
    assert [told(n, "fr") for n in (0, 850, 999, 1000, 1049, 1050, 1234, 12_345_678)] == [
        "0 m", "850 m", "999 m", "1,0 km", "1,0 km", "1,1 km", "1,2 km", "12345,7 km",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("latitude", "longitude", "named"),
    [
        (90.0001, 0, "latitude"),
        (math.nan, 0, "latitude"),
        (math.inf, 0, "latitude"),
        (0, -180.0001, "longitude"),
        (0, math.nan, "longitude"),
    ],
)
def test_what_is_nowhere_on_earth_is_refused(latitude: float, longitude: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Position(latitude, longitude)


def test_a_position_has_six_decimals() -> None:
    assert Position(45.7640434999, -0.00000001) == Position(45.764043, 0)
