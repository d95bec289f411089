"""One cycle of one mailbox's calendars: recover, observe, plan, guard, execute, confirm.

The cursor of a calendar moves in the transaction that stores the last of what was observed, so that a kill
at any moment loses nothing; what was stored before it is recognised by its version and not stored again.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

import structlog

from connectors.calendar import CalendarInfo, Missing, RemoteItem
from connectors.errors import CollectionError
from store import announcements, brakes, mailboxes, outbox, reconciling
from store.bindings import BindingState
from store.database import Transaction
from store.reconciling import Known
from store.sync_state import CollectionKind
from syncd.core.guards import brake, enough, everything_gone
from syncd.core.plan import Action, Direction
from syncd.engine.calendar.aside import set_aside
from syncd.engine.calendar.braking import going, kinds, listed, moved_by, planned, released
from syncd.engine.calendar.choice import kept, named, row_of
from syncd.engine.calendar.closing import Look, close_look
from syncd.engine.calendar.confirm import carry
from syncd.engine.calendar.context import Calendar, Context, Plan
from syncd.engine.calendar.journal import Outcome
from syncd.engine.calendar.observe import Observed, Unread, observe, read, waiting_in_crm
from syncd.engine.calendar.pairing import Pairing, Pairs
from syncd.engine.calendar.push import Pusher, count, writes
from syncd.engine.calendar.recover import recover
from syncd.engine.calendar.refreshing import eased
from syncd.engine.calendar.report import CalendarReport
from syncd.engine.report import CycleReport, is_news

BATCH = 500  # records committed together: a tenth of a second or two
TRIES = 3  # looks in one cycle, against mailboxes that bring in the same at the same time
LISTING_LASTS = timedelta(minutes=10)  # a calendar that is gone says so at once; a new one may wait

log: structlog.stdlib.BoundLogger = structlog.get_logger()
Listing = dict[str, CalendarInfo]


class CalendarCycle:
    """One look at all calendars of a mailbox."""

    def __init__(
        self,
        context: Context,
        report: CycleReport,
        *,
        listing: Listing | None,
        dry_run: bool,
        go_on: Callable[[], None],
    ) -> None:
        self._context = context
        self._report = report
        self._mine: CalendarReport = report.calendar
        self._dry_run = dry_run
        self._go_on = go_on
        self._well: dict[int, Calendar] = {}  # calendars that could be looked at, by their ids
        self.listing = listing  # what the server said of its calendars a short while ago
        self._is_old = listing is not None

    def run(self) -> None:
        """The cycle. Raises MailboxError; a calendar's error ends in the report."""
        for _ in range(TRIES):
            again = self._look()
            self._in_order_again()
            if not again:
                return
            self._go_on()

    def _look(self) -> bool:
        """One look; whether another one is due, since something was overtaken meanwhile, or the list of
        calendars was too old for what is gone. Their cursors have not moved, so that the next cycle does it
        at the latest."""
        calendars = self._calendars()
        if not self._dry_run:
            recover(self._context, calendars, self.listing or {}, self._mine)
        observations = list(self._observe(calendars))
        waiting, resting = waiting_in_crm(self._context)
        if len(resting) == len(waiting) and not any(one.news for one in observations):
            return False
        found, gone, unread = self._read(observations)
        if self._is_old and any(gone.values()):
            # It may have moved into a calendar that nobody knows yet.
            self.listing, self._is_old = None, False
            return True
        observations = [one for one in observations if one.calendar.row.id in found]
        reached = [one.calendar for one in observations]
        pairing = Pairing(self._context, reached, blind=len(reached) < len(calendars))
        pairs = eased(pairing.build(observations, found, gone, waiting, resting=resting), self._context)
        if self._braked(observations, gone, pairs.plans):
            return False
        if self._dry_run:
            self._mine.planned = [
                planned(one) for one in pairs.plans if one.decision.action is not Action.NOTHING
            ]
            return False
        if pairs.anything or any(one.news for one in observations):
            return self._execute(pairing, pairs, observations, found, unread)
        return False

    # --- calendars ------------------------------------------------------------------------------

    def _calendars(self) -> list[Calendar]:
        """The calendars to look at; asks the server for its list and remembers what is chosen."""
        with self._context.database.read() as session:
            rows = reconciling.calendars(session, self._context.mailbox_id)
        infos = self.listing
        if infos is None or not rows or any(row.error for row in rows):
            infos = self.listing = {one.ref: one for one in self._context.connector.calendars()}
            rows = self._choose(infos, rows)
        return [
            Calendar(row, infos[row.ref], Direction(row.direction or self._context.mailbox.direction))
            for row in rows
            if row.ref in infos
        ]

    def _choose(self, infos: Listing, rows: list[reconciling.CalendarRow]) -> list[reconciling.CalendarRow]:
        wanted: dict[str, tuple[str, str, CollectionKind, str]] = {}
        chosen = self._context.mailbox.calendars
        if chosen is None:
            for info in infos.values():
                wanted[info.ref] = row_of(info, None)
        else:
            for text, direction in chosen:
                match = [one for one in infos.values() if named(one, text)]
                for info in match:
                    wanted[info.ref] = row_of(info, direction)
                if not match:
                    self._report.folder_errors[text] = (
                        f"there is no calendar {text!r} at the server: "
                        f"`syncd doctor {self._context.mailbox_name}` lists those that are"
                    )
        known = {row.ref: row for row in rows}
        for ref, row in known.items():
            if ref not in infos and kept(row, chosen):
                # Not an emptiness: it stays chosen, and what it held stays as it is.
                wanted[ref] = (ref, row.name, CollectionKind.CALENDAR, row.direction)
                self._fail(row, f"calendar {row.name or ref!r} is not at the server any more: nothing of it "
                           "is deleted here; bring it back, or take it out of `calendars`")  # fmt: skip
        current = {(row.ref, row.name, row.direction) for row in rows}
        if {(ref, name, direction) for ref, name, _, direction in wanted.values()} == current:
            return rows
        if self._dry_run:
            return [
                known.get(ref) or reconciling.CalendarRow(-number, ref, name, direction, "", None)
                for number, (ref, name, _, direction) in enumerate(wanted.values(), start=1)
            ]
        with self._context.database.write() as session:
            reconciling.select_calendars(session, self._context.mailbox_id, list(wanted.values()))
            session.flush()
            self._report.wrote = True
            return reconciling.calendars(session, self._context.mailbox_id)

    def _fail(self, row: reconciling.CalendarRow, error: str) -> None:
        self._report.folder_errors[row.name or row.ref] = error
        self._well.pop(row.id, None)
        if self._dry_run or not is_news(error, row.error):
            return
        log.warning("calendar cannot be read", action="calendar", calendar=row.ref, error=error)
        with self._context.database.write() as session:
            mailboxes.set_folder_error(session, row.id, error, self._context.now)
        self._report.wrote = True

    # --- observing ------------------------------------------------------------------------------

    def _observe(self, calendars: Sequence[Calendar]) -> Iterator[Observed]:
        context = self._context
        for calendar in calendars:
            try:
                yield observe(
                    context.database,
                    context.connector,
                    calendar,
                    context.now,
                    quarantined=context.quarantined,
                )
            except CollectionError as error:
                self._fail(calendar.row, str(error))
                continue
            self._well[calendar.row.id] = calendar

    def _in_order_again(self) -> None:
        """What failed in the last cycle and did not in this one, neither in reading nor in writing."""
        for calendar in self._well.values():
            if calendar.row.error is not None and not self._dry_run:
                with self._context.database.write() as session:
                    mailboxes.set_folder_error(session, calendar.row.id, None, self._context.now)
                self._report.wrote = True
                log.info("calendar is in order again", action="calendar", calendar=calendar.row.ref)
        self._well = {}

    def _read(
        self, observations: Sequence[Observed]
    ) -> tuple[dict[int, list[RemoteItem]], dict[int, list[Known]], dict[int, list[Unread]]]:
        found: dict[int, list[RemoteItem]] = {}
        gone: dict[int, list[Known]] = {}
        unread: dict[int, list[Unread]] = {}
        for one in observations:
            id_ = one.calendar.row.id
            asked = {known.ref: known for known in one.asked}
            try:
                items = list(read(self._context.connector, one)) if one.refs else []
            except CollectionError as error:
                self._fail(one.calendar.row, str(error))
                continue
            found[id_], gone[id_], unread[id_] = [], list(one.gone), []
            for item in items:
                match item:
                    case RemoteItem():
                        found[id_].append(item)
                    case Unread():
                        unread[id_].append(item)
                    case Missing(ref) if ref in asked:
                        gone[id_].append(asked[ref])  # asked for by name, and not there
                    case Missing():
                        pass  # out of quarantine, because it is gone
            self._go_on()
        return found, gone, unread

    # --- guards ---------------------------------------------------------------------------------

    def _braked(
        self, observations: Sequence[Observed], gone: dict[int, list[Known]], plans: Sequence[Plan]
    ) -> bool:
        context = self._context
        ids = [one.calendar.row.id for one in observations]
        # Until its first look is complete, a calendar may fill the CRM: also after a kill in the middle.
        first = any(not one.calendar.row.token for one in observations)
        moved = moved_by(plans)
        counted = kinds(plans)
        lost = {
            one.calendar.row.id: sum(
                1
                # What is unproven too: a calendar made anew, before any of it is written again.
                for known in (*gone[one.calendar.row.id], *one.unproven)
                if known.state is BindingState.BOUND and known.id not in moved
            )
            for one in observations
        }
        with context.database.read() as session:  # counted only as far as it matters
            limit = enough(counted, context.rules.limits)
            mapped = reconciling.mapped(session, ids, at_most=limit)
            left = Counter(one.moved_from.collection_id for one in plans if one.moved_from is not None)
            held = {
                id_: reconciling.mapped(session, [id_], at_most=lost[id_] + left[id_] + 1) - left[id_]
                for id_ in ids
                if lost[id_]
            }
        stopped = brake(counted, mapped, context.rules.limits, first_sync=first)
        reasons = [one.reason for one in stopped]
        for one in observations:
            id_ = one.calendar.row.id
            if id_ in held and everything_gone(lost[id_], held[id_]):
                reasons.append(
                    f"everything in calendar {one.calendar.row.name or one.calendar.row.ref!r} is gone"
                )
        if not reasons:
            return False
        lines = listed(plans)
        for one in observations:
            with context.database.read() as session:
                unproven = [known.id for known in one.unproven if known.id not in moved]
                lines += going(one.calendar, reconciling.bindings(session, unproven).values())
        if released(context.released, lines):
            return False
        self._mine.braked = "; ".join(reasons)
        self._mine.planned = lines
        if not self._dry_run:
            log.warning("the brake is on", action="brake", reason=self._mine.braked, planned=len(lines))
            with context.database.write() as session:
                brakes.set_brake(
                    session,
                    context.mailbox_name,
                    json.dumps([one.plain() for one in lines], ensure_ascii=False),
                    self._mine.braked,
                    context.now,
                )
            self._report.wrote = True
        return True

    # --- executing ------------------------------------------------------------------------------

    def _execute(
        self,
        pairing: Pairing,
        pairs: Pairs,
        observations: Sequence[Observed],
        found: Mapping[int, Sequence[RemoteItem]],
        unread: dict[int, list[Unread]],
    ) -> bool:
        context = self._context
        self._report.wrote = True
        overtaken: set[int] = set()  # calendars
        here = [one for one in pairs.plans if not writes(one)]
        there = [one for one in pairs.plans if writes(one)]
        moved = moved_by(pairs.plans)
        pusher = Pusher(context, pairing.decider, self._mine, self._go_on)

        def close(session: Transaction) -> None:
            again = overtaken | pusher.failed.keys()  # their cursors stay: the next look finds the same
            current = [one for one in observations if one.calendar.row.id not in again]
            close_look(session, context, Look(current, found, unread, pusher, moved, pairs.called))

        for start in range(0, len(here) or 1, BATCH):
            self._go_on()
            outcomes = [
                Outcome(one, pairing.decider.role(one), not one.follows, one.remote)
                for one in here[start : start + BATCH]
            ]
            last = start + BATCH >= len(here)

            def also(session: Transaction, late: Sequence[Outcome], last: bool = last) -> None:
                overtaken.update(one.plan.calendar.row.id for one in late)
                if last:
                    self._settle(session, pairs)
                    if not there:
                        close(session)

            done, _ = carry(context, outcomes, also)
            for one in done:
                count(self._mine, one)
        if there:
            pusher.run(there)
            overtaken |= pusher.overtaken
            for seen in observations:
                if (error := pusher.failed.get(seen.calendar.row.id)) is not None:
                    self._fail(seen.calendar.row, str(error))
            with context.database.write() as session:
                close(session)
        for seen in observations:
            if seen.calendar.row.id not in overtaken:
                self._tell(seen, unread[seen.calendar.row.id])
        return bool(overtaken)

    def _tell(self, seen: Observed, unread: Sequence[Unread]) -> None:
        """Once it is written down, and once a cycle."""
        self._mine.quarantined += len(unread)
        for item in unread:
            log.warning(
                "an item cannot be read",
                action="quarantine",
                calendar=seen.calendar.row.ref,
                error=item.error,
            )

    def _settle(self, session: Transaction, pairs: Pairs) -> None:
        """What is remembered of items that are not pairs, and of what is about to be written."""
        for plan in pairs.plans:
            if writes(plan) and plan.moved_from is not None and plan.remote is not None:
                # Wherever the write ends: the former place is told of as gone this once only.
                place = {"collection_id": plan.calendar.row.id, "remote_ref": plan.remote.ref}
                reconciling.update_binding(
                    session, plan.moved_from.id, {**place, "version": "", "absent": True}
                )
            elif writes(plan) and plan.seen is None and plan.binding is not None:
                # Should the write not arrive: what is gone was told this once only, so it is asked for.
                reconciling.update_binding(session, plan.binding.id, {"absent": True})
        set_aside(session, self._context, pairs.aside)
        reconciling.drop_bindings(session, pairs.vanished)
        for id_ in pairs.unproven:
            reconciling.update_binding(session, id_, {"absent": True})
        for id_ in pairs.called:
            reconciling.update_binding(session, id_, {"state": BindingState.OUTSIDE, "absent": True})
        announcements.came(session, pairs.came)
        outbox.settle(session, pairs.idle)
