"""What a binding remembers of late, to tell two writers that undo each other. No I/O."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from connectors.calendar import Item
from store.reconciling import BindingRow
from syncd.core.canonical import digest
from syncd.engine.calendar.journal import Outcome

HISTORY = 6  # digests kept to tell two writers that undo each other: three rounds
OSCILLATION_DAYS = 2  # within which three rounds are no accident


def history_after(old: BindingRow, one: Outcome, seen: Item, now: datetime) -> str:
    """Digests of late, oldest first, each with its day: those of the binding, and those of this outcome.
    The server holds `seen` now."""
    days = {f"{now - timedelta(days=back):%Y%m%d}" for back in range(OSCILLATION_DAYS)}
    recent = [one for one in old.history.split() if one.partition("@")[2] in days]
    return " ".join([*recent, *(f"{mark}@{now:%Y%m%d}" for mark in _marks(one, seen))][-HISTORY:])


def in_turn(history: str) -> list[str]:
    """The digests of what was written and what came back in turn; empty where it was not in turn."""
    marks = history.split()
    turns = [left[:1] != right[:1] for left, right in pairwise(marks)]
    return [one[1:17] for one in marks] if all(turns) else []


def _marks(one: Outcome, seen: Item) -> Sequence[str]:
    """What came in this cycle ("r") and what was written ("w"), in this order."""
    came = one.plan.seen if one.wrote and one.plan.remote is not None else None
    found = [f"r{digest(came)[:16]}"] if came is not None else []
    return [*found, f"{'w' if one.wrote else 'r'}{digest(seen)[:16]}"]
