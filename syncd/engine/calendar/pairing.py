"""From what was observed on both sides to a plan: which records and which items belong together, and what
becomes of each pair. Reads only."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

import structlog

from connectors.calendar import Item, Kind, RemoteItem
from store.bindings import BindingState, BoundEntity
from store.calendar import Origin
from store.calendar_rows import EventRecord
from store.outbox import Waiting
from store.reconciling import BindingRow, Known
from syncd.core.canonical import load, redacted
from syncd.core.plan import Action, Decision, Direction
from syncd.engine.calendar.context import Calendar, Context, Plan
from syncd.engine.calendar.copies import stays_away
from syncd.engine.calendar.deciding import Decider, Key
from syncd.engine.calendar.dress import beside, mark_of_record, record_named, undressed
from syncd.engine.calendar.extras import extra
from syncd.engine.calendar.gathering import (
    ENTITIES,
    EXTRAS,
    RECORDS,
    Gathered,
    Record,
    content_of,
    gather,
    record_hidden,
)
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.observe import Observed
from syncd.engine.calendar.window import outside

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True)
class Aside:
    """An item that is known from now on, and not kept in step."""

    calendar: Calendar
    remote: RemoteItem
    seen: Item
    binding: BindingRow | None
    entity: BoundEntity
    state: BindingState
    enters_on: date | None = None


@dataclass
class Pairs:
    """Everything that a cycle has to do."""

    plans: list[Plan]
    aside: list[Aside]
    idle: list[Waiting]  # records that wait for nothing in this mailbox
    vanished: list[int]  # bindings of items that were not kept in step, and are gone

    unproven: list[int]  # bindings of items that are gone, and are asked for again later
    called: list[int]  # bindings of items that stand in for one that is gone
    came: dict[int, str]  # refs of items that the server made late, by the ids of their intents

    @property
    def anything(self) -> bool:
        """Whether there is anything to do."""
        lists = (self.plans, self.aside, self.idle, self.vanished, self.unproven, self.called, self.came)
        return any(lists)


class Pairing:
    """Builds the pairs of one cycle."""

    def __init__(self, context: Context, calendars: Sequence[Calendar], *, blind: bool = False) -> None:
        """`blind`: there are calendars of this mailbox that nobody can look into just now."""
        self._context, self._blind = context, blind
        self._calendars = {one.row.id: one for one in calendars}
        self._met: set[tuple[BoundEntity, str]] = set()  # what is new in this cycle
        self._back: set[Key] = set()  # records whose item came back under another UID
        self._pairs = Pairs([], [], [], [], [], [], {})
        self._known = Gathered()
        self.decider = Decider(context, self._known.names, self._known.copies)

    def build(
        self,
        observations: Sequence[Observed],
        found: Mapping[int, Sequence[RemoteItem]],
        gone: Mapping[int, Sequence[Known]],
        waiting: Sequence[Waiting],
        *,
        resting: AbstractSet[int] = frozenset(),
    ) -> Pairs:
        """The pairs. `found` and `gone` are by the id of their collection.

        `resting` are the ids of what waits in vain, unless its item changed at the server too.
        """
        with self._context.database.read() as session:
            self._known = known = gather(
                session,
                self._context,
                observations=observations,
                found=found,
                gone=gone,
                waiting=waiting,
            )
        self.decider = Decider(self._context, known.names, known.copies)
        told = {(one.entity, one.entity_id): one for one in waiting if one.entity not in EXTRAS}
        wrote = {(one.entity, one.entity_id): one for one in known.lost.values()}
        moved: set[int] = set()
        for collection, items in found.items():
            for remote in items:
                here = known.refs[collection].get(remote.ref)
                # Given once: a second item of that UID is a copy, not the same in two places.
                moved_from = known.lost.pop(remote.item.uid, None) if here is None else None
                if here is None and moved_from is None and (named := self._named(remote.item)) is not None:
                    moved_from = wrote.pop(named, None)  # a client gave it another UID
                if moved_from is not None:
                    moved.add(moved_from.id)
                self._of_item(self._calendars[collection], remote, here or moved_from, moved_from, told)
        for one in (one for ones in gone.values() for one in ones):
            if one.id not in moved:
                self._of_absence(known.bindings[one.id], told)
        handled = {(plan.entity, plan.record.id) for plan in self._pairs.plans if plan.record}
        for key, waits in told.items():
            if key not in handled and waits.id not in resting:
                self._of_change(waits)
        for waits in waiting:
            if waits.entity in EXTRAS and waits.id not in resting:
                self._of_extra(waits)
        return self._pairs

    # --- an item that is there ------------------------------------------------------------------

    def _of_item(
        self,
        calendar: Calendar,
        remote: RemoteItem,
        binding: BindingRow | None,
        moved_from: BindingRow | None,
        told: Mapping[Key, Waiting],
    ) -> None:
        if binding is not None and (binding.entity in EXTRAS or binding.state is BindingState.FROZEN):
            return  # ours and only ours, or waiting for a person: what a client makes of it stays there
        intent = self._known.coming.get((calendar.row.id, remote.item.uid))
        if binding is None and intent is not None:
            self._pairs.came[intent] = remote.ref
            return  # ours, made just now: the next cycle knows what it was to be, and reads it again
        remote = undressed(remote, binding)
        seen = redacted(remote.item)
        entity = ENTITIES[seen.kind]
        bound = binding is not None and binding.state is BindingState.BOUND
        known = self._known
        id_ = binding.entity_id if bound and binding is not None else known.by_uid.get((entity, seen.uid))
        if id_ is None and (named := self._named(seen)) is not None and self._homeless(named):
            id_ = named[1]
        record = None if id_ is None else known.records.get((entity, id_))
        crm = content_of(record)
        if crm is not None and (binding is None or not bound or binding.supplies):
            crm = replace(crm, uid=seen.uid)  # where a client gave it another one
        plan = Plan(
            calendar=calendar,
            entity=entity,
            uid=seen.uid,
            binding=binding,
            record=record,
            remote=remote,
            crm=crm,
            seen=seen,
            decision=Decision(Action.NOTHING, 1, ""),
            waiting=None if record is None else told.get((entity, record.id)),
            moved_from=moved_from,
        )
        if bound:
            self._decide(plan)
        elif (
            seen.companion
            or (binding is not None and binding.state is BindingState.IGNORED)
            or (record is not None and (entity, record.id) in known.detached)
        ):
            self._aside(plan, BindingState.IGNORED)
        elif plan.crm is None and (later := outside(seen, self._context)) is not None:
            self._aside(plan, BindingState.OUTSIDE, later[0])
        elif self._doubled(entity, seen.uid, record):
            # Said once; whether it is a person's copy or a late creation of ours, nobody can prove.
            log.warning("a second item of one UID is left alone", action="pair", uid=seen.uid)
            self._aside(plan, BindingState.IGNORED)
        else:
            self._decide(plan)

    def _named(self, item: Item) -> Key | None:
        """The record that wrote the item, where no record has its UID (table T4, row 13)."""
        entity, instance = ENTITIES[item.kind], self._context.rules.instance
        id_ = record_named(item, instance)
        record = None if id_ is None else self._known.records.get((entity, id_))
        if id_ is None or record is None or (entity, item.uid) in self._known.by_uid:
            return None
        return (entity, id_) if mark_of_record(record, instance) == item.crm_id else None

    def _homeless(self, key: Key) -> bool:
        """Whether it is a record of this user that lies in no calendar: its item was taken out, and comes
        back. Beside an item that is still there another one is a copy that a person made."""
        record = self._known.records.get(key)
        if record is None or self._known.copies_of(key) or key in self._back:
            return False
        self._back.add(key)
        values = (record.main if isinstance(record, EventRecord) else record).values
        owner = values["owner_id" if isinstance(record, EventRecord) else "assignee_id"]
        return bool(owner == self._context.setting.owner_id) and values["deleted_at"] is None

    def _aside(self, plan: Plan, state: BindingState, later: date | None = None) -> None:
        if plan.remote is not None and plan.seen is not None:
            one = Aside(plan.calendar, plan.remote, plan.seen, plan.binding, plan.entity, state, later)
            self._pairs.aside.append(one)

    def _doubled(self, entity: BoundEntity, uid: str, record: Record | None) -> bool:
        """Whether another item of this mailbox is the same record already, or is about to be: a copy made by
        hand, two resources of one UID."""
        met = (entity, uid) in self._met
        self._met.add((entity, uid))
        return met or (record is not None and self._has_copy_here(entity, record.id))

    def _has_copy_here(self, entity: BoundEntity, id_: int) -> bool:
        return any(
            one.state is BindingState.BOUND
            and (one.collection_id in self._calendars or one.collection_id in self._known.away)
            for one in self._known.copies_of((entity, id_))
        )

    # --- an item that is gone -------------------------------------------------------------------

    def _of_absence(self, binding: BindingRow, told: Mapping[Key, Waiting]) -> None:
        id_, records = binding.entity_id, self._known.records
        record = None if id_ is None else records.get((binding.entity, id_))
        if binding.state is BindingState.FROZEN:
            if not binding.absent:
                self._pairs.unproven.append(binding.id)  # asked for again once it is released
            return
        if binding.state is not BindingState.BOUND or binding.entity in EXTRAS or record is None:
            self._pairs.vanished.append(binding.id)
            return
        if (binding.entity, binding.entity_id) in self._known.under_way:
            if not binding.absent:
                self._pairs.unproven.append(binding.id)
            return  # it is being written anew; once that is known, it is asked for again
        twin = self._known.twins.get(binding.uid)
        if twin is not None:
            # Another item of this mailbox is the same event: that one is looked at in the next cycle.
            self._pairs.vanished.append(binding.id)
            self._pairs.called.append(twin)
            return
        plan = self.decider.decided(
            Plan(
                calendar=self._calendars[binding.collection_id],
                entity=binding.entity,
                uid=binding.uid,
                binding=binding,
                record=record,
                remote=None,
                crm=content_of(record),
                seen=None,
                decision=Decision(Action.NOTHING, 1, ""),
                waiting=told.get((binding.entity, record.id)),
            )
        )
        if self._blind and plan.decision.action is Action.RECREATE_REMOTE:
            self._pairs.unproven.append(binding.id)  # it may have moved to where nobody can look now
        else:
            self._pairs.plans.append(plan)

    # --- a record that changed ------------------------------------------------------------------

    def _of_change(self, waiting: Waiting) -> None:
        record = self._known.records.get((waiting.entity, waiting.entity_id))
        mine = [
            one
            for one in self._known.copies_of((waiting.entity, waiting.entity_id))
            if one.collection_id in self._calendars
        ]
        here = [one for one in mine if one.state is BindingState.BOUND]
        later = {*self._pairs.vanished, *self._pairs.unproven}
        if self._out_of_reach(waiting) or any(one.id in later for one in here):
            return  # another time
        detached = (waiting.entity, waiting.entity_id) in self._known.detached
        if record is None or detached or (not here and record_hidden(record)):
            self._pairs.idle.append(waiting)
            return
        if not here and mine:
            # Frozen: until it is released. Left alone, by an undo: taken up again, once it has been read.
            self._pairs.called += [one.id for one in mine if one.state is BindingState.IGNORED]
            return
        if not here and isinstance(record, EventRecord) and self._owned(record):
            elsewhere = self._elsewhere(record)
            if elsewhere & self._known.own:
                self._pairs.idle.append(waiting)  # in another mailbox of the same user
            if elsewhere or (waiting.entity, waiting.entity_id) in self._known.elsewhere:
                return  # it still lies, or may yet, in the calendar of its former owner: not two at once
        if here:
            (binding,) = here[:1]
            calendar, seen = self._calendars[binding.collection_id], load(binding.base_remote)
        else:
            home = self._home(waiting.entity, record)
            if home is None:
                if not self._known.away:
                    self._pairs.idle.append(waiting)
                return
            calendar, seen = home, None
        crm = content_of(record)
        self._decide(
            Plan(
                calendar=calendar,
                entity=waiting.entity,
                uid=str((record.main if isinstance(record, EventRecord) else record).values["uid"]),
                binding=here[0] if here else None,
                record=record,
                remote=None,
                crm=crm,
                seen=seen,
                decision=Decision(Action.NOTHING, 1, ""),
                waiting=waiting,
                ours=not here,
            )
        )

    def _out_of_reach(self, waiting: Waiting) -> bool:
        """Whether it lies, or may lie, in a calendar of this mailbox that cannot be looked at now."""
        key = (waiting.entity, waiting.entity_id)
        return key in self._known.under_way or any(
            one.collection_id in self._known.away and one.state is BindingState.BOUND
            for one in self._known.copies_of(key)
        )

    def _home(self, entity: BoundEntity, record: Record) -> Calendar | None:
        """The calendar into which a record is put that this mailbox does not hold yet."""
        home = self._writable(Kind.EVENT if entity is BoundEntity.EVENT else Kind.TASK)
        if home is None:
            return None
        if isinstance(record, EventRecord) and not self._owned(record):
            # An invited colleague: the server delivers the invitation, or it is delivered here.
            values = record.main.values
            foreign = values["origin"] is Origin.PROVIDER and not values["editable"]
            if foreign or home.info.auto_schedule or values["privacy"].name != "PUBLIC":
                return None
            item = item_of(record)
            if stays_away(item, self._context.own) or self.decider.is_over(item):
                return None
        return home

    def _writable(self, kind: Kind) -> Calendar | None:
        """The calendar into which something new is put: the first that takes it."""
        return next(
            (
                one
                for one in self._calendars.values()
                if kind in one.info.kinds and one.info.writable and one.direction is not Direction.TO_CRM
            ),
            None,
        )

    def _elsewhere(self, record: EventRecord) -> set[int]:
        """The calendars of other mailboxes that hold the copy that owns the content."""
        copies = self._known.copies_of((BoundEntity.EVENT, record.id))
        held = {one.collection_id for one in copies if one.supplies and one.state is BindingState.BOUND}
        return held - self._calendars.keys()

    def _owned(self, record: EventRecord) -> bool:
        return bool(record.main.values["owner_id"] == self._context.setting.owner_id)

    def _of_extra(self, waiting: Waiting) -> None:
        """What the CRM writes beside a record, for its owner only: made, changed or taken away."""
        if (waiting.entity, waiting.entity_id) in self._known.under_way:
            return
        key = (RECORDS[waiting.entity], waiting.entity_id)
        record = self._known.records.get(key)
        if key in self._known.detached:
            self._pairs.idle.append(waiting)
            return
        copies = self._known.copies_of((waiting.entity, waiting.entity_id))
        binding = next((one for one in copies if one.collection_id in self._calendars), None)
        wanted = None
        if record is not None and not record_hidden(record):
            wanted = beside(record, self._known.names, self._context)
        calendar = self._calendars[binding.collection_id] if binding else self._writable(Kind.EVENT)
        plan = None if calendar is None else extra(waiting, record, binding, calendar, wanted)
        if plan is None:
            self._pairs.idle.append(waiting)
        else:
            self._pairs.plans.append(plan)

    def _decide(self, plan: Plan) -> None:
        plan = self.decider.decided(plan)
        if plan.decision.action is Action.NOTHING and plan.binding is None:
            if plan.waiting is not None:
                self._pairs.idle.append(plan.waiting)
            return
        self._pairs.plans.append(plan)
