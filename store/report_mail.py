"""The messages of forms (R113): which are to be put into which mailbox, and which answers came back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store.activities import Activity, ActivityType
from store.calendar import Task
from store.database import bulk
from store.ledger import chunked
from store.meetings import OPEN_REPORTS, MeetingReport, ReportMail, ReportReply, ReportState
from store.sync_state import Collection, CollectionKind, Mailbox
from store.users import User

READ_ONLY = "TO_CRM"  # the direction of mailboxes into which nothing is written


@dataclass(frozen=True, slots=True)
class Letter:
    """A message that is to be put into its user's Inbox, and what it says."""

    report_id: int
    announced: int  # how often: then it may be there already
    offered_at: datetime
    address: str  # the mailbox's own, where it is one of the user's; else the user's
    language: str | None  # of the user
    subject: str  # of the activity
    block: str  # of the form's task
    call: bool = False  # it is about a call


@dataclass(frozen=True, slots=True)
class Addressed:
    """The form that a token is of."""

    report_id: int
    activity_id: int
    user_id: int
    state: ReportState
    offered_at: datetime
    expires_at: datetime
    language: str | None  # of the user
    block: str  # of the form's task


def want(session: Session, activities: Iterable[int]) -> None:
    """The open forms of these activities are to get a message: in the mailbox of their user whose address is
    the user's own, if its mail is synchronised and something may be written into it. Never in one with
    another address, which others may read. Who has none gets no message."""
    for part in chunked(activities):
        found = session.execute(
            select(MeetingReport.id, Mailbox.id, Mailbox.address, User.email, User.aliases)
            .join(Mailbox, Mailbox.user_id == MeetingReport.user_id)
            .join(User, User.id == MeetingReport.user_id)
            .where(
                MeetingReport.activity_id.in_(part),
                MeetingReport.state == ReportState.OFFERED,
                Mailbox.configured,
                Mailbox.sync_mail,
                Mailbox.direction != READ_ONLY,
            )
            .order_by(Mailbox.id.desc())
        ).all()
        homes: dict[int, tuple[int, int]] = {}
        for report, mailbox, address, email, aliases in found:
            known = rank(address.lower(), email, aliases)
            if known is not None:
                homes[report] = min(homes.get(report, (known, mailbox)), (known, mailbox))
        bulk(
            session,
            ReportMail,
            [
                {"report_id": id_, "mailbox_id": home[1], "announced": 0}
                for id_, home in sorted(homes.items())
            ],
        )


def rank(address: str, email: str, aliases: Sequence[str]) -> int | None:
    """How surely a mailbox is its user's own, the best first; None where it is known by another address."""
    if address == email:
        return 0
    if address in aliases:
        return 1
    return None if "@" in address else 2  # a login name tells nothing


def drop_closed(session: Session, mailbox_id: int) -> None:
    """Messages of forms that nobody waits for any more, and those of a mailbox that became read-only, are not
    put any more."""
    still = select(MeetingReport.id).where(MeetingReport.state.in_(OPEN_REPORTS))
    writable = select(Mailbox.id).where(Mailbox.direction != READ_ONLY)
    session.execute(
        delete(ReportMail).where(
            ReportMail.mailbox_id == mailbox_id,
            ReportMail.report_id.not_in(still) | ReportMail.mailbox_id.not_in(writable),
        )
    )


def roles_read(session: Session, mailbox_id: int) -> set[str]:
    """The roles of the mail folders that are read; none before they were chosen."""
    query = select(Collection.role).where(
        Collection.mailbox_id == mailbox_id,
        Collection.kind == CollectionKind.MAIL_FOLDER,
        Collection.selected,
    )
    return set(session.scalars(query))


def letters(session: Session, mailbox_id: int) -> list[Letter]:
    """What is to be put into the mailbox, the oldest first."""
    query = (
        select(ReportMail, MeetingReport, Mailbox.address, User, Activity, Task.block)
        .join(MeetingReport, MeetingReport.id == ReportMail.report_id)
        .join(Mailbox, Mailbox.id == ReportMail.mailbox_id)
        .join(User, User.id == MeetingReport.user_id)
        .join(Activity, Activity.id == MeetingReport.activity_id)
        .outerjoin(Task, Task.id == MeetingReport.task_id)
        .where(
            ReportMail.mailbox_id == mailbox_id,
            MeetingReport.state.in_(OPEN_REPORTS),
            Activity.deleted_at.is_(None),
            Mailbox.direction != READ_ONLY,
        )
        .order_by(ReportMail.report_id)
    )
    return [
        Letter(
            report.id,
            mail.announced,
            report.offered_at,
            # A mailbox without an address in the config has its user name for one.
            address.lower() if address.lower() in user.aliases else user.email,
            user.language,
            activity.subject,
            block or "",
            call=activity.type is ActivityType.CALL,
        )
        for mail, report, address, user, activity, block in session.execute(query)
    ]


def announce(session: Session, report_id: int, token_hash: str, expires_at: datetime) -> None:
    """It is about to be put, with this token: the same one however often."""
    session.execute(
        update(ReportMail).where(ReportMail.report_id == report_id).values(announced=ReportMail.announced + 1)
    )
    session.execute(
        update(MeetingReport)
        .where(MeetingReport.id == report_id)
        .values(token_hash=token_hash, expires_at=expires_at)
    )


def settle(session: Session, report_id: int) -> None:
    """It is there, or never will be."""
    session.execute(delete(ReportMail).where(ReportMail.report_id == report_id))


def addressed(session: Session, hashes: Iterable[str]) -> dict[str, Addressed]:
    """The forms of these tokens, by the tokens' hashes; those of activities that are gone are left out."""
    found: dict[str, Addressed] = {}
    for part in chunked(hashes):
        query = (
            select(MeetingReport, User.language, Task.block)
            .join(Activity, Activity.id == MeetingReport.activity_id)
            .join(User, User.id == MeetingReport.user_id)
            .outerjoin(Task, Task.id == MeetingReport.task_id)
            .where(MeetingReport.token_hash.in_(part), Activity.deleted_at.is_(None))
        )
        for one, language, block in session.execute(query):
            if one.token_hash is not None and one.expires_at is not None:
                found[one.token_hash] = Addressed(
                    one.id,
                    one.activity_id,
                    one.user_id,
                    one.state,
                    one.offered_at,
                    one.expires_at,
                    language,
                    block or "",
                )
    return found


def taken(session: Session, fingerprints: Iterable[str]) -> set[str]:
    """Which of these messages were taken as answers before."""
    return {
        one
        for part in chunked(fingerprints)
        for one in session.scalars(select(ReportReply.fingerprint).where(ReportReply.fingerprint.in_(part)))
    }


def newest_reply(session: Session, report_id: int) -> datetime | None:
    """When the newest of the answers that were taken came; None where none was."""
    return session.scalar(select(func.max(ReportReply.came_at)).where(ReportReply.report_id == report_id))


def note_reply(session: Session, report_id: int, fingerprint: str, came_at: datetime, now: datetime) -> None:
    """This message was taken."""
    row = {"report_id": report_id, "fingerprint": fingerprint, "came_at": came_at, "at": now}
    bulk(session, ReportReply, [row])
