"""Header fields of a mail, from raw octets to what they say: text, addresses, dates, message ids.

Nothing here raises on what a stranger wrote, and everything takes time linear in its input. Plain ASCII
takes a short way; the long way must give the same answer, and a property test holds it to that.
"""

import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_tz
from functools import lru_cache

import idna

from connectors.charsets import decode_text
from connectors.model import Address

MAX_ADDRESSES = 20_000  # of one field; beyond it, it is an attack on memory and not a mail
MAX_IDS = 1_000
_MAX_ID = 998  # octets: the longest line of RFC 5322 §2.1.1, and well inside a database index
_MAX_NAME = 500

# --- text -------------------------------------------------------------------------------------------

_FOLD = re.compile(r"[\r\n]+[ \t]*")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]")
_WORD = re.compile(r"=\?([^?*\s]{1,64})(?:\*[^?\s]{0,64})?\?([bBqQ])\?")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def one_line(text: str) -> str:
    """The text without folding, NUL or other control characters."""
    if text.isprintable():
        return text
    text = _FOLD.sub(" ", text.replace("\0", ""))
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def raw_text(raw: bytes) -> str:
    """An unfolded field value with its encoded words as they stand; 8-bit octets are read by trial."""
    return one_line(decode_text(raw)[0])


def decode_value(raw: bytes) -> str:
    """What an unstructured field says: unfolded, RFC 2047 words decoded, no control characters."""
    if raw.isascii() and b"=?" not in raw:
        return one_line(raw.decode("ascii")).strip()
    return decode_words(raw_text(raw)).strip()


def decode_words(text: str) -> str:
    """The text with its encoded words (RFC 2047) decoded, also those inside quotes or inside a word.

    Neighbours in one charset are decoded together, since senders split characters between them.
    """
    out: list[str] = []
    held = bytearray()  # octets of neighbouring words in one charset
    charset = ""
    position = 0
    after_word = False
    for start, end, word_charset, octets in _encoded_words(text):
        gap = text[position:start]
        joined = after_word and (not gap or gap.isspace())
        if not joined or word_charset != charset:
            out.append(decode_text(bytes(held), charset)[0])
            held.clear()
            if not joined:
                out.append(gap)
        held += octets
        charset, position, after_word = word_charset, end, True
    if not after_word:
        return text
    out.append(decode_text(bytes(held), charset)[0])
    out.append(text[position:])
    return one_line("".join(out))


def _encoded_words(text: str) -> Iterator[tuple[int, int, str, bytes]]:
    position = 0
    while (found := _WORD.search(text, position)) is not None:
        end = text.find("?=", found.end())
        if end < 0:
            return
        encoded = text[found.end() : end].encode("utf-8", "replace")
        if found[2] in "qQ":
            octets: bytes | None = binascii.a2b_qp(encoded, header=True)
        else:
            octets = _base64_word(encoded)
        position = end + 2
        if octets is not None:
            yield found.start(), position, found[1].lower(), octets


def _base64_word(encoded: bytes) -> bytes | None:
    """The octets of a B word whatever its padding; None where it is no Base64 at all."""
    kept = _NOT_BASE64.sub(b"", encoded)
    if not kept and encoded:
        return None
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


# --- addresses (RFC 5322 §3.4, with the obsolete syntax and what senders make of it) -------------------

_ATOMS = r"[A-Za-z0-9_+=.-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
_COMMON = 256  # octets of a field that is worth remembering
_SIMPLE = re.compile(
    rf"""[ ]*(?:(?:"([A-Za-z0-9 .'_-]*)"|([A-Za-z0-9 .'_-]*))[ ]*<({_ATOMS})>|({_ATOMS}))[ ]*"""
)
_PIECE = re.compile(
    r'(=\?[^?\s]+\?[bBqQ]\?[^?]*\?=)|("(?:[^"\\]|\\.)*")|([<>,;:()"])|(\s+)|[^\s<>,;:()"=]+|=', re.DOTALL
)
_COMMENT_EDGE = re.compile(r"\\.|[()]", re.DOTALL)
_BARE = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"@]+)@[^\s"@]+')
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_AROUND_DOT = re.compile(r" ?([.@]) ?")
_DOT_ATOM = re.compile(r"[^\s\"(),:;<>@\[\]\\]+")


def read_addresses(raw: bytes) -> list[Address]:
    """Every mailbox in the field, in order; group names and what is no address are left out.

    Only an addr-spec counts: a display name or a comment that looks like an address stays a name.
    """
    return list(_read_addresses_again(raw)) if len(raw) <= _COMMON else _read_addresses(raw)


@lru_cache(maxsize=4096)  # the same people write all the time: 4,096 short fields are a few MB
def _read_addresses_again(raw: bytes) -> tuple[Address, ...]:
    return tuple(_read_addresses(raw))


