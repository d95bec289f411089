"""The calendars of one installation. One object serves all mailboxes and threads."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from connectors.protocol import CalendarConnector
from store import brakes, mailboxes
from store.database import Database
from store.mailboxes import MailboxView
from store.sync_state import MailboxState
from syncd.engine.calendar.context import CalendarRules, Context, MailboxRules
from syncd.engine.calendar.cycle import LISTING_LASTS, CalendarCycle, Listing
from syncd.engine.calendar.items import Setting
from syncd.engine.calendar.people import People
from syncd.engine.calendar.words import types_of
from syncd.engine.known import Known
from syncd.engine.report import CycleReport

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Halted(Exception):
    """The cycle is to end: paused, stopped, or the service ends."""


class CalendarSync:
    """Looks at calendars, mailbox by mailbox."""

    def __init__(self, database: Database, known: Known, rules: CalendarRules) -> None:
        self._database = database
        self._known = known
        self._rules = rules
        self.halted: Callable[[], bool] = lambda: False  # set by the daemon: whether it was told to stop
        self._listings: dict[str, tuple[datetime, Listing]] = {}

    def cycle(
        self,
        view: MailboxView,
        connector: CalendarConnector,
        now: datetime,
        report: CycleReport,
        *,
        mailbox: MailboxRules,
        clock: Callable[[], datetime] | None = None,
        dry_run: bool = False,
        quarantined: bool = False,
    ) -> None:
        """One look at every calendar. The connector is entered already.

        Raises MailboxError; a calendar's error ends in the report.
        """
        people = People(self._known.directory())
        with self._database.read() as session:
            _, released = brakes.braked(session, view.name)
            shows = mailboxes.shows_reminders(session, view.user_id)
            far = mailboxes.shows_distance(session, view.user_id)
            types = types_of(session)
        context = Context(
            database=self._database,
            connector=connector,
            rules=self._rules,
            mailbox=mailbox,
            mailbox_id=view.id,
            mailbox_name=view.name,
            setting=Setting(view.user_id, people, self._rules.floating, self._rules.providers, types),
            own=people.own_addresses(view.user_id),
            now=now,
            clock=clock or (lambda: now),
            run=report.run,
            released=released,
            quarantined=quarantined,
            shows_reminders=shows,
            shows_distance=far,
        )
        cycle = CalendarCycle(
            context,
            report,
            listing=self._listing(view.name, now),
            dry_run=dry_run,
            go_on=lambda: self._go_on(view.name, dry_run=dry_run),
        )
        before = cycle.listing
        try:
            cycle.run()
        except Halted:
            log.info("left off where it was: the next cycle goes on", action="cycle")
        if cycle.listing is not None and cycle.listing is not before:
            self._listings[view.name] = (now, cycle.listing)

    def forget(self, name: str) -> None:
        """The list of calendars is asked for anew."""
        self._listings.pop(name, None)

    def _listing(self, name: str, now: datetime) -> Listing | None:
        """What the server said of its calendars a short while ago."""
        at, listing = self._listings.get(name, (None, None))
        return listing if at is not None and timedelta() <= now - at < LISTING_LASTS else None

    def _go_on(self, name: str, *, dry_run: bool) -> None:
        """Between two steps: a person may have paused the mailbox, the service may be told to stop."""
        if self.halted():
            raise Halted
        if dry_run:
            return
        with self._database.read() as session:
            if mailboxes.state_of(session, name) not in {MailboxState.RUNNING, MailboxState.NEEDS_ATTENTION}:
                raise Halted
