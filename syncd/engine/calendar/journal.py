"""What was done and what was lost by it: the journal that `explain`, `conflicts` and `undo` read."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.calendar import Item, RemoteItem
from store import reconciling
from store.bindings import ConflictState, Side
from store.calendar import TaskPurpose
from store.calendar_rows import TaskRecord
from store.database import Transaction
from syncd.core.canonical import dump, value_json, value_of
from syncd.core.conflicts import UnitConflict, Winner
from syncd.core.plan import Action, Role
from syncd.engine.calendar.context import Context, Plan

WINNERS = {Winner.CRM: Side.CRM, Winner.REMOTE: Side.REMOTE, Winner.MANUAL: Side.NONE}
LEAVES = frozenset({Action.DROP, Action.DELETE_REMOTE, Action.CANCEL_CRM})  # what ends a binding
SIDES = {(True, True): Side.BOTH, (True, False): Side.CRM, (False, True): Side.REMOTE}


@dataclass(frozen=True)
class Outcome:
    """A plan that was carried out at the server, or that leaves the server alone."""

    plan: Plan
    role: Role
    supplies: bool
    remote: RemoteItem | None  # as the server has it now; None: it is gone, or was not looked at
    wrote: bool = False  # the server was written to


def decision_row(context: Context, one: Outcome, id_: int | None, before: Item | None) -> Mapping[str, Any]:
    """What was decided of a pair, and what the CRM held `before`."""
    plan, decision = one.plan, one.plan.decision
    ends_here = decision.action is Action.CANCEL_CRM
    touches_crm = decision.crm is not None or ends_here
    forgotten = _is_blank(plan, TaskPurpose.REPORT_FORM, TaskPurpose.CALL_FORM)
    return {
        "run_ref": context.run,
        "mailbox_id": context.mailbox_id,
        "collection_id": plan.calendar.row.id,
        "at": context.now,
        "uid": plan.uid,
        "entity": plan.entity,
        "entity_id": id_,
        "action": decision.action.value,
        "row": decision.row,
        "side": SIDES.get((touches_crm, one.wrote), Side.NONE),
        "reason": decision.reason,
        "crm_before": (dump(before) if before else "") if touches_crm and not forgotten else None,
        "remote_before": (dump(plan.seen) if plan.seen else "") if one.wrote and not forgotten else None,
        "version": one.remote.version if one.remote else "",
        "mailed": ", ".join(plan.mailing.recipients) if plan.mailing else "",
        "undone": False,
    }


def _is_blank(plan: Plan, *purposes: TaskPurpose) -> bool:
    """Whether it is about a form of which nothing is to be kept: its meeting is private now, its call was
    forgotten. What the calendar still holds of it goes without a trace."""
    if not isinstance(plan.record, TaskRecord):
        return False
    values = plan.record.values
    return values["hidden"] and not values["subject"] and values["purpose"] in purposes


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


def conflict_rows(
    session: Transaction, context: Context, plan: Plan, id_: int | None, lost: Iterable[UnitConflict]
) -> list[Mapping[str, Any]]:
    """What was `lost`, but for what waits for a person already; nothing about a call that was forgotten."""
    if _is_blank(plan, TaskPurpose.CALL_FORM):
        return []
    told = set()
    if plan.decision.held and plan.binding is not None:
        told = reconciling.open_conflicts(session, plan.binding.id)
    return [
        conflict_row(context, plan, id_, one)
        for one in lost
        if (one.key, one.unit.value if one.unit else "") not in told
    ]
