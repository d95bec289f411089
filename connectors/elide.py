"""The skeleton of a mail: where its header blocks and parts lie, without touching what they hold.

Everything but header blocks and delimiter lines is left out. A part is a range of the message, found by
searching for the delimiters of the multipart around it, and decoded piece by piece only when it is asked
for. So a message costs what its headers and its text cost, and a 50 MB attachment in a memory map never
exists in memory. Octets only: what a field says is the business of `connectors.headers`.
"""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

HEADER_LIMIT = 1 << 20  # octets of one header block that are read
FIELDS_LIMIT = 20_000  # of one header block
_HELD = 4 << 20  # a message up to this size is held as bytes, which search fastest
_WINDOW = 1 << 20
_CHUNK = 1 << 17


class Source:
    """The octets of a message, which may be a memory map too large to hold."""

    __slots__ = ("_data", "_view", "size")

    def __init__(self, content: memoryview | bytes) -> None:
        # Not a view of the view: releasing the one given must let go of the map behind it.
        self._view = content if isinstance(content, memoryview) else memoryview(content)
        self.size = len(content)
        self._data: bytes | None = None
        if isinstance(content, bytes):
            self._data = content
        elif self.size <= _HELD:
            self._data = bytes(content)

    def read(self, start: int, end: int) -> bytes:
        return self._data[start:end] if self._data is not None else bytes(self._view[start:end])

    def find(self, needle: bytes, start: int, end: int) -> int:
        """As `bytes.find`."""
        if self._data is not None:
            return self._data.find(needle, start, end)
        overlap = len(needle) - 1
        while start + overlap < end:
            found = bytes(self._view[start : min(start + _WINDOW, end)]).find(needle)
            if found >= 0:
                return start + found
            start += _WINDOW - overlap
        return -1

    def windows(self, start: int, end: int) -> Iterator[bytes]:
        for position in range(start, end, _CHUNK):
            yield self.read(position, min(position + _CHUNK, end))


# --- header blocks ------------------------------------------------------------------------------------

