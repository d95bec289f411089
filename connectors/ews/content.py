"""The contents of messages out of one answer to GetItem, read as it arrives.

The MIME content is base64 inside XML: a message of 100 MB would be 140 MB of text, and a tree of it more.
So the answer is parsed by events, the base64 decoded piece by piece, and what is large goes to a file.
"""

import binascii
import mmap
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from exchangelib.util import MNS, TNS

from connectors.ews.answers import GarbledError

LARGEST_IN_MEMORY = 4 * 1024 * 1024  # octets of one message
_MESSAGE, _CODE, _MIME, _ID = (
    f"{MNS} GetItemResponseMessage",
    f"{MNS} ResponseCode",
    f"{TNS} MimeContent",
    f"{TNS} ItemId",
)


class Pile:
    """The octets of one message: in memory while they are few, then in a file without a name."""

    def __init__(self, directory: Path, *, in_memory: int) -> None:
        self._directory = directory
        self._limit = min(in_memory, LARGEST_IN_MEMORY)
        self._held = bytearray()
        self._file: BinaryIO | None = None
        self._view: memoryview | None = None
        self._mapped: mmap.mmap | None = None
        self.size = 0
        self.failure: OSError | None = None  # why the octets were dropped: no room on the disk

    def write(self, piece: bytes) -> None:
        """Takes the next octets. Where the disk takes no more, `failure` says so and the rest is dropped."""
        self.size += len(piece)
        if self.failure is not None:
            return
        try:
            if self._file is None and self.size > self._limit:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = tempfile.TemporaryFile(dir=self._directory, buffering=0)  # noqa: SIM115 - closed by `close`
                _write(self._file, self._held)
                self._held = bytearray()
            if self._file is None:
                self._held += piece
            else:
                _write(self._file, piece)
        except OSError as error:
            self._fail(error)

    @property
    def held(self) -> int:
        """Octets in memory."""
        return len(self._held)

    def content(self) -> memoryview | None:
        """All octets, read-only, valid until `close`; None where they were dropped."""
        if self.failure is not None or self._view is not None:
            return self._view
        if self._file is None:
            self._view = memoryview(bytes(self._held))
            self._held = bytearray()
            return self._view
        try:
            self._mapped = mmap.mmap(self._file.fileno(), self.size, access=mmap.ACCESS_READ)
        except OSError as error:
            self._fail(error)
            return None
        self._view = memoryview(self._mapped)
        return self._view

    def close(self) -> None:
        """Gives back memory and disk."""
        try:
            if self._view is not None:
                self._view.release()
            if self._mapped is not None:
                self._mapped.close()
        except BufferError:  # somebody still looks at a slice of it: it goes when they let go
            pass
        if self._file is not None:
            self._file.close()
        self._view = self._mapped = self._file = None
        self._held = bytearray()

    def _fail(self, error: OSError) -> None:
        self.failure = error
        self._held = bytearray()
        if self._file is not None:
            self._file.close()
            self._file = None


def _write(file: BinaryIO, octets: bytes | bytearray) -> None:
    """All of it: a file without a buffer may take less at once. Raises OSError."""
    rest = memoryview(octets)
    while rest:
        rest = rest[file.write(rest) :]


@dataclass(slots=True)
class Found:
    """What the answer says of one message, in the order of what was asked for."""

    code: str = ""  # the response code
    id: str = ""
    pile: Pile | None = None  # None: no content


class Reader:
    """Takes the pieces of one answer. `close` gives back what it holds."""

    def __init__(self, directory: Path, *, in_memory: int) -> None:
        self.found: list[Found] = []
        self._directory = directory
        self._in_memory = in_memory
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._into = ""  # the element whose text is wanted
        self._words: list[str] = []
        self._rest = b""  # base64 that does not make three octets yet

    def read(self, pieces: Iterable[bytes]) -> list[Found]:
        """What the whole answer says. Raises GarbledError where it is not well-formed, or cut."""
        try:
            for piece in pieces:
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise GarbledError(expat.ErrorString(error.code)) from None
        except binascii.Error:
            raise GarbledError("a content that is no base64") from None
        return self.found

    def close(self) -> None:
        """Nothing that was found is valid any more."""
        for pile in self._piles():
            pile.close()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == _MESSAGE:
            self.found.append(Found())
        elif self.found and name in {_CODE, _MIME}:
            self._into, self._words, self._rest = name, [], b""
            if name == _MIME:
                room = self._in_memory - sum(pile.held for pile in self._piles())
                self.found[-1].pile = Pile(self._directory, in_memory=max(room, 0))
        elif self.found and name == _ID and not self.found[-1].id:
            self.found[-1].id = attributes.get("Id", "")

    def _piles(self) -> Iterator[Pile]:
        return (one.pile for one in self.found if one.pile is not None)

    def _text(self, data: str) -> None:
        if self._into == _CODE:
            self._words.append(data)
        elif self._into == _MIME:
            octets = self._rest + "".join(data.split()).encode("ascii", "replace")
            whole = len(octets) - len(octets) % 4
            self._rest = octets[whole:]
            self._decoded(octets[:whole])

    def _end(self, name: str) -> None:
        if name != self._into:
            return
        if name == _CODE:
            self.found[-1].code = "".join(self._words).strip()
        elif self._rest:
            self._decoded(self._rest + b"=" * (-len(self._rest) % 4))
        self._into = ""

    def _decoded(self, octets: bytes) -> None:
        pile = self.found[-1].pile
        if pile is not None and octets:
            pile.write(binascii.a2b_base64(octets, strict_mode=True))

    @staticmethod
    def _doctype(*_: object) -> None:
        raise GarbledError("it declares a document type")
