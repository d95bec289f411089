"""Contacts: the people that mail is logged against."""

from enum import Enum
from typing import Any

from sqlalchemy import Computed, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText

LIVE: dict[str, Any] = {
    "sqlite_where": text("deleted_at IS NULL"),
    "postgresql_where": text("deleted_at IS NULL"),
}
SEARCH = (
    "lower(last_name || ' ' || first_name || ' ' || coalesce(email, '') || ' ' || coalesce(email2, '') "
    "|| ' ' || coalesce(email3, '') || ' ' || coalesce(ext_id, '') || ' ' || coalesce(phone_landline, '') "
    "|| ' ' || coalesce(phone_mobile, ''))"
)
LIVE_WITH_ROLE: dict[str, Any] = {  # so that SQLite takes them for nothing but roles
    f"{kind}_where": text("deleted_at IS NULL AND role_id IS NOT NULL") for kind in ("sqlite", "postgresql")
}


class Gender(Enum):
    """Genre (R033)."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNSPECIFIED = "unspecified"


class CreatedVia(Enum):
    """How a contact came in (R023); never changed afterwards."""

    MANUAL = "manual"
    PHONEBOOK = "phonebook"
    CARD_SCAN = "card_scan"
    IMPORT = "import"
    EMAIL = "email"
    API = "api"


# A number whose international form is to be worked out (`store.phones`).
PHONE_STALE = text(
    "phone_landline IS NOT NULL AND phone_landline_e164 IS NULL "
    "OR phone_mobile IS NOT NULL AND phone_mobile_e164 IS NULL"
)


class Contact(Entity, Base):
    """Contact: one person at one account. Professional data only (R020)."""

    __tablename__ = "contact"
    __table_args__ = (
        Index("ix_contact_email", "email"),
        Index("ix_contact_email2", "email2"),
        Index("ix_contact_email3", "email3"),
        Index("ix_contact_phone_landline_e164", "phone_landline_e164"),
        Index("ix_contact_phone_mobile_e164", "phone_mobile_e164"),
        Index("ix_contact_phone_stale", "id", sqlite_where=PHONE_STALE, postgresql_where=PHONE_STALE),
        # What lists are sorted by and searched in; those of SQLite hold all that their queries look at.
        Index("ix_contact_name", "last_name", "first_name", "id", **LIVE),
        Index("ix_contact_search", "search", "account_id", "owner_id", **LIVE).ddl_if("sqlite"),
        Index("ix_contact_updated_at", "updated_at", "id", **LIVE),
        Index("ix_contact_owner_id", "owner_id", **LIVE),
        Index("ix_contact_role_id", "role_id", "last_name", "first_name", "id", **LIVE_WITH_ROLE),
        Index("ix_contact_role_id_updated_at", "role_id", "updated_at", "id", **LIVE_WITH_ROLE),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    last_name: Mapped[str] = mapped_column(String(80))
    first_name: Mapped[str] = mapped_column(String(80), default="")
    phone_landline: Mapped[str | None] = mapped_column(String(40))
    phone_mobile: Mapped[str | None] = mapped_column(String(40))
    email: Mapped[str | None] = mapped_column(String(320))  # the three addresses are lower-cased
    email2: Mapped[str | None] = mapped_column(String(320))
    email3: Mapped[str | None] = mapped_column(String(320))
    skype: Mapped[str | None] = mapped_column(String(80))
    linkedin: Mapped[str | None] = mapped_column(String(255))
    position: Mapped[str | None] = mapped_column(String(80))
    role_id: Mapped[int | None] = mapped_column(ForeignKey("value_list_item.id"))  # of contact_role
    gender: Mapped[Gender] = mapped_column(EnumText(Gender), default=Gender.UNSPECIFIED)
    comment: Mapped[str | None] = mapped_column(Text)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    created_via: Mapped[CreatedVia] = mapped_column(EnumText(CreatedVia))
    # The numbers as +33472112233 (E.164); NULL: not worked out yet, empty: what was typed is no number.
    phone_landline_e164: Mapped[str | None] = mapped_column(String(20))
    phone_mobile_e164: Mapped[str | None] = mapped_column(String(20))
    search: Mapped[str] = mapped_column(Text, Computed(SEARCH))  # filled by the database

    def addresses(self) -> tuple[str, ...]:
        """The addresses that mail is matched by, lower-cased, without the empty ones."""
        return tuple(address for address in (self.email, self.email2, self.email3) if address)

    def phones(self) -> tuple[str, ...]:
        """The numbers as typed, the landline first, without the empty ones."""
        return tuple(number for number in (self.phone_landline, self.phone_mobile) if number)
