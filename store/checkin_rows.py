"""What is written and read of check-ins, and of the visits that they become."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from config.language import Phrase
from store import outbox, visible
from store.accounts import Account
from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.actors import Actor
from store.calendar import Event
from store.checkins import CheckIn, CheckInFlag
from store.details import Detail, fields_of, get
from store.erasing import changed as changed_rows
from store.errors import NotFound
from store.paging import page as one_page
from store.paging import total
from store.report_rows import Page, Query
from store.users import User


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit, as it becomes an activity."""

    user_id: int
    account_id: int
    at: datetime
    subject: str
    event_id: int | None = None
    occurrence_key: str = ""
    opportunity_id: int | None = None
    case_file_id: int | None = None
    type_id: int | None = None  # which kind of visit, where the company has kinds of its own
    contacts: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Found:
    """Where a user was at a visit."""

    lat: Decimal
    lon: Decimal
    accuracy_m: int
    distance_m: int | None
    flag: CheckInFlag


@dataclass(frozen=True, slots=True)
class CheckInRow:
    """A check-in in a list."""

    id: int
    at: datetime
    user: str
    account_id: int
    account: str
    event_id: int | None
    distance_m: int | None
    accuracy_m: int
    flag: CheckInFlag


def locked(session: Session, account_id: int) -> Account:
    """The account, for this transaction alone until it ends. Raises NotFound for one that is deleted."""
    query = select(Account).where(Account.id == account_id).with_for_update()
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None or found.deleted_at is not None:
        raise NotFound(Phrase("there is no account {id}", id=account_id))
    return found


def of_meeting(session: Session, event_id: int, occurrence_key: str, user_id: int) -> CheckIn | None:
    """The check-in of a user at a meeting."""
    return session.scalar(
        select(CheckIn).where(
            CheckIn.event_id == event_id,
            CheckIn.occurrence_key == occurrence_key,
            CheckIn.user_id == user_id,
        )
    )


def visited(session: Session, event_id: int, user_id: int, start: datetime, end: datetime) -> int | None:
    """The visit of a user that is told of an event between two moments, if there is one."""
    query = select(Activity.id).where(
        Activity.event_id == event_id,
        Activity.user_id == user_id,
        Activity.type == ActivityType.VISIT,
        Activity.deleted_at.is_(None),
        Activity.occurred_at >= start,
        Activity.occurred_at < end,
    )
    return session.scalar(query.limit(1))


def locate(
    session: Session, account: Account, place: tuple[Decimal, Decimal, int], now: datetime, by: int | None
) -> None:
    """Writes where an account is: latitude, longitude and accuracy in metres."""
    account.latitude, account.longitude, account.geocode_accuracy_m = place
    account.updated_at, account.updated_by = now, by
    account.version += 1
    session.flush()
    outbox.announce_places(session, [account.id], now)


def write(session: Session, visit: Visit, found: Found | None, now: datetime) -> tuple[int | None, int]:
    """Writes a visit, and the check-in that it comes of; returns their ids, that of the activity last."""
    stamp = {"created_at": now, "created_by": visit.user_id, "updated_at": now, "updated_by": visit.user_id}
    checkin_id = None
    if found is not None:
        checkin = CheckIn(
            user_id=visit.user_id,
            account_id=visit.account_id,
            event_id=visit.event_id,
            occurrence_key=visit.occurrence_key,
            at=visit.at,
            lat=found.lat,
            lon=found.lon,
            accuracy_m=found.accuracy_m,
            distance_m=found.distance_m,
            flag=found.flag,
            **stamp,
        )
        session.add(checkin)
        session.flush()
        checkin_id = checkin.id
    activity = Activity(
        type=ActivityType.VISIT,
        type_id=visit.type_id,
        account_id=visit.account_id,
        opportunity_id=visit.opportunity_id,
        case_file_id=visit.case_file_id,
        user_id=visit.user_id,
        occurred_at=visit.at,
        subject=visit.subject,
        automatic=False,
        state=ActivityState.VALIDATED,
        event_id=visit.event_id,
        checkin_id=checkin_id,
        **stamp,
    )
    session.add(activity)
    session.flush()
    links = [{"activity_id": activity.id, "contact_id": one} for one in sorted(visit.contacts)]
    if links:
        session.execute(insert(ActivityContact), links)
    return checkin_id, activity.id


def held(session: Session, id_: int) -> CheckIn:
    """The check-in, kept from others who would change it at the same time. Raises NotFound."""
    found = session.scalar(select(CheckIn).where(CheckIn.id == id_).with_for_update())
    if found is None:
        raise NotFound(Phrase("there is no check-in {id}", id=id_))
    return found


