"""What the CRM writes beside a record for its owner only: a companion, a mirror (§4.2.3, R063), as a plan."""

from connectors.calendar import Item
from store.calendar_rows import EventRecord, TaskRecord
from store.outbox import Waiting
from store.reconciling import BindingRow
from syncd.core.canonical import digest, load
from syncd.core.guards import Mailing
from syncd.core.plan import Action, Decision
from syncd.engine.calendar.context import Calendar, Plan

BESIDE = "what the CRM knows, for the owner only"


def extra(
    waiting: Waiting,
    record: EventRecord | TaskRecord | None,
    binding: BindingRow | None,
    calendar: Calendar,
    wanted: Item | None,
) -> Plan | None:
    """What is to be done so that `wanted`, and nothing else, stands there; None where it does already."""
    mark = digest(wanted)[:16] if wanted else ""
    if (binding.dress if binding else "") == mark:
        return None
    action = Action.PUSH if binding else Action.CREATE_REMOTE
    return Plan(
        calendar=calendar,
        entity=waiting.entity,
        uid=wanted.uid if wanted else binding.uid if binding else "",
        binding=binding,
        record=record,
        remote=None,
        crm=None,
        seen=load(binding.base_remote) if binding else None,
        decision=Decision(action if wanted else Action.DELETE_REMOTE, 0, BESIDE, remote=wanted),
        ours=True,
        waiting=waiting,
        mailing=Mailing((), "It is for its owner only.", notify=False),
        mark=mark,
    )
