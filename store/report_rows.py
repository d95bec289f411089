"""What lists show of each kind of record. Plain and frozen: what is printed, also as JSON."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, TypeVar

from store.accounts import AccountKind, AccountStatus, AccountType
from store.activities import ActivityState
from store.actors import Actor
from store.deals import DealStatus, ProjectStatus
from store.mail import EmailDirection
from store.readers import Value
from store.users import UserRole

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sort:
    """By which column a list is sorted; what is empty comes last."""

    column: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """Which records, and which page of them."""

    text: str | None = None  # part of a name, an address or a subject; case ignored
    account: int | None = None
    contact: int | None = None
    opportunity: int | None = None
    email: int | None = None
    activity: int | None = None
    mailbox: str | None = None
    pending: bool = False  # activities without a report instead of those of the history
    since: datetime | None = None
    status: AccountStatus | None = None  # of accounts
    type: AccountType | None = None  # of accounts
    parent: int | None = None  # accounts directly below this one
    tag: str | None = None  # of accounts; case ignored
    reader: Actor | None = None  # who reads; None: an admin
    owner: int | None = None  # records that are this user's own
    mine: int | None = None  # accounts of this user, and contacts of those accounts
    digits: tuple[str, ...] = ()  # of contacts: parts of a telephone number in its international form
    where: tuple[str, ...] = ()  # on the company's own fields of accounts, contacts and opportunities
    changed_since: datetime | None = None
    items: tuple[tuple[str, tuple[Value, ...]], ...] = ()  # by column, the values that it may have
    sort: Sort | None = None  # None: as each list is sorted by itself
    limit: int = 50
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows of a list, and how many it has in all."""

    rows: tuple[T, ...]
    total: int
    offset: int


@dataclass(frozen=True, slots=True)
class UserRow:
    """A CRM user."""

    id: int
    login: str
    name: str
    email: str
    aliases: tuple[str, ...]
    role: UserRole
    active: bool


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account."""

    id: int
    ext_id: str | None
    name: str
    type: AccountType
    status: AccountStatus | None  # None: not computed yet
    status_since: date | None
    account_kind: AccountKind
    city: str | None
    segment: str | None  # the code of an item of account_segment
    email: str | None
    owner: str | None
    tags: tuple[str, ...]
    contacts: int
    last_activity: datetime | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """A contact."""

    id: int
    ext_id: str | None
    account_id: int
    account: str
    last_name: str
    first_name: str
    position: str | None
    role: str | None  # the code of an item of contact_role
    emails: tuple[str, ...]
    phones: tuple[str, ...]  # as typed
    last_activity: datetime | None
    created_at: datetime
    sync: tuple[str, ...] = ()  # how far each address book has the card; none is served yet (R037)


@dataclass(frozen=True, slots=True)
class ProjectRow:
    """A project."""

    id: int
    ext_id: str | None
    account_id: int
    account: str
    reference: str | None
    name: str
    status: ProjectStatus
    start_date: date | None
    end_date: date | None
    deals: int


@dataclass(frozen=True, slots=True)
class DealRow:
    """A deal."""

    id: int
    ext_id: str | None
    account: str
    project: str
    reference: str | None
    title: str
    status: DealStatus
    start_date: date | None
    end_date: date | None
    closed_on: date | None
    amount: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class OpportunityRow:
    """An opportunity; the main account comes first."""

    id: int
    ext_id: str | None
    reference: str | None
    title: str
    type: str | None  # the code of an item of opportunity_type
    status: str  # that of an item of opportunity_status
    accounts: tuple[str, ...]
    total: Decimal | None
    currency: str | None
    expected_close: date | None
    closed_on: date | None
    probability: int | None
    weighted: Decimal | None


@dataclass(frozen=True, slots=True)
class EmailRow:
    """A logged e-mail."""

    id: int
    date: datetime
    direction: EmailDirection
    from_: tuple[str, ...]
    to: tuple[str, ...]
    subject: str
    accounts: tuple[str, ...]
    users: tuple[str, ...]
    attachments: int


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """An activity."""

    id: int
    occurred_at: datetime
    type: str  # the code of an item of activity_type
    account: str | None
    contacts: tuple[str, ...]
    subject: str
    opportunity: str | None
    user: str | None
    automatic: bool
    email_id: int | None
    state: ActivityState
    duration_min: int | None


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A message that cannot be read."""

    mailbox: str
    folder: str
    uid: str
    error: str
    first_at: datetime
    last_at: datetime
    tries: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """A cycle that changed or failed something."""

    ref: str
    mailbox: str
    started_at: datetime
    ended_at: datetime | None
    seen: int
    logged: int
    error: str | None
