"""Values of properties: texts, dates, durations and recurrence rules, and back (RFC 5545 sections 3.3, 3.8).

A value that is not what it should be raises ValueError with a text that tells what kind of value, never
the value itself. All of it is pure; time is linear.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TypeVar

from config.language import Phrase
from connectors.block import clean
from connectors.calendar import UTC_ZONE, When, zone_info

_DATE_SIZE = len("YYYYMMDD")
FIRST_YEAR, LAST_YEAR = 1601, 9998  # whatever the zone, a day more or less is still a date

_Date = TypeVar("_Date", bound=date)

# --- text -----------------------------------------------------------------------------------------

_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def unescape(value: str) -> str:
    """The text that a TEXT value stands for."""
    if "\\" not in value:
        return clean(value)
    if "\\\\" not in value and value[-1] != "\\":  # then every backslash escapes what follows it
        value = value.replace("\\n", "\n").replace("\\N", "\n").replace("\\", "")
    else:
        value = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    return clean(value)


def escape(text: str) -> str:
    """The TEXT value that stands for a text."""
    text = clean(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\n", "\\n")


_ITEM = re.compile(r"(?:[^\\,]|\\.)+|\\\Z", re.DOTALL)


def split_list(value: str) -> list[str]:
    """The parts of a comma list, still escaped."""
    return _ITEM.findall(value) if "\\" in value else value.split(",")


# --- dates ----------------------------------------------------------------------------------------


def read_when(value: str, zone: str) -> When:
    """A DATE or a DATE-TIME; `zone` is what its TZID stands for. Raises ValueError."""
    value = value.strip()
    size = len(value)
    if size == _DATE_SIZE:
        return When(_date(value))
    utc = size in {14, 16} and value[-1] in "zZ"
    digits = value[:-1] if utc else value
    if len(digits) not in {13, 15} or digits[8] not in "Tt":
        raise ValueError("not a date or a time")
    day, clock = _date(digits[:8]), digits[9:]
    if not (clock.isdigit() and clock.isascii()):
        raise ValueError("not a time")
    hour, minute, second = int(clock[:2]), int(clock[2:4]), int(clock[4:] or 0)
    if clock[4:] == "60":  # a leap second
        second = 59
    local = datetime(day.year, day.month, day.day, hour, minute, second)  # noqa: DTZ001 - a wall clock
    return When(local, UTC_ZONE if utc else zone)


def _date(text: str) -> date:
    if not (text.isdigit() and text.isascii()):
        raise ValueError("not a date")
    year = int(text[:4])
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"a year outside of {FIRST_YEAR} to {LAST_YEAR}")
    return date(year, int(text[4:6]), int(text[6:8]))


def write_when(when: When) -> str:
    """The value alone; its zone, unless UTC, goes into TZID."""
    if not isinstance(when.local, datetime):
        return when.local.strftime("%Y%m%d")
    return when.local.strftime("%Y%m%dT%H%M%S") + ("Z" if when.zone == UTC_ZONE else "")


def to_zone(when: When, zone: str) -> When:
    """The same moment on the clocks of another zone; as it is where no clock there shows it only once."""
    if when.zone == zone or not isinstance(when.local, datetime) or not when.zone or not zone:
        return when
    here, there = zone_info(when.zone), zone_info(zone)
    if here is None or there is None:
        return when
    moment = when.local.replace(tzinfo=here).astimezone(UTC)
    local = moment.astimezone(there)
    return when if local.fold else When(local.replace(tzinfo=None), zone)


def align(when: When, start: When | None) -> When:
    """A date of recurrence in the form of the series' start: as a day, or on the clocks of its zone."""
    if start is None or (when.is_date, when.zone) == (start.is_date, start.zone):
        return when
    if isinstance(when.local, datetime) and start.is_date:
        return When(when.local.date()) if when.local.time() == time.min else when
    return to_zone(when, start.zone)


# --- durations ------------------------------------------------------------------------------------

_DURATION = re.compile(
    r"([+-]?)P(?:([0-9]{1,7})W)?(?:([0-9]{1,7})D)?"
    r"(?:T(?:([0-9]{1,9})H)?(?:([0-9]{1,9})M)?(?:([0-9]{1,9})S)?)?\Z"
)


def read_duration(value: str) -> tuple[int, int]:
    """Whole days on the calendar and seconds on the clock, both signed: a day may have 23 hours."""
    value = value.strip().upper()
    found = _DURATION.match(value)
    if found is None or value[-1] in "PT":
        raise ValueError("not a duration")
    sign, weeks, days, hours, minutes, seconds = found.groups(default="0")
    factor = -1 if sign == "-" else 1
    return (
        factor * (int(weeks) * 7 + int(days)),
        factor * (int(hours) * 3600 + int(minutes) * 60 + int(seconds)),
    )


