"""Writing records of the CRM with everything that follows from them, in the caller's transaction."""

from collections.abc import Sequence

from store import importing
from store.csvfile import Line
from store.database import Transaction
from store.fields import Kind
from store.importing import Occasion, Options, Saved
from syncd.engine import statuses
from syncd.engine.recommending import Recommending
from syncd.engine.statuses import NEVER, Stale, Then


def save(
    session: Transaction,
    kind: Kind,
    lines: Sequence[Line],
    occasion: Occasion,
    options: Options | None = None,
    *,
    expected: int | None = None,
    stale: Stale = NEVER,
    then: Then | None = None,
    recommending: Recommending | None = None,
) -> Saved:
    """Writes the rows (see `store.importing.save`); the accounts they concern get the status that follows,
    `then` does what follows from that, and rules write the recommendations of them."""
    saved = importing.save(session, kind, lines, occasion, options, expected=expected)
    statuses.refresh(session, saved.accounts, occasion.today, occasion.now, then=then, stale=stale)
    if recommending is not None:
        recommending.refresh(session, saved.accounts, occasion.now)
    return saved
