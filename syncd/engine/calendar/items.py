"""Between the CRM's rows and the canonical item: what of an event the two sides have in common.

`item_of` is what the CRM holds; `settled` is what the CRM will hold of an item that comes in (a subject is
never empty and not longer than its column); `draft_of` is the rows for it. For every item
`item_of(draft_of(settled(item))) == settled(item)`: taking something in is never a change to send out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

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
from connectors.ical.canonical import canonical
from connectors.ical.zones import offset_of
from connectors.meetings import STANDARD, Providers
from store.calendar import (
    EventStatus,
    Origin,
    ParticipantKind,
    ResponseKind,
    TaskPurpose,
    TaskState,
)
from store.calendar import Privacy as StoredPrivacy
from store.calendar_rows import EventDraft, EventRecord, EventRow, ParticipantRow, TaskRecord
from syncd.core.canonical import Unit, component_from_json, component_json, value_from_json, value_json
from syncd.engine.calendar import video
from syncd.engine.calendar.people import People
from syncd.engine.calendar.words import BUILT_IN, Types

Zones = tuple[tuple[str, str], ...]

LONGEST_SUBJECT = 255
LONGEST_ALARM = 40_320  # minutes: four weeks (R080); a longer one stays in `alarms`
UNTITLED = "(Sans objet)"  # R077

STATUSES = {
    Status.CONFIRMED: EventStatus.CONFIRMED,
    Status.TENTATIVE: EventStatus.TENTATIVE,
    Status.CANCELLED: EventStatus.CANCELLED,
    Status.OPEN: EventStatus.CONFIRMED,
    Status.DONE: EventStatus.CONFIRMED,
}
STATES = {Status.OPEN: TaskState.OPEN, Status.DONE: TaskState.DONE, Status.CANCELLED: TaskState.CANCELLED}
FROM_STATES = {state: status for status, state in STATES.items()}


@dataclass(frozen=True, slots=True)
class Setting:
    """What an event is read with: whose calendar it came from, and who is known."""

    owner_id: int  # the user of that calendar
    people: People
    floating: ZoneInfo  # the workspace's zone: stands in for floating times and unknown zones
    providers: Providers = STANDARD  # whose links lead into a meeting
    types: Types = BUILT_IN  # what categories say


def settled(item: Item) -> Item:
    """What the CRM will hold of the item."""
    components = tuple(_settled(one) for one in item.components)
    same = all(new is old for new, old in zip(components, item.components, strict=True))
    return canonical(item if same else replace(item, components=components))


def _settled(component: Component) -> Component:
    public = component.privacy is Privacy.PUBLIC
    subject = (component.subject.strip() or (UNTITLED if public else ""))[:LONGEST_SUBJECT]
    return component if subject == component.subject else replace(component, subject=subject)


# --- events ---------------------------------------------------------------------------------------


def item_of(record: EventRecord) -> Item:
    """The event as the CRM holds it."""
    main = record.main.values
    return Item(
        uid=main["uid"],
        kind=Kind.EVENT,
        components=tuple(_component(row) for row in record.rows),
        sequence=main["sequence"],
        crm_id=str(record.id),
        zones=tuple((name, text) for name, text in main["zones"]),
    )


def _component(row: EventRow) -> Component:
    values = row.values
    timing = value_from_json(Unit.TIMING, values["timing"])
    recurrence = None if values["recurrence"] is None else value_from_json(Unit.TIMING, values["recurrence"])
    if not isinstance(timing, Timing) or not isinstance(recurrence, Timing | None):
        raise TypeError("timing is not a timing")  # unreachable: the unit tells the type
    return Component(
        timing=timing,
        recurrence_id=None if recurrence is None else recurrence.start,
        this_and_future=bool(values["recurrence"] and values["recurrence"].get("this_and_future")),
        subject=values["subject"],
        location=values["location"],
        notes=values["notes"],
        status=Status[values["status"].name],
        privacy=Privacy[values["privacy"].name],
        busy=values["busy"],
        alarms=frozenset(values["alarms"]),
        categories=frozenset(values["categories"]),
        organizer=values["organizer"],
        attendees=tuple(
            Attendee(one.email, Response[one.response.name], one.display_name)
            for one in row.participants
            if one.attending
        ),
        video_url=video.said_link(values),
    )


def draft_of(item: Item, setting: Setting, known: EventRecord | None) -> EventDraft:
    """The rows for a settled item. What only the CRM has is kept from the event that is `known` already."""
    rows = {row.key: row for row in known.rows} if known else {}
    return EventDraft(
        tuple(
            _row(item, component, setting, rows.get(component.key) or (known.main if known else None))
            for component in item.components
        )
    )


def _row(item: Item, component: Component, setting: Setting, known: EventRow | None) -> EventRow:
    timing, people = component.timing, setting.people
    start, end = span(timing, setting.floating, item.zones)
    participants = _participants(component, people)
    organizer = people.user(component.organizer) if component.organizer else None
    link = people.link(participants, component.subject)
    met = video.columns(component, known, setting.providers, setting.types)
    mark = met.pop(video.MARK)
    when = value_json(timing)
    if not isinstance(when, dict):
        raise TypeError("a timing is an object")  # unreachable
    values: dict[str, Any] = {
        "uid": item.uid,
        "recurrence_key": component.key,
        "recurrence_id": _moment(component.recurrence_id, setting.floating, item.zones),
        "recurrence": _recurrence(component),
        "subject": component.subject,
        "start": start,
        "end": end,
        "tz": timing.start.zone if timing.start else "",
        "all_day": timing.all_day,
        "series_rrule": timing.rrule or None,
        "timing": {**when, video.MARK: mark} if mark else when,
        "zones": [list(one) for one in item.zones],
        "alarm_minutes": alarm_minutes(component.alarms),
        "alarms": sorted(component.alarms),
        "categories": sorted(component.categories),
        **met,
        "notes": component.notes,
        "location": component.location,
        "privacy": StoredPrivacy[component.privacy.name],
        "busy": component.busy,
        "status": STATUSES[component.status],
        "organizer": component.organizer,
        "sequence": item.sequence,
        "editable": component.privacy is Privacy.PUBLIC
        and (not component.organizer or organizer is not None),
        "hidden": False,
    }
    if known is None:
        values |= {
            "owner_id": organizer or setting.owner_id,
            "account_id": link.account_id,
            "opportunity_id": link.opportunity_id,
            "case_file_id": None,
            "internal_notes": "",
            "alt_address": component.location or None,
            "alt_lat": None,
            "alt_lon": None,
            "origin": Origin.PROVIDER,
        }
    else:
        values |= _kept(known.values, component, link.account_id, link.opportunity_id)
    return EventRow(values, participants)


def _kept(
    known: Mapping[str, Any], component: Component, account: int | None, opportunity: int | None
) -> dict[str, Any]:
    """What only the CRM has stays as it is; what a client cannot have said is not taken for said."""
    kept = {
        name: known[name]
        for name in ("owner_id", "account_id", "opportunity_id", "case_file_id", "internal_notes",
                     "alt_address", "alt_lat", "alt_lon", "origin")
    }  # fmt: skip
    if kept["account_id"] is None:
        kept["account_id"], kept["opportunity_id"] = account, kept["opportunity_id"] or opportunity
    if component.location != known["location"]:
        kept |= {"alt_address": component.location or None, "alt_lat": None, "alt_lon": None}
    return kept


def _recurrence(component: Component) -> dict[str, Any] | None:
    if component.recurrence_id is None:
        return None
    found = value_json(Timing(start=component.recurrence_id))
    if not isinstance(found, dict):
        raise TypeError("a timing is an object")  # unreachable
    return {**found, "this_and_future": True} if component.this_and_future else found


def _participants(component: Component, people: People) -> tuple[ParticipantRow, ...]:
    rows = [
        _participant(
            attendee.email,
            attendee.name,
            attendee.response,
            people,
            organizes=attendee.email == component.organizer,
            attends=True,
        )
        for attendee in component.attendees
    ]
    if component.organizer and component.attendee(frozenset({component.organizer})) is None:
        rows.append(
            _participant(component.organizer, "", Response.ACCEPTED, people, organizes=True, attends=False)
        )
    return tuple(sorted(rows, key=lambda row: row.email))


def _participant(
    email: str, name: str, response: Response, people: People, *, organizes: bool, attends: bool
) -> ParticipantRow:
    user, contact = people.user(email), people.contact(email)
    kind = ParticipantKind.USER if user else ParticipantKind.CONTACT if contact else ParticipantKind.EMAIL
    return ParticipantRow(
        email=email,
        kind=kind,
        user_id=user,
        contact_id=None if user else contact,
        display_name=name,
        response=ResponseKind[response.name],
        is_organizer=organizes,
        attending=attends,
    )


# --- tasks ----------------------------------------------------------------------------------------


def item_of_task(record: TaskRecord) -> Item:
    """The task as the CRM holds it."""
    values = record.values
    timing = value_from_json(Unit.TIMING, values["timing"])
    if not isinstance(timing, Timing):
        raise TypeError("timing is not a timing")  # unreachable
    main = Component(
        timing=timing,
        subject=values["subject"],
        location=values["location"],
        notes=values["notes"],
        status=FROM_STATES[values["state"]],
        privacy=Privacy[values["privacy"].name],
        busy=False,
        alarms=frozenset(values["alarms"]),
        categories=frozenset(values["categories"]),
        organizer=values["organizer"],
        completed=values["done_at"] if values["state"] is TaskState.DONE else None,
    )
    overrides = tuple(component_from_json(one) for one in values["overrides"])
    return Item(
        uid=values["uid"],
        kind=Kind.TASK,
        components=(main, *overrides),
        crm_id=str(record.id),
        zones=tuple((name, text) for name, text in values["zones"]),
    )


def task_values(item: Item, setting: Setting, known: TaskRecord | None) -> dict[str, Any]:
    """The columns of a task for a settled item."""
    main = item.main
    due = main.timing.end
    values: dict[str, Any] = {
        "uid": item.uid,
        "subject": main.subject,
        "due_date": None if due is None else _day(due),
        "timing": value_json(main.timing),
        "zones": [list(one) for one in item.zones],
        "overrides": [component_json(one) for one in item.components[1:]],
        "notes": main.notes,
        "location": main.location,
        "alarms": sorted(main.alarms),
        "categories": sorted(main.categories),
        "privacy": StoredPrivacy[main.privacy.name],
        "state": STATES.get(main.status, TaskState.OPEN),
        "done_at": main.completed,
        "organizer": main.organizer,
        "hidden": False,
    }
    if known is None:
        values |= {
            "assignee_id": setting.owner_id,
            "account_id": None,
            "contact_id": None,
            "opportunity_id": None,
            "event_id": None,
            "purpose": TaskPurpose.USER,
            "origin": Origin.PROVIDER,
        }
    return values


def settled_task(item: Item) -> Item:
    """What the CRM will hold of a task: as of an event, but for what a task has no place for."""
    return replace(
        settled(item),
        components=tuple(
            replace(one, busy=False, attendees=(), video_url="") if one.recurrence_id is None else one
            for one in settled(item).components
        ),
    )


# --- times ----------------------------------------------------------------------------------------


def span(timing: Timing, floating: ZoneInfo, zones: Zones = ()) -> tuple[datetime, datetime]:
    """Start and end in UTC, for queries. `zones` define what this machine does not know."""
    start = timing.start or timing.end
    if start is None:
        raise ValueError("an event has a start")
    first = moment(start, floating, zones)
    return first, first if timing.end is None else max(first, moment(timing.end, floating, zones))


def moment(when: When, floating: ZoneInfo, zones: Zones = ()) -> datetime:
    """The moment in UTC, also in a zone that only its definition describes."""
    definition = dict(zones).get(when.zone)
    if definition is not None and isinstance(when.local, datetime):
        offset = offset_of(definition, when.local)
        if offset is not None:
            return (when.local - offset).replace(tzinfo=UTC)
    return when.instant(floating)


def alarm_minutes(alarms: frozenset[str]) -> int | None:
    """The minutes before the start of the alarm that comes last; None where there is none of that kind."""
    minutes = (minutes_before(alarm) for alarm in alarms)
    found = [one for one in minutes if one is not None and one <= LONGEST_ALARM]
    return min(found, default=None)


def minutes_before(alarm: str) -> int | None:
    """Whole minutes before the start; None for an alarm of another kind."""
    if alarm == "PT0S":
        return 0
    if not alarm.startswith("-P") or ";" in alarm or ":" in alarm:
        return None
    factors = {"W": 10080, "D": 1440, "H": 60, "M": 1}
    total, digits = 0, ""
    for char in alarm[2:]:
        if char.isdecimal():
            digits += char
        elif char in factors and digits:
            total, digits = total + int(digits) * factors[char], ""
        elif char != "T":
            return None
    return total


def _moment(when: When | None, floating: ZoneInfo, zones: Zones) -> datetime | None:
    return None if when is None else moment(when, floating, zones)


def _day(when: When) -> date:
    return when.local.date() if isinstance(when.local, datetime) else when.local
