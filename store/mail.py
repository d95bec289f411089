"""E-mails, their attachments, and why they were logged."""

from datetime import datetime
from enum import Enum

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class EmailDirection(Enum):
    """Whether one of our users wrote it."""

    SENT = "sent"
    RECEIVED = "received"


class MatchRule(Enum):
    """Which row of table T5 linked an e-mail to an account."""

    CONTACT = "contact"  # row 5: an address of a contact
    ACCOUNT = "account"  # row 6: the account's own address
    DOMAIN = "domain"  # row 7: the account's mail domain
    THREAD = "thread"  # mail.follow_threads: a message of a logged thread


class EmailMessage(Entity, Base):
    """E-mail: one record, however many mailboxes hold it."""

    __tablename__ = "email_message"
    __table_args__ = (
        Index("ix_email_message_message_id", "message_id"),
        Index("ix_email_message_thread_key", "thread_key"),
    )

    message_id: Mapped[str | None] = mapped_column(Text)  # without brackets; None where the mail has none
    fingerprint: Mapped[str] = mapped_column(String(64), unique=True)  # see core.identity
    thread_key: Mapped[str] = mapped_column(Text)  # the root's message id, as far as it is known
    direction: Mapped[EmailDirection] = mapped_column(EnumText(EmailDirection))
    from_: Mapped[list[str]] = mapped_column("from", JSON)
    to: Mapped[list[str]] = mapped_column("to", JSON)
    cc: Mapped[list[str]] = mapped_column(JSON)
    bcc: Mapped[list[str]] = mapped_column(JSON)
    reply_to: Mapped[list[str]] = mapped_column(JSON)
    in_reply_to: Mapped[list[str]] = mapped_column(JSON)  # kept for threading
    references: Mapped[list[str]] = mapped_column("references", JSON)  # kept for threading
    date: Mapped[datetime]
    subject: Mapped[str] = mapped_column(Text)
    body_text: Mapped[str] = mapped_column(Text)
    body_html: Mapped[str] = mapped_column(Text)
    size: Mapped[int]
    defects: Mapped[list[str]] = mapped_column(JSON)  # what was repaired on reading


class EmailAttachment(Base):
    """Pièce jointe. `path` is relative to the attachments folder; None = over the size limit, not kept."""

    __tablename__ = "email_attachment"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_id: Mapped[int] = mapped_column(ForeignKey("email_message.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    mime: Mapped[str] = mapped_column(String(255))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    inline: Mapped[bool] = mapped_column(Boolean)
    path: Mapped[str | None] = mapped_column(String(80))


class EmailUser(Base):
    """In whose mailboxes an e-mail was seen. Where it lies there is told by the verdicts."""

    __tablename__ = "email_user"

    email_id: Mapped[int] = mapped_column(
        ForeignKey("email_message.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)


class EmailMatch(Base):
    """Why an e-mail stands at an account: the rule, and the address that it caught."""

    __tablename__ = "email_match"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_id: Mapped[int] = mapped_column(ForeignKey("email_message.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    rule: Mapped[MatchRule] = mapped_column(EnumText(MatchRule))
    address: Mapped[str] = mapped_column(String(320), index=True)  # the counterpart; empty for a thread


class OutboundMessage(Base):
    """A draft that waits to be put into its user's mailbox."""

    __tablename__ = "outbound_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id", ondelete="CASCADE"), index=True)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)  # how often it was announced: it may be there then
    error: Mapped[str] = mapped_column(Text, default="")  # why nobody can tell whether it is there
    failed_at: Mapped[datetime | None]  # when that was found last
