"""One cycle of one mailbox from the outside: the lease, the state, what becomes of an error.

Here a mailbox is isolated: whatever happens in its cycle ends in its report, and the others go on.
"""

import secrets
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

import structlog
from structlog.contextvars import bound_contextvars

from config.errors import SecretError
from connectors.errors import AuthFailed, FatalError, RateLimited, SyncdError, Unreachable
from connectors.protocol import CalendarConnector, Connector, MailConnector
from store import ledger, mailboxes, outbound, runs
from store.database import Database
from store.errors import Busy, StoreError
from store.leases import Leases
from store.mailboxes import MailboxView
from store.sync_state import MailboxState
from syncd.core.matching import Verdict
from syncd.engine.calendar.context import MailboxRules
from syncd.engine.calendar.sync import CalendarSync
from syncd.engine.mail import RETRY_AFTER, MailSync
from syncd.engine.report import CycleReport, is_news

log: structlog.stdlib.BoundLogger = structlog.get_logger()

ASLEEP = {
    MailboxState.PAUSED: "paused: `syncd resume {name}` goes on",
    MailboxState.STOPPED: "stopped: `syncd resume {name}` starts it again",
}


C = TypeVar("C", bound=Connector)
C_co = TypeVar("C_co", bound=Connector, covariant=True)


def new_ref() -> str:
    """An id for a run, as its log lines and its record carry it."""
    return secrets.token_hex(4)


class Connections(Protocol[C_co]):
    """Gives connectors that are logged in."""

    def use(self, mailbox: str, *, fresh: bool = False) -> AbstractContextManager[C_co]:
        """A connector for the length of a cycle. `fresh` = not one kept from before."""
        ...

    def is_kept(self, mailbox: str) -> bool:
        """Whether `use` would give a connection kept from before, which the server may have closed."""
        ...

    def forget(self, mailbox: str) -> None:
        """Closes what is kept and forgets tokens and passwords."""
        ...


@dataclass(frozen=True)
class Heartbeat:
    """When each mailbox was last found in order, as the time of an empty file: costs no database write."""

    folder: Path

    def beat(self, mailbox: str) -> None:
        """The mailbox was in order just now."""
        (self.folder / mailbox).touch(mode=0o600)


@dataclass(frozen=True)
class Calendars:
    """What it takes to look at calendars."""

    sync: CalendarSync
    connections: Connections[CalendarConnector]
    rules: Callable[[str], MailboxRules | None]  # by mailbox; None: its calendars are not synchronised


