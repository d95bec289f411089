"""Writes that only bring up to date what the CRM adds to a calendar: a recommendation that changed (R010),
a place that is somewhere else (R095).

They are nobody's change of a meeting. So the brake does not count them, and so that it need not, they go
out a few at a time: rules that give ten thousand accounts another text in one night make as many rows that
wait, and no cycle of a mailbox longer than that of a handful of edits.
"""

from store.bindings import BoundEntity
from syncd.core.plan import Action
from syncd.engine.calendar.context import Context, Plan
from syncd.engine.calendar.pairing import Pairs
from syncd.engine.occurring import last_end

AT_ONCE = 20  # of a mailbox and cycle: one group of writes


def refreshes(plan: Plan) -> bool:
    """Whether nothing of the meeting itself is written, and nothing was read of it at the server."""
    waiting, decision = plan.waiting, plan.decision
    if waiting is None or waiting.by_person or plan.remote is not None:
        return False
    if plan.entity is BoundEntity.COMPANION:
        return True
    same = decision.remote is not None and decision.remote == plan.seen
    return plan.entity is BoundEntity.EVENT and decision.action is Action.PUSH and same and not decision.crm


def eased(pairs: Pairs, context: Context) -> Pairs:
    """The pairs with as many of these writes as one cycle makes. The others wait, the oldest first; what is
    over waits for nothing: it stays as it was."""
    kept: list[Plan] = []
    room = AT_ONCE
    for plan in pairs.plans:
        if not refreshes(plan):
            kept.append(plan)
        elif plan.waiting is not None and _is_over(plan, context):
            pairs.idle.append(plan.waiting)
        elif room:
            room -= 1
            kept.append(plan)
    pairs.plans = kept
    return pairs


def _is_over(plan: Plan, context: Context) -> bool:
    if plan.entity is not BoundEntity.EVENT or plan.seen is None:
        return False
    end = last_end(plan.seen, floating=context.rules.floating)
    return end is not None and end <= context.now
