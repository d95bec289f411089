"""What the synchronisation remembers: mailboxes, collections, verdicts, quarantine, runs.

The *ledger* is `verdict` and `verdict_key`: one verdict for each message seen, and keyed hashes by which
it is found again. Of a stranger's message it holds nothing else. Its rows are counted in bytes, hence
integers and tables without a row id.
"""

from datetime import date, datetime
from enum import Enum

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumCode, EnumText

HAS_EMAIL = text("email_id IS NOT NULL")  # most messages are strangers': they need no index entry


class MailboxState(Enum):
    """What a mailbox is doing (R108)."""

    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    NEEDS_ATTENTION = "needs_attention"
    BRAKED = "braked"


class CollectionKind(Enum):
    """What a collection holds."""

    MAIL_FOLDER = "mail_folder"
    CALENDAR = "calendar"
    TASKS = "tasks"
    CONTACTS = "contacts"


class VerdictKind(Enum):
    """What was decided of a message (table T5)."""

    LOGGED = 1
    NO_CONTACT = 2
    INTERNAL = 3
    EXCLUDED = 4
    PRIVATE = 5
    TOO_OLD = 6
    QUARANTINED = 7
    ERASED = 8  # with a person: never to be logged again


class Mailbox(Entity, Base):
    """A user's mailbox. Its settings come from the config file; its state is kept here."""

    __tablename__ = "mailbox"

    name: Mapped[str] = mapped_column(String(80), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    address: Mapped[str] = mapped_column(String(320))
    server: Mapped[str] = mapped_column(String(80))
    sync_mail: Mapped[bool] = mapped_column(Boolean)
    sync_calendar: Mapped[bool] = mapped_column(Boolean)
    direction: Mapped[str] = mapped_column(String(12))
    configured: Mapped[bool] = mapped_column(Boolean)  # False = no longer in the config file
    state: Mapped[MailboxState] = mapped_column(EnumText(MailboxState))
    brake: Mapped[str | None] = mapped_column(Text)  # what waits for `syncd release`, as JSON
    released: Mapped[str | None] = mapped_column(Text)  # the plan that a person let go
    attention: Mapped[str | None] = mapped_column(Text)  # why a person is needed, and what to do
    refused_with: Mapped[str | None] = mapped_column(String(32))  # keyed hash of the credentials refused
    started_on: Mapped[date | None]
    last_ok_at: Mapped[datetime | None]  # of the last cycle that wrote something; see daemon.heartbeat
    last_error: Mapped[str | None] = mapped_column(Text)
    last_error_at: Mapped[datetime | None]


class Collection(Base):
    """A mail folder, a calendar or a task list of a mailbox."""

    __tablename__ = "collection"
    __table_args__ = (UniqueConstraint("mailbox_id", "kind", "remote_ref"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"))
    kind: Mapped[CollectionKind] = mapped_column(EnumText(CollectionKind))
    remote_ref: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(String(12))
    selected: Mapped[bool] = mapped_column(Boolean)
    epoch: Mapped[str] = mapped_column(String(32))  # UIDVALIDITY; empty before the first look
    cursor: Mapped[int] = mapped_column(BigInteger)  # every UID up to this one has its verdict
    token: Mapped[str] = mapped_column(Text, default="")  # of a calendar: everything up to it is known
    name: Mapped[str] = mapped_column(Text, default="")  # what a calendar's owner calls it
    direction: Mapped[str] = mapped_column(String(12), default="")  # of a calendar; empty: the mailbox's
    error: Mapped[str | None] = mapped_column(Text)
    error_at: Mapped[datetime | None]


class Verdict(Base):
    """One for each message seen."""

    __tablename__ = "verdict"
    __table_args__ = (
        Index("ix_verdict_email_id", "email_id", sqlite_where=HAS_EMAIL, postgresql_where=HAS_EMAIL),
        {"sqlite_with_rowid": False},
    )

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True
    )
    uid: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    verdict: Mapped[VerdictKind] = mapped_column(EnumCode(VerdictKind))
    reason: Mapped[str | None] = mapped_column(Text)  # None = the verdict says it all
    email_id: Mapped[int | None] = mapped_column(ForeignKey("email_message.id", ondelete="SET NULL"))


class VerdictKey(Base):
    """A keyed hash (see core.identity) of an address, a domain, a message id or a reference."""

    __tablename__ = "verdict_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    collection_id: Mapped[int] = mapped_column(Integer, primary_key=True)
    uid: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class Rematch(Base):
    """A message that must be judged again: a contact came, a rule changed."""

    __tablename__ = "rematch"
    __table_args__ = ({"sqlite_with_rowid": False},)

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True
    )
    uid: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class KnownKey(Base):
    """The keyed hashes of all addresses that the ledger was matched against so far."""

    __tablename__ = "known_key"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True)


class DirectoryState(Base):
    """One row: counts the changes of accounts, contacts and opportunities.

    A batch of verdicts is committed only under the version that it was judged with, so that no message
    slips between a new contact and the search of the ledger for its address.
    """

    __tablename__ = "directory_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger)
    matched_version: Mapped[int] = mapped_column(BigInteger)  # the ledger was searched up to here
    policy: Mapped[str] = mapped_column(String(64))  # hash of the [mail] rules the ledger was judged by
    key_check: Mapped[str] = mapped_column(String(64))  # tells whether the hash key is still the same


class Quarantine(Base):
    """A message that could not be read. Retried by `syncd sync --quarantined`."""

    __tablename__ = "quarantine"

    collection_id: Mapped[int] = mapped_column(
        ForeignKey("collection.id", ondelete="CASCADE"), primary_key=True
    )
    remote_ref: Mapped[str] = mapped_column(String(255), primary_key=True)
    error: Mapped[str] = mapped_column(Text)
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]
    tries: Mapped[int]


class Run(Base):
    """One cycle of a mailbox that changed or failed something."""

    __tablename__ = "run"

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[str] = mapped_column(String(16), unique=True)  # the id that log lines carry
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    pulled: Mapped[int] = mapped_column(default=0)  # messages seen
    pushed: Mapped[int] = mapped_column(default=0)
    logged: Mapped[int] = mapped_column(default=0)
    conflicts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None] = mapped_column(Text)
