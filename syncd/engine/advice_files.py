"""Recommendations from files (R017): what an accounting system says of accounts, as CSV or XLSX.

`account_ref` is an external id, a VAT number or an exact name; a row whose account is not found, or is one of
several, is reported and does nothing. A blank message, or a `valid_until` that is past, takes back what a
file said before. What the rows come to is for the rules of source "file" to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import structlog

from connectors.errors import BadFile
from store import advice_rows, filetable, recommendations, statuses
from store.actors import Actor
from store.advice_rows import FileRow, Named, RecommendationImport
from store.csvfile import Fault, Line, Refused, Sheet
from store.database import Database, Transaction
from store.errors import Invalid
from store.readers import choice, day
from store.recommendations import Category
from store.rights import Verb
from syncd.engine.meetings.dropping import Enough
from syncd.engine.recommending import RULES, AdviceChange, Recommending

log: structlog.stdlib.BoundLogger = structlog.get_logger()

HEADERS = ("account_ref", "message", "category", "valid_until")
NEEDED = HEADERS[:2]
MOST_IDS = 5  # that a message lists

_CATEGORY = choice(
    Category,
    {
        "retard de paiement": Category.PAYMENT_DELAY,
        "avis de règlement": Category.PAYMENT_NOTICE,
        "information": Category.ACCOUNT_INFO,
        "autre": Category.OTHER,
    },
)


@dataclass(frozen=True, slots=True)
class FilesDone:
    """What came of a file."""

    rows: int  # that were taken
    faults: tuple[Fault, ...]  # of rows that were not
    changes: tuple[AdviceChange, ...]  # of recommendations
    warnings: tuple[Fault, ...] = ()  # what was read, and may not be meant
    known: bool = False  # taken in before: nothing was done


class AdviceFiles:
    """Takes files of recommendations in."""

    kind = "recommendations"

    def __init__(self, database: Database, recommending: Recommending) -> None:
        self._database = database
        self._recommending = recommending

    def take(self, content: bytes, file: str, now: datetime, _enough: Enough | None = None) -> str:
        """Takes what can be taken, in one transaction; answers which rows could not. Raises BadFile,
        StoreError."""
        try:
            done = self.record(content, file, RULES, now, partial=True)
        except Refused as error:
            raise BadFile(str(error), locator=file) from None
        if done.known:
            log.info("this file was taken in before", action=self.kind)
        for one in done.warnings:
            log.warning("not all of a file is read", action=self.kind, file=file, warning=str(one))
        if not done.faults:
            return ""
        return f"{done.rows} rows were taken; these were not:\n{Refused(done.faults)}"

    def record(
        self,
        content: bytes,
        file: str,
        actor: Actor,
        now: datetime,
        *,
        partial: bool = False,
        dry_run: bool = False,
    ) -> FilesDone:
        """Raises Refused with every mistake, unless the file is taken as far as it can be (`partial`); a file
        that is no table at all is refused anyway."""
        sheet = _sheet(content)
        digest = sha256(content).hexdigest()
        with self._database.write() as session:
            statuses.alone(session)
            if advice_rows.was_taken(session, digest):
                return FilesDone(0, (), (), known=True)
            rows, faults = _rows(session, sheet.lines, actor)
            faults = sorted([*sheet.faults, *faults], key=lambda one: one.line)
            if faults and not partial:
                raise Refused(faults)
            noted = RecommendationImport(
                file=file[:255], sha256=digest, rows=len(rows), errors=len(faults), at=now
            )
            advice_rows.put_file_rows(session, rows, advice_rows.add_import(session, noted))
            changes = self._recommending.refresh(session, rows, now)
            if dry_run:
                session.rollback()
        return FilesDone(len(rows), tuple(faults), tuple(changes), tuple(sheet.warnings))


def _sheet(content: bytes) -> Sheet:
    sheet = filetable.scan(content, HEADERS)
    known = ", ".join(HEADERS)
    faults = [
        Fault(1, one, f"is no column here; known: {known}") for one in sheet.headers if one not in HEADERS
    ]
    faults += [Fault(1, one, "is required: no such column") for one in NEEDED if one not in sheet.headers]
    if faults:
        raise Refused(faults)
    return sheet


def _rows(
    session: Transaction, lines: Sequence[Line], actor: Actor
) -> tuple[dict[int, FileRow], list[Fault]]:
    """What the rows say, by account, and what is wrong with the others."""
    named = advice_rows.named(session)
    rows: dict[int, FileRow] = {}
    first: dict[int, int] = {}
    faults: list[Fault] = []
    for line in lines:
        try:
            account_id = _account(line.cells["account_ref"], named)
            row = _row(line)
        except _Wrong as error:
            faults.append(Fault(line.number, error.column, str(error)))
            continue
        if first.setdefault(account_id, line.number) != line.number:
            faults.append(Fault(line.number, "account_ref", f"is the account of line {first[account_id]}"))
            continue
        rows[account_id] = row
    for id_, owner in advice_rows.owners(session, rows).items():
        if not actor.may("account", Verb.UPDATE, [owner]):
            faults.append(Fault(first[id_], "account_ref", f"{actor.login} may not change this account"))
            del rows[id_]
    return rows, faults


class _Wrong(ValueError):
    """What is wrong with a cell."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def _account(ref: str, named: Named) -> int:
    if not ref:
        raise _Wrong("account_ref", "is empty")
    found = named.find(ref)
    if len(found) == 1:
        return next(iter(found))
    if not found:
        raise _Wrong("account_ref", f'"{ref[:80]}" is no ext_id, VAT number or exact name of an account')
    ids = ", ".join(map(str, sorted(found)[:MOST_IDS]))
    raise _Wrong("account_ref", f'"{ref[:80]}" names {len(found)} accounts (ids {ids})')


def _row(line: Line) -> FileRow:
    message, category, until = (line.cells.get(one, "") for one in HEADERS[1:])
    column = "message"
    try:
        text = recommendations.checked(message) if message else None
        column = "category"
        kind = _CATEGORY(category) if category else None
        column = "valid_until"
        last = day(until) if until else None
    except (ValueError, Invalid) as error:
        raise _Wrong(column, str(error)) from None
    return FileRow(text, kind if isinstance(kind, Category) else None, last)
