"""Items that are known and not kept in step: outside the window, copies made by hand, left alone."""

from collections.abc import Sequence
from typing import Any

from store import reconciling
from store.bindings import CopyRole
from store.database import Transaction
from store.updates import Updates
from syncd.engine.calendar.context import Context
from syncd.engine.calendar.pairing import Aside


def set_aside(session: Transaction, context: Context, ones: Sequence[Aside]) -> None:
    """Remembers items that are not kept in step, so that they are not read again until they change."""
    fresh, updates = [], Updates(session)
    for one in ones:
        values: dict[str, Any] = {
            "collection_id": one.calendar.row.id,
            "remote_ref": one.remote.ref,
            "uid": one.seen.uid,
            "version": one.remote.version,
            "state": one.state,
            "entity": one.entity,
            "entity_id": one.binding.entity_id if one.binding else None,
            "role": CopyRole.ATTENDEE,
            "supplies": False,
            "base_remote": "",
            "absent": bool(one.calendar.row.token),  # until the cursor has moved past it
            "enters_on": one.enters_on,
            "changed_at": context.now,
        }
        if one.binding is None:
            fresh.append({**values, "ours": False})
        else:
            reconciling.update_binding(session, one.binding.id, values, together=updates)
    updates.send()
    reconciling.insert_bindings(session, fresh)
