"""What is remembered of a plan that was carried out: the record, the binding with both its bases, the
decision and what lost, in one transaction with whatever announced it.

A kill before the transaction leaves everything as it was, or an intent that tells where to look.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import structlog

from connectors.calendar import Item, RemoteItem
from store import calendar_rows, outbox, reconciling
from store.bindings import BindingState, BoundEntity, ConflictState, CopyRole, Side
from store.calendar import Event, Task
from store.calendar_rows import EventRecord, TaskRecord
from store.database import Transaction
from store.reconciling import BindingRow
from syncd.core.canonical import Unit, digest, dump, is_private, load, redacted
from syncd.core.conflicts import Rules, UnitConflict, Winner
from syncd.core.guards import oscillates
from syncd.core.merge import merge, with_old
from syncd.core.plan import Action, Role, bases
from syncd.engine.calendar.context import Context, Plan
from syncd.engine.calendar.dress import mark_of
from syncd.engine.calendar.items import (
    draft_of,
    item_of,
    item_of_task,
    settled,
    settled_task,
    task_values,
)
from syncd.engine.calendar.pairing import Aside, Record

HIDDEN = ""  # as a base of the CRM: it is not to be seen there
SILENT = frozenset({Action.NOTHING, Action.ADOPT, Action.ECHO})  # nothing that a person would ask about
LEAVES = frozenset({Action.DROP, Action.DELETE_REMOTE, Action.CANCEL_CRM})  # what ends a binding
WINNERS = {Winner.CRM: Side.CRM, Winner.REMOTE: Side.REMOTE, Winner.MANUAL: Side.NONE}
CRM_FIRST = Rules(Winner.CRM)
HISTORY = 6  # digests kept to tell two writers that undo each other: three rounds
OSCILLATION_DAYS = 2  # within which three rounds are no accident

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True)
class Outcome:
    """A plan that was carried out at the server, or that leaves the server alone."""

    plan: Plan
    role: Role
    supplies: bool
    remote: RemoteItem | None  # as the server has it now; None: it is gone, or was not looked at
    wrote: bool = False  # the server was written to


def confirm(session: Transaction, context: Context, outcomes: Sequence[Outcome]) -> None:
    """Remembers all of them. Raises Stale where a record changed at this very moment: then try again."""
    _Confirm(session, context).run(outcomes)


class _Confirm:
    def __init__(self, session: Transaction, context: Context) -> None:
        self._session = session
        self._context = context
        self._current: dict[tuple[BoundEntity, int], Record] = {}
        self._settled: dict[int, Item] = {}  # what records will hold, by the id() of the plan

    def run(self, outcomes: Sequence[Outcome]) -> None:
        self._refresh(outcomes)
        made = self._create([one.plan for one in outcomes])
        fresh: list[Mapping[str, Any]] = []
        decisions, conflicts, changed = [], [], []
        private: list[tuple[BoundEntity, int]] = []
        for one in outcomes:
            plan = one.plan
            id_ = made.get(id(plan)) or (plan.record.id if plan.record else None)
            before, crm = self._record(plan)
            row = self._binding(one, id_, crm)
            if row is not None:
                fresh.append(row)
            if plan.decision.action not in SILENT or plan.decision.conflicts:
                decisions.append(self._decision(one, id_, before))
            conflicts += self._conflicts(plan, id_)
            if crm != before and id_ is not None:
                changed.append((plan.entity, id_))
                if is_private(crm) and not is_private(before):
                    private.append((plan.entity, id_))
        reconciling.insert_bindings(self._session, fresh)
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

    # --- the record -----------------------------------------------------------------------------

    def _refresh(self, outcomes: Sequence[Outcome]) -> None:
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

    def _create(self, plans: Sequence[Plan]) -> dict[int, int]:
        fresh = [one for one in plans if one.decision.crm is not None and one.record is None]
        now, setting = self._context.now, self._context.setting
        events = [one for one in fresh if one.entity is BoundEntity.EVENT]
        tasks = [one for one in fresh if one.entity is BoundEntity.TASK]
        self._settled |= {id(one): settled(_wanted(one)) for one in events}
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
            return plan.crm, plan.crm
        settle = settled_task if plan.entity is BoundEntity.TASK else settled
        after = self._settled.get(id(plan)) or settle(wanted)
        if record is not None:
            self._replace(plan, record, after)
        return plan.crm, after

    def _replace(self, plan: Plan, record: Record, after: Item) -> None:
        current = self._current.get((plan.entity, record.id), record)
        mine = item_of(current) if isinstance(current, EventRecord) else item_of_task(current)
        if plan.crm is not None and mine != plan.crm:
            # A person changed it meanwhile: that change stays, and waits in the outbox for the next cycle.
            merged = merge(base_crm=plan.crm, base_remote=plan.crm, crm=mine, remote=after, rules=CRM_FIRST)
            after = merged.crm
        setting, now = self._context.setting, self._context.now
        if isinstance(current, TaskRecord):
            values = task_values(settled_task(after), setting, current)
            calendar_rows.replace_task(self._session, current, values, now, by=None)
        else:
            draft = draft_of(settled(after), setting, current)
            calendar_rows.replace_event(self._session, current, draft, now, by=None)

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
                reconciling.update_binding(self._session, old.id, {**values, "base_crm": HIDDEN})
            return None
        seen = redacted(one.remote.item) if one.remote else plan.seen
        if seen is None:
            return None
        bound = old is not None and old.state is BindingState.BOUND
        base_crm, base_remote = self._bases(plan, crm or seen, seen)
        values = self._values(one, id_)
        remote = dump(base_remote)
        local = remote if base_crm is base_remote else dump(base_crm)
        values |= {"base_remote": remote, "base_crm": None if local == remote else local}
        if one.supplies and not bound and plan.record is not None:
            self._take_over(plan, plan.record.id)
        if old is None:
            return {**values, "ours": plan.ours}
        values["history"] = history = _history(old, _marks(one, seen), self._context.now)
        if oscillates(_digests(history)):
            values["state"] = BindingState.FROZEN
            log.warning("two writers undo each other: frozen", action="freeze", uid=plan.uid)
        reconciling.update_binding(self._session, old.id, values)
        return None

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
            # What comes and goes between two listings is in neither: what we made is to be seen once.
            "absent": one.wrote and plan.seen is None and one.remote is not None,
            "enters_on": None,
            "changed_at": self._context.now,
        }
        if one.remote is not None:
            values |= {"remote_ref": one.remote.ref, "version": one.remote.version}
        if one.wrote:
            mark = mark_of(plan.dress) if plan.mark is None else plan.mark
            values |= {"dress": mark, "last_block": plan.dress.block}
        return values

    def _take_over(self, plan: Plan, id_: int) -> None:
        """From now on this copy owns the content: the organizer's has come to light."""
        for other in reconciling.of_records(self._session, plan.entity, [id_]):
            if other.supplies and (plan.binding is None or other.id != plan.binding.id):
                reconciling.update_binding(self._session, other.id, {"supplies": False})

    # --- what was done --------------------------------------------------------------------------

    def _decision(self, one: Outcome, id_: int | None, before: Item | None) -> Mapping[str, Any]:
        plan, decision = one.plan, one.plan.decision
        ends_here = decision.action is Action.CANCEL_CRM
        touches_crm = decision.crm is not None or ends_here
        side = {(True, True): Side.BOTH, (True, False): Side.CRM, (False, True): Side.REMOTE}
        return {
            "run_ref": self._context.run,
            "mailbox_id": self._context.mailbox_id,
            "collection_id": plan.calendar.row.id,
            "at": self._context.now,
            "uid": plan.uid,
            "entity": plan.entity,
            "entity_id": id_,
            "action": decision.action.value,
            "row": decision.row,
            "side": side.get((touches_crm, one.wrote), Side.NONE),
            "reason": decision.reason,
            "crm_before": (dump(before) if before else "") if touches_crm else None,
            "remote_before": (dump(plan.seen) if plan.seen else "") if one.wrote else None,
            "version": one.remote.version if one.remote else "",
            "mailed": ", ".join(plan.mailing.recipients) if plan.mailing and plan.mailing.notify else "",
            "undone": False,
        }

    def _conflicts(self, plan: Plan, id_: int | None) -> list[Mapping[str, Any]]:
        told = set()
        if plan.decision.held and plan.binding is not None:
            told = reconciling.open_conflicts(self._session, plan.binding.id)
        return [
            self._conflict(plan, id_, one)
            for one in plan.decision.conflicts
            if (one.key, one.unit.value if one.unit else "") not in told
        ]

    def _conflict(self, plan: Plan, id_: int | None, one: UnitConflict) -> Mapping[str, Any]:
        return {
            "binding_id": plan.binding.id if plan.binding else None,
            "mailbox_id": self._context.mailbox_id,
            "entity": plan.entity,
            "entity_id": id_,
            "component": one.key,
            "unit": one.unit.value if one.unit else "",
            "base": json.dumps(one.base, ensure_ascii=False),
            "crm_value": json.dumps(one.crm, ensure_ascii=False),
            "remote_value": json.dumps(one.remote, ensure_ascii=False),
            "winner": WINNERS[one.winner],
            "at": self._context.now,
            "run_ref": self._context.run,
            "state": ConflictState.OPEN if one.winner is Winner.MANUAL else ConflictState.DECIDED,
        }


