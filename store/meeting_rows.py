"""What the recording of meetings asks of the store: which events are due, what is recorded, what is known of
when they took place."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from store.activities import Activity, ActivityContact, ActivityState, ActivityUser
from store.calendar import IS_VIDEO, Event
from store.database import bulk, reserve_ids
from store.ledger import chunked
from store.meetings import Grade, MeetingEvidence, MeetingRecord, MeetingWatch

RECORDING = 0x53594E43_4D454554  # the advisory lock of who records meetings


@dataclass(frozen=True, slots=True)
class Recorded:
    """The activity that an occurrence became."""

    activity_id: int
    uid: str
    key: str
    start: datetime  # as the calendar said then
    end: datetime
    state: ActivityState
    withdrawn: bool
    deleted: bool  # by a person
    values: Mapping[str, Any]  # columns of the activity that follow the event while nobody has validated it
    contacts: frozenset[int]
    users: frozenset[int]


@dataclass(frozen=True, slots=True)
class Actual:
    """The best that is known of when an occurrence took place."""

    grade: Grade
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Said:
    """One evidence of an occurrence."""

    grade: Grade
    source: str  # a login, or the hash of a file
    start: datetime | None
    end: datetime | None  # with one of both unknown it says nothing of the duration
    detail: Mapping[str, Any] = field(default_factory=dict)  # who came


FOLLOWING = ("subject", "occurred_at", "duration_min", "duration_source", "account_id", "opportunity_id",
             "case_file_id", "user_id", "event_id")  # fmt: skip


def to_look_at(session: Session, now: datetime, limit: int) -> list[int]:
    """The ids of events with video meetings that changed since they were looked at, or of which one is over;
    the longest waiting first."""
    mains = select(func.coalesce(Event.series_id, Event.id)).where(IS_VIDEO)
    fresh = (
        select(Event.id)
        .outerjoin(MeetingWatch, MeetingWatch.event_id == Event.id)
        .where(Event.id.in_(mains), MeetingWatch.event_id.is_(None))
        .order_by(Event.id)
        .limit(limit)
    )
    changed = (  # also what is no video meeting any more
        select(Event.id)
        .join(MeetingWatch, MeetingWatch.event_id == Event.id)
        .where(
            or_(MeetingWatch.version != Event.version, MeetingWatch.looked_at > now, MeetingWatch.cancelled)
        )
        .order_by(Event.id)
        .limit(limit)
    )
    found = [*session.scalars(fresh), *session.scalars(changed)]
    due = select(MeetingWatch.event_id).where(MeetingWatch.due_at <= now).order_by(MeetingWatch.due_at)
    return list(dict.fromkeys([*found, *session.scalars(due.limit(limit))]))[:limit]


def alone(session: Session) -> None:
    """Until the transaction ends nobody else records meetings. SQLite has one writer anyway."""
    if session.get_bind().dialect.name != "sqlite":
        session.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": RECORDING})


@dataclass(frozen=True, slots=True)
class Watched:
    """What is remembered of an event."""

    version: int
    looked_at: datetime
    cancelled: bool


def watched(session: Session, ids: Iterable[int]) -> dict[int, Watched]:
    """What is remembered of these events."""
    return {
        one.event_id: Watched(one.version, one.looked_at, one.cancelled)
        for part in chunked(ids)
        for one in session.scalars(select(MeetingWatch).where(MeetingWatch.event_id.in_(part)))
    }


def cancelled(session: Session, event_id: int) -> None:
    """A person cancelled the event: what was recorded of it, and is not reported on, did not take place."""
    session.execute(update(MeetingWatch).where(MeetingWatch.event_id == event_id).values(cancelled=True))


def watch(session: Session, seen: Sequence[tuple[int, int, datetime | None]], now: datetime) -> None:
    """Remembers when each event (id, version) is to be looked at again."""
    for part in chunked(id_ for id_, _, _ in seen):
        session.execute(delete(MeetingWatch).where(MeetingWatch.event_id.in_(part)))
    bulk(
        session,
        MeetingWatch,
        [
            {"event_id": id_, "version": version, "due_at": due, "looked_at": now, "cancelled": False}
            for id_, version, due in seen
        ],
    )


def set_aside(session: Session, event_id: int, now: datetime) -> None:
    """Not looked at again until it changes."""
    version = session.scalar(select(Event.version).where(Event.id == event_id))
    if version is not None:
        watch(session, [(event_id, version, None)], now)


def look_again(session: Session, event_ids: Iterable[int]) -> None:
    """These events, or the series that they are occurrences of, are looked at again."""
    for part in chunked(event_ids):
        mains = select(func.coalesce(Event.series_id, Event.id)).where(Event.id.in_(part))
        session.execute(delete(MeetingWatch).where(MeetingWatch.event_id.in_(mains)))


def recorded(session: Session, uids: Iterable[str]) -> dict[str, list[Recorded]]:
    """What these events became, by UID."""
    found: dict[str, list[Recorded]] = {}
    for part in chunked(uids):
        rows = session.execute(
            select(MeetingRecord, Activity)
            .join(Activity, Activity.id == MeetingRecord.activity_id)
            .where(MeetingRecord.uid.in_(part))
        ).all()
        ids = [activity.id for _, activity in rows]
        contacts = _linked(session, ActivityContact.activity_id, ActivityContact.contact_id, ids)
        users = _linked(session, ActivityUser.activity_id, ActivityUser.user_id, ids)
        for record, activity in rows:
            found.setdefault(record.uid, []).append(
                Recorded(
                    activity.id,
                    record.uid,
                    record.recurrence_key,
                    record.scheduled_start,
                    record.scheduled_end,
                    activity.state,
                    record.withdrawn,
                    activity.deleted_at is not None and not record.withdrawn,
                    {name: getattr(activity, name) for name in FOLLOWING},
                    contacts.get(activity.id, frozenset()),
                    users.get(activity.id, frozenset()),
                )
            )
    return found


def _linked(session: Session, by: Any, what: Any, ids: Sequence[int]) -> dict[int, frozenset[int]]:
    found: dict[int, set[int]] = {}
    for part in chunked(ids):
        for id_, other in session.execute(select(by, what).where(by.in_(part))):
            found.setdefault(id_, set()).add(other)
    return {id_: frozenset(others) for id_, others in found.items()}


def evidence(session: Session, uids: Iterable[str]) -> dict[tuple[str, str], list[Actual]]:
    """What is known of each occurrence (UID, key) with start and end: the best grade last, the newest of
    several behind."""
    found: dict[tuple[str, str], list[Actual]] = {}
    for part in chunked(uids):
        rows = session.scalars(select(MeetingEvidence).where(MeetingEvidence.uid.in_(part)))
        for one in sorted(rows, key=lambda row: (row.grade.value, row.id)):
            if one.started_at is not None and one.ended_at is not None:
                actual = Actual(one.grade, one.started_at, one.ended_at)
                found.setdefault((one.uid, one.recurrence_key), []).append(actual)
    return found


def best(told: Iterable[Actual], fits: Callable[[datetime, datetime], bool]) -> Actual | None:
    """The last one that fits; but lists of attendance count together, as a meeting that is opened anew has
    one more each time."""
    found: Actual | None = None
    for one in told:
        if not fits(one.start, one.end):
            continue
        if found is not None and found.grade is one.grade is Grade.ATTENDANCE:
            found = Actual(one.grade, min(found.start, one.start), max(found.end, one.end))
        else:
            found = one
    return found


def add_evidence(session: Session, place: tuple[str, str], said: Said, now: datetime) -> None:
    """Keeps what was said of an occurrence (UID, key). The same source says it anew."""
    uid, key = place
    session.execute(
        delete(MeetingEvidence).where(
            MeetingEvidence.uid == uid,
            MeetingEvidence.recurrence_key == key,
            MeetingEvidence.grade == said.grade,
            MeetingEvidence.source == said.source,
        )
    )
    row = {"uid": uid, "recurrence_key": key, "grade": said.grade, "source": said.source,
           "started_at": said.start, "ended_at": said.end, "detail": dict(said.detail),
           "at": now}  # fmt: skip
    bulk(session, MeetingEvidence, [row])


# --- writing --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Draft:
    """An activity to be made."""

    uid: str
    key: str
    start: datetime
    end: datetime
    values: Mapping[str, Any]
    contacts: frozenset[int]
    users: frozenset[int]


def insert(session: Session, drafts: Sequence[Draft], now: datetime) -> list[int]:
    """Makes the activities with their records; returns their ids, in the order of the drafts."""
    ids = list(reserve_ids(session, Activity, len(drafts)))
    fresh = {"created_at": now, "updated_at": now, "version": 1, "automatic": True, "comments": "",
             "state": ActivityState.PENDING_REPORT}  # fmt: skip
    bulk(
        session, Activity, [{**one.values, **fresh, "id": id_} for id_, one in zip(ids, drafts, strict=True)]
    )
    bulk(
        session,
        MeetingRecord,
        [
            {"activity_id": id_, "uid": one.uid, "recurrence_key": one.key, "scheduled_start": one.start,
             "scheduled_end": one.end, "withdrawn": False}
            for id_, one in zip(ids, drafts, strict=True)
        ],
    )  # fmt: skip
    _link(session, list(zip(ids, drafts, strict=True)))
    return ids


def _link(session: Session, made: Sequence[tuple[int, Draft]]) -> None:
    contacts = [{"activity_id": id_, "contact_id": who} for id_, one in made for who in sorted(one.contacts)]
    users = [{"activity_id": id_, "user_id": who} for id_, one in made for who in sorted(one.users)]
    bulk(session, ActivityContact, contacts)
    bulk(session, ActivityUser, users)


def follow(session: Session, activity_id: int, one: Draft, now: datetime) -> None:
    """Makes an activity, withdrawn or not, say what its event says now."""
    stamp = {"deleted_at": None, "updated_at": now, "version": Activity.version + 1}
    session.execute(update(Activity).where(Activity.id == activity_id).values(**one.values, **stamp))
    rekey(session, activity_id, one.key, one.start, one.end)
    session.execute(delete(ActivityContact).where(ActivityContact.activity_id == activity_id))
    session.execute(delete(ActivityUser).where(ActivityUser.activity_id == activity_id))
    _link(session, [(activity_id, one)])


def rekey(session: Session, activity_id: int, key: str, start: datetime, end: datetime) -> None:
    """The record, and what is known of it, is of that occurrence now."""
    uid, former = session.execute(
        select(MeetingRecord.uid, MeetingRecord.recurrence_key).where(
            MeetingRecord.activity_id == activity_id
        )
    ).one()
    if key != former:
        move_evidence(session, (uid, former), (uid, key))
    session.execute(
        update(MeetingRecord)
        .where(MeetingRecord.activity_id == activity_id)
        .values(recurrence_key=key, scheduled_start=start, scheduled_end=end, withdrawn=False)
    )


def move_evidence(session: Session, former: tuple[str, str], place: tuple[str, str]) -> None:
    """Evidence of one occurrence (UID, key) becomes that of another, beside what the same source said of that
    one."""
    there = select(MeetingEvidence.source).where(
        MeetingEvidence.uid == place[0], MeetingEvidence.recurrence_key == place[1]
    )
    session.execute(
        update(MeetingEvidence)
        .where(
            MeetingEvidence.uid == former[0],
            MeetingEvidence.recurrence_key == former[1],
            MeetingEvidence.source.not_in(list(session.scalars(there))),
        )
        .values(uid=place[0], recurrence_key=place[1])
        .execution_options(synchronize_session=False)
    )


def withdraw(session: Session, activity_id: int, now: datetime, *, blank: bool = False) -> None:
    """The meeting has not taken place: out of sight. Its record waits for the day when it does. `blank`: it
    is private, nothing that it said is kept (requirements 4.2.5)."""
    values: dict[str, Any] = {"deleted_at": now, "updated_at": now, "version": Activity.version + 1}
    if blank:
        values |= {"subject": "", "account_id": None, "opportunity_id": None, "case_file_id": None}
        session.execute(delete(ActivityContact).where(ActivityContact.activity_id == activity_id))
        session.execute(delete(ActivityUser).where(ActivityUser.activity_id == activity_id))
        place = select(MeetingRecord.uid, MeetingRecord.recurrence_key)
        uid, key = session.execute(place.where(MeetingRecord.activity_id == activity_id)).one()
        mine = (MeetingEvidence.uid == uid, MeetingEvidence.recurrence_key == key)
        session.execute(delete(MeetingEvidence).where(*mine))
    session.execute(update(Activity).where(Activity.id == activity_id).values(**values))
    record = MeetingRecord.activity_id == activity_id
    session.execute(update(MeetingRecord).where(record).values(withdrawn=True))


def set_duration(session: Session, activity_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """A better evidence of when it took place, whatever its state."""
    session.execute(
        update(Activity)
        .where(Activity.id == activity_id)
        .values(**values, updated_at=now, version=Activity.version + 1)
    )
