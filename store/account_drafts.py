"""Drafts of accounts (R156): asked for by those who may not create them, decided on by those who may."""

from datetime import datetime
from enum import Enum

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, EnumText


class DraftState(Enum):
    """What became of a draft."""

    NEW = "new"
    APPROVED = "approved"
    REJECTED = "rejected"


class AccountDraft(Base):
    """An account that is not one yet."""

    __tablename__ = "account_draft"
    __table_args__ = (Index("ix_account_draft_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # who asks for it
    cells: Mapped[dict[str, str]] = mapped_column(JSON)  # the fields, as they were written
    state: Mapped[DraftState] = mapped_column(EnumText(DraftState))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(80))  # a login, or the name of an admin
    reason: Mapped[str | None] = mapped_column(String(255))  # why it was rejected
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))
