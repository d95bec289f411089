"""Recurrence patterns and ranges of the schema: the days on which a series takes place.

A day of the month that a month has not is its last day ([MS-OXOCAL]), unlike RFC 5545, where
the month is left out.
"""

import calendar
from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from itertools import count, islice
from xml.etree.ElementTree import Element

from tests.servers.ews.errors import EwsError
from tests.servers.ews.xmlwork import local, read_date, t, text_of

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GROUPS = {"Day": _DAYS, "Weekday": _DAYS[:5], "WeekendDay": _DAYS[5:]}
_INDEX = {"First": 0, "Second": 1, "Third": 2, "Fourth": 3, "Last": -1}
_MONTHS = tuple(calendar.month_name)[1:]
_LAST_YEAR = 2200  # far enough for tests; Exchange's own limit is the year 4500
ENDLESS = 3000


def pattern_of(recurrence: Element) -> Element:
    """The pattern's element: schema order puts it first."""
    return recurrence[0]


def range_of(recurrence: Element) -> Element:
    """The range's element."""
    return recurrence[1]


def days(recurrence: Element) -> Iterator[date]:
    """The days of the series in order; a series without end goes on to the year 2200."""
    pattern, limits = pattern_of(recurrence), range_of(recurrence)
    start = read_date(text_of(limits, "StartDate"))
    found = (day for day in _pattern_days(pattern, start) if day >= start)
    kind = local(limits)
    if kind == "NumberedRecurrence":
        return islice(found, int(text_of(limits, "NumberOfOccurrences")))
    if kind == "EndDateRecurrence":
        end = read_date(text_of(limits, "EndDate"))
        return _until(found, end)
    return found


def is_endless(recurrence: Element) -> bool:
    """Whether the series has no end."""
    return local(range_of(recurrence)) == "NoEndRecurrence"


def _until(found: Iterator[date], end: date) -> Iterator[date]:
    for day in found:
        if day > end:
            return
        yield day


def _interval(pattern: Element) -> int:
    interval = int(text_of(pattern, "Interval", "1"))
    if not 1 <= interval <= 999:
        raise EwsError("ErrorCalendarInvalidRecurrence", f"The interval {interval} is out of range.")
    return interval


def _pattern_days(pattern: Element, start: date) -> Iterator[date]:
    kind = local(pattern)
    if kind in {"DailyRecurrence", "DailyRegeneration"}:
        return _every(start, timedelta(days=_interval(pattern)))
    if kind == "WeeklyRegeneration":
        return _every(start, timedelta(weeks=_interval(pattern)))
    if kind == "WeeklyRecurrence":
        return _weekly(pattern, start)
    if kind in {"AbsoluteMonthlyRecurrence", "RelativeMonthlyRecurrence", "MonthlyRegeneration"}:
        months = _months(start.replace(day=1), _interval(pattern))
    else:
        named = text_of(pattern, "Month")
        month = _MONTHS.index(named) + 1 if named else start.month
        step = _interval(pattern) if kind == "YearlyRegeneration" else 1
        months = _months(date(start.year, month, 1), 12 * step)
    if kind.startswith("Relative"):
        return _relative(pattern, months)
    day = int(text_of(pattern, "DayOfMonth") or start.day)
    return (_clamped(first, day) for first in months)


def _every(start: date, step: timedelta) -> Iterator[date]:
    day = start
    while day.year < _LAST_YEAR:
        yield day
        day += step


def _months(first: date, step: int) -> Iterator[date]:
    for number in count(first.year * 12 + first.month - 1, step):
        if number // 12 >= _LAST_YEAR:
            return
        yield date(number // 12, number % 12 + 1, 1)


def _clamped(first: date, day: int) -> date:
    return first.replace(day=min(day, calendar.monthrange(first.year, first.month)[1]))


def _weekdays(pattern: Element) -> set[int]:
    names = text_of(pattern, "DaysOfWeek").split()
    return {_DAYS.index(day) for name in names for day in _GROUPS.get(name, (name,))}


def _weekly(pattern: Element, start: date) -> Iterator[date]:
    wanted = _weekdays(pattern)
    if not wanted:
        raise EwsError("ErrorCalendarInvalidDayForWeeklyRecurrence", "No day of the week is given.")
    first_day = _DAYS.index(text_of(pattern, "FirstDayOfWeek", "Sunday"))
    week = start - timedelta(days=(start.weekday() - first_day) % 7)
    while week.year < _LAST_YEAR:
        for offset in range(7):
            day = week + timedelta(days=offset)
            if day.weekday() in wanted:
                yield day
        week += timedelta(weeks=_interval(pattern))


def _relative(pattern: Element, months: Iterator[date]) -> Iterator[date]:
    wanted = _weekdays(pattern)
    index = _INDEX[text_of(pattern, "DayOfWeekIndex")]
    for first in months:
        length = calendar.monthrange(first.year, first.month)[1]
        fitting = [n for n in range(1, length + 1) if first.replace(day=n).weekday() in wanted]
        yield first.replace(day=fitting[index])


def starts(recurrence: Element, master_start: datetime, zone: tzinfo) -> Iterator[datetime]:
    """The original starts in UTC: the pattern's days at the master's time of day in its zone."""
    clock = master_start.astimezone(zone).timetz().replace(tzinfo=None)
    for day in days(recurrence):
        yield datetime.combine(day, clock, zone).astimezone(master_start.tzinfo)


def check(recurrence: Element) -> None:
    """Raises where the pattern is not one Exchange takes."""
    if next(days(recurrence), None) is None:
        raise EwsError("ErrorRecurrenceHasNoOccurrence", "The recurrence has no occurrence.")


def with_offsets(recurrence: Element, zone: tzinfo) -> Element:
    """The recurrence with the zone's offset behind its dates, `2026-10-12+02:00`, as Exchange writes them."""
    limits = range_of(recurrence)
    told = Element(limits.tag, limits.attrib)
    for child in limits:
        copied = Element(child.tag, child.attrib)
        copied.text = child.text
        if child.tag in {t("StartDate"), t("EndDate")}:
            copied.text = _with_offset(read_date(child.text or ""), zone)
        told.append(copied)
    result = Element(recurrence.tag, recurrence.attrib)
    result.extend([pattern_of(recurrence), told])
    return result


def _with_offset(day: date, zone: tzinfo) -> str:
    offset = datetime.combine(day, datetime.min.time(), zone).strftime("%z")
    return f"{day.isoformat()}{'Z' if offset == '+0000' else f'{offset[:3]}:{offset[3:5]}'}"
