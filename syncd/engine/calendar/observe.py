"""What the server tells of a calendar, held against what is known: what is news, what is gone, what proves
nothing. Reads only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from connectors.calendar import ChangeSet, Missing, RemoteItem
from connectors.errors import ItemError
from connectors.protocol import CalendarConnector
from store import outbox, reconciling
from store.database import Database
from store.outbox import Waiting
from store.reconciling import Known
from syncd.engine.calendar.context import Calendar, Context

RETRY_AFTER = timedelta(hours=6)  # of what lies in quarantine


@dataclass(frozen=True)
class Observed:
    """What one calendar had to tell."""

    calendar: Calendar
    cursor: str
    fresh: tuple[str, ...]  # refs that are not known
    changed: tuple[str, ...]  # refs that are known in another version
    gone: tuple[Known, ...]  # by a tombstone, or by a complete listing
    unproven: tuple[Known, ...]  # missing where that proves nothing: asked directly in the next cycle
    asked: tuple[Known, ...]  # unproven ones of the last cycle
    back: tuple[Known, ...]  # unproven ones of the last cycle that are listed now
    again: tuple[str, ...]  # of the refs to read: those out of quarantine
    freed: frozenset[str]  # of these: those that the server does not list any more

    @property
    def refs(self) -> tuple[str, ...]:
        """Everything that must be read."""
        asked = tuple(one.ref for one in self.asked)
        return tuple(dict.fromkeys((*self.fresh, *self.changed, *asked, *self.again)))

    @property
    def news(self) -> bool:
        """Whether anything must be remembered."""
        moved = self.cursor != self.calendar.row.token
        return bool(moved or self.refs or self.gone or self.unproven or self.back)


def observe(
    database: Database, connector: CalendarConnector, calendar: Calendar, now: datetime, *, quarantined: bool
) -> Observed:
    """One look at a calendar. Raises CollectionError or MailboxError, and then nothing is gone."""
    row = calendar.row
    changes = connector.changes(row.ref, row.token)
    with database.read() as session:
        if not changes.listed and not changes.removed and not changes.complete:
            known: dict[str, Known] = {}
        else:
            refs = None if changes.complete else [*(one.ref for one in changes.listed), *changes.removed]
            known = reconciling.known(session, row.id, refs)
        asked = tuple(reconciling.absent(session, row.id))
        entering = reconciling.entering(session, [row.id], now.date())
        waiting = reconciling.quarantined(session, row.id)
    listed = {one.ref for one in changes.listed}
    removed = {*changes.removed, *(waiting if changes.complete else ())} - listed
    again = [
        ref
        for ref, last in waiting.items()
        # What bears a later time is of a clock that was put back since.
        if quarantined or ref in removed or not now - RETRY_AFTER < last <= now
    ]
    fresh = [one.ref for one in changes.listed if one.ref not in known]
    changed = [
        one.ref
        for one in changes.listed
        if (old := known.get(one.ref)) is not None and (not one.version or old.version != one.version)
    ]
    missing = _missing(changes, known, listed)
    proven = () if changes.reset else missing
    return Observed(
        calendar=calendar,
        cursor=changes.cursor,
        fresh=tuple(fresh),
        changed=(*changed, *(one.ref for one in entering if one.ref not in listed)),
        gone=proven,
        unproven=missing if changes.reset else (),
        asked=tuple(one for one in asked if one.ref not in listed and one not in missing),
        back=tuple(one for one in asked if one.ref in listed),
        again=tuple(again),
        freed=frozenset(ref for ref in again if ref in removed or "/" not in ref),
    )


def _missing(changes: ChangeSet, known: dict[str, Known], listed: set[str]) -> tuple[Known, ...]:
    gone = [known[ref] for ref in changes.removed if ref in known and ref not in listed]
    if changes.complete:
        gone += [one for ref, one in known.items() if ref not in listed and ref not in changes.removed]
    return tuple(gone)


@dataclass(frozen=True)
class Unread:
    """An item that is there and cannot be read."""

    ref: str
    error: str


def read(connector: CalendarConnector, observed: Observed) -> Iterator[RemoteItem | Missing | Unread]:
    """Everything of a calendar that must be read. What was listed and is withheld is Unread, not Missing."""
    may_be_gone = {one.ref for one in observed.asked} | observed.freed
    for found in connector.read(observed.calendar.row.ref, observed.refs):
        match found:
            case ItemError():
                yield Unread(found.locator, str(found))
            case Missing(ref) if ref not in may_be_gone:
                yield Unread(ref, "the server lists it and does not give it")
            case _:
                yield found


def enters_on(start: datetime, future: timedelta) -> date:
    """The day on which something that begins then comes into the window."""
    return (start - future).date()


def waiting_in_crm(context: Context) -> tuple[list[Waiting], set[int]]:
    """What changed in the CRM, and the ids of what rests: the server refused that a short while ago."""
    with context.database.read() as session:
        waiting = outbox.waiting(session, context.mailbox_id)
        if not waiting or context.quarantined:
            return waiting, set()
        refused = outbox.refused(session, context.mailbox_id, context.now - RETRY_AFTER, context.now)
    return waiting, {one.id for one in waiting if one.id in refused}
