"""Logged mail that is older than the company keeps it: how much there is, and taking it away.

All functions run in the caller's transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store.audit_log import AuditLog, Channel
from store.erasing import changed
from store.mail import EmailMessage
from store.sync_state import Verdict, VerdictKind

REASON = "mail.retention"


@dataclass(frozen=True, slots=True)
class Old:
    """What is older."""

    mails: int
    oldest: datetime | None
    newest: datetime | None


def old(session: Session, before: datetime) -> Old:
    """The mail that was written before that moment."""
    e = EmailMessage
    query = select(func.count(), func.min(e.date), func.max(e.date)).where(e.date < before)
    return Old(*session.execute(query).one())


def page(session: Session, before: datetime, size: int) -> list[int]:
    """The ids of some of it."""
    query = select(EmailMessage.id).where(EmailMessage.date < before).order_by(EmailMessage.id)
    return list(session.scalars(query.limit(size)))


def drop(session: Session, mails: Sequence[int]) -> int:
    """Takes these e-mails away, with their attachments and activities; returns how many. What the ledger
    knows of them is what it knows of mail that was too old from the first."""
    changed(
        session,
        update(Verdict)
        .where(Verdict.email_id.in_(mails))
        .values(verdict=VerdictKind.TOO_OLD, reason=REASON, email_id=None),
    )
    return changed(session, delete(EmailMessage).where(EmailMessage.id.in_(mails)))


def note(
    session: Session, mails: int, before: datetime, now: datetime, *, actor: str, channel: Channel
) -> None:
    """Writes down that it was done."""
    _note(session, "email_message", {"retention": mails, "before": before.isoformat()}, now, (actor, channel))


def note_positions(
    session: Session, checkins: int, before: datetime, now: datetime, *, actor: str, channel: Channel
) -> None:
    """The same of positions of check-ins."""
    _note(session, "check_in", {"retention": checkins, "before": before.isoformat()}, now, (actor, channel))


def _note(
    session: Session, entity: str, change: dict[str, object], now: datetime, who: tuple[str, Channel]
) -> None:
    actor, channel = who
    session.add(AuditLog(at=now, actor=actor, entity=entity, entity_id=None, change=change, channel=channel))
    session.flush()
