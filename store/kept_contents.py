"""Which contents of attachments are kept, and for which e-mails."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.ledger import chunked
from store.mail import EmailAttachment


def contents(session: Session, mail_ids: Iterable[int]) -> set[str]:
    """The hashes of the attachments that are kept for some e-mails."""
    return _kept(session, EmailAttachment.email_id, mail_ids)


def referenced(session: Session, hashes: Iterable[str]) -> set[str]:
    """Which of some contents any attachment refers to."""
    return _kept(session, EmailAttachment.sha256, hashes)


def _kept(session: Session, column: InstrumentedAttribute[Any], values: Iterable[Any]) -> set[str]:
    found: set[str] = set()
    for part in chunked(values):
        query = select(EmailAttachment.sha256).where(column.in_(part), EmailAttachment.path.is_not(None))
        found.update(session.scalars(query.distinct()))
    return found
