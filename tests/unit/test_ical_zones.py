"""What TZIDs of all clients stand for, and the clocks of zones that only their VTIMEZONE knows."""

import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.calendar import When
from connectors.ical.reading import read
from connectors.ical.zones import offset_of, zone_named

CUSTOM = """BEGIN:VTIMEZONE
TZID:Usine
BEGIN:STANDARD
DTSTART:20001029T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0245
TZOFFSETTO:+0145
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:20000326T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0145
TZOFFSETTO:+0245
END:DAYLIGHT
END:VTIMEZONE
"""


def event(tzid: str, definition: str) -> str:
    inner = f"BEGIN:VEVENT\nUID:1\nDTSTART;TZID={tzid}:20260101T090000\nEND:VEVENT\n"
    return f"BEGIN:VCALENDAR\n{definition}{inner}END:VCALENDAR\n"


@pytest.mark.parametrize(
    ("tzid", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("europe/paris", "Europe/Paris"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("Romance Standard Time", "Europe/Paris"),
        ("romance standard time", "Europe/Paris"),
        ("Tokyo Standard Time", "Asia/Tokyo"),
        ("/freeassociation.sourceforge.net/Tzfile/Europe/Paris", "Europe/Paris"),
        ("/freeassociation.sourceforge.net/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("/mozilla.org/20050126_1/Europe/Paris", "Europe/Paris"),
        ("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Brussels"),
        ("(UTC+10:00) Canberra, Melbourne, Sydney", "Australia/Canberra"),
        ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", "Asia/Kolkata"),
        ("(UTC-03:00) Buenos Aires", "America/Buenos_Aires"),
        ("(UTC+09:00) Paris", None),  # another Paris
        ("(UTC) Coordinated Universal Time", "UTC"),
        ("tzone://Microsoft/Utc", "UTC"),
        ("Etc/UTC", "UTC"),
        ("GMT", "UTC"),
        ("Customized Time Zone", None),
        ("../../etc/passwd", None),
        ("/", None),
        ("", None),
        (" ", None),
    ],
)
def test_a_tzid_names_a_zone_in_any_clients_spelling(tzid: str, zone: str | None) -> None:
    assert zone_named(tzid) == zone


def test_libical_tells_the_place_of_a_zone_beside_its_name() -> None:
    head = "BEGIN:VTIMEZONE\nTZID:Bureau\nX-LIC-LOCATION:Europe/Paris\nEND:VTIMEZONE\n"
    start = read(event("Bureau", head).encode()).main.timing.start
    assert start == When(datetime(2026, 1, 1, 9), "Europe/Paris")  # noqa: DTZ001


EASTERN = """BEGIN:VTIMEZONE
TZID:(UTC-05:00) Eastern Time (US & Canada)
BEGIN:STANDARD
DTSTART:16010101T020000
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=1SU;BYMONTH=11
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=2SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("definition", "zone"),
    [
        (EASTERN, "America/New_York"),
        (EASTERN.replace("BYMONTH=11", "BYMONTH=10"), "(UTC-05:00) Eastern Time (US & Canada)"),
        (EASTERN.replace("FREQ=YEARLY", "FREQ=SECONDLY"), "(UTC-05:00) Eastern Time (US & Canada)"),
    ],
)
def test_a_zone_that_windows_only_shows_is_known_by_its_clocks(definition: str, zone: str) -> None:
    start = read(event("(UTC-05:00) Eastern Time (US & Canada)", definition).encode()).main.timing.start
    assert start is not None
    assert start.zone == zone


def test_an_unknown_zone_keeps_its_name_and_its_definition_if_it_has_one() -> None:
    text = event("Usine", CUSTOM)
    item = read(text.encode())
    assert item.main.timing.start == When(datetime(2026, 1, 1, 9), "Usine")  # noqa: DTZ001
    assert item.zones == (("Usine", CUSTOM),)
    bare = read(text.replace(CUSTOM, "").encode())
    assert bare == item
    assert bare.zones == ()


@pytest.mark.parametrize(
    ("month", "day", "hour", "minutes"),
    [(1, 15, 9, 105), (7, 15, 9, 165), (3, 29, 1, 105), (3, 29, 4, 165), (10, 25, 1, 165), (10, 25, 4, 105)],
)
def test_the_clocks_of_a_custom_zone_are_known(month: int, day: int, hour: int, minutes: int) -> None:
    assert offset_of(CUSTOM, datetime(2026, month, day, hour)) == timedelta(minutes=minutes)  # noqa: DTZ001


@pytest.mark.parametrize(
    "definition",
    [
        "",
        "nonsense",
        "\ud800",
        "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE",
        CUSTOM.replace("+0145", "soon"),
        CUSTOM.replace("YEARLY", "SECONDLY"),
        CUSTOM.replace("BYDAY=-1SU", "BYSECOND=1,2,3"),
        CUSTOM.replace("DTSTART:20001029", "RDATE:" + "20001029T030000," * 3000),
        CUSTOM + "X" * 100_000,
    ],
)
def test_a_definition_that_is_none_or_never_ends_tells_nothing(definition: str) -> None:
    began = time.monotonic()
    assert offset_of(definition, datetime(2026, 1, 1)) is None  # noqa: DTZ001
    assert time.monotonic() - began < 5


@given(
    st.text(max_size=40),
    st.sampled_from(["DTSTART", "RRULE", "TZOFFSETTO", "TZOFFSETFROM"]),
)
def test_a_damaged_definition_raises_nothing(value: str, name: str) -> None:
    lines = [f"{name}:{value}" if line.startswith(name) else line for line in CUSTOM.split("\n")]
    offset_of("\n".join(lines), datetime(2026, 1, 1))  # noqa: DTZ001
