"""Putting back what a run, or one decision, changed. Nobody is mailed.

The CRM's record becomes what it was, or what the server had where only the server was written; the next
cycle carries that into the calendars. Three cases have no earlier state to go back to:

- what came newly into the CRM is taken out of sight there, and left alone in its calendar;
- what was newly written into a calendar is cancelled: it leaves the calendar again;
- what both sides had changed becomes what the server had.

What changed again since is refused and named; nothing of it is touched.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from store import decisions
from store.bindings import Side
from store.database import Transaction
from store.decisions import DecisionRow
from store.errors import Invalid, NotFound, StoreError
from syncd.core.canonical import load
from syncd.engine.calendar import quiet
from syncd.engine.calendar.gathering import Record, whole_of
from syncd.engine.calendar.occasion import Occasion

WROTE_CRM = frozenset({Side.CRM, Side.BOTH})
PREFIX = "decision:"


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one decision."""

    decision: int
    run: str
    mailbox: str
    entity: str
    entity_id: int | None
    subject: str
    action: str
    does: str  # what is put back; empty where it is refused
    refused: str | None


def undo(session: Transaction, text: str, occasion: Occasion, *, dry_run: bool) -> list[Step]:
    """Puts back a run ("RUN"), or one decision ("decision:12"), the newest first; returns what was done, or
    would be. Raises NotFound where there is no such run, and Invalid where it has nothing to put back."""
    rows = _rows(session, text)
    chosen = {row.id for row in rows}
    steps, done = [], []
    seen: set[tuple[object, int | None]] = set()
    for row in rows:
        if row.side is Side.NONE:
            continue
        newest = (row.entity, row.entity_id) not in seen
        step = _step(session, row, chosen, occasion, newest=newest, dry_run=dry_run)
        steps.append(step)
        if step.refused is None:
            seen.add((row.entity, row.entity_id))
            done.append(row.id)
    if not steps:
        raise Invalid(f"{text}: nothing was written that could be put back")
    if not dry_run:
        decisions.mark_undone(session, done)
    return steps


def _rows(session: Transaction, text: str) -> list[DecisionRow]:
    if text.startswith(PREFIX):
        number = text.removeprefix(PREFIX)
        if not (number.isascii() and number.isdecimal() and len(number) < 10):  # noqa: PLR2004 - 32 bits
            raise NotFound(f'"{text[:40]}" names no decision: write decision:12')
        rows = decisions.decisions(session, id_=int(number))
    else:
        rows = decisions.decisions(session, run=text)
    if not rows:
        raise NotFound(
            f'there is no decision of "{text[:40]}": `syncd explain event:ID` names runs and decisions'
        )
    return rows


def _step(
    session: Transaction,
    row: DecisionRow,
    chosen: set[int],
    occasion: Occasion,
    *,
    newest: bool,
    dry_run: bool,
) -> Step:
    subject, does, refused = "", "", None
    try:
        record = quiet.record_of(session, row.entity, row.entity_id)
        subject = whole_of(record).main.subject
        _unchanged(session, row, record, chosen, newest=newest)
        quiet.require_rights(record, occasion)
        if not _came_in(row):
            quiet.require_ours(record)
        does = _back(session, row, record, occasion, dry_run=dry_run)
    except StoreError as error:
        refused = str(error)
    return Step(
        row.id, row.run, row.mailbox, row.entity.value, row.entity_id, subject, row.action, does, refused
    )


def _unchanged(
    session: Transaction, row: DecisionRow, record: Record, chosen: set[int], *, newest: bool
) -> None:
    """Raises Invalid where something happened since."""
    if row.undone:
        raise Invalid("it was undone already")
    if not newest:
        return  # what happened since is of the same run, and was put back first
    if record.updated_at > row.at:
        raise Invalid(f"it changed again in the CRM on {record.updated_at:%Y-%m-%d %H:%M} UTC")
    for later in _later(session, row, record):
        if later.id not in chosen:
            raise Invalid(f"it changed again in run {later.run}: undo that one first")


def _later(session: Transaction, row: DecisionRow, record: Record) -> Sequence[DecisionRow]:
    return [
        one
        for one in decisions.decisions(session, record=(row.entity, record.id))
        if one.id > row.id
        and not one.undone
        and one.side is not Side.NONE
        and (one.side in WROTE_CRM or one.mailbox_id == row.mailbox_id)
    ]


def _came_in(row: DecisionRow) -> bool:
    """Whether it was new to the CRM: then it is taken out again, whoever organises it."""
    return row.side in WROTE_CRM and row.crm_before == ""


def _back(
    session: Transaction, row: DecisionRow, record: Record, occasion: Occasion, *, dry_run: bool
) -> str:
    """Puts it back; returns what that means."""
    copies = {one.mailbox: one for one in decisions.copies(session, row.entity, record.id)}
    copy = copies.get(row.mailbox)
    if row.side is Side.REMOTE and copy is not None and copy.ours and not copy.supplies:
        raise Invalid("it is a copy for a colleague who takes part: change who takes part instead")
    if _came_in(row):
        if not dry_run:
            quiet.put(session, record, None, occasion, "undone")
            decisions.leave_alone(session, row.mailbox_id, row.entity, record.id)
        return "taken out of the CRM again; the calendar keeps it"
    if row.side in (Side.REMOTE, Side.BOTH) and row.remote_before == "":
        if not dry_run:
            quiet.put(session, record, None, occasion, "undone")
        return "cancelled: it leaves the calendar again"
    text = row.remote_before if row.side in (Side.REMOTE, Side.BOTH) else row.crm_before
    if not text:
        raise Invalid("what it was is not known")
    before = load(text)
    if not dry_run:
        quiet.put(session, record, before, occasion, "undone")
    return "as the server had it" if text is row.remote_before else "as the CRM had it"
