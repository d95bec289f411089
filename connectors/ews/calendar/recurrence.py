"""Exchange's recurrence patterns and the RRULE of our canonical form, both ways and without loss.

A pattern is one of six (learn.microsoft.com, "Recurrence patterns and EWS in Exchange"); an RRULE (RFC 5545
section 3.3.10) says much more. What Exchange has no pattern for is Inexpressible: nothing is approximated.
In a month that has no such day, Exchange takes the last one, RFC 5545 none: so a pattern "on day 31" is the
rule "on the last day", and a rule "on day 31" is Inexpressible.
"""

import calendar
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum

from connectors.calendar import When, zone_info
from connectors.ical.values import read_rule

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
WORKDAYS = DAYS[:5]
WEEKEND = DAYS[5:]
LAST = -1
LAST_YEAR = 4500  # Exchange's dates end in August of that year: it stands for "no end" there
SHORTEST_MONTH = 28
FEBRUARY = 2
_MOST_COUNT = 999
_MOST_DAYS = 999
_MOST_WEEKS = _MOST_MONTHS = 99
_YEAR = 12  # months
_FOURTH = 4
_LONGEST = 50_000  # days of a series that are counted through


class Inexpressible(ValueError):
    """Exchange has no pattern for this rule, or we have no rule for this pattern."""


class Shape(Enum):
    """The six kinds of patterns, by the name of their element."""

    DAILY = "DailyRecurrence"
    WEEKLY = "WeeklyRecurrence"
    MONTHLY = "AbsoluteMonthlyRecurrence"
    MONTHLY_BY_DAY = "RelativeMonthlyRecurrence"
    YEARLY = "AbsoluteYearlyRecurrence"
    YEARLY_BY_DAY = "RelativeYearlyRecurrence"


@dataclass(frozen=True, slots=True)
class Pattern:
    """When a series takes place. Only what its shape has counts; the rest is as it is by default."""

    shape: Shape
    interval: int = 1  # days, weeks or months
    days: tuple[str, ...] = ()  # "MO" …, in the week's order; several of a shape by day: any of them
    first: str = "MO"  # the day that a week begins with
    day: int = 0  # of the month, 1 to 31; in a shorter month its last day
    index: int = 0  # which of `days` in the month: 1 to 4, or LAST
    month: int = 0


@dataclass(frozen=True, slots=True)
class Series:
    """A pattern and its range. `start` is the day of the first occurrence."""

    pattern: Pattern
    start: date
    end: date | None = None  # the last day on which there may be one
    count: int | None = None


def place(pattern: Pattern, start: date, day: date) -> bool:
    """Whether a series that begins at `start` takes place on that day."""
    if day < start:
        return False
    shape, interval = pattern.shape, pattern.interval
    if shape is Shape.DAILY:
        return (day - start).days % interval == 0
    if shape is Shape.WEEKLY:
        first = DAYS.index(pattern.first)
        weeks = (_week(day, first) - _week(start, first)).days // 7
        return DAYS[day.weekday()] in pattern.days and weeks % interval == 0
    if pattern.month and day.month != pattern.month:
        return False
    months = (day.year - start.year) * _YEAR + day.month - start.month
    if not pattern.month and months % interval:
        return False
    return day == _day_in(pattern, day.year, day.month)


def _week(day: date, first: int) -> date:
    back = (day.weekday() - first) % 7
    return date.fromordinal(max(day.toordinal() - back, 1))


def _day_in(pattern: Pattern, year: int, month: int) -> date | None:
    length = calendar.monthrange(year, month)[1]
    if pattern.shape in {Shape.MONTHLY, Shape.YEARLY}:
        return date(year, month, min(pattern.day, length))
    fitting = [
        number for number in range(1, length + 1) if DAYS[date(year, month, number).weekday()] in pattern.days
    ]
    at = pattern.index if pattern.index == LAST else pattern.index - 1
    return date(year, month, fitting[at]) if fitting and at < len(fitting) else None


def index_of(series: Series, day: date) -> int | None:
    """Which occurrence it is that takes place on that day, the first being 1; None where none does, or where
    it lies too far ahead to be counted."""
    if not place(series.pattern, series.start, day) or (day - series.start).days > _LONGEST:
        return None
    if series.end is not None and day > series.end:
        return None
    ordinals = range(series.start.toordinal(), day.toordinal() + 1)
    found = sum(place(series.pattern, series.start, date.fromordinal(one)) for one in ordinals)
    return None if series.count is not None and found > series.count else found


def settled(series: Series) -> Series:
    """The series with the day of its last occurrence for its end: any later day before the next one means
    the same, and servers change it. Raises Inexpressible where nothing takes place."""
    if series.end is None:
        return series
    day = series.end
    while not place(series.pattern, series.start, day):
        if day <= series.start:
            raise Inexpressible("a recurrence that ends before it begins")
        day -= timedelta(days=1)
    return replace(series, end=day)


