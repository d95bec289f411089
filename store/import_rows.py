"""From the rows of a file to records with typed values, joined with those that are in the CRM already."""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, select
from sqlalchemy.orm import Session

from config.language import Phrase, said
from config.words import noun_word
from store.cells import stands_for
from store.csvfile import Fault, Line, Refused
from store.database import reserve_ids
from store.fields import Field, Kind, length_of
from store.ledger import chunked
from store.readers import Value, number_of_record, text

Row = Mapping[str, Value]  # a row of the database, by column

EXT_ID = Field("ext_id", text, "ext_id")
TOLD = 500  # rows between two steps of a progress bar
MANY = 2000  # values to look for; more are looked for in one walk through the table


@dataclass(slots=True)
class Record:
    """One row on its way into the database."""

    line: int
    id: int
    before: Row | None  # None = a new record
    values: dict[str, Value]  # the columns given
    references: dict[str, str]  # header -> what it names, empty for nobody
    links: list[int] | None = None  # an opportunity's accounts, the main one first; None = as they are
    tags: tuple[str, ...] | None = None  # an account's; None = as they are

    def after(self, column: str) -> Value:
        """What the column will hold."""
        if column in self.values:
            return self.values[column]
        return None if self.before is None else self.before.get(column)

    def changes(self) -> list[str]:
        """The columns that will hold something else than they do."""
        before = self.before or {}
        found = {name for name, value in self.values.items() if before.get(name) != value}
        return sorted(found if self.tags is None else found | {"tags"})


@dataclass(slots=True)
class Findings:
    """What is wrong with the rows, and what is odd."""

    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def fault(self, line: int, column: str, message: str) -> None:
        """A mistake: nothing will be written."""
        self.faults.append(Fault(line, column, message))

    def warn(self, line: int, column: str, message: str) -> None:
        """Something to look at."""
        self.warnings.append(Fault(line, column, message))

    def stop_at_faults(self) -> None:
        """Raises Refused if there is a mistake."""
        if self.faults:
            raise Refused(self.faults)


PICTURES = {"photo": "syncd contact photo", "logo": "syncd account logo"}


def check_headers(kind: Kind, headers: Sequence[str], findings: Findings) -> None:
    """Every header must be a field, and no reference may be given twice."""
    for header in headers:
        if header in kind.headers:
            continue
        if header in PICTURES:
            findings.fault(1, header, f"is a picture, given with `{PICTURES[header]}`: leave the column out")
            continue
        if header in kind.not_kept:
            findings.fault(
                1, header, Phrase("this version does not keep this field yet: leave the column out")
            )
            continue
        if header in kind.computed:
            findings.fault(1, header, Phrase("is computed: leave the column out"))
            continue
        near = difflib.get_close_matches(header[:64], kind.headers, n=1)
        hint = (
            Phrase('; did you mean "{near}"?', near=near[0])
            if near
            else Phrase("; known: {headers}", headers=", ".join(kind.headers))
        )
        findings.fault(
            1, header, Phrase("is not a field of {kind}{hint}", kind=noun_word(kind.name), hint=hint)
        )


def records(
    session: Session,
    kind: Kind,
    lines: Sequence[Line],
    findings: Findings,
    *,
    step: Callable[[int], None],
    complete: Callable[[Mapping[int, dict[str, Value]]], None] = lambda _: None,
) -> list[Record]:
    """The rows as records. Those of deleted records are left out, with a warning. `complete` adds what is
    stored elsewhere to the rows of the table, by id."""
    by_id, by_ext = _existing(session, kind, lines, findings)
    complete(by_id)
    joined = list(_joined(kind, lines, by_id, by_ext, findings))
    fresh = sum(before is None for _, before in joined)
    ids = iter(reserve_ids(session, kind.model, fresh) if fresh else ())
    first: dict[tuple[str, Value], int] = {}
    found = []
    for number, (line, before) in enumerate(joined, 1):
        if number % TOLD == 0:
            step(TOLD)
        id_ = next(ids) if before is None else _id_of(before)
        for header, key in (("id", id_), ("ext_id", line.cells.get("ext_id"))):
            if key and first.setdefault((header, key), line.number) != line.number:
                findings.fault(
                    line.number,
                    header,
                    Phrase("is the record of line {first} again", first=first[header, key]),
                )
        if before is not None and before["deleted_at"] is not None:
            findings.warn(
                line.number,
                "",
                Phrase("{entity} {id} was deleted here: left out", entity=noun_word(kind.entity), id=id_),
            )
            continue
        references = {name: line.cells[name] for name in kind.references if name in line.cells}
        values = _values(kind, line, before, findings)
        found.append(Record(line.number, id_, before, values, references))
    return found


