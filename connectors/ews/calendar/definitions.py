"""Time zones that are in no table: what Exchange says of their clocks, as a VTIMEZONE (RFC 5545, 3.6.5).

A zone that changes its rules from one year on has several groups of transitions; such a one is Unreadable
where no table knows its name, since an event in it would be shown an hour off.
"""

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree.ElementTree import Element

from connectors.ews.calendar.native import Unreadable
from connectors.ews.calendar.recurrence import DAYS, LAST, Pattern, Shape, place
from connectors.ews.calendar.xml import T, local, text_of
from connectors.ical.values import escape
from connectors.ical.zones import offset_of

_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SPAN = re.compile(r"(-?)PT(?:([0-9]{1,3})H)?(?:([0-9]{1,4})M)?(?:([0-9]{1,5})(?:\.0+)?S)?\Z")
_DAY_SPAN = re.compile(r"(-?)P0?D?T?\Z")
_EPOCH = date(1971, 1, 1)
_WIDEST = timedelta(hours=16)


def definition_of(zone: Element) -> str:
    """The VTIMEZONE that a TimeZoneDefinition describes. Raises Unreadable."""
    periods = {
        one.get("Id", ""): -_span(one.get("Bias", "")) for one in zone.findall(f"{T}Periods/{T}Period")
    }
    groups = {
        one.get("Id", ""): list(one) for one in zone.findall(f"{T}TransitionsGroups/{T}TransitionsGroup")
    }
    used = [text_of(one, "To") for one in zone.findall(f"{T}Transitions/*")]
    name = zone.get("Id", "")
    if len(used) != 1 or used[0] not in groups or not name:
        raise Unreadable(f"its time zone ({name[:60]!r}) is none that is known")
    transitions = groups[used[0]]
    offsets = [periods.get(text_of(one, "To")) for one in transitions]
    found = [one for one in offsets if one is not None]
    if not found or len(found) < len(offsets) or any(abs(one) > _WIDEST for one in found):
        raise Unreadable(f"its time zone ({name[:60]!r}) is none that is known")
    parts = [
        _observance(one, was=found[number - 1], now=found[number]) for number, one in enumerate(transitions)
    ]
    return "\r\n".join(["BEGIN:VTIMEZONE", f"TZID:{escape(name)}", *parts, "END:VTIMEZONE"])


def local_in(definition: str, moment: datetime) -> datetime | None:
    """What the clocks show at a moment; None where they never show it only once."""
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    for hours in (0, -1, 1):
        guess = offset_of(definition, naive + timedelta(hours=hours))
        if guess is not None and offset_of(definition, naive + guess) == guess:
            return naive + guess
    return None


def _observance(transition: Element, *, was: timedelta, now: timedelta) -> str:
    kind = "DAYLIGHT" if now > was else "STANDARD"
    lines = [f"BEGIN:{kind}"]
    if local(transition) == "Transition":
        lines.append("DTSTART:19710101T000000")
        was = now
    elif local(transition) == "RecurringDayTransition":
        lines += _yearly(transition)
    else:
        raise Unreadable("a time zone whose clocks change on a date of its own")
    return "\r\n".join([*lines, f"TZOFFSETFROM:{_offset(was)}", f"TZOFFSETTO:{_offset(now)}", f"END:{kind}"])


def _yearly(transition: Element) -> list[str]:
    day, number = text_of(transition, "DayOfWeek"), text_of(transition, "Occurrence")
    month, clock = text_of(transition, "Month"), _span(text_of(transition, "TimeOffset"))
    indexes = {"-1": LAST, "5": LAST, **{str(one): one for one in range(1, 5)}}
    if day not in _DAY_NAMES or number not in indexes or not month.isdigit() or not 1 <= int(month) <= 12:  # noqa: PLR2004
        raise Unreadable("a time zone whose clocks change on a day that is none")
    weekday, index = DAYS[_DAY_NAMES.index(day)], indexes[number]
    pattern = Pattern(Shape.YEARLY_BY_DAY, days=(weekday,), index=index, month=int(month))
    first = next(
        one for one in (_EPOCH + timedelta(days=days) for days in range(366)) if place(pattern, _EPOCH, one)
    )
    start = datetime(first.year, first.month, first.day) + clock  # noqa: DTZ001 - a wall clock
    return [f"DTSTART:{start:%Y%m%dT%H%M%S}", f"RRULE:FREQ=YEARLY;BYDAY={index}{weekday};BYMONTH={month}"]


def _span(text: str) -> timedelta:
    """xs:duration, of hours, minutes and seconds."""
    found = _SPAN.match(text)
    if found is None:
        if _DAY_SPAN.match(text):
            return timedelta()
        raise Unreadable("a time zone whose clocks cannot be read")
    sign, hours, minutes, seconds = found.groups("0")
    span = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds))
    return -span if sign == "-" else span


def _offset(span: timedelta) -> str:
    minutes, seconds = divmod(abs(int(span.total_seconds())), 60)
    sign = "-" if span < timedelta() else "+"
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{seconds:02}" if seconds else "")
