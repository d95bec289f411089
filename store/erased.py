"""What must not come in again, because the person it is about was erased.

Of a mail a keyed hash of its fingerprint is kept: it tells one message, and nobody who wrote or got it. Of an
event or task there is the record itself: what calendars hold of it is left alone from then on.
"""

from collections.abc import Iterable

from sqlalchemy import BigInteger, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.base import Base, EnumText
from store.bindings import BoundEntity
from store.ledger import chunked, upsert


class ErasedMail(Base):
    """A keyed hash (see core.identity) of a message that is not to be logged again."""

    __tablename__ = "erased_mail"
    __table_args__ = ({"sqlite_with_rowid": False},)

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class DetachedRecord(Base):
    """An event or task that is not kept in step with any calendar any more."""

    __tablename__ = "detached_record"

    entity: Mapped[BoundEntity] = mapped_column(EnumText(BoundEntity), primary_key=True)
    record_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


def put_mails(session: Session, keys: Iterable[int]) -> None:
    """Messages with these keys are not logged again."""
    for part in chunked(dict.fromkeys(keys)):
        rows = [{"key": key} for key in part]
        session.connection().execute(upsert(session, ErasedMail, keep=True), rows)


def among(session: Session, keys: Iterable[int]) -> set[int]:
    """Which of these keys are of erased messages."""
    found: set[int] = set()
    for part in chunked(keys):
        found.update(session.scalars(select(ErasedMail.key).where(ErasedMail.key.in_(part))))
    return found


def detach(session: Session, entity: BoundEntity, ids: Iterable[int]) -> None:
    """These records are not kept in step any more."""
    for part in chunked(dict.fromkeys(ids)):
        rows = [{"entity": entity, "record_id": id_} for id_ in part]
        session.connection().execute(upsert(session, DetachedRecord, keep=True), rows)


def detached(session: Session, records: Iterable[tuple[BoundEntity, int]]) -> set[tuple[BoundEntity, int]]:
    """Which of these records are not."""
    d = DetachedRecord
    asked: dict[BoundEntity, set[int]] = {}
    for entity, id_ in records:
        asked.setdefault(entity, set()).add(id_)
    found: set[tuple[BoundEntity, int]] = set()
    for entity, ids in asked.items():
        for part in chunked(sorted(ids)):
            query = select(d.record_id).where(d.entity == entity, d.record_id.in_(part))
            found.update((entity, id_) for id_ in session.scalars(query))
    return found
