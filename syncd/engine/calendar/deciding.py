"""What becomes of one pair: table T4 where the copy owns the content, its participant's answer where it does
not, and what goes with an item to the server and to its guests. Reads nothing, writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from connectors.calendar import Item
from connectors.ical.zones import offsets
from store.bindings import BindingState, BoundEntity, CopyRole
from store.calendar_rows import EventRecord
from store.reconciling import BindingRow
from syncd.core.canonical import is_private, load
from syncd.core.guards import Cause, Mailing, firewall
from syncd.core.plan import Action, Decision, Direction, Pair, Role, decide
from syncd.engine.calendar.context import Context, Plan
from syncd.engine.calendar.copies import answered, copied, declined
from syncd.engine.calendar.dress import Names, dress_of, mark_of
from syncd.engine.occurring import last_end

Key = tuple[BoundEntity, int]

COPY = "a copy for a colleague who takes part"
UNDRESSED = "What the CRM added is taken off: somebody from outside takes part now."
ROLES = {CopyRole.ORGANIZER: Role.ORGANIZER, CopyRole.ATTENDEE: Role.ATTENDEE}


class Decider:
    """Decides about pairs, by what is known of all copies of their records."""

    def __init__(self, context: Context, names: Names, copies: Mapping[Key, Sequence[BindingRow]]) -> None:
        self._context = context
        self._names = names
        self._copies = copies

    def decided(self, plan: Plan) -> Plan:
        """The plan with its decision, what goes with it to the server, and who may be mailed."""
        if self._handed_over(plan) and plan.remote is not None and self._says_news(plan):
            # What the client changed is taken in first; it moves in the next cycle.
            plan = replace(plan, waiting=None)
        elif self._handed_over(plan):
            reason = "It was assigned to another user: it moves to that calendar."
            return replace(
                plan,
                decision=Decision(Action.DELETE_REMOTE, 7, reason),
                mailing=Mailing((), reason, notify=False),
            )
        context = self._context
        if self._follows(plan):
            plan = replace(plan, follows=True, decision=self._of_copy(plan))
        else:
            plan = replace(plan, dress=dress_of(plan, self._names, context))
            pair = self._pair(plan)
            plan = replace(plan, pair=pair, decision=_renaming(plan, decide(pair, context.rules.merge)))
        return replace(plan, mailing=self.mailing(plan))

    def _follows(self, plan: Plan) -> bool:
        """Whether somebody else's copy owns the content."""
        if plan.entity is not BoundEntity.EVENT or not isinstance(plan.record, EventRecord):
            return False
        if plan.binding is not None and plan.binding.state is BindingState.BOUND:
            return not plan.binding.supplies
        if plan.seen is None:
            return not self._owned(plan.record)
        others = [
            one
            for one in self._copies.get((plan.entity, plan.record.id), ())
            if one.supplies and one.state is BindingState.BOUND
        ]
        takes_over = plan.seen.main.organizer in self._context.own
        if not others:
            # Nobody's copy yet: the owner's is to come, a colleague's does not stand in for it.
            return (
                not self._owned(plan.record) and not takes_over and bool(plan.record.main.values["editable"])
            )
        return not (takes_over and all(one.role is CopyRole.ATTENDEE for one in others))

    def _pair(self, plan: Plan) -> Pair:
        binding = plan.binding
        linked = binding is not None and binding.state is BindingState.BOUND
        return Pair(
            base_crm=load(binding.base_of_crm) if linked and binding and binding.base_of_crm else None,
            base_remote=load(binding.base_remote) if linked and binding else None,
            crm=plan.crm,
            remote=plan.seen,
            role=self.role(plan),
            direction=plan.calendar.direction if plan.calendar.info.writable else Direction.TO_CRM,
            dress_changed=self._dress_changed(plan, binding if linked else None),
            crm_changed_at=None if plan.record is None else plan.record.updated_at,
            remote_changed_at=None if plan.seen is None else plan.seen.modified,
            version_changed=plan.remote is not None,
        )

    def _dress_changed(self, plan: Plan, binding: BindingRow | None) -> bool:
        """Whether what the CRM adds is another one now, or is there though it must not be: a client may bring
        back what it once saw."""
        mark = mark_of(plan.dress)
        stale = not mark and plan.remote is not None and plan.remote.item.dressed
        return stale or (binding is not None and mark != binding.dress)

    def role(self, plan: Plan) -> Role:
        """Whose content the copy holds."""
        item = plan.seen or plan.crm
        if item is None:
            return ROLES[plan.binding.role] if plan.binding else Role.ORGANIZER
        organizer = item.main.organizer
        return Role.ORGANIZER if not organizer or organizer in self._context.own else Role.ATTENDEE

    def _of_copy(self, plan: Plan) -> Decision:
        """What becomes of a copy whose content is somebody else's: the answer comes from it, the rest goes
        into it where the service writes such copies."""
        ours = plan.ours or bool(plan.binding and plan.binding.ours)
        if plan.seen is None and plan.binding is None and plan.crm is not None:
            return Decision(Action.CREATE_REMOTE, 12, COPY, remote=plan.crm)
        if plan.seen is None:
            return self._taken_out(plan)
        if plan.crm is None:
            gone = Action.DELETE_REMOTE if ours else Action.DROP
            return Decision(gone, 7, "the meeting was cancelled")
        if ours and not self._takes_part(plan.crm):
            return Decision(Action.DELETE_REMOTE, 7, "its owner does not take part any more")
        return self._of_answer(plan, plan.crm, plan.seen, ours=ours)

    def _taken_out(self, plan: Plan) -> Decision:
        """The participant's copy is gone: of a meeting to come, an answer. What is over was tidied up."""
        reason = "a participant took the copy out of the own calendar"
        crm = plan.crm
        if crm is None or plan.calendar.direction is Direction.TO_REMOTE or self.is_over(crm):
            return Decision(Action.DROP, 11, reason)
        heard = declined(crm, self._context.own)
        return Decision(Action.DROP, 16, f"{reason}, which declines", crm=None if heard == crm else heard)

    def is_over(self, item: Item) -> bool:
        """Whether the last of it has ended."""
        end = last_end(item, floating=self._context.rules.floating)
        return end is not None and end <= self._context.now

    def _takes_part(self, crm: Item) -> bool:
        """Whether the mailbox's owner is in it; of a private meeting nobody knows who is."""
        own = self._context.own
        return is_private(crm) or any(
            one.organizer in own or one.attendee(own) is not None for one in crm.components
        )

    def _of_answer(self, plan: Plan, crm: Item, seen: Item, *, ours: bool) -> Decision:
        changed = plan.remote is not None and not is_private(seen)
        heard = answered(crm, seen, self._context.own) if changed else crm
        remote = None
        if ours and not is_private(seen):
            known = plan.binding.base_of_crm if plan.binding else ""
            base = load(known) if known else None
            target = copied(base, heard, seen, self._context.own)
            remote = target if target != seen else None
        if heard != crm:
            return Decision(Action.PULL, 16, "a participant answered", crm=heard, remote=remote)
        if remote is not None:
            return Decision(Action.PUSH, 2, "the meeting changed", remote=remote)
        return Decision(Action.ADOPT, 5, "a participant's copy says nothing new")

    def mailing(self, plan: Plan) -> Mailing | None:
        """Whether the server may mail anybody of what is to be written; None where nothing is."""
        decision = plan.decision
        if decision.remote is None and decision.action is not Action.DELETE_REMOTE:
            return None
        if (strangers := self._may_see_it_go(plan)) is not None:
            return Mailing(strangers, UNDRESSED, notify=False)
        person = plan.waiting is not None and plan.waiting.by_person and not plan.follows
        zones = [zone for one in (plan.seen, plan.crm) if one is not None for zone in one.zones]
        return firewall(
            cause=Cause.PERSON_EDIT if person else Cause.BACKFILL,
            policy=self._context.policy,
            auto_schedule=plan.calendar.info.auto_schedule,
            before=plan.seen,
            after=decision.remote,
            own=self._context.own,
            now=self._context.now,
            floating=self._context.rules.floating,
            offset_of=offsets(zones),
        )

    def _may_see_it_go(self, plan: Plan) -> tuple[str, ...] | None:
        """Who may hear that the text became another one, where nothing but what the CRM added is taken off
        because a stranger takes part now. None where that is not what is done."""
        seen = plan.seen
        if not plan.calendar.info.auto_schedule or seen is None or plan.decision.remote != seen:
            return None
        if mark_of(plan.dress) or plan.remote is None or not plan.remote.item.dressed:
            return None
        people = self._context.setting.people
        hosts = {one.organizer for one in seen.components}
        guests = {one.email for part in seen.components for one in part.attendees} - hosts
        return tuple(sorted(one for one in guests if people.user(one) is None))

    @staticmethod
    def _says_news(plan: Plan) -> bool:
        """Whether the item is another one than when both sides last agreed."""
        return plan.binding is not None and plan.seen != load(plan.binding.base_remote)

    def _handed_over(self, plan: Plan) -> bool:
        """Whether the event was given to another user, whose calendar it belongs in now (R082)."""
        record, crm = plan.record, plan.crm
        return (
            isinstance(record, EventRecord)
            and crm is not None
            and plan.binding is not None
            and plan.binding.supplies
            and not self._owned(record)
            and bool(record.main.values["editable"])
            and crm.main.organizer not in self._context.own
            and crm.main.attendee(self._context.own) is None
        )

    def _owned(self, record: EventRecord) -> bool:
        return bool(record.main.values["owner_id"] == self._context.setting.owner_id)


def _renaming(plan: Plan, decision: Decision) -> Decision:
    """A client gave the item another UID: the record takes it over, whatever else is to be done."""
    record, crm = plan.record, plan.crm
    if crm is None or record is None or plan.seen is None or decision.crm is not None:
        return decision
    values = (record.main if isinstance(record, EventRecord) else record).values
    return decision if values["uid"] == crm.uid else replace(decision, crm=crm)
