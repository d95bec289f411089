"""What an admin writes for a length of time, a size, an age or a time zone, and what it means.

Pure functions: each takes the value as TOML gave it and returns it typed, or raises ValueError whose
text names the accepted forms. A value that is already typed is returned as it is.
"""

# ruff: noqa: TRY004 - pydantic takes a ValueError, and no TypeError, for a mistake of the admin's

import difflib
import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

DURATION_PATTERN = r"^(?=[0-9])([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$"
SIZE_PATTERN = r"^[0-9]+ *([Bb]|[KkMmGg]i?[Bb])?$"
DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

# Adding or taking this from any date of our time stays within what `datetime` can hold.
LONGEST = timedelta(days=36500)
LARGEST = 2**63 - 1  # an octet count has to fit a database's BIGINT

_SHOWN = 40  # characters of a value in a message
_DURATION_FORMS = 'a number with its unit, in quotes: "30s", "15m", "2h30m", "90d" or "2w"'
_SIZE_FORMS = 'a number of octets, or one with a unit in quotes: "10 KB", "512 KiB", "25MiB" or "1GB"'
_SINCE_FORMS = 'a date such as "2026-01-31", or an age such as "90d"'
_ZONE_FORMS = 'an IANA time zone name such as "Europe/Paris" or "UTC"'

_UNITS = (
    (timedelta(weeks=1), "w"),
    (timedelta(days=1), "d"),
    (timedelta(hours=1), "h"),
    (timedelta(minutes=1), "m"),
    (timedelta(seconds=1), "s"),
)
_DURATION = re.compile(DURATION_PATTERN)
_SIZE = re.compile(r"^([0-9]{1,19}) *(|B|[KMG]I?B)$")
_OCTETS = {
    "": 1,
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
}


def parse_duration(value: object) -> timedelta:
    """The length of time, zero to 36500 days. A bare number is refused: its unit would be a guess."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        text = _short(value)
        raise ValueError(
            f'{text} has no unit: write "{text}s" for seconds, "{text}m" for minutes, "{text}d" for days'
        )
    if not isinstance(value, str):
        raise ValueError(f"expected {_DURATION_FORMS}")
    match = _DURATION.match(value.strip())
    if match is None or not match.group().isascii():
        raise ValueError(f"{_short(value)!r} is no length of time; accepted: {_DURATION_FORMS}")
    seconds = 0
    for (unit, _), part in zip(_UNITS, match.groups(), strict=True):
        digits = part[:-1].lstrip("0") if part else ""
        if len(digits) > len(str(int(LONGEST.total_seconds()))):
            raise ValueError(f"{_short(value)!r} is too long; the longest accepted is {LONGEST.days}d")
        seconds += int(digits or 0) * int(unit.total_seconds())
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{_short(value)!r} is too long; the longest accepted is {LONGEST.days}d")
    return timedelta(seconds=seconds)


def format_duration(value: timedelta) -> str:
    """`value`, cut to whole seconds, as an admin would write it: "90d", "2h30m", "0s"."""
    rest, text = timedelta(seconds=value // timedelta(seconds=1)), ""
    for unit, letter in _UNITS[1:]:  # "90d" reads better than "12w6d"
        count, rest = divmod(rest, unit)
        text += f"{count}{letter}" if count else ""
    return text or "0s"


def parse_since(value: object) -> date | timedelta:
    """The day from which on, or the age up to which; TOML's own dates are accepted, times are not."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, datetime):
        raise ValueError(f"a time of day has no meaning here; accepted: {_SINCE_FORMS}")
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected {_SINCE_FORMS}")
    text = value.strip()
    if re.match(DATE_PATTERN, text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError(f"{text!r} is no day of the calendar; accepted: {_SINCE_FORMS}") from None
    if _DURATION.match(text):
        return parse_duration(text)
    raise ValueError(f"{_short(value)!r} is neither a date nor an age; accepted: {_SINCE_FORMS}")


def parse_size(value: object) -> int:
    """Octets. KB, MB and GB are powers of 1000, KiB, MiB and GiB of 1024 (IEC 80000-13)."""
    if isinstance(value, int) and not isinstance(value, bool):
        octets = value
    elif isinstance(value, str):
        match = _SIZE.match(value.strip().upper())
        if match is None or not match.group().isascii():
            raise ValueError(f"{_short(value)!r} is no size; accepted: {_SIZE_FORMS}")
        octets = int(match.group(1)) * _OCTETS[match.group(2)]
    else:
        raise ValueError(f"expected {_SIZE_FORMS}")
    if not 0 <= octets <= LARGEST:
        raise ValueError(f"a size lies between 0 and {LARGEST} octets")
    return octets


def parse_timezone(value: object) -> ZoneInfo:
    """The zone of that name in the IANA database. Names of the machine's own files are not accepted."""
    if isinstance(value, ZoneInfo):
        return value
    if not isinstance(value, str):
        raise ValueError(f"expected {_ZONE_FORMS}")
    if value in _zone_names():
        return ZoneInfo(value)
    raise ValueError(f"{_short(value)!r} is not known; expected {_ZONE_FORMS}{_nearest_zone(value)}")


@lru_cache(maxsize=1)
def _zone_names() -> frozenset[str]:
    return frozenset(available_timezones())


def _nearest_zone(value: str) -> str:
    by_lower = {name.lower(): name for name in sorted(_zone_names())}
    near = difflib.get_close_matches(value[:64].lower(), by_lower, n=1)
    return f'; did you mean "{by_lower[near[0]]}"?' if near else ""


def _short(value: object) -> str:
    """`value` for a message: a mistake may be a whole pasted file."""
    if isinstance(value, int) and abs(value) > LARGEST:
        return "the number"  # Python refuses to print an int of more than 4300 digits
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."
