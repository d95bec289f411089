"""What the brake counts of a plan, what it shows to a person, and whether a person let that go. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from store.bindings import BindingState
from store.calendar import TaskPurpose
from store.calendar_rows import TaskRecord
from store.reconciling import BindingRow
from syncd.core.canonical import load
from syncd.core.guards import Kind as GuardKind
from syncd.core.plan import Action, Direction
from syncd.engine.calendar.context import Calendar, Plan
from syncd.engine.calendar.gathering import EXTRAS
from syncd.engine.calendar.push import writes
from syncd.engine.calendar.refreshing import refreshes
from syncd.engine.calendar.report import Planned

DELETIONS = frozenset({Action.DELETE_REMOTE, Action.CANCEL_CRM})
CREATIONS = frozenset({Action.CREATE_REMOTE, Action.RECREATE_REMOTE})
OF_FORMS = frozenset(
    {Action.CREATE_REMOTE, Action.DELETE_REMOTE, Action.PUSH, Action.PULL, Action.MERGE, Action.ADOPT}
)
FORMS = frozenset({TaskPurpose.REPORT_FORM, TaskPurpose.CALL_FORM})
QUIET = frozenset({Action.NOTHING, Action.ADOPT, Action.ECHO})


def planned(plan: Plan) -> Planned:
    """One line for a person."""
    crm = plan.decision.crm is not None or plan.decision.action is Action.CANCEL_CRM
    side = {(True, True): "both", (True, False): "crm", (False, True): "remote"}
    mailing = plan.mailing
    return Planned(
        action=plan.decision.action,
        side=side.get((crm, writes(plan)), "none"),
        calendar=plan.calendar.row.name or plan.calendar.row.ref,
        uid=plan.uid,
        subject=plan.subject,
        reason=plan.decision.reason,
        mailed=() if mailing is None else mailing.recipients,
    )


def going(calendar: Calendar, bindings: Iterable[BindingRow]) -> list[Planned]:
    """A line for each item that a server which forgot its tokens does not list any more: what becomes of it
    once the server says by name that it is gone. A person who lets go the rest must know."""
    again = calendar.direction is Direction.TO_REMOTE
    return [
        Planned(
            action=Action.RECREATE_REMOTE if again else Action.CANCEL_CRM,
            side="remote" if again else "crm",
            calendar=calendar.row.name or calendar.row.ref,
            uid=one.uid,
            subject=load(one.base_remote).main.subject,
            reason="The calendar does not list it any more.",
            mailed=(),
        )
        for one in bindings
        if one.state is BindingState.BOUND and one.entity not in EXTRAS
    ]


def moved_by(plans: Sequence[Plan]) -> set[int]:
    """The bindings of what lies somewhere else now."""
    return {one.moved_from.id for one in plans if one.moved_from is not None}


def listed(plans: Sequence[Plan]) -> list[Planned]:
    """What a person is shown where the brake is on, and lets go or not: not what the CRM only adds, which is
    no reason for it."""
    return [planned(one) for one in plans if one.decision.action not in QUIET and not refreshes(one)]


def kinds(plans: Sequence[Plan]) -> Counter[GuardKind]:
    """What the brake counts. Forms that the service itself puts into a list, changes there and takes out of
    it are as many as the meetings that were held: a person who comes back to a dozen of them, and answers
    them, need not let them go. Those that go from the list by another's hand count. What the CRM only adds to
    items, for their owner, is as much as its accounts have to tell, and goes out a few at a time."""
    found: Counter[GuardKind] = Counter()
    for plan in plans:
        action, mailing = plan.decision.action, plan.mailing
        if (action in OF_FORMS and _is_form(plan)) or refreshes(plan):
            continue
        if action in DELETIONS:
            found[GuardKind.DELETIONS] += 1
        elif action in CREATIONS:
            found[GuardKind.CREATIONS] += 1
        elif action is Action.CREATE_CRM:
            found[GuardKind.CREATIONS_CRM] += 1
        elif plan.decision.crm is not None or plan.decision.remote is not None:
            found[GuardKind.UPDATES] += 1
        if mailing is not None:
            found[GuardKind.INVITATIONS] += len(mailing.recipients)
    return found


def _is_form(plan: Plan) -> bool:
    return isinstance(plan.record, TaskRecord) and plan.record.values["purpose"] in FORMS


def released(text: str | None, lines: Sequence[Planned]) -> bool:
    """Whether a person let go everything that is planned now."""
    if text is None:
        return False
    allowed = {(one["action"], one["uid"]) for one in json.loads(text)}
    return all((one.action.value, one.uid) in allowed for one in lines)