class Supervisor:
    """Runs cycles. One object serves all threads of a process."""

    def __init__(
        self,
        *,
        database: Database,
        leases: Leases,
        mail: MailSync,
        connections: Connections[MailConnector],
        heartbeat: Heartbeat,
        credentials: Callable[[str], str],
        folders: Callable[[str], Sequence[str] | None],
        wants_mail: Callable[[str], bool],
        on_stop: Callable[[str], None],
        calendars: Calendars | None = None,
    ) -> None:
        self._database = database
        self._leases = leases
        self._mail = mail
        self._connections = connections
        self._calendars = calendars
        self._heartbeat = heartbeat
        self._credentials = credentials  # a keyed hash of what the mailbox logs in with
        self._folders = folders
        self._wants_mail = wants_mail
        self._on_stop = on_stop

    def run(
        self,
        mailbox: str,
        clock: Callable[[], datetime],
        *,
        dry_run: bool = False,
        quarantined: bool = False,
        ref: str | None = None,
    ) -> CycleReport:
        """One cycle. Raises nothing but FatalError and StoreError (the store itself is out of order).

        `ref` is the run's id, for a caller who has something to log of it as well.
        """
        report = CycleReport(mailbox, ref or new_ref())
        with bound_contextvars(run=report.run, mailbox=mailbox):
            try:
                with self._leases.lease(mailbox):
                    self._leased(report, clock, dry_run=dry_run, quarantined=quarantined)
            except Busy as error:
                report.skipped, report.busy = str(error), True
                log.info("left alone: another process works on it", action="cycle")
            return report

    def running(self) -> frozenset[str]:
        """The mailboxes that nobody paused, stopped or braked, and whose login was not refused."""
        with self._database.look() as connection:
            return mailboxes.all_running(connection)

    def refused(self, mailbox: str, error: AuthFailed, now: datetime) -> None:
        """The server refused the mailbox's login outside of a cycle: it waits for a person, as after one."""
        self._wait_for_person(mailbox, error, now, MailboxState.RUNNING)
        log.error("mailbox cannot be worked on", action="listen", mailbox=mailbox, error=str(error))
        self._forget(mailbox)

    def _wait_for_person(self, mailbox: str, error: AuthFailed, now: datetime, before: MailboxState) -> None:
        """Unless a person gave it another state meanwhile."""
        refused_with = self._credentials(mailbox)
        with self._database.write() as session:
            mailboxes.set_state(
                session,
                mailbox,
                MailboxState.NEEDS_ATTENTION,
                now,
                attention=f"{error} Then: `syncd resume {mailbox}`.",
                refused_with=refused_with,
                only_if=before,
            )

    def _leased(
        self, report: CycleReport, clock: Callable[[], datetime], *, dry_run: bool, quarantined: bool
    ) -> None:
        started = clock()
        view = self._view(report.mailbox, started - RETRY_AFTER)
        if not dry_run and self._mail.prepare(view.marks, started):
            view = self._view(report.mailbox, started - RETRY_AFTER)
        report.skipped = self._asleep(view)
        if report.skipped is not None:
            if view.state is MailboxState.STOPPED:
                self._forget(view.name)
                self._on_stop(view.name)
            return
        if quarantined and not dry_run:
            with self._database.write() as session:
                ledger.enqueue_quarantined(session, [folder.id for folder in view.folders])
                outbound.retry(session, view.id)
            view = self._view(view.name)
        try:
            self._connected(view, clock, started, report, dry_run=dry_run, quarantined=quarantined)
        except FatalError:
            raise
        except (SyncdError, SecretError, StoreError) as error:
            self._failed(view, error, report, clock(), dry_run=dry_run)
        if not dry_run:
            self._finish(view, report, started, clock())

    def _view(self, name: str, due: datetime = mailboxes.NEVER) -> MailboxView:
        with self._database.look() as connection:
            return mailboxes.view(connection, name, due)

    def _asleep(self, view: MailboxView) -> str | None:
        """Why the mailbox is to be left alone; None where it is not."""
        if view.state in ASLEEP:
            return ASLEEP[view.state].format(name=view.name)
        if view.state is MailboxState.NEEDS_ATTENTION:
            # New credentials in the config are a person's answer; the same ones would lock the account.
            try:
                changed = self._credentials(view.name) != view.refused_with
            except SecretError:
                changed = False
            if not changed:
                return f"needs attention: {view.attention}"
        return None

    def _forget(self, mailbox: str) -> None:
        self._connections.forget(mailbox)
        if self._calendars is not None:
            self._calendars.connections.forget(mailbox)
            self._calendars.sync.forget(mailbox)

    def _connected(
        self,
        view: MailboxView,
        clock: Callable[[], datetime],
        now: datetime,
        report: CycleReport,
        *,
        dry_run: bool,
        quarantined: bool,
    ) -> None:
        """Mail first, then calendars, each over its own connection: where one server fails, the other part
        goes on. But a refused password is not tried on the second one too."""
        failed: Exception | None = None
        if self._wants_mail(view.name):
            try:
                self._look_at_mail(view, now, report, dry_run=dry_run)
            except (AuthFailed, FatalError):
                raise
            except (SyncdError, StoreError) as error:
                failed = error
        parts = self._calendars
        rules = None if parts is None else parts.rules(view.name)
        if rules is not None and view.state is MailboxState.BRAKED and not dry_run:
            report.calendar.braked = view.attention  # until a person lets it go; a dry run shows what waits
            rules = None
        if parts is not None and rules is not None:

            def calendars(connector: CalendarConnector) -> None:
                self._welcomed(view, now, dry_run=dry_run)
                parts.sync.cycle(
                    view,
                    connector,
                    now,
                    report,
                    mailbox=rules,
                    clock=clock,
                    dry_run=dry_run,
                    quarantined=quarantined,
                )

            self._with(parts.connections, view.name, report, calendars)
        if failed is not None:
            raise failed

    def _look_at_mail(self, view: MailboxView, now: datetime, report: CycleReport, *, dry_run: bool) -> None:
        def mail(connector: MailConnector) -> None:
            self._welcomed(view, now, dry_run=dry_run)
            wanted = self._folders(view.name)
            self._mail.cycle(view, connector, now, report, wanted=wanted, dry_run=dry_run)

        self._with(self._connections, view.name, report, mail)

    @staticmethod
    def _with(
        connections: Connections[C], mailbox: str, report: CycleReport, work: Callable[[C], None]
    ) -> None:
        kept = connections.is_kept(mailbox)
        wrote = report.wrote
        try:
            with connections.use(mailbox) as connector:
                work(connector)
        except Unreachable:
            if not kept or report.wrote != wrote:
                raise
            # The server closed an idle connection: that is its right, and no error.
            with connections.use(mailbox, fresh=True) as connector:
                work(connector)

    def _welcomed(self, view: MailboxView, now: datetime, *, dry_run: bool) -> None:
        """The server takes the credentials again."""
        if view.state is MailboxState.NEEDS_ATTENTION and not dry_run:
            with self._database.write() as session:
                mailboxes.set_state(session, view.name, MailboxState.RUNNING, now, only_if=view.state)

    def _failed(
        self, view: MailboxView, error: Exception, report: CycleReport, now: datetime, *, dry_run: bool
    ) -> None:
        report.error, report.refused = str(error), isinstance(error, AuthFailed)
        if isinstance(error, RateLimited):
            report.retry_after = error.retry_after
        if dry_run:
            return
        if isinstance(error, AuthFailed):
            self._wait_for_person(view.name, error, now, view.state)
            self._forget(view.name)
        if view.last_error is None:  # said once, not at every cycle
            log.error("mailbox cannot be worked on", action="cycle", error=report.error)

    def _finish(self, view: MailboxView, report: CycleReport, started: datetime, ended: datetime) -> None:
        """Leaves a record of a cycle that did something, and none of one that had nothing to do."""
        if report.error is None:
            self._heartbeat.beat(view.name)
            if view.last_error is not None:
                log.info("mailbox is in order again", action="cycle")
        if not is_news(report.error, view.last_error) and not report.wrote:
            return
        with self._database.write() as session:
            runs.note_outcome(session, view.id, ended, error=report.error)
            runs.add_run(
                session,
                {
                    "ref": report.run,
                    "mailbox_id": view.id,
                    "started_at": started,
                    "ended_at": ended,
                    "pulled": report.pulled + report.calendar.pulled,
                    "logged": report.verdicts[Verdict.LOGGED],
                    "pushed": report.calendar.pushed,
                    "conflicts": report.calendar.conflicts,
                    "error": report.error,
                },
            )
        log.info(
            "cycle ended",
            action="cycle",
            seen=report.pulled,
            logged=report.verdicts[Verdict.LOGGED],
            new_emails=report.stored,
            quarantined=report.verdicts[Verdict.QUARANTINED],
        )
