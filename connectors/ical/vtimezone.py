"""The VTIMEZONE of an IANA zone, from this machine's rules (RFC 5545 section 3.6.5)."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from connectors.ical.draft import component
from connectors.ical.lines import Node
from connectors.ical.values import escape

_LAST = 2037  # what compiled zone files hold; the pattern of these years goes on
_STEADY = 5  # years in a row that make a pattern


class _Onset(NamedTuple):
    local: datetime  # naive: the wall clock just before the change
    before: timedelta
    after: timedelta
    name: str
    summer: bool

    @property
    def pattern(self) -> tuple[object, ...]:
        """What a rule a year has in common: month, weekday, week from the end, time and clocks."""
        return (self.local.month, self.local.weekday(), self.local.time(), self.before, self.after, self.name)

    @property
    def week(self) -> int:
        return (self.local.day - 1) // 7 + 1

    @property
    def last(self) -> bool:
        return (self.local + timedelta(days=7)).month != self.local.month


def timezone(name: str, year: int, end: bytes) -> Node:
    """A VTIMEZONE that is right from the start of `year` on. `name` is a zone that this machine knows."""
    node = component("VTIMEZONE", [("TZID", "", escape(name))], end)
    node.entries += [
        component(kind, list(lines), end) for kind, lines in _parts(name, min(max(year, 1602), _LAST - 6))
    ]
    return node


_Part = tuple[str, tuple[tuple[str, str, str], ...]]


@lru_cache(maxsize=256)
def _parts(name: str, year: int) -> tuple[_Part, ...]:
    zone = ZoneInfo(name)
    onsets = _onsets(zone, year - 1)
    first = datetime(year - 1, 1, 1, tzinfo=UTC).astimezone(zone)
    offset = first.utcoffset() or timedelta()
    begin = _Onset(datetime(year - 1, 1, 1), offset, offset, first.tzname() or "", bool(first.dst()))  # noqa: DTZ001
    rules = _steady(onsets)
    parts = [_part(begin, "")]
    ruled = {id(onset) for run, _ in rules for onset in run}
    parts += [_part(onset, "") for onset in onsets if id(onset) not in ruled]
    parts += [_part(run[0], rule) for run, rule in rules]
    return tuple(parts)


def _onsets(zone: ZoneInfo, year: int) -> list[_Onset]:
    """Every change of the clocks from the start of a year to the end of the last one that is looked at."""
    found: list[_Onset] = []
    at, stop = datetime(year, 1, 1, tzinfo=UTC), datetime(_LAST + 1, 1, 1, tzinfo=UTC)
    state = _state(zone, at)
    while at < stop:
        later = at + timedelta(days=7)
        if _state(zone, later) != state:
            low, high = at, later
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
                low, high = (middle, high) if _state(zone, middle) == state else (low, middle)
            after = high.astimezone(zone)
            before = state[0]
            local = (high + before).replace(tzinfo=None)
            state = _state(zone, high)
            found.append(_Onset(local, before, state[0], after.tzname() or "", bool(after.dst())))
            at = high
        else:
            at = later
    return found


def _state(zone: ZoneInfo, at: datetime) -> tuple[timedelta, str | None]:
    local = at.astimezone(zone)
    return local.utcoffset() or timedelta(), local.tzname()


def _steady(onsets: list[_Onset]) -> list[tuple[list[_Onset], str]]:
    """The changes that go on every year by a rule up to the last year, with that rule."""
    final = [onset for onset in onsets if onset.local.year == _LAST]
    rules: list[tuple[list[_Onset], str]] = []
    for last in final:
        same = {onset.local.year: onset for onset in onsets if onset.pattern == last.pattern}
        for week in (-1, 1, 2, 3, 4):
            run: list[_Onset] = []
            for year in range(_LAST, 0, -1):
                onset = same.get(year)
                if onset is None or not (onset.last if week < 0 else onset.week == week):
                    break
                run.append(onset)
            if len(run) >= _STEADY:
                day = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")[last.local.weekday()]
                rules.append((run[::-1], f"FREQ=YEARLY;BYMONTH={last.local.month};BYDAY={week}{day}"))
                break
    return rules


def _part(onset: _Onset, rule: str) -> _Part:
    lines = [
        ("DTSTART", "", onset.local.strftime("%Y%m%dT%H%M%S")),
        ("TZOFFSETFROM", "", _offset(onset.before)),
        ("TZOFFSETTO", "", _offset(onset.after)),
        ("TZNAME", "", escape(onset.name)),
    ]
    if rule:
        lines.insert(1, ("RRULE", "", rule))
    return ("DAYLIGHT" if onset.summer else "STANDARD"), tuple(lines)


def _offset(offset: timedelta) -> str:
    seconds = int(offset.total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{minutes:02}" + (f"{rest:02}" if rest else "")
