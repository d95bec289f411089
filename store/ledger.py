"""The ledger: one verdict for each message seen, and the queue of those to judge again.

Functions take the session of a transaction that the caller opened: what belongs together is committed
together.
"""

from collections.abc import Collection as Bunch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import delete, func, literal, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import KeyedColumnElement

from store.base import Base
from store.database import bulk, table
from store.errors import Stale
from store.sync_state import (
    Collection,
    KnownKey,
    Quarantine,
    Rematch,
    Verdict,
    VerdictKey,
    VerdictKind,
)

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

CHUNK = 500  # values in one IN (…): well under every database's limit of parameters
IGNORED = frozenset({VerdictKind.NO_CONTACT, VerdictKind.INTERNAL, VerdictKind.EXCLUDED, VerdictKind.TOO_OLD})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One message and what was decided of it."""

    uid: int
    kind: VerdictKind
    reason: str | None = None
    keys: tuple[int, ...] = ()
    email_id: int | None = None


def chunked(values: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The values in lists of at most `size`."""
    source = iter(values)
    while part := list(islice(source, size)):
        yield part


def upsert(
    session: Session, model: type[Base], *, keep: bool, keys: Sequence[str] = (), lasting: Sequence[str] = ()
) -> "sqlite.Insert | postgresql.Insert":
    """An INSERT that meets an existing row by keeping it, or by overwriting all but its `keys`.

    Of the `lasting` columns, a value that is there is never overwritten by NULL.
    """
    own = table(model).c

    def fresh(excluded: Iterable[KeyedColumnElement[Any]]) -> dict[str, Any]:
        return {
            c.key: func.coalesce(c, own[c.key]) if c.key in lasting else c
            for c in excluded
            if c.key not in keys
        }

    if session.get_bind().dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        lite = sqlite.insert(table(model))
        if keep:
            return lite.on_conflict_do_nothing()
        return lite.on_conflict_do_update(index_elements=keys, set_=fresh(lite.excluded))
    from sqlalchemy.dialects import postgresql  # loads the drivers of all its kinds

    post = postgresql.insert(table(model))
    if keep:
        return post.on_conflict_do_nothing()
    return post.on_conflict_do_update(index_elements=keys, set_=fresh(post.excluded))


def write(session: Session, collection_id: int, rows: Sequence[VerdictRow]) -> None:
    """Puts the verdicts down, over older ones of the same messages, and takes them off the queue.

    What was logged stays logged, whatever is decided of it later: its verdict keeps pointing to the e-mail,
    until that is deleted.
    """
    if not rows:
        return
    session.connection().execute(
        upsert(session, Verdict, keep=False, keys=("collection_id", "uid"), lasting=("email_id",)),
        [
            {
                "collection_id": collection_id,
                "uid": r.uid,
                "verdict": r.kind,
                "reason": r.reason,
                "email_id": r.email_id,
            }
            for r in rows
        ],
    )
    keys = [{"key": key, "collection_id": collection_id, "uid": row.uid} for row in rows for key in row.keys]
    if keys:
        session.connection().execute(upsert(session, VerdictKey, keep=True), keys)


def settle(session: Session, collection_id: int, uids: Sequence[int]) -> None:
    """Takes messages off the queue of those to judge again, and out of quarantine."""
    for part in chunked(uids):
        session.execute(delete(Rematch).where(Rematch.collection_id == collection_id, Rematch.uid.in_(part)))
        refs = [str(uid) for uid in part]
        session.execute(
            delete(Quarantine).where(
                Quarantine.collection_id == collection_id, Quarantine.remote_ref.in_(refs)
            )
        )


