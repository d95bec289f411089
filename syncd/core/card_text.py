"""The text of a business card, as it was recognised, to the fields of a contact: proposals, each with how
sure it is. Pure.

Patterns tell e-mail, telephones, pages and the postcode line; words tell positions and companies; the name is
what is left that looks like one, surely so where the e-mail address has it too (R039).
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import phonenumbers

from syncd.core.calls import is_mobile
from syncd.core.names import split_name

MOST_LINES = 60
LONGEST_LINE = 120
LONGEST_VALUE = 80
SHORTEST = 3  # letters that tell a name
_PARTICLES = frozenset("de du des van von der den le la di da d'".split())

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64} ?@ ?[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")
_PAGE = re.compile(r"(?i)(?:https?://)?(?:www\.)?((?:[a-z0-9-]{1,63}\.){1,4}[a-z]{2,10})(?:/\S*)?")
_LINKEDIN = re.compile(r"(?i)(?:https?://)?(?:[a-z]{2,3}\.)?linkedin\.com/in/[\w%-]{1,100}")
_POSTCODE = re.compile(r"(?:^|[\s,])(?:[A-Z]{1,2}[- ])?\d{4,5}[A-Z]{0,2}\s+[A-ZÀ-Ý][A-Za-zÀ-ÿ'-]+")
_STREET = re.compile(
    r"(?i)\b(?:rue|avenue|av\.|boulevard|bd|place|chemin|chauss[ée]e|quai|impasse|all[ée]e|zone|zi|za|street|"
    r"road|lane|bp)\b|(?:straat|laan|steenweg|plein|weg)\b"
)
_FAX = re.compile(r"(?i)\b(?:fax|t[ée]l[ée]copie|f)\b[\s.:]*$")
_MOBILE = re.compile(r"(?i)\b(?:mobile|mob|gsm|portable|port|cell|m|p)\b[\s.:]*$")
_LANDLINE = re.compile(r"(?i)\b(?:t[ée]l[ée]phone|t[ée]l|phone|bureau|fixe|direct|office|t)\b[\s.:]*$")
_LEGAL = re.compile(
    r"\b(?:S\.?A\.?S\.?U?|S\.?A\.?R\.?L|S\.?P\.?R\.?L|S\.?R\.?L|S\.?A|S\.?C\.?I|B\.?V\.?B\.?A|B\.?V|N\.?V|A\.?S\.?B\.?L|"
    r"EURL|SNC|GmbH|AG|Ltd|Inc|LLC|VZW|Groupe|Group|Soci[ée]t[ée]|Cabinet|Entreprise|[ÉE]tablissements)\b\.?"
)
_POSITION = re.compile(
    r"(?i)\b(?:direct(?:eur|rice|or)|g[ée]rante?|responsable|chef(?:fe)?|manager|ing[ée]nieure?|engineer|consultante?|"
    r"commerciale?|comptable|assistante?|pr[ée]sidente?|ceo|cto|cfo|coo|pdg|associ[ée]e?|partner|vendeu(?:r|se)|"
    r"sales|account|technicien(?:ne)?|conseill(?:er|[èe]re)|architecte?|avocate?|notaire|zaakvoerder|bestuurder|"
    r"directeur|verantwoordelijke|medewerker|verkoper|adviseur|d[ée]l[ée]gu[ée]e?|charg[ée]e?|coordinat(?:eur|rice)|"
    r"secr[ée]taire|acheteu(?:r|se)|head|officer|founder|fondat(?:eur|rice))\b"
)
_WORD = re.compile(r"[A-Z][A-Za-z'’.-]*|de|du|des|van|von|der|den|le|la|di|da|d'")
_TITLES = re.compile(r"(?i)^(?:m\.|mr\.?|mme\.?|mlle\.?|dr\.?|ir\.?|ing\.?|me|ma[îi]tre)\s+")


class Guess(NamedTuple):
    """A value, and how sure it is: 0 to 1."""

    value: str
    confidence: float


@dataclass(frozen=True, slots=True)
class CardText:
    """What a card says. `fields` has the CRM's field names."""

    fields: dict[str, Guess]
    organisation: Guess | None
    candidates: tuple[str, ...]  # lines that may be a company's name, the likely one first


