"""Projects (projets) and deals (affaires): what is sold to an account (R144)."""

from datetime import date
from decimal import Decimal
from enum import Enum

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class ProjectStatus(Enum):
    """Whether a project goes on."""

    OPEN = "open"
    CLOSED = "closed"


class DealStatus(Enum):
    """How far a deal is. The account's status goes by its days, not by this word (table T1)."""

    SIGNED = "signed"
    ONGOING = "ongoing"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Project(Entity, Base):
    """Projet: belongs to one account, holds its deals."""

    __tablename__ = "project"
    __table_args__ = (Index("ix_project_name", "name"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    reference: Mapped[str | None] = mapped_column(String(40), unique=True)
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    status: Mapped[ProjectStatus] = mapped_column(EnumText(ProjectStatus))


class Deal(Entity, Base):
    """Affaire: belongs to one project."""

    __tablename__ = "deal"
    __table_args__ = (
        CheckConstraint("status <> 'CANCELLED' OR closed_on IS NOT NULL", name="cancelled_has_date"),
        CheckConstraint(
            "status <> 'ENDED' OR end_date IS NOT NULL OR closed_on IS NOT NULL", name="ended_has_date"
        ),
    )

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id"), index=True)
    reference: Mapped[str | None] = mapped_column(String(40), unique=True)
    title: Mapped[str] = mapped_column(String(255))
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    closed_on: Mapped[date | None]
    status: Mapped[DealStatus] = mapped_column(EnumText(DealStatus))
    amount: Mapped[Decimal | None] = mapped_column(Numeric(14, 2))
    currency: Mapped[str | None] = mapped_column(String(3))
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    billable: Mapped[bool] = mapped_column(Boolean, default=True)
