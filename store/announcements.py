"""Writes to calendar servers: announced before they are made, gone once their outcome is known."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from store.bindings import BoundEntity, Intent, IntentKind
from store.database import bulk, reserve_ids
from store.ledger import chunked
from store.sync_state import Mailbox, MailboxState


def announce(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Writes intents and returns their ids."""
    ids = list(reserve_ids(session, Intent, len(rows)))
    bulk(session, Intent, [{**row, "id": id_} for id_, row in zip(ids, rows, strict=True)])
    return ids


def announce_again(session: Session, ids: Iterable[int], now: datetime) -> None:
    """They are about to be sent only now."""
    for part in chunked(ids):
        session.execute(update(Intent).where(Intent.id.in_(part)).values(at=now))


def came(session: Session, refs: Mapping[int, str]) -> None:
    """The items of these creations, by the ids of their intents, were listed before they were looked up."""
    for id_, ref in refs.items():
        session.execute(update(Intent).where(Intent.id == id_).values(came_as=ref))


def open_intents(session: Session, mailbox_id: int) -> list[Intent]:
    """Writes whose outcome is not known, oldest first. Detached: to be read only."""
    found = list(session.scalars(select(Intent).where(Intent.mailbox_id == mailbox_id).order_by(Intent.id)))
    for one in found:
        session.expunge(one)
    return found


def coming_elsewhere(session: Session, mailbox_id: int, since: datetime) -> set[tuple[BoundEntity, int]]:
    """The records that other mailboxes are about to put into their calendars as the copy that counts. One
    that is stopped will not look what became of it: there it counts only since that moment."""
    query = (
        select(Intent.entity, Intent.entity_id)
        .join(Mailbox, Mailbox.id == Intent.mailbox_id)
        .where(
            Intent.mailbox_id != mailbox_id,
            Intent.kind == IntentKind.CREATE,
            Intent.supplies,
            or_(Intent.at > since, Mailbox.configured & (Mailbox.state != MailboxState.STOPPED)),
            Intent.entity_id.is_not(None),
        )
    )
    return {(entity, id_) for entity, id_ in session.execute(query) if id_ is not None}


def close_intents(session: Session, ids: Iterable[int]) -> None:
    """Their outcome is known."""
    for part in chunked(ids):
        session.execute(delete(Intent).where(Intent.id.in_(part)))