# --- from Exchange --------------------------------------------------------------------------------


def rule_of(series: Series, start: When) -> str:
    """The canonical RRULE of a series whose first occurrence is `start`. Raises Inexpressible."""
    pattern = series.pattern
    if not place(pattern, series.start, series.start) or _day(start) != series.start:
        raise Inexpressible("a recurrence that does not begin with its first occurrence")
    parts = _parts(pattern)
    if series.count is not None:
        parts += f";COUNT={series.count}"
    if series.end is not None:
        clock = start.local.time() if isinstance(start.local, datetime) else None
        last = settled(series).end or series.end
        parts += f";UNTIL={last:%Y%m%d}" + (f"T{clock:%H%M%S}" if clock is not None else "")
    try:
        return read_rule(parts, start)
    except ValueError as error:
        raise Inexpressible(str(error)) from error


def _parts(pattern: Pattern) -> str:
    shape = pattern.shape
    if shape is Shape.DAILY:
        return f"FREQ=DAILY;INTERVAL={pattern.interval}"
    days = ",".join(pattern.days)
    if shape is Shape.WEEKLY:
        return f"FREQ=WEEKLY;INTERVAL={pattern.interval};BYDAY={days};WKST={pattern.first}"
    freq = (
        f"FREQ=YEARLY;BYMONTH={pattern.month}"
        if pattern.month
        else f"FREQ=MONTHLY;INTERVAL={pattern.interval}"
    )
    if shape in {Shape.MONTHLY, Shape.YEARLY}:
        return freq + _monthday(pattern.day, pattern.month)
    if len(pattern.days) == 1:
        return f"{freq};BYDAY={pattern.index}{days}"
    return f"{freq};BYDAY={days};BYSETPOS={pattern.index}"


def _monthday(day: int, month: int) -> str:
    """Day 31 is the last one of any month; 30 and 29 are the last one of a month that is shorter."""
    longest = calendar.monthrange(2024, month)[1] if month else 31
    shortest = SHORTEST_MONTH if month in {0, FEBRUARY} else longest
    if day >= longest:
        return ";BYMONTHDAY=-1" if not month or day > longest or month == FEBRUARY else f";BYMONTHDAY={day}"
    if day <= shortest:
        return f";BYMONTHDAY={day}"
    either = ",".join(str(one) for one in range(SHORTEST_MONTH, day + 1))
    return f";BYMONTHDAY={either};BYSETPOS=-1"


# --- to Exchange ----------------------------------------------------------------------------------


def series_of(rrule: str, start: When) -> Series:
    """The pattern and range for a canonical RRULE. Raises Inexpressible, with the reason."""
    if "\n" in rrule:
        raise Inexpressible("Exchange has one recurrence rule for a series, not several")
    parts = dict(piece.split("=", 1) for piece in rrule.split(";"))
    first = _day(start)
    pattern = _Reader(parts, first).pattern()
    if not place(pattern, first, first):
        raise Inexpressible("the first occurrence does not follow the recurrence rule")
    count = int(parts["COUNT"]) if "COUNT" in parts else None
    if count is not None and count > _MOST_COUNT:
        raise Inexpressible(f"Exchange counts {_MOST_COUNT} occurrences at most")
    end = _end(parts["UNTIL"], start) if "UNTIL" in parts else None
    if end is not None and end.year >= LAST_YEAR:
        end = None
    return settled(Series(pattern, first, end, count))


def _day(start: When) -> date:
    return start.local.date() if isinstance(start.local, datetime) else start.local


def _end(until: str, start: When) -> date:
    """The last day on which an occurrence still begins by UNTIL."""
    day = date(int(until[:4]), int(until[4:6]), int(until[6:8]))
    if len(until) == len("20261201") or not isinstance(start.local, datetime):
        return day
    clock = time(int(until[9:11]), int(until[11:13]), int(until[13:15]))
    moment = datetime.combine(day, clock)
    zone = zone_info(start.zone) if start.zone else None
    if until.endswith("Z") and zone is not None and day.year < LAST_YEAR:
        moment = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return moment.date() if moment.time() >= start.local.time() else moment.date() - timedelta(days=1)