# A field with its continuation lines, or a line that is none. White space before the colon is obsolete
# and tolerated (RFC 5322 §4.5.8).
_FIELD = re.compile(
    rb"(?:([!-9;-~]+)[ \t]*:[ \t]*([^\r\n]*+(?:(?:\r\n|\r|\n)[ \t][^\r\n]*+)*)|[^\r\n]*+)(?:\r\n|\r|\n|\Z)"
)
_STRAY = re.compile(rb"(?:\A|\r\n|\r(?!\n)|\n)(?![!-9;-~]+[ \t]*:|[ \t])([^\r\n]*)")
_WELL_KNOWN = re.compile(
    rb"[\r\n](?:from|to|cc|subject|date|message-id|mime-version|received|content-type|sender|reply-to"
    rb"|references|in-reply-to|return-path|content-transfer-encoding)[ \t]*:",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Block:
    """A header block as read."""

    fields: list[tuple[str, bytes]]  # lower-cased name, raw value
    body: int  # where the body begins
    defects: tuple[str, ...] = ()


def read_block(source: Source, start: int, end: int) -> Block:
    """The header block that begins at `start`, of a part that ends at `end`."""
    block, length, after = b"", -1, -1
    for size in (1 << 12, 1 << 16, HEADER_LIMIT):
        block = source.read(start, min(start + size, end))
        length, after = _first_blank_line(block)
        if length >= 0 or start + size >= end:
            break
    defects: list[str] = []
    body = end
    if length >= 0:
        block, body = block[:length], start + after
    elif start + len(block) < end:
        body = _end_of_long_header(source, start + len(block) - 3, end)
        defects.append("header longer than 1 MiB: only its beginning was read")
    lines = _lines(block)
    fields = [(name.decode("ascii").lower(), value) for name, value in lines if name]
    if len(lines) > len(fields):
        ends = _end_of_fields(block, terminated=length >= 0)
        if ends is not None:
            body = start + ends
            block = block[:ends]
            fields = [(name.decode("ascii").lower(), value) for name, value in _lines(block) if name]
        defects.append("lines in the header that are no header fields")
    if len(fields) >= FIELDS_LIMIT:
        defects.append("too many header fields: only the first ones were read")
    return Block(fields, body, tuple(defects))


def _lines(block: bytes) -> list[tuple[bytes, bytes]]:
    if not block:
        return []
    if len(block) < 1 << 16:
        lines: list[tuple[bytes, bytes]] = _FIELD.findall(block)
    else:
        lines = [(m[1] or b"", m[2] or b"") for m in islice(_FIELD.finditer(block), FIELDS_LIMIT)]
    if lines[-1] == (b"", b""):  # the empty match at the very end
        lines.pop()
    return lines


def _first_blank_line(block: bytes) -> tuple[int, int]:
    """How long the fields before the first empty line are, and where the octets after it begin."""
    for ending in (b"\r\n", b"\n", b"\r"):
        if block.startswith(ending):
            return 0, len(ending)
    best = len(block)
    after = -1
    for blank in (b"\n\r\n", b"\n\n", b"\r\r\n", b"\r\r"):
        found = block.find(blank, 0, best + len(blank))
        if 0 <= found < best:
            best, after = found, found + len(blank)
    return (best + 1, after) if after >= 0 else (-1, -1)


def _end_of_long_header(source: Source, start: int, end: int) -> int:
    for position in range(start, end, _CHUNK):
        length, after = _first_blank_line(b"x" + source.read(position, min(position + _CHUNK + 4, end)))
        if length >= 0:
            return position + after - 1
    return end


def _end_of_fields(block: bytes, *, terminated: bool) -> int | None:
    """Where the body begins without an empty line before it; None where stray lines are to be skipped.

    A mail server hands out the fields after a stray line too, so they count if they look like a header.
    """
    last_known = max((found.start() for found in _WELL_KNOWN.finditer(block)), default=-1)
    for stray in _STRAY.finditer(block):
        line, end = stray[1], stray.end()
        if end == len(block) and not line:
            continue
        if stray.start() == 0 and line.startswith((b"From ", b">From ")):  # an mbox separator
            continue
        if not line:  # an empty line with another line ending than its neighbours
            return end + (2 if block.startswith(b"\r\n", end) else 1)
        if line.startswith(b"--") or not terminated or end > last_known:
            return stray.start(1)
    return None


# --- multiparts ---------------------------------------------------------------------------------------

_DELIMITER_END = re.compile(rb"(--)?[ \t]*(?:\r\n|\r|\n|\Z)")
_LAST_BREAK = re.compile(rb"(?:\r\n|\r|\n)\Z")
_FIRST_DELIMITER = re.compile(rb"(?:\A|[\r\n])--([!-~](?:[ -~]{0,199}[!-~])?)[ \t]*[\r\n]")


def split_parts(source: Source, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """The ranges of the parts of a multipart, and whether a delimiter line closes each (RFC 2046 §5.1).

    Yields nothing where the boundary never occurs.
    """
    needle = b"--" + boundary
    part = -1
    position = start
    while (found := source.find(needle, position, end)) >= 0:
        position = found + len(needle)
        before = source.read(max(found - 2, start), found)
        if before and before[-1] not in b"\r\n":
            continue
        line_end = _DELIMITER_END.match(source.read(position, min(position + 200, end)))
        if line_end is None:
            continue
        if part >= 0:
            line_break = 2 if before == b"\r\n" else 1
            yield part, max(part, found - line_break), True
        if line_end[1]:
            return
        position = part = position + line_end.end()
    if part >= 0:  # the last line break is as little of the part as with a delimiter
        last = _LAST_BREAK.search(source.read(max(part, end - 2), end))
        yield part, end - len(last[0]) if last else end, False


def guess_boundary(source: Source, start: int, end: int) -> bytes:
    """The boundary of a multipart that does not tell it: that of the first line that looks like one."""
    found = _FIRST_DELIMITER.search(source.read(start, min(start + _CHUNK, end)))
    return found[1] if found is not None else b""


# --- transfer encodings (RFC 2045 §6) -------------------------------------------------------------------

_BASE64_LINES = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n"
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64_LINES)) + b"\r\n"
_PADDING = re.compile(rb"=+")
_PADDED_BREAK = re.compile(rb"=[ \t]+(?=[\r\n])")
_LONE_RETURN = re.compile(rb"=\r(?!\n)")


