"""What was imported: which file, by whom, and what became of each of its rows.

Messages are kept without what they quote, so that nothing of a person stays here whom the CRM forgets.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import ColumnElement, ForeignKey, Index, String, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from store import paging
from store.actors import Actor
from store.base import Base, EnumCode, EnumText
from store.database import bulk
from store.details import Detail
from store.errors import NotFound
from store.report_rows import Page, Query
from store.users import UserRole

_QUOTED = re.compile(r'"[^"]*"|\S+@\S+')
SHOWN = 200  # rows of one import that are told
LONGEST = 200  # characters of a message


class ImportMode(Enum):
    """Which records a file may be about."""

    CREATE = "create"
    UPDATE = "update"
    BOTH = "both"


class RowResult(Enum):
    """What became of a row."""

    CREATED = 1
    UPDATED = 2
    UNCHANGED = 3
    REFUSED = 4
    LEFT_OUT = 5  # of a record that was deleted


class ImportRun(Base):
    """One file that was imported."""

    __tablename__ = "import_run"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(80))
    entity: Mapped[str] = mapped_column(String(40))
    mode: Mapped[ImportMode] = mapped_column(EnumText(ImportMode))
    file: Mapped[str] = mapped_column(String(255))
    sha256: Mapped[str] = mapped_column(String(64))
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    refused: Mapped[int]


class ImportRow(Base):
    """One row of it."""

    __tablename__ = "import_row"
    __table_args__ = (Index("ix_import_row_run_id_result", "run_id", "result"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("import_run.id", ondelete="CASCADE"), primary_key=True)
    row_no: Mapped[int] = mapped_column(primary_key=True)
    result: Mapped[RowResult] = mapped_column(EnumCode(RowResult))
    record_id: Mapped[int | None]
    message: Mapped[str | None] = mapped_column(String(LONGEST))


@dataclass(frozen=True, slots=True)
class Imported:
    """A row of a file, and what became of it."""

    line: int
    result: RowResult
    record_id: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the rows come from."""

    file: str
    sha256: str
    mode: ImportMode


@dataclass(frozen=True, slots=True)
class ImportRunRow:
    """An import in a list."""

    id: int
    at: datetime
    actor: str
    entity: str
    mode: ImportMode
    file: str
    created: int
    updated: int
    unchanged: int
    refused: int


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """A row of an import that a person may want to look at."""

    line: int
    result: RowResult
    record_id: int | None
    message: str | None


def record(
    session: Session, entity: str, origin: Origin, rows: list[Imported], *, actor: str, now: datetime
) -> int:
    """Writes down an import, in the transaction of its records. Returns its id."""
    number = {one: sum(row.result is one for row in rows) for one in RowResult}
    run = ImportRun(
        at=now, actor=actor, entity=entity, mode=origin.mode, file=origin.file[:255], sha256=origin.sha256,
        created=number[RowResult.CREATED], updated=number[RowResult.UPDATED],
        unchanged=number[RowResult.UNCHANGED] + number[RowResult.LEFT_OUT],
        refused=number[RowResult.REFUSED],
    )  # fmt: skip
    session.add(run)
    session.flush()
    unique = {row.line: row for row in reversed(rows)}  # of several mistakes in a row the first
    bulk(
        session,
        ImportRow,
        [
            {"run_id": run.id, "row_no": one.line, "result": one.result, "record_id": one.record_id,
             "message": without_quotes(one.message)}
            for _, one in sorted(unique.items())
        ],
    )  # fmt: skip
    return run.id


def without_quotes(message: str | None) -> str | None:
    """The message without the texts and addresses that it quotes."""
    return None if message is None else _QUOTED.sub("…", message)[:LONGEST]


def page(session: Session, query: Query) -> Page[ImportRunRow]:
    """Imports, the newest first."""
    rows = select(ImportRun).where(_seen_by(query.reader), paging.like(query, ImportRun.file))
    if query.since is not None:
        rows = rows.where(ImportRun.at >= query.since)
    found = session.scalars(paging.page(rows, query, ImportRun.id.desc()))
    return Page(
        tuple(
            ImportRunRow(one.id, one.at, one.actor, one.entity, one.mode, one.file, one.created, one.updated,
                         one.unchanged, one.refused)
            for one in found
        ),
        paging.total(session, rows),
        query.offset,
    )  # fmt: skip


def _seen_by(reader: Actor | None) -> ColumnElement[bool]:
    """One's own; those of others are for admins only."""
    if reader is None or reader.role is UserRole.WORKSPACE_ADMIN:
        return true()
    return ImportRun.actor == reader.login


def detail(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """One import with its rows, refused ones first. Raises NotFound, also for what the reader may not see."""
    run = session.scalar(select(ImportRun).where(ImportRun.id == id_, _seen_by(reader)))
    if run is None:
        raise NotFound(Phrase("there is no import {id}", id=id_))
    refused = (ImportRow.result != RowResult.REFUSED).label("other")
    rows = session.scalars(
        select(ImportRow).where(ImportRow.run_id == id_).order_by(refused, ImportRow.row_no).limit(SHOWN)
    )
    fields = {column.key: getattr(run, column.key) for column in ImportRun.__mapper__.column_attrs}
    told = tuple(ImportedRow(one.row_no, one.result, one.record_id, one.message) for one in rows)
    return Detail("import", fields, {"rows": told})
