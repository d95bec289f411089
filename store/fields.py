"""The fields of the records that people may write, and how the text of each is read.

The same fields serve the import of files and single records on the command line.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import String

from config import places
from store.accounts import Account, AccountType
from store.base import Base
from store.contacts import Contact, Gender
from store.deals import Deal, DealStatus, Project, ProjectStatus
from store.pipeline import CaseFile, CaseScope, Opportunity
from store.readers import (
    Reader,
    Value,
    address,
    amount,
    choice,
    country,
    currency,
    day,
    lines,
    metres,
    of_list,
    opportunity_status,
    percentage,
    profile,
    text,
    yes_or_no,
)


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


def length_of(kind: Kind, column: str) -> int | None:
    """The most characters that a column holds; None = any number, or its reader knows."""
    if column not in kind.model.__table__.c:
        return None  # a field of the company's own
    type_ = kind.model.__table__.c[column].type
    return type_.length if isinstance(type_, String) else None


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
