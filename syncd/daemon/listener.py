"""Listens to servers that tell of changes: one thread and one selector for all mailboxes.

Opening a stream takes its time (a login, several requests), so other threads do it (`syncd.daemon.openings`).
A stream that breaks is opened anew after a pause that grows, with jitter; a server that asks to wait is
obeyed; a login that is refused is not tried again here. After each opening the mailbox is looked at once,
since nobody told what happened before. Polling goes on all the while: what is missed here is found there.
"""

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

import structlog

from config.errors import SecretError
from connectors.errors import AuthFailed, RateLimited, SyncdError, Unreachable, Unsupported
from connectors.protocol import PushSource
from store.errors import StoreError
from syncd.daemon.clock import now
from syncd.daemon.ears import Ear, House, Pace
from syncd.daemon.listened import SIGNS, Listened
from syncd.daemon.openings import Openings

log: structlog.stdlib.BoundLogger = structlog.get_logger()

ATTENTIVE = 0.1  # seconds, at least, between two looks at which mailboxes run
LAST_WORD = 0.3  # seconds, at the end, for threads that are about to be done


class Listener:
    """Begins with `start`, ends with `close`."""

    def __init__(self, house: House, listened: Listened, *, rng: Random, pace: Pace | None = None) -> None:
        self._house = house
        self._listened = listened
        self._rng = rng
        self._pace = pace or Pace()
        self._makes = house.sources()
        self._ears: dict[str, list[Ear]] = {}
        self._selector = selectors.DefaultSelector()
        self._bell, self._button = socket.socketpair()
        self._bell.setblocking(False)
        self._button.setblocking(False)
        self._posted: deque[Callable[[], None]] = deque()  # by other threads, for this one to do
        self._servers = {name: house.server_of(name) for name in self._makes}
        self._openings = Openings()
        self._closing = threading.Event()
        self._word = threading.Lock()  # held while a refusal is noted: nothing is noted once it is closing
        self._look_around = threading.Event()
        self._signs = 0.0
        self._full: set[Ear] = set()  # with more to read that the selector does not see
        self._thread = threading.Thread(target=self._run, name="syncd-listener", daemon=True)
        self._attendant = threading.Thread(target=self._attend, name="syncd-attendance", daemon=True)

    def start(self) -> None:
        """Returns at once. Does nothing where no mailbox can be listened to."""
        if self._makes:
            self._selector.register(self._bell, selectors.EVENT_READ, None)
            self._thread.start()
            self._attendant.start()

    def close(self) -> None:
        """Closes every stream. Takes as long as `Pace.goodbye` at most, whatever servers do."""
        with self._word:
            self._closing.set()
        self._look_around.set()
        if self._makes:
            self._ring()
            end = time.monotonic() + self._pace.goodbye
            self._thread.join(self._pace.goodbye)
            self._openings.clear()
            self._say_goodbye(end)
            self._attendant.join(0.1)  # it may be at the database
        self._openings.close(LAST_WORD)
        if not self._thread.is_alive():
            self._selector.close()
            with self._bell, self._button:
                pass

    def look_around(self) -> None:
        """Other mailboxes than before may be running: that is found out at once."""
        self._look_around.set()

    # What other threads do.

    def _attend(self) -> None:
        while not self._closing.is_set() and self._thread.is_alive():
            try:
                awake = self._house.awake()
            except StoreError:
                pass  # the cycles say so; until it is there again, who is listened to stays
            except Exception:  # the next look may be better, and nobody else tells who is paused
                log.exception("a defect of syncd: who is listened to stays for now", action="listen")
            else:
                self._post(partial(self._take_attendance, awake))
            self._look_around.wait(self._pace.attendance)
            self._closing.wait(ATTENTIVE)  # many mailboxes may change in one go
            self._look_around.clear()

    def _open(self, ear: Ear) -> None:
        """In a thread of its own."""
        error: Exception | None = None
        try:
            # A login that was refused meanwhile, in a cycle, must not be tried once more.
            if not self._closing.is_set() and ear.mailbox in self._house.awake():
                if ear.source is None:
                    ear.source = ear.make()
                ear.source.open()
            else:
                ear.gone = True
        except (SyncdError, SecretError, StoreError, OSError) as failure:
            error = failure
        except Exception as failure:  # here a mailbox is isolated, as in its cycle
            log.exception("a defect of syncd: nobody listens for now", action="listen", mailbox=ear.mailbox)
            error = failure
        if isinstance(error, AuthFailed) and self._noted(ear, error):
            ear.gone = True  # when the mailbox runs again, a person has acted: attendance makes another ear
        self._post(lambda: self._opened(ear, error))
        if self._closing.is_set() and ear.source is not None:
            ear.source.close()  # nobody may be left to look at what was posted

    def _noted(self, ear: Ear, error: AuthFailed) -> bool:
        """Whether it is known now that the mailbox waits for a person. A refusal that comes when nobody
        listens any more is not noted: the config may be another one by then, and the login with it."""
        with self._word:
            if self._closing.is_set():
                return False
            try:
                self._house.refused(ear.mailbox, error)
            except (StoreError, SecretError):
                return False
            return True

    def _post(self, work: Callable[[], None]) -> None:
        self._posted.append(work)
        self._ring()

    def _ring(self) -> None:
        with suppress(BlockingIOError, OSError):  # it has been rung often enough, or nobody is there any more
            self._button.send(b"\0")

    # What the listener's own thread does.

    def _run(self) -> None:
        try:
            self._listen_to_all()
        except Exception:  # polling goes on
            log.exception("a defect of syncd: nobody is listened to until a restart", action="listen")
        for ear in self._all():
            self._close(ear)
        while self._posted:
            self._posted.popleft()()

    def _listen_to_all(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(self._patience()):
                ear: Ear | None = key.data
                if ear is None:
                    with suppress(BlockingIOError):
                        self._bell.recv(4096)
                else:
                    self._full.add(ear)
            full, self._full = self._full, set()
            for ear in full:
                self._listen(ear)
            while self._posted:
                self._posted.popleft()()
            self._keep_time()

    def _all(self) -> list[Ear]:
        return [ear for several in self._ears.values() for ear in several]

    def _patience(self) -> float:
        """Seconds until something is due."""
        if self._full or self._posted:
            return 0.0
        moments = [self._signs + SIGNS.total_seconds()]
        for ear in self._all():
            if ear.due is not None:
                moments.append(ear.due)
            elif ear.opened is not None and ear.source is not None:
                moments += [self._renewal(ear, ear.source), ear.heard + ear.source.silence.total_seconds()]
        return max(0.0, min(moments) - time.monotonic())

    @staticmethod
    def _renewal(ear: Ear, source: PushSource) -> float:
        return (ear.opened or 0.0) + source.lasts.total_seconds()

    def _keep_time(self) -> None:
        moment = time.monotonic()
        for ear in self._all():
            if ear.due is not None and ear.due <= moment:
                self._send_for(ear)
            elif ear.opened is not None and ear.source is not None:
                if moment >= self._renewal(ear, ear.source):
                    self._reopen(ear, None)
                elif moment >= ear.heard + ear.source.silence.total_seconds():
                    self._reopen(ear, Unreachable("The server shows no life any more."))
        if moment >= self._signs + SIGNS.total_seconds():
            self._signs = moment
            for name, ears in self._ears.items():
                if any(ear.opened is not None for ear in ears):
                    self._listened.still(name)

    def _send_for(self, ear: Ear) -> None:
        """Has the stream opened by another thread."""
        ear.due, ear.opening = None, True
        if not self._openings.put(ear, partial(self._open, ear)):
            ear.opening = ear.lived = False
            self._failed(ear, Unreachable("The system gives no more threads."))

    def _take_attendance(self, awake: frozenset[str]) -> None:
        for name in [name for name in self._ears if name not in awake]:
            for ear in self._ears.pop(name):
                self._drop(ear)
            self._listened.end(name)
        for name in self._makes:
            if name in awake and name not in self._ears:
                start = time.monotonic()
                server = self._servers[name]
                self._ears[name] = [Ear(name, server, make, start) for make in self._makes[name]]

    def _opened(self, ear: Ear, error: Exception | None) -> None:
        ear.opening = False
        if ear.gone or self._closing.is_set():
            # Where it is the mailbox that sleeps, all of its ears go: attendance makes them anew together.
            several = self._ears.get(ear.mailbox, [])
            for one in several[:] if ear in several else [ear]:
                self._drop(one)
            return
        if error is None and ear.source is not None:
            try:
                ear.fd = ear.source.fileno()
                self._selector.register(ear.fd, selectors.EVENT_READ, ear)
            except (SyncdError, OSError, ValueError, KeyError) as failure:  # it ended a moment ago
                error = failure
        if error is not None or ear.source is None:
            ear.lived = False
            self._failed(ear, error)
            return
        ear.opened = ear.heard = time.monotonic()
        self._full.add(ear)  # something may have come with the beginning
        self._listened.begin(ear.mailbox, now())
        if ear.complained:
            ear.complained = False
            log.info("listened to again", action="listen", mailbox=ear.mailbox)
        self._house.tell(ear.mailbox)

    def _listen(self, ear: Ear) -> None:
        source = ear.source
        if ear.opened is None or source is None:
            return
        try:
            heard = source.arrived()
            more = source.pending()
        except (SyncdError, OSError) as error:
            self._reopen(ear, error)
            return
        except Exception as error:  # here a mailbox is isolated, as in its cycle
            log.exception("a defect of syncd: nobody listens for now", action="listen", mailbox=ear.mailbox)
            self._reopen(ear, error)
            return
        ear.heard = time.monotonic()
        if heard.subjects:
            self._house.tell(ear.mailbox)
        if heard.over:
            self._reopen(ear, None)
        elif more:
            self._full.add(ear)

    def _reopen(self, ear: Ear, error: Exception | None) -> None:
        """The stream is over, in good order where there is no error. One that ends soon after it began is a
        failure all the same: it must not be opened without end."""
        lived = ear.lived = time.monotonic() - (ear.opened or 0.0) >= self._pace.lived
        self._close(ear)
        if lived:
            ear.tries = 0
        self._failed(ear, error, quiet=error is None or lived)

    def _failed(self, ear: Ear, error: Exception | None, *, quiet: bool = False) -> None:
        if isinstance(error, Unsupported):
            log.info(
                "not listened to, only looked at", action="listen", mailbox=ear.mailbox, reason=str(error)
            )
            return
        if not quiet and not ear.complained and error is not None:
            ear.complained = True  # said once
            known = isinstance(error, SyncdError | SecretError)
            reason = str(error) if known else type(error).__name__
            log.warning("not listened to for now", action="listen", mailbox=ear.mailbox, reason=reason)
        if isinstance(error, AuthFailed):
            return  # and it could not be noted: this ear stays deaf
        pause = min(self._pace.pause * 2 ** min(ear.tries, 20), self._pace.longest_pause)
        ear.tries += 1
        pause *= self._rng.uniform(0.5, 1.0)
        if isinstance(error, RateLimited):
            pause = max(pause, error.retry_after.total_seconds() * self._rng.uniform(1.0, 1.1))
        ear.due = time.monotonic() + pause

    def _drop(self, ear: Ear) -> None:
        """The ear is not wanted any more; where the mailbox is, attendance makes another one."""
        ear.gone = True
        self._close(ear)
        several = self._ears.get(ear.mailbox, [])
        if ear in several:
            several.remove(ear)
            if not several:
                del self._ears[ear.mailbox]

    def _close(self, ear: Ear) -> None:
        """Lets go of the connection, not of what makes it."""
        self._full.discard(ear)
        was = ear.opened is not None
        ear.opened = ear.due = None
        if ear.source is not None:
            if was:
                with suppress(KeyError, ValueError):
                    self._selector.unregister(ear.fd)
            if not ear.opening:
                ear.source.close()
        if was and not any(one.opened is not None for one in self._ears.get(ear.mailbox, ())):
            self._listened.end(ear.mailbox)

    def _say_goodbye(self, end: float) -> None:
        """What servers keep for us, they need not keep any longer; one that is slow is not waited for."""
        known = [(ear, ear.source) for ear in self._all() if ear.source is not None and not ear.opening]
        left = threading.Semaphore(0)
        refused: set[str] = set()

        def forget(ear: Ear, source: PushSource) -> None:
            try:
                if ear.mailbox not in refused:
                    source.forget()
            except AuthFailed:
                refused.add(ear.mailbox)  # not tried a second time, over another of its sources
            except (SyncdError, OSError, SecretError, StoreError):
                pass  # the server lets go of it by itself, later
            finally:
                left.release()

        for ear, source in known:
            if not self._openings.put(ear, partial(forget, ear, source)):
                return
        for _ in known:
            if not left.acquire(timeout=max(0.0, end - time.monotonic())):
                return
