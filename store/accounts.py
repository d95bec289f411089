"""Accounts (comptes): the organisations that contacts belong to."""

from datetime import date
from decimal import Decimal
from enum import Enum

from sqlalchemy import Boolean, ForeignKey, Index, Numeric, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class AccountType(Enum):
    """Type de compte (R145 to R149)."""

    CUSTOMER = "customer"
    COMPETITOR = "competitor"
    GROUP = "group"
    INTERNAL = "internal"
    PARTNER = "partner"


class AccountStatus(Enum):
    """Statut d'un compte (R150 to R154), computed by table T1 and never typed in."""

    ACTIVE = "active"  # Actif
    PROSPECT = "prospect"  # Prospect
    NEGLECTED = "neglected"  # Délaissé
    INACTIVE = "inactive"  # Inactif


class AccountKind(Enum):
    """What an account is to those who sell (table T2). Derived, not stored."""

    CLIENT = "client"
    PROSPECT = "prospect"
    PARTNER = "partner"
    OTHER = "other"


class Account(Entity, Base):
    """Compte, entreprise, tiers."""

    __tablename__ = "account"
    __table_args__ = (
        Index("ix_account_name", "name"),
        Index("ix_account_status", "status", "name"),
        Index("ix_account_segment_id", "segment_id", "name"),
    )

    name: Mapped[str] = mapped_column(String(120))
    type: Mapped[AccountType] = mapped_column(EnumText(AccountType))
    created_on: Mapped[date]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
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
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"))  # of account_segment
    # None until the first look after it came in, or after an upgrade
    status: Mapped[AccountStatus | None] = mapped_column(EnumText(AccountStatus))
    status_since: Mapped[date | None]  # in the workspace's time zone
    # everybody may read it
    public: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Degrees of WGS 84, north and east positive: both or neither
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    geocode_accuracy_m: Mapped[int | None]


def account_kind(type_: AccountType, status: AccountStatus | None, *, had_deal: bool) -> AccountKind:
    """Table T2."""
    if type_ is AccountType.PARTNER:
        return AccountKind.PARTNER
    if type_ in (AccountType.COMPETITOR, AccountType.INTERNAL):
        return AccountKind.OTHER
    return AccountKind.PROSPECT if not had_deal or status is AccountStatus.PROSPECT else AccountKind.CLIENT
