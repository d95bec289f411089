"""A stream of notifications in memory that behaves as a real one does, and fails on demand: for tests.

It passes the same contract suite as the real sources. `MemoryStream` is the server's side, `MemoryPushSource`
what a listener gets.
"""

import socket
import threading
from collections.abc import Callable
from datetime import timedelta

from connectors.errors import SyncdError, Unreachable
from connectors.protocol import Heard, Subject

_WORDS = {b"m": Subject.MAIL, b"c": Subject.CALENDAR}
_LETTERS = {subject: letter for letter, subject in _WORDS.items()}


class MemoryStream:
    """The server's side: tells, is silent, ends or breaks the stream, refuses to open one."""

    def __init__(self) -> None:
        self.opened = 0  # times that a source opened it, with success or not
        self.forgotten = 0
        self.refuses: Callable[[], SyncdError] | None = None
        self.before: Callable[[], None] = lambda: None  # done by each opening, which waits for it
        self._lock = threading.Condition()
        self._server: socket.socket | None = None

    def tell(self, *subjects: Subject) -> None:
        """Something changed."""
        self._send(b"".join(_LETTERS[subject] for subject in subjects))

    def show_life(self) -> None:
        """A heartbeat."""
        self._send(b".")

    def end(self) -> None:
        """The stream ends in good order."""
        self._send(b"!")

    def cut(self) -> None:
        """The stream ends without a word."""
        with self._lock:
            server, self._server = self._server, None
        if server is not None:
            server.close()

    def await_opened(self, times: int, seconds: float = 10.0) -> bool:
        """Waits until it was opened that often, and is open."""
        with self._lock:
            return self._lock.wait_for(lambda: self.opened >= times and self._server is not None, seconds)

    def connect(self) -> socket.socket:
        """For the source."""
        self.before()
        with self._lock:
            self.opened += 1
            self._lock.notify_all()
            if self.refuses is not None:
                raise self.refuses()
            if self._server is not None:
                self._server.close()
            self._server, client = socket.socketpair()
            self._lock.notify_all()
        client.setblocking(False)
        return client

    def _send(self, data: bytes) -> None:
        with self._lock:
            if self._server is not None:
                self._server.sendall(data)


class MemoryPushSource:
    """`connectors.protocol.PushSource` on a `MemoryStream`. As one that speaks TLS, it may have taken more
    from the socket than it has told of."""

    def __init__(
        self,
        stream: MemoryStream,
        *,
        lasts: timedelta = timedelta(minutes=29),
        silence: timedelta = timedelta(minutes=3),
    ) -> None:
        self.stream = stream
        self.lasts = lasts
        self.silence = silence
        self._sock: socket.socket | None = None
        self._record = b""

    def open(self) -> None:
        self.close()
        self._sock = self.stream.connect()

    def fileno(self) -> int:
        return self._entered.fileno()

    def pending(self) -> bool:
        return bool(self._record)

    def arrived(self) -> Heard:
        if not self._record:
            try:
                self._record = self._entered.recv(4096)
            except BlockingIOError:
                return Heard()
            if not self._record:
                raise Unreachable("The stream in memory was cut.")
        word, self._record = self._record[:1], self._record[1:]
        found = _WORDS.get(word)
        return Heard(frozenset() if found is None else frozenset({found}), over=word == b"!")

    def close(self) -> None:
        sock, self._sock = self._sock, None
        self._record = b""
        if sock is not None:
            sock.close()

    def forget(self) -> None:
        self.close()
        self.stream.forgotten += 1

    @property
    def _entered(self) -> socket.socket:
        if self._sock is None:
            raise Unreachable("The stream in memory is not open.")
        return self._sock
