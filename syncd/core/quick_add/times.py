"""Times of day and durations: 14h30, « quatorze heures trente », « de 14h à 15h30 », « une demi-heure »."""

import re
from dataclasses import dataclass, replace
from datetime import time, timedelta

from syncd.core.quick_add.errors import Reason
from syncd.core.quick_add.tokens import Text
from syncd.core.quick_add.words import DAY, HOUR, MINUTE, UNITS, WEEK, is_month, number

BEFORE = frozenset({"a", "vers", "pour", "des"})
TO = frozenset({"a", "-", "–", "—", "jusqu'a"})
HALVES = {"demi": 30, "demie": 30, "quart": 15}
LAST_HOUR, MINUTES, NOON = 23, 60, 12
HALVES_OF_DAY = {"matin": 0, "apres-midi": NOON, "soir": NOON}
MIDNIGHT = 24  # hours: the end of the day
STEP = 5  # minutes

_HALVES_AFTER = {"du matin": 0, "de l'apres-midi": NOON, "du soir": NOON}
_CLOCK = re.compile(r"(\d{1,2})(?:h|heures?)(\d{1,2})?|(\d{1,2}):(\d{2})(?::\d{2})?", re.ASCII)
_BOTH = re.compile(
    r"(\d{1,2}(?:h(?:\d{1,2})?|:\d{2})?)[-–—](\d{1,2}(?:h(?:\d{1,2})?|:\d{2}))"
    r"|(\d{1,2}h(?:\d{1,2})?)[-–—](\d{1,2})",
    re.ASCII,
)
_TAIL = re.compile(r"h(\d{2})", re.ASCII)
_TWO_DIGITS = re.compile(r"\d{2}", re.ASCII)
_LENGTH = re.compile(r"(\d{1,3})(?:min|mn|minutes?)|(\d{1,2})(?:h|heures?)(\d{1,2})?(?:min|mn)?", re.ASCII)
_DAYS = re.compile(r"(\d{1,3})(j|jours?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day that was said, by which tokens. Hour 24 is midnight, the end of the day."""

    hour: int
    minute: int
    start: int
    end: int
    bare: bool = False  # nothing but an hour, which a duration looks like: 1h, 1h30, « une heure »

    @property
    def minutes(self) -> int:
        """Since the beginning of the day."""
        return self.hour * MINUTES + self.minute

    def in_half(self, hours: int) -> "Clock":
        """The same in the second half of the day, where a first half's hour was said."""
        return replace(self, hour=self.hour + hours) if self.hour < NOON else self

    @property
    def time(self) -> time:
        """The time of day; midnight at the end is 00:00 of the next."""
        return time(self.hour % MIDNIGHT, self.minute)


@dataclass(frozen=True, slots=True)
class Length:
    """How long, or how long before; days only where whole days were said."""

    length: timedelta
    start: int
    end: int
    whole_days: bool = False


def clock_at(text: Text, index: int) -> Clock | None:
    """The time of day said from this token on. Raises QuickAddError for one that no clock shows."""
    start, words = index, text.words(index)
    before = 3 if words[:3] == ["a", "partir", "de"] else int(bool(words) and words[0] in BEFORE)
    index, words = index + before, words[before:]
    found = _midday(text, start, index, words) or _hours(text, start, index, words)
    if found is None:
        return None
    hour, minute, end, written = found
    half = _half_of_day(text.words(end)) if not text.tokens[end - 1].stop else None
    if half is not None:
        hour, end = hour + (half[0] if hour < NOON else 0), end + half[1]
    bare = not before and half is None and written
    clock = Clock(hour, minute, start, end, bare=bare)
    if not 0 <= clock.minutes <= MIDNIGHT * MINUTES or not 0 <= minute < MINUTES:
        raise text.error(Reason.NO_SUCH_TIME, start, end)
    return clock


def range_at(text: Text, index: int) -> tuple[Clock, Clock] | None:
    """« de 14h à 15h30 », « 14h-15h », « entre 9 et 10h ». Raises QuickAddError."""
    start, words = index, text.words(index)
    if not words:
        return None
    joined = _BOTH.fullmatch(words[0])
    if joined is not None:
        first_word, last_word = joined[1] or joined[3], joined[2] or joined[4]
        return _of_digits(text, index, first_word), _of_digits(text, index, last_word)
    opened = words[0] in ("de", "entre")
    links = TO | {"et"} if words[0] == "entre" else TO
    if opened:
        index, words = index + 1, words[1:]
    first = clock_at(text, index) or (_bare_hour(index, words, links) if opened else None)
    if first is None or first.end >= len(text.tokens) or text.tokens[first.end - 1].stop:
        return None
    if text.tokens[first.end].text not in TO and text.tokens[first.end].word not in links:
        return None
    last = clock_at(text, first.end + 1) or (_bare_end(text, first.end + 1) if opened else None)
    if last is None:
        return None
    return Clock(first.hour, first.minute, start, first.end), last


def length_at(text: Text, index: int) -> Length | None:
    """A duration said from this token on: 45min, 1h30, « une heure et demie », « trois jours »."""
    words = text.words(index)
    if not words:
        return None
    if (found := _LENGTH.fullmatch(words[0])) is not None:
        minutes = int(found[1] or 0) + int(found[2] or 0) * MINUTES + int(found[3] or 0)
        return Length(timedelta(minutes=minutes), index, index + 1)
    if (found := _DAYS.fullmatch(words[0])) is not None:
        return Length(timedelta(days=int(found[1])), index, index + 1, whole_days=True)
    return _part_of_hour(index, words) or _counted(index, words)


def _bare_hour(index: int, words: list[str], links: frozenset[str]) -> Clock | None:
    """« de 14 à 16h ». Without « de » the number may be anybody's: « client 3 à 16h »."""
    count = number(words)
    if count is None or count[0] > LAST_HOUR or words[count[1] : count[1] + 1] == []:
        return None
    return Clock(count[0], 0, index, index + count[1]) if words[count[1]] in links else None


def _bare_end(text: Text, index: int) -> Clock | None:
    """« de 9h à 10 »; no end of « de 9h à 10 min » nor of anything before a month."""
    words = text.words(index)
    count = number(words)
    if count is None or count[0] > MIDNIGHT or text.tokens[index - 1].stop:
        return None
    after = words[count[1]] if len(words) > count[1] else ""
    return (
        None if after in UNITS or is_month(words, count[1]) else Clock(count[0], 0, index, index + count[1])
    )


def _of_digits(text: Text, index: int, word: str) -> Clock:
    hour, _, minute = word.replace("h", ":").partition(":")
    clock = Clock(int(hour), int(minute or 0), index, index + 1)
    if clock.minutes > MIDNIGHT * MINUTES or clock.minute >= MINUTES:
        raise text.error(Reason.NO_SUCH_TIME, index, index + 1)
    return clock


def half_at(text: Text, index: int) -> int | None:
    """« soir » after a day or « ce »: the hours that it adds to an hour of the first half of the day."""
    words = text.words(index)
    return HALVES_OF_DAY.get(words[0]) if words else None


Found = tuple[int, int, int, bool]  # hour, minute, the token after, whether a duration is written like that


def _midday(text: Text, start: int, index: int, words: list[str]) -> Found | None:
    if not words or words[0] not in ("midi", "minuit"):
        return None
    hour = NOON if words[0] == "midi" else MIDNIGHT
    minute, taken = _minutes(words[1:], digits=False)
    if hour == MIDNIGHT and minute > 0:
        raise text.error(Reason.MIDNIGHT, start, index + 1 + taken)
    return *_before(hour, minute), index + 1 + taken, False


def _hours(text: Text, start: int, index: int, words: list[str]) -> Found | None:
    if not words:
        return None
    found = _CLOCK.fullmatch(words[0])
    if found is None:
        return _spelled(index, words)
    hour, minute = int(found[1] or found[3]), found[2] or found[4]
    if minute is None:
        extra, taken = _minutes(words[1:], step=STEP, spelled="heure" in words[0])
        return *_before(hour, extra), index + 1 + taken, extra >= 0
    if int(minute) >= MINUTES:
        raise text.error(Reason.NO_SUCH_TIME, start, index + 1)
    return hour, int(minute), index + 1, found[3] is None


def _spelled(index: int, words: list[str]) -> Found | None:
    """« quatorze heures trente », « 14 h 30 », « 14 h30 »."""
    count = number(words)
    if count is None or len(words) <= count[1]:
        return None
    hour, unit = count[0], words[count[1]]
    if (tail := _TAIL.fullmatch(unit)) is not None:
        return hour, int(tail[1]), index + count[1] + 1, True
    if unit not in HOUR:
        return None
    extra, taken = _minutes(words[count[1] + 1 :])
    return *_before(hour, extra), index + count[1] + 1 + taken, extra >= 0


def _before(hour: int, minute: int) -> tuple[int, int]:
    """« huit heures moins dix » is 7:50."""
    return (hour - 1, MINUTES + minute) if minute < 0 else (hour, minute)


def _minutes(
    words: list[str], *, digits: bool = True, step: int = 1, spelled: bool = True
) -> tuple[int, int]:
    """The minutes that follow an hour, and how many words they take; below zero with « moins ».

    Digits count where there are two of them (« 14h 5 personnes »), after « 14h » only in steps of five
    (« 14h 12 personnes »), and words after the word « heures » alone (« 14h deux personnes »).
    """
    if words[:1] == ["et"] and words[1:2] and words[1] in HALVES:
        return HALVES[words[1]], 2
    if words[:3] == ["moins", "le", "quart"]:
        return -15, 3
    sign = -1 if words[:1] == ["moins"] else 1
    words = words[1:] if sign < 0 else words
    count = number(words)
    if count is None or not 0 <= count[0] < MINUTES or words[0] in ("un", "une"):
        return 0, 0
    in_digits = words[0].isdecimal()
    two = digits and _TWO_DIGITS.fullmatch(words[0]) is not None and count[0] % step == 0
    allowed = two if in_digits else spelled
    after = words[count[1]] if len(words) > count[1] else ""
    if not (allowed or sign < 0) or after in UNITS or is_month(words, count[1]) or _TAIL.fullmatch(after):
        return 0, 0
    return sign * count[0], count[1] + (sign < 0)


def _half_of_day(words: list[str]) -> tuple[int, int] | None:
    """« du soir »: hours to add, and how many words."""
    hours = _HALVES_AFTER.get(" ".join(words[:2]))
    return None if hours is None else (hours, 2)


def _part_of_hour(index: int, words: list[str]) -> Length | None:
    """« une demi-heure », « un quart d'heure », « trois quarts d'heure »."""
    taken = int(words[0] in ("un", "une", "d'une", "d'un"))
    rest = words[taken:]
    if rest[:1] == ["demi-heure"]:
        return Length(timedelta(minutes=30), index, index + taken + 1)
    if rest[:2] == ["demi", "heure"]:
        return Length(timedelta(minutes=30), index, index + taken + 2)
    if taken and rest[:2] == ["quart", "d'heure"]:
        return Length(timedelta(minutes=15), index, index + taken + 2)
    if words[:3] in (["trois", "quarts", "d'heure"], ["3", "quarts", "d'heure"]):
        return Length(timedelta(minutes=45), index, index + 3)
    return None


def _counted(index: int, words: list[str]) -> Length | None:
    count = number(words)
    if count is None or len(words) <= count[1]:
        return None
    unit, taken = words[count[1]], count[1] + 1
    if unit in MINUTE:
        return Length(timedelta(minutes=count[0]), index, index + taken)
    if unit in DAY | WEEK:
        days = count[0] * (7 if unit in WEEK else 1)
        return Length(timedelta(days=days), index, index + taken, whole_days=True)
    if unit not in HOUR:
        return None
    extra, more = _minutes(words[taken:])
    if extra < 0:
        extra, more = 0, 0
    return Length(timedelta(hours=count[0], minutes=extra), index, index + taken + more)