def visit_of(session: Session, id_: int) -> int | None:
    """The visit that the check-in became; None where somebody has deleted it."""
    return session.scalar(
        select(Activity.id).where(Activity.checkin_id == id_, Activity.deleted_at.is_(None)).limit(1)
    )


def account_name(session: Session, id_: int) -> str:
    """What the account is called, deleted or not."""
    return session.get_one(Account, id_).name


def place_of_event(session: Session, record: CheckIn) -> dict[str, Decimal | None]:
    """Where the other address of a check-in's meeting is (R069): the occurrence's own, else the series'."""
    e = Event
    rows = select(e.alt_lat, e.alt_lon).where((e.id == record.event_id) | (e.series_id == record.event_id))
    rows = rows.where(e.recurrence_key.in_({record.occurrence_key, ""}))
    found = session.execute(rows.order_by(e.recurrence_key.desc()).limit(1)).one_or_none()
    return {"alt_lat": found and found[0], "alt_lon": found and found[1]}


def correct(
    session: Session,
    record: CheckIn,
    values: Mapping[str, object],
    contacts: frozenset[int] | None,
    stamp: tuple[datetime, int | None],
) -> tuple[list[str], int | None]:
    """Gives a check-in and its visit these values, at that moment and by that user; returns what of it is
    something else now, and the visit."""
    now, by = stamp
    changed = sorted(name for name, value in values.items() if getattr(record, name) != value)
    id_ = visit_of(session, record.id)
    activity = None if id_ is None else session.get(Activity, id_)
    if contacts is not None and activity is not None:
        c = ActivityContact
        before = set(session.scalars(select(c.contact_id).where(c.activity_id == activity.id)))
        if before != contacts:
            changed.append("contacts")
            session.execute(delete(c).where(c.activity_id == activity.id))
            session.add_all(c(activity_id=activity.id, contact_id=one) for one in sorted(contacts))
    if not changed:
        return [], id_
    for name, value in values.items():
        setattr(record, name, value)
    if activity is not None and ("at" in changed or "contacts" in changed):
        activity.occurred_at = record.at
        activity.updated_at, activity.updated_by = now, by
        activity.version += 1
    record.updated_at, record.updated_by = now, by
    record.version += 1
    session.flush()
    return changed, id_


def drop(session: Session, record: CheckIn) -> None:
    """Takes it away for good."""
    session.delete(record)
    session.flush()


def old_positions(session: Session, before: datetime, size: int) -> list[int]:
    """Some check-ins from before that moment that still tell where their user was."""
    query = select(CheckIn.id).where(CheckIn.at < before, CheckIn.lat.is_not(None)).order_by(CheckIn.id)
    return list(session.scalars(query.limit(size)))


def drop_positions(session: Session, ids: Collection[int]) -> int:
    """These check-ins tell no longer where their users were, but for how far that was; returns how many."""
    gone = update(CheckIn).where(CheckIn.id.in_(ids), CheckIn.lat.is_not(None))
    return changed_rows(session, gone.values(lat=None, lon=None))


def page(session: Session, query: Query) -> Page[CheckInRow]:
    """The newest first; of an account, of a user (`owner`), since a moment."""
    rows = (
        select(CheckIn, User.login, Account.name)
        .join(User, User.id == CheckIn.user_id)
        .join(Account, Account.id == CheckIn.account_id)
        .where(CheckIn.deleted_at.is_(None), visible.checkins(query.reader))
    )
    if query.account is not None:
        rows = rows.where(CheckIn.account_id == query.account)
    if query.owner is not None:
        rows = rows.where(CheckIn.user_id == query.owner)
    if query.since is not None:
        rows = rows.where(CheckIn.at >= query.since)
    found = session.execute(one_page(rows, query, CheckIn.at.desc(), CheckIn.id.desc()))
    return Page(
        tuple(
            CheckInRow(one.id, one.at, login, one.account_id, name, one.event_id, one.distance_m,
                       one.accuracy_m, one.flag)
            for one, login, name in found
        ),
        total(session, rows),
        query.offset,
    )  # fmt: skip


def detail(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """A check-in with its position, and the visit that it became. Raises NotFound, also for what the reader
    may not see; None reads as an admin."""
    visible.require(session, reader, "checkin", id_)
    record = get(session, CheckIn, id_, "checkin")
    subject = select(Event.subject).where(Event.id == record.event_id)
    activity = select(Activity.id).where(Activity.checkin_id == id_, Activity.deleted_at.is_(None))
    more = {"event": session.scalar(subject), "activity_id": session.scalar(activity)}
    return Detail("checkin", fields_of(session, record) | more, {})