def parse(text: str, country: str) -> CardText:
    """Reads the lines of a card; numbers without a country are of that one (ISO 3166-1)."""
    lines = [_printable(line) for line in text.splitlines()]
    lines = [line for line in lines if any(one.isalnum() for one in line)][:MOST_LINES]
    fields: dict[str, Guess] = {}
    emails = list(
        dict.fromkeys(one.replace(" ", "").lower() for line in lines for one in _EMAIL.findall(line))
    )
    for header, email in zip(("email", "email2", "email3"), emails, strict=False):
        fields[header] = Guess(email, 0.95)
    page = next((found[0] for line in lines if (found := _LINKEDIN.search(line))), "")
    if page:
        fields["linkedin"] = Guess(page, 0.9)
    fields |= _phones(lines, country)
    rest = [line for line in lines if not _is_contact_data(line, country)]
    position = next((line for line in rest if _POSITION.search(line) and not _LEGAL.search(line)), "")
    if position:
        fields["position"] = Guess(position[:LONGEST_VALUE], 0.8)
        rest.remove(position)
    organisation = _organisation(rest, _domains(lines, emails))
    left = [line for line in rest if organisation is None or line != organisation.value]
    fields |= _name(left, emails)
    likely = [organisation.value] if organisation else []
    return CardText(fields, organisation, tuple(dict.fromkeys([*likely, *rest])))


def _printable(line: str) -> str:
    """The line with single spaces, and one for whatever is no text."""
    return " ".join("".join(one if one.isprintable() else " " for one in line).split())[:LONGEST_LINE]


def _is_contact_data(line: str, country: str) -> bool:
    """Whether a line is taken by an address, a number, a page or a street."""
    if "@" in line or _POSTCODE.search(line) or _STREET.search(line) or _LINKEDIN.search(line):
        return True
    if any(True for _ in phonenumbers.PhoneNumberMatcher(line, country)):
        return True
    page = _PAGE.search(line)
    return page is not None and ("www" in line.lower() or page.span() == (0, len(line)))


def _phones(lines: Sequence[str], country: str) -> dict[str, Guess]:
    found: dict[str, Guess] = {}
    for line in lines:
        start = 0
        for match in phonenumbers.PhoneNumberMatcher(line, country):
            label = line[start : match.start].rstrip(" .:+(")
            start = match.end
            if _FAX.search(label):
                continue
            by_label = bool(_MOBILE.search(label) or _LANDLINE.search(label))
            mobile = is_mobile(match.raw_string, country) or bool(
                _MOBILE.search(label) and not _LANDLINE.search(label)
            )
            header = "phone_mobile" if mobile else "phone_landline"
            found.setdefault(header, Guess(match.raw_string, 0.95 if by_label else 0.85))
    return found


def _domains(lines: Sequence[str], emails: Sequence[str]) -> set[str]:
    """The labels of the domains on the card that may be the company's name."""
    pages = [found[1].lower() for line in lines if "@" not in line and (found := _PAGE.search(line))]
    domains = [email.rpartition("@")[2] for email in emails] + [one for one in pages if "linkedin" not in one]
    return {label for domain in domains if (label := _plain(domain.rpartition(".")[0].rpartition(".")[2]))}


def _organisation(lines: Sequence[str], domains: set[str]) -> Guess | None:
    named = [line for line in lines if _is_named(_plain(line), domains)]
    legal = [line for line in lines if _LEGAL.search(line)]
    for line in legal:
        return Guess(line, 0.9 if line in named else 0.8)
    return Guess(named[0], 0.75) if named else None


def _is_named(plain: str, domains: set[str]) -> bool:
    """Whether a domain of the card is the line's name, or a part of it: not by two letters, which any has."""
    if len(plain) < SHORTEST:
        return False
    return any(label in plain or plain in label for label in domains if len(label) >= SHORTEST)


def _name(lines: Sequence[str], emails: Sequence[str]) -> dict[str, Guess]:
    best: tuple[float, str] = (0, "")
    locals_ = [_plain(email.partition("@")[0]) for email in emails]
    for position, line in enumerate(lines):
        bare = _TITLES.sub("", line)
        words = bare.split()
        if not 2 <= len(words) <= 5 or not all(_WORD.fullmatch(_ascii(word)) for word in words):  # noqa: PLR2004
            continue
        told = any(len(_plain(word)) > 2 and _plain(word) in one for word in words for one in locals_)  # noqa: PLR2004
        sure = 0.95 if told else max(0.4, 0.65 - 0.05 * position)
        if sure > best[0]:
            best = (sure, bare)
    if not best[1]:
        return {}
    first, last = split_name(best[1], "")
    words = first.split()
    while len(words) > 1 and words[-1].lower() in _PARTICLES:  # "Jan", "Van den Broeck"
        last = f"{words.pop()} {last}"
    first, last = " ".join(words), last[:LONGEST_VALUE]
    found = {"last_name": Guess(last, best[0])}
    return found | {"first_name": Guess(first, best[0])} if first else found


def _ascii(text: str) -> str:
    """Without accents, as `_WORD` has it."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(one for one in plain if not unicodedata.combining(one))


def _plain(text: str) -> str:
    """Letters and digits only, without accents and case."""
    return "".join(one for one in _ascii(text).casefold() if one.isalnum())
