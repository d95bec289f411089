"""Events, their participants, and tasks (§5.4): the tables. What may be done with them is `store.scheduling`.

A series is one row, each changed occurrence a row of its own that names the series. `timing` holds the exact
wall-clock times, zones and recurrence; start, end, tz, all_day and series_rrule are worked out from it, for
queries and for people.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Numeric, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.activities import OWN_TYPE, ActivityType
from store.base import Base, Entity, EnumText


class VideoProvider(Enum):
    """Fournisseur de visioconférence (R084)."""

    TEAMS = "teams"
    ZOOM = "zoom"
    MEET = "meet"
    WEBEX = "webex"
    OTHER = "other"


class Privacy(Enum):
    """What is not PUBLIC is kept as busy time only."""

    PUBLIC = "public"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class EventStatus(Enum):
    """Whether an event takes place."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"


class Origin(Enum):
    """Where a record was made first (R101)."""

    CRM = "crm"
    PROVIDER = "provider"


class ParticipantKind(Enum):
    """Who takes part (R087)."""

    USER = "user"
    CONTACT = "contact"
    EMAIL = "email"


class ResponseKind(Enum):
    """Réponse (table T6)."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    NO_RESPONSE = "no_response"
    DECLINED = "declined"


class TaskState(Enum):
    """État d'un rappel."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class TaskPurpose(Enum):
    """Why there is a task."""

    USER = "user"
    REPORT_FORM = "report_form"
    CALL_FORM = "call_form"
    STATUS_RULE = "status_rule"
    PRE_MEETING = "pre_meeting"


IS_VIDEO = text("type = 'VIDEO_CALL' OR video_url <> ''")  # R110


class Event(Entity, Base):
    """Événement: one meeting, however many calendars hold it."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("uid", "recurrence_key"),
        Index("ix_event_start", "start"),
        Index("ix_event_series_id", "series_id"),
        Index("ix_event_owner_id_start", "owner_id", "start"),
        Index("ix_event_type_id", "type_id", sqlite_where=OWN_TYPE, postgresql_where=OWN_TYPE),
        Index("ix_event_video", "series_id", sqlite_where=IS_VIDEO, postgresql_where=IS_VIDEO),
    )

    uid: Mapped[str] = mapped_column(Text)
    recurrence_key: Mapped[str] = mapped_column(Text, default="")  # empty: no single occurrence
    recurrence_id: Mapped[datetime | None]
    recurrence: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # RECURRENCE-ID as it was written
    series_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    subject: Mapped[str] = mapped_column(Text)
    start: Mapped[datetime]
    end: Mapped[datetime]  # exclusive
    tz: Mapped[str] = mapped_column(Text)  # IANA name; empty: floating
    all_day: Mapped[bool] = mapped_column(Boolean)
    series_rrule: Mapped[str | None] = mapped_column(Text)
    timing: Mapped[dict[str, Any]] = mapped_column(JSON)
    zones: Mapped[list[Any]] = mapped_column(JSON, default=list)  # definitions of zones nobody knows
    alarm_minutes: Mapped[int | None]
    alarms: Mapped[list[str]] = mapped_column(JSON, default=list)  # every trigger; alarm_minutes is one
    categories: Mapped[list[str]] = mapped_column(JSON, default=list)  # the type's name is one, if written
    owner_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    type: Mapped[ActivityType] = mapped_column(EnumText(ActivityType))
    type_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"))  # as of an activity
    video_provider: Mapped[VideoProvider | None] = mapped_column(EnumText(VideoProvider))
    video_url: Mapped[str] = mapped_column(Text, default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"), index=True)
    case_file_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    notes: Mapped[str] = mapped_column(Text, default="")
    internal_notes: Mapped[str] = mapped_column(Text, default="")  # never leaves the CRM
    location: Mapped[str] = mapped_column(Text, default="")
    alt_address: Mapped[str | None] = mapped_column(Text)
    alt_lat: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    alt_lon: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    privacy: Mapped[Privacy] = mapped_column(EnumText(Privacy))
    busy: Mapped[bool] = mapped_column(Boolean, default=True)
    status: Mapped[EventStatus] = mapped_column(EnumText(EventStatus))
    origin: Mapped[Origin] = mapped_column(EnumText(Origin))
    editable: Mapped[bool] = mapped_column(Boolean)  # False: somebody else organises it
    organizer: Mapped[str] = mapped_column(Text, default="")  # lower-cased address
    sequence: Mapped[int] = mapped_column(default=0)
    hidden: Mapped[bool] = mapped_column(Boolean, default=False)  # cancelled or deleted, kept as history


class EventParticipant(Base):
    """Participant. The organizer has a row too; `attending` tells whether also as an attendee."""

    __tablename__ = "event_participant"
    __table_args__ = (UniqueConstraint("event_id", "email"), Index("ix_event_participant_email", "email"))

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"))
    kind: Mapped[ParticipantKind] = mapped_column(EnumText(ParticipantKind))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    email: Mapped[str] = mapped_column(Text)  # lower-cased
    display_name: Mapped[str] = mapped_column(Text, default="")
    response: Mapped[ResponseKind] = mapped_column(EnumText(ResponseKind))
    is_organizer: Mapped[bool] = mapped_column(Boolean, default=False)
    attending: Mapped[bool] = mapped_column(Boolean, default=True)


class Task(Entity, Base):
    """Rappel, tâche. `due_date` has no time of day; what a client wrote of times is kept in `timing`."""

    __tablename__ = "task"
    __table_args__ = (Index("ix_task_assignee_id_state", "assignee_id", "state"),)

    uid: Mapped[str] = mapped_column(Text, unique=True)
    subject: Mapped[str] = mapped_column(Text)
    due_date: Mapped[date | None]
    timing: Mapped[dict[str, Any]] = mapped_column(JSON)
    zones: Mapped[list[Any]] = mapped_column(JSON, default=list)
    overrides: Mapped[list[Any]] = mapped_column(JSON, default=list)  # changed occurrences, as they came
    assignee_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"), index=True)
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"), index=True)
    notes: Mapped[str] = mapped_column(Text, default="")
    block: Mapped[str] = mapped_column(
        Text, default="", server_default=""
    )  # what the CRM adds below the notes
    location: Mapped[str] = mapped_column(Text, default="")
    alarms: Mapped[list[str]] = mapped_column(JSON, default=list)
    categories: Mapped[list[str]] = mapped_column(JSON, default=list)
    privacy: Mapped[Privacy] = mapped_column(EnumText(Privacy))
    state: Mapped[TaskState] = mapped_column(EnumText(TaskState))
    done_at: Mapped[datetime | None]
    purpose: Mapped[TaskPurpose] = mapped_column(EnumText(TaskPurpose))
    origin: Mapped[Origin] = mapped_column(EnumText(Origin))
    organizer: Mapped[str] = mapped_column(Text, default="")
    hidden: Mapped[bool] = mapped_column(Boolean, default=False)
