"""The lines of a card to what the CRM can use of it: professional data only.

What is typed HOME is left out, and said to be (R020); so are birthdays, addresses and everything else that
has no place. `Card.raw` is the card without them, and without its photo. A photo that is only an address is
not asked for.
"""

import binascii
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from connectors.cards.lines import CardLine, RawCard, cards

LONGEST = 10_000  # characters of any value that is looked at
MOST_EMAILS = 3
MOST_CATEGORIES = 50

_HOME_LABEL = re.compile(r"(?i)[\W_]*(home|maison|domicile|priv[eé]e?|personnel|perso|thuis|privat)[\W_]*")
_HOME_NAMES = {"TEL": "telephone", "ADR": "address", "EMAIL": "e-mail", "URL": "page", "IMPP": "messenger",
               "LABEL": "address"}  # fmt: skip
_USED = frozenset(
    {"VERSION", "N", "FN", "ORG", "TITLE", "ROLE", "TEL", "EMAIL", "URL", "IMPP", "X-SKYPE"}
    | {"X-SKYPE-USERNAME", "X-SOCIALPROFILE", "NOTE", "GENDER"}
)
_NO_VOICE = frozenset({"FAX", "PAGER", "TEXTPHONE", "MODEM", "BBS"})
_MOBILE = frozenset({"CELL", "MOBILE", "IPHONE", "CAR"})
_PIECES = re.compile(r"\\.|[^\\;]+|;|\\", re.DOTALL)
_ESCAPES = {"n": "\n", "N": "\n"}
_GENDERS = {"M": "MALE", "F": "FEMALE", "O": "OTHER"}
_FAMILY, _GIVEN = 0, 1


@dataclass(frozen=True, slots=True)
class Card:
    """A person at a company. Texts are stripped; empty where the card has none."""

    number: int  # of the card in the file, from 1
    last_name: str = ""
    first_name: str = ""
    full_name: str = ""
    organisation: str = ""
    position: str = ""
    roles: tuple[str, ...] = ()  # what may be a role: that of the card, and its categories
    landline: str = ""
    mobile: str = ""
    other_phones: tuple[str, ...] = ()  # not said to be one or the other, or beyond the first of them
    emails: tuple[str, ...] = ()
    skype: str = ""
    linkedin: str = ""
    gender: str = ""  # MALE, FEMALE, OTHER
    comment: str = ""
    left_out: tuple[str, ...] = ()  # what the card had and nobody keeps, by kind
    raw: bytes = b""
    photo: bytes = b""  # as it came: nobody has looked whether it is a picture


@dataclass(frozen=True, slots=True)
class BadCard:
    """A card that cannot be read."""

    number: int
    line: int  # of its BEGIN in the file, from 1
    reason: str
    raw: bytes  # its beginning


@dataclass(slots=True)
class _Found:
    landlines: list[str] = field(default_factory=list)
    mobiles: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def read(data: bytes) -> Iterator[Card | BadCard]:
    """The cards of a .vcf file. Raises `lines.BadFile` for the file as a whole."""
    for raw in cards(data):
        problem = raw.problem or _unreadable(raw)
        if problem:
            yield BadCard(raw.number, raw.line, problem, bytes(raw.raw))
        else:
            yield _card(raw)


def _unreadable(raw: RawCard) -> str:
    version = next((line.value.strip() for line in raw.lines if line.name == "VERSION"), "")
    if version not in {"", "2.1", "3.0", "4.0"}:
        return "the version of the card is none of 2.1, 3.0 and 4.0"
    if not any(line.name in {"N", "FN", "ORG", "EMAIL", "TEL"} for line in raw.lines):
        return "the card names nobody"
    return ""


def _card(raw: RawCard) -> Card:
    home_groups = {
        line.group
        for line in raw.lines
        if line.name == "X-ABLABEL" and line.group and _HOME_LABEL.fullmatch(line.value[:60])
    }
    work, left_out, categories = [], [], []
    for line in raw.lines:
        if line.name == "CATEGORIES" and len(line.value) <= LONGEST:
            categories += _listed(line.value)
        elif "HOME" in line.types or (line.group and line.group in home_groups):
            if line.name in _HOME_NAMES:
                left_out.append(f"home {_HOME_NAMES[line.name]}")
        elif line.name in _USED and len(line.value) <= LONGEST:
            work.append(line)
        elif line.name in _USED:
            left_out.append(f"{line.name} of more than {LONGEST} characters")
    # The preferred one first: PREF=1 (4.0), TYPE=pref (3.0), PREF (2.1).
    work.sort(key=_preference)
    names = _parts(_first(work, "N"))
    phones = _phones(work)
    emails = list(dict.fromkeys(one for line in work if line.name == "EMAIL" and (one := _email(line))))
    if len(emails) > MOST_EMAILS:
        left_out.append(f"{len(emails) - MOST_EMAILS} more e-mail addresses")
    photo = _photo(raw)
    if photo is None:
        left_out.append("photo that cannot be read, or is only an address")
    return Card(
        raw.number,
        last_name=_one_line(names[_FAMILY]),
        first_name=_one_line(names[_GIVEN]) if len(names) > _GIVEN else "",
        full_name=_one_line(_unescaped(_first(work, "FN"))),
        organisation=_one_line(next(iter(_parts(_first(work, "ORG"))), "")),
        position=_one_line(_unescaped(_first(work, "TITLE") or _first(work, "ROLE"))),
        roles=tuple(dict.fromkeys(one for one in (_role(work), *categories) if one)),
        landline=phones.landlines[0] if phones.landlines else "",
        mobile=phones.mobiles[0] if phones.mobiles else "",
        other_phones=tuple(dict.fromkeys((*phones.others, *phones.landlines[1:], *phones.mobiles[1:]))),
        emails=tuple(emails[:MOST_EMAILS]),
        skype=_skype(work),
        linkedin=_linkedin(work),
        gender=_GENDERS.get(_first(work, "GENDER").partition(";")[0].strip().upper(), ""),
        comment=_clean(_unescaped(_first(work, "NOTE"))).strip(),
        left_out=tuple(dict.fromkeys(left_out)),
        raw=b"BEGIN:VCARD\r\n" + b"".join(one.raw + b"\r\n" for one in work) + b"END:VCARD\r\n",
        photo=photo or b"",
    )