def set_aside(session: Transaction, context: Context, ones: Sequence[Aside]) -> None:
    """Remembers items that are not kept in step, so that they are not read again until they change."""
    fresh = []
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
            "absent": False,
            "enters_on": one.enters_on,
            "changed_at": context.now,
        }
        if one.binding is None:
            fresh.append({**values, "ours": False})
        else:
            reconciling.update_binding(session, one.binding.id, values)
    reconciling.insert_bindings(session, fresh)


def _wanted(plan: Plan) -> Item:
    if plan.decision.crm is None:
        raise ValueError("a plan that makes a record says what it is to be")
    return plan.decision.crm


def _marks(one: Outcome, seen: Item) -> list[str]:
    """What came in this cycle ("r") and what was written ("w"), in this order."""
    came = one.plan.seen if one.wrote and one.plan.remote is not None else None
    found = [f"r{digest(came)[:16]}"] if came is not None else []
    return [*found, f"{'w' if one.wrote else 'r'}{digest(seen)[:16]}"]


def _history(old: BindingRow, marks: Sequence[str], now: datetime) -> str:
    """Digests of late, oldest first, each with its day."""
    days = {f"{now - timedelta(days=back):%Y%m%d}" for back in range(OSCILLATION_DAYS)}
    recent = [one for one in old.history.split() if one.partition("@")[2] in days]
    return " ".join([*recent, *(f"{mark}@{now:%Y%m%d}" for mark in marks)][-HISTORY:])


def _digests(history: str) -> list[str]:
    """The digests of what was written and what came back in turn; empty where it was not in turn."""
    marks = history.split()
    turns = [left[:1] != right[:1] for left, right in pairwise(marks)]
    return [one[1:17] for one in marks] if all(turns) else []


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
