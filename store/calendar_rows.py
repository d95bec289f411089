"""Reading and writing whole events and tasks at once: rows in, rows out, in as few statements as can be.

The reconciliation works with these; what a person may change, and how, is `store.scheduling`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

from sqlalchemy import delete, insert, select, text
from sqlalchemy.orm import Session

from store.calendar import (
    Event,
    EventParticipant,
    EventStatus,
    ParticipantKind,
    ResponseKind,
    Task,
    TaskState,
)
from store.database import bulk, reserve_ids, table
from store.ledger import chunked
from store.updates import Updates

Values = Mapping[str, Any]

TAKING_IN = int.from_bytes(blake2b(b"syncd takes in", digest_size=8).digest(), "big", signed=True)
OWN_COLUMNS = frozenset(  # what is not the caller's to set
    {"id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "series_id"}
)


@dataclass(frozen=True, slots=True)
class ParticipantRow:
    """One participant of one event."""

    email: str
    kind: ParticipantKind
    user_id: int | None
    contact_id: int | None
    display_name: str
    response: ResponseKind
    is_organizer: bool
    attending: bool


@dataclass(frozen=True, slots=True)
class EventRow:
    """A series, a single event or a changed occurrence; columns by name."""

    values: Values
    participants: tuple[ParticipantRow, ...]

    @property
    def key(self) -> str:
        """Which occurrence it is; empty for the series or single event."""
        return str(self.values["recurrence_key"])


@dataclass(frozen=True, slots=True)
class EventRecord:
    """An event as it is in the CRM, with its changed occurrences by key."""

    id: int
    version: int
    updated_at: datetime
    main: EventRow
    overrides: tuple[EventRow, ...]

    @property
    def rows(self) -> tuple[EventRow, ...]:
        """All of them, the series first."""
        return (self.main, *self.overrides)


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as it is in the CRM."""

    id: int
    version: int
    updated_at: datetime
    values: Values


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What an event is to be: the series or single event first."""

    rows: tuple[EventRow, ...]


def events(session: Session, ids: Iterable[int]) -> dict[int, EventRecord]:
    """The events with these ids, whole; those that are not there are left out."""
    mains: dict[int, Any] = {}
    overrides: dict[int, list[Any]] = {}
    columns = table(Event)
    for part in chunked(ids):
        for row in session.execute(select(columns).where(columns.c.id.in_(part))).mappings():
            mains[row["id"]] = row
        query = select(columns).where(columns.c.series_id.in_(part)).order_by(columns.c.recurrence_key)
        for row in session.execute(query).mappings():
            overrides.setdefault(row["series_id"], []).append(row)
    every = [*mains, *(row["id"] for rows in overrides.values() for row in rows)]
    people = _participants(session, every)
    return {
        id_: EventRecord(
            id_,
            row["version"],
            row["updated_at"],
            EventRow(dict(row), people.get(id_, ())),
            tuple(EventRow(dict(one), people.get(one["id"], ())) for one in overrides.get(id_, ())),
        )
        for id_, row in mains.items()
    }


def _participants(session: Session, ids: Sequence[int]) -> dict[int, tuple[ParticipantRow, ...]]:
    found: dict[int, list[ParticipantRow]] = {}
    for part in chunked(ids):
        query = (
            select(EventParticipant)
            .where(EventParticipant.event_id.in_(part))
            .order_by(EventParticipant.event_id, EventParticipant.email)
        )
        for one in session.scalars(query):
            row = ParticipantRow(
                one.email, one.kind, one.user_id, one.contact_id,
                one.display_name, one.response, one.is_organizer, one.attending,
            )  # fmt: skip
            found.setdefault(one.event_id, []).append(row)
    return {id_: tuple(rows) for id_, rows in found.items()}


def one_at_a_time(session: Session) -> None:
    """Until the transaction ends nobody else takes in what is new in a calendar: what is not there now will
    not be there by another's hand. SQLite has one writer anyway; PostgreSQL's wait for each other here."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": TAKING_IN})


def event_ids(session: Session, uids: Iterable[str]) -> dict[str, int]:
    """The event of each UID, where there is one."""
    found: dict[str, int] = {}
    for part in chunked(uids):
        # Were the database asked for `series_id IS NULL`, SQLite would go through all that have none.
        query = select(Event.uid, Event.id, Event.series_id).where(Event.uid.in_(part))
        found.update((uid, id_) for uid, id_, series in session.execute(query) if series is None)
    return found


def insert_events(
    session: Session, drafts: Sequence[EventDraft], now: datetime, *, by: int | None
) -> list[int]:
    """Writes new events and returns their ids, in the order of the drafts."""
    ids = iter(reserve_ids(session, Event, sum(len(draft.rows) for draft in drafts)))
    records, people, mains = [], [], []
    for draft in drafts:
        main = next(ids)
        mains.append(main)
        for number, row in enumerate(draft.rows):
            id_ = main if number == 0 else next(ids)
            records.append(_fresh(row, id_, None if number == 0 else main, now, by))
            people += _people(id_, row)
    bulk(session, Event, records)
    bulk(session, EventParticipant, people)
    return mains


