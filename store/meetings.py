"""Video meetings that are over (R112 to R114, table T8): the tables. What is asked of them is `meeting_rows`.

An occurrence is told by its event's UID and its place in the series, as in `event`: it keeps its record
though the event is deleted, or comes in again under another id.
"""

from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy import JSON, Boolean, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, EnumText


class Grade(Enum):
    """How well the duration of a meeting is known: the greater value replaces the smaller one."""

    SCHEDULE = 1
    REPORTED = 2  # somebody told when it began and ended
    ATTENDANCE = 3  # the provider's list of who was there


class ReportState(Enum):
    """What became of a form. See docs/meetings.md for how one leads to another."""

    OFFERED = "offered"
    REMINDED = "reminded"
    ANSWERED = "answered"
    WAIVED = "waived"  # its owner will not answer it
    WITHDRAWN = "withdrawn"  # the meeting turned out not to be over
    EXPIRED = "expired"  # validated without an answer, as `video.auto_validate` says


class ReportChannel(Enum):
    """The door an answer came through."""

    TASK = "task"
    EMAIL = "email"
    PAGE = "page"
    API = "api"
    CLI = "cli"


OPEN_REPORTS = (ReportState.OFFERED, ReportState.REMINDED)


class MeetingWatch(Base):
    """When an event with video meetings is to be looked at again. Without a row, or with another version
    than the event's, at once."""

    __tablename__ = "meeting_watch"

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int]
    looked_at: Mapped[datetime]  # by a clock that may be put back
    due_at: Mapped[datetime | None] = mapped_column(index=True)  # None: nothing more to come
    cancelled: Mapped[bool] = mapped_column(Boolean, default=False)  # by a person in the CRM, since then


class MeetingRecord(Base):
    """The activity that an occurrence became. One an occurrence, for ever."""

    __tablename__ = "meeting_record"
    __table_args__ = (
        UniqueConstraint("uid", "recurrence_key"),
        Index("ix_meeting_record_scheduled_start", "scheduled_start"),
    )

    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id", ondelete="CASCADE"), primary_key=True)
    uid: Mapped[str] = mapped_column(Text)
    recurrence_key: Mapped[str] = mapped_column(Text)  # empty: the event does not recur
    scheduled_start: Mapped[datetime]
    scheduled_end: Mapped[datetime]
    withdrawn: Mapped[bool] = mapped_column(Boolean, default=False)  # by itself: a person's deletion stays


class MeetingEvidence(Base):
    """What is known of when a meeting really took place, and who came. Kept where it is not the best, too."""

    __tablename__ = "meeting_evidence"
    __table_args__ = (
        UniqueConstraint("uid", "recurrence_key", "grade", "source"),
        Index("ix_meeting_evidence_source", "source"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(Text)
    recurrence_key: Mapped[str] = mapped_column(Text)
    grade: Mapped[Grade] = mapped_column(EnumText(Grade))
    source: Mapped[str] = mapped_column(Text)  # a login, or the hash of a file
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # with one of both unknown it says nothing of the duration
    detail: Mapped[dict[str, Any]] = mapped_column(JSON)  # who came, who did not, who was not expected
    at: Mapped[datetime]


class MeetingReport(Base):
    """Formulaire post-réunion ou post-appel. At most one of an activity is open, at most one answered."""

    __tablename__ = "meeting_report"
    __table_args__ = (Index("ix_meeting_report_state", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))  # whom it is for
    task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id", ondelete="SET NULL"), index=True)
    task_version: Mapped[int | None]  # of the task that the answer was read from
    state: Mapped[ReportState] = mapped_column(EnumText(ReportState))
    offered_at: Mapped[datetime]
    due_on: Mapped[date]
    remind_at: Mapped[datetime | None]
    comments: Mapped[str] = mapped_column(Text, default="")
    outcome: Mapped[str | None] = mapped_column(String(120))  # as it was written
    outcome_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"), index=True)
    next_task_id: Mapped[int | None] = mapped_column(ForeignKey("task.id", ondelete="SET NULL"))
    next_event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    problems: Mapped[list[str]] = mapped_column(JSON, default=list)  # what of the answer was not understood
    submitted_at: Mapped[datetime | None]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[ReportChannel | None] = mapped_column(EnumText(ReportChannel))
    token_hash: Mapped[str | None] = mapped_column(String(64), unique=True)  # of the token in its message
    expires_at: Mapped[datetime | None]  # of the token


class ReportMail(Base):
    """The message of a form, on its way into the Inbox of the one whom the form is for. The row goes when the
    message is there, or never will be."""

    __tablename__ = "report_mail"

    report_id: Mapped[int] = mapped_column(
        ForeignKey("meeting_report.id", ondelete="CASCADE"), primary_key=True
    )
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"), index=True)
    announced: Mapped[int] = mapped_column(default=0)  # how often: it may be there then


class ReportReply(Base):
    """An answer by mail that was taken: once, in however many folders and under whatever UIDs it lies."""

    __tablename__ = "report_reply"

    report_id: Mapped[int] = mapped_column(
        ForeignKey("meeting_report.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(String(64), primary_key=True)  # a hash of its Message-ID
    came_at: Mapped[datetime]  # as the mailbox says
    at: Mapped[datetime]  # when it was taken
