"""Writing records of the CRM with everything that follows from them, in the caller's transaction."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from store import importing
from store.csvfile import Line
from store.database import Transaction
from store.fields import CONTACTS, Kind
from store.importing import Occasion, Options, Saved
from syncd.engine import phones, statuses
from syncd.engine.recommending import Recommending
from syncd.engine.statuses import PLAIN, Reading, Then


@dataclass(frozen=True)
class Follows:
    """What follows from records that are written, as the config has it."""

    country: str | None = None  # of contacts' numbers; None: their forms are worked out later
    reading: Reading = PLAIN
    then: Then | None = None  # of a change of status
    recommending: Recommending | None = None


NOTHING_ELSE = Follows()


def save(
    session: Transaction,
    kind: Kind,
    lines: Sequence[Line],
    occasion: Occasion,
    options: Options | None = None,
    *,
    expected: int | None = None,
    follows: Follows = NOTHING_ELSE,
) -> Saved:
    """Writes the rows (see `store.importing.save`) and what follows from them: the numbers of contacts get
    their forms, the accounts concerned their status and what that brings, and rules their recommendations."""
    saved = importing.save(session, kind, lines, occasion, options, expected=expected)
    if kind.name == CONTACTS.name and follows.country is not None:
        phones.settle(session, follows.country)
    settle(session, saved.accounts, occasion.today, occasion.now, follows)
    return saved


def settle(
    session: Transaction, accounts: Collection[int], day: date, now: datetime, follows: Follows
) -> None:
    """Gives these accounts, about which something was written, the status of that day and what it brings, and
    lets the rules write their recommendations."""
    changes = statuses.refresh(session, accounts, day, now, then=follows.then, reading=follows.reading)
    if follows.recommending is not None:
        changed = {one.account_id for one in changes}
        follows.recommending.refresh(session, changed.union(accounts), now)
