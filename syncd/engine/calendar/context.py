"""What a cycle of one mailbox's calendars works with, and what it leaves behind in its report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.calendar import CalendarInfo, Dress, Item, RemoteItem
from connectors.meetings import STANDARD, Providers
from connectors.protocol import CalendarConnector
from store.bindings import BoundEntity
from store.calendar_rows import EventRecord, TaskRecord
from store.database import Database
from store.outbox import Waiting
from store.reconciling import BindingRow, CalendarRow
from syncd.core.guards import Limits, Mailing, Policy
from syncd.core.merge import Rules
from syncd.core.plan import Decision, Direction, Pair
from syncd.engine.calendar.items import Setting


@dataclass(frozen=True)
class CalendarRules:
    """What the config says of calendars, for the whole installation."""

    merge: Rules
    past: timedelta
    future: timedelta
    limits: Limits
    floating: ZoneInfo
    language: str
    instance: str = ""  # tells this installation's records from those of others
    providers: Providers = STANDARD  # whose links lead into a meeting


@dataclass(frozen=True)
class MailboxRules:
    """What the config says of the calendars of one mailbox."""

    direction: Direction
    calendars: Sequence[tuple[str, Direction | None]] | None  # by name or URL; None: all
    invitations: Policy


@dataclass(frozen=True)
class Context:
    """One cycle of one mailbox."""

    database: Database
    connector: CalendarConnector
    rules: CalendarRules
    mailbox: MailboxRules
    mailbox_id: int
    mailbox_name: str
    setting: Setting
    own: frozenset[str]  # the addresses of the mailbox's user
    now: datetime  # when the cycle began
    clock: Callable[[], datetime]  # what time it is meanwhile: for intents only, which are about requests
    run: str
    released: str | None  # the fingerprint of a plan that a person let go
    quarantined: bool  # whether what could not be read is tried again now
    shows_reminders: bool  # whether the mailbox's user wants tasks in the calendar too (R063)
    shows_distance: bool = False  # whether that user wants to read how far it is (R095)

    @property
    def policy(self) -> Policy:
        """Whether the user's server may mail guests."""
        return self.mailbox.invitations


@dataclass(frozen=True)
class Calendar:
    """A calendar that is looked at in this cycle."""

    row: CalendarRow
    info: CalendarInfo
    direction: Direction


@dataclass(frozen=True)
class Plan:
    """What is to be done with one item, and everything that was known when that was decided."""

    calendar: Calendar
    entity: BoundEntity
    uid: str
    binding: BindingRow | None
    record: EventRecord | TaskRecord | None
    remote: RemoteItem | None  # as it was read in this cycle
    crm: Item | None  # what the CRM held
    seen: Item | None  # what the server held: busy time only, where it is private
    decision: Decision
    pair: Pair | None = None  # what it was decided by; None for a copy that follows
    follows: bool = False  # a copy that contributes answers only
    ours: bool = False  # a copy that the service writes
    waiting: Waiting | None = None
    dress: Dress = field(default_factory=Dress)
    mailing: Mailing | None = None
    mark: str | None = None  # tells what the CRM wrote of its own; None: it follows from `dress`
    moved_from: BindingRow | None = None  # the item lay somewhere else before

    @property
    def subject(self) -> str:
        """What a person knows the item by; empty for a private one."""
        item = self.decision.crm or self.decision.remote or self.crm or self.seen
        return item.main.subject if item else ""
