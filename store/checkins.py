"""Check-ins (§5.4): the table. What makes one is table T7, which `syncd.engine.checkins` applies; what is
written and read of them is `store.checkin_rows`.
"""

from datetime import datetime
from decimal import Decimal
from enum import Enum

from sqlalchemy import ForeignKey, Index, Numeric, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class CheckInFlag(Enum):
    """What is to be known of a check-in (table T7)."""

    NONE = "none"
    FAR = "far"  # farther than checkin.alert_m
    LOW_ACCURACY = "low_accuracy"  # the device did not know well where it was
    FIRST_LOCATION = "first_location"  # told where the account is


class CheckIn(Entity, Base):
    """Check-in sur site: one of a user at one meeting."""

    __tablename__ = "check_in"
    __table_args__ = (
        UniqueConstraint("event_id", "occurrence_key", "user_id"),
        Index("ix_check_in_account_id_at", "account_id", "at"),
        Index("ix_check_in_user_id_at", "user_id", "at"),
    )

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id", ondelete="SET NULL"))
    occurrence_key: Mapped[str] = mapped_column(Text, default="")  # which one of a series
    at: Mapped[datetime]  # never in the future
    lat: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))  # None: `checkin.retention` erased it
    lon: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    accuracy_m: Mapped[int]
    distance_m: Mapped[int | None]  # from where the meeting is; None: nobody knew before
    flag: Mapped[CheckInFlag] = mapped_column(EnumText(CheckInFlag))
