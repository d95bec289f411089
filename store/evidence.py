"""What the database can tell of one message: for `syncd explain`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, String, cast, select
from sqlalchemy.orm import Session

from store import details
from store.activities import Activity
from store.details import AttachmentRow, MatchRow, PlaceRow
from store.mail import EmailMessage, EmailUser
from store.report_rows import ActivityRow, Query
from store.reports import activities
from store.sync_state import Collection, Mailbox, Quarantine, Rematch, Run, Verdict, VerdictKey, VerdictKind
from store.users import User


@dataclass(frozen=True, slots=True)
class Sighting:
    """A message in a folder, and what was decided of it."""

    mailbox: str
    folder: str
    uid: int
    verdict: VerdictKind
    reason: str | None
    email_id: int | None
    waiting: bool  # to be judged again
    error: str | None  # of the quarantine
    tries: int
    first_failed: datetime | None
    last_failed: datetime | None


@dataclass(frozen=True, slots=True)
class MailEvidence:
    """A logged e-mail and why it is where it is."""

    id: int
    message_id: str | None
    fingerprint: str
    thread: str
    thread_mails: int
    direction: str
    date: datetime
    subject: str
    from_: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    logged_at: datetime
    runs: tuple[str, ...]  # cycles that can have logged it
    users: tuple[str, ...]
    matches: tuple[MatchRow, ...]
    activities: tuple[ActivityRow, ...]
    places: tuple[PlaceRow, ...]
    attachments: tuple[AttachmentRow, ...]
    defects: tuple[str, ...]


def mails_by_message_id(session: Session, message_id: str) -> list[int]:
    """The e-mails with this Message-ID; several where somebody used one twice."""
    query = select(EmailMessage.id).where(EmailMessage.message_id == message_id).order_by(EmailMessage.id)
    return list(session.scalars(query))


def mail_of_activity(session: Session, activity_id: int) -> tuple[bool, int | None]:
    """Whether there is such an activity, and its e-mail."""
    row = session.execute(select(Activity.email_id).where(Activity.id == activity_id)).first()
    return (False, None) if row is None else (True, row[0])


def mail(session: Session, email_id: int) -> MailEvidence | None:
    """Everything about a logged e-mail but its text."""
    found = session.get(EmailMessage, email_id)
    if found is None:
        return None
    logins = (
        select(User.login)
        .join(EmailUser, EmailUser.user_id == User.id)
        .where(EmailUser.email_id == email_id)
        .order_by(User.login)
    )
    thread = select(EmailMessage.id).where(EmailMessage.thread_key == found.thread_key)
    runs = (
        select(Run.ref)
        .join(Mailbox, Mailbox.id == Run.mailbox_id)
        .join(EmailUser, EmailUser.user_id == Mailbox.user_id)
        .where(
            EmailUser.email_id == email_id,
            Run.started_at <= found.created_at,
            Run.ended_at >= found.created_at,
            Run.logged > 0,
        )
        .order_by(Run.started_at)
    )
    lists = details.email(session, email_id).lists
    return MailEvidence(
        id=found.id,
        message_id=found.message_id,
        fingerprint=found.fingerprint,
        thread=found.thread_key,
        thread_mails=len(session.scalars(thread).all()),
        direction=found.direction.name.lower(),
        date=found.date,
        subject=found.subject,
        from_=tuple(found.from_),
        to=tuple(found.to),
        cc=tuple(found.cc),
        logged_at=found.created_at,
        runs=tuple(session.scalars(runs)),
        users=tuple(session.scalars(logins)),
        matches=details.matches(session, email_id),
        activities=activities(session, Query(email=email_id)).rows,
        places=details.places(session, email_id),
        attachments=tuple(one for one in lists["attachments"] if isinstance(one, AttachmentRow)),
        defects=tuple(found.defects),
    )


def by_key(session: Session, key: int) -> list[Sighting]:
    """The messages whose verdict stands under a key."""
    query = _sightings().join(
        VerdictKey, (VerdictKey.collection_id == Verdict.collection_id) & (VerdictKey.uid == Verdict.uid)
    )
    return _read(session, query.where(VerdictKey.key == key))


def by_place(session: Session, folder: str, uid: int, mailbox: str | None) -> list[Sighting]:
    """The messages with this UID in folders of this name."""
    query = _sightings().where(Collection.remote_ref == folder, Verdict.uid == uid)
    return _read(session, query if mailbox is None else query.where(Mailbox.name == mailbox))


def of_mails(session: Session, email_ids: Iterable[int]) -> list[Sighting]:
    """Where some e-mails lie."""
    return _read(session, _sightings().where(Verdict.email_id.in_(list(email_ids))))


def folders(session: Session) -> set[tuple[str, str]]:
    """Every folder that was ever read: (mailbox, folder)."""
    query = select(Mailbox.name, Collection.remote_ref).join(Mailbox, Mailbox.id == Collection.mailbox_id)
    return {(name, ref) for name, ref in session.execute(query)}


def quarantined(session: Session) -> int:
    """How many messages could not be read: they cannot be recognised by an id."""
    return len(session.execute(select(Quarantine.remote_ref)).all())


def _sightings() -> Select[str, str, Verdict, Quarantine, int]:
    return (
        select(Mailbox.name, Collection.remote_ref, Verdict, Quarantine, Rematch.uid)
        .join(Collection, Collection.id == Verdict.collection_id)
        .join(Mailbox, Mailbox.id == Collection.mailbox_id)
        .outerjoin(
            Quarantine,
            (Quarantine.collection_id == Verdict.collection_id)
            & (Quarantine.remote_ref == cast(Verdict.uid, String(20))),
        )
        .outerjoin(Rematch, (Rematch.collection_id == Verdict.collection_id) & (Rematch.uid == Verdict.uid))
        .order_by(Mailbox.name, Collection.remote_ref, Verdict.uid)
    )


def _read(session: Session, query: Select[str, str, Verdict, Quarantine, int]) -> list[Sighting]:
    rows: list[tuple[str, str, Verdict, Quarantine | None, int | None]] = [
        (name, ref, verdict, bad, waiting) for name, ref, verdict, bad, waiting in session.execute(query)
    ]
    return [
        Sighting(
            mailbox=name,
            folder=ref,
            uid=verdict.uid,
            verdict=verdict.verdict,
            reason=verdict.reason,
            email_id=verdict.email_id,
            waiting=waiting is not None,
            error=bad.error if bad is not None else None,
            tries=bad.tries if bad is not None else 0,
            first_failed=bad.first_at if bad is not None else None,
            last_failed=bad.last_at if bad is not None else None,
        )
        for name, ref, verdict, bad, waiting in rows
    ]
