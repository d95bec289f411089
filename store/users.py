"""CRM users: who works here, and which addresses are their own."""

from decimal import Decimal
from enum import Enum

from sqlalchemy import JSON, Boolean, ForeignKey, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, Entity, EnumText


class UserRole(Enum):
    """What a user may do (R156)."""

    STANDARD = "standard"
    ADVANCED = "advanced"
    WORKSPACE_ADMIN = "admin"


class Branch(Base):
    """Succursale. Made of the names that users' `branch` has in the config."""

    __tablename__ = "branch"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)


class User(Entity, Base):
    """Utilisateur. Owned by the config file: `syncd` writes it from `[[users]]`."""

    __tablename__ = "user"

    login: Mapped[str] = mapped_column(String(80), unique=True)
    last_name: Mapped[str] = mapped_column(String(80))
    first_name: Mapped[str] = mapped_column(String(80), default="")
    email: Mapped[str] = mapped_column(String(320))  # lower-cased
    aliases: Mapped[list[str]] = mapped_column(JSON, default=list)  # lower-cased
    language: Mapped[str | None] = mapped_column(String(8))
    timezone: Mapped[str | None] = mapped_column(String(64))
    role: Mapped[UserRole] = mapped_column(EnumText(UserRole))
    show_reminders: Mapped[bool] = mapped_column(Boolean, default=False)  # icône « voir » (R063)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    manager_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    branch_id: Mapped[int | None] = mapped_column(ForeignKey("branch.id"))
    base_lat: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))  # where the user sets out from (R095)
    base_lon: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    show_distance: Mapped[bool] = mapped_column(Boolean, default=False)  # in the user's own calendar
