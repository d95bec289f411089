"""Bytes to the content lines of each card (RFC 2426, RFC 6350 section 3, vCard 2.1). No meaning yet.

What exports get wrong is read all the same: LF or CR alone, a BOM, UTF-16, quoted-printable broken over
lines, base64 without folds, a charset for each line. A card that cannot be read, such as one that a cut file
leaves without an end, does not hide the next one. Time and memory are linear.
"""

import codecs
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from connectors.charsets import decode_text
from connectors.ical.lines import split_parameters

MAX_FILE = 32 * 1024 * 1024  # octets
MAX_CARDS = 10_000
MAX_CARD = 2 * 1024 * 1024  # octets of one card, its photo included
MAX_LINES = 2_000  # of one card
MAX_DEPTH = 4  # cards within cards (AGENT)
KEPT = 16 * 1024  # octets that are kept of a card that cannot be read

_NAME = re.compile(r"(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9-]+)")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PHYSICAL = re.compile(rb"([^\r\n]*+)(?:\r\n|\n|\r|\Z)")
_BEGIN = re.compile(rb"\s*BEGIN\s*:\s*VCARD\s*", re.IGNORECASE)
_AGENT = re.compile(rb"(?:[A-Za-z0-9-]+\.)?AGENT\s*[:;]", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/=]+\s*")
_END = re.compile(rb"\s*END\s*:\s*VCARD\s*", re.IGNORECASE)


class BadFile(ValueError):
    """The file holds no cards, or more than anybody has. The text says which, and nothing it holds."""


@dataclass(frozen=True, slots=True)
class CardLine:
    """One property."""

    group: str  # "item1" of "item1.TEL"; lower case, empty without
    name: str  # upper case
    types: frozenset[str]  # upper case: those of TYPE, and bare words of vCard 2.1
    params: dict[str, str]  # the others, names in upper case
    value: str  # decoded, still escaped; empty for base64
    raw: bytes
    coded: bytes | None = None  # of a PHOTO in base64: its text, or the beginning of it


@dataclass(slots=True)
class RawCard:
    """What stands between BEGIN and END, or why that is not to be had."""

    number: int  # of the card in the file, from 1
    line: int  # of its BEGIN in the file, from 1
    lines: list[CardLine] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)  # the first KEPT octets
    problem: str = ""  # not empty: it cannot be read
    size: int = 0
    photo: bytearray = field(default_factory=bytearray)  # the first one, in base64
    open: bool = False  # lines of it may follow that nobody folded (vCard 2.1)


def cards(data: bytes) -> Iterator[RawCard]:
    """The cards of a file, in their order. Raises BadFile for the file as a whole."""
    if len(data) > MAX_FILE:
        raise BadFile(f"is larger than {MAX_FILE // 1024 // 1024} MiB: export fewer cards at a time")
    number = 0
    for card in _cards(data):
        number = card.number
        if number > MAX_CARDS:
            raise BadFile(f"holds more than {MAX_CARDS} cards: export fewer at a time")
        yield card
    if number == 0:
        raise BadFile("holds no card: a .vcf file has lines BEGIN:VCARD and END:VCARD")


def _cards(data: bytes) -> Iterator[RawCard]:
    number, depth, agent = 0, 0, False
    card: RawCard | None = None
    for at, raw in _logical(_as_utf8(data)):
        if _BEGIN.fullmatch(raw) and (card is None or not agent):
            if card is not None:
                yield _broken(card, "the card has no END:VCARD")
            number, depth = number + 1, 0
            card = RawCard(number, at)
        elif card is None:
            continue
        elif _BEGIN.fullmatch(raw):
            depth += 1
            if depth > MAX_DEPTH:
                _broken(card, f"cards nested deeper than {MAX_DEPTH}")
        elif _END.fullmatch(raw) and depth:
            depth -= 1
        elif _END.fullmatch(raw):
            yield card
            card = None
        else:
            _take(card, raw, within=depth > 0)
        agent = bool(_AGENT.match(raw)) or (agent and not raw.strip())
    if card is not None:
        yield _broken(card, "the card has no END:VCARD: is the file cut short?")


