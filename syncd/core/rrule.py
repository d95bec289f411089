"""Expands one RRULE (RFC 5545 section 3.3.10) in wall-clock time, in a bounded number of steps.

dateutil's expansion cannot be interrupted: a rule that never matches keeps it busy up to the year 9999. So
this is our own, and dateutil is what the tests hold it against. Pure.
"""

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date, datetime, timedelta
from enum import IntEnum
from itertools import product

STEPS = 20_000  # days or moments looked at in one question
LONGEST = 2_000  # characters of a rule
WEEK = 7
MOST_BEFORE = 3  # days of the first week that may lie in the year before
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
LAST_DAY = date(MAXYEAR, 12, 31).toordinal()


class Freq(IntEnum):
    """FREQ, from slow to fast."""

    YEARLY = 0
    MONTHLY = 1
    WEEKLY = 2
    DAILY = 3
    HOURLY = 4
    MINUTELY = 5
    SECONDLY = 6


SECONDS = {Freq.HOURLY: 3600, Freq.MINUTELY: 60, Freq.SECONDLY: 1}


@dataclass(slots=True)
class Budget:
    """How much work is left."""

    left: int = STEPS

    @property
    def spent(self) -> bool:
        """Whether something was left out for want of steps."""
        return self.left <= 0

    def take(self, steps: int = 1) -> bool:
        """Whether there is still something left after that much work."""
        self.left -= steps
        return self.left > 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with the defaults that it takes from DTSTART filled in. Sets are empty where nothing is said."""

    freq: Freq
    interval: int = 1
    count: int | None = None
    until: datetime | None = None  # naive, wall-clock, inclusive
    months: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()
    yeardays: frozenset[int] = frozenset()
    monthdays: frozenset[int] = frozenset()
    weekdays: frozenset[tuple[int, int]] = frozenset()  # (which one, or 0 for each; Monday is 0)
    hours: tuple[int, ...] = ()
    minutes: tuple[int, ...] = ()
    seconds: tuple[int, ...] = ()
    positions: frozenset[int] = frozenset()
    week_start: int = 0

    @property
    def endless(self) -> bool:
        """Whether it goes on forever."""
        return self.count is None and self.until is None


def parse(text: str, dtstart: datetime, *, whole_days: bool, local: Callable[[datetime], datetime]) -> Rule:
    """Reads a rule for a series that begins at `dtstart` (naive). `local` turns a naive UTC moment into
    the series' own wall-clock time, for UNTIL. Raises ValueError where it is no rule."""
    if len(text) > LONGEST:
        raise ValueError("the rule is too long")
    pairs = (part.partition("=") for part in text.upper().split(";") if part)
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    try:
        freq = Freq[parts["FREQ"]]
        week_start = DAYS.index(parts.get("WKST", "MO"))
    except (KeyError, ValueError) as error:
        raise ValueError(f"the rule has no FREQ or WKST that is one: {error}") from error
    interval = int(parts.get("INTERVAL", "1"))
    count = int(parts["COUNT"]) if "COUNT" in parts else None
    if interval < 1 or (count is not None and count < 1):
        raise ValueError("INTERVAL and COUNT begin at 1")
    rule = Rule(
        freq=freq,
        interval=interval,
        count=count,
        until=_until(parts["UNTIL"], whole_days, local) if "UNTIL" in parts else None,
        months=_numbers(parts, "BYMONTH", 1, 12),
        weeks=_numbers(parts, "BYWEEKNO", 1, 53, signed=True) if freq is Freq.YEARLY else frozenset(),
        yeardays=_numbers(parts, "BYYEARDAY", 1, 366, signed=True),
        monthdays=_numbers(parts, "BYMONTHDAY", 1, 31, signed=True),
        weekdays=_weekdays(parts.get("BYDAY", ""), freq),
        hours=tuple(sorted(_numbers(parts, "BYHOUR", 0, 23))),
        minutes=tuple(sorted(_numbers(parts, "BYMINUTE", 0, 59))),
        seconds=tuple(sorted(_numbers(parts, "BYSECOND", 0, 60) - {60})),
        positions=_numbers(parts, "BYSETPOS", 1, 366, signed=True),
        week_start=week_start,
    )
    return _filled(rule, dtstart)


def _until(text: str, whole_days: bool, local: Callable[[datetime], datetime]) -> datetime:
    if "T" not in text:  # some clients write a day for a series of moments: they mean all of it
        return datetime.strptime(text, "%Y%m%d").replace(hour=23, minute=59, second=59)  # noqa: DTZ007
    moment = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - wall-clock
    return local(moment) if text.endswith("Z") and not whole_days else moment


