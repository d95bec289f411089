"""Writing records of the CRM with everything that follows from them, in the caller's transaction."""

from collections.abc import Sequence

from store import importing
from store.csvfile import Line
from store.database import Transaction
from store.fields import Kind
from store.importing import Occasion, Options, Saved
from syncd.engine import statuses
from syncd.engine.statuses import NEVER, Stale


def save(
    session: Transaction,
    kind: Kind,
    lines: Sequence[Line],
    occasion: Occasion,
    options: Options | None = None,
    *,
    stale: Stale = NEVER,
) -> Saved:
    """Writes the rows (see `store.importing.save`); the accounts they concern get the status that follows."""
    saved = importing.save(session, kind, lines, occasion, options)
    statuses.refresh(session, saved.accounts, occasion.today, occasion.now, stale)
    return saved