def _read_addresses(raw: bytes) -> list[Address]:
    text = raw_text(raw)
    if text.isascii() and len(text) < 4096:  # noqa: PLR2004 - longer ones are not what is common
        simple: list[Address] = []
        for item in text.split(","):
            found = _SIMPLE.fullmatch(item)
            if found is None:
                break
            email = found[3] or found[4]
            if len(email) > _MAX_EMAIL:
                break
            name = found[1] or found[2]
            simple.append(Address(email.lower(), _display(name) if name else ""))
        else:
            return simple
    found_any = parse_addresses(text)
    if not found_any and "=?" in text:  # some encode the whole field, address and all
        found_any = parse_addresses(decode_words(text))
    return found_any


class _Mailbox:
    """What has been read of one mailbox of a list."""

    __slots__ = ("_angle", "_bare", "_comment", "_inside", "_name")

    def __init__(self) -> None:
        self._name: list[str] = []  # the display name, quoted strings opened
        self._bare: list[str] = []  # the same, with only those quoted strings that are a local part
        self._inside: list[str] | None = None  # what stands after < until > comes
        self._angle: str | None = None
        self._comment = ""

    def take(self, piece: str, *, quoted: bool) -> None:
        if piece == "<":
            self._inside = []
        elif piece == ">":
            self._close()
        elif piece == ":":  # the end of a group's name, of a route, of "mailto"
            if self._inside is None:
                self._name, self._bare, self._angle = [], [], None
            else:
                self._inside = []
        elif piece.startswith("("):
            self._comment = self._comment or _ESCAPE.sub(r"\1", piece[1:-1])
        elif self._inside is not None:
            self._inside.append(piece)
        elif quoted:
            self._name.append(_ESCAPE.sub(r"\1", piece[1:-1]))
        else:
            self._name.append(piece)
            self._bare.append(piece)

    def skip_route(self) -> bool:
        """Whether a comma here stands between the hosts of a route, as in <@one,@two:a@b>."""
        return self._inside is not None and "".join(self._inside[:1]).startswith("@")

    def _close(self) -> None:
        if self._inside is not None:
            self._angle, self._inside = "".join(self._inside), None

    def addresses(self) -> Iterator[Address]:
        self._close()  # the bracket may be missing
        if self._angle is not None:
            email = _normalise(_AROUND_DOT.sub(r"\1", self._angle.strip()))
            if email is not None:
                yield Address(email, _display("".join(self._name) or self._comment))
            return
        text = "".join(self._bare)
        if "@" not in text:
            return
        for spec in _BARE.findall(text) or _BARE.findall(_AROUND_DOT.sub(r"\1", text)):
            email = _normalise(spec)
            if email is not None:
                yield Address(email, _display(self._comment))


