"""The occurrences of an item in a stretch of time. They are worked out to show or count them, never stored.

Series recur in wall-clock time, in the zone of their start: 10:00 stays 10:00 when the clocks change. Times
that a rule puts into a gap of its zone do not exist and are left out (RFC 5545 section 3.3.10). Pure; every
answer costs a bounded number of steps, whatever the rule.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from heapq import merge as in_order
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item, Timing, When, zone_info
from syncd.core.rrule import Budget, Rule, expand, parse

MARGIN = timedelta(hours=2)  # more than clocks are ever put back: later moments with an earlier time
CAP = 1000

Offset = Callable[[str, datetime], timedelta | None]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that something happens."""

    key: str  # of its place in the series, wherever it was moved; empty for what does not recur
    component: Component  # the series, or what changed this one; its status tells a cancelled one
    when: Timing  # wall-clock start and end of this one
    start: datetime  # UTC
    end: datetime  # UTC, exclusive


@dataclass(frozen=True, slots=True)
class Occurrences:
    """What was found, by start; `truncated` where there are or may be more."""

    found: tuple[Occurrence, ...]
    truncated: bool


def occurrences(
    item: Item,
    start: datetime,
    end: datetime,
    *,
    floating: ZoneInfo,
    cap: int = CAP,
    offset_of: Offset | None = None,
) -> Occurrences:
    """What of the item happens between two aware moments, cancelled occurrences included.

    `floating` is the zone of dates and floating times. `offset_of` tells the UTC offset of a zone that this
    machine does not know, at a wall-clock time there; None from it means `floating` too.
    """
    return _Expansion(item, Clock(floating, offset_of)).between(
        start.astimezone(UTC), end.astimezone(UTC), cap
    )


def last_end(
    item: Item, *, floating: ZoneInfo, cap: int = CAP * 20, offset_of: Offset | None = None
) -> datetime | None:
    """When the last occurrence is over, in UTC; None: never, or nobody can tell."""
    return _Expansion(item, Clock(floating, offset_of)).last_end(cap)


def is_occurrence(
    item: Item, key: str, *, floating: ZoneInfo, offset_of: Offset | None = None
) -> bool | None:
    """Whether the series has an occurrence in that place, an override or not; None: nobody can tell."""
    return _Expansion(item, Clock(floating, offset_of)).has(key)


def lacks(item: Item, places: Mapping[str, When], *, floating: ZoneInfo) -> frozenset[str]:
    """Which of these places, RECURRENCE-IDs by any name, the series has not, for certain: one walk along it,
    however many they are."""
    return _Expansion(item, Clock(floating, None)).lacks(places)


def exists(when: When) -> bool:
    """Whether the clocks of its zone ever show that time: False in the gap when they go forward."""
    zone = zone_info(when.zone) if when.zone else None
    if zone is None or not isinstance(when.local, datetime):
        return True
    try:
        there = when.local.replace(tzinfo=zone)
        return there.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == when.local
    except OverflowError:
        return False


class Clock:
    """Wall-clock time to moments."""

    def __init__(self, floating: ZoneInfo, offset_of: Offset | None) -> None:
        self._floating, self._offset_of = floating, offset_of

    def instant(self, when: When) -> datetime:
        unknown = when.zone and zone_info(when.zone) is None
        if self._offset_of is not None and unknown and isinstance(when.local, datetime):
            offset = self._offset_of(when.zone, when.local)
            if offset is not None:
                return (when.local - offset).replace(tzinfo=UTC)
        return when.instant(self._floating)

    def local(self, moment: datetime, zone: str) -> datetime:
        """A UTC moment as naive wall-clock time of that zone."""
        naive = moment.replace(tzinfo=None)
        if self._offset_of is not None and zone and zone_info(zone) is None:
            offset = self._offset_of(zone, naive)
            if offset is not None:
                return naive + offset
        wanted = (zone_info(zone) if zone else None) or self._floating
        return naive.replace(tzinfo=UTC).astimezone(wanted).replace(tzinfo=None)


def _naive(when: When) -> datetime:
    local = when.local
    return local if isinstance(local, datetime) else datetime(local.year, local.month, local.day)  # noqa: DTZ001


