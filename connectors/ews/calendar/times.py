"""When an item of Exchange takes place: moments in UTC and names of zones become times of a calendar, and the
start of an occurrence becomes the place that it has in its series. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.calendar import UTC_ZONE, Kind, Timing, When, zone_info
from connectors.ews.calendar.definitions import local_in
from connectors.ews.calendar.native import Native, Unreadable
from connectors.ews.calendar.recurrence import Series, place, rule_of, series_of, settled
from connectors.ews.calendar.shadow import Shadow, shadow_of
from connectors.ews.calendar.zones import iana_of, windows_of
from connectors.ical.reading import default_end, ordered

# Servers are known to give the start of an exception an hour off (exchangelib's issue 291).
_OFF = timedelta(hours=2)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Clock:
    """On what clock a moment of an item is read."""

    native: Native  # which knows the zones that are in no table
    zone: str
    owners: str  # IANA name: where the owner's whole days begin

    def local(self, moment: datetime) -> datetime:
        """The naive time that it shows; `fold` tells the second of two."""
        if self.zone in self.native.clocks:
            shown = local_in(self.native.clocks[self.zone], moment)
            if shown is None:
                raise Unreadable(f"its time zone ({self.zone[:60]!r}) is none that is known")
            return shown
        return moment.astimezone(zone_info(self.zone) or ZoneInfo(UTC_ZONE)).replace(tzinfo=None)

    def when(self, moment: datetime) -> When:
        """The moment on it; where it shows that time twice, the second time, in UTC."""
        if self.native.all_day:
            return When(self._day(moment))
        local = self.local(moment)
        return When(moment.replace(tzinfo=None), UTC_ZONE) if local.fold else When(local, self.zone)

    def _day(self, moment: datetime) -> date:
        """The day that begins then: in its zone, in UTC, and at the owner's where it names no zone but that
        (programs that write over EWS without StartTimeZone)."""
        shown = [self.local(moment), moment.replace(tzinfo=None)]
        if self.zone == UTC_ZONE:
            shown.append(moment.astimezone(zone_info(self.owners) or ZoneInfo(UTC_ZONE)).replace(tzinfo=None))
        for one in shown:
            if one.time() == datetime.min.time():
                return one.date()
        raise Unreadable("a whole day that does not begin at midnight in its time zone")


def timing_of(native: Native, shadow: Shadow, owners: str) -> Timing:
    """When an event happens. `owners` is the zone of the mailbox's owner.

    Raises Unreadable, Inexpressible.
    """
    if native.start is None or native.end is None:
        raise Unreadable("an event without a start or an end")
    first = zone_of(native, native.start_zone, shadow.zones[0], native.start.year)
    last = zone_of(native, native.end_zone or native.start_zone, shadow.zones[1], native.start.year)
    clock = _Clock(native, first, owners)
    start = clock.when(native.start)
    end = _Clock(native, last, owners).when(native.end)
    if native.all_day and end.local <= start.local:
        end = default_end(start)
    if native.series is None:
        return Timing(start, end)
    rule = _rule(native.series, shadow.rrule, start)
    gone = [_placed(clock, start, one) or clock.when(one) for one in native.deleted]
    return Timing(start, end, rrule=rule, exdates=ordered([*gone, *shadow.exdates]))


def days_of(native: Native, shadow: Shadow) -> Timing:
    """When a task is to be done. Raises Unreadable, Inexpressible."""
    start = None if native.first_day is None else When(native.first_day)
    end = None if native.due_day is None else When(native.due_day)
    if shadow.times is not None:
        kept = tuple(None if one is None else day_of(one) for one in shadow.times)
        if kept == (native.first_day, native.due_day):
            start, end = shadow.times
    first = start or end
    if native.series is None or first is None:
        return Timing(start, end)
    return Timing(start, end, rrule=_rule(native.series, shadow.rrule, first))


def day_of(when: When) -> date:
    """The day of a time."""
    return when.local.date() if isinstance(when.local, datetime) else when.local


def _rule(series: Series, kept: str, start: When) -> str:
    if kept:
        try:
            if series_of(kept, start) == settled(series):
                return kept
        except (ValueError, KeyError):
            pass  # another start now: what is kept means nothing any more
    return rule_of(series, start)


def zone_of(native: Native, name: str, kept: str, year: int) -> str:
    """The IANA zone of a zone of Exchange, `kept` where that is one of those it stands for; its own name
    where it is in no table and described."""
    known = iana_of(name) if name else UTC_ZONE
    if known is None and name in native.clocks:
        return name
    if known is None:
        raise Unreadable(f"its time zone ({name[:60]!r}) is none that is known")
    if kept and zone_info(kept) is not None and iana_of(windows_of(kept, year) or "") == known:
        return kept
    return known


# --- places of a series ---------------------------------------------------------------------------


def place_of(native: Native, shadow: Shadow, master: Native | None, owners: str) -> When | None:
    """Where the series has an occurrence (RECURRENCE-ID), in the form of the series' start; None for what is
    none. Raises Unreadable where it has none there."""
    if native.kind is Kind.TASK or native.original is None or native.type == "RecurringMaster":
        return None
    of = native if master is None else master
    kept = shadow.zones[0] if master is None else shadow_of(of.own.get("state", "")).zones[0]
    clock = _Clock(of, zone_of(of, of.start_zone, kept, native.original.year), owners)
    if master is None:
        return _alone(clock, native.original)
    if master.series is None or master.start is None:
        return clock.when(native.original)
    zone = zone_of(of, of.start_zone, kept, master.start.year)
    found = _placed(clock, _Clock(of, zone, owners).when(master.start), native.original)
    if found is None:
        raise Unreadable("a changed occurrence that is none of its series")
    return found


def _alone(clock: _Clock, original: datetime) -> When:
    """Of an occurrence whose series is not here. The global id of a meeting holds the day of an occurrence
    and no time (MS-OXOCAL section 2.2.1.27): where midnight is all that is said of it, the time is its own,
    as long as the day is."""
    native, told = clock.native, clock.when(original)
    if native.start is None or original == native.start or told.is_date:
        return told
    start = clock.when(native.start)
    days = {one.date() for one in (original, clock.local(original)) if one.time() == datetime.min.time()}
    if not days:
        return told
    if day_of(start) in days:
        return start
    raise Unreadable("it does not say which occurrence of a series it is")


def _placed(clock: _Clock, start: When, moment: datetime) -> When | None:
    """The place of the series that is meant by a moment: there, not far from there, or the one of that day;
    None where that is none, or not one."""
    native, timing = clock.native, Timing(start)
    told = clock.when(moment)
    if is_place(native, timing, told):
        return told
    if not isinstance(start.local, datetime) or native.series is None:
        return None
    shown = _Clock(native, start.zone, clock.owners).local(moment).replace(fold=0)
    around = [When(one, start.zone) for one in _around(shown, start.local)]
    near = [one for one in around if is_place(native, timing, one) and abs(_since(one, shown)) <= _OFF]
    midnight = moment.time() == datetime.min.time()  # perhaps no more than a day
    day = moment.date() if midnight else shown.date()
    same = [one for one in around if is_place(native, timing, one) and day_of(one) == day]
    found = {one.key(): one for one in ((*near, *same) if midnight else near or same)}
    return next(iter(found.values())) if len(found) == 1 else None


def _around(shown: datetime, start: datetime) -> Iterator[datetime]:
    """The times of the day at which the series begins, around that moment."""
    for days in (-1, 0, 1):
        yield datetime.combine(shown.date() + days * _DAY, start.time())


def _since(one: When, shown: datetime) -> timedelta:
    return shown - one.local if isinstance(one.local, datetime) else timedelta.max


def is_place(native: Native, timing: Timing, at: When) -> bool:
    """Whether the series has an occurrence at that time."""
    if native.series is None or timing.start is None or at.is_date != timing.start.is_date:
        return False
    same = (
        not isinstance(at.local, datetime)
        or not isinstance(timing.start.local, datetime)
        or (at.zone == timing.start.zone and at.local.time() == timing.start.local.time())
    )
    day = day_of(at)
    return (
        same
        and place(native.series.pattern, native.series.start, day)
        and (native.series.end is None or day <= native.series.end)
    )
