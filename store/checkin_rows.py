"""What is written and read of check-ins, and of the visits that they become."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import outbox, visible
from store.accounts import Account
from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.actors import Actor
from store.calendar import Event
from store.checkins import CheckIn, CheckInFlag
from store.details import Detail, fields_of, get
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
    session: Session, account: Account, place: tuple[Decimal, Decimal, int], now: datetime, by: int
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
