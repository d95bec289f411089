"""What is remembered of a plan that was carried out: the record, the binding with both its bases, the
decision and what lost, in one transaction with whatever announced it.

A kill before the transaction leaves everything as it was, or an intent that tells where to look.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog

from connectors.calendar import Item
from store import calendar_rows, outbox, reconciling
from store.bindings import BindingState, BoundEntity, CopyRole
from store.calendar import Event, Task
from store.calendar_rows import EventRecord, TaskRecord
from store.database import Transaction
from store.errors import Stale
from store.reconciling import BindingRow
from store.updates import Updates
from syncd.core.canonical import dump, is_private, load, redacted
from syncd.core.conflicts import Rules, UnitConflict, Winner
from syncd.core.guards import oscillates
from syncd.core.merge import merge, with_old
from syncd.core.plan import Action, bases
from syncd.engine.calendar.context import Context, Plan
from syncd.engine.calendar.dress import mark_of
from syncd.engine.calendar.gathering import Record, content_of, whole_of
from syncd.engine.calendar.items import (
    draft_of,
    settled,
    settled_task,
    task_values,
)
from syncd.engine.calendar.journal import LEAVES, Outcome, conflict_rows, decision_row
from syncd.engine.calendar.turns import history_after, in_turn
from syncd.engine.calendar.video import informed, is_news

HIDDEN = ""  # as a base of the CRM: it is not to be seen there
SILENT = frozenset({Action.NOTHING, Action.ADOPT, Action.ECHO})  # nothing that a person would ask about
CRM_FIRST = Rules(Winner.CRM)
TRIES = 3  # against others who write to the same records in the same moment

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def confirm(session: Transaction, context: Context, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Remembers them; returns those that it left out, because they were overtaken since they were planned:
    another mailbox has brought in the same item, or somebody changed the record. They are to be planned
    again. Raises Stale where a record changed at this very moment: then try again."""
    work = _Confirm(session, context)
    work.refresh(outcomes)
    there = _there_now(session, [one.plan for one in outcomes if _is_new(one.plan)])
    late = [
        one
        for one in outcomes
        if (_is_new(one.plan) and (one.plan.entity, one.plan.uid) in there) or work.is_overtaken(one)
    ]
    left_out = {id(one) for one in late}
    work.run([one for one in outcomes if id(one) not in left_out])
    return late


def carry(
    context: Context,
    outcomes: Sequence[Outcome],
    also: Callable[[Transaction, Sequence[Outcome]], None] = lambda _session, _late: None,
) -> tuple[list[Outcome], list[Outcome]]:
    """As `confirm`, in a transaction of its own, again where somebody else wrote in that moment. Returns what
    is remembered, and what was left out. `also` is done in the same transaction, and is told
    which were left out."""
    late = list(outcomes)
    for attempt in range(TRIES):
        try:
            with context.database.write() as session:
                late = confirm(session, context, outcomes)
                also(session, late)
            break
        except Stale:
            if attempt == TRIES - 1:
                raise
    left_out = {id(one) for one in late}
    return [one for one in outcomes if id(one) not in left_out], late


def _there_now(session: Transaction, plans: Sequence[Plan]) -> set[tuple[BoundEntity, str]]:
    """Which of these new records are no news any more."""
    if not plans:
        return set()
    calendar_rows.one_at_a_time(session)
    events = calendar_rows.event_ids(session, [one.uid for one in plans if one.entity is BoundEntity.EVENT])
    tasks = calendar_rows.task_ids(session, [one.uid for one in plans if one.entity is BoundEntity.TASK])
    return {(BoundEntity.EVENT, uid) for uid in events} | {(BoundEntity.TASK, uid) for uid in tasks}


def _is_new(plan: Plan) -> bool:
    """Whether it makes a record."""
    return plan.decision.crm is not None and plan.record is None


