"""The units of a component, what merges as one thing (design.md section 5), and their values. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

from connectors.calendar import Attendee, Component, Kind, Privacy, Response, Status, Timing


class Unit(StrEnum):
    """What merges independently of the rest of its component."""

    TIMING = "timing"
    SUBJECT = "subject"
    LOCATION = "location"
    NOTES = "notes"
    STATUS = "status"
    PRIVACY = "privacy"
    BUSY = "busy"
    ALARMS = "alarms"
    CATEGORIES = "categories"
    ATTENDEES = "attendees"
    VIDEO = "video"


@dataclass(frozen=True, slots=True)
class Progress:
    """The value of the unit `status`: a task is done at a moment, the two go together."""

    status: Status
    completed: datetime | None = None  # aware, UTC


@dataclass(frozen=True, slots=True)
class People:
    """The value of the unit `attendees`: who invites, and who is invited."""

    organizer: str = ""
    attendees: tuple[Attendee, ...] = ()  # sorted by address, each once


Value: TypeAlias = Timing | str | Progress | Privacy | bool | frozenset[str] | People


_VALUES: Mapping[Unit, Callable[[Component], Value]] = {
    Unit.TIMING: lambda one: one.timing,
    Unit.SUBJECT: lambda one: one.subject,
    Unit.LOCATION: lambda one: one.location,
    Unit.NOTES: lambda one: one.notes,
    Unit.STATUS: lambda one: Progress(one.status, one.completed),
    Unit.PRIVACY: lambda one: one.privacy,
    Unit.BUSY: lambda one: one.busy,
    Unit.ALARMS: lambda one: one.alarms,
    Unit.CATEGORIES: lambda one: one.categories,
    Unit.ATTENDEES: lambda one: People(one.organizer, one.attendees),
    Unit.VIDEO: lambda one: one.video_url,
}


def value_of(component: Component, unit: Unit) -> Value:
    """What the component holds in that unit."""
    return _VALUES[unit](component)


def with_value(component: Component, unit: Unit, value: Value) -> Component:  # noqa: PLR0911 - a table
    """The component with another value in that unit. Raises TypeError where the value is of another unit."""
    match unit, value:
        case Unit.TIMING, Timing():
            return replace(component, timing=value)
        case Unit.SUBJECT, str():
            return replace(component, subject=value)
        case Unit.LOCATION, str():
            return replace(component, location=value)
        case Unit.NOTES, str():
            return replace(component, notes=value)
        case Unit.VIDEO, str():
            return replace(component, video_url=value)
        case Unit.STATUS, Progress():
            return replace(component, status=value.status, completed=value.completed)
        case Unit.PRIVACY, Privacy():
            return replace(component, privacy=value)
        case Unit.BUSY, bool():
            return replace(component, busy=value)
        case Unit.ALARMS, frozenset():
            return replace(component, alarms=value)
        case Unit.CATEGORIES, frozenset():
            return replace(component, categories=value)
        case Unit.ATTENDEES, People():
            return replace(component, organizer=value.organizer, attendees=value.attendees)
    raise TypeError(f"{type(value).__name__} is no value of the unit {unit}")


@lru_cache(maxsize=64)
def default_of(unit: Unit, kind: Kind) -> Value:
    """What a component holds where nobody has said anything."""
    task = kind is Kind.TASK
    empty = Component(Timing(), status=Status.OPEN if task else Status.CONFIRMED, busy=not task)
    return value_of(empty, unit)


def unsaid(unit: Unit, kind: Kind) -> Value:
    """What says nothing in that unit. An event always has a status, so its unsaid one is none of an event's:
    CONFIRMED is as much a word as CANCELLED."""
    return Progress(Status.OPEN) if unit is Unit.STATUS else default_of(unit, kind)


def changed_units(before: Component, after: Component) -> frozenset[Unit]:
    """The units that differ."""
    return frozenset(unit for unit in Unit if value_of(before, unit) != value_of(after, unit))


def unanswered(component: Component) -> Component:
    """The component as if nobody had answered yet."""
    attendees = tuple(replace(one, response=Response.NO_RESPONSE) for one in component.attendees)
    return replace(component, attendees=attendees)
