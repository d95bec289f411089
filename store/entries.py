"""Events and tasks for people: one with all that hangs on it, and those of a stretch of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import visible
from store.activities import ActivityType
from store.actors import Actor
from store.calendar import (
    Event,
    EventParticipant,
    EventStatus,
    ParticipantKind,
    ResponseKind,
    Task,
    TaskState,
)
from store.calendar_rows import EventRecord, EventRow, ParticipantRow, TaskRecord, events, tasks
from store.custom_fields import ValueListItem
from store.errors import NotFound
from store.reports import account_names, logins, opportunity_names

ANSWERS = {
    ResponseKind.ACCEPTED: "Accepté",
    ResponseKind.TENTATIVE: "Provisoire",
    ResponseKind.NO_RESPONSE: "Sans réponse",
    ResponseKind.DECLINED: "Refusé",
}
OURS = (
    "recurrence",
    "timing",
    "zones",
    "created_by",
    "updated_by",
    "overrides",
    "series_id",
    "recurrence_id",
)


@dataclass(frozen=True, slots=True)
class Participant:
    """Who takes part, for people."""

    email: str
    name: str
    kind: ParticipantKind
    user_id: int | None
    contact_id: int | None
    response: ResponseKind
    answer: str  # the response in French
    organizer: bool


def event(session: Session, id_: int, reader: Actor | None = None) -> EventRecord:
    """The event of that id, hidden ones included. Raises NotFound, also for what the reader may not see."""
    visible.require(session, reader, "event", id_)
    found = events(session, [id_]).get(id_)
    if found is None or found.main.values["series_id"]:
        raise NotFound(Phrase("there is no event {id}", id=id_))
    return found


def task(session: Session, id_: int, reader: Actor | None = None) -> TaskRecord:
    """The task of that id, hidden ones included. Raises NotFound, also for what the reader may not see."""
    visible.require(session, reader, "task", id_)
    found = tasks(session, [id_]).get(id_)
    if found is None:
        raise NotFound(Phrase("there is no task {id}", id=id_))
    return found


def event_fields(session: Session, record: EventRecord) -> dict[str, object]:
    """Its fields by name, those that refer to another record with its name beside."""
    fields = _named(session, record.main.values, ("owner", "owner_id"))
    return {**fields, "type": type_code(session, record.main.values)}


def type_code(session: Session, values: Mapping[str, Any]) -> str:
    """The code of the item of activity_type that an event or occurrence is."""
    item = None if values["type_id"] is None else session.get(ValueListItem, values["type_id"])
    kind: ActivityType = values["type"]
    return kind.value if item is None else item.code


def task_fields(session: Session, record: TaskRecord) -> dict[str, object]:
    """The same of a task."""
    return _named(session, record.values, ("assignee", "assignee_id"))


def _named(session: Session, values: Mapping[str, Any], who: tuple[str, str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    known = logins(session)
    for name, value in values.items():
        if name in OURS:
            continue
        fields[name] = value
        if name == who[1]:
            fields[who[0]] = known.get(value)
        if name == "account_id" and value is not None:
            fields["account"] = account_names(session, [value]).get(value)
        if name == "opportunity_id" and value is not None:
            fields["opportunity"] = opportunity_names(session, [value]).get(value)
    return fields


def participants(row: EventRow) -> tuple[Participant, ...]:
    """Who takes part; the organizer first."""
    ordered = sorted(row.participants, key=lambda one: (not one.is_organizer, one.email))
    return tuple(_participant(one) for one in ordered)


def _participant(one: ParticipantRow) -> Participant:
    return Participant(
        one.email, one.display_name, one.kind, one.user_id, one.contact_id, one.response,
        ANSWERS[one.response], one.is_organizer,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events or tasks."""

    start: datetime
    end: datetime
    user_id: int | None = None
    account_id: int | None = None
    contact_id: int | None = None
    opportunity_id: int | None = None
    text: str | None = None
    reader: Actor | None = None  # who reads; None: an admin
    video: bool = False  # only those that are held by video, or have an occurrence that is