def write_duration(seconds: int) -> str:
    """The one text that we give a span: "-PT15M", "P1DT2H", "PT0S"."""
    days, rest = divmod(abs(seconds), 86_400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    clock = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)
    text = "P" + (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return ("-" if seconds < 0 else "") + (text if len(text) > 1 else "PT0S")


def add(start: When, days: int, seconds: int) -> When:
    """`start` and a span later (RFC 5545 section 3.3.6): days by the calendar, seconds by the clock.

    Raises ValueError where that is no date. An end that the zone's clocks show twice, the second time, is
    given in UTC.
    """
    try:
        moved = start.local + timedelta(days=days)
        if not isinstance(moved, datetime):
            return When(_checked(moved + timedelta(days=seconds // 86_400)))
        zone = zone_info(start.zone) if start.zone and seconds else None
        if zone is None:
            return When(_checked(moved + timedelta(seconds=seconds)), start.zone)
        moment = moved.replace(tzinfo=zone).astimezone(UTC) + timedelta(seconds=seconds)
        local = moment.astimezone(zone)
    except OverflowError as error:
        raise ValueError("a duration beyond all dates") from error
    if local.fold:
        return When(_checked(moment.replace(tzinfo=None)), UTC_ZONE)
    return When(_checked(local.replace(tzinfo=None)), start.zone)


def _checked(local: _Date) -> _Date:
    if not FIRST_YEAR <= local.year <= LAST_YEAR:
        raise ValueError(f"a year outside of {FIRST_YEAR} to {LAST_YEAR}")
    return local


# --- recurrence rules -----------------------------------------------------------------------------

_FREQUENCIES = frozenset({"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKS = 53
_MAX_RULE = 10_000
_RANGES = {  # lowest, highest, whether they may be counted from the end
    "BYSECOND": (0, 60, False),
    "BYMINUTE": (0, 59, False),
    "BYHOUR": (0, 23, False),
    "BYMONTHDAY": (1, 31, True),
    "BYYEARDAY": (1, 366, True),
    "BYWEEKNO": (1, _WEEKS, True),
    "BYMONTH": (1, 12, False),
    "BYSETPOS": (1, 366, True),
}
_WEEKDAY = re.compile(r"([+-]?[0-9]{1,2})?(MO|TU|WE|TH|FR|SA|SU)\Z")
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}\Z")


def read_rule(value: str, start: When | None) -> str:
    """The normal form of an RRULE: FREQ first, parts by name, lists sorted, defaults left out, UNTIL in
    the form that RFC 5545 section 3.3.10 asks for with such a start. Raises ValueError."""
    if len(value) > _MAX_RULE:
        raise ValueError(Phrase("a recurrence rule beyond all length"))
    rule, until = _rule(value)
    if not until:
        return rule
    head, gap, tail = rule.partition("UNTIL=")
    return head + gap + _until(until, start) + tail


@lru_cache(maxsize=1024)
def _rule(value: str) -> tuple[str, str]:
    """The rule with an empty UNTIL, and that UNTIL."""
    parts: dict[str, str] = {}
    for piece in value.strip().upper().strip(";").split(";"):
        name, equals, text = piece.partition("=")
        name, text = name.strip(), text.strip()
        if not equals or name in parts:
            raise ValueError(Phrase("not a recurrence rule"))
        parts[name] = text if name == "UNTIL" else _part(name, text)
    if "FREQ" not in parts or {"COUNT", "UNTIL"} <= parts.keys():
        raise ValueError(Phrase("not a recurrence rule"))
    until = parts.get("UNTIL", "")
    if "UNTIL" in parts:
        _read_until(until)
        parts["UNTIL"] = ""
    if parts.get("INTERVAL") == "1":
        del parts["INTERVAL"]
    if parts.get("WKST") == "MO":
        del parts["WKST"]
    if parts.get("RSCALE") == "GREGORIAN":
        del parts["RSCALE"]
    names = ["FREQ", *sorted(parts.keys() - {"FREQ"})]
    return ";".join(f"{name}={parts[name]}" for name in names), until


def _part(name: str, text: str) -> str:
    if name == "FREQ" and text in _FREQUENCIES:
        return text
    if name in {"COUNT", "INTERVAL"} and _NUMBER.match(text) and int(text) > 0:
        return str(int(text))
    if name == "WKST" and text in _DAYS:
        return text
    if name == "RSCALE" and text == "GREGORIAN":
        return text
    if name == "BYDAY":
        return _weekdays(text)
    if name in _RANGES:
        return _numbers(text, *_RANGES[name])
    raise ValueError(Phrase("a recurrence rule with a part that it cannot have"))


def _weekdays(text: str) -> str:
    found: set[tuple[int, int]] = set()
    for piece in text.split(","):
        match = _WEEKDAY.match(piece.strip())
        if match is None or (match[1] and not 1 <= abs(int(match[1])) <= _WEEKS):
            raise ValueError(Phrase("a recurrence rule with a weekday that is none"))
        found.add((_DAYS.index(match[2]), int(match[1] or 0)))
    return ",".join(f"{number or ''}{_DAYS[day]}" for day, number in sorted(found))


def _numbers(text: str, lowest: int, highest: int, signed: bool) -> str:
    found: set[int] = set()
    for piece in text.split(","):
        if not _NUMBER.match(piece.strip()):
            raise ValueError(Phrase("a recurrence rule with a number that is none"))
        number = int(piece)
        if not lowest <= (abs(number) if signed else number) <= highest:
            raise ValueError(Phrase("a recurrence rule with a number out of range"))
        found.add(number)
    return ",".join(map(str, sorted(found)))


_END = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})(Z?))?\Z")


def _read_until(text: str) -> tuple[date, time | None, bool]:
    """The day, the time of day if any, and whether it is UTC. Any year: 9999 is common."""
    found = _END.match(text)
    if found is None:
        raise ValueError(Phrase("a recurrence rule whose end is no date"))
    year, month, day, hour, minute, second, utc = found.groups()
    clock = time(int(hour), int(minute), min(int(second), 59)) if hour else None
    return date(int(year), int(month), int(day)), clock, bool(utc)


@lru_cache(maxsize=1024)
def _until(text: str, start: When | None) -> str:
    day, clock, utc = _read_until(text)
    if start is None or start.is_date:
        return f"{day.year:04}{day:%m%d}" if clock is None or start is not None else text
    local = datetime.combine(day, time(23, 59, 59) if clock is None else clock)
    zone = zone_info(start.zone) if start.zone else None
    if zone is not None and not utc:
        try:
            local, utc = local.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None), True
        except OverflowError:
            utc = True
    return f"{local.year:04}{local:%m%dT%H%M%S}" + ("Z" if utc else "")