def _existing(
    session: Session, kind: Kind, lines: Sequence[Line], findings: Findings
) -> tuple[dict[int, dict[str, Value]], dict[str, Row]]:
    """The records that the rows name, by id and by external id."""
    table = kind.model.__table__
    ids: dict[int, None] = {}
    for line in lines:
        if line.cells.get("id"):
            try:
                ids[number_of_record(line.cells["id"])] = None
            except ValueError as error:
                findings.fault(line.number, "id", said(error))
    by_id: dict[int, dict[str, Value]] = {row["id"]: dict(row) for row in _rows(session, table.c.id, ids)}
    by_ext: dict[str, Row] = {}
    wanted = dict.fromkeys(one for line in lines if (one := line.cells.get("ext_id")))
    for row in _rows(session, table.c.ext_id, wanted):
        by_ext[row["ext_id"]] = by_id.setdefault(row["id"], dict(row))
    return by_id, by_ext


def _rows(session: Session, column: ColumnElement[Any], wanted: Mapping[Any, None]) -> Iterator[RowMapping]:
    """The rows whose column has one of the values. For very many, one walk through the table is quicker:
    a table that was filled a moment ago has no statistics, and PostgreSQL plans badly without."""
    table = column.table
    if len(wanted) > MANY:
        every = session.execute(select(table).where(column.is_not(None))).mappings()
        yield from (row for row in every if row[column] in wanted)
        return
    for part in chunked(wanted):
        yield from session.execute(select(table).where(column.in_(part))).mappings()


def _joined(
    kind: Kind,
    lines: Sequence[Line],
    by_id: Mapping[int, Row],
    by_ext: Mapping[str, Row],
    findings: Findings,
) -> Iterator[tuple[Line, Row | None]]:
    """Each row with the record that it changes; None for a new one."""
    for line in lines:
        written, ext_id = line.cells.get("id"), line.cells.get("ext_id")
        same = by_ext.get(ext_id) if ext_id else None
        if not written:
            yield line, same
            continue
        before = by_id.get(int(written)) if written.isascii() and written.isdecimal() else None
        if before is None:
            findings.fault(
                line.number,
                "id",
                Phrase(
                    "there is no {entity} {written}; leave it empty for a new one",
                    entity=noun_word(kind.entity),
                    written=written[:20],
                ),
            )
            continue
        if same is not None and same["id"] != before["id"]:
            findings.fault(
                line.number,
                "ext_id",
                Phrase("is that of {entity} {id}", entity=noun_word(kind.entity), id=same["id"]),
            )
        yield line, before


def _values(kind: Kind, line: Line, before: Row | None, findings: Findings) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if "ext_id" in line.cells and (line.cells["ext_id"] or "id" in line.cells):
        values["ext_id"] = _read(kind, line, EXT_ID, before, findings)
    for one in kind.fields:
        if one.column is None:
            continue
        if one.header in line.cells:
            values[one.column] = _read(kind, line, one, before, findings)
        elif before is None:
            values[one.column] = one.empty if one.fresh is None else one.fresh
            if one.required and one.fresh is None:
                findings.fault(
                    line.number,
                    one.header,
                    Phrase("is required for a new {entity}: no such column", entity=noun_word(kind.entity)),
                )
    return values


def _read(kind: Kind, line: Line, one: Field, before: Row | None, findings: Findings) -> Value:
    written = line.cells[one.header]
    was = None if before is None or one.column is None or one.listed else before
    if was is not None and one.column is not None and stands_for(written, was[one.column]):
        return was[one.column]  # whatever it is: a file that was exported changes nothing
    if not written:
        if before is None and one.fresh is not None:
            return one.fresh
        if one.required:
            findings.fault(line.number, one.header, Phrase("must not be empty"))
        return one.empty
    try:
        value = one.read(written)
    except ValueError as error:
        findings.fault(line.number, one.header, said(error))
        return one.empty
    limit = length_of(kind, one.header)
    if limit is not None and isinstance(value, str) and len(value) > limit:
        findings.fault(
            line.number,
            one.header,
            Phrase("has {count} characters, at most {limit} are kept", count=len(value), limit=limit),
        )
    return value


def _id_of(row: Row) -> int:
    id_ = row["id"]
    if not isinstance(id_, int):
        raise TypeError("the id of a record is an integer")
    return id_