def decoded(source: Source, start: int, end: int, encoding: str) -> Iterator[bytes]:
    """The octets of a part in chunks. An encoding that is unknown is taken for none."""
    windows = source.windows(start, end)
    if encoding == "base64":
        return _base64(windows)
    if encoding == "quoted-printable":
        return _quoted_printable(windows)
    if encoding in {"x-uuencode", "uuencode", "uue", "x-uue"}:
        return _uuencoded(windows)
    return windows


def _base64(windows: Iterator[bytes]) -> Iterator[bytes]:
    """Skips what is not of the alphabet, and stops at padding unless nothing but Base64 follows it:
    what a mailing list adds after the last line must not become part of the file."""
    held = b""
    for window in windows:
        data = held + window.translate(None, _NOT_BASE64)
        if b"=" not in data:
            whole = len(data) & ~3
            yield binascii.a2b_base64(data[:whole])
            held = data[whole:]
            continue
        following = window if b"=" in held else window.partition(b"=")[2]
        settled = data.rstrip(b"=")  # padding at the end of a window may go on in the next one
        octets, rest, stop = _padded_base64(settled, go_on=not following.translate(None, _BASE64_LINES))
        yield octets
        if stop:
            return
        held = rest + data[len(settled) : len(settled) + 2]
    rest = held.replace(b"=", b"")
    if len(rest) > 1:
        yield binascii.a2b_base64(rest + b"=" * (4 - len(rest)))


def _padded_base64(data: bytes, *, go_on: bool) -> tuple[bytes, bytes, bool]:
    """The octets, the characters of an unfinished group of four, and whether the padding ended it all."""
    out: list[bytes] = []
    pieces: list[bytes] = []
    count = position = 0
    for padding in _PADDING.finditer(data):
        pieces.append(data[position : padding.start()])
        count += padding.start() - position
        position = padding.end()
        missing = -count % 4
        if missing not in {1, 2} or len(padding[0]) < missing:  # too early to be padding
            continue
        out.append(binascii.a2b_base64(b"".join(pieces) + b"=" * missing))
        pieces, count = [], 0
        if not go_on:
            return b"".join(out), b"", True
    pieces.append(data[position:])
    joined = b"".join(pieces)
    whole = len(joined) & ~3
    out.append(binascii.a2b_base64(joined[:whole]))
    return b"".join(out), joined[whole:], False


def _quoted_printable(windows: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for window in windows:
        data = held + window
        cut = data.rfind(b"\n") + 1
        if not cut:  # one long line: never cut inside of =XX
            escape = data.rfind(b"=", max(0, len(data) - 4))
            cut = escape if escape >= 0 else len(data)
        yield _unquote(data[:cut])
        held = data[cut:]
    yield _unquote(held)


def _unquote(data: bytes) -> bytes:
    if b"= " in data or b"=\t" in data:
        data = _PADDED_BREAK.sub(b"=", data)
    if data.count(b"=\r") != data.count(b"=\r\n"):  # a2b_qp would drop what is up to the next line feed
        data = _LONE_RETURN.sub(b"", data)
    return binascii.a2b_qp(data)


def _uuencoded(windows: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    begun = False
    for window in windows:
        *lines, held = (held + window).splitlines(keepends=True)
        held = held[-_CHUNK:]
        out: list[bytes] = []
        for line in lines:
            if not begun:
                begun = line.startswith(b"begin ")
            elif line.rstrip() == b"end":
                yield b"".join(out)
                return
            else:
                out.append(_uu_line(line))
        yield b"".join(out)
    if begun and held.rstrip() != b"end":
        yield _uu_line(held)


def _uu_line(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # some encoders add characters at the end of a line
        length = (((line[0] - 32) & 63) * 4 + 5) // 3
    try:
        return binascii.a2b_uu(line[:length])
    except binascii.Error:
        return b""