class _Confirm:
    def __init__(self, session: Transaction, context: Context) -> None:
        self._session = session
        self._context = context
        self._updates = Updates(session)
        self._current: dict[tuple[BoundEntity, int], Record] = {}
        self._others: dict[tuple[BoundEntity, int | None], list[BindingRow]] = {}
        self._settled: dict[int, Item] = {}  # what records will hold, by the id() of the plan
        self._lost: dict[int, list[UnitConflict]] = {}  # of what changed in the CRM meanwhile, by the same

    def run(self, outcomes: Sequence[Outcome]) -> None:
        self._look_around(outcomes)
        made = self._create([one.plan for one in outcomes])
        fresh: list[Mapping[str, Any]] = []
        decisions, changed = [], []
        conflicts: list[Mapping[str, Any]] = []
        of_fresh: list[tuple[int, Mapping[str, Any]]] = []  # of bindings that have no id yet
        private: list[tuple[BoundEntity, int]] = []
        for one in outcomes:
            plan = one.plan
            id_ = made.get(id(plan)) or (plan.record.id if plan.record else None)
            before, crm = self._record(plan)
            row = self._binding(one, id_, crm)
            lost = (*plan.decision.conflicts, *self._lost.get(id(plan), ()))
            told = conflict_rows(self._session, self._context, plan, id_, lost)
            if row is None:
                conflicts += told
            else:
                of_fresh += [(len(fresh), each) for each in told]
                fresh.append(row)
            if plan.decision.action not in SILENT or plan.decision.conflicts:
                decisions.append(decision_row(self._context, one, id_, before))
            if crm != before and id_ is not None:
                changed.append((plan.entity, id_))
            if id_ is not None and is_private(crm) and _was_told(one, before, crm):
                private.append((plan.entity, id_))
        self._updates.send()
        bound = reconciling.insert_bindings(self._session, fresh)
        conflicts += [{**each, "binding_id": bound[at]} for at, each in of_fresh]
        reconciling.record(self._session, decisions, conflicts)
        for entity in (BoundEntity.EVENT, BoundEntity.TASK):
            ids = [id_ for kind, id_ in changed if kind is entity]
            reconciling.forget_texts(self._session, entity, [id_ for kind, id_ in private if kind is entity])
            if ids:
                outbox.announce(
                    self._session,
                    entity,
                    ids,
                    self._context.now,
                    by_person=False,
                    except_mailbox=self._context.mailbox_id,
                    # A first look fills the CRM; it does not fill a calendar with what the CRM knows.
                    extras=all(one.plan.calendar.row.token for one in outcomes),
                )
        outbox.settle(self._session, [one.plan.waiting for one in outcomes if one.plan.waiting])
        self._free([one for one in outcomes if one.wrote])

    def _free(self, written: Sequence[Outcome]) -> None:
        """What the server took is out of quarantine, where it lay under its name or under its UID."""
        refs: dict[int, list[str]] = {}
        for one in written:
            names = [one.plan.uid, *([one.remote.ref] if one.remote else [])]
            names += [one.plan.binding.remote_ref] if one.plan.binding else []
            refs.setdefault(one.plan.calendar.row.id, []).extend(names)
        for collection, found in refs.items():
            reconciling.release(self._session, collection, found)

    # --- the record -----------------------------------------------------------------------------

    def is_overtaken(self, one: Outcome) -> bool:
        """Whether somebody changed the record since it was planned with, and nothing is at the server yet."""
        plan = one.plan
        touches = plan.decision.crm is not None or plan.decision.action is Action.CANCEL_CRM
        if one.wrote or plan.record is None or not touches:
            return False
        current = self._current.get((plan.entity, plan.record.id))
        if current is None:
            return False
        mine = content_of(current)
        if mine is not None and plan.crm is not None:
            mine = replace(mine, uid=plan.crm.uid)  # where a client gave it another one
        return mine != plan.crm

    def refresh(self, outcomes: Sequence[Outcome]) -> None:
        """Reads anew those records that changed since they were planned with."""
        for entity, model in ((BoundEntity.EVENT, Event), (BoundEntity.TASK, Task)):
            planned = {
                one.plan.record.id: one.plan.record
                for one in outcomes
                if one.plan.record is not None and one.plan.entity is entity
            }
            now = calendar_rows.versions(self._session, model, planned)
            moved = [id_ for id_, record in planned.items() if now.get(id_) != record.version]
            rows: Mapping[int, Record] = (
                calendar_rows.events(self._session, moved)
                if entity is BoundEntity.EVENT
                else calendar_rows.tasks(self._session, moved)
            )
            self._current.update({(entity, id_): record for id_, record in rows.items()})

    def _look_around(self, outcomes: Sequence[Outcome]) -> None:
        """Finds the other copies of what comes to light here."""
        for entity in (BoundEntity.EVENT, BoundEntity.TASK):
            ids = {
                one.plan.record.id
                for one in outcomes
                if one.plan.record is not None and one.plan.entity is entity and _comes_to_light(one)
            }
            for other in reconciling.of_records(self._session, entity, ids):
                self._others.setdefault((entity, other.entity_id), []).append(other)

    def _create(self, plans: Sequence[Plan]) -> dict[int, int]:
        fresh = [one for one in plans if _is_new(one)]
        now, setting = self._context.now, self._context.setting
        events = [one for one in fresh if one.entity is BoundEntity.EVENT]
        tasks = [one for one in fresh if one.entity is BoundEntity.TASK]
        self._settled |= {id(one): informed(settled(_wanted(one)), _told_by(one)) for one in events}
        self._settled |= {id(one): settled_task(_wanted(one)) for one in tasks}
        drafts = [draft_of(self._settled[id(one)], setting, None) for one in events]
        made = calendar_rows.insert_events(self._session, drafts, now, by=None)
        rows = [task_values(self._settled[id(one)], setting, None) for one in tasks]
        made += calendar_rows.insert_tasks(self._session, rows, now, by=None)
        return {id(plan): id_ for plan, id_ in zip([*events, *tasks], made, strict=True)}

    def _record(self, plan: Plan) -> tuple[Item | None, Item | None]:
        """Makes the record what it is to be. Returns what the CRM held, and what it holds as far as both
        sides are concerned: not yet what a person changed in this very moment."""
        wanted, record = plan.decision.crm, plan.record
        if plan.decision.action is Action.CANCEL_CRM and record is not None:
            current = self._current.get((plan.entity, record.id), record)
            calendar_rows.hide(self._session, current, self._context.now, by=None)
            return plan.crm, None
        if wanted is None:
            self._notice(plan)
            return plan.crm, plan.crm
        settle = settled_task if plan.entity is BoundEntity.TASK else settled
        after = self._settled.get(id(plan)) or settle(wanted)
        if record is not None:
            self._replace(plan, record, after)
        return plan.crm, after

    def _notice(self, plan: Plan) -> None:
        """Takes down what a copy that says the same in every unit tells of its video meeting all the same."""
        record, seen = plan.record, _told_by(plan)
        if not isinstance(record, EventRecord) or seen is None or plan.crm is None:
            return
        current, setting = self._current.get((plan.entity, record.id), record), self._context.setting
        if isinstance(current, EventRecord) and is_news(current, seen, setting.providers, setting.types):
            self._replace(plan, record, plan.crm)

    def _replace(self, plan: Plan, record: Record, after: Item) -> None:
        current = self._current.get((plan.entity, record.id), record)
        mine = whole_of(current)
        mine = replace(mine, uid=after.uid)  # where a client gave it another one
        if plan.crm is not None and mine != plan.crm:
            # A person changed it while it was written to the server: that change stays, and waits in the
            # outbox for the next cycle, which will take it for the only one.
            merged = merge(base_crm=plan.crm, base_remote=plan.crm, crm=mine, remote=after, rules=CRM_FIRST)
            after = merged.crm
            self._lost[id(plan)] = list(merged.conflicts)
        setting, now = self._context.setting, self._context.now
        if isinstance(current, TaskRecord):
            values = task_values(settled_task(after), setting, current)
            calendar_rows.replace_task(self._session, current, values, now, by=None, together=self._updates)
        else:
            draft = draft_of(informed(settled(after), _told_by(plan)), setting, current)
            calendar_rows.replace_event(self._session, current, draft, now, by=None, together=self._updates)

    # --- the binding ----------------------------------------------------------------------------

    def _binding(self, one: Outcome, id_: int | None, crm: Item | None) -> Mapping[str, Any] | None:
        """Updates what is known of the item; returns the columns of a binding that is new."""
        plan, old = one.plan, one.plan.binding
        action = plan.decision.action
        if action in LEAVES:
            if old is not None:
                reconciling.drop_bindings(self._session, [old.id])
            return None
        if action is Action.HIDE:
            if old is not None:
                # The server's copy stays, and brings the event back should it change there (row 9).
                values = self._values(one, id_)
                self._update(old.id, {**values, "base_crm": HIDDEN})
            return None
        seen = redacted(one.remote.item) if one.remote else plan.seen
        if seen is None:
            return None
        base_crm, base_remote = self._bases(plan, crm or seen, seen)
        values = self._values(one, id_)
        remote = dump(base_remote)
        local = remote if base_crm is base_remote else dump(base_crm)
        values |= {"base_remote": remote, "base_crm": None if local == remote else local}
        if _comes_to_light(one):
            self._take_over(plan)
        if old is None:
            return {**values, "ours": plan.ours}
        values["history"] = history = history_after(old, one, seen, self._context.now)
        if oscillates(in_turn(history)):
            values["state"] = BindingState.FROZEN
            log.warning("two writers undo each other: frozen", action="freeze", uid=plan.uid)
        self._update(old.id, values)
        return None

    def _update(self, binding: int, values: Mapping[str, Any]) -> None:
        reconciling.update_binding(self._session, binding, values, together=self._updates)

    def _bases(self, plan: Plan, crm: Item, remote: Item) -> tuple[Item, Item]:
        """What both sides held when they agreed last."""
        if plan.pair is not None:
            left, right = bases(plan.pair, plan.decision, crm=crm, remote=remote)
            return left or crm, right or remote
        old, held = plan.binding, plan.decision.held
        bound = old is not None and old.state is BindingState.BOUND
        return (
            with_old(crm, load(old.base_of_crm) if bound and old and old.base_of_crm else None, held),
            with_old(remote, load(old.base_remote) if bound and old else None, held),
        )

    def _values(self, one: Outcome, id_: int | None) -> dict[str, Any]:
        plan = one.plan
        values: dict[str, Any] = {
            "collection_id": plan.calendar.row.id,
            "uid": plan.uid,
            "state": BindingState.BOUND,
            "entity": plan.entity,
            "entity_id": id_,
            "role": CopyRole[one.role.name],
            "supplies": one.supplies,
            "enters_on": None,
            "changed_at": self._context.now,
        }
        if one.remote is not None:
            values |= {"remote_ref": one.remote.ref, "version": one.remote.version}
            if _is_to_be_seen(one):
                values["absent"] = True
        if one.wrote:
            mark = mark_of(plan.dress) if plan.mark is None else plan.mark
            values |= {"dress": mark, "last_block": plan.dress.block}
        return values

    def _take_over(self, plan: Plan) -> None:
        """From now on this copy owns the content: the organizer's has come to light."""
        id_ = plan.record.id if plan.record else None
        for other in self._others.get((plan.entity, id_), ()):
            if other.supplies and (plan.binding is None or other.id != plan.binding.id):
                self._update(other.id, {"supplies": False})


