"""Who changed what, and through which door. Append-only."""

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from store.base import Base, EnumText


class Channel(Enum):
    """The door a change came through."""

    API = "api"
    PAGE = "page"
    CLI = "cli"
    SYNC = "sync"
    JOB = "job"


class AuditLog(Base):
    """One change."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))  # a login, or the name of the job
    entity: Mapped[str] = mapped_column(String(40))
    entity_id: Mapped[int | None]
    change: Mapped[dict[str, Any]] = mapped_column(JSON)
    channel: Mapped[Channel] = mapped_column(EnumText(Channel))
