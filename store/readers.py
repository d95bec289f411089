"""How the text of each kind of field is read: one line, an amount, a day, a choice of words.

A reader takes stripped, non-empty text and raises ValueError whose text names what is accepted.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum

from config.language import Phrase
from config.rules import mail_address
from store.accounts import AccountStatus
from store.currencies import CODES
from store.pipeline import OpportunityStatus

Value = str | int | bool | date | Decimal | Enum | None
Reader = Callable[[str], Value]

# Only what a line feed is good for: several lines of comment.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})")
_YES = frozenset({"1", "true", "yes", "oui", "vrai", "x"})
_NO = frozenset({"0", "false", "no", "non", "faux"})
ACCEPTED: dict[Reader, tuple[str, ...]] = {}  # the words of a field that has a choice of them
_LARGEST_TOTAL = Decimal("999999999999.99")
_LARGEST_ID = 2**31 - 1
_DIGITS = 8  # of a number of metres: more than once around the earth


def text(value: str) -> str:
    """One line."""
    if "\n" in value or "\r" in value:
        raise ValueError(Phrase("must be one line"))
    return lines(value)


def lines(value: str) -> str:
    """Several lines of text."""
    if _CONTROL.search(value.replace("\r\n", "\n")):
        raise ValueError(Phrase("holds control characters"))
    return value.replace("\r\n", "\n")


def address(value: str) -> str:
    """An e-mail address, lower-cased."""
    return mail_address(value.lower())


def day(value: str) -> date:
    """A day as 2026-12-31, or as 31/12/2026."""
    found = _DAY_FIRST.fullmatch(value)
    try:
        if found:
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError(
            Phrase('"{value}" is no day: write 2026-12-31 or 31/12/2026', value=value[:20])
        ) from None


def amount(value: str) -> Decimal:
    """An amount as 1234.56 or 1 234,56."""
    plain = re.sub(r"[\s  ]", "", value)
    try:
        number = Decimal(plain.replace(",", ".")) if plain.count(",") <= 1 else None
    except InvalidOperation:
        number = None
    if number is None or not number.is_finite() or not -_LARGEST_TOTAL <= number <= _LARGEST_TOTAL:
        raise ValueError(Phrase('"{value}" is no amount: write 1234.56 or 1 234,56', value=value[:20]))
    if number != round(number, 2):
        raise ValueError(Phrase("has more than two decimals"))
    return round(number, 2)


def percentage(value: str) -> int:
    """0 to 100, with or without the sign."""
    plain = value.removesuffix("%").strip()
    if not plain.isascii() or not plain.isdecimal() or int(plain[:4]) > 100:  # noqa: PLR2004 - per cent
        raise ValueError(Phrase("must be a whole number from 0 to 100"))
    return int(plain)


def yes_or_no(value: str) -> bool:
    """yes or no, in English or French."""
    if value.lower() in _YES | _NO:
        return value.lower() in _YES
    raise ValueError(Phrase("must be yes or no (oui, non, true, false, 1, 0)"))


def metres(value: str) -> int:
    """A whole number of metres, zero or more."""
    if not value.isascii() or not value.isdecimal() or len(value) > _DIGITS:
        raise ValueError(Phrase('"{value}" is no whole number of metres', value=value[:20]))
    return int(value)


def number_of_record(value: str) -> int:
    """The id of a record."""
    if not value.isascii() or not value.isdecimal() or not 0 < int(value[:12]) <= _LARGEST_ID:
        raise ValueError(Phrase('"{value}" is no id: a whole number', value=value[:20]))
    return int(value)


def country(value: str) -> str:
    """Two capitals (ISO 3166-1)."""
    if re.fullmatch("[A-Za-z]{2}", value) is None:
        raise ValueError(Phrase('must be two letters such as "FR" (ISO 3166-1)'))
    return value.upper()


def currency(value: str) -> str:
    """Three capitals (ISO 4217)."""
    if re.fullmatch("[A-Za-z]{3}", value) is None:
        raise ValueError(Phrase('must be three letters such as "EUR" (ISO 4217)'))
    if value.upper() not in CODES:
        raise ValueError(Phrase('"{value}" is no currency (ISO 4217)', value=value))
    return value.upper()


def choice(kind: type[Enum], also: Mapping[str, Enum]) -> Reader:
    """One of an enum's names, or a word that the users have for it; case ignored."""
    known = {one.name.lower(): one for one in kind} | dict(also)

    def read(value: str) -> Enum:
        try:
            return known[value.lower()]
        except KeyError:
            accepted = ", ".join(one.name for one in kind)
            raise ValueError(
                Phrase('"{value}" is not known; accepted: {accepted}', value=value[:20], accepted=accepted)
            ) from None

    ACCEPTED[read] = tuple(one.name for one in kind)
    return read


def of_list(value: str) -> Value:
    """An item of a list, which is looked up once the list is known. Raises ValueError."""
    raise ValueError(f'"{value[:20]}" is looked for in its list')


def profile(value: str) -> str:
    """A LinkedIn profile: its address, or its name alone."""
    from store.linkedin import address as address_of

    if address_of(text(value)) is None:
        raise ValueError(
            Phrase(
                '"{value}" is no LinkedIn profile: write https://www.linkedin.com/in/NAME, or NAME',
                value=value[:40],
            )
        )
    return value


def account_status(value: str) -> AccountStatus:
    """A status of accounts, in English or French; case ignored."""
    french = {
        "actif": AccountStatus.ACTIVE,
        "délaissé": AccountStatus.NEGLECTED,
        "inactif": AccountStatus.INACTIVE,
    }
    found = {one.name.lower(): one for one in AccountStatus} | french
    try:
        return found[value.strip().lower()]
    except KeyError:
        accepted = ", ".join(one.value for one in AccountStatus)
        raise ValueError(
            Phrase('"{value}" is not known; accepted: {accepted}', value=value[:20], accepted=accepted)
        ) from None


opportunity_status = choice(
    OpportunityStatus,
    {
        "ouverte": OpportunityStatus.OPEN,
        "gagnée": OpportunityStatus.WON,
        "perdue": OpportunityStatus.LOST,
    },
)
