"""From a message that was read to the row that the store keeps. Pure, but for the blob batch."""

from dataclasses import dataclass

from connectors.model import Envelope
from store.blobs import BlobBatch
from store.mail import EmailDirection
from store.mail_log import AttachmentRow, MailRow
from syncd.core.identity import fingerprint, thread_ids
from syncd.core.matching import Decision, Seen
from syncd.engine.content import Content


@dataclass(frozen=True, slots=True)
class Judged:
    """One message with its decision, before its body is read."""

    uid: int
    size: int
    seen: Seen
    decision: Decision
    fingerprint: str | None  # None while the body is needed for it


def mail_row(judged: Judged, content: Content, batch: BlobBatch) -> MailRow:
    """The row of a message; its attachments become the batch's."""
    envelope = judged.seen.envelope
    identity = judged.fingerprint or fingerprint(envelope, body=content.body_text or content.body_html)
    if identity is None:
        raise AssertionError("a fingerprint made with a body is never missing")
    return MailRow(
        fingerprint=identity,
        message_id=envelope.message_id,
        thread_ids=thread_ids(envelope),
        in_reply_to=envelope.in_reply_to,
        references=envelope.references,
        direction=EmailDirection.SENT if judged.decision.sent else EmailDirection.RECEIVED,
        from_=_emails(envelope, "sender"),
        to=_emails(envelope, "to"),
        cc=_emails(envelope, "cc"),
        bcc=_emails(envelope, "bcc"),
        reply_to=_emails(envelope, "reply_to"),
        date=judged.seen.moment,
        subject=envelope.subject,
        body_text=content.body_text,
        body_html=content.body_html,
        size=judged.size,
        defects=content.defects,
        attachments=tuple(
            AttachmentRow(one.name, one.mime, one.inline, batch.take(one.part)) for one in content.files
        ),
    )


def _emails(envelope: Envelope, field: str) -> tuple[str, ...]:
    return tuple(address.email for address in getattr(envelope, field))
