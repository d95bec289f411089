"""Days: « demain », « lundi prochain », « le 3 décembre », 3/12, « dans deux semaines », « du 3 au 5 mai ».

What has several readings is in docs/decisions/020.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

from syncd.core.quick_add.errors import Reason
from syncd.core.quick_add.tokens import Text
from syncd.core.quick_add.words import (
    BYGONE,
    DAY,
    MONTH,
    MONTHS,
    ORDINALS,
    SEVERAL,
    UNITS,
    VAGUE,
    WEEK,
    WEEKDAYS,
    is_month,
    number,
)

BEFORE = frozenset({"le", "ce", "pour", "du"})
NEAR = {"avant-hier": -2, "hier": -1, "aujourd'hui": 0, "aujourdhui": 0, "demain": 1, "apres-demain": 2}
LATER = {"huit": 7, "8": 7, "quinze": 14, "15": 14}  # « lundi en huit »: a week after the next one
TO = frozenset({"au", "a", "jusqu'au", "jusqu'a"})
LONGEST_MONTH = 31
LAST_YEAR = 2100

_DAY_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?|(\d{1,2})([.-])(\d{1,2})\5(\d{4})", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_JOINED = re.compile(r"(\d{1,2})[-–](\d{1,2})", re.ASCII)
_FIRST = frozenset({"1er", "premier"})
_YEAR = re.compile(r"\d{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Said:
    """A day that was said, by which tokens."""

    day: date
    start: int
    end: int
    weekday: bool = False  # nothing but a day of the week, which goes with a date that falls on it
    days: int = 1


def day_at(text: Text, index: int, today: date) -> Said | None:
    """The day that is said from this token on, with the words before it that belong to it.

    Raises QuickAddError for a day that does not exist.
    """
    start = index
    words = text.words(index)
    while words and words[0] in BEFORE and index - start < 2:  # noqa: PLR2004 - « pour le 3 mai »
        index, words = index + 1, words[1:]
    found = _day(text, index, words, today)
    if found is None and index > start and text.tokens[index - 1].word in ("le", "du"):
        found = _of_the_month(index, words, today)
    return None if found is None else Said(found.day, start, found.end, weekday=found.weekday)


def refuse_vague(text: Text, index: int) -> None:
    """Raises QuickAddError for what is a day, but no particular one: « lundi dernier », « chaque lundi »."""
    words = text.words(index)
    first, second = (words[0] if words else "", words[1] if len(words) > 1 else "")
    if first in SEVERAL:
        raise text.error(Reason.RECURRING, index, index + 1)
    if first == "chaque" and (second in WEEKDAYS or second in DAY | WEEK | MONTH):
        raise text.error(Reason.RECURRING, index, index + 2)
    if first in ("tous", "toutes") and second == "les" and words[2:]:
        count = number(words[2:])
        unit = words[2 if count is None else 2 + count[1] :][:1]
        if unit and (unit[0] in SEVERAL or unit[0] in DAY | WEEK | MONTH):
            raise text.error(Reason.RECURRING, index, index + 3)
    bygone = first in WEEKDAYS and second in BYGONE
    if bygone or (first in ORDINALS and second in WEEKDAYS) or (first, second) in VAGUE:
        raise text.error(Reason.UNKNOWN_DAY, index, index + 2)


def span_at(text: Text, index: int, today: date) -> Said | None:
    """« du 3 au 5 décembre », « de lundi à mercredi »: several whole days. Raises QuickAddError."""
    words = text.words(index)
    joined = _JOINED.fullmatch(words[0]) if words else None
    if joined is not None and is_month(words, 1):
        return _joined(text, index, (int(joined[1]), int(joined[2])), today)
    if not words or words[0] not in ("du", "de"):
        return None
    first = day_at(text, index + 1, today)
    bare = None if first is not None else _bare(words[1:])
    middle = first.end if first is not None else index + 1 + (bare[1] if bare else 0)
    if (first is None and bare is None) or middle >= len(text.tokens) or text.tokens[middle].word not in TO:
        return None
    begins = today if first is None else first.day
    last = day_at(text, middle + 1, begins if first is not None and first.weekday else today)
    if last is None:
        return None
    if bare is not None:
        begins = _existing(text, (index, last.end), (last.day.year, last.day.month, bare[0]))
    if last.day <= begins:
        raise text.error(Reason.END_BEFORE_START, index, last.end)
    return Said(begins, index, last.end, days=(last.day - begins).days + 1)


def _joined(text: Text, index: int, both: tuple[int, int], today: date) -> Said | None:
    """« 3-5 décembre »."""
    words = [str(both[1]), *text.words(index)[1:]]
    last = _date(text, index, words, today)
    if last is None:
        return None
    begins = _existing(text, (index, last.end), (last.day.year, last.day.month, both[0]))
    if last.day <= begins:
        raise text.error(Reason.END_BEFORE_START, index, last.end)
    return Said(begins, index, last.end, days=(last.day - begins).days + 1)


def _day(text: Text, index: int, words: list[str], today: date) -> Said | None:
    if not words:
        return None
    if words[0] in NEAR:
        return _moved(text, (index, index + 1), today, NEAR[words[0]])
    if words[:2] == ["apres", "demain"]:
        return _moved(text, (index, index + 2), today, 2)
    if words[0] == "dans":
        return _ahead(text, index, words, today)
    return _weekday(text, index, words, today) or _date(text, index, words, today)


def _moved(text: Text, span: tuple[int, int], day: date, days: int) -> Said:
    try:
        found = day + timedelta(days=days)
    except OverflowError:
        found = date.max
    if found.year > LAST_YEAR:
        raise text.error(Reason.TOO_FAR, *span)
    return Said(found, *span)


def _ahead(text: Text, index: int, words: list[str], today: date) -> Said | None:
    """« dans 3 jours »: exactly so many days; « dans un mois »: the same day of the month, or its last."""
    count = number(words[1:])
    match words:
        case [_, digits, unit, *_] if count is None and digits.isdecimal() and unit in DAY | WEEK | MONTH:
            raise text.error(Reason.TOO_FAR, index, index + 3)  # too many digits to be a number of days
    if count is None or len(words) < count[1] + 2:
        return None
    unit, span = words[count[1] + 1], (index, index + count[1] + 2)
    if unit in DAY | WEEK:
        return _moved(text, span, today, count[0] * (7 if unit in WEEK else 1))
    if unit not in MONTH:
        return None
    years, month = divmod(today.month - 1 + count[0], 12)
    if today.year + years > LAST_YEAR:
        raise text.error(Reason.TOO_FAR, *span)
    last = monthrange(today.year + years, month + 1)[1]
    return Said(date(today.year + years, month + 1, min(today.day, last)), *span)


def _weekday(text: Text, index: int, words: list[str], today: date) -> Said | None:
    """The next such day, never today; « prochain » says the same."""
    shift = 0
    taken = 2 if words[0] in ("prochain", "prochaine") else 1
    if len(words) < taken or words[taken - 1] not in WEEKDAYS:
        return None
    weekday = WEEKDAYS[words[taken - 1]]
    if words[taken : taken + 1] == ["prochain"]:
        taken += 1
    elif words[taken : taken + 1] == ["en"] and words[taken + 1 : taken + 2] and words[taken + 1] in LATER:
        shift = LATER[words[taken + 1]]
        taken += 2
    elif (dated := _of_the_month(index + taken, words[taken:], today)) is not None:
        if dated.day.weekday() != weekday:
            raise text.error(Reason.WRONG_WEEKDAY, index, dated.end, f"{dated.day:%d/%m/%Y}")
        return Said(dated.day, index, dated.end)
    ahead = (weekday - today.weekday() - 1) % 7 + 1 + shift
    said = _moved(text, (index, index + taken), today, ahead)
    return Said(said.day, said.start, said.end, weekday=shift == 0)


def _date(text: Text, index: int, words: list[str], today: date) -> Said | None:
    if (iso := _ISO.fullmatch(words[0])) is not None:
        span = (index, index + 1)
        return Said(_existing(text, span, (int(iso[1]), int(iso[2]), int(iso[3]))), *span)
    if (found := _DAY_FIRST.fullmatch(words[0])) is not None:
        span = (index, index + 1)
        day, month, year = int(found[1] or found[4]), int(found[2] or found[6]), found[3] or found[7]
        return Said(_in_year(text, span, (day, month), _century(year), today), *span)
    named = _day_of_month(words)
    if named is None or not is_month(words, named[1]):
        return None
    taken = named[1] + 1
    year = words[taken] if len(words) > taken and _YEAR.fullmatch(words[taken]) else None
    span = (index, index + taken + (year is not None))
    return Said(_in_year(text, span, (named[0], MONTHS[words[taken - 1]]), _century(year), today), *span)


def _day_of_month(words: list[str]) -> tuple[int, int] | None:
    if words and words[0] in _FIRST:
        return 1, 1
    return number(words)


def _bare(words: list[str]) -> tuple[int, int] | None:
    found = _day_of_month(words)
    return found if found is not None and 1 <= found[0] <= LONGEST_MONTH else None


def _of_the_month(index: int, words: list[str], today: date) -> Said | None:
    """« le 3 »: the next third of a month, today included."""
    found = _bare(words)
    if found is None:
        return None
    day, taken = found
    after = words[taken] if len(words) > taken else ""
    if is_month(words, taken) or after in UNITS or words[0] in ("un", "une"):
        return None
    month = today.year * 12 + today.month - 1 + (day < today.day)
    while day > monthrange(month // 12, month % 12 + 1)[1]:
        month += 1
    return Said(date(month // 12, month % 12 + 1, day), index, index + taken)


def _century(year: str | None) -> int | None:
    return None if year is None else int(year) + (2000 if len(year) == 2 else 0)  # noqa: PLR2004 - 3/12/26


def _in_year(
    text: Text, span: tuple[int, int], named: tuple[int, int], year: int | None, today: date
) -> date:
    """The day in that year; without one in this year, or in the next where it has passed."""
    day, month = named
    if year is None:
        year = today.year + ((month, day) < (today.month, today.day))
    return _existing(text, span, (year, month, day))


def _existing(text: Text, span: tuple[int, int], parts: tuple[int, int, int]) -> date:
    year, month, day = parts
    if year > LAST_YEAR:
        raise text.error(Reason.TOO_FAR, *span)
    try:
        return date(year, month, day)
    except ValueError:
        raise text.error(Reason.NO_SUCH_DAY, *span, facts=f" ({year})") from None
