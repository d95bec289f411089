"""How each mailbox is: its state, what was decided of its messages, what waits, what failed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from store import ledger, outbound, visible
from store.activities import Activity, ActivityState
from store.actors import Actor
from store.bindings import Binding, BindingState, Conflict, ConflictState, Intent, Pending
from store.outbound import Held
from store.reconciling import CALENDARS
from store.sync_state import (
    Collection,
    CollectionKind,
    DirectoryState,
    Mailbox,
    MailboxState,
    Quarantine,
    Rematch,
    VerdictKind,
)
from store.users import User


@dataclass(frozen=True, slots=True)
class FolderStatus:
    """A folder that is read."""

    ref: str
    role: str
    read: bool  # at least once
    messages: int  # with a verdict
    error: str | None
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class CalendarStatus:
    """A calendar or task list that is kept in step."""

    name: str
    ref: str
    read: bool  # at least once
    items: int  # kept in step
    frozen: int  # two writers undo each other there
    quarantined: int
    error: str | None
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class MailboxStatus:
    """A mailbox. `last_ok_at` is that of the last cycle that wrote something."""

    name: str
    user: str
    configured: bool
    state: MailboxState
    attention: str | None
    last_ok_at: datetime | None
    last_error: str | None
    last_error_at: datetime | None
    folders: tuple[FolderStatus, ...]
    verdicts: dict[VerdictKind, int]
    quarantined: int
    queued: int  # messages that wait to be judged again
    calendars: tuple[CalendarStatus, ...]
    open_conflicts: int
    waiting: int  # records that changed in the CRM, and that the calendars were not told of yet
    unanswered: int  # writes to the calendars whose outcome is not known yet
    drafts: Held | None = None  # of mails, that cannot be put


@dataclass(frozen=True, slots=True)
class Unreported:
    """How many meetings and calls of a user wait for a report."""

    user: str
    count: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """Whether changes wait for the next cycle."""

    directory_waits: bool  # accounts or contacts changed since the ledger was searched
    policy: str  # hash of the rules that the ledger was judged by; empty before the first cycle


def mailboxes(
    session: Session, names: Sequence[str] | None = None, reader: Actor | None = None
) -> list[MailboxStatus]:
    """The mailboxes that the config names (or these ones) and the reader may see (None: an admin), by name: a
    few queries for all of them."""
    query = select(Mailbox, User.login).join(User, User.id == Mailbox.user_id).order_by(Mailbox.name)
    query = query.where(Mailbox.configured) if names is None else query.where(Mailbox.name.in_(names))
    boxes = session.execute(query.where(visible.mailboxes(reader))).all()
    folders: dict[int, list[Collection]] = {}
    of_boxes = select(Collection).where(
        Collection.mailbox_id.in_([box.id for box, _ in boxes]),
        Collection.kind == CollectionKind.MAIL_FOLDER,
    )
    for folder in session.scalars(of_boxes.order_by(Collection.id)):
        folders.setdefault(folder.mailbox_id, []).append(folder)
    ids = [folder.id for several in folders.values() for folder in several]
    verdicts = ledger.counts(session, ids)
    quarantined = _counts(session, Quarantine, ids)
    queued = _counts(session, Rematch, ids)
    calendars = _calendars(session, [box.id for box, _ in boxes])
    conflicts = _of_mailboxes(session, Conflict, Conflict.state == ConflictState.OPEN)
    waiting = _of_mailboxes(session, Pending, true())
    unanswered = _of_mailboxes(session, Intent, true())
    drafts = outbound.held(session)
    return [
        MailboxStatus(
            name=box.name,
            user=login,
            configured=box.configured,
            state=box.state,
            attention=box.attention,
            last_ok_at=box.last_ok_at,
            last_error=box.last_error,
            last_error_at=box.last_error_at,
            folders=tuple(
                FolderStatus(
                    one.remote_ref,
                    one.role,
                    one.epoch != "",
                    sum(verdicts.get(one.id, {}).values()),
                    one.error,
                    one.error_at,
                )
                for one in folders.get(box.id, ())
                if one.selected
            ),
            verdicts=_sum(verdicts.get(one.id, {}) for one in folders.get(box.id, ())),
            quarantined=sum(quarantined.get(one.id, 0) for one in folders.get(box.id, ())),
            queued=sum(queued.get(one.id, 0) for one in folders.get(box.id, ())),
            calendars=tuple(calendars.get(box.id, ())),
            open_conflicts=conflicts.get(box.id, 0),
            waiting=waiting.get(box.id, 0),
            unanswered=unanswered.get(box.id, 0),
            drafts=drafts.get(box.name),
        )
        for box, login in boxes
    ]


def _calendars(session: Session, mailbox_ids: Sequence[int]) -> dict[int, list[CalendarStatus]]:
    rows = list(
        session.scalars(
            select(Collection)
            .where(
                Collection.mailbox_id.in_(mailbox_ids), Collection.kind.in_(CALENDARS), Collection.selected
            )
            .order_by(Collection.id)
        )
    )
    ids = [one.id for one in rows]
    states: dict[tuple[int, BindingState], int] = {}
    query = select(Binding.collection_id, Binding.state, func.count()).where(Binding.collection_id.in_(ids))
    for collection, state, number in session.execute(query.group_by(Binding.collection_id, Binding.state)):
        states[collection, state] = number
    quarantined = _counts(session, Quarantine, ids)
    found: dict[int, list[CalendarStatus]] = {}
    for one in rows:
        status = CalendarStatus(
            name=one.name,
            ref=one.remote_ref,
            read=one.token != "",
            items=states.get((one.id, BindingState.BOUND), 0),
            frozen=states.get((one.id, BindingState.FROZEN), 0),
            quarantined=quarantined.get(one.id, 0),
            error=one.error,
            error_at=one.error_at,
        )
        found.setdefault(one.mailbox_id, []).append(status)
    return found


def _of_mailboxes(
    session: Session, model: type[Conflict] | type[Pending] | type[Intent], where: ColumnElement[bool]
) -> dict[int, int]:
    query = select(model.mailbox_id, func.count()).where(where).group_by(model.mailbox_id)
    return dict(session.execute(query).all())


def of_ledger(session: Session) -> LedgerStatus:
    """Reads one row."""
    row = session.scalar(select(DirectoryState))
    if row is None:
        return LedgerStatus(directory_waits=False, policy="")
    return LedgerStatus(row.matched_version != row.version, row.policy)


def quarantined_in(session: Session, collection_id: int) -> int:
    """How many messages of one folder could not be read."""
    return _counts(session, Quarantine, [collection_id]).get(collection_id, 0)


def _counts(session: Session, model: type[Quarantine] | type[Rematch], ids: Sequence[int]) -> dict[int, int]:
    query = select(model.collection_id, func.count()).where(model.collection_id.in_(ids))
    return dict(session.execute(query.group_by(model.collection_id)).all())


def _sum(several: Iterable[dict[VerdictKind, int]]) -> dict[VerdictKind, int]:
    total: dict[VerdictKind, int] = {}
    for one in several:
        for kind, number in one.items():
            total[kind] = total.get(kind, 0) + number
    return total


def unreported(session: Session) -> tuple[Unreported, ...]:
    """Who has reports to write, by login."""
    query = (
        select(User.login, func.count(), func.min(Activity.occurred_at))
        .join(User, User.id == Activity.user_id)
        .where(Activity.state == ActivityState.PENDING_REPORT, Activity.deleted_at.is_(None))
        .group_by(User.login)
        .order_by(User.login)
    )
    return tuple(Unreported(login, number, oldest) for login, number, oldest in session.execute(query))
