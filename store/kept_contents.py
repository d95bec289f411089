"""Which contents of attachments are kept, and for which e-mails."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.ledger import chunked
from store.mail import EmailAttachment


def contents(session: Session, mail_ids: Iterable[int]) -> set[str]:
    """The hashes of the attachments that are kept for some e-mails."""
    found: set[str] = set()
    for part in chunked(mail_ids):
        query = select(EmailAttachment.sha256).where(
            EmailAttachment.email_id.in_(part), EmailAttachment.path.is_not(None)
        )
        found.update(session.scalars(query.distinct()))
    return found


def referenced(session: Session, hashes: Iterable[str]) -> set[str]:
    """Which of some contents any attachment refers to."""
    found: set[str] = set()
    for part in chunked(hashes):
        query = select(EmailAttachment.sha256).where(
            EmailAttachment.sha256.in_(part), EmailAttachment.path.is_not(None)
        )
        found.update(session.scalars(query.distinct()))
    return found