def _broken(card: RawCard, problem: str) -> RawCard:
    card.problem = card.problem or problem
    card.lines.clear()
    return card


def _take(card: RawCard, raw: bytes, *, within: bool) -> None:
    """Adds a line to the card, but for one of a card within it."""
    card.size += len(raw)
    if len(card.raw) < KEPT:
        card.raw += raw[: KEPT - len(card.raw)] + b"\n"
    if card.size > MAX_CARD:
        _broken(card, f"the card is larger than {MAX_CARD // 1024 // 1024} MiB")
    elif len(card.lines) >= MAX_LINES:
        _broken(card, f"the card has more than {MAX_LINES} lines")
    elif not card.problem and not within:
        found = _line(raw)
        if found is not None:
            card.lines.append(found)
            card.open = found.coded is not None and not card.photo
            card.photo += (found.coded or b"") if card.open else b""
        elif card.open and _BASE64.fullmatch(raw):
            card.photo += raw
        else:
            card.open = False


def _as_utf8(data: bytes) -> bytes:
    for mark, charset in _MARKS:
        if data.startswith(mark):
            bare = data[len(mark) :]
            return bare if charset == "utf-8" else bare.decode(charset, "replace").encode()
    return data


def _logical(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each logical line with the number of its first physical one."""
    parts: list[bytes] = []
    start, soft = 1, False
    for number, found in enumerate(_PHYSICAL.finditer(data), 1):
        raw = found[1]
        if soft:
            parts[-1] = parts[-1][:-1]
            parts.append(raw)
            soft = raw.endswith(b"=")
            continue
        if parts and raw[:1] in {b" ", b"\t"}:
            parts.append(raw[1:])
            continue
        if parts:
            yield start, b"".join(parts)
        parts, start = [raw], number
        soft = raw.endswith(b"=") and b"QUOTED-PRINTABLE" in raw.partition(b":")[0].upper()
    if parts:
        yield start, b"".join(parts)


def _line(raw: bytes) -> CardLine | None:
    """The property; None for what is no content line, such as base64 that nobody folded."""
    head, value = _split(raw)
    name, _, params = head.decode("latin-1").partition(";")
    found = _NAME.fullmatch(name.strip())
    if found is None or value is None:
        return None
    types: set[str] = set()
    others: dict[str, str] = {}
    for piece in split_parameters(params):
        key, equals, text = piece.partition("=")
        key, text = key.strip().upper(), text.replace('"', "").strip()
        if equals and key != "TYPE":
            others.setdefault(key, text)
        else:  # vCard 2.1 has bare words
            types.update(word.strip().upper() for word in (text if equals else key).split(","))
    encoding = others.get("ENCODING", "").upper()
    coded: bytes | None = None
    if "QUOTED-PRINTABLE" in (encoding, *types):
        value = quopri.decodestring(value)
    elif encoding in {"B", "BASE64"} or "BASE64" in types:
        coded, value = value.strip() if found[2].upper() == "PHOTO" else None, b""
    text, _ = decode_text(value, others.get("CHARSET", ""))
    return CardLine((found[1] or "").lower(), found[2].upper(), frozenset(types), others, text, raw, coded)


def _split(raw: bytes) -> tuple[bytes, bytes | None]:
    """What stands before the first colon outside of quotation marks, and what after it."""
    at = raw.find(b":")
    if raw.find(b'"', 0, max(at, 0)) >= 0:
        quoted = False
        for found in re.finditer(rb'[":]', raw):
            if found.group() == b'"':
                quoted = not quoted
            elif not quoted:
                at = found.start()
                break
    return (raw, None) if at < 0 else (raw[:at], raw[at + 1 :])
