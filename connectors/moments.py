"""Dates, times and lengths of time as exports write them in several languages. Pure.

Which of 3 and 4 is the month of 03/04/2026 is not told by the text alone: a `Moment` holds both readings,
`orders` tells which of them a whole file leaves open.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from connectors.wording import plain

LONGEST = timedelta(days=2)  # one meeting: moments further apart were read the wrong way round
FIRST_YEAR, LAST_YEAR = 1990, 2199  # of a moment; anything else is no date of a meeting or a call
HALF_A_DAY = 12  # hours
LONGEST_TEXT = 80  # characters of a date with a time, or of a length of time, with room
TOO_LONG = 366 * 86400  # seconds; no meeting and no call lasts that

# The first letters of the months, without accents, as far as they tell one from the others.
MONTHS = {
    1: ("jan", "ene", "gen", "janv"), 2: ("feb", "fev"), 3: ("mar", "mrz", "maa", "mrt"),
    4: ("apr", "avr", "abr"), 5: ("may", "mai", "mei", "mag"), 6: ("jun", "juin", "giu"),
    7: ("jul", "juil", "lug"), 8: ("aug", "aou", "ago"), 9: ("sep", "set"), 10: ("oct", "okt", "ott", "out"),
    11: ("nov",), 12: ("dec", "dez", "dic"),
}  # fmt: skip
# What may stand between date and time, beside a comma: "à", "at", "um", "a las", "om", "alle", "às".
_BETWEEN = r"(?:\s*,?\s*(?:a|at|um|a las|om|alle|as)\s+|\s*,\s*|t|\s+)"
_CLOCK = (
    r"(?P<hour>\d{1,2})\s?[:.h]\s?(?P<minute>\d{2})(?:[:.](?P<second>\d{2})(?:[.,]\d{1,9})?)?"
    r"\s?(?P<half>[ap]\.?\s?m\.?)?\s?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?"
)
_NUMBERS = re.compile(
    r"(?P<first>\d{1,4})(?P<mark>[./-])(?P<second_>\d{1,2})(?P=mark)(?P<third>\d{1,4})\.?" + _BETWEEN + _CLOCK
)
_WORDS = re.compile(
    r"(?:(?P<month>[a-z]{3,12})\.? (?P<day>\d{1,2})|(?P<day2>\d{1,2})\.? (?:de )?(?P<month2>[a-z]{3,12})\.?)"
    r"(?:,| de)? (?P<year>\d{4})" + _BETWEEN + _CLOCK
)
_PARTS = re.compile(
    r"(?P<number>\d{1,7})\s?(?P<unit>std|stunde|hour|heure|hora|ora|uur|min|sek|sec|seg|h|m|s|d|t|j|u)"
    r"[a-z]*\.?,?\s*(?:et |and |und |y |e |en )?"
)
_SECONDS = {"d": 86400, "j": 86400, "t": 86400, "m": 60, "min": 60, "s": 1, "sek": 1, "sec": 1, "seg": 1}
_DIGITAL = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?")


@dataclass(frozen=True, slots=True)
class Moment:
    """A date with a time of day. One of `month_first` and `day_first` may be None: there is no such day."""

    month_first: datetime | None  # aware (UTC) if the text told a zone, else wall-clock
    day_first: datetime | None
    twelve: bool  # written with AM or PM

    def read(self, *, day_first: bool) -> datetime | None:
        """The moment in that order."""
        return self.day_first if day_first else self.month_first


def moment(text: str) -> Moment | None:
    """What `text` says; None where it is no date with a time of day."""
    if len(text) > LONGEST_TEXT:
        return None
    simple = plain(text)
    found = _NUMBERS.fullmatch(simple)
    if found is None:
        return _in_words(simple)
    first, second, third = (int(found[part]) for part in ("first", "second_", "third"))
    if first >= FIRST_YEAR:  # 2026-11-22
        only = _at(found, first, second, third)
        return _settled(found, only)
    year = third if third >= FIRST_YEAR else third + 2000  # 22.11.26
    by_day = _at(found, year, second, first)
    by_month = _at(found, year, first, second) if found["mark"] != "." else None  # dots are never American
    return None if by_day is None and by_month is None else Moment(by_month, by_day, bool(found["half"]))


def _in_words(simple: str) -> Moment | None:
    found = _WORDS.fullmatch(simple)
    if found is None:
        return None
    name, day = found["month"] or found["month2"], found["day"] or found["day2"]
    for number, starts in MONTHS.items():
        if name.startswith(starts):
            return _settled(found, _at(found, int(found["year"]), number, int(day)))
    return None


def _settled(found: re.Match[str], only: datetime | None) -> Moment | None:
    return None if only is None else Moment(only, only, bool(found["half"]))


def _at(found: re.Match[str], year: int, month: int, day: int) -> datetime | None:
    hour, half, zone = int(found["hour"]), found["half"], found["zone"]
    if half:
        if hour > HALF_A_DAY:
            return None
        hour = hour % HALF_A_DAY + (HALF_A_DAY if half.startswith("p") else 0)
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        told = datetime(year, month, day, hour, int(found["minute"]), int(found["second"] or 0))  # noqa: DTZ001 - wall-clock
        return told if zone is None else told.replace(tzinfo=_zone(zone)).astimezone(UTC)
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    if text[0] not in "+-":
        return UTC
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def orders(moments: Sequence[Moment], *, day_first: bool | None) -> tuple[bool, ...]:
    """The orders in which `moments`, all of one meeting, can be read: True for day before month.

    Nothing if neither order fits all of them; both, the likelier first, if the file does not tell.
    `day_first` is the custom of the language of its headings, None if it has none. A clock with AM and PM
    weighs against it: Teams in French writes American dates where Windows is set so.
    """
    able = [order for order in (True, False) if all(one.read(day_first=order) for one in moments)]
    if len(able) <= 1 or all(one.month_first == one.day_first for one in moments):
        return tuple(able[:1])
    near = [order for order in able if _spread(moments, order) <= LONGEST]
    if len(near) == 1:
        return tuple(near)
    if day_first is True and not any(one.twelve for one in moments):
        return (True,)
    american = any(one.twelve for one in moments) or day_first is False
    return (False, True) if american else (True, False)


def _spread(moments: Sequence[Moment], order: bool) -> timedelta:
    read = [at.replace(tzinfo=None) for one in moments if (at := one.read(day_first=order))]
    return max(read) - min(read)


def seconds(text: str, *, unit: int = 1) -> int | None:
    """A length of time in seconds: "1h 2m 3s", "1 h 2 min 3 s", "1 Std. 2 Min.", "01:02:03".

    A bare number counts in `unit` seconds. None where the text says no length.
    """
    if len(text) > LONGEST_TEXT:
        return None
    simple = plain(text)
    if re.fullmatch(r"\d{1,8}", simple, re.ASCII):
        return _sane(int(simple) * unit)
    digital = _DIGITAL.fullmatch(simple)
    if digital:
        first, second, third = digital[1], digital[2], digital[3]
        if third is None:
            return _sane(int(first) * 60 + int(second))
        return _sane(int(first) * 3600 + int(second) * 60 + int(third))
    total, at = 0, 0
    while at < len(simple):
        part = _PARTS.match(simple, at)
        if part is None:
            return None
        total += int(part["number"]) * _SECONDS.get(part["unit"], 3600)
        at = part.end()
    return _sane(total) if simple else None


def _sane(length: int) -> int | None:
    return length if 0 <= length <= TOO_LONG else None
