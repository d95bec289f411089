"""At the start of a cycle: what became of writes whose answer nobody heard, because the process was killed or
the connection broke. They are looked up, never repeated.

A server where nothing makes a second creation impossible may still be working on the first. Until it can have
no more to do with it, such a creation stays open when it is not found, and nothing is written for its record.
"""

from collections.abc import Mapping, Sequence

import structlog

from connectors.calendar import CalendarInfo, RemoteItem
from connectors.errors import CollectionError, ItemError, SyncdError
from store import announcements, calendar_rows, outbox, reconciling
from store.bindings import BoundEntity, Intent, IntentKind
from store.database import Transaction
from store.reconciling import CalendarRow
from syncd.core.canonical import load, redacted
from syncd.core.guards import Mailing
from syncd.core.plan import Action, Decision, Direction
from syncd.engine.calendar.confirm import confirm
from syncd.engine.calendar.context import Calendar, Context, Plan
from syncd.engine.calendar.deciding import ROLES
from syncd.engine.calendar.gathering import RECORDS, content_of
from syncd.engine.calendar.intents import WORKED_ON, conflicts_of, units_of
from syncd.engine.calendar.journal import Outcome, conflict_row, overwrote
from syncd.engine.calendar.push import count
from syncd.engine.calendar.report import CalendarReport

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def recover(
    context: Context,
    calendars: Sequence[Calendar],
    listing: Mapping[str, CalendarInfo],
    report: CalendarReport,
) -> None:
    """Settles every open intent of the mailbox whose calendar can be reached, though it be left out of the
    synchronisation since. `listing` is what the server has, by ref."""
    with context.database.read() as session:
        intents = announcements.open_intents(session, context.mailbox_id)
        rows = reconciling.calendars(session, context.mailbox_id, selected=False) if intents else []
    left_out = {row.id for row in rows}
    within = {one.row.id: one for one in calendars}
    within |= {row.id: _unselected(context, row, listing[row.ref]) for row in rows if row.ref in listing}
    for intent in intents:
        calendar = within.get(intent.collection_id)
        error: SyncdError | None = None
        found: RemoteItem | None = None
        if calendar is not None:
            try:
                found = context.connector.find(calendar.row.ref, intent.uid)
            except (CollectionError, ItemError) as failure:
                error = failure
                log.warning(
                    "a write cannot be looked up now", action="recover", uid=intent.uid, error=str(error)
                )
        if calendar is None or error is not None:
            if intent.collection_id in left_out and not _lately(context, intent):
                _give_up(context, intent)
            continue  # another time
        if found is None and not intent.came_as and _may_come(context, intent, calendar):
            log.info("a new item is not there yet: looked for again", action="recover", uid=intent.uid)
            continue
        _settle(context, intent, calendar, found, report)


def _unselected(context: Context, row: CalendarRow, info: CalendarInfo) -> Calendar:
    return Calendar(row, info, Direction(row.direction or context.mailbox.direction))


def _give_up(context: Context, intent: Intent) -> None:
    """Nothing of that calendar is kept in step, and nobody can look into it: its record must not wait for
    ever. What was made there is found by its UID, should the calendar be selected again."""
    log.warning(
        "a write to a calendar that is left out cannot be looked up: given up",
        action="recover",
        uid=intent.uid,
    )
    with context.database.write() as session:
        announcements.close_intents(session, [intent.id])


