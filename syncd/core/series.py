"""Edits of a series or of one occurrence, as a person makes them in the CRM. Pure.

One occurrence is changed by an override, keyed by the place the series gives it; it is cancelled by taking
its place out of the series. Whoever calls has made sure that the place is one (`recurrence.is_occurrence`).
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.calendar import Component, Item, Status, Timing, When, zone_info
from syncd.core.canonical import Unit, Value, value_of, with_value


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


def change_occurrence(item: Item, place: When, change: Mapping[Unit, Value]) -> Item:
    """The item with other values in one occurrence. Raises ValueError where there is no series."""
    override = occurrence_of(item, place)
    for unit, value in change.items():
        override = with_value(override, unit, value)
    return _with(item, override)


def move_occurrence(item: Item, place: When, start: When, end: When) -> Item:
    """The item with one occurrence at another time; `end` is exclusive."""
    return change_occurrence(item, place, {Unit.TIMING: Timing(start, end)})


def cancel_occurrence(item: Item, place: When, *, tell: bool = False) -> Item:
    """The item without one occurrence. With `tell` it stays, as cancelled, so that guests and the history
    can see it; otherwise its place is taken out of the series (EXDATE), which every client understands."""
    if tell:
        return change_occurrence(item, place, {Unit.STATUS: _cancelled(occurrence_of(item, place))})
    series, key = _series(item), place.key()
    exdates = {one.key(): one for one in series.timing.exdates} | {key: place}
    timing = replace(series.timing, exdates=tuple(exdates[one] for one in sorted(exdates)))
    kept = tuple(one for one in item.components if one.key not in {"", key})
    return replace(item, components=(replace(series, timing=timing), *kept))


def restore_occurrence(item: Item, place: When) -> Item:
    """The item with one occurrence as the series says it: neither cancelled nor changed."""
    series, key = _series(item), place.key()
    exdates = tuple(one for one in series.timing.exdates if one.key() != key)
    kept = tuple(one for one in item.components if one.key not in {"", key})
    restored = replace(series, timing=replace(series.timing, exdates=exdates))
    return replace(item, components=(restored, *kept))


def occurrence_of(item: Item, place: When) -> Component:
    """One occurrence, changed or not. Raises ValueError where there is no series."""
    found = item.by_key.get(place.key())
    return natural(_series(item), place) if found is None else found


# --- the whole series -----------------------------------------------------------------------------


def change_series(item: Item, change: Mapping[Unit, Value]) -> Item:
    """The item with other values in the series, and in each occurrence that still had the series' old value.

    Where only the time of day or the length of the series moved, cancelled and changed occurrences move with
    it. Where the rule, the day or the zone changed they stay as they are: whether their places are still
    places is for the caller to see.
    """
    series = item.main
    changed = series
    for unit, value in change.items():
        changed = with_value(changed, unit, value)
    moved = _moved(series.timing, changed.timing)
    if moved is not None and series.timing.exdates == changed.timing.exdates:
        exdates = tuple(_shifted(one, moved) for one in series.timing.exdates)
        rdates = changed.timing.rdates
        if rdates == series.timing.rdates:
            rdates = tuple(_shifted(one, moved) for one in rdates)
        changed = replace(changed, timing=replace(changed.timing, exdates=exdates, rdates=rdates))
    overrides = [_followed(series, changed, one, moved, change) for one in item.components if one.key]
    first = (changed,) if not series.key else ()
    return replace(item, components=(*first, *sorted(overrides, key=lambda one: one.key)))


def _followed(
    series: Component,
    changed: Component,
    override: Component,
    moved: timedelta | None,
    change: Mapping[Unit, Value],
) -> Component:
    if override.recurrence_id is None:
        return override
    place = override.recurrence_id if moved is None else _shifted(override.recurrence_id, moved)
    before = natural(series, override.recurrence_id)
    found = replace(override, recurrence_id=place)
    for unit in change:
        if unit is Unit.TIMING:
            if moved is not None and override.timing == before.timing:
                found = replace(found, timing=natural(changed, place).timing)
        elif value_of(override, unit) == value_of(before, unit):
            found = with_value(found, unit, value_of(changed, unit))
    return found


def _moved(before: Timing, after: Timing) -> timedelta | None:
    """By how much the time of day moved, if nothing else but the length changed; None otherwise."""
    old, new = before.start, after.start
    if old is None or new is None or old.zone != new.zone or before.rrule != after.rrule:
        return None
    if (
        old.is_date
        or new.is_date
        or not isinstance(old.local, datetime)
        or not isinstance(new.local, datetime)
    ):
        return timedelta() if old == new else None
    return new.local - old.local if new.local.date() == old.local.date() else None


def _shifted(when: When, apart: timedelta) -> When:
    return when if when.is_date else When(when.local + apart, when.zone)


def _series(item: Item) -> Component:
    if item.main.key:
        raise ValueError("only one occurrence of this series is known: the series itself is somebody else's")
    if not item.main.timing.recurs:
        raise ValueError("it happens once only: there is no occurrence to change apart from it")
    return item.main


def _cancelled(component: Component) -> Value:
    return value_of(replace(component, status=Status.CANCELLED, completed=None), Unit.STATUS)


def _with(item: Item, override: Component) -> Item:
    components = {**item.by_key, override.key: override}
    return replace(item, components=tuple(components[key] for key in sorted(components)))