def events_between(session: Session, wanted: Wanted, *, at_most: int) -> dict[int, EventRecord]:
    """Events that may happen in that stretch: single ones that do, and every series that began before."""
    begins, overlaps = Event.start < wanted.end, (Event.start < wanted.end) & (Event.end > wanted.start)
    query = select(Event.id).where(
        Event.series_id.is_(None),
        Event.hidden.is_(False),
        Event.deleted_at.is_(None),
        Event.status != EventStatus.CANCELLED,
        visible.events(wanted.reader),
        # What recurs is expanded by who asks; RDATEs are in `timing` only, so a series of them counts too.
        or_(
            overlaps,
            begins & (Event.series_rrule.is_not(None) | Event.timing["rdates"].as_string().is_not(None)),
        ),
    )
    if wanted.user_id is not None:
        mine = select(EventParticipant.event_id).where(EventParticipant.user_id == wanted.user_id)
        query = query.where(or_(Event.owner_id == wanted.user_id, Event.id.in_(mine)))
    if wanted.contact_id is not None:
        theirs = select(EventParticipant.event_id).where(EventParticipant.contact_id == wanted.contact_id)
        query = query.where(Event.id.in_(theirs))
    if wanted.account_id is not None:
        query = query.where(Event.account_id == wanted.account_id)
    if wanted.opportunity_id is not None:
        query = query.where(Event.opportunity_id == wanted.opportunity_id)
    if wanted.text:
        query = query.where(Event.subject.icontains(wanted.text, autoescape=True))
    if wanted.video:
        held = (Event.type == ActivityType.VIDEO_CALL) | (Event.video_url != "")
        single = select(Event.series_id).where(Event.series_id.is_not(None), held)
        query = query.where(held | Event.id.in_(single))
    return events(session, session.scalars(query.order_by(Event.start, Event.id).limit(at_most)).all())


def with_links(session: Session, since: datetime, *, after: int, at_most: int) -> list[int]:
    """Events that end later than that, or recur, and have a link in place or notes, or one to join; by id,
    from the one behind `after` on."""
    linked = select(func.coalesce(Event.series_id, Event.id)).where(
        or_(Event.notes.contains("://"), Event.location.contains("://"), Event.video_url != "")
    )
    query = select(Event.id).where(
        Event.id > after,
        Event.series_id.is_(None),
        Event.hidden.is_(False),
        Event.deleted_at.is_(None),
        (Event.end >= since) | Event.series_rrule.is_not(None),
        Event.id.in_(linked),
    )
    return list(session.scalars(query.order_by(Event.id).limit(at_most)))


def is_video(values: Mapping[str, Any]) -> bool:
    """Whether an event or occurrence is held by video (R110): it is called so, or there is a link to join."""
    return values["type"] is ActivityType.VIDEO_CALL or bool(values["video_url"])


@dataclass(frozen=True, slots=True)
class TaskLine:
    """One task of a list."""

    id: int
    due: date | None
    subject: str
    state: TaskState
    assignee: str | None
    account: str | None
    version: int


def tasks_of(
    session: Session, wanted: Wanted, *, every: bool, limit: int, offset: int
) -> tuple[TaskLine, ...]:
    """Open tasks, or all of them, the most urgent first; those without a day last."""
    query = select(Task).where(Task.deleted_at.is_(None), visible.tasks(wanted.reader))
    if not every:
        query = query.where(Task.state == TaskState.OPEN, Task.hidden.is_(False))
    for column, value in (
        (Task.assignee_id, wanted.user_id),
        (Task.account_id, wanted.account_id),
        (Task.contact_id, wanted.contact_id),
        (Task.opportunity_id, wanted.opportunity_id),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.text:
        query = query.where(Task.subject.icontains(wanted.text, autoescape=True))
    ordered = query.order_by(Task.due_date.is_(None), Task.due_date, Task.id).limit(limit).offset(offset)
    found = list(session.scalars(ordered))
    known = logins(session)
    names = account_names(session, {one.account_id for one in found if one.account_id})
    return tuple(
        TaskLine(
            one.id,
            one.due_date,
            one.subject,
            one.state,
            known.get(one.assignee_id),
            names.get(one.account_id or 0),
            one.version,
        )
        for one in found
    )