class _Places:
    """Places of a series that EXDATEs or RECURRENCE-IDs name, however they are written: some clients name a
    place of a timed series by its day, or without the zone."""

    def __init__(self, whens: dict[str, When]) -> None:
        self._any = bool(whens)
        self._keys = {when.key(): key for key, when in whens.items()}
        self._days = {when.local: key for key, when in whens.items() if when.is_date}
        self._floating = {
            when.local: key for key, when in whens.items() if not when.is_date and not when.zone
        }

    def of(self, when: When) -> str | None:
        """What names that place."""
        if not self._any:
            return None
        local = when.local
        day = local.date() if isinstance(local, datetime) else local
        return self._keys.get(when.key()) or self._floating.get(local) or self._days.get(day)


class _Expansion:
    """The expansion of one item."""

    def __init__(self, item: Item, clock: Clock) -> None:
        self._clock = clock
        self._series = None if item.main.key else item.main
        self._overrides = {one.key: one for one in item.components if one.key}
        self._budget = Budget()
        self._broken = False
        timing = self._series.timing if self._series is not None else Timing()
        self._first = timing.start or timing.end
        self._length = _length(timing)
        self._excluded = _Places({one.key(): one for one in timing.exdates})
        self._changed = _Places(
            {key: one.recurrence_id for key, one in self._overrides.items() if one.recurrence_id is not None}
        )
        ranges = [
            one for one in self._overrides.values() if one.this_and_future and one.recurrence_id is not None
        ]
        self._ranges = sorted(ranges, key=lambda one: _naive(one.recurrence_id or When(date.min)))

    def between(self, start: datetime, end: datetime, cap: int) -> Occurrences:
        found = [self._moved(key, one) for key, one in self._overrides.items()]
        kept = [one for one in found if one is not None and _overlaps(one, start, end)]
        more = False
        reach = max([self._length, *(_shift(one) for one in self._ranges)], default=timedelta())
        back = max((-_shift(one) for one in self._ranges), default=timedelta())
        zone = self._first.zone if self._first is not None else ""
        since = _minus(self._clock.local(start, zone), reach + MARGIN)
        until = _minus(self._clock.local(end, zone), -(max(back, timedelta()) + MARGIN))
        seen = 0
        for when in self._places(since):
            if _naive(when) > until:
                break
            if self._excluded.of(when) is not None or self._changed.of(when) is not None:
                continue
            occurrence = self._natural(when)
            if occurrence is not None and _overlaps(occurrence, start, end):
                kept.append(occurrence)
                seen += 1
            if seen > cap:
                more = True
                break
        kept.sort(key=lambda one: (one.start, one.key))
        truncated = more or len(kept) > cap or self._budget.spent or self._broken
        return Occurrences(tuple(kept[:cap]), truncated)

    def last_end(self, cap: int) -> datetime | None:
        rules = self._rules()
        if self._broken or any(rule.endless or (rule.count or 0) > cap for rule in rules):
            return None
        moved = (self._moved(key, part) for key, part in self._overrides.items())
        ends = [one.end for one in moved if one is not None]
        last: When | None = None
        for number, when in enumerate(self._places(datetime.min)):  # noqa: DTZ901 - wall-clock
            if number >= cap:
                return None
            if self._excluded.of(when) is None and self._changed.of(when) is None:
                last = when
        natural = None if last is None else self._natural(last)
        ends += [] if natural is None else [natural.end]
        return None if self._budget.spent or not ends else max(ends)

    def has(self, key: str) -> bool | None:
        if self._series is None or self._first is None:
            return None
        if not self._series.timing.recurs:
            return key in {"", self._first.key()}
        wanted = _local_of_key(key)
        if wanted is None:
            return None
        if key.endswith("Z"):
            wanted = self._clock.local(wanted, self._first.zone)
        for when in self._places(_minus(wanted, MARGIN)):
            if when.key() == key:
                return self._excluded.of(when) is None
            if _naive(when) > _minus(wanted, -MARGIN):
                return False
        return None if self._budget.spent or self._broken else False

    def lacks(self, places: Mapping[str, When]) -> frozenset[str]:
        if self._series is None or self._first is None or not places:
            return frozenset()
        named, missing = _Places(dict(places)), set(places)
        if not self._series.timing.recurs:
            missing.discard(named.of(self._first) or "")
            return frozenset(missing)
        near = [self._clock.local(self._clock.instant(one), self._first.zone) for one in places.values()]
        last = _minus(max(near), -(MARGIN + timedelta(days=1)))  # a day is named by its midnight
        for when in self._places(_minus(min(near), MARGIN)):
            if not missing or _naive(when) > last:
                break
            if self._excluded.of(when) is None:
                missing.discard(named.of(when) or "")
        return frozenset() if self._budget.spent or self._broken else frozenset(missing)

    # --- parts ------------------------------------------------------------------------------------

    def _rules(self) -> list[Rule]:
        """The series' rules; one that cannot be read marks the expansion as incomplete."""
        found: list[Rule] = []
        if self._series is None or self._first is None:
            return found
        first = self._first
        for line in self._series.timing.rrule.splitlines():
            try:
                rule = parse(
                    line,
                    _naive(first),
                    whole_days=first.is_date,
                    local=lambda moment: self._clock.local(moment, first.zone),
                )
            except (ValueError, OverflowError):
                self._broken = True
                continue
            found.append(rule)
        return found

    def _places(self, since: datetime) -> Iterator[When]:
        """Where the series happens of itself, ascending in wall-clock time, each once, excluded ones too."""
        if self._series is None or self._first is None:
            return
        first, timing = self._first, self._series.timing
        dates = sorted((one for one in timing.rdates), key=_naive)
        streams: list[Iterator[tuple[datetime, When]]] = [iter([(_naive(first), first)])]
        streams.append((_naive(one), one) for one in dates if _naive(one) >= since)
        streams += [self._ruled(rule, first, since) for rule in self._rules()]
        seen: set[When] = set()
        at: datetime | None = None
        for local, when in in_order(*streams, key=lambda pair: pair[0]):
            if local != at:
                seen, at = set(), local
            if when not in seen:
                seen.add(when)
                yield when

    def _ruled(self, rule: Rule, first: When, since: datetime) -> Iterator[tuple[datetime, When]]:
        def there(local: datetime) -> bool:
            return first.is_date or exists(When(local, first.zone))

        for local in expand(rule, _naive(first), since=since, budget=self._budget, exists=there):
            yield local, When(local.date() if first.is_date else local, first.zone)

    def _natural(self, when: When) -> Occurrence | None:
        """An occurrence without an override of its own: of the series, or of a change from then on."""
        series, key = self._series, when.key()
        if series is None:
            return None
        if not series.timing.recurs:
            return self._made("", series, series.timing)
        source, start, length = series, when, self._length
        for change in self._ranges:
            if change.recurrence_id is not None and _naive(change.recurrence_id) <= _naive(when):
                begins = change.timing.start or change.timing.end or when
                local = when.local + _shift(change) if begins.is_date == when.is_date else begins.local
                source, start, length = change, When(local, begins.zone), _length(change.timing)
        last = source.timing.end
        end = When(start.local + length, last.zone if last is not None else start.zone)
        has_start = source.timing.start is not None
        return self._made(key, source, Timing(start if has_start else None, end if has_start else start))

    def _moved(self, key: str, override: Component) -> Occurrence | None:
        return self._made(key, override, override.timing)

    def _made(self, key: str, component: Component, timing: Timing) -> Occurrence | None:
        first, last = timing.start or timing.end, timing.end or timing.start
        if first is None or last is None:
            return None
        try:
            start, end = self._clock.instant(first), self._clock.instant(last)
        except OverflowError:
            return None
        return Occurrence(key, component, Timing(timing.start, timing.end), start, max(start, end))


def _length(timing: Timing) -> timedelta:
    """Its length in wall-clock time."""
    if timing.start is None or timing.end is None:
        return timedelta()
    return max(timedelta(), _naive(timing.end) - _naive(timing.start))


def _shift(override: Component) -> timedelta:
    """How far it was moved, in wall-clock time."""
    start = override.timing.start or override.timing.end
    if start is None or override.recurrence_id is None:
        return timedelta()
    return _naive(start) - _naive(override.recurrence_id)


def _overlaps(one: Occurrence, start: datetime, end: datetime) -> bool:
    return one.start < end and (one.end > start or one.start >= start)


def _minus(moment: datetime, apart: timedelta) -> datetime:
    """The naive moment so much earlier, within what a calendar can say."""
    try:
        return moment - apart
    except OverflowError:
        return datetime.min if apart > timedelta() else datetime.max  # noqa: DTZ901 - wall-clock


def _local_of_key(key: str) -> datetime | None:
    """About when the place of that key is; None where it is no key."""
    text = key.partition("@")[0].removesuffix("Z")
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d")  # noqa: DTZ007
    except ValueError:
        return None
