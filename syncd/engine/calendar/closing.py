"""The end of a look: its cursors move, in one transaction with what is remembered of everything it saw.

Until then, what came to light in it stands as not seen: should the process die, or the server go away, before
the cursor moves, the next listing begins where this one did, and says nothing of what is gone again by then
(RFC 6578 section 3.5; SyncFolderItems). So that is asked for by name.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from connectors.calendar import RemoteItem
from store import brakes, reconciling
from store.database import Transaction
from syncd.engine.calendar.context import Context
from syncd.engine.calendar.observe import Observed, Unread
from syncd.engine.calendar.push import Pusher


@dataclass(frozen=True)
class Look:
    """What one look saw, and what came of it."""

    observations: Sequence[Observed]  # of the calendars whose cursors move
    found: Mapping[int, Sequence[RemoteItem]]  # by the ids of their calendars
    unread: Mapping[int, Sequence[Unread]]
    pusher: Pusher
    moved: Container[int]  # bindings of items that were found somewhere else
    called: Sequence[int]  # bindings of items that are to be asked for in the next look


def close_look(session: Transaction, context: Context, look: Look) -> None:
    """All that was observed is stored, or waits: the next cycle goes on from here."""
    for seen in look.observations:
        _remember(session, context, look, seen)
        for known in seen.unproven:
            if known.id not in look.moved:
                reconciling.update_binding(session, known.id, {"absent": True})
    unfinished = bool(look.pusher.failed) or any(one.unproven for one in look.observations)
    if context.released is not None and not unfinished:
        brakes.forget_release(session, context.mailbox_name)


def _remember(session: Transaction, context: Context, look: Look, seen: Observed) -> None:
    id_ = seen.calendar.row.id
    refused = {ref for collection, ref in look.pusher.refused if collection == id_}
    for item in look.unread[id_]:
        reconciling.quarantine(session, id_, item.ref, item.error, context.now)
    broken = {item.ref for item in look.unread[id_]} | refused
    reconciling.release(session, id_, [ref for ref in seen.refs if ref not in broken])
    here = [*(one.ref for one in look.found[id_]), *(known.ref for known in seen.back)]
    reconciling.seen(session, id_, here, but=look.called)
    reconciling.set_token(session, id_, seen.cursor)