def _settle(
    context: Context, intent: Intent, calendar: Calendar, found: RemoteItem | None, report: CalendarReport
) -> None:
    happened = _happened(intent, found)
    made = found if happened else _as_made(intent, found)
    log.info(
        "a write without an answer was looked up",
        action="recover",
        uid=intent.uid,
        happened=happened or made is not None,
    )
    with context.database.write() as session:
        plan = _plan(session, intent, calendar, made or found)
        if happened or made is not None:
            outcome = Outcome(plan, ROLES[intent.role], intent.supplies, made, wrote=True)
            confirm(session, context, [outcome])
            count(report, outcome)
            if not happened and intent.notify and content_of(plan.record) == (plan.decision.crm or plan.crm):
                _calm(session, intent)
        elif found is not None and found.version != intent.precondition:
            # It may have been made, and changed by somebody since, or by the server itself: what it
            # overwrote is kept, and its guests have been told once.
            lost = [one for one in plan.decision.conflicts if overwrote(one, redacted(found.item))]
            rows = [conflict_row(context, plan, intent.entity_id, one) for one in lost]
            reconciling.record(session, [], rows)
            if intent.notify:
                _calm(session, intent)
        announcements.close_intents(session, [intent.id])


def _as_made(intent: Intent, found: RemoteItem | None) -> RemoteItem | None:
    """The item of a creation that was listed before it was looked up, as it was made: what it is now, or that
    it is gone, is a change of somebody's since, and is told by reading it once more. No listing would tell
    of it again. None for any other write."""
    if not intent.came_as:
        return None
    return RemoteItem(found.ref if found else intent.came_as, "", load(intent.payload))


def _may_come(context: Context, intent: Intent, calendar: Calendar) -> bool:
    """Whether the server may still make the item."""
    if intent.kind is not IntentKind.CREATE or calendar.info.creates_once:
        return False
    return _lately(context, intent)


def _lately(context: Context, intent: Intent) -> bool:
    """Whether it was sent so short a while ago that a server may still work on it. Where the clock was put
    back since, nobody knows when that was: it counts from now, so that nobody waits longer than that once."""
    now = context.clock()
    if intent.at > now:
        with context.database.write() as session:
            announcements.announce_again(session, [intent.id], now)
        return True
    return now - intent.at < WORKED_ON


def _happened(intent: Intent, found: RemoteItem | None) -> bool:
    if intent.kind is IntentKind.DELETE:
        return found is None
    return found is not None and redacted(found.item) == redacted(load(intent.payload))


def _plan(session: Transaction, intent: Intent, calendar: Calendar, found: RemoteItem | None) -> Plan:
    """The plan that the intent stood for, with the record as it is now."""
    record = None
    if intent.entity_id is not None:
        by_id = (
            calendar_rows.events(session, [intent.entity_id])
            if RECORDS.get(intent.entity, intent.entity) is BoundEntity.EVENT
            else calendar_rows.tasks(session, [intent.entity_id])
        )
        record = by_id.get(intent.entity_id)
    binding = None
    if intent.binding_id is not None:
        binding = reconciling.bindings(session, [intent.binding_id]).get(intent.binding_id)
    elif found is not None:
        known = reconciling.known(session, intent.collection_id, [found.ref])
        ids = [one.id for one in known.values()]
        binding = next(iter(reconciling.bindings(session, ids).values()), None)
    people = tuple(one for one in intent.mailed.split(", ") if one)
    return Plan(
        calendar=calendar,
        entity=intent.entity,
        uid=intent.uid,
        binding=binding,
        record=record,
        remote=found,
        crm=load(intent.crm_before) if intent.crm_before else None,
        seen=load(intent.before) if intent.before else None,
        decision=Decision(
            Action(intent.action),
            intent.row,
            intent.reason,
            crm=load(intent.crm) if intent.crm else None,
            remote=load(intent.payload) if intent.payload else None,
            conflicts=conflicts_of(intent.conflicts),
            held=units_of(intent.held),
        ),
        follows=not intent.supplies,
        ours=intent.ours,
        mailing=Mailing(people, "", notify=intent.notify),
    )


def _calm(session: Transaction, intent: Intent) -> None:
    waiting = [
        one
        for one in outbox.waiting(session, intent.mailbox_id)
        if (one.entity, one.entity_id) == (intent.entity, intent.entity_id)
    ]
    outbox.calm(session, waiting)