def advance(session: Session, collection_id: int, *, epoch: str, old: int, new: int) -> None:
    """Moves the cursor; raises Stale if somebody else moved it or the folder began a new epoch."""
    result = session.execute(
        update(Collection)
        .where(Collection.id == collection_id, Collection.epoch == epoch, Collection.cursor == old)
        .values(cursor=new)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, as every UPDATE's
        raise Stale("another process moved the cursor")


def begin_epoch(session: Session, collection_id: int, epoch: str) -> None:
    """Starts a folder anew: under a new UIDVALIDITY no UID known so far means anything.

    E-mails and activities stay; the messages are judged again and found by their fingerprints.
    """
    for model in (Verdict, VerdictKey, Rematch, Quarantine):
        session.execute(delete(model).where(model.collection_id == collection_id))
    session.execute(update(Collection).where(Collection.id == collection_id).values(epoch=epoch, cursor=0))


def enqueue_by_keys(session: Session, keys: Iterable[int], *, kinds: Bunch[VerdictKind] | None = None) -> int:
    """Queues every message whose verdict stands under one of the keys; returns how many it found."""
    found = 0
    for part in chunked(keys):
        query = select(VerdictKey.collection_id, VerdictKey.uid).where(VerdictKey.key.in_(part)).distinct()
        if kinds is not None:
            query = query.join(
                Verdict, (Verdict.collection_id == VerdictKey.collection_id) & (Verdict.uid == VerdictKey.uid)
            ).where(Verdict.verdict.in_(kinds))
        rows = [{"collection_id": c, "uid": u} for c, u in session.execute(query)]
        found += len(rows)
        if rows:
            session.connection().execute(upsert(session, Rematch, keep=True), rows)
    return found


def enqueue_all(session: Session, kinds: Bunch[VerdictKind]) -> None:
    """Queues every message with such a verdict: the rules that made it have changed."""
    source = select(Verdict.collection_id, Verdict.uid).where(Verdict.verdict.in_(kinds))
    session.execute(
        upsert(session, Rematch, keep=True).from_select(
            ["collection_id", "uid"], source.where(literal(value=True))
        )
    )


def queued(session: Session, collection_id: int, limit: int) -> list[int]:
    """The first messages of the queue, by UID."""
    query = (
        select(Rematch.uid).where(Rematch.collection_id == collection_id).order_by(Rematch.uid).limit(limit)
    )
    return list(session.scalars(query))


def unqueue(session: Session, collection_id: int, uids: Sequence[int]) -> None:
    """Takes messages off the queue whose verdict stays as it is (they are gone from the server)."""
    for part in chunked(uids):
        session.execute(delete(Rematch).where(Rematch.collection_id == collection_id, Rematch.uid.in_(part)))


def exchange_known(session: Session, keys: set[int]) -> set[int]:
    """Makes `keys` the known ones; returns those that were not known before."""
    before = set(session.scalars(select(KnownKey.key)))
    fresh, gone = keys - before, before - keys
    for part in chunked(gone):
        session.execute(delete(KnownKey).where(KnownKey.key.in_(part)))
    if fresh:
        bulk(session, KnownKey, [{"key": key} for key in fresh])
    return fresh


def quarantine(session: Session, collection_id: int, uid: int, error: str, now: datetime) -> None:
    """Notes that a message could not be read."""
    ref = str(uid)
    row = session.get(Quarantine, (collection_id, ref))
    if row is None:
        session.add(
            Quarantine(
                collection_id=collection_id, remote_ref=ref, error=error, first_at=now, last_at=now, tries=1
            )
        )
    else:
        row.error, row.last_at, row.tries = error, now, row.tries + 1


def enqueue_quarantined(
    session: Session, collection_ids: Sequence[int], *, before: datetime | None = None
) -> int:
    """Queues what lies in quarantine for another try, or only what was last tried before that moment.

    Returns how many.
    """
    rows = [
        {"collection_id": c, "uid": int(ref)}
        for c, ref in session.execute(
            select(Quarantine.collection_id, Quarantine.remote_ref).where(
                Quarantine.collection_id.in_(collection_ids),
                true() if before is None else Quarantine.last_at < before,
            )
        )
    ]
    if rows:
        session.connection().execute(upsert(session, Rematch, keep=True), rows)
    return len(rows)


def verdict_uids(session: Session, collection_id: int) -> set[int]:
    """Every UID that has a verdict: for the audit."""
    return set(session.scalars(select(Verdict.uid).where(Verdict.collection_id == collection_id)))


def enqueue(session: Session, collection_id: int, uids: Sequence[int]) -> None:
    """Queues these messages."""
    if uids:
        session.connection().execute(
            upsert(session, Rematch, keep=True), [{"collection_id": collection_id, "uid": u} for u in uids]
        )


def counts(session: Session, collection_ids: Sequence[int]) -> dict[int, dict[VerdictKind, int]]:
    """How many verdicts of each kind each collection has."""
    query = (
        select(Verdict.collection_id, Verdict.verdict, func.count())
        .where(Verdict.collection_id.in_(collection_ids))
        .group_by(Verdict.collection_id, Verdict.verdict)
    )
    found: dict[int, dict[VerdictKind, int]] = {}
    for collection_id, kind, number in session.execute(query):
        found.setdefault(collection_id, {})[kind] = number
    return found


def verdicts_by_key(session: Session, key: int) -> list[tuple[Collection, Any]]:
    """The verdicts that stand under a key, with their folders: for `explain`."""
    query = (
        select(Collection, Verdict)
        .join(Verdict, Verdict.collection_id == Collection.id)
        .join(
            VerdictKey, (VerdictKey.collection_id == Verdict.collection_id) & (VerdictKey.uid == Verdict.uid)
        )
        .where(VerdictKey.key == key)
        .order_by(Collection.id, Verdict.uid)
    )
    return [(collection, verdict) for collection, verdict in session.execute(query)]
