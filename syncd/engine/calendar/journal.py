"""What of a decision is written down: JSON in the journal of intents, rows in the table of conflicts."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.calendar import Item
from store.bindings import ConflictState, Side
from syncd.core.canonical import Unit, value_json, value_of
from syncd.core.conflicts import UnitConflict, Winner
from syncd.core.plan import Action
from syncd.engine.calendar.context import Context, Plan

LEAVES = frozenset({Action.DROP, Action.DELETE_REMOTE, Action.CANCEL_CRM})  # what ends a binding
WINNERS = {Winner.CRM: Side.CRM, Winner.REMOTE: Side.REMOTE, Winner.MANUAL: Side.NONE}


def conflict_row(context: Context, plan: Plan, id_: int | None, one: UnitConflict) -> Mapping[str, Any]:
    """The columns of a conflict about the record `id_`."""
    return {
        "binding_id": None if plan.binding is None or plan.decision.action in LEAVES else plan.binding.id,
        "mailbox_id": context.mailbox_id,
        "entity": plan.entity,
        "entity_id": id_,
        "component": one.key,
        "unit": one.unit.value if one.unit else "",
        "base": json.dumps(one.base, ensure_ascii=False),
        "crm_value": json.dumps(one.crm, ensure_ascii=False),
        "remote_value": json.dumps(one.remote, ensure_ascii=False),
        "winner": WINNERS[one.winner],
        "at": context.now,
        "run_ref": context.run,
        "state": ConflictState.OPEN if one.winner is Winner.MANUAL else ConflictState.DECIDED,
    }


def overwrote(one: UnitConflict, found: Item) -> bool:
    """Whether the server holds what the CRM's side won by, so that what lost is there no more."""
    if one.winner is not Winner.CRM:
        return False
    component = found.by_key.get(one.key)
    if one.unit is None or component is None:
        return one.unit is None and component is not None
    return value_json(value_of(component, one.unit)) == one.crm


def units_text(held: frozenset[tuple[str, Unit]]) -> str:
    """Held units as JSON."""
    return json.dumps(sorted((key, unit.value) for key, unit in held))


def units_of(text: str) -> frozenset[tuple[str, Unit]]:
    """The inverse of `units_text`."""
    return frozenset((key, Unit(unit)) for key, unit in json.loads(text))


def conflicts_text(conflicts: Sequence[UnitConflict]) -> str:
    """Conflicts as JSON."""
    return json.dumps(
        [[one.key, one.unit.value if one.unit else "", one.base, one.crm, one.remote, one.winner.value]
         for one in conflicts],
        ensure_ascii=False,
    )  # fmt: skip


def conflicts_of(text: str) -> tuple[UnitConflict, ...]:
    """The inverse of `conflicts_text`."""
    return tuple(
        UnitConflict(key, Unit(unit) if unit else None, base, crm, remote, Winner(winner))
        for key, unit, base, crm, remote, winner in json.loads(text)
    )
