"""An HTTP/1.1 answer that arrives in pieces and may never end (RFC 9112). No socket in sight.

The libraries below exchangelib read an answer by waiting for it. A stream of notifications is read when there
is something to read, so its framing is taken off here: chunks, a counted body, or one up to the end.
"""

from connectors.ews.answers import GarbledError

LARGEST_HEAD = 64 * 1024  # octets of status line and header fields, and of trailers
LONGEST_LINE = 4096  # octets of a chunk's size and its extensions
DIGITS = 12  # of a chunk's size in hexadecimal, or of a length: more is no answer
INFORMATIONAL = range(100, 200)
EMPTY = frozenset({204, 304})


class HttpAnswer:
    """Fed with octets, gives those of the body. `status` is 0 until the head is there.

    Once `over`, octets that come after are in `rest`. Memory is bounded by the limits above.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}  # names in lower case; of several lines, joined by a comma
        self.over = False
        self.rest = b""
        self._buffer = bytearray()
        self._left = 0  # octets of the chunk or of the counted body that are to come; -1: up to the end
        self._chunked = False
        self._line_end = False  # the CRLF behind a chunk is to come
        self._trailers = 0  # octets of them so far
        self._last = False  # the chunk of size zero has come

    def feed(self, data: bytes) -> bytes:
        """The octets of the body that are in `data`, decoded. Raises GarbledError."""
        if self.over:
            self.rest += data
            return b""
        self._buffer += data
        body = bytearray()
        while self._step(body):
            pass
        self._settle()
        return bytes(body)

    def ended(self) -> None:
        """The other side closed the connection. Raises GarbledError where the answer is not whole."""
        if not self.over and not (self.status and self._left < 0):
            raise GarbledError("it is cut")
        self.over = True

    def _settle(self) -> None:
        if self.over:
            self.rest, self._buffer = bytes(self._buffer), bytearray()

    def _step(self, body: bytearray) -> bool:
        """Takes one thing from the buffer; False where more octets are needed first, or none."""
        if self.over:
            return False
        if not self.status:
            return self._head()
        if self._left:
            return self._content(body)
        if self._chunked:
            return self._chunk_line()
        self.over = True
        return False

    def _head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or end > LARGEST_HEAD:
            if len(self._buffer) > LARGEST_HEAD:
                raise GarbledError("its head has no end")
            return False
        lines = bytes(self._buffer[:end]).decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        version, _, said = lines[0].partition(" ")
        code = said[:3]
        if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit()) or len(code) < 3:  # noqa: PLR2004 - RFC 9112 section 4
            raise GarbledError("it is no HTTP")
        if int(code) in INFORMATIONAL:
            return True
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or not name or name != name.strip():
                raise GarbledError("a header field is none")
            known = self.headers.get(name.lower())
            self.headers[name.lower()] = value.strip() if known is None else f"{known}, {value.strip()}"
        self.status = int(code)
        self._frame()
        return True

    def _frame(self) -> None:
        """How the body's end is told (RFC 9112 section 6.3)."""
        coding = self.headers.get("transfer-encoding", "").lower()
        length = self.headers.get("content-length")
        if coding and coding != "chunked":
            raise GarbledError("its transfer encoding is not known")
        if self.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
            raise GarbledError("it is compressed, which nobody asked for")
        if self.status in EMPTY:
            return
        if coding:
            self._chunked = True
        elif length is None:
            self._left = -1
        elif length.isascii() and length.isdigit() and len(length) <= DIGITS:
            self._left = int(length)
        else:
            raise GarbledError("its length is none")

    def _content(self, body: bytearray) -> bool:
        if not self._buffer:
            return False
        taken = self._buffer if self._left < 0 else self._buffer[: self._left]
        body += taken
        if self._left > 0:
            self._left -= len(taken)
            self._line_end = self._chunked and not self._left
        del self._buffer[: len(taken)]
        return True

    def _chunk_line(self) -> bool:
        """The size of the next chunk, the CRLF behind the one before, or a trailer."""
        end = self._buffer.find(b"\r\n")
        if end < 0 or end > LONGEST_LINE:
            if len(self._buffer) > LONGEST_LINE:
                raise GarbledError("a chunk has no size")
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if self._line_end:
            if line:
                raise GarbledError("a chunk is longer than it says")
            self._line_end = False
        elif self._last:
            self._trailers += len(line) + 2
            if self._trailers > LARGEST_HEAD:
                raise GarbledError("its trailers have no end")
            self.over = not line
        else:
            size = line.partition(b";")[0].strip(b" \t")
            if not size or len(size) > DIGITS or size.strip(b"0123456789abcdefABCDEF"):
                raise GarbledError("a chunk has no size")
            self._left = int(size, 16)
            self._last = not self._left
        return True