def replace_event(
    session: Session,
    record: EventRecord,
    draft: EventDraft,
    now: datetime,
    *,
    by: int | None,
    together: Updates | None = None,
) -> bool:
    """Makes an event what the draft says; whether anything differed. Raises Stale on a change meanwhile.

    Given `together`, some of it waits until that is sent, which may raise Stale.
    """
    updates, stamp = together or Updates(session), {"updated_at": now, "updated_by": by}
    wanted = {row.key: row for row in draft.rows[1:]}
    known = {row.key: row for row in record.overrides}
    changed = False
    for key in known.keys() - wanted.keys():
        session.execute(delete(Event).where(Event.id == known[key].values["id"]))
        changed = True
    changed |= _replace_row(session, updates, record.main, draft.rows[0], stamp)
    if record.main.key != draft.rows[0].key:
        updates.send()  # its place is wanted: an invitation to one occurrence became the whole series
    for key, row in wanted.items():
        if key in known:
            changed |= _replace_row(session, updates, known[key], row, stamp)
        else:
            (id_,) = reserve_ids(session, Event, 1)
            bulk(session, Event, [_fresh(row, id_, record.id, now, by)])
            bulk(session, EventParticipant, _people(id_, row))
            changed = True
    if changed:
        _bump(updates, Event, record, now, by)
    if together is None:
        updates.send()
    return changed


def _bump(
    updates: Updates,
    model: type[Event | Task],
    record: EventRecord | TaskRecord,
    now: datetime,
    by: int | None,
) -> None:
    values = {"version": record.version + 1, "updated_at": now, "updated_by": by}
    updates.set(model, record.id, values, version=record.version)


def _replace_row(session: Session, updates: Updates, old: EventRow, new: EventRow, stamp: Values) -> bool:
    id_ = old.values["id"]
    differing = _differing(old.values, new.values)
    if differing:
        values = differing if old.key == "" else {**differing, **stamp}
        updates.set(Event, id_, values)
    if old.participants == new.participants:
        return bool(differing)
    session.execute(delete(EventParticipant).where(EventParticipant.event_id == id_))
    bulk(session, EventParticipant, _people(id_, new))
    return True


def _differing(old: Values, new: Values) -> dict[str, Any]:
    return {name: value for name, value in new.items() if name not in OWN_COLUMNS and old.get(name) != value}


def _fresh(row: EventRow, id_: int, series: int | None, now: datetime, by: int | None) -> dict[str, Any]:
    values = {name: value for name, value in row.values.items() if name not in OWN_COLUMNS}
    return {
        **values,
        "id": id_,
        "series_id": series,
        "version": 1,
        "created_at": now,
        "created_by": by,
        "updated_at": now,
        "updated_by": by,
    }


def _people(id_: int, row: EventRow) -> list[dict[str, Any]]:
    return [
        {
            "event_id": id_,
            "kind": one.kind,
            "user_id": one.user_id,
            "contact_id": one.contact_id,
            "email": one.email,
            "display_name": one.display_name,
            "response": one.response,
            "is_organizer": one.is_organizer,
            "attending": one.attending,
        }
        for one in row.participants
    ]


# --- tasks ----------------------------------------------------------------------------------------


def tasks(session: Session, ids: Iterable[int]) -> dict[int, TaskRecord]:
    """The tasks with these ids."""
    found = {}
    columns = table(Task)
    for part in chunked(ids):
        for row in session.execute(select(columns).where(columns.c.id.in_(part))).mappings():
            found[row["id"]] = TaskRecord(row["id"], row["version"], row["updated_at"], dict(row))
    return found


def task_ids(session: Session, uids: Iterable[str]) -> dict[str, int]:
    """The task of each UID, where there is one."""
    found: dict[str, int] = {}
    for part in chunked(uids):
        found.update(
            (uid, id_) for uid, id_ in session.execute(select(Task.uid, Task.id).where(Task.uid.in_(part)))
        )
    return found


def insert_tasks(session: Session, drafts: Sequence[Values], now: datetime, *, by: int | None) -> list[int]:
    """Writes new tasks and returns their ids, in the order of the drafts."""
    ids = list(reserve_ids(session, Task, len(drafts)))
    rows = [_fresh(EventRow(draft, ()), id_, None, now, by) for id_, draft in zip(ids, drafts, strict=True)]
    for row in rows:
        del row["series_id"]
    if rows:
        session.execute(insert(table(Task)), rows)
    return ids


def replace_task(
    session: Session,
    record: TaskRecord,
    values: Values,
    now: datetime,
    *,
    by: int | None,
    together: Updates | None = None,
) -> bool:
    """Makes a task what `values` say; whether anything differed. As `replace_event`."""
    updates = together or Updates(session)
    differing = _differing(record.values, values)
    if differing:
        updates.set(Task, record.id, differing)
        _bump(updates, Task, record, now, by)
    if together is None:
        updates.send()
    return bool(differing)


# --- what has changed meanwhile -------------------------------------------------------------------


def versions(session: Session, model: type[Event | Task], ids: Iterable[int]) -> dict[int, int]:
    """The versions of these records as they are now."""
    found: dict[int, int] = {}
    for part in chunked(ids):
        rows = session.execute(select(model.id, model.version).where(model.id.in_(part)))
        found.update((id_, version) for id_, version in rows)
    return found


def hide(session: Session, record: EventRecord | TaskRecord, now: datetime, *, by: int | None) -> None:
    """Cancelled and out of sight, kept as history (table T4, row 8). Raises Stale."""
    updates = Updates(session)
    if isinstance(record, EventRecord):
        for row in record.rows:
            updates.set(Event, row.values["id"], {"status": EventStatus.CANCELLED, "hidden": True})
        _bump(updates, Event, record, now, by)
    else:
        updates.set(Task, record.id, {"state": TaskState.CANCELLED, "hidden": True})
        _bump(updates, Task, record, now, by)
    updates.send()
