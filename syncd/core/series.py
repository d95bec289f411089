"""Edits of a series or of one occurrence, as a person makes them in the CRM. Pure."""

from dataclasses import replace
from datetime import datetime

from connectors.calendar import Component, Timing, When, zone_info


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
        start, end = When(start.local, start.zone), start
    return replace(series, timing=Timing(None if first is None else start, end), recurrence_id=recurrence_id)


def in_zone_of(when: When, model: When | None) -> When:
    """The same moment as a wall-clock time in the zone of `model`, where both zones are known."""
    if model is None or when.zone == model.zone or when.is_date or model.is_date:
        return when
    zone, wanted = zone_info(when.zone) if when.zone else None, zone_info(model.zone) if model.zone else None
    if zone is None or wanted is None or not isinstance(when.local, datetime):
        return when
    return When(when.local.replace(tzinfo=zone).astimezone(wanted).replace(tzinfo=None), model.zone)
