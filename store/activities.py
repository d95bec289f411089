"""Activities: what happened with an account, and with which of its contacts."""

from datetime import datetime
from enum import Enum

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base, Entity, EnumText
from store.errors import Forbidden, Immutable, NotFound


class ActivityType(Enum):
    """Type d'activité."""

    VISIT = "visit"
    MEETING = "meeting"
    CALL = "call"
    EMAIL = "email"
    COMMENT = "comment"
    VIDEO_CALL = "video_call"


class ActivityState(Enum):
    """Whether an activity is in the history."""

    PENDING_REPORT = "pending_report"
    VALIDATED = "validated"


class DurationSource(Enum):
    """Where the duration of an activity comes from."""

    ACTUAL = "actual"  # somebody or something saw it begin and end
    SCHEDULED = "scheduled"  # the calendar says so


class CallDirection(Enum):
    """Who called whom (R046)."""

    IN = "in"
    OUT = "out"


OWN_TYPE = text("type_id IS NOT NULL")


class Activity(Entity, Base):
    """Activité, interaction. An automatic one of type EMAIL is never changed or deleted by a user."""

    __tablename__ = "activity"
    __table_args__ = (
        UniqueConstraint("email_id", "account_id"),
        Index("ix_activity_account_id_occurred_at", "account_id", "occurred_at"),
        Index("ix_activity_type_id", "type_id", sqlite_where=OWN_TYPE, postgresql_where=OWN_TYPE),
    )

    type: Mapped[ActivityType] = mapped_column(EnumText(ActivityType))
    # The item of activity_type, where it is one of the company's own; `type` is what that means.
    type_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    opportunity_id: Mapped[int | None] = mapped_column(ForeignKey("opportunity.id"), index=True)
    case_file_id: Mapped[int | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"), index=True)
    occurred_at: Mapped[datetime]  # never in the future
    subject: Mapped[str] = mapped_column(String(255))
    comments: Mapped[str] = mapped_column(Text, default="")
    automatic: Mapped[bool] = mapped_column(Boolean)
    state: Mapped[ActivityState] = mapped_column(EnumText(ActivityState))
    email_id: Mapped[int | None] = mapped_column(ForeignKey("email_message.id", ondelete="CASCADE"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"), index=True)
    checkin_id: Mapped[int | None] = mapped_column(ForeignKey("check_in.id", ondelete="SET NULL"), index=True)
    duration_min: Mapped[int | None]
    duration_source: Mapped[DurationSource | None] = mapped_column(EnumText(DurationSource))
    call_direction: Mapped[CallDirection | None] = mapped_column(EnumText(CallDirection))
    call_number: Mapped[str | None] = mapped_column(Text)


class ActivityContact(Base):
    """Which contacts took part in an activity."""

    __tablename__ = "activity_contact"

    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id", ondelete="CASCADE"), primary_key=True)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"), primary_key=True, index=True)


class ActivityUser(Base):
    """Which users took part in an activity, beside the one who reports on it."""

    __tablename__ = "activity_user"

    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True, index=True)


def update_activity(
    session: Session,
    activity_id: int,
    *,
    actor: Actor,
    now: datetime,
    channel: Channel,
    subject: str | None = None,
    comments: str | None = None,
) -> None:
    """Changes what a person wrote; None leaves a field as it is. Raises Immutable, Forbidden, NotFound."""
    activity = _changeable(session, activity_id, actor)
    wanted = {"subject": subject, "comments": comments}
    changed = sorted(n for n, v in wanted.items() if v is not None and v != getattr(activity, n))
    if not changed:
        return
    for name in changed:
        setattr(activity, name, wanted[name])
    _touch(session, activity, actor, now, channel=channel, change={"changed": changed})


def delete_activity(
    session: Session, activity_id: int, *, actor: Actor, now: datetime, channel: Channel
) -> None:
    """Takes an activity out of the history. Raises Immutable, Forbidden, NotFound."""
    activity = _changeable(session, activity_id, actor)
    activity.deleted_at = now
    _touch(session, activity, actor, now, channel=channel, change={"deleted": True})


def _changeable(session: Session, activity_id: int, actor: Actor) -> Activity:
    activity = session.get(Activity, activity_id)
    if activity is None or activity.deleted_at is not None:
        raise NotFound(Phrase("there is no activity {activity_id}", activity_id=activity_id))
    if activity.automatic and activity.type is ActivityType.EMAIL:
        raise Immutable(
            Phrase(
                "activity {activity_id} is an e-mail that was logged by itself: nobody changes or "
                "deletes it (an admin removes what should not be there with `syncd forget`)",
                activity_id=activity_id,
            )
        )
    if not actor.may_edit(activity.user_id):
        raise Forbidden(
            Phrase(
                "{login} may not change activity {activity_id}: it is another user's",
                login=actor.login,
                activity_id=activity_id,
            )
        )
    return activity


def _touch(
    session: Session,
    activity: Activity,
    actor: Actor,
    now: datetime,
    *,
    channel: Channel,
    change: dict[str, object],
) -> None:
    activity.updated_at, activity.updated_by = now, actor.user_id
    activity.version += 1
    session.add(
        AuditLog(
            at=now,
            actor=actor.login,
            entity="activity",
            entity_id=activity.id,
            change=change,
            channel=channel,
        )
    )
