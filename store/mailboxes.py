"""Users, mailboxes and folders as the config names them, and the states that people and cycles give them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, exists, select, true, update
from sqlalchemy.orm import Session

from store import directory, ledger, outbox, reconciling, user_rows
from store.audit_log import AuditLog, Channel
from store.directory import Marks
from store.errors import Invalid, NotFound
from store.mail import OutboundMessage
from store.meetings import ReportMail
from store.sync_state import (
    Collection,
    CollectionKind,
    DirectoryState,
    Mailbox,
    MailboxState,
    Quarantine,
    Rematch,
)
from store.user_rows import UserRow, set_values
from store.users import User


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox as the config tells."""

    name: str
    user: str
    address: str
    server: str
    sync_mail: bool
    sync_calendar: bool
    direction: str


@dataclass(frozen=True, slots=True)
class FolderRow:
    """A folder that is to be synchronised, and how far that has come."""

    id: int
    ref: str
    role: str
    epoch: str
    cursor: int
    error: str | None
    queued: bool = False  # messages of it wait to be judged again
    quarantined: bool = False  # messages of it lie in quarantine since long enough for another try


@dataclass(frozen=True, slots=True)
class MailboxView:
    """What a cycle needs to know of its mailbox: one query."""

    id: int
    name: str
    user_id: int
    state: MailboxState
    attention: str | None
    refused_with: str | None
    last_error: str | None
    folders: tuple[FolderRow, ...]
    marks: Marks
    letters: bool = False  # messages of forms wait to be put into it
    drafts: bool = False  # drafts of mails do


def apply_config(
    session: Session, users: Sequence[UserRow], mailboxes: Sequence[MailboxRow], now: datetime
) -> None:
    """Makes the tables say what the config says; writes only what differs. Nobody is ever deleted:
    who is no longer in the config becomes inactive, and keeps what was logged."""
    directory.state(session)
    changed = user_rows.apply(session, users, now)
    ids = {user.login: user.id for user in session.scalars(select(User))}
    known = {mailbox.name: mailbox for mailbox in session.scalars(select(Mailbox))}
    for row in mailboxes:
        values: dict[str, Any] = {
            "user_id": ids[row.user],
            "address": row.address,
            "server": row.server,
            "sync_mail": row.sync_mail,
            "sync_calendar": row.sync_calendar,
            "direction": row.direction,
            "configured": True,
        }
        mailbox = known.pop(row.name, None)
        if mailbox is None:
            session.add(
                Mailbox(
                    name=row.name,
                    state=MailboxState.RUNNING,
                    started_on=now.date(),
                    created_at=now,
                    updated_at=now,
                    **values,
                )
            )
        else:
            set_values(mailbox, values, now)
    for mailbox in known.values():
        set_values(mailbox, {"configured": False}, now)
    if changed:
        directory.bump(session)


def matches_config(session: Session, users: Sequence[UserRow], mailboxes: Sequence[MailboxRow]) -> bool:
    """Whether the tables say what the config says already, so that nothing needs to be written."""
    known_boxes = [
        MailboxRow(row[0], row[1], row[2], row[3], sync_mail=row[4], sync_calendar=row[5], direction=row[6])
        for row in session.execute(
            select(
                Mailbox.name,
                User.login,
                Mailbox.address,
                Mailbox.server,
                Mailbox.sync_mail,
                Mailbox.sync_calendar,
                Mailbox.direction,
            )
            .join(User, User.id == Mailbox.user_id)
            .where(Mailbox.configured)
        )
    ]
    same_users = {row.login: row for row in user_rows.known(session)} == {row.login: row for row in users}
    same_boxes = {row.name: row for row in known_boxes} == {row.name: row for row in mailboxes}
    return same_users and same_boxes


NEVER = datetime(1970, 1, 1, tzinfo=UTC)

# Built once: an idle cycle does little else.
_VIEW = (
    select(
        Mailbox.id,
        Mailbox.user_id,
        Mailbox.state,
        Mailbox.attention,
        Mailbox.refused_with,
        Mailbox.last_error,
        Collection.id,
        Collection.remote_ref,
        Collection.role,
        Collection.epoch,
        Collection.cursor,
        Collection.error,
        exists().where(Rematch.collection_id == Collection.id),
        exists().where(Quarantine.collection_id == Collection.id, Quarantine.last_at < bindparam("due")),
        Collection.id.is_not(None).label("has_folder"),
        DirectoryState.version,
        DirectoryState.matched_version,
        DirectoryState.policy,
        exists().where(ReportMail.mailbox_id == Mailbox.id),
        exists().where(
            OutboundMessage.mailbox_id == Mailbox.id,
            OutboundMessage.failed_at.is_(None) | (OutboundMessage.failed_at < bindparam("due")),
        ),
    )
    .select_from(Mailbox)
    .outerjoin(DirectoryState, DirectoryState.id == directory.ONLY)
    .outerjoin(
        Collection,
        (Collection.mailbox_id == Mailbox.id)
        & Collection.selected
        & (Collection.kind == CollectionKind.MAIL_FOLDER),
    )
    .where(Mailbox.name == bindparam("name"))
    .order_by(Collection.id)
)


_STATE = select(Mailbox.state).where(Mailbox.name == bindparam("name"))


