"""Threads that open streams and do nothing else, and whose turn it is.

A server that is down takes a time-out for each stream that it is asked for. So a server has but two of the
threads, servers take turns, and a stream that lived and is only to be renewed goes before those that never
came to be. Every fourth turn is that of who waits longest, whatever it is: nobody waits for ever. A mailbox
has one opening at a time: a refused password is not tried by two.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from syncd.daemon.ears import Ear

THREADS = 6
AT_ONCE = 2  # for one server
FAIR = 4  # one turn of so many is that of who waits longest


@dataclass(frozen=True, eq=False, slots=True)
class _Job:
    ear: Ear
    work: Callable[[], None]


class Openings:
    """The threads begin when there is something to do, and end with `close`."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[_Job] = []  # oldest first
        self._servers: Counter[str] = Counter()  # under way
        self._mailboxes: set[str] = set()  # likewise
        self._served: dict[str, int] = {}  # servers: the number of their last turn
        self._turns = 0
        self._idle = 0
        self._threads: list[threading.Thread] = []
        self._closed = False

    def put(self, ear: Ear, work: Callable[[], None]) -> bool:
        """Has `work`, which is about this ear, done when its turn comes. Once closed, nothing is done. False
        where nobody is there to do it, since the system gives no thread."""
        with self._changed:
            if self._closed:
                return True
            if len(self._waiting) >= self._idle and len(self._threads) < THREADS:
                thread = threading.Thread(target=self._run, name="syncd-opener", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    if not self._threads:
                        return False
                else:
                    self._threads.append(thread)
            self._waiting.append(_Job(ear, work))
            self._changed.notify()
            return True

    def clear(self) -> None:
        """What has not begun is forgotten."""
        with self._changed:
            self._waiting.clear()

    def close(self, seconds: float) -> None:
        """Waits so long for what is under way; a thread at a dead server is left to itself."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        end = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.work()
            finally:
                with self._changed:
                    self._servers[job.ear.server] -= 1
                    self._mailboxes.discard(job.ear.mailbox)

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._closed:
                job = self._chosen()
                if job is not None:
                    self._waiting.remove(job)
                    self._turns += 1
                    self._served[job.ear.server] = self._turns
                    self._servers[job.ear.server] += 1
                    self._mailboxes.add(job.ear.mailbox)
                    return job
                self._idle += 1
                self._changed.wait()
                self._idle -= 1
            return None

    def _chosen(self) -> _Job | None:
        """Whose turn it is of those that may begin."""
        if self._turns % FAIR == FAIR - 1:
            return next(self._ready(), None)
        return min(
            self._ready(),
            key=lambda job: (not job.ear.lived, self._served.get(job.ear.server, 0)),
            default=None,
        )

    def _ready(self) -> Iterator[_Job]:
        return (
            job
            for job in self._waiting
            if self._servers[job.ear.server] < AT_ONCE and job.ear.mailbox not in self._mailboxes
        )