class _Reader:
    """One RRULE on its way to a pattern."""

    def __init__(self, parts: dict[str, str], start: date) -> None:
        self.freq = parts["FREQ"]
        self.interval = int(parts.get("INTERVAL", "1"))
        self.by = {name: value for name, value in parts.items() if name.startswith("BY")}
        self.days = tuple(self.by["BYDAY"].split(",")) if "BYDAY" in self.by else ()
        self.first = parts.get("WKST", "MO")
        self.start = start

    def pattern(self) -> Pattern:
        match self.freq:
            case "DAILY":
                return self._daily()
            case "WEEKLY":
                self._only("BYDAY")
                return self._weekly()
            case "MONTHLY":
                self._only("BYDAY", "BYMONTHDAY", "BYSETPOS")
                return self._monthly(_limit(self.interval, _MOST_MONTHS, "months"), 0)
            case "YEARLY":
                self._only("BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH")
                return self._yearly()
        raise Inexpressible(f"Exchange has no recurrence of the kind FREQ={self.freq}")

    def _only(self, *names: str) -> None:
        other = sorted(self.by.keys() - set(names))
        if other:
            raise Inexpressible(f"Exchange has no {other[0]} in a recurrence of the kind FREQ={self.freq}")

    def _daily(self) -> Pattern:
        self._only("BYDAY")
        if not self.days:
            return Pattern(Shape.DAILY, _limit(self.interval, _MOST_DAYS, "days"))
        if self.interval != 1:
            raise Inexpressible("Exchange has no BYDAY with every so many days")
        return self._weekly()

    def _weekly(self) -> Pattern:
        days = self.days or (DAYS[self.start.weekday()],)
        if not set(days) <= set(DAYS):
            raise Inexpressible("a week has each day once")
        ordered = tuple(day for day in DAYS if day in days)
        interval = _limit(self.interval, _MOST_WEEKS, "weeks")
        return Pattern(Shape.WEEKLY, interval, ordered, self.first)

    def _yearly(self) -> Pattern:
        months = self.by.get("BYMONTH", "" if self.days else str(self.start.month))
        if not months.isdigit():
            raise Inexpressible("Exchange has one month in a yearly recurrence")
        month = int(months)
        if "BYMONTH" not in self.by and "BYMONTHDAY" in self.by:
            raise Inexpressible("Exchange has one month in a yearly recurrence")
        if self.interval == 1:
            return self._monthly(1, month)
        if month != self.start.month:
            raise Inexpressible("the first occurrence does not follow the recurrence rule")
        return self._monthly(_limit(self.interval * _YEAR, _MOST_MONTHS, "months"), 0, of=month)

    def _monthly(self, interval: int, month: int, of: int = 0) -> Pattern:
        """`of` is the month where it is given by the start and the interval."""
        if self.days:
            if "BYMONTHDAY" in self.by:
                raise Inexpressible("Exchange has no BYDAY together with BYMONTHDAY")
            days, index = self._which()
            shape = Shape.YEARLY_BY_DAY if month else Shape.MONTHLY_BY_DAY
            return Pattern(shape, interval, days, index=index, month=month)
        shape = Shape.YEARLY if month else Shape.MONTHLY
        return Pattern(shape, interval, day=self._monthday(month or of), month=month)

    def _which(self) -> tuple[tuple[str, ...], int]:
        """The days, and which of them in the month."""
        position = self.by.get("BYSETPOS", "")
        if len(self.days) == 1 and self.days[0] not in DAYS:
            if position:
                raise Inexpressible("Exchange has no BYSETPOS with a weekday that is counted")
            return (self.days[0][-2:],), _position(self.days[0][:-2])
        if not set(self.days) <= set(DAYS):
            raise Inexpressible("Exchange has one counted weekday in a month")
        days = tuple(day for day in DAYS if day in self.days)
        if len(days) > 1 and days not in {DAYS, WORKDAYS, WEEKEND}:
            raise Inexpressible("Exchange has no such group of weekdays")
        if not position:
            raise Inexpressible("Exchange has one day in a month, not every such weekday")
        return days, _position(position)

    def _monthday(self, month: int) -> int:
        days = [int(day) for day in self.by.get("BYMONTHDAY", str(self.start.day)).split(",")]
        position = self.by.get("BYSETPOS", "")
        longest = calendar.monthrange(2024, month)[1] if month else 31
        shortest = SHORTEST_MONTH if month in {0, FEBRUARY} else longest
        if days == [LAST] and not position:
            return longest
        if len(days) == 1 and not position and 0 < days[0] <= shortest:
            return days[0]
        last = days[-1]
        if position == str(LAST) and days == list(range(SHORTEST_MONTH, last + 1)) and last <= longest:
            return last
        raise Inexpressible("Exchange has one day of a month, and takes the last one where it is missing")


def _position(text: str) -> int:
    number = int(text)
    if number != LAST and not 1 <= number <= _FOURTH:
        raise Inexpressible("Exchange counts the first four of a month, and the last")
    return number


def _limit(value: int, most: int, what: str) -> int:
    if value > most:
        raise Inexpressible(f"Exchange has no interval of {value} {what}")
    return value
