"""A socket read with bounds: no endless silence, no trickle, no line or answer beyond measure."""

import io
import socket
import time

from connectors.errors import ProtocolViolation

SLOWEST = 4096  # octets a second: a connection slower than this is given up
LONGEST_LINE = 16 * 1024 * 1024  # a SEARCH answer of 1.6 million messages is one line
BUFFER = 32 * 1024
PIECE = 256 * 1024


class TooSlowError(OSError):
    """Octets arrive, but too few of them."""


class EndedError(OSError):
    """The other side closed the connection."""


class _Source(io.RawIOBase):
    """The socket as a file that never waits longer than it may."""

    def __init__(self, sock: socket.socket, silence: float, who: str) -> None:
        super().__init__()
        self._sock = sock
        self._who = who
        self._silence = silence
        self.handed_over = False  # somebody else reads the socket now

    def begin(self, expected: int, limit: int) -> None:
        self._started = time.monotonic()
        self._expected, self._limit, self._received = expected, limit, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int | None:  # type: ignore[override]  # typeshed: any buffer
        if self.handed_over:
            return None
        allowed = 2 * self._silence + max(self._expected, self._received) / SLOWEST
        left = self._started + allowed - time.monotonic()
        if left <= 0:
            raise TooSlowError
        patience = min(left, self._silence)
        if self._sock.gettimeout() != patience:  # setting it is a system call
            self._sock.settimeout(patience)
        try:
            count = self._sock.recv_into(buffer)
        except TimeoutError as error:
            raise TooSlowError if left < self._silence else error from None
        self._received += count
        if self._received > self._limit:
            raise ProtocolViolation(
                f"The server of {self._who} gives an answer longer than {self._limit} octets."
            )
        return count


class Stream:
    """Reads lines and literals from a socket; `silence` is in seconds, `who` the mailbox in messages.

    Raises TimeoutError, TooSlowError, EndedError or another OSError, and ProtocolViolation beyond a limit.
    """

    def __init__(self, sock: socket.socket, silence: float, limit: int, who: str) -> None:
        self._who = who
        self._source = _Source(sock, silence, who)
        self._file = io.BufferedReader(self._source, BUFFER)
        self.begin(expected=0, limit=limit)

    def begin(self, *, expected: int, limit: int) -> None:
        """An answer is awaited that has about `expected` octets and must stay below `limit`."""
        self._source.begin(expected, limit)

    def line(self) -> bytes:
        """A whole line, with its end."""
        line = self._file.readline(LONGEST_LINE + 1)
        if line.endswith(b"\n"):
            return line
        if len(line) > LONGEST_LINE:
            raise ProtocolViolation(f"The server of {self._who} sends a line without an end.")
        raise EndedError

    def read(self, size: int) -> bytes:
        """Exactly `size` octets. Memory grows with what arrives, not with what was announced."""
        if size <= PIECE:
            piece = self._file.read(size)
            if len(piece) < size:
                raise EndedError
            return piece
        pieces = []
        while size > 0:
            pieces.append(self.read(min(size, PIECE)))
            size -= len(pieces[-1])
        return b"".join(pieces)

    def hand_over(self) -> bytes:
        """What has been read and not been taken. From now on the socket is read by somebody else."""
        self._source.handed_over = True
        return self._file.peek()

    def close(self) -> None:
        """Lets go of the buffer. The socket stays as it is."""
        self._file.close()
