"""Content lines: bytes to lines and components, and back (RFC 5545 section 3.1, RFC 6868). No meaning yet.

Every line keeps the bytes it came from, so that what nobody changes is written as it was read. Lines that
end in LF, a BOM, tabs, blank lines and lines of any length are taken; a text that a client broke without
folding it stays with the line before it.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple, Self

MAX_SIZE = 5_000_000  # octets of one item
MAX_LINES = 1_000_000  # as they are folded
MAX_DEPTH = 8  # components within components
_INNER = 0x80  # how every octet of a UTF-8 character but its first one begins
FOLD = 75  # octets of a line without its end

_NAME = re.compile(r"[A-Za-z0-9-]+\Z")
_TEXTS = frozenset({"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "X-ALT-DESC", "STYLED-DESCRIPTION"})
# Their values hold no colon, their TZID may ("(UTC+01:00) Brussels", not quoted by some clients).
_TIMES = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID", "EXDATE", "RDATE", "TRIGGER"})


class Unreadable(ValueError):
    """What was read is not one event or task. The text says which line and why, and nothing it holds."""


class Line(NamedTuple):
    """One content line. `params` is as written, without the first semicolon; see `parameters`."""

    name: str  # upper case, without a group ("item1.")
    params: str
    value: str
    raw: bytes  # with its folds and its end
    number: int  # of its first line in the source, from 1; 0 for a line that was made here


class Node:
    """A component: its lines and inner components, in their order. `begin` and `end` are its own lines."""

    __slots__ = ("begin", "end", "entries", "name")

    def __init__(self, name: str, begin: Line) -> None:
        self.name = name
        self.begin = begin
        self.end = begin
        self.entries: list[Line | Self] = []

    @property
    def lines(self) -> Iterator[Line]:
        """Its own lines."""
        return (entry for entry in self.entries if isinstance(entry, Line))

    @property
    def children(self) -> Iterator[Self]:
        """The components right inside it."""
        return (entry for entry in self.entries if not isinstance(entry, Line))

    def first(self, name: str) -> Line | None:
        """Its first line of that name."""
        return next((line for line in self.lines if line.name == name), None)

    def write(self) -> bytes:
        """Its bytes."""
        parts: list[bytes] = []
        self._collect(parts)
        return b"".join(parts)

    def _collect(self, parts: list[bytes]) -> None:
        parts.append(self.begin.raw)
        for entry in self.entries:
            if isinstance(entry, Line):
                parts.append(entry.raw)
            else:
                entry._collect(parts)  # noqa: SLF001 - the same class; MAX_DEPTH bounds it
        parts.append(self.end.raw)


class Document(NamedTuple):
    """A calendar object, and the blank lines before it."""

    before: bytes
    root: Node

    def write(self) -> bytes:
        """Its bytes: those it was parsed from, but for what was changed."""
        return self.before + self.root.write()


def parse(data: bytes) -> Document:
    """The one VCALENDAR in `data`. Raises Unreadable; time and memory are linear."""
    if len(data) > MAX_SIZE:
        raise Unreadable(f"larger than {MAX_SIZE} octets")
    if data.count(b"\n") > MAX_LINES:
        raise Unreadable(f"more than {MAX_LINES} lines")
    return _parsed(_lines_and_zones(data))


def _parsed(lines: Iterable[Line | Node]) -> Document:
    stack: list[Node] = []
    root: Node | None = None
    before: list[bytes] = []
    for line in lines:
        if isinstance(line, Node):
            if not stack:
                raise Unreadable(f"line {line.begin.number}: stands outside of VCALENDAR")
            stack[-1].entries.append(line)
        elif not line.name:
            before.append(line.raw)
        elif line.name == "BEGIN":
            node = _begin(line, stack, root)
            root = root or node
            stack.append(node)
        elif not stack:
            raise Unreadable(f"line {line.number}: stands outside of VCALENDAR")
        elif line.name == "END":
            node = stack.pop()
            if line.value.strip().upper() != node.name:
                raise Unreadable(f"line {line.number}: ends another component than the one that began")
            node.end = line
        else:
            stack[-1].entries.append(line)
    if root is None:
        raise Unreadable("no VCALENDAR in it")
    if stack:
        raise Unreadable(f"the component that begins in line {stack[-1].begin.number} has no end: cut short?")
    return Document(b"".join(before), root)


def _begin(line: Line, stack: list[Node], root: Node | None) -> Node:
    node = Node(line.value.strip().upper(), line)
    if len(stack) == MAX_DEPTH:
        raise Unreadable(f"line {line.number}: components nested deeper than {MAX_DEPTH}")
    if stack:
        stack[-1].entries.append(node)
    elif root is not None or node.name != "VCALENDAR":
        raise Unreadable(f"line {line.number}: begins something other than one VCALENDAR")
    return node


def _lines_and_zones(data: bytes) -> Iterator[Line | Node]:
    """The logical lines, with a time zone in one piece: it is half of most items, and the same in all."""
    start, number = 0, 1
    for found in _ZONE.finditer(data):
        raw = found.group()
        node = _zone(raw) if len(raw) <= _USUAL_ZONE else None
        if node is None:
            continue
        yield from _lines(data[start : found.start()], number)
        yield node
        number += data.count(b"\n", start, found.end())
        start = found.end()
    yield from _lines(data[start:], number)


# As clients write one; what stands in another way is read line by line. No line of it begins another one,
# so that many without an end are no work; what follows it begins one or ends, so it continues nothing.
_ZONE = re.compile(
    rb"(?<=\n)BEGIN:VTIMEZONE\r\n(?:(?!END:VTIMEZONE|BEGIN:V)[^\n]*+\n)*+END:VTIMEZONE\r\n(?=BEGIN:|END:VC)"
)
_USUAL_ZONE = 10_000  # octets


@lru_cache(maxsize=256)
def _zone(raw: bytes) -> Node | None:
    """The time zone, shared by all that have it: nobody changes one. None where it is broken."""
    try:
        whole = _parsed(_lines(b"BEGIN:VCALENDAR\r\n" + raw + b"END:VCALENDAR\r\n", 0))
    except Unreadable:
        return None
    found = list(whole.root.children)
    return found[0] if len(found) == 1 else None


def _lines(data: bytes, number: int) -> Iterator[Line]:
    """The logical lines, the first one with that number. What is no line, a blank one too, belongs to the one
    before it; a blank one at the very beginning has no name."""
    held: Line | None = None
    loose: list[tuple[str, bytes]] = []
    after = number
    for raw in _LOGICAL.findall(data):
        number, after = after, after + raw.count(b"\n")
        parts = _usual_parts(raw) if len(raw) <= _USUAL else _parts(_text(raw))
        if parts is not None:
            if held is not None:
                yield _with(held, loose) if loose else held
                loose = []
            held = Line(*parts, raw, number)
        elif held is not None:
            loose.append((_text(raw), raw))
        elif _text(raw).strip(_NOTHING):
            raise Unreadable(f"line {number}: not a content line")
        else:
            yield Line("", "", "", raw, number)
    if held is not None:
        yield _with(held, loose) if loose else held


_NOTHING = "\ufeff \t\r\0"


def _with(line: Line, loose: list[tuple[str, bytes]]) -> Line:
    raw = b"".join([line.raw, *(raw for _, raw in loose)])
    while loose and not loose[-1][0].strip(_NOTHING):
        loose.pop()
    if line.name not in _TEXTS:
        return line._replace(raw=raw)
    return line._replace(value="\\n".join([line.value, *(text for text, _ in loose)]), raw=raw)


# A physical line and those that continue it, or a last one without an end. A lone CR is part of a text.
# Possessive (`*+`): a line folded a million times is no million places to come back to.
_LOGICAL = re.compile(rb"[^\n]*+\n(?:[ \t][^\n]*+(?:\n|\Z))*+|[^\n]++")


def _text(raw: bytes) -> str:
    bare = raw.rstrip(b"\r\n")
    if b"\n" in bare:
        bare = bare.replace(b"\r\n", b"\n").replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        return bare.decode()
    except UnicodeDecodeError:
        return bare.decode("cp1252", "replace")


def _parts(text: str) -> tuple[str, str, str] | None:
    """Name, parameters and value of a line; None for what is no content line."""
    head, colon, value = text.partition(":")
    if not colon:
        return None
    name, semicolon, params = head.partition(";")
    size = len(name)
    name = name.upper()
    if semicolon:
        if name in _TIMES:
            params, _, value = text[size + 1 :].rpartition(":")
        elif '"' in params:
            end = _end_of_parameters(text, size)
            params, value = text[size + 1 : end], text[end + 1 :]
    if not name.isalnum() or not name.isascii():
        name = name.lstrip("\ufeff").rpartition(".")[2]
        if not _NAME.match(name):
            return None
    return name, params, value


_USUAL = 48  # octets of a line that may well be in every item: BEGIN, END, those of the usual time zones


@lru_cache(maxsize=1024)
def _usual_parts(raw: bytes) -> tuple[str, str, str] | None:
    return _parts(_text(raw))


_STOP = re.compile('[":]')


def _end_of_parameters(text: str, start: int) -> int:
    """Where the colon before the value is: the first one of all where a quotation has no end."""
    quoted = False
    for found in _STOP.finditer(text, start):
        if found.group() == '"':
            quoted = not quoted
        elif not quoted:
            return found.start()
    return text.index(":", start)


# --- parameters -------------------------------------------------------------------------------------


def split_parameters(params: str) -> list[str]:
    """The parameters as written, `NAME=value` each."""
    if not params:
        return []
    if '"' not in params:
        return params.split(";")
    pieces: list[str] = []
    current: list[str] = []
    for index, part in enumerate(params.split('"')):
        if index % 2:
            current.append(f'"{part}"')
            continue
        first, *others = part.split(";")
        current.append(first)
        for other in others:
            pieces.append("".join(current))
            current = [other]
    return [*pieces, "".join(current)]


def parameters(params: str) -> dict[str, str]:
    """Names in upper case, values without quotation marks and escapes (RFC 6868). The first one counts."""
    found: dict[str, str] = {}
    for piece in split_parameters(params):
        name, equals, value = piece.partition("=")
        if equals:
            found.setdefault(name.strip().upper(), _unquoted(value))
    return found


_CARETS = re.compile(r"\^[n'^]")
_UNCARET = {"^n": "\n", "^'": '"', "^^": "^"}


def _unquoted(value: str) -> str:
    if '"' in value:
        value = value.replace('"', "")
    if "^" in value:
        value = _CARETS.sub(lambda found: _UNCARET[found.group()], value)
    return value


def parameter(name: str, value: str) -> str:
    """`NAME=value`, escaped (RFC 6868) and quoted where it has to be."""
    value = value.replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'{name}="{value}"' if any(mark in value for mark in ",;: ") else f"{name}={value}"


# --- writing ----------------------------------------------------------------------------------------


def make(name: str, params: str, value: str, end: bytes) -> Line:
    """A new line, folded (RFC 5545 section 3.1) between characters, each part ended by `end`."""
    head = f"{name};{params}" if params else name
    return Line(name, params, value, fold(f"{head}:{value}".encode("utf-8", "replace"), end), 0)


def fold(text: bytes, end: bytes) -> bytes:
    """The line in parts of at most 75 octets, never within a character."""
    if len(text) <= FOLD:
        return text + end
    parts: list[bytes] = []
    start, room = 0, FOLD
    while len(text) - start > room:
        stop = start + room
        while text[stop] & 0xC0 == _INNER:
            stop -= 1
        parts.append(text[start:stop])
        start, room = stop, FOLD - 1
    parts.append(text[start:])
    return (end + b" ").join(parts) + end
