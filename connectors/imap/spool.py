"""Where the content of messages waits until the engine has read it: memory for small ones, files for others.

The files have no name (they are unlinked at once), so that nothing stays behind whatever happens.
"""

import mmap
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from connectors.imap.fetch import Literal

PIECE = 1024 * 1024
LARGEST_IN_MEMORY = 4 * 1024 * 1024  # octets of one message


class Spool:
    """Takes the literals of one batch. `close()` gives back all memory and disk it used.

    At most `in_memory` octets are held in memory for the whole batch, whatever the server declares.
    """

    def __init__(self, directory: Path, *, in_memory: int) -> None:
        self._directory = directory
        self._room = in_memory
        self._open: list[tuple[memoryview, mmap.mmap]] = []
        self.failure: OSError | None = None  # why a literal was dropped: no room on the disk

    def take(self, read: Callable[[int], bytes], size: int) -> Literal | None:
        """The literal, read to its end. None where the disk did not take it."""
        if size <= min(LARGEST_IN_MEMORY, self._room):
            self._room -= size
            return read(size)
        file = self._create()
        if file is None:
            drop(read, size)
            return None
        with file:
            left = size
            while left:
                piece = read(min(left, PIECE))
                left -= len(piece)
                if not self._write(file, piece):
                    drop(read, left)
                    return None
            return self._map(file, size)

    def close(self) -> None:
        """What was taken is not valid any more."""
        while self._open:
            view, mapped = self._open.pop()
            try:
                view.release()
                mapped.close()
            except BufferError:  # somebody still looks at a slice of it: it goes when they let go
                pass

    def _create(self) -> BinaryIO | None:
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            return tempfile.TemporaryFile(dir=self._directory, buffering=0)
        except OSError as error:
            self.failure = error
            return None

    def _write(self, file: BinaryIO, piece: bytes) -> bool:
        rest = memoryview(piece)
        try:
            while rest:
                rest = rest[file.write(rest) :]
        except OSError as error:
            self.failure = error
            return False
        return True

    def _map(self, file: BinaryIO, size: int) -> memoryview | None:
        try:
            mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        except OSError as error:
            self.failure = error
            return None
        view = memoryview(mapped)
        self._open.append((view, mapped))
        return view


def drop_above(largest: int) -> Callable[[Callable[[int], bytes], int], Literal | None]:
    """For `Wire.fetch_parts`: keeps literals in memory, and reads away those that are too large for it."""

    def take(read: Callable[[int], bytes], size: int) -> Literal | None:
        if size <= largest:
            return read(size)
        drop(read, size)
        return None

    return take


def drop(read: Callable[[int], bytes], size: int) -> None:
    """Reads so many octets away."""
    while size:
        size -= len(read(min(size, PIECE)))
