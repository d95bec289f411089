"""One occurrence of a series, as a person names it: by the day it falls on, or by day and time."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item, Status, When, zone_info
from connectors.ical.values import read_when as read_value
from store.errors import Invalid
from syncd.core.recurrence import is_occurrence, occurrences
from syncd.core.series import in_zone_of, natural
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
        raise Invalid(f"occurrence: the series has none on {text.strip()}")
    if len(found) > 1:
        times = ", ".join(sorted(one.local.isoformat(sep=" ") for one in found.values()
                                 if isinstance(one.local, datetime)))  # fmt: skip
        raise Invalid(f"occurrence: there are several on {text.strip()}: name one of {times}")
    return next(iter(found.values()))


def recurring(item: Item) -> Component:
    """The series. Raises Invalid for what happens once."""
    if item.main.key or not item.main.timing.recurs:
        raise Invalid("occurrence: the event happens once: leave the option out")
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


def component_at(item: Item, place: When) -> Component:
    """What happens there: the changed occurrence, else what the series says."""
    return item.by_key.get(place.key()) or natural(item.main, place)


def changed_at(item: Item, component: Component) -> Item:
    """The item with that occurrence in place of what stood there; one that says nothing new is left out."""
    others = [one for one in item.components if one.key != component.key]
    place = component.recurrence_id
    if place is not None and component == natural(item.main, place):
        return replace(item, components=tuple(others))
    return replace(item, components=tuple(sorted([*others, component], key=lambda one: one.key)))


def cancelled_at(item: Item, place: When) -> Item:
    """The item without that occurrence (EXDATE)."""
    series = recurring(item)
    timing = series.timing
    exdates = {one.key(): one for one in (*timing.exdates, place)}
    series = replace(series, timing=replace(timing, exdates=tuple(exdates[key] for key in sorted(exdates))))
    others = [one for one in item.components[1:] if one.key != place.key()]
    return replace(item, components=(series, *others))


def restored_at(item: Item, text: str, floating: ZoneInfo) -> Item:
    """The item with an occurrence as the series says it: one that was cancelled takes place again, one that
    was changed is what it was. Raises Invalid where there is nothing to put back."""
    series = recurring(item)
    zone = series.timing.start.zone if series.timing.start else ""
    asked = read_when("occurrence", text, zone or floating.key)
    excluded = [one for one in series.timing.exdates if _same(in_zone_of(one, series.timing.start), asked)]
    if len(excluded) == 1:
        exdates = tuple(one for one in series.timing.exdates if one != excluded[0])
        series = replace(series, timing=replace(series.timing, exdates=exdates))
        return replace(item, components=(series, *item.components[1:]))
    if excluded:
        raise Invalid(f"occurrence: several were cancelled on {text.strip()}: name the time too")
    place = place_of(item, text, floating)
    if place.key() not in item.by_key:
        raise Invalid(f"occurrence: the one of {text.strip()} is as the series says it: nothing to restore")
    return replace(item, components=tuple(one for one in item.components if one.key != place.key()))


def followed(before: Item, series: Component, floating: ZoneInfo) -> Item:
    """The item with its series changed: what single occurrences had in common with it follows, and so do
    their places when the series begins at another time. Raises Invalid where one would lose its place."""
    old = before.main
    shift = _shift(old, series)
    dates = [*old.timing.exdates, *(one.recurrence_id for one in before.components[1:] if one.recurrence_id)]
    if shift is None and dates:
        raise Invalid(
            "start: single occurrences were changed or cancelled, so the series cannot go between whole days "
            "and times, or to another zone: restore them first"
        )
    step = shift or timedelta()
    timing = replace(
        series.timing,
        exdates=tuple(_by(one, step) for one in old.timing.exdates),
        rdates=tuple(_by(one, step) for one in old.timing.rdates),
    )
    series = replace(series, timing=timing)
    others = []
    for one in before.components[1:]:
        place = one.recurrence_id
        if place is None:
            continue
        same_time = one.timing == natural(old, place).timing
        here = _by(place, step)
        own = natural(series, here).timing if same_time else one.timing
        others.append(replace(_following(one, old, series), recurrence_id=here, timing=own))
    item = replace(before, components=(series, *sorted(others, key=lambda one: one.key)))
    for one in others:
        if is_occurrence(replace(item, components=(series,)), one.key, floating=floating) is False:
            day = one.recurrence_id.local.isoformat() if one.recurrence_id else ""
            raise Invalid(
                f"start: the changed occurrence of {day[:10]} would have no place in the series any more: "
                "restore or cancel it first"
            )
    return item


def _following(one: Component, old: Component, new: Component) -> Component:
    """What the occurrence had as the series had it becomes what the series has now."""
    values = {
        name: getattr(new, name)
        for name in ("subject", "location", "notes", "status", "privacy", "busy", "alarms", "categories",
                     "video_url")
        if getattr(one, name) == getattr(old, name) and one.status is not Status.CANCELLED
    }  # fmt: skip
    return replace(one, **values)


def _shift(old: Component, new: Component) -> timedelta | None:
    """By how much the start moves on the clock; None where that cannot be said."""
    first, second = old.timing.start, new.timing.start
    if first is None or second is None or first.is_date != second.is_date or first.zone != second.zone:
        return None
    return second.local - first.local


def _by(when: When, step: timedelta) -> When:
    return replace(when, local=when.local + step) if step else when


def place_of_key(item: Item, key: str) -> When:
    """The place that a key stands for: in UTC, in a zone, or a day. Raises Invalid where it is none."""
    text, _, zone = key.partition("@")
    try:
        when = read_value(text, zone)
    except ValueError:
        raise Invalid(f"the series has no occurrence {key}") from None
    return in_zone_of(when, item.main.timing.start)