def _numbers(
    parts: dict[str, str], name: str, least: int, most: int, *, signed: bool = False
) -> frozenset[int]:
    found = frozenset(int(one) for one in parts.get(name, "").split(",") if one)
    if any(not least <= (abs(one) if signed else one) <= most for one in found):
        raise ValueError(f"{name} is out of its range")
    return found


def _weekdays(text: str, freq: Freq) -> frozenset[tuple[int, int]]:
    found = set()
    for one in text.split(","):
        if one:
            which = int(one[:-2]) if one[:-2] else 0
            found.add((which if freq <= Freq.MONTHLY else 0, DAYS.index(one[-2:])))
    return frozenset(found)


def _filled(rule: Rule, dtstart: datetime) -> Rule:
    """What the rule does not say is taken from DTSTART."""
    if not (rule.weeks or rule.yeardays or rule.monthdays or rule.weekdays):
        if rule.freq is Freq.YEARLY:
            rule = replace(rule, months=rule.months or frozenset({dtstart.month}))
        if rule.freq in {Freq.YEARLY, Freq.MONTHLY}:
            rule = replace(rule, monthdays=frozenset({dtstart.day}))
        if rule.freq is Freq.WEEKLY:
            rule = replace(rule, weekdays=frozenset({(0, dtstart.weekday())}))
    return replace(
        rule,
        hours=rule.hours or ((dtstart.hour,) if rule.freq < Freq.HOURLY else ()),
        minutes=rule.minutes or ((dtstart.minute,) if rule.freq < Freq.MINUTELY else ()),
        seconds=rule.seconds or ((dtstart.second,) if rule.freq < Freq.SECONDLY else ()),
    )


def expand(
    rule: Rule, dtstart: datetime, *, since: datetime, budget: Budget, exists: Callable[[datetime], bool]
) -> Iterator[datetime]:
    """The moments of the rule, ascending, naive; perhaps a few before `since`, none before `dtstart`.

    Ends where the rule does, or where the budget is spent: look at `budget.spent`. A moment that does not
    `exists` (in a gap of the zone) is left out and not counted.
    """
    counted = 0
    for moment in _all(rule, dtstart, since if rule.count is None else dtstart, budget):
        if rule.until is not None and moment > rule.until:
            return
        if moment < dtstart or not exists(moment):
            continue
        counted += 1
        yield moment
        if counted == rule.count:
            return


def _all(rule: Rule, dtstart: datetime, since: datetime, budget: Budget) -> Iterator[datetime]:
    if rule.freq >= Freq.HOURLY:
        yield from _fast(rule, dtstart, since, budget)
        return
    period = max(0, _first_period(rule, dtstart, since) - 1)
    while budget.take():
        days = _days_of(rule, dtstart, period)
        if days is None:
            return
        period += 1
        fitting = []
        for day in days:
            if not budget.take():
                return
            if _fits(rule, day):
                fitting.append(day)
        times = len(rule.hours) * len(rule.minutes) * len(rule.seconds)
        if rule.positions and not budget.take(len(fitting) * times):
            return
        moments = (
            datetime(day.year, day.month, day.day, *time)  # noqa: DTZ001 - wall-clock
            for day in fitting
            for time in product(rule.hours, rule.minutes, rule.seconds)
        )
        for moment in _placed(rule, list(moments)) if rule.positions else moments:
            if not budget.take():
                return
            yield moment


def _placed(rule: Rule, moments: list[datetime]) -> list[datetime]:
    """BYSETPOS."""
    size = len(moments)
    return [
        moment for at, moment in enumerate(moments) if at + 1 in rule.positions or at - size in rule.positions
    ]


def _first_period(rule: Rule, dtstart: datetime, since: datetime) -> int:
    """The number of the period that `since` falls into."""
    if rule.freq is Freq.YEARLY:
        apart = since.year - dtstart.year
    elif rule.freq is Freq.MONTHLY:
        apart = (since.year - dtstart.year) * 12 + since.month - dtstart.month
    else:
        apart = (since - dtstart).days // (WEEK if rule.freq is Freq.WEEKLY else 1)
    return apart // rule.interval


def _days_of(rule: Rule, dtstart: datetime, period: int) -> list[date] | None:
    """The days of a period that are worth a look; None past the end of time."""
    step = period * rule.interval
    if rule.freq in {Freq.YEARLY, Freq.MONTHLY}:
        months = step if rule.freq is Freq.MONTHLY else 0
        year, month = divmod(dtstart.year * 12 + dtstart.month - 1 + months, 12)
        year += step if rule.freq is Freq.YEARLY else 0
        if year > MAXYEAR:
            return None
        wanted = sorted(rule.months or range(1, 13)) if rule.freq is Freq.YEARLY else [month + 1]
        return [day for one in wanted for day in _days_of_month(rule, year, one)]
    first = dtstart.toordinal()
    if rule.freq is Freq.WEEKLY:
        first -= (dtstart.weekday() - rule.week_start) % WEEK
    length = WEEK if rule.freq is Freq.WEEKLY else 1
    first += step * length
    if first > LAST_DAY:
        return None
    return [date.fromordinal(one) for one in range(max(first, 1), min(first + length, LAST_DAY + 1))]


