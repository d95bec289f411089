"""Recurrence against two oracles: dateutil for the rule alone, recurring_ical_events for whole series."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import icalendar
import recurring_ical_events
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from connectors.calendar import Component, Item, Kind, Timing, When
from syncd.core.recurrence import exists, is_occurrence, occurrences
from syncd.core.rrule import DAYS, Budget, expand, parse

PARIS = ZoneInfo("Europe/Paris")
ZONES = ("Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC")
MANY = 40


def some(values: st.SearchStrategy[int], most: int = 3) -> st.SearchStrategy[str]:
    numbers = st.lists(values, min_size=1, max_size=most, unique=True)
    return numbers.map(lambda found: ",".join(map(str, found)))


def signed(most: int) -> st.SearchStrategy[int]:
    return st.integers(-most, most).filter(bool)


@st.composite
def rules(draw: st.DrawFn, freqs: tuple[str, ...] = ()) -> str:
    """Rules that may mean something, and some that never match."""
    every = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY")
    freq = draw(st.sampled_from(freqs or every))
    parts = [f"FREQ={freq}"]
    if draw(st.booleans()):
        parts.append(f"INTERVAL={draw(st.integers(1, 5))}")
    limits = {
        "BYMONTH": some(st.integers(1, 12)),
        "BYMONTHDAY": some(signed(31)),
        "BYYEARDAY": some(signed(366)),
        "BYHOUR": some(st.integers(0, 23), 2),
        "BYMINUTE": some(st.integers(0, 59), 2),
    }
    if freq == "YEARLY":
        limits["BYWEEKNO"] = some(signed(53))
    numbered = freq in {"YEARLY", "MONTHLY"}
    # dateutil wants "MO" and "1TU" in one rule to hold together; RFC 5545 wants either of them.
    which = st.sampled_from(["1", "2", "-1", "5"] if numbered and draw(st.booleans()) else [""])
    day = st.tuples(which, st.sampled_from(DAYS)).map("".join)
    limits["BYDAY"] = st.lists(day, min_size=1, max_size=3, unique=True).map(",".join)
    names = draw(st.lists(st.sampled_from(sorted(limits)), max_size=2, unique=True))
    parts += [f"{name}={draw(limits[name])}" for name in names]
    # dateutil begins the first week of a BYSETPOS at DTSTART; RFC 5545 takes the whole week.
    slow = freq in {"YEARLY", "MONTHLY", "DAILY"}
    if slow and any(part.startswith("BY") for part in parts) and draw(st.integers(0, 3)) == 0:
        parts.append(f"BYSETPOS={draw(some(signed(4), 2))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(DAYS))}")
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 60))}")
    return ";".join(parts)


EARLY = datetime(2019, 1, 1)  # noqa: DTZ001 - wall-clock
starts = st.integers(0, 10 * 365 * 86400).map(lambda seconds: EARLY + timedelta(seconds=seconds))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules(), starts)
def test_a_rule_expands_as_dateutil_expands_it(text: str, start: datetime) -> None:
    budget = Budget()
    rule = parse(text, start, whole_days=False, local=lambda moment: moment)
    ours = list(islice(expand(rule, start, since=start, budget=budget, exists=lambda _: True), MANY))
    assume(len(ours) == MANY or not budget.spent)  # else dateutil might never come back
    assume(ours)
    theirs = list(islice(rrulestr(text, dtstart=start), len(ours)))
    event(f"{text.split(';', maxsplit=1)[0]}: {'many' if len(ours) == MANY else 'few'}")
    assert ours == theirs


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rules(), starts, st.integers(0, 3000))
def test_a_rule_looked_at_late_says_the_same_as_from_its_start(text: str, start: datetime, days: int) -> None:
    rule = parse(text, start, whole_days=False, local=lambda moment: moment)
    since = start + timedelta(days=days)
    late, early = Budget(), Budget(60_000)
    found = first_after(since, expand(rule, start, since=since, budget=late, exists=bool))
    wanted = first_after(since, expand(rule, start, since=start, budget=early, exists=bool))
    assume(not early.spent)
    assert found == wanted[: len(found)]
    assert late.spent or found == wanted


def first_after(since: datetime, moments: Iterator[datetime]) -> list[datetime]:
    return list(islice((one for one in moments if one >= since), 10))


def ics(item: Item) -> icalendar.Calendar:
    """The item as iCalendar, without any code of ours that reads or writes it."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN"]
    for one in item.components:
        timing = one.timing
        lines += ["BEGIN:VEVENT", f"UID:{item.uid}", "DTSTAMP:20260101T000000Z", f"SUMMARY:{one.subject}"]
        lines += [line("RECURRENCE-ID", one.recurrence_id)] if one.recurrence_id else []
        lines += [line("DTSTART", timing.start)] if timing.start else []
        lines += [line("DTEND", timing.end)] if timing.end else []
        lines += [f"RRULE:{timing.rrule}"] if timing.rrule else []
        lines += [line("EXDATE", when) for when in timing.exdates]
        lines += [line("RDATE", when) for when in timing.rdates]
        lines.append("END:VEVENT")
    return icalendar.Calendar.from_ical("\r\n".join([*lines, "END:VCALENDAR", ""]))