def parse_addresses(text: str) -> list[Address]:
    """The long way of `read_addresses`, over unfolded text."""
    found: list[Address] = []
    mailbox = _Mailbox()
    for piece, quoted in _pieces(text):
        if quoted or piece not in {",", ";"} or (piece == "," and mailbox.skip_route()):
            mailbox.take(piece, quoted=quoted)
            continue
        found.extend(mailbox.addresses())
        mailbox = _Mailbox()
        if len(found) >= MAX_ADDRESSES:
            break
    found.extend(mailbox.addresses())
    return found[:MAX_ADDRESSES]


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The pieces of an address list, a comment as one, and whether each is a quoted string."""
    position = 0
    while position < len(text):
        found = _PIECE.match(text, position)
        if found is None:  # pragma: no cover - the alternatives cover every character
            return
        piece = found[0]
        position = found.end()
        if found[3] is not None and piece in '("':
            end = _comment_end(text, found.start()) if piece == "(" else None
            if end is None:  # never closed: it is an ordinary character, here and from here on
                text = text[:position] + text[position:].replace(piece, " ")
                continue
            piece, position = text[found.start() : end], end
        elif piece == ")":
            continue
        elif found[4] is not None:
            piece = " "
        yield piece, found[2] is not None and text[position : position + 1] != "@"


def _comment_end(text: str, start: int) -> int | None:
    depth = 0
    for edge in _COMMENT_EDGE.finditer(text, start):
        depth += {"(": 1, ")": -1}.get(edge[0], 0)
        if depth == 0:
            return edge.end()
    return None


_MAX_EMAIL = 320  # RFC 3696 erratum 1690: 64 + 1 + 255


def _normalise(spec: str) -> str | None:
    """The address in the one spelling used for comparing, or None where it is none."""
    if not spec.isprintable():  # pasted marks of writing direction and of zero width
        spec = "".join(character for character in spec if character.isprintable())
    if spec.startswith("'") and spec.endswith("'"):  # Outlook quotes so
        spec = spec[1:-1]
    local, at, domain = spec.rpartition("@")
    domain = _domain(domain.rstrip("."))
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        inner = _ESCAPE.sub(r"\1", local[1:-1])
        local = inner if _DOT_ATOM.fullmatch(inner) else local
    elif not _DOT_ATOM.fullmatch(local):
        return None
    email = f"{local}@{domain}".lower()
    usable = at and local and domain and len(email) <= _MAX_EMAIL
    return email if usable and not any(c.isspace() or c in '<>@,;"()' for c in domain) else None


@lru_cache(maxsize=1024)
def _domain(domain: str) -> str:
    """The domain as DNS sees it, so that both spellings of an internationalised one are equal."""
    if domain.isascii():
        return domain.lower()
    try:
        return idna.encode(domain[:_MAX_EMAIL], uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.lower()


def _display(name: str) -> str:
    name = " ".join(name.split())
    return (decode_words(name) if "=?" in name else name).strip(" '\"")[:_MAX_NAME]


# --- dates (RFC 5322 §3.3, §4.3) ------------------------------------------------------------------------

_DATE = re.compile(
    rb"\s*(?:[A-Za-z]{3},[ ]*)?(\d{1,2}) ([A-Z][a-z]{2}) ([12]\d{3}) (\d\d):(\d\d):(\d\d) "
    rb"([+-])(\d\d)(\d\d)\s*(?:\([A-Za-z ]*\)\s*)?"
)
_MONTHS = {name: n for n, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
_FLAT_COMMENT = re.compile(r"\([^()]*\)")
_YEARS = range(1970, 2101)  # outside of these a clock was wrong


def read_date(raw: bytes) -> datetime | None:
    """The moment in UTC; a missing or unknown zone is read as UTC. None where it is no date."""
    found = _DATE.fullmatch(raw)
    if found is not None and found[2] in _MONTHS:
        day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
        offset = int(hours) * 3600 + int(minutes) * 60
        clock = (int(year), _MONTHS[month], int(day), int(hour), int(minute), int(second))
        return _moment(clock, -offset if sign == b"-" else offset)
    return parse_date(raw_text(raw[:1000]))


def parse_date(text: str) -> datetime | None:
    """The long way of `read_date`: obsolete and broken syntax, and ISO 8601."""
    text = _FLAT_COMMENT.sub("", text).replace(" ,", ",").strip()
    try:
        parsed = parsedate_tz(text)
    except (ValueError, IndexError, TypeError, OverflowError):
        parsed = None
    if parsed is not None:
        year, month, day, hour, minute, second, *_, offset = parsed
        return _moment((year, month, day, hour, minute, second), offset or 0)
    try:
        iso = datetime.fromisoformat(text)
    except ValueError:
        return None
    iso_offset = iso.utcoffset() or timedelta()
    clock = (iso.year, iso.month, iso.day, iso.hour, iso.minute, iso.second)
    return _moment(clock, int(iso_offset.total_seconds()))


def _moment(clock: tuple[int, int, int, int, int, int], offset: int) -> datetime | None:
    year, month, day, hour, minute, second = clock
    if year not in _YEARS or abs(offset) >= 86400:  # noqa: PLR2004 - a day
        return None
    try:
        local = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)  # leap second
    except ValueError:
        return None
    return local - timedelta(seconds=offset)


# --- message ids (RFC 5322 §3.6.4) ------------------------------------------------------------------------

_ID = re.compile(r"<([^<>]*)>")
_PLAIN_ID = re.compile(rb"\s*<([!-;=?-~]+@[!-;=?-~]+)>\s*")


def read_message_id(raw: bytes) -> str | None:
    """The id without brackets, comments and white space, so that every spelling of it is equal."""
    found = _PLAIN_ID.fullmatch(raw)
    if found is not None and b"=?" not in raw:
        return _usable_id(found[1].decode("ascii"))
    text = decode_value(raw)
    bracketed = _ID.search(text)
    return _usable_id(bracketed[1] if bracketed else _FLAT_COMMENT.sub("", text).strip("<>"))


def read_message_ids(raw: bytes) -> tuple[str, ...]:
    """The ids of In-Reply-To or References in their order, without doubles and junk between them."""
    text = decode_value(raw)
    spelled = _ID.findall(text)
    if not spelled:
        spelled = [word for word in _FLAT_COMMENT.sub(" ", text).replace(",", " ").split() if "@" in word]
    ids = (_usable_id(each) for each in spelled[: 2 * MAX_IDS])
    return tuple(dict.fromkeys(each for each in ids if each is not None))[:MAX_IDS]


def _usable_id(text: str) -> str | None:
    joined = "".join(text.split())
    return joined if joined and len(joined.encode()) <= _MAX_ID else None
