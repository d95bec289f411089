"""Accounts (comptes): the organisations that contacts belong to."""

from datetime import date
from enum import Enum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class AccountType(Enum):
    """Type de compte (R145 to R149)."""

    CUSTOMER = "customer"
    COMPETITOR = "competitor"
    GROUP = "group"
    INTERNAL = "internal"
    PARTNER = "partner"


class Account(Entity, Base):
    """Compte, entreprise, tiers."""

    __tablename__ = "account"
    __table_args__ = (Index("ix_account_name", "name"),)

    name: Mapped[str] = mapped_column(String(120))
    type: Mapped[AccountType] = mapped_column(EnumText(AccountType))
    created_on: Mapped[date]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    website: Mapped[str | None] = mapped_column(String(255))
    vat_number: Mapped[str | None] = mapped_column(String(32))
    phone: Mapped[str | None] = mapped_column(String(40))
    phone2: Mapped[str | None] = mapped_column(String(40))
    fax: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(320))  # lower-cased
    address1: Mapped[str | None] = mapped_column(String(120))
    address2: Mapped[str | None] = mapped_column(String(120))
    postcode: Mapped[str | None] = mapped_column(String(20))
    city: Mapped[str | None] = mapped_column(String(80))
    region: Mapped[str | None] = mapped_column(String(80))
    country: Mapped[str | None] = mapped_column(String(2))
    comment: Mapped[str | None] = mapped_column(Text)