def _days_of_month(rule: Rule, year: int, month: int) -> list[date]:
    last = monthrange(year, month)[1]
    if rule.monthdays:
        numbers = {one if one > 0 else last + 1 + one for one in rule.monthdays}
        return [date(year, month, one) for one in sorted(numbers) if 1 <= one <= last]
    return [date(year, month, one) for one in range(1, last + 1)]


def _fits(rule: Rule, day: date) -> bool:
    """Whether a day is one of the rule's, as far as BYxxx for days say."""
    if rule.months and day.month not in rule.months:
        return False
    last = monthrange(day.year, day.month)[1]
    if rule.monthdays and not {day.day, day.day - last - 1} & rule.monthdays:
        return False
    if rule.yeardays:
        of_year, length = day.timetuple().tm_yday, date(day.year, 12, 31).timetuple().tm_yday
        if not {of_year, of_year - length - 1} & rule.yeardays:
            return False
    if rule.weeks and not set(_week(day, rule.week_start)) & rule.weeks:
        return False
    return not rule.weekdays or not {0, *_which(rule, day)}.isdisjoint(
        which for which, weekday in rule.weekdays if weekday == day.weekday()
    )


def _which(rule: Rule, day: date) -> tuple[int, int]:
    """Which one of its weekday it is in its month or year, from the front and from the back."""
    first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    if rule.freq is Freq.MONTHLY or rule.months:
        first = day.replace(day=1)
        last = day.replace(day=monthrange(day.year, day.month)[1])
    return (day - first).days // WEEK + 1, -((last - day).days // WEEK + 1)


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of its week, from the front and from the back (RFC 5545: the first has four days)."""
    for year in (day.year + 1, day.year, day.year - 1):
        start = _first_week(year, week_start)
        if day.toordinal() >= start:
            weeks = (_first_week(year + 1, week_start) - start) // WEEK
            number = (day.toordinal() - start) // WEEK + 1
            return number, number - weeks - 1
    raise AssertionError("every day is in a week")


def _first_week(year: int, week_start: int) -> int:
    """The ordinal of the first day of the year's first week; years past the calendar's end are reckoned."""
    new_year = date(min(max(year, 1), MAXYEAR), 1, 1).toordinal() + 366 * (year - min(max(year, 1), MAXYEAR))
    apart = (new_year - 1 - week_start) % WEEK  # Monday, 1 January of the year 1, has the ordinal 1
    return new_year - apart if apart <= MOST_BEFORE else new_year + WEEK - apart


# --- by the hour, minute and second ---------------------------------------------------------------


def _fast(rule: Rule, dtstart: datetime, since: datetime, budget: Budget) -> Iterator[datetime]:
    """Steps of less than a day; a stretch without any occurrence is stepped over at once."""
    step = SECONDS[rule.freq] * rule.interval
    period = max(0, int((since - dtstart).total_seconds()) // step - 1)
    while budget.take():
        try:
            now = dtstart + timedelta(seconds=period * step)
            later = _next_fitting(rule, now)
        except OverflowError:
            return
        if later is not None:
            period = -int(-(later - dtstart).total_seconds() // step)
            continue
        period += 1
        moments = [
            now.replace(minute=minute, second=second)
            for minute in (rule.minutes if rule.freq is Freq.HOURLY else (now.minute,))
            for second in (rule.seconds if rule.freq is not Freq.SECONDLY else (now.second,))
        ]
        for moment in _placed(rule, moments) if rule.positions else moments:
            if not budget.take():
                return
            yield moment


def _next_fitting(rule: Rule, now: datetime) -> datetime | None:
    """Where to look next, if this period has none: the next day, hour or minute."""
    hour, day = now.replace(minute=0, second=0), now.replace(hour=0, minute=0, second=0)
    if not _fits(rule, now.date()):
        return day + timedelta(days=1)
    if rule.hours and now.hour not in rule.hours:
        return hour + timedelta(hours=1)
    if rule.freq > Freq.HOURLY and rule.minutes and now.minute not in rule.minutes:
        return now.replace(second=0) + timedelta(minutes=1)
    if rule.freq is Freq.SECONDLY and rule.seconds and now.second not in rule.seconds:
        return now + timedelta(seconds=1)
    return None
