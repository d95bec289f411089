"""The fields of the records that people may write, and how the text of each is read.

The same fields serve the import of files and single records on the command line. A reader takes stripped,
non-empty text and raises ValueError whose text names what is accepted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum

from sqlalchemy import String

from config import places
from config.language import Phrase
from config.rules import mail_address
from store.accounts import Account, AccountStatus, AccountType
from store.base import Base
from store.contacts import Contact, Gender
from store.currencies import CODES
from store.deals import Deal, DealStatus, Project, ProjectStatus
from store.pipeline import CaseFile, CaseScope, Opportunity, OpportunityStatus

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


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a file. `column` is the model's; None where the text names another record."""

    header: str
    read: Reader
    column: str | None
    required: bool = False  # a new record needs it, and it is never emptied
    empty: Value = None  # what an empty cell stands for
    fresh: Value = None  # what a new record has that is given nothing else
    listed: bool = False  # its value is an item of a list (`store.value_lists`)
    accepted: tuple[tuple[str, Mapping[str, str]], ...] = ()  # codes of that list, with their labels
    label: Mapping[str, str] = field(default_factory=dict)  # what people call it, by language
    hidden: bool = False  # left out where people look


@dataclass(frozen=True)
class Kind:
    """One kind of record."""

    name: str  # as on the command line: "contacts"
    entity: str  # as in the audit log: "contact"
    model: type[Base]
    fields: tuple[Field, ...]
    references: tuple[str, ...]  # headers that name another record
    not_kept: frozenset[str] = frozenset()  # fields of the CRM that this version has no column for
    computed: frozenset[str] = frozenset()  # fields that follow from others
    by_header: Mapping[str, Field] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_header", {one.header: one for one in self.fields})

    @property
    def headers(self) -> tuple[str, ...]:
        """Every header that a file may have."""
        return ("id", "ext_id", *self.by_header, *self.references)


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


def length_of(kind: Kind, column: str) -> int | None:
    """The most characters that a column holds; None = any number, or its reader knows."""
    if column not in kind.model.__table__.c:
        return None  # a field of the company's own
    type_ = kind.model.__table__.c[column].type
    return type_.length if isinstance(type_, String) else None


opportunity_status = choice(
    OpportunityStatus,
    {
        "ouverte": OpportunityStatus.OPEN,
        "gagnée": OpportunityStatus.WON,
        "perdue": OpportunityStatus.LOST,
    },
)


def _texts(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name, text, name) for name in names)


ACCOUNTS = Kind(
    "accounts",
    "account",
    Account,
    (
        Field("name", text, "name", required=True),
        Field(
            "type",
            choice(
                AccountType,
                {
                    "client": AccountType.CUSTOMER,
                    "concurrent": AccountType.COMPETITOR,
                    "groupe": AccountType.GROUP,
                    "interne": AccountType.INTERNAL,
                    "partenaire": AccountType.PARTNER,
                },
            ),
            "type",
            required=True,
        ),
        Field("created_on", day, "created_on"),
        *_texts("website", "vat_number", "phone", "phone2", "fax"),
        Field("email", address, "email"),
        *_texts("address1", "address2", "postcode", "city", "region"),
        Field("country", country, "country"),
        Field("segment", of_list, "segment_id", listed=True),
        Field("comment", lines, "comment"),
        Field("public", yes_or_no, "public", empty=False),
        Field("latitude", places.latitude, "latitude"),
        Field("longitude", places.longitude, "longitude"),
        Field("geocode_accuracy_m", metres, "geocode_accuracy_m"),
    ),
    ("owner", "owner_id", "parent", "parent_id", "tags"),
    frozenset({"read_only"}),
    frozenset({"status", "status_since", "account_kind"}),
)
CONTACTS = Kind(
    "contacts",
    "contact",
    Contact,
    (
        Field("last_name", text, "last_name", required=True),
        Field("first_name", text, "first_name", empty=""),
        *_texts("phone_landline", "phone_mobile"),
        Field("email", address, "email"),
        Field("email2", address, "email2"),
        Field("email3", address, "email3"),
        Field("skype", text, "skype"),
        Field("linkedin", profile, "linkedin"),
        Field("position", text, "position"),
        Field("role", of_list, "role_id", listed=True),
        Field(
            "gender",
            choice(
                Gender,
                {"homme": Gender.MALE, "femme": Gender.FEMALE, "autre": Gender.OTHER}
                | {"0": Gender.MALE, "1": Gender.FEMALE},
            ),
            "gender",
            empty=Gender.UNSPECIFIED,
        ),
        Field("comment", lines, "comment"),
    ),
    ("account", "account_id", "owner", "owner_id"),
    frozenset({"marketing_consent", "created_via"}),
)
PROJECTS = Kind(
    "projects",
    "project",
    Project,
    (
        Field("name", text, "name", required=True),
        Field("reference", text, "reference"),
        Field("start_date", day, "start_date"),
        Field("end_date", day, "end_date"),
        Field(
            "status",
            choice(ProjectStatus, {"ouvert": ProjectStatus.OPEN, "clôturé": ProjectStatus.CLOSED}),
            "status",
            empty=ProjectStatus.OPEN,
        ),
    ),
    ("account", "account_id"),
)
DEALS = Kind(
    "deals",
    "deal",
    Deal,
    (
        Field("reference", text, "reference"),
        Field("title", text, "title", required=True),
        Field("start_date", day, "start_date"),
        Field("end_date", day, "end_date"),
        Field("closed_on", day, "closed_on"),
        Field(
            "status",
            choice(
                DealStatus,
                {
                    "signée": DealStatus.SIGNED,
                    "en cours": DealStatus.ONGOING,
                    "terminée": DealStatus.ENDED,
                    "annulée": DealStatus.CANCELLED,
                },
            ),
            "status",
            required=True,
        ),
        Field("amount", amount, "amount"),
        Field("currency", currency, "currency"),
        Field("billable", yes_or_no, "billable", empty=True),
    ),
    ("project", "project_id", "owner", "owner_id"),
)
OPPORTUNITIES = Kind(
    "opportunities",
    "opportunity",
    Opportunity,
    (
        Field("reference", text, "reference"),
        Field("title", text, "title", required=True),
        Field("type", of_list, "type_id", listed=True),
        Field("status", opportunity_status, "status_id", listed=True),
        Field("total", amount, "total"),
        Field("currency", currency, "currency"),
        Field("probability", percentage, "probability"),
        Field("expected_close", day, "expected_close"),
        Field("closed_on", day, "closed_on"),
        Field("comments", lines, "comments"),
    ),
    (
        "account",
        "account_id",
        "account2",
        "account2_id",
        "account3",
        "account3_id",
        "owner",
        "owner_id",
        "converted_deal",
        "converted_deal_id",
    ),
    computed=frozenset({"weighted"}),
)
CASE_FILES = Kind(
    "case_files",
    "case_file",
    CaseFile,
    (
        Field("code", text, "code", required=True),
        Field("title", text, "title", required=True),
        Field(
            "scope",
            choice(
                CaseScope,
                {
                    "général": CaseScope.GENERAL,
                    "spécifique": CaseScope.ACCOUNT,
                    "specific": CaseScope.ACCOUNT,
                },
            ),
            "scope",
        ),
        Field("type", of_list, "type_id", listed=True),
        Field("status", of_list, "status_id", listed=True),
        Field("closed", yes_or_no, "closed", empty=False),
    ),
    ("account", "account_id"),
    frozenset(
        {"reference", "budget", "currency", "success_pct", "expected_close", "closed_on", "opportunity_id"}
    ),
)
