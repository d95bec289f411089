"""Reading messages in a process beside this one, on another core.

Used where a cycle has many bodies to read: reading one takes longer than fetching and storing it. The
process gets bytes and a folder for attachments, and gives text; it has no database, no connection and no
password. It ends when its pipe does, so never outlives this one, and signals are not for it. Where it
dies, what it had to do is done here: a cycle never fails for want of it.

What runs there is `syncd.engine.reader`.
"""

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

import structlog

from syncd.engine.content import Limits
from syncd.engine.reader import Outcome, read_each, receive, send

MANY = 200  # bodies of one cycle that are read before a process is started for the others
PATIENCE = 10  # seconds for the process to end, once told to

T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Reader(Protocol):
    """Reads messages, now or soon."""

    def read(
        self, messages: Sequence[memoryview | bytes], parts: Path, limits: Limits
    ) -> Future[list[Outcome]]:
        """Their contents in the same order; OSError where the disk does not take an attachment.

        The messages need to be valid until the call returns, not longer.
        """
        ...

    def then(self, work: Callable[[], T]) -> Future[T]:
        """Does the work that waits for what was asked for."""
        ...


class Here:
    """Reads at once, in this process."""

    def read(
        self, messages: Sequence[memoryview | bytes], parts: Path, limits: Limits
    ) -> Future[list[Outcome]]:
        """As `Reader`; the future is done already, and what goes wrong is raised at once."""
        return self.then(lambda: read_each(messages, parts, limits))

    def then(self, work: Callable[[], T]) -> Future[T]:
        """At once, too."""
        future: Future[T] = Future()
        future.set_result(work())
        return future


HERE = Here()


class Aside:
    """Reads in another process, one request after the other.

    Requests and answers have a thread each, and a single call for each, so that the process always has
    its next request: a thread that waits for the interpreter may wait for milliseconds.
    """

    def __init__(self) -> None:
        # In a process group of its own: Ctrl-C of a terminal is not for it.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "syncd.engine.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
        )
        self._to, self._from = _there(self._process.stdin), _there(self._process.stdout)
        self._sender = ThreadPoolExecutor(1, "syncd-aside-to")
        self._receiver = ThreadPoolExecutor(1, "syncd-aside-from")
        self._waiter = ThreadPoolExecutor(1, "syncd-aside-then")
        self._works = True

    @property
    def pid(self) -> int:
        """Of the other process."""
        return self._process.pid

    def read(
        self, messages: Sequence[memoryview | bytes], parts: Path, limits: Limits
    ) -> Future[list[Outcome]]:
        """As `Reader`."""
        held = [bytes(one) for one in messages]
        request = pickle.dumps((held, parts, limits), pickle.HIGHEST_PROTOCOL)
        self._sender.submit(self._send, request)
        return self._receiver.submit(self._receive, request)

    def then(self, work: Callable[[], T]) -> Future[T]:
        """In a thread of its own, while the next messages are fetched."""
        return self._waiter.submit(work)

    def close(self) -> None:
        """Lets the process end. What was asked for is waited for by whoever asked."""
        with suppress(OSError):
            self._sender.submit(self._to.close).result()  # after the last request
        self._sender.shutdown()
        self._receiver.shutdown()
        self._waiter.shutdown()
        self._from.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, request: bytes) -> None:
        with suppress(OSError):  # it is gone: whoever waits for the answer finds out
            send(self._to, request)

    def _receive(self, request: bytes) -> list[Outcome]:
        answer: list[Outcome] | OSError | None = None
        try:
            octets = receive(self._from) if self._works else None
            if octets is not None:
                answer = pickle.loads(octets)  # noqa: S301 - our own process
        except (OSError, pickle.UnpicklingError):
            answer = None
        if isinstance(answer, OSError):
            raise answer
        if answer is not None:
            return answer
        if self._works:
            self._works = False
            log.warning("the process that reads messages ended: they are read without it", action="read")
        return read_each(*pickle.loads(request))  # noqa: S301 - our own


def _there(pipe: object) -> BinaryIO:
    if pipe is None:
        raise AssertionError("the process was started with pipes")
    return pipe  # type: ignore[return-value]  # IO[bytes], which is what Popen makes


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0))


class Readers:
    """What the bodies of one cycle are read by: the first ones here, many of them aside."""

    def __init__(self, *, may: bool) -> None:
        self._may = may
        self._seen = 0
        self._aside: Aside | None = None

    def reader(self, bodies: int) -> Reader:
        """The reader of the next so many bodies."""
        self._seen += bodies
        if self._aside is None and self._may and self._seen > MANY:
            self._may = False
            try:
                self._aside = Aside()
            except OSError as error:
                log.warning("no process to read messages with", action="read", error=error.strerror)
        return HERE if self._aside is None else self._aside

    def close(self) -> None:
        """Ends the other process, if there is one."""
        if self._aside is not None:
            self._aside.close()


class AsideOrNot:
    """One cycle at a time gets a process to read aside, so that memory stays bounded."""

    def __init__(self) -> None:
        self._free = threading.Lock()

    @contextmanager
    def lent(self) -> Iterator[Readers]:
        """The readers for one cycle."""
        mine = cores() > 1 and self._free.acquire(blocking=False)
        readers = Readers(may=mine)
        try:
            yield readers
        finally:
            readers.close()
            if mine:
                self._free.release()