def line(name: str, when: When) -> str:
    if when.is_date:
        return f"{name};VALUE=DATE:{when.local:%Y%m%d}"
    if when.zone == "UTC":
        return f"{name}:{when.local:%Y%m%dT%H%M%S}Z"
    return f"{name};TZID={when.zone}:{when.local:%Y%m%dT%H%M%S}"


@st.composite
def series(draw: st.DrawFn) -> Item:
    """A series of days or hours, with dates added, cancelled and moved."""
    zone = draw(st.sampled_from(ZONES))
    whole = draw(st.booleans())
    start = draw(starts).replace(second=0, microsecond=0)
    length = (
        timedelta(days=draw(st.integers(1, 3))) if whole else timedelta(minutes=draw(st.integers(1, 2000)))
    )
    freq = draw(st.sampled_from(["DAILY", "DAILY;INTERVAL=3", "WEEKLY", "WEEKLY;BYDAY=MO,TH", "MONTHLY"]))
    if "BYDAY" in freq:
        start -= timedelta(days=start.weekday())
    if freq == "MONTHLY":
        start = start.replace(day=min(start.day, 28))

    def when(local: datetime) -> When:
        return When(local.date()) if whole else When(local, zone)

    count = draw(st.integers(2, 40))
    rrule = f"FREQ={freq};COUNT={count}"
    places = list(rrulestr(rrule, dtstart=start))
    chosen = draw(st.lists(st.sampled_from(places), max_size=6, unique=True))
    cut = draw(st.integers(0, len(chosen)))
    shift = (
        timedelta(days=draw(st.integers(-20, 20)))
        if whole
        else timedelta(minutes=draw(st.integers(-5000, 5000)))
    )
    extra = start + timedelta(days=400) if draw(st.booleans()) else None
    timing = Timing(
        when(start),
        when(start + length),
        rrule,
        rdates=(when(extra),) if extra else (),
        exdates=tuple(when(one) for one in sorted(chosen[:cut])),
    )
    moved = sorted(chosen[cut:])
    overrides = tuple(
        Component(Timing(when(one + shift), when(one + shift + length)), when(one), subject="moved")
        for one in moved
    )
    item = Item("u", Kind.EVENT, (Component(timing, subject="series"), *overrides))
    everything = [*places, *(one + shift for one in moved), *([extra] if extra else [])]
    assume(whole or all(exists(when(one)) and exists(when(one + length)) for one in everything))
    return item


def moment(value: date) -> datetime:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=PARIS).astimezone(UTC)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(series(), st.integers(-30, 400), st.integers(1, 120))
def test_a_series_has_the_occurrences_that_another_reader_finds(item: Item, offset: int, days: int) -> None:
    first = item.main.timing.start
    assert first is not None
    start = first.instant(PARIS) + timedelta(days=offset)
    end = start + timedelta(days=days)
    found = occurrences(item, start, end, floating=PARIS)
    assert not found.truncated
    query = recurring_ical_events.of(ics(item))
    theirs = sorted(
        (moment(one["DTSTART"].dt), moment(one["DTEND"].dt), str(one["SUMMARY"]))
        for one in query.between(start.astimezone(PARIS), end.astimezone(PARIS))
    )
    ours = sorted((one.start, one.end, one.component.subject) for one in found.found)
    event(f"{'some' if ours else 'no'} occurrences, {'some' if len(item.components) > 1 else 'no'} overrides")
    assert ours == theirs


@settings(max_examples=60, deadline=None)
@given(series())
def test_every_place_of_a_series_is_known_as_one(item: Item) -> None:
    timing = item.main.timing
    assert timing.start is not None
    begin = timing.start.instant(PARIS)
    for one in occurrences(item, begin, begin + timedelta(days=2000), floating=PARIS).found:
        assert is_occurrence(item, one.key, floating=PARIS) is True
    for when in timing.exdates:
        assert is_occurrence(item, when.key(), floating=PARIS) is False
