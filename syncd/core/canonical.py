"""The canonical form of a calendar item: its text for the database, its digest, its redaction.

Pure: no clock, no I/O. What merges as one thing is a *unit*; those stand in `syncd.core.units`.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import NoReturn, TypeAlias

from connectors.calendar import (
    Attendee,
    Component,
    Item,
    Kind,
    Privacy,
    Response,
    Status,
    Timing,
    When,
)
from syncd.core.units import (
    People,
    Progress,
    Unit,
    Value,
    changed_units,
    default_of,
    unanswered,
    unsaid,
    value_of,
    with_value,
)

__all__ = [
    "Json", "People", "Progress", "Unit", "Value", "changed_units", "component_from_json", "component_json",
    "default_of", "digest", "dump", "is_private", "load", "redacted", "unanswered", "unsaid",
    "value_from_json", "value_json", "value_of", "with_value",
]  # fmt: skip

FORM = 1  # of the text in the database: another number is another form

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"


# --- privacy --------------------------------------------------------------------------------------


def is_private(item: Item | None) -> bool:
    """Whether any component is not for everybody: then the whole item is busy time only."""
    return item is not None and any(one.privacy is not Privacy.PUBLIC for one in item.components)


def redacted(item: Item) -> Item:
    """A private item as busy time only (requirements 4.2.5); one that is public, as it is.

    What stays: UID, timing with recurrence and overrides, status, busy, privacy, the id the CRM gave it.
    """
    if not is_private(item):
        return item
    return replace(item, components=tuple(_bare(component) for component in item.components))


def _bare(component: Component) -> Component:
    return Component(
        timing=component.timing,
        recurrence_id=component.recurrence_id,
        this_and_future=component.this_and_future,
        status=component.status,
        privacy=component.privacy,
        busy=component.busy,
        completed=component.completed,
    )


# --- text -----------------------------------------------------------------------------------------


def dump(item: Item) -> str:
    """The item as compact JSON, the same text for the same item. `load` is its exact inverse."""
    return _text({"form": FORM, **_item_json(item, everything=True)})


@lru_cache(maxsize=512)  # both bases of a binding are mostly one text, and asked for twice a cycle
def load(text: str) -> Item:
    """The item that was dumped. Raises ValueError where the text is not of `dump`."""
    try:
        data = _Reader.of(json.loads(text))
        if data.integer("form", 0) != FORM:
            raise ValueError("another form of calendar items")  # noqa: TRY301
        item = Item(
            uid=data.text("uid"),
            kind=Kind(data.text("kind")),
            components=tuple(component_from_json(one) for one in data.list("components")),
            sequence=data.integer("sequence", 0),
            crm_id=data.text("crm_id"),
            companion=data.flag("companion", default=False),
            zones=tuple((_str(name), _str(zone)) for name, zone in map(_pair, data.list("zones"))),
        )
        return item if item.components else _missing("components")
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"what is stored is not a calendar item: {error}") from error


def digest(item: Item) -> str:
    """64 hexadecimal digits of what compares equal. Wall-clock time and zone count, not the moment alone;
    names of participants, SEQUENCE and the definitions of zones do not."""
    return hashlib.sha256(_text(_item_json(item, everything=False)).encode()).hexdigest()


def component_json(component: Component, *, everything: bool = True) -> Mapping[str, Json]:
    """A component for a database or a report; without `everything`, only what is compared."""
    # By hand, for each unit as `value_json` has it: this is most of what storing an event costs.
    found: dict[str, Json] = {
        "timing": _timing_json(component.timing),
        "subject": component.subject,
        "location": component.location,
        "notes": component.notes,
        "status": _progress_json(component.status, component.completed),
        "privacy": component.privacy.value,
        "busy": component.busy,
        "alarms": sorted(component.alarms),
        "categories": sorted(component.categories),
        "attendees": _people_json(component.organizer, component.attendees),
        "video": component.video_url,
    }
    if everything:
        found["names"] = {one.email: one.name for one in component.attendees if one.name}
    if component.recurrence_id is not None:
        found["recurrence_id"] = _when_json(component.recurrence_id)
    if component.this_and_future:
        found["this_and_future"] = True
    return {name: value for name, value in found.items() if value not in ("", [], {})}


_SAYS_NOTHING = Component(Timing())


def component_from_json(data: Json) -> Component:
    """The inverse of `component_json`. Raises ValueError or TypeError."""
    reader = _Reader.of(data)
    recurrence_id = reader.data.get("recurrence_id")
    component = Component(
        timing=_timing(reader.data.get("timing", {})),
        recurrence_id=None if recurrence_id is None else _when(recurrence_id),
        this_and_future=reader.flag("this_and_future", default=False),
    )
    for unit in Unit:
        if unit is not Unit.TIMING and unit.value in reader.data:
            value = value_from_json(unit, reader.data[unit.value])
            if value != value_of(_SAYS_NOTHING, unit):  # copying a component costs more than comparing
                component = with_value(component, unit, value)
    names = _Reader.of(reader.data.get("names", {}))
    if not names.data:
        return component
    named = tuple(replace(one, name=names.text(one.email)) for one in component.attendees)
    return replace(component, attendees=named)


def value_json(value: Value) -> Json:
    """The value of a unit for a database or a report."""
    match value:
        case Timing():
            return _timing_json(value)
        case Progress(status, completed):
            return _progress_json(status, completed)
        case Privacy():
            return value.value
        case frozenset():
            return sorted(value)
        case People(organizer, attendees):
            return _people_json(organizer, attendees)
        case bool() | str():
            return value


def _progress_json(status: Status, completed: datetime | None) -> Json:
    return [status.value] if completed is None else [status.value, completed.astimezone(UTC).isoformat()]


def _people_json(organizer: str, attendees: Sequence[Attendee]) -> Json:
    people: dict[str, Json] = {"organizer": organizer} if organizer else {}
    if attendees:
        people["attendees"] = [[one.email, one.response.value] for one in attendees]
    return people


def value_from_json(unit: Unit, data: Json) -> Value:  # noqa: PLR0911 - a table
    """The inverse of `value_json`, which has no names of participants. Raises ValueError or TypeError."""
    match unit:
        case Unit.TIMING:
            return _timing(data)
        case Unit.STATUS:
            status, *completed = _list(data)
            return Progress(
                Status(_str(status)), datetime.fromisoformat(_str(completed[0])) if completed else None
            )
        case Unit.PRIVACY:
            return Privacy(_str(data))
        case Unit.ALARMS | Unit.CATEGORIES:
            return frozenset(_str(one) for one in _list(data))
        case Unit.ATTENDEES:
            reader = _Reader.of(data)
            lines = [_pair(one) for one in reader.list("attendees")]
            attendees = tuple(Attendee(_str(email), Response(_str(answer))) for email, answer in lines)
            return People(reader.text("organizer"), attendees)
        case Unit.BUSY:
            if not isinstance(data, bool):
                raise TypeError("busy is not true or false")
            return data
        case Unit.SUBJECT | Unit.LOCATION | Unit.NOTES | Unit.VIDEO:
            return _str(data)


def _item_json(item: Item, *, everything: bool) -> dict[str, Json]:
    found: dict[str, Json] = {
        "uid": item.uid,
        "kind": item.kind.value,
        "components": [component_json(one, everything=everything) for one in item.components],
    }
    if item.companion:
        found["companion"] = True
    if everything:
        found |= {
            "sequence": item.sequence,
            "crm_id": item.crm_id,
            "zones": [list(one) for one in item.zones],
        }
    return {name: value for name, value in found.items() if value not in ("", 0, [])}


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _text(data: Mapping[str, Json]) -> str:
    return _ENCODER.encode(data)


def _when_json(when: When) -> Json:
    return [when.local.isoformat(), when.zone] if when.zone else when.local.isoformat()


def _when(data: Json) -> When:
    local, zone = (data, "") if isinstance(data, str) else _pair(data)
    written = _str(local)
    return When(
        datetime.fromisoformat(written) if "T" in written else date.fromisoformat(written), _str(zone)
    )


def _timing_json(timing: Timing) -> Json:
    found: dict[str, Json] = {
        "rrule": timing.rrule,
        "rdates": [_when_json(one) for one in timing.rdates],
        "exdates": [_when_json(one) for one in timing.exdates],
    }
    if timing.start is not None:
        found["start"] = _when_json(timing.start)
    if timing.end is not None:
        found["end"] = _when_json(timing.end)
    return {name: value for name, value in found.items() if value not in ("", [])}


def _timing(data: Json) -> Timing:
    reader = _Reader.of(data)
    start, end = reader.data.get("start"), reader.data.get("end")
    return Timing(
        start=None if start is None else _when(start),
        end=None if end is None else _when(end),
        rrule=reader.text("rrule"),
        rdates=tuple(_when(one) for one in reader.list("rdates")),
        exdates=tuple(_when(one) for one in reader.list("exdates")),
    )


def _str(data: Json) -> str:
    if not isinstance(data, str):
        raise TypeError(f"text expected, {type(data).__name__} found")
    return data


def _list(data: Json) -> Sequence[Json]:
    if not isinstance(data, list):
        raise TypeError(f"a list expected, {type(data).__name__} found")
    return data


def _missing(name: str) -> NoReturn:
    raise ValueError(f"{name} are missing")


def _pair(data: Json) -> tuple[Json, Json]:
    first, second = _list(data)
    return first, second


@dataclass(frozen=True, slots=True)
class _Reader:
    """An object of JSON, read with a check of each type."""

    data: Mapping[str, Json]

    @classmethod
    def of(cls, data: Json) -> "_Reader":
        if not isinstance(data, dict):
            raise TypeError(f"an object expected, {type(data).__name__} found")
        return cls(data)

    def text(self, name: str) -> str:
        return _str(self.data.get(name, ""))

    def integer(self, name: str, default: int) -> int:
        found = self.data.get(name, default)
        if not isinstance(found, int):
            raise TypeError(f"{name} is not a number")
        return found

    def flag(self, name: str, *, default: bool) -> bool:
        found = self.data.get(name, default)
        if not isinstance(found, bool):
            raise TypeError(f"{name} is not true or false")
        return found

    def list(self, name: str) -> Sequence[Json]:
        return _list(self.data.get(name, []))
