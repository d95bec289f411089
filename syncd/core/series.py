"""Edits of a series or of one occurrence, as a person makes them in the CRM. Pure.

One occurrence is changed by an override, keyed by the place the series gives it; it is cancelled by taking
its place out of the series. Whoever calls has made sure that the place is one (`recurrence.is_occurrence`).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item, Status, Timing, When, zone_info
from syncd.core.recurrence import lacks

# What an occurrence has in common with its series until somebody changes it there.
COMMON = ("subject", "location", "notes", "status", "privacy", "busy", "alarms", "categories", "video_url")


def natural(series: Component, recurrence_id: When) -> Component:
    """The occurrence as the series itself says it: what an override begins from.

    Its time is written in the zone of the series, its length is that of the series in wall-clock time.
    """
    start = in_zone_of(recurrence_id, series.timing.start)
    first, last = series.timing.start, series.timing.end
    end = None
    if first is not None and last is not None and first.is_date == last.is_date == start.is_date:
        end = When(start.local + (last.local - first.local), last.zone)
    elif first is None and last is not None:
        end = start
    return replace(series, timing=Timing(None if first is None else start, end), recurrence_id=recurrence_id)


def in_zone_of(when: When, model: When | None) -> When:
    """The same moment as a wall-clock time in the zone of `model`, where both zones are known."""
    if model is None or when.zone == model.zone or when.is_date or model.is_date:
        return when
    zone = zone_info(when.zone) if when.zone else None
    wanted = zone_info(model.zone) if model.zone else None
    if zone is None or wanted is None or not isinstance(when.local, datetime):
        return when
    return When(when.local.replace(tzinfo=zone).astimezone(wanted).replace(tzinfo=None), model.zone)


# --- one occurrence -------------------------------------------------------------------------------


def occurrence_at(item: Item, place: When) -> Component:
    """What happens there: the changed occurrence, else what the series says."""
    return item.by_key.get(place.key()) or natural(item.main, place)


def with_occurrence(item: Item, component: Component) -> Item:
    """The item with that occurrence in place of what stood there; one that says nothing new is left out."""
    others = [one for one in item.components if one.key != component.key]
    place = component.recurrence_id
    if place is not None and component == natural(item.main, place):
        return replace(item, components=tuple(others))
    return replace(item, components=tuple(sorted([*others, component], key=lambda one: one.key)))


def without_occurrence(item: Item, place: When) -> Item:
    """The item without that occurrence (EXDATE), which every client understands."""
    series, key = item.main, place.key()
    exdates = {one.key(): one for one in (*series.timing.exdates, place)}
    timing = replace(series.timing, exdates=tuple(exdates[one] for one in sorted(exdates)))
    kept = tuple(one for one in item.components if one.key not in {"", key})
    return replace(item, components=(replace(series, timing=timing), *kept))


def restored(item: Item, place: When) -> Item:
    """The item with that occurrence as the series says it: neither cancelled nor changed."""
    series, key = item.main, place.key()
    exdates = tuple(one for one in series.timing.exdates if one.key() != key)
    kept = tuple(one for one in item.components if one.key not in {"", key})
    return replace(item, components=(replace(series, timing=replace(series.timing, exdates=exdates)), *kept))


# --- the whole series -----------------------------------------------------------------------------


class OccurrencesTied(ValueError):
    """Single occurrences were changed or cancelled: the series cannot go between whole days and times, nor to
    another zone."""


class PlaceLost(ValueError):
    """The changed occurrence of a day would have no place in the series any more."""

    def __init__(self, day: str) -> None:
        super().__init__(day)
        self.day = day  # as in 2026-12-15


def followed(before: Item, series: Component, *, floating: ZoneInfo) -> Item:
    """The item with its series changed: what single occurrences had in common with it follows, and so do
    their places when the series begins at another time. Raises OccurrencesTied, and PlaceLost where one would
    lose its place."""
    old = before.main
    shift = _shift(old, series)
    dates = [*old.timing.exdates, *(one.recurrence_id for one in before.components[1:] if one.recurrence_id)]
    if shift is None and dates:
        raise OccurrencesTied
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
    if series.timing == old.timing:
        return item
    places = {one.key: one.recurrence_id for one in others if one.recurrence_id is not None}
    for key in sorted(lacks(replace(item, components=(series,)), places, floating=floating)):
        raise PlaceLost(places[key].local.isoformat()[:10])
    return item


def _following(one: Component, old: Component, new: Component) -> Component:
    """What the occurrence had as the series had it becomes what the series has now."""
    if one.status is Status.CANCELLED:
        return one
    values = {name: getattr(new, name) for name in COMMON if getattr(one, name) == getattr(old, name)}
    return replace(one, **values)


def _shift(old: Component, new: Component) -> timedelta | None:
    """By how much the start moves on the clock; None where that cannot be said."""
    first, second = old.timing.start, new.timing.start
    if first is None or second is None or first.is_date != second.is_date or first.zone != second.zone:
        return None
    return second.local - first.local


def _by(when: When, step: timedelta) -> When:
    return replace(when, local=when.local + step) if step else when