def _comes_to_light(one: Outcome) -> bool:
    """Whether this copy, which owns the content, was none of the record's until now."""
    old = one.plan.binding
    bound = old is not None and old.state is BindingState.BOUND
    return one.supplies and not bound and one.plan.record is not None


def _is_to_be_seen(one: Outcome) -> bool:
    """Whether only a listing that is still to come, or one whose cursor has not moved yet, tells of the item.
    What comes and goes between two listings is in neither. A calendar's first listing has no such gap: where
    it breaks off, the next one is complete."""
    plan = one.plan
    fresh = plan.binding is None or plan.moved_from is not None
    return (one.wrote and plan.seen is None) or (fresh and bool(plan.calendar.row.token))


def _told_by(plan: Plan) -> Item | None:
    """The copy that owns the content, where it was read in this cycle."""
    return plan.seen if plan.remote is not None and not plan.follows else None


def _tells(item: Item | None) -> bool:
    """Whether there is text in it that a private item has not."""
    return item is not None and (not is_private(item) or redacted(item) != item)


def _was_told(one: Outcome, before: Item | None, crm: Item | None) -> bool:
    """Whether what is private in the CRM now was not so on one of the sides, or may not have been so when it
    was taken out of sight."""
    if before is None and one.plan.record is not None:
        return True
    return (crm != before and _tells(before)) or (one.wrote and _tells(one.plan.seen) and not _tells(crm))


def _wanted(plan: Plan) -> Item:
    if plan.decision.crm is None:
        raise ValueError("a plan that makes a record says what it is to be")
    return plan.decision.crm
