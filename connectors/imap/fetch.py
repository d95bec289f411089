"""From the answer to a FETCH to records. Pure: bytes in, records out, no connection here.

imapclient's parser walks every answer letter by letter, which costs more than the network. The answers to
our own two questions have a handful of items in them, so one regular expression reads those; whatever it
does not recognise (a quoted string instead of a literal, NIL, items nobody asked for) goes through
imapclient's parser. A property test holds the two equal.
"""

import re
from binascii import Error as Base64Error
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from imapclient import imap_utf7
from imapclient.exceptions import ProtocolError
from imapclient.response_parser import parse_response

from connectors.model import MessageHead

Literal = bytes | memoryview
Part = tuple[bytes, Literal | None]  # a piece of line, and the literal it announces; None if there is none

_ITEM = re.compile(
    rb" ?(?:UID (?P<uid>\d{1,10})"
    rb"|RFC822\.SIZE (?P<size>\d{1,15})"
    rb'|INTERNALDATE "(?P<date>[^"\\]*)"'
    rb"|FLAGS \((?P<flags>[^()\"{\\]*(?:\\[^()\"{\\ ]+[^()\"{\\]*)*)\)"
    rb"|(?P<modseq>MODSEQ \(\d+\))"
    rb"|(?P<body>BODY\[[^\]\"]*\])(?:<\d+>)? \{\d+\})(?=[ )]|\Z)",
    re.IGNORECASE,
)
_DATE = re.compile(rb"([ \d]?\d)-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-]\d{4})")
_MONTHS = {
    name: number
    for number, name in enumerate(
        (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"), 1
    )
}


@dataclass(slots=True)
class Fetched:
    """What one FETCH answer says of one message; None where it does not say."""

    uid: int | None = None
    size: int | None = None
    received_at: datetime | None = None
    keywords: frozenset[str] | None = None
    content: Literal | None = None  # the header fields or the body, whichever was asked for

    def update(self, other: "Fetched") -> None:
        """Takes over what the other one knows: a server may tell of a message in several answers."""
        self.size = self.size if other.size is None else other.size
        self.received_at = other.received_at or self.received_at
        self.keywords = self.keywords if other.keywords is None else other.keywords
        self.content = self.content if other.content is None else other.content

    def head(self) -> MessageHead | None:
        """The record for the engine; None while something is missing."""
        if (
            self.uid is None
            or self.size is None
            or self.received_at is None
            or self.keywords is None
            or self.content is None
        ):
            return None
        return MessageHead(self.uid, self.size, self.received_at, self.keywords, bytes(self.content))


def parse(parts: Sequence[Part]) -> Fetched | None:
    """One answer, from the opening parenthesis on. None where it is not the answer to a FETCH at all."""
    return parse_quickly(parts) or parse_thoroughly(parts)


def parse_quickly(parts: Sequence[Part]) -> Fetched | None:
    """Reads the usual answer in one pass; None for anything else."""
    found = Fetched()
    match = _ITEM.match
    last = len(parts) - 1
    for number, (text, literal) in enumerate(parts):
        position = 0 if number else 1
        end = len(text)
        if number == 0 and text[:1] != b"(":
            return None
        if number == last:
            if text[-1:] != b")":
                return None
            end -= 1
        while position < end:
            item = match(text, position)
            if item is None:
                return None
            position = item.end()
            if item.lastgroup == "body":
                if position != end or number == last:
                    return None
                found.content = literal
            else:
                _note(found, item)
    return found


def _note(found: Fetched, item: re.Match[bytes]) -> None:
    kind = item.lastgroup
    if kind == "uid":
        found.uid = int(item["uid"])
    elif kind == "size":
        found.size = int(item["size"])
    elif kind == "date":
        found.received_at = internaldate(item["date"])
    elif kind == "flags":
        found.keywords = keywords(item["flags"])


def parse_thoroughly(parts: Sequence[Part]) -> Fetched | None:
    """Reads any answer that imapclient can read."""
    try:
        answer = parse_response([text if literal is None else (text, literal) for text, literal in parts])
    except (ProtocolError, ValueError, AssertionError):
        return None
    items = answer[0] if len(answer) == 1 else None
    if not isinstance(items, tuple) or len(items) % 2:
        return None
    found = Fetched()
    for name, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(name, bytes):
            return None
        _take(found, name.upper(), value)
    return found


def _take(found: Fetched, name: bytes, value: object) -> None:
    if name == b"UID" and isinstance(value, int):
        found.uid = value
    elif name == b"RFC822.SIZE" and isinstance(value, int):
        found.size = value
    elif name == b"INTERNALDATE" and isinstance(value, bytes):
        found.received_at = internaldate(value)
    elif name == b"FLAGS" and isinstance(value, tuple):
        found.keywords = frozenset(_keyword(word) for word in value if isinstance(word, bytes | int))
    elif name.startswith(b"BODY["):
        if isinstance(value, int):  # a number, unquoted or in quotes
            value = b"%d" % value
        if isinstance(value, bytes | memoryview):
            found.content = value
        elif value is None:  # NIL: the message has no such field, or no text
            found.content = b""


@lru_cache(maxsize=1024)
def keywords(flags: bytes) -> frozenset[str]:
    """The words of a FLAGS list, decoded: a keyword such as `Priv&AOk-` is a word in modified UTF-7."""
    return frozenset(_keyword(word) for word in flags.split())


def _keyword(word: bytes | int) -> str:
    if isinstance(word, int):
        return str(word)
    if not word.isascii():
        return word.decode("utf-8", "replace")
    try:
        text: str = imap_utf7.decode(word)
        text.encode()
    except (UnicodeError, Base64Error):
        return word.decode("ascii")
    return text if text.isprintable() else word.decode("ascii")


def internaldate(text: bytes) -> datetime | None:
    """The date-time of RFC 3501 section 9, aware; None where it is none. A senseless zone is taken as UTC."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    day, month, year, hour, minute, second, zone = found.groups()
    try:
        return datetime(
            int(year),
            _MONTHS[month.lower()],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),  # a leap second
            tzinfo=_zone(zone),
        )
    except (ValueError, KeyError):
        return None


@lru_cache(maxsize=256)
def _zone(text: bytes) -> timezone:
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[3:]))
    if offset >= timedelta(hours=24):
        return UTC
    return timezone(-offset if text[:1] == b"-" else offset)
