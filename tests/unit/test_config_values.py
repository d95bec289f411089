"""What an admin writes for a length of time, a size, an age or a time zone."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from config.values import format_duration, parse_duration, parse_since, parse_size, parse_timezone


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0s", 0),
        ("30s", 30),
        ("15m", 900),
        ("2h30m", 9000),
        ("90d", 90 * 86400),
        ("2w", 14 * 86400),
        ("1w2d3h4m5s", 9 * 86400 + 3 * 3600 + 245),
        (" 90m ", 5400),
        ("007d", 7 * 86400),
        ("36500d", 36500 * 86400),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(written: str, seconds: int) -> None:
    assert parse_duration(written) == timedelta(seconds=seconds)
    assert parse_duration(timedelta(seconds=seconds)) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "written", ["", "s", "1", "1.5h", "-1d", "1h 30m", "30m2h", "1M", "1y", "1d1d", "PT1H", "١d", "1d\n2h"]
)
def test_what_is_no_duration_is_refused_with_the_accepted_forms(written: str) -> None:
    with pytest.raises(ValueError, match='"2h30m"'):
        parse_duration(written)


@pytest.mark.parametrize("written", ["36501d", "876000h1s", "9" * 5000 + "d"])
def test_a_duration_too_long_for_any_date_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="longest accepted is 36500d"):
        parse_duration(written)


def test_a_bare_number_is_no_duration_and_the_message_shows_units() -> None:
    with pytest.raises(ValueError, match='"90s" for seconds, "90m" for minutes, "90d" for days'):
        parse_duration(90)


@pytest.mark.parametrize("value", [True, None, 1.5, [], {}])
def test_other_types_are_no_duration(value: object) -> None:
    with pytest.raises(ValueError, match="expected a number with its unit"):
        parse_duration(value)


@pytest.mark.parametrize("written", ["0s", "30s", "15m", "2h30m", "90d", "1d1s"])
def test_a_duration_is_shown_as_it_is_written(written: str) -> None:
    assert format_duration(parse_duration(written)) == written


def test_since_is_a_date_or_an_age() -> None:
    assert parse_since("2026-01-31") == date(2026, 1, 31)
    assert parse_since(date(2026, 1, 31)) == date(2026, 1, 31)
    assert parse_since("90d") == parse_since(timedelta(days=90)) == timedelta(days=90)


@pytest.mark.parametrize(
    "value",
    ["2026-02-30", "31.01.2026", "20260131", "2026-W05-6", "", "yesterday", 90, True, None,
     datetime(2026, 1, 31, tzinfo=UTC)],
)  # fmt: skip
def test_what_is_no_date_and_no_age_is_refused_with_the_accepted_forms(value: object) -> None:
    with pytest.raises(ValueError, match='a date such as "2026-01-31", or an age such as "90d"'):
        parse_since(value)


@pytest.mark.parametrize(
    ("written", "octets"),
    [
        ("25MiB", 25 * 2**20),
        ("10 KB", 10_000),
        ("10kb", 10_000),
        ("512 KiB", 2**19),
        ("1GB", 10**9),
        ("7 B", 7),
        ("7", 7),
        (7, 7),
        (0, 0),
    ],
)
def test_a_size_counts_octets(written: object, octets: int) -> None:
    assert parse_size(written) == octets


@pytest.mark.parametrize("value", ["", "MiB", "1.5MB", "-1KB", "1 TB", "1 Mi", "٣ KB", 1.5, True, None])
def test_what_is_no_size_is_refused_with_the_accepted_forms(value: object) -> None:
    with pytest.raises(ValueError, match='"25MiB"'):
        parse_size(value)


@pytest.mark.parametrize("value", [-1, 2**63, "9999999999999999999 GB"])
def test_a_size_that_no_database_can_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="between 0 and"):
        parse_size(value)


def test_a_time_zone_is_an_iana_name() -> None:
    assert parse_timezone("Europe/Paris") == ZoneInfo("Europe/Paris")
    assert parse_timezone(ZoneInfo("UTC")) == ZoneInfo("UTC")


@pytest.mark.parametrize(
    "value",
    ["", "Europe", "../etc/passwd", "/etc/localtime", "right/Europe/Paris", "a\x00b", "x" * 9999, 1, None],
)
def test_what_is_no_time_zone_is_refused_with_the_accepted_forms(value: object) -> None:
    with pytest.raises(ValueError, match='"Europe/Paris"') as caught:
        parse_timezone(value)
    assert len(str(caught.value)) < 200


def test_a_misspelt_time_zone_is_guessed() -> None:
    with pytest.raises(ValueError, match='did you mean "Europe/Brussels"'):
        parse_timezone("europe/bruxels")
