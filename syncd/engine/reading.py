"""From a message's bytes to what the store keeps. No database here; attachments go to the blob batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from connectors.mime import read_message
from connectors.model import Attachment, Envelope, RawMessage
from store.blobs import BlobBatch
from store.mail import EmailDirection
from store.mail_log import AttachmentRow, MailRow
from syncd.core.identity import fingerprint, thread_ids
from syncd.core.matching import Decision, Seen


@dataclass(frozen=True, slots=True)
class Limits:
    """What of a message is kept."""

    max_attachment: int  # octets; larger ones: name and size only
    min_inline_image: int  # octets; smaller inline images are signatures


@dataclass(frozen=True, slots=True)
class Judged:
    """One message with its decision, before its body is read."""

    uid: int
    size: int
    seen: Seen
    decision: Decision
    fingerprint: str | None  # None while the body is needed for it


def read(judged: Judged, raw: RawMessage, batch: BlobBatch, limits: Limits) -> MailRow:
    """Reads the message; raises ItemError where it cannot be read."""
    envelope = judged.seen.envelope
    message = read_message(raw.content, envelope)
    attachments = tuple(
        AttachmentRow(one.name, one.mime, one.inline, batch.add(chunks, limit=limits.max_attachment))
        for one, chunks in ((one, _chunks(one, limits)) for one in message.attachments)
        if chunks is not None
    )
    identity = judged.fingerprint or fingerprint(envelope, body=message.body_text or message.body_html)
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
        body_text=message.body_text,
        body_html=message.body_html,
        size=judged.size,
        defects=message.defects,
        attachments=attachments,
    )


def _emails(envelope: Envelope, field: str) -> tuple[str, ...]:
    return tuple(address.email for address in getattr(envelope, field))


def _chunks(attachment: Attachment, limits: Limits) -> Iterator[bytes] | None:
    """The attachment's content; None for a signature image, which is not kept (R100)."""
    chunks = attachment.chunks()
    if not (attachment.inline and attachment.mime.startswith("image/")):
        return chunks
    head: list[bytes] = []
    size = 0
    for chunk in chunks:
        head.append(chunk)
        size += len(chunk)
        if size >= limits.min_inline_image:
            return chain(head, chunks)
    return None
