"""When a cycle runs: in its interval, and at once where a server told that something changed.

Two cycles of a mailbox never run at the same time. What is told while one runs, or within the settling delay,
is one cycle more; what cannot be looked at now (back-off, another process) is looked at when it can be. How
long something waits is measured by a clock that nobody puts back; the scheduler's own is the wall clock.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from apscheduler.schedulers.background import BackgroundScheduler

SETTLE = timedelta(seconds=0.5)  # between what is told and its cycle: a burst is one cycle
GAP = timedelta(seconds=2)  # at least, between the beginnings of two cycles that were told
OVERDUE = 2.0  # seconds after which a turn that did not come is asked for again: the clock was put back


class Dispatch:
    """One for each scheduler. `cycle` runs one cycle and returns None, or when it is worth another try.

    Waiting is the scheduler's: no thread is held.
    """

    def __init__(
        self,
        scheduler: BackgroundScheduler,
        cycle: Callable[[str], datetime | None],
        clock: Callable[[], datetime],
    ) -> None:
        self._scheduler = scheduler
        self._cycle = cycle
        self._clock = clock
        self._lock = threading.Lock()
        self._running: set[str] = set()
        self._owed: set[str] = set()  # told of, and not looked at since
        self._waiting: dict[
            str, float
        ] = {}  # of those, the ones whose turn is in the scheduler: when it is due
        self._began: dict[str, float] = {}  # the last cycle that was told
        self._took: dict[str, float] = {}  # the last cycle, in seconds
        self._closed = False

    def tell(self, mailbox: str) -> None:
        """Something changed in the mailbox: it is looked at soon."""
        with self._lock:
            self._owed.add(mailbox)
            if mailbox not in self._running:
                self._schedule(mailbox, None)

    def polled(self, mailbox: str) -> None:
        """Its interval is over. Where a cycle is under way, that one will do."""
        self._run(mailbox)

    def close(self) -> None:
        """Nothing is scheduled any more."""
        with self._lock:
            self._closed = True

    def _schedule(self, mailbox: str, earliest: datetime | None) -> None:
        passed, wall = monotonic(), self._clock()
        if self._closed or passed < self._waiting.get(mailbox, float("-inf")) + OVERDUE:
            return
        pause = SETTLE if earliest is None else max(SETTLE, earliest - wall)
        if mailbox in self._began:
            # Somebody who changes it all the time takes half a worker at most.
            gap = max(GAP, timedelta(seconds=2 * self._took.get(mailbox, 0.0)))
            pause = max(pause, gap - timedelta(seconds=passed - self._began[mailbox]))
        self._waiting[mailbox] = passed + pause.total_seconds()
        self._scheduler.add_job(
            self._told,
            "date",
            run_date=wall + pause,
            args=[mailbox],
            id=f"told {mailbox}",  # no mailbox's name has a space
            replace_existing=True,
            max_instances=2,  # the one that ends is still counted while it asks for another
            misfire_grace_time=None,
        )

    def _told(self, mailbox: str) -> None:
        with self._lock:
            self._waiting.pop(mailbox, None)
            if mailbox not in self._owed or mailbox in self._running:
                return  # a cycle has begun since; if that one was too early, it asks for another at its end
            self._began[mailbox] = monotonic()
        self._run(mailbox)

    def _run(self, mailbox: str) -> None:
        with self._lock:
            if mailbox in self._running:
                return
            self._running.add(mailbox)
            owed = mailbox in self._owed
            self._owed.discard(mailbox)
        again: datetime | None = None
        began = monotonic()
        try:
            again = self._cycle(mailbox)
        finally:
            with self._lock:
                self._running.discard(mailbox)
                self._took[mailbox] = monotonic() - began
                if owed and again is not None:
                    self._owed.add(mailbox)
                if mailbox in self._owed:
                    self._schedule(mailbox, again)
