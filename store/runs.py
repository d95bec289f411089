"""What a cycle leaves behind: its run, and how it ended."""

from datetime import datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from store.sync_state import Mailbox, Run


def note_outcome(session: Session, mailbox_id: int, now: datetime, *, error: str | None) -> None:
    """Remembers how the last cycle that had something to say ended."""
    values: dict[str, Any] = (
        {"last_error": error, "last_error_at": now} if error else {"last_ok_at": now, "last_error": None}
    )
    session.execute(update(Mailbox).where(Mailbox.id == mailbox_id).values(**values))


def add_run(session: Session, run: dict[str, Any]) -> None:
    """Writes the record of a cycle."""
    session.execute(insert(Run), [run])