def view(session: Session | Connection, name: str, due: datetime = NEVER) -> MailboxView:
    """The mailbox with its selected mail folders. Raises NotFound for one that was never configured.

    What went into quarantine before `due` is ready for another try, and drafts that were held back.
    """
    rows = session.execute(_VIEW, {"name": name, "due": due}).all()
    if not rows:
        raise NotFound(f"mailbox {name} is not in the database: run `syncd check`, then try again")
    first = rows[0]
    folders = tuple(
        FolderRow(row[6], row[7], row[8], row[9], row[10], row[11], queued=row[12], quarantined=row[13])
        for row in rows
        if row.has_folder  # an outer join: a mailbox without folders is one row too
    )
    marks = Marks(first[15] or 0, first[16] or 0, first[17] or "")
    return MailboxView(
        first[0],
        name,
        first[1],
        first[2],
        first[3],
        first[4],
        first[5],
        folders,
        marks,
        letters=first[18],
        drafts=first[19],
    )


def select_folders(session: Session, mailbox_id: int, wanted: Sequence[tuple[str, str]]) -> None:
    """Makes exactly these (ref, role) folders the selected ones. The others keep their ledger."""
    known = {
        c.remote_ref: c
        for c in session.scalars(
            select(Collection).where(
                Collection.mailbox_id == mailbox_id, Collection.kind == CollectionKind.MAIL_FOLDER
            )
        )
    }
    for ref, role in wanted:
        found = known.pop(ref, None)
        if found is None:
            session.add(
                Collection(
                    mailbox_id=mailbox_id,
                    kind=CollectionKind.MAIL_FOLDER,
                    remote_ref=ref,
                    role=role,
                    selected=True,
                    epoch="",
                    cursor=0,
                )
            )
        else:
            found.selected, found.role = True, role
    for other in known.values():
        if other.selected:
            other.selected, other.error, other.error_at = False, None, None


def set_folder_error(session: Session, collection_id: int, error: str | None, now: datetime) -> None:
    """Puts a folder into its error state, or takes it out."""
    session.execute(
        update(Collection)
        .where(Collection.id == collection_id)
        .values(error=error, error_at=now if error is not None else None)
    )


def set_state(
    session: Session,
    name: str,
    state: MailboxState,
    now: datetime,
    *,
    attention: str | None = None,
    refused_with: str | None = None,
    only_if: MailboxState | None = None,
) -> None:
    """Gives a mailbox its state; `attention` says why a person is needed.

    With `only_if`, only where nobody gave it another state meanwhile: a person's order stands.
    """
    session.execute(
        update(Mailbox)
        .where(Mailbox.name == name, true() if only_if is None else Mailbox.state == only_if)
        .values(
            state=state,
            attention=attention,
            refused_with=refused_with,
            updated_at=now,
            version=Mailbox.version + 1,
        )
    )


def change_state(
    session: Session, name: str, state: MailboxState, now: datetime, *, actor: str
) -> MailboxState:
    """What a person ordered: pause, resume or stop. Returns the state before. Audited."""
    mailbox = session.scalar(select(Mailbox).where(Mailbox.name == name))
    if mailbox is None:
        raise NotFound(f"there is no mailbox {name}")
    before = mailbox.state
    if not mailbox.configured and state is MailboxState.RUNNING:
        raise Invalid(f"mailbox {name} is not in the config any more: it cannot be resumed")
    set_state(session, name, state, now)
    if state is MailboxState.STOPPED:
        _forget_progress(session, mailbox.id)
    if before is not state:
        session.add(
            AuditLog(
                at=now,
                actor=actor,
                entity="mailbox",
                entity_id=mailbox.id,
                change={"state": [before.name, state.name]},
                channel=Channel.CLI,
            )
        )
    return before


def _forget_progress(session: Session, mailbox_id: int) -> None:
    """R109: cursors, verdicts and bindings go, what was logged and the events stay. A new start finds
    mails by their fingerprints, and events by their UIDs."""
    for collection_id in session.scalars(
        select(Collection.id).where(Collection.mailbox_id == mailbox_id)
    ).all():
        ledger.begin_epoch(session, collection_id, "")
        reconciling.forget(session, collection_id)
    outbox.forget(session, mailbox_id)


def shows_reminders(session: Session, user_id: int) -> bool:
    """Whether the user wants open tasks in the calendar too (R063)."""
    return bool(session.scalar(select(User.show_reminders).where(User.id == user_id)))


def shows_distance(session: Session, user_id: int) -> bool:
    """Whether the user's calendar tells how far it is to accounts (R095)."""
    return bool(session.scalar(select(User.show_distance).where(User.id == user_id)))


def state_of(session: Session, name: str) -> MailboxState | None:
    """What the mailbox is doing; None where there is none."""
    return session.scalar(_STATE, {"name": name})


def all_running(session: Session | Connection) -> frozenset[str]:
    """The mailboxes of the config in the state RUNNING."""
    query = select(Mailbox.name).where(Mailbox.configured, Mailbox.state == MailboxState.RUNNING)
    return frozenset(row[0] for row in session.execute(query))


def running(session: Session, name: str) -> bool:
    """Whether nobody paused or stopped the mailbox. The brake is on its calendars only: mail goes on."""
    state = session.scalar(_STATE, {"name": name})
    return state in {MailboxState.RUNNING, MailboxState.BRAKED}
