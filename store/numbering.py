"""The numbers of messages on servers that have none (`connectors.numbering` tells what for).

A folder's sync state and the numbers given by it are written in one transaction, which also finds out
whether another process was here in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, ColumnElement, ForeignKey, Text, UniqueConstraint, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.base import Base
from store.database import bulk
from store.errors import Stale, StoreError
from store.ledger import chunked
from store.sync_state import Mailbox


class NumberedFolder(Base):
    """A folder whose messages are numbered here."""

    __tablename__ = "numbered_folder"
    __table_args__ = (UniqueConstraint("mailbox_id", "remote_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    mailbox_id: Mapped[int] = mapped_column(ForeignKey("mailbox.id", ondelete="CASCADE"))
    remote_id: Mapped[str] = mapped_column(Text)  # the server's id of the folder
    state: Mapped[str] = mapped_column(Text)  # its sync state; empty before the first page
    last: Mapped[int] = mapped_column(BigInteger)  # the last number given
    count: Mapped[int] = mapped_column(BigInteger)  # messages that have one now


class NumberedItem(Base):
    """A message that is there, and its number."""

    __tablename__ = "numbered_item"
    __table_args__ = (UniqueConstraint("folder_id", "remote_id"), {"sqlite_with_rowid": False})

    folder_id: Mapped[int] = mapped_column(
        ForeignKey("numbered_folder.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    remote_id: Mapped[str] = mapped_column(Text)


@dataclass(frozen=True, slots=True)
class Known:
    """How far the numbering of a folder has come."""

    state: str = ""
    last: int = 0
    count: int = 0


def folders(session: Session, mailbox: str) -> list[str]:
    """The folders of a mailbox of whose messages any have numbers."""
    query = (
        select(NumberedFolder.remote_id)
        .join(Mailbox, Mailbox.id == NumberedFolder.mailbox_id)
        .where(Mailbox.name == mailbox, NumberedFolder.count > 0)
    )
    return list(session.scalars(query.order_by(NumberedFolder.id)))


def read(session: Session, mailbox: str, folder: str) -> Known:
    """What is known of a folder; nothing where it was never seen."""
    row = _row(session, mailbox, folder)
    return Known() if row is None else Known(row.state, row.last, row.count)


def note(
    session: Session,
    mailbox: str,
    folder: str,
    before: Known,
    state: str,
    *,
    came: Sequence[str],
    went: Sequence[str],
) -> Known:
    """Writes changes and the sync state that follows from them. Ids that have a number keep it.

    Raises Stale where `before` is not what is known any more.
    """
    row = _locked(session, mailbox, folder, before)
    removed = 0
    for part in chunked(went):
        removed += _remove(session, row.id, NumberedItem.remote_id.in_(part))
    fresh = dict.fromkeys(came)
    for part in chunked(list(fresh)):
        known = select(NumberedItem.remote_id).where(
            NumberedItem.folder_id == row.id, NumberedItem.remote_id.in_(part)
        )
        for one in session.scalars(known):
            del fresh[one]
    return _write(session, row, state, list(fresh), removed)


def settle(
    session: Session, mailbox: str, folder: str, before: Known, state: str, *, present: Iterable[str]
) -> Known:
    """Writes a whole listing: what is not in it is gone. Raises as `note`."""
    row = _locked(session, mailbox, folder, before)
    fresh = dict.fromkeys(present)
    gone: list[int] = []
    query = select(NumberedItem.number, NumberedItem.remote_id).where(NumberedItem.folder_id == row.id)
    for number, one in session.execute(query.execution_options(yield_per=5000)):
        if one in fresh:
            del fresh[one]
        else:
            gone.append(number)
    removed = sum(_remove(session, row.id, NumberedItem.number.in_(part)) for part in chunked(gone))
    return _write(session, row, state, list(fresh), removed)


def numbers(session: Session, mailbox: str, folder: str, above: int) -> list[int]:
    """The numbers greater than `above`, ascending."""
    row = _row(session, mailbox, folder)
    if row is None:
        return []
    query = select(NumberedItem.number).where(NumberedItem.folder_id == row.id, NumberedItem.number > above)
    return list(session.scalars(query.order_by(NumberedItem.number)))


def ids(session: Session, mailbox: str, folder: str, wanted: Sequence[int]) -> dict[int, str]:
    """The server's ids of these numbers; those that are gone are left out."""
    row = _row(session, mailbox, folder)
    found: dict[int, str] = {}
    if row is not None:
        for part in chunked(wanted):
            query = select(NumberedItem.number, NumberedItem.remote_id).where(
                NumberedItem.folder_id == row.id, NumberedItem.number.in_(part)
            )
            found.update((number, one) for number, one in session.execute(query))
    return found


def _row(session: Session, mailbox: str, folder: str) -> NumberedFolder | None:
    return session.scalar(
        select(NumberedFolder)
        .join(Mailbox, Mailbox.id == NumberedFolder.mailbox_id)
        .where(Mailbox.name == mailbox, NumberedFolder.remote_id == folder)
    )


def _locked(session: Session, mailbox: str, folder: str, before: Known) -> NumberedFolder:
    """The folder's row, which nobody else writes until this transaction ends."""
    row = _row(session, mailbox, folder)
    if row is None:
        owner = session.scalar(select(Mailbox.id).where(Mailbox.name == mailbox))
        if owner is None:
            raise StoreError(f"there is no mailbox {mailbox!r}")
        row = NumberedFolder(mailbox_id=owner, remote_id=folder, state="", last=0, count=0)
        session.add(row)
        session.flush()  # of two at once, one gets Stale
    result = session.execute(
        update(NumberedFolder)
        .where(
            NumberedFolder.id == row.id,
            NumberedFolder.state == before.state,
            NumberedFolder.last == before.last,
            NumberedFolder.count == before.count,
        )
        .values(last=before.last)
    )
    if result.rowcount != 1:  # type: ignore[attr-defined]  # a CursorResult, as every UPDATE's
        raise Stale("another process numbered the folder")
    return row


def _remove(session: Session, folder_id: int, which: ColumnElement[bool]) -> int:
    result = session.execute(delete(NumberedItem).where(NumberedItem.folder_id == folder_id, which))
    return int(result.rowcount)  # type: ignore[attr-defined]  # a CursorResult


def _write(session: Session, row: NumberedFolder, state: str, fresh: Sequence[str], removed: int) -> Known:
    first = row.last + 1
    bulk(
        session,
        NumberedItem,
        [
            {"folder_id": row.id, "number": number, "remote_id": one}
            for number, one in enumerate(fresh, first)
        ],
    )
    after = Known(state, row.last + len(fresh), row.count + len(fresh) - removed)
    row.state, row.last, row.count = after.state, after.last, after.count
    session.flush()
    return after
