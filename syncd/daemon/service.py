"""`syncd run`: looks at every mailbox in its interval, and when its server tells of a change.

SIGTERM and SIGINT end it after the cycles that are under way; SIGHUP reads the config again; one of
them that comes twice ends it at once (what was not committed is done again at the next start).
"""

import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from structlog.contextvars import bound_contextvars

from config.errors import ConfigError
from connectors.errors import AuthFailed
from store.errors import StoreError
from syncd.daemon import advice, logs
from syncd.daemon.clock import now
from syncd.daemon.dispatch import Dispatch
from syncd.daemon.ears import Make
from syncd.daemon.listener import Listener
from syncd.daemon.systemd import Notifier
from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from syncd.engine.supervise import new_ref

log: structlog.stdlib.BoundLogger = structlog.get_logger()

EVERY_MINUTE = 60  # seconds between two looks at what is over (R112)
MEETINGS = " meetings"  # the name of that job: no mailbox can be called so
STATUSES = " statuses"
LOGOS = " logos"
LONGEST_BACK_OFF = timedelta(minutes=30)
SIGNALLED = 5.0  # seconds: a signal that another thread got is noted by the main one when it wakes
BUSY_ELSEWHERE = timedelta(seconds=15)  # until what was told is looked at, where another process works on it


class Service:
    """The daemon. `run` returns when it has been told to stop."""

    def __init__(self, config: Path, *, open_: Callable[[Path], Installation], rng: Random) -> None:
        self._config = config
        self._open = open_
        self._rng = rng
        self._stop = threading.Event()
        self._installation = self._opened()
        self._new_config = True  # what is stored has not been looked at with it
        self._reload = threading.Event()
        self._wake = threading.Event()
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}  # by the clock that nobody puts back
        self._good: set[str] = set()  # mailboxes that a cycle of this process found in order
        self._running: frozenset[str] | None = None  # as they were looked at last
        self._dispatch: Dispatch | None = None
        self._listener: Listener | None = None
        self._notifier = Notifier()

    def _opened(self) -> Installation:
        installation = self._open(self._config)
        installation.mail.halted = self._stop.is_set
        installation.calendars.halted = self._stop.is_set
        installation.meetings.halted = self._stop.is_set
        installation.dropping.halted = self._stop.is_set
        installation.statuses.halted = self._stop.is_set
        installation.recommending.halted = self._stop.is_set
        installation.logos.halted = self._stop.is_set
        installation.retention.halted = self._stop.is_set
        installation.positions.halted = self._stop.is_set
        return installation

    def run(self) -> int:
        """Returns the exit code: 0, after a stop that was asked for."""
        self._obey_signals()
        advice.tell_fields(self._installation.database, self._installation.settings)
        scheduler = self._schedule()
        self._notifier.tell(
            f"READY=1\nSTATUS=looking after {len(self._installation.settings.mailboxes)} mailboxes"
        )
        log.info("started", action="start", mailboxes=len(self._installation.settings.mailboxes))
        try:
            while not self._stop.is_set():
                self._wake.wait(min(self._notifier.watchdog or SIGNALLED, SIGNALLED))
                self._wake.clear()
                if scheduler.running:
                    self._notifier.show_life()
                if self._reload.is_set():
                    self._reload.clear()
                    scheduler = self._reread(scheduler)
        finally:
            self._notifier.tell("STOPPING=1")
            log.info("stopping: the cycles under way end first", action="stop")
            self._stop_listening()
            scheduler.shutdown(wait=True)
            self._installation.close()
        log.info("stopped", action="stop")
        return 0

    def _obey_signals(self) -> None:
        def stop(_signal: int, _frame: object) -> None:
            if self._stop.is_set():
                raise SystemExit(1)
            self._stop.set()
            self._wake.set()

        def reload(_signal: int, _frame: object) -> None:
            self._reload.set()
            self._wake.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        signal.signal(signal.SIGHUP, reload)

    def _schedule(self) -> BackgroundScheduler:
        settings = self._installation.settings
        scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(settings.schedule.workers)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        dispatch = self._dispatch = Dispatch(scheduler, self._cycle, now)
        jitter = settings.schedule.jitter.total_seconds()
        for mailbox in settings.mailboxes:
            interval = settings.interval_of(mailbox).total_seconds()
            # The first look comes within the jitter, so that a thousand mailboxes do not start as one.
            first = now() + timedelta(seconds=self._rng.uniform(0, min(jitter, interval)))
            scheduler.add_job(
                dispatch.polled,
                "interval",
                args=[mailbox.name],
                id=mailbox.name,
                seconds=interval,
                jitter=jitter or None,
                next_run_time=first,
            )
        scheduler.add_job(self._meetings, "interval", id=MEETINGS, seconds=EVERY_MINUTE, next_run_time=now())
        # By the minute too, since the night in which it was due may have been missed.
        scheduler.add_job(self._statuses, "interval", id=STATUSES, seconds=EVERY_MINUTE, next_run_time=now())
        if settings.logos.fetch:
            scheduler.add_job(self._logos, "interval", id=LOGOS, seconds=EVERY_MINUTE, next_run_time=now())
        scheduler.start()
        self._listener = Listener(self, self._installation.listened, rng=self._rng)
        self._listener.start()
        return scheduler

    def _stop_listening(self) -> None:
        if self._dispatch is not None:
            self._dispatch.close()
        if self._listener is not None:
            self._listener.close()

    # What the listener asks for, from threads of its own.

    def sources(self) -> Mapping[str, Sequence[Make]]:
        """What tells of each mailbox."""
        return self._installation.push.sources()

    def server_of(self, mailbox: str) -> str:
        """As the config calls it."""
        return self._installation.settings.mailbox(mailbox).server

    def awake(self) -> frozenset[str]:
        """The running mailboxes whose login this process has seen to be good: so a wrong password is tried
        once, in a cycle, and not a second time by who would listen. Raises StoreError."""
        running = self._installation.supervisor.running()
        before, self._running = self._running, running
        for mailbox in running - (running if before is None else before):
            self.tell(mailbox)  # a person has just let it go on
        return running & self._good

    def tell(self, mailbox: str) -> None:
        """Something changed in the mailbox."""
        if self._dispatch is not None:
            self._dispatch.tell(mailbox)

    def refused(self, mailbox: str, error: AuthFailed) -> None:
        """The mailbox waits for a person from now on."""
        self._good.discard(mailbox)
        self._installation.supervisor.refused(mailbox, error, now())
        self._look_around()

    def _reread(self, scheduler: BackgroundScheduler) -> BackgroundScheduler:
        """Takes a changed config; keeps the old one where the new one is wrong."""
        self._notifier.tell("RELOADING=1")
        try:
            fresh = self._opened()
        except (ConfigError, StoreError) as error:
            log.error("the new config is wrong, the old one stays", action="reload", error=str(error))
            self._notifier.tell("READY=1")
            return scheduler
        self._stop_listening()
        self._drain(scheduler)
        if fresh.settings.logging != self._installation.settings.logging:
            logs.configure(fresh.settings.logging.level, fresh.settings.logging.format)
        self._installation.close()
        self._installation = fresh
        self._new_config = True
        self._not_before.clear()
        self._failures.clear()
        self._good.clear()
        self._running = None
        advice.tell_fields(self._installation.database, self._installation.settings)
        scheduler = self._schedule()
        self._notifier.tell("READY=1")
        log.info("config read again", action="reload", mailboxes=len(fresh.settings.mailboxes))
        return scheduler

    def _drain(self, scheduler: BackgroundScheduler) -> None:
        """Waits for the cycles under way, however long a first synchronisation takes."""
        ending = threading.Thread(target=scheduler.shutdown, kwargs={"wait": True})
        ending.start()
        while ending.is_alive():
            ending.join(self._notifier.watchdog)
            self._notifier.show_life()

    def _cycle(self, mailbox: str) -> datetime | None:
        """Returns None, or when another try is worth its while."""
        if self._stop.is_set():
            return None
        pause = self._not_before.get(mailbox, float("-inf")) - monotonic()
        if pause > 0:
            return now() + timedelta(seconds=pause)
        ref = new_ref()
        with bound_contextvars(run=ref, mailbox=mailbox):
            try:
                report = self._installation.supervisor.run(mailbox, now, ref=ref)
            except StoreError as error:
                # Nothing of this mailbox: the database is out of order, for everybody. Tried again by itself.
                log.error("the store cannot be used", action="cycle", error=str(error))
                return self._back_off(mailbox, None)
            except Exception:  # the one place that isolates a mailbox
                log.exception("a defect of syncd: this cycle ended early", action="cycle")
                return self._back_off(mailbox, None)
        return self._after(report)

    def _meetings(self) -> None:
        """What was dropped is taken in, and what is over becomes an activity."""
        for work in (self._installation.dropping.run, self._over):
            self._tried(work, "meetings", "the meetings wait")

    def _over(self, moment: datetime) -> None:
        if self._new_config:
            self._installation.meetings.look_again(moment)
            self._new_config = False
        self._installation.meetings.run(moment)

    def _statuses(self) -> None:
        """The statuses of all accounts, once a night; then their recommendations, which may look at those."""
        self._tried(self._installation.statuses.run, "statuses", "the statuses of accounts wait")
        self._tried(self._installation.recommending.run, "recommendations", "recommendations wait")
        self._tried(self._installation.retention.run, "retention", "old mail waits to be erased")
        self._tried(self._installation.positions.run, "retention", "old positions wait to be erased")

    def _logos(self) -> None:
        """Accounts with a website and no logo, whatever way they came in."""
        self._tried(self._installation.logos.run, "logos", "the logos of accounts wait")

    def _tried(self, work: Callable[[datetime], object], action: str, waiting: str) -> None:
        """Work that belongs to no mailbox. Tried again in a minute where it fails; all else goes on."""
        if self._stop.is_set():
            return
        with bound_contextvars(run=new_ref()):
            try:
                work(now())
            except StoreError as error:
                log.error("the store cannot be used", action=action, error=str(error))
            except Exception:  # as with a cycle: the others go on
                log.exception(f"a defect of syncd: {waiting}", action=action)

    def _after(self, report: CycleReport) -> datetime | None:
        mailbox = report.mailbox
        if report.refused:
            self._good.discard(mailbox)
            self._look_around()
            return None  # it sleeps until a person acts, and is looked at at once then
        if report.error is not None:
            return self._back_off(mailbox, report.retry_after)
        self._failures.pop(mailbox, None)
        self._not_before.pop(mailbox, None)
        if report.busy:
            return now() + BUSY_ELSEWHERE
        if report.skipped is None and mailbox not in self._good:
            self._good.add(mailbox)
            self._look_around()
        return None

    def _look_around(self) -> None:
        if self._listener is not None:
            self._listener.look_around()

    def _back_off(self, mailbox: str, asked: timedelta | None) -> datetime:
        """Waits longer after each failure, with jitter; at least as long as the server asked for."""
        tries = self._failures[mailbox] = self._failures.get(mailbox, 0) + 1
        settings = self._installation.settings
        pause = min(
            settings.interval_of(settings.mailbox(mailbox)) * 2 ** min(tries - 1, 10), LONGEST_BACK_OFF
        )
        pause *= self._rng.uniform(0.5, 1.0)
        pause = max(pause, asked or timedelta())
        self._not_before[mailbox] = monotonic() + pause.total_seconds()
        again: datetime = now() + pause
        return again


def serve(config: Path) -> int:
    """Runs the daemon on this config; returns the exit code."""
    return Service(config, open_=lambda path: Installation.open(path, keep=True), rng=Random()).run()  # noqa: S311 - jitter
