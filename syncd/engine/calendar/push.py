"""Writing to the server: the intent first, then the write with its precondition, then the confirmation.

A write that is refused because somebody else wrote first is planned again with what is there now; one
without an answer is neither repeated nor believed, but looked up.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from connectors.calendar import Item, Missing, RemoteItem
from connectors.errors import (
    CollectionError,
    Conflict,
    ItemError,
    OutcomeUnknown,
    SyncdError,
    Unreachable,
    WouldMail,
)
from store import announcements, outbox, reconciling
from store.bindings import BindingState, CopyRole, IntentKind
from store.database import Transaction
from store.reconciling import BindingRow
from syncd.core.canonical import dump, redacted
from syncd.core.guards import Policy
from syncd.core.plan import Action, Direction
from syncd.engine.calendar.confirm import carry
from syncd.engine.calendar.context import Context, Plan
from syncd.engine.calendar.deciding import UNDRESSED, Decider
from syncd.engine.calendar.dress import mark_of, undressed
from syncd.engine.calendar.intents import conflicts_text, units_text
from syncd.engine.calendar.journal import Outcome
from syncd.engine.calendar.report import CalendarReport

ANOTHERS = "its UID is taken at the server by an item that belongs to another record of the CRM"
NOT_GIVEN = "the server does not give it, and has not told that it is gone: it is looked at again"
TELL = "`syncd event tell {}` makes it and lets the guests be told; so does the next change made in the CRM."
NEVER = (
    "The mailbox says `invitations` = never: change it in a calendar client, or let the mailbox invite, "
    "then `syncd sync --quarantined`."
)
GROUP = 20  # writes announced together, and confirmed together
FRESH = timedelta(minutes=1)  # how much older than its request an intent may say that it is
IN_A_ROW = 3  # writes without an answer, before the server counts as one that gives none
SILENT = "The server of {} gives no answer to what is written to it. It is tried again later."
TRIES = 3  # against others who write the same item at the same time (T4, row 17)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Moved(Exception):
    """The item is another one at the server than it was planned with."""

    def __init__(self, remote: RemoteItem | None) -> None:
        super().__init__()
        self.remote = remote


def writes(plan: Plan) -> bool:
    """Whether the plan wants anything of the server."""
    return plan.decision.remote is not None or plan.decision.action is Action.DELETE_REMOTE


class Pusher:
    """Carries out plans at the server, group by group."""

    def __init__(
        self, context: Context, decider: Decider, report: CalendarReport, go_on: Callable[[], None]
    ) -> None:
        self._context = context
        self._decider = decider
        self._report = report
        self._go_on = go_on
        self._unanswered = 0  # writes, one after the other
        self.overtaken: set[int] = set()  # collections of what is to be planned again
        self.refused: set[tuple[int, str]] = set()  # collections and refs of what the server did not take
        self.failed: dict[int, CollectionError] = {}  # calendars that cannot be written to now, by their ids

    def run(self, plans: Sequence[Plan]) -> None:
        """All of them; a calendar that fails is left for the next cycle, and the others go on. Raises
        MailboxError, with what was done so far confirmed."""
        for start in range(0, len(plans), GROUP):
            self._go_on()
            self._group(plans[start : start + GROUP], TRIES)

    def _group(self, plans: Sequence[Plan], tries: int) -> None:
        intents = self._announce(plans)
        announced = self._context.clock()
        done: list[Outcome] = []
        closed: list[int] = []
        again: list[tuple[Plan, RemoteItem | None]] = []
        unknown = 0
        try:
            for plan, intent in zip(plans, intents, strict=True):
                if plan.calendar.row.id in self.failed:
                    closed.append(intent)
                    continue
                announced = self._said_again(intents[len(closed) + unknown :], announced)
                before, self._unanswered = self._unanswered, 0
                try:
                    done.append(self._outcome(plan, self._write(plan)))
                    closed.append(intent)
                except _Moved as moved:
                    again.append((plan, moved.remote))
                    closed.append(intent)
                except ItemError as error:
                    self._refused(plan, error)
                    closed.append(intent)
                except CollectionError as error:
                    self.failed[plan.calendar.row.id] = error
                    closed.append(intent)
                except OutcomeUnknown as error:
                    unknown += 1
                    log.warning("a write got no answer: it is looked up", action="push", uid=plan.uid)
                    self._unanswered = before + 1
                    if error.then is not None:
                        raise error.then from error
                    if self._unanswered >= IN_A_ROW:
                        raise Unreachable(SILENT.format(self._context.mailbox_name)) from error
        except SyncdError:
            # Nothing was sent of those after it, nor of the one under way, unless that is counted as unknown.
            self._confirm(done, [*closed, *intents[len(closed) + unknown :]])
            raise
        self._confirm(done, closed)
        for plan, remote in again:
            self._again(plan, remote, tries - 1)

    def _announce(self, plans: Sequence[Plan]) -> list[int]:
        rows = [self._intent(plan) for plan in plans]
        with self._context.database.write() as session:
            return announcements.announce(session, rows)

    def _said_again(self, intents: Sequence[int], announced: datetime) -> datetime:
        """Keeps the times of what is still to be written true, in a group that takes long: how long a server
        may still work on a request counts from when it was sent."""
        now = self._context.clock()
        if now - announced < FRESH:
            return announced
        with self._context.database.write() as session:
            announcements.announce_again(session, intents, now)
        return now

    def _intent(self, plan: Plan) -> dict[str, Any]:
        decision, binding = plan.decision, plan.binding
        kind = IntentKind.UPDATE if plan.seen is not None else IntentKind.CREATE
        return {
            "mailbox_id": self._context.mailbox_id,
            "collection_id": plan.calendar.row.id,
            "binding_id": binding.id if binding else None,
            "kind": IntentKind.DELETE if decision.action is Action.DELETE_REMOTE else kind,
            "uid": plan.uid,
            "entity": plan.entity,
            "entity_id": plan.record.id if plan.record else None,
            "precondition": plan.remote.version if plan.remote else binding.version if binding else "",
            "payload": dump(decision.remote) if decision.remote else "",
            "crm_before": dump(plan.crm) if plan.crm else "",
            "crm": dump(decision.crm) if decision.crm else "",
            "dress": mark_of(plan.dress),
            "block": plan.dress.block,
            "held": units_text(decision.held),
            "conflicts": conflicts_text(decision.conflicts),
            "ours": plan.ours,
            "supplies": not plan.follows,
            "role": CopyRole[self._decider.role(plan).name],
            "action": decision.action.value,
            "notify": bool(plan.mailing and plan.mailing.notify),
            "row": decision.row,
            "reason": decision.reason,
            "before": dump(plan.seen) if plan.seen else "",
            "mailed": ", ".join(plan.mailing.recipients) if plan.mailing else "",
            "run_ref": self._context.run,
            "at": self._context.clock(),
            "came_as": "",
        }

    # --- one write ------------------------------------------------------------------------------

    def _write(self, plan: Plan) -> RemoteItem | None:
        """Writes one item and returns it as the server has it then; None where it was deleted."""
        connector, wanted = self._context.connector, plan.decision.remote
        notify = bool(plan.mailing and plan.mailing.notify)
        if plan.seen is None and wanted is not None:
            try:
                return connector.create(plan.calendar.row.ref, wanted, plan.dress, notify=notify)
            except Conflict:
                raise _Moved(connector.find(plan.calendar.row.ref, plan.uid)) from None
        current = plan.remote or self._current(plan)
        if current is None:
            if wanted is None:
                return None
            raise _Moved(None)
        try:
            if wanted is None:
                connector.delete(current, notify=notify)
                return None
            return connector.update(current, wanted, plan.dress, notify=notify)
        except Conflict:
            raise _Moved(self._read(plan, current.ref)) from None

    def _current(self, plan: Plan) -> RemoteItem | None:
        """The item as the server has it, in the version that was planned with.

        Raises ItemError where it is not there, and the server has not told that it is gone: what it tells
        in the next cycle proves that, this does not (design.md section 4.6).
        """
        binding = plan.binding
        if binding is None:
            return None
        current = self._read(plan, binding.remote_ref)
        if current is None:
            raise ItemError(NOT_GIVEN, locator=binding.remote_ref)
        if not binding.version or current.version != binding.version:
            raise _Moved(current)
        return undressed(current, binding)

    def _read(self, plan: Plan, ref: str) -> RemoteItem | None:
        for found in self._context.connector.read(plan.calendar.row.ref, [ref]):
            match found:
                case RemoteItem():
                    return found
                case Missing():
                    return None
                case ItemError():
                    raise found
        return None

    def _outcome(self, plan: Plan, remote: RemoteItem | None) -> Outcome:
        if remote is not None and plan.decision.remote is not None and not _insists(plan, remote):
            remote = believed(remote, plan.decision.remote)
        return Outcome(plan, self._decider.role(plan), not plan.follows, remote, wrote=True)

    # --- what comes of it -----------------------------------------------------------------------

    def _confirm(self, done: Sequence[Outcome], closed: Sequence[int]) -> None:
        taken: dict[int, list[str]] = {}  # what was refused before, perhaps
        for one in done:
            ref = one.remote.ref if one.remote else one.plan.uid
            taken.setdefault(one.plan.calendar.row.id, []).extend([ref, one.plan.uid])

        def close(session: Transaction, _late: Sequence[Outcome]) -> None:
            announcements.close_intents(session, closed)
            for calendar, refs in taken.items():
                reconciling.release(session, calendar, refs)

        kept, late = carry(self._context, done, close)
        for one in kept:
            count(self._report, one)
        self.overtaken.update(one.plan.calendar.row.id for one in late)

    def _again(self, plan: Plan, remote: RemoteItem | None, tries: int) -> None:
        """Row 17: plans the item again with what is there now."""
        if tries <= 0:
            log.warning("somebody else changes it all the time; next cycle", action="push", uid=plan.uid)
            return
        if remote is not None and plan.binding is None:
            plan = replace(plan, binding=self._known(plan, remote.ref))
            if plan.binding is not None and self._is_anothers(plan, plan.binding):
                self._refused(replace(plan, binding=None), ItemError(ANOTHERS, locator=remote.ref))
                return
        remote = undressed(remote, plan.binding) if remote is not None else None
        seen = None if remote is None else redacted(remote.item)
        fresh = self._decider.decided(replace(plan, remote=remote, seen=seen))
        if writes(fresh):
            self._group([fresh], tries)
        else:
            self._confirm([Outcome(fresh, self._decider.role(fresh), not fresh.follows, remote)], [])

    def _known(self, plan: Plan, ref: str) -> BindingRow | None:
        """What is known of the item that stands where a new one was to be written."""
        with self._context.database.read() as session:
            known = reconciling.known(session, plan.calendar.row.id, [ref])
            ids = [one.id for one in known.values()]
            return next(iter(reconciling.bindings(session, ids).values()), None)

    @staticmethod
    def _is_anothers(plan: Plan, binding: BindingRow) -> bool:
        """Whether the item is kept in step with another record already."""
        mine = None if plan.record is None else plan.record.id
        bound = binding.state in {BindingState.BOUND, BindingState.FROZEN}
        return bound and (binding.entity, binding.entity_id) != (plan.entity, mine)

    def _refused(self, plan: Plan, error: ItemError) -> None:
        """The server does not take this item. It waits in quarantine, and the others go on; what the item
        says by itself is taken in all the same."""
        ref = plan.binding.remote_ref if plan.binding else plan.uid
        told = self._quiet_reason(plan, error) if isinstance(error, WouldMail) else str(error)
        if told is None:
            log.info("left as its guests know it", action="push", uid=plan.uid)
        else:
            self._report.quarantined += 1
            with self._context.database.write() as session:
                news = reconciling.quarantine(session, plan.calendar.row.id, ref, told, self._context.now)
            self.refused.add((plan.calendar.row.id, ref))
            if news:
                log.warning("an item is not written", action="push", uid=plan.uid, error=told)
        self._taken_in(plan)
        if told is None and plan.waiting is not None:
            with self._context.database.write() as session:
                outbox.settle(session, [plan.waiting])

    def _quiet_reason(self, plan: Plan, error: WouldMail) -> str | None:
        """Why a quiet write waits, and what a person can do; None where nobody is to be asked: it is over."""
        item = plan.crm or plan.seen
        if item is not None and self._decider.is_over(item):
            return None
        if self._context.policy is Policy.NEVER:
            return f"{error} {NEVER}"
        return f"{error} {TELL.format(plan.record.id)}" if plan.record is not None else str(error)

    def _taken_in(self, plan: Plan) -> None:
        """The CRM's half of a plan whose write was refused. What only the CRM changed stays a change. What
        the CRM once added goes by itself, where somebody from outside takes part now."""
        if plan.remote is None or plan.follows or plan.pair is None:
            return
        bare = plan.seen if plan.remote.item.dressed and not mark_of(plan.dress) else None
        decision = replace(plan.decision, remote=None if bare == plan.decision.remote else bare)
        if decision.action is Action.DELETE_REMOTE:
            if decision.remote is None:
                return  # the CRM has no half of it; the deletion waits, and is not asked for once more
            decision = replace(decision, action=Action.PUSH, reason=UNDRESSED, conflicts=())
        if plan.calendar.direction is Direction.TO_REMOTE and decision.remote is None:
            return  # nothing is taken from there: it waits to be put back
        mine = replace(
            plan,
            pair=replace(plan.pair, direction=Direction.TO_CRM),
            decision=decision,
            waiting=None,
        )
        if writes(mine):
            self._group([replace(mine, mailing=self._decider.mailing(mine))], 1)
        else:
            self._confirm([Outcome(mine, self._decider.role(mine), not mine.follows, mine.remote)], [])


def _insists(plan: Plan, remote: RemoteItem) -> bool:
    """Whether the server made of a write what it had before, in a calendar where everything is put back: that
    is its own way of writing the item, and no second writer to be fought."""
    return plan.calendar.direction is Direction.TO_REMOTE and redacted(remote.item) == plan.seen


def believed(remote: RemoteItem, written: Item) -> RemoteItem:
    """What was read back after a write, if it is what was written. If it is not, somebody else may have
    written in between: the version is not believed, so that the next cycle reads it as a change."""
    if redacted(remote.item) == redacted(written):
        return remote
    return RemoteItem(remote.ref, "", written, remote.source)


def count(report: CalendarReport, one: Outcome) -> None:
    """Adds what was done to the report."""
    decision = one.plan.decision
    report.actions[decision.action] += 1
    report.pushed += one.wrote
    report.pulled += decision.crm is not None or decision.action is Action.CANCEL_CRM
    report.conflicts += len(decision.conflicts)