def _role(work: Iterable[CardLine]) -> str:
    return _one_line(_unescaped(_first(work, "ROLE")))


def _listed(value: str) -> list[str]:
    """The texts between the commas of a value, unescaped (RFC 6350 section 6.7.1)."""
    texts = re.split(r"(?<!\\),", value)
    return [one for text in texts[:MOST_CATEGORIES] if (one := _one_line(_unescaped(text)))]


def _photo(raw: RawCard) -> bytes | None:
    """The photo; empty where the card has none, None where it has one that is no content."""
    found = next(
        (line for line in raw.lines if line.name == "PHOTO" and (line.coded is not None or line.value)), None
    )
    if found is None:
        return b""
    coded = bytes(raw.photo)
    if found.coded is None:  # vCard 4.0: data:image/jpeg;base64,… (RFC 6350, 6.2.4)
        head, _, text = found.value.replace("\\,", ",").partition(",")
        is_picture = head[:11].lower() == "data:image/" and head[-7:].lower() == ";base64"
        coded = text.encode("ascii", "ignore") if is_picture else b""
    try:
        return binascii.a2b_base64(coded) or (None if coded or found.value else b"")
    except binascii.Error:
        return None


def _preference(line: CardLine) -> int:
    written = line.params.get("PREF", "")
    if written.isascii() and written.isdecimal() and len(written) < 4:  # noqa: PLR2004 - 1 to 100
        return int(written)
    return 1 if "PREF" in line.types else 200


def _first(lines: Iterable[CardLine], name: str) -> str:
    return next((line.value for line in lines if line.name == name and line.value.strip()), "")


def _phones(lines: Iterable[CardLine]) -> _Found:
    found = _Found()
    for line in lines:
        if line.name != "TEL" or line.types & _NO_VOICE:
            continue
        number = _unescaped(line.value).strip()
        if number[:4].lower() == "tel:":
            number = number[4:].partition(";")[0]
        number = _one_line(number)
        if not number:
            continue
        if line.types & _MOBILE:
            found.mobiles.append(number)
        elif "WORK" in line.types:
            found.landlines.append(number)
        else:
            found.others.append(number)
    return found


def _email(line: CardLine) -> str:
    text = _one_line(_unescaped(line.value))
    return (text[7:] if text[:7].lower() == "mailto:" else text).lower()


def _skype(lines: Iterable[CardLine]) -> str:
    for line in lines:
        value = _one_line(_unescaped(line.value))
        if line.name == "IMPP" and value[:6].lower() == "skype:":
            return value[6:].partition("?")[0]
        if line.name in {"X-SKYPE", "X-SKYPE-USERNAME"} or (line.name == "IMPP" and "SKYPE" in line.types):
            return value
    return ""


def _linkedin(lines: Iterable[CardLine]) -> str:
    for line in lines:
        value = _one_line(_unescaped(line.value))
        if line.name == "X-SOCIALPROFILE" and "LINKEDIN" in line.types:
            return value.removeprefix("x-apple:")
        if line.name in {"URL", "X-SOCIALPROFILE"} and re.match(
            r"(?i)(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/", value
        ):
            return value
    return ""


# --- values ------------------------------------------------------------------------------------------


def _parts(value: str) -> list[str]:
    """The components of a structured value, unescaped (RFC 6350 section 3.4)."""
    parts: list[list[str]] = [[]]
    for piece in _PIECES.findall(value):
        if piece == ";":
            parts.append([])
        else:
            parts[-1].append(piece)
    return [_unescaped("".join(one)) for one in parts]


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), value, flags=re.DOTALL)


def _clean(text: str) -> str:
    """Without control characters but line feeds."""
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f]+", " ", text.replace("\r\n", "\n"))


def _one_line(text: str) -> str:
    return " ".join(_clean(text).split())
