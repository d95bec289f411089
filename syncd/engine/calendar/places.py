"""One occurrence of a series, as a person names it: by the day it falls on, or by day and time. What becomes
of it is `syncd.core.series`."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.language import Phrase
from connectors.calendar import Component, Item, When, zone_info
from connectors.ical.values import read_when as read_value
from store.errors import Invalid
from syncd.core.recurrence import occurrences
from syncd.core.series import in_zone_of, restored
from syncd.engine.calendar.clocks import read_when

FEW = 50  # occurrences of one day that are looked at


def place_of(item: Item, text: str, floating: ZoneInfo) -> When:
    """Where in the series the occurrence stands (its RECURRENCE-ID): by the day that the series gives it,
    else by the day that it was moved to. Raises Invalid where there is none, or more than one."""
    series = recurring(item)
    zone = series.timing.start.zone if series.timing.start else ""
    asked = read_when("occurrence", text, zone or floating.key)
    found = _in_place(item, series, asked, floating) or _moved_to(item, asked)
    if not found:
        raise Invalid(Phrase("occurrence: the series has none on {text}", text=text.strip()))
    if len(found) > 1:
        times = ", ".join(sorted(one.local.isoformat(sep=" ") for one in found.values()
                                 if isinstance(one.local, datetime)))  # fmt: skip
        raise Invalid(
            Phrase(
                "occurrence: there are several on {text}: name one of {times}", text=text.strip(), times=times
            )
        )
    return next(iter(found.values()))


def recurring(item: Item) -> Component:
    """The series. Raises Invalid for what happens once."""
    if item.main.key or not item.main.timing.recurs:
        raise Invalid(Phrase("occurrence: the event happens once: leave the option out"))
    return item.main


def _in_place(item: Item, series: Component, asked: When, floating: ZoneInfo) -> dict[str, When]:
    found = {
        one.key: one.recurrence_id
        for one in item.components
        if one.recurrence_id is not None and _same(in_zone_of(one.recurrence_id, series.timing.start), asked)
    }
    bare = replace(item, components=(series,))
    start, end = _around(asked, series, floating)
    for occurrence in occurrences(bare, start, end, floating=floating, cap=FEW).found:
        first = occurrence.when.start
        if first is not None and _same(in_zone_of(first, series.timing.start), asked):
            found.setdefault(occurrence.key, first)
    return found


def _moved_to(item: Item, asked: When) -> dict[str, When]:
    return {
        one.key: one.recurrence_id
        for one in item.components
        if one.recurrence_id is not None and one.timing.start and _same(one.timing.start, asked)
    }


def _same(when: When, asked: When) -> bool:
    """Whether it is that time, or on that day where only a day was named."""
    if not asked.is_date and not when.is_date:
        return when.local == asked.local
    day = when.local.date() if isinstance(when.local, datetime) else when.local
    wanted = asked.local.date() if isinstance(asked.local, datetime) else asked.local
    return day == wanted


def _around(asked: When, series: Component, floating: ZoneInfo) -> tuple[datetime, datetime]:
    day = asked.local.date() if isinstance(asked.local, datetime) else asked.local
    zone = series.timing.start.zone if series.timing.start else ""
    begin = datetime.combine(day, time(), tzinfo=(zone_info(zone) if zone else None) or floating)
    return begin, begin + timedelta(days=1)


def restored_at(item: Item, text: str, floating: ZoneInfo) -> Item:
    """The item with an occurrence as the series says it: one that was cancelled takes place again, one that
    was changed is what it was. Raises Invalid where there is nothing to put back."""
    series = recurring(item)
    zone = series.timing.start.zone if series.timing.start else ""
    asked = read_when("occurrence", text, zone or floating.key)
    excluded = [one for one in series.timing.exdates if _same(in_zone_of(one, series.timing.start), asked)]
    if len(excluded) > 1:
        raise Invalid(
            Phrase("occurrence: several were cancelled on {text}: name the time too", text=text.strip())
        )
    place = excluded[0] if excluded else place_of(item, text, floating)
    if not excluded and place.key() not in item.by_key:
        raise Invalid(
            Phrase(
                "occurrence: the one of {text} is as the series says it: nothing to restore",
                text=text.strip(),
            )
        )
    return restored(item, place)


def place_of_key(item: Item, key: str) -> When:
    """The place that a key stands for: in UTC, in a zone, or a day. Raises Invalid where it is none."""
    text, _, zone = key.partition("@")
    try:
        when = read_value(text, zone)
    except ValueError:
        raise Invalid(Phrase("the series has no occurrence {key}", key=key)) from None
    return in_zone_of(when, item.main.timing.start)
