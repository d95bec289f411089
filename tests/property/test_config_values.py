"""Lengths of time, sizes, ages and zones: what is written comes back, anything else is a ValueError."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.values import (
    LONGEST,
    format_duration,
    parse_duration,
    parse_since,
    parse_size,
    parse_timezone,
)

DURATIONS = st.integers(0, int(LONGEST.total_seconds())).map(lambda seconds: timedelta(seconds=seconds))
ANYTHING = st.one_of(
    st.text(),
    st.text(alphabet="0123456789dhmsKMGiBb -"),
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
    st.lists(st.text()),
    st.datetimes(),
)


@given(DURATIONS)
def test_a_duration_that_is_written_is_read_back(value: timedelta) -> None:
    assert parse_duration(format_duration(value)) == value


@given(DURATIONS)
def test_an_age_can_be_taken_from_today(value: timedelta) -> None:
    age = parse_since(format_duration(value))
    assert isinstance(age, timedelta)
    assert datetime(2026, 1, 1, tzinfo=UTC) - age <= datetime(2026, 1, 1, tzinfo=UTC)


@given(st.dates())
def test_a_date_is_read_as_text_and_as_tomls_own(value: date) -> None:
    assert parse_since(value.isoformat()) == value
    assert parse_since(value) == value


@given(st.integers(0, 10**6), st.sampled_from([("", 1), (" KB", 1000), ("MiB", 2**20), ("GB", 10**9)]))
def test_a_size_is_its_number_times_its_unit(number: int, unit: tuple[str, int]) -> None:
    assert parse_size(f"{number}{unit[0]}") == number * unit[1]


@given(ANYTHING)
def test_anything_else_is_refused_with_the_accepted_forms(value: object) -> None:
    parsers: list[Callable[[object], object]] = [parse_duration, parse_since, parse_size, parse_timezone]
    for parse in parsers:
        with refused_in_a_few_words():
            parse(value)


@contextmanager
def refused_in_a_few_words() -> Iterator[None]:
    message = "a message of some length"
    try:
        yield
    except ValueError as error:
        message = str(error)
    assert 10 < len(message) < 500


def test_a_number_too_long_to_print_is_refused_in_few_words() -> None:
    with pytest.raises(ValueError, match="no unit"):
        parse_duration(10**6000)
    with pytest.raises(ValueError, match="between 0 and"):
        parse_size(10**6000)
