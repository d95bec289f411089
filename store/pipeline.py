"""Opportunities and dossiers, as far as logging mail needs them (table T5)."""

from datetime import date
from decimal import Decimal
from enum import Enum

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Numeric, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class OpportunityStatus(Enum):
    """The flag behind an opportunity's status."""

    OPEN = "open"
    WON = "won"
    LOST = "lost"


class CaseScope(Enum):
    """Whose dossier it is (R129, R133)."""

    GENERAL = "general"
    ACCOUNT = "account"


class Opportunity(Entity, Base):
    """Opportunité."""

    __tablename__ = "opportunity"
    __table_args__ = (
        CheckConstraint("status = 'OPEN' OR closed_on IS NOT NULL", name="ended_has_date"),
        CheckConstraint("probability IS NULL OR probability BETWEEN 0 AND 100", name="probability"),
    )

    reference: Mapped[str | None] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    # The flag of the item below, kept beside it: table T1, mail and every list go by it.
    status: Mapped[OpportunityStatus] = mapped_column(EnumText(OpportunityStatus))
    status_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"), index=True)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"), index=True)
    total: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(String(3))
    probability: Mapped[int | None]
    expected_close: Mapped[date | None]
    closed_on: Mapped[date | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    comments: Mapped[str | None] = mapped_column(Text)
    converted_deal_id: Mapped[int | None] = mapped_column(ForeignKey("deal.id"), index=True)


def chance(status: OpportunityStatus, probability: int | None) -> int | None:
    """The chance in per cent that a total is weighted with: certain once it is won, none once it is lost."""
    return {OpportunityStatus.WON: 100, OpportunityStatus.LOST: 0}.get(status, probability)


class OpportunityAccount(Base):
    """Which accounts an opportunity is for: up to three, one of them the main one."""

    __tablename__ = "opportunity_account"

    opportunity_id: Mapped[int] = mapped_column(
        ForeignKey("opportunity.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True, index=True)
    main: Mapped[bool] = mapped_column(Boolean, default=True)


class CaseFile(Entity, Base):
    """Dossier."""

    __tablename__ = "case_file"
    __table_args__ = (
        CheckConstraint("(scope = 'ACCOUNT') = (account_id IS NOT NULL)", name="scope_account"),
        UniqueConstraint("account_id", "code"),
    )

    code: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(255))
    scope: Mapped[CaseScope] = mapped_column(EnumText(CaseScope))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    closed: Mapped[bool] = mapped_column(Boolean, default=False)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"), index=True)
    status_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"), index=True)
