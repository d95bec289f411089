"""What the reconciliation of calendars remembers (§5.6): bindings, intents, decisions, conflicts.

A *binding* ties a record of the CRM to its copy in one calendar, with what both sides looked like when they
last agreed. An *intent* announces a write to a server before it is made. A *decision* is what was done with
one item in one run, with what stood there before: `explain` tells it, `undo` goes back to it. Items are kept
as JSON text in the canonical form of `syncd.core.canonical`; the store does not look into them.
"""

from datetime import date, datetime
from enum import Enum

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, EnumText


class BoundEntity(Enum):
    """What kind of record a binding is for."""

    EVENT = "event"
    TASK = "task"
    COMPANION = "companion"  # what the CRM knows of a meeting with guests, for its owner only
    MIRROR = "mirror"  # an open task on its day in the calendar (R063)


class BindingState(Enum):
    """What becomes of an item of a calendar."""

    BOUND = "bound"  # kept in step with its record
    OUTSIDE = "outside"  # outside the window: looked at again when it comes into it
    IGNORED = "ignored"  # a person took it out of the synchronisation
    FROZEN = "frozen"  # two writers undo each other: a person must look


class CopyRole(Enum):
    """What a copy of an event contributes."""

    ORGANIZER = "organizer"  # its owner organises it: content goes both ways
    ATTENDEE = "attendee"  # its owner was invited: the answer is the owner's, content comes from elsewhere


class IntentKind(Enum):
    """A write to a server."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class ConflictState(Enum):
    """Whether a conflict still waits for a person."""

    OPEN = "open"  # rule `manual`: both sides keep their value
    DECIDED = "decided"  # a rule chose; the loser can be taken back
    TAKEN_BACK = "taken_back"
    CLOSED = "closed"


class Side(Enum):
    """Where something happened, or who won."""

    CRM = "crm"
    REMOTE = "remote"
    BOTH = "both"
    NONE = "none"


class Binding(Base):
    """One item of one calendar, and the record it belongs to."""

    __tablename__ = "binding"
    __table_args__ = (
        UniqueConstraint("collection_id", "remote_ref"),
        Index("ix_binding_entity_entity_id", "entity", "entity_id"),
        Index("ix_binding_uid", "uid"),
        Index(
            "ix_binding_absent",
            "collection_id",
            sqlite_where=text("absent = 1"),  # as a query has it: SQLite compares the texts
            postgresql_where=text("absent"),
        ),
        Index(
            "ix_binding_enters_on",
            "collection_id",
            "enters_on",
            sqlite_where=text("enters_on IS NOT NULL"),
            postgresql_where=text("enters_on IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"))
    remote_ref: Mapped[str] = mapped_column(Text)
    uid: Mapped[str] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)  # ETag or change key; empty: unknown, read it again
    state: Mapped[BindingState] = mapped_column(EnumText(BindingState))
    entity: Mapped[BoundEntity] = mapped_column(EnumText(BoundEntity))
    entity_id: Mapped[int | None]  # None only where state is OUTSIDE or IGNORED
    role: Mapped[CopyRole] = mapped_column(EnumText(CopyRole))
    supplies: Mapped[bool] = mapped_column(Boolean)  # the record's content is kept in step with this copy
    ours: Mapped[bool] = mapped_column(Boolean)  # the service wrote this copy into the calendar
    base_crm: Mapped[str | None] = mapped_column(Text)  # None: the same as base_remote
    base_remote: Mapped[str] = mapped_column(Text)
    dress: Mapped[str] = mapped_column(Text, default="")  # hash of what the CRM added on its last write
    last_block: Mapped[str] = mapped_column(Text, default="")  # the CRM block of the last write
    absent: Mapped[bool] = mapped_column(Boolean, default=False)  # not in a listing that proves nothing
    enters_on: Mapped[date | None]  # OUTSIDE: when it comes into the window
    history: Mapped[str] = mapped_column(Text, default="")  # hashes of late: tells two writers that fight
    changed_at: Mapped[datetime]


class Pending(Base):
    """A record that changed in the CRM, and a mailbox that has not been told yet: the outbox."""

    __tablename__ = "pending"
    __table_args__ = (UniqueConstraint("mailbox_id", "entity", "entity_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"))
    entity: Mapped[BoundEntity] = mapped_column(EnumText(BoundEntity))
    entity_id: Mapped[int]
    by_person: Mapped[bool] = mapped_column(Boolean)  # whether guests may be told of it
    at: Mapped[datetime]


class Intent(Base):
    """A write to a server, announced before it is made and gone once its outcome is known."""

    __tablename__ = "intent"

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"), index=True)
    collection_id: Mapped[int] = mapped_column(ForeignKey("collection.id", ondelete="CASCADE"))
    binding_id: Mapped[int | None]  # None: a new item
    kind: Mapped[IntentKind] = mapped_column(EnumText(IntentKind))
    uid: Mapped[str] = mapped_column(Text)
    entity: Mapped[BoundEntity] = mapped_column(EnumText(BoundEntity))
    entity_id: Mapped[int | None]
    precondition: Mapped[str] = mapped_column(Text)  # the version that is to be replaced
    payload: Mapped[str] = mapped_column(Text)  # the item as it is to be; empty for a deletion
    crm_before: Mapped[str] = mapped_column(Text)  # the record as it was when this was decided
    crm: Mapped[str] = mapped_column(Text)  # the record as it is to be; empty where it is to stay
    dress: Mapped[str] = mapped_column(Text)  # hash of what the CRM adds
    block: Mapped[str] = mapped_column(Text)  # the CRM block
    held: Mapped[str] = mapped_column(Text)  # units of open conflicts, as JSON
    conflicts: Mapped[str] = mapped_column(Text)  # what loses by it, as JSON
    ours: Mapped[bool] = mapped_column(Boolean)
    supplies: Mapped[bool] = mapped_column(Boolean)
    role: Mapped[CopyRole] = mapped_column(EnumText(CopyRole))
    action: Mapped[str] = mapped_column(String(24))
    notify: Mapped[bool] = mapped_column(Boolean)
    row: Mapped[int]  # of table T4
    reason: Mapped[str] = mapped_column(Text)
    before: Mapped[str] = mapped_column(Text)  # the item as it was at the server; empty: there was none
    mailed: Mapped[str] = mapped_column(Text)
    run_ref: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    came_as: Mapped[str] = mapped_column(Text)  # the ref of a new item that was listed meanwhile; empty: none


class Decision(Base):
    """What was done with one item in one run, and why."""

    __tablename__ = "decision"
    __table_args__ = (
        Index("ix_decision_run_ref", "run_ref"),
        Index("ix_decision_entity_entity_id", "entity", "entity_id"),
        Index("ix_decision_uid", "uid"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    run_ref: Mapped[str] = mapped_column(String(16))
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"), index=True)
    collection_id: Mapped[int | None] = mapped_column(ForeignKey("collection.id", ondelete="SET NULL"))
    at: Mapped[datetime]
    uid: Mapped[str] = mapped_column(Text)
    entity: Mapped[BoundEntity] = mapped_column(EnumText(BoundEntity))
    entity_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(24))  # of core.plan
    row: Mapped[int]  # of table T4
    side: Mapped[Side] = mapped_column(EnumText(Side))  # the side that was written
    reason: Mapped[str] = mapped_column(Text)
    crm_before: Mapped[str | None] = mapped_column(Text)  # None: unchanged there, empty: there was none
    remote_before: Mapped[str | None] = mapped_column(Text)
    version: Mapped[str] = mapped_column(Text)  # of the item at the server, afterwards
    mailed: Mapped[str] = mapped_column(Text, default="")  # who may have been mailed, by commas
    undone: Mapped[bool] = mapped_column(Boolean, default=False)


class Conflict(Base):
    """Both sides changed the same: its base, both values and the winner."""

    __tablename__ = "conflict"

    id: Mapped[int] = mapped_column(primary_key=True)
    binding_id: Mapped[int | None] = mapped_column(ForeignKey("binding.id", ondelete="SET NULL"), index=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"), index=True)
    entity: Mapped[BoundEntity] = mapped_column(EnumText(BoundEntity))
    entity_id: Mapped[int | None]
    component: Mapped[str] = mapped_column(Text)  # key of the occurrence; empty: the series or event
    unit: Mapped[str] = mapped_column(String(24))  # of core.canonical; empty: the whole item
    base: Mapped[str] = mapped_column(Text)  # JSON
    crm_value: Mapped[str] = mapped_column(Text)
    remote_value: Mapped[str] = mapped_column(Text)
    winner: Mapped[Side] = mapped_column(EnumText(Side))
    at: Mapped[datetime]
    run_ref: Mapped[str] = mapped_column(String(16))
    state: Mapped[ConflictState] = mapped_column(EnumText(ConflictState))
