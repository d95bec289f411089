"""The typed settings of an installation: what an admin may write, and which values are accepted.

Reading files, naming lines and rules between tables are `config.load` and `config.checks`, finding
secrets is `config.secrets`; here stand the shapes and the rules within one table. Nothing is read at
import time. The text below a field is its description in the JSON Schema and in messages.
"""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from config import store_url
from config.calendar import (
    Brake,
    CaldavServer,
    Calendar,
    CalendarChoice,
    Conflict,
    Direction,
    Window,
)
from config.calls import CallColumns, CallLine, Calls
from config.checkins import Checkin, Latitude, Longitude
from config.connection import ImapServer, OAuth2, SecretRef, Security, Server
from config.exchange import Access, EwsServer
from config.fields import CustomField, FieldSetting, ValueList
from config.logos import Logos
from config.recommendations import Plan, Product, RecommendationRule, Recommendations
from config.rights import Rights
from config.status_rules import StatusRule
from config.types import (
    Address,
    Duration,
    Keep,
    LocalPath,
    Name,
    Period,
    Section,
    Since,
    Size,
    Text,
    TimeZone,
)
from config.video import LOGIN, RoomLink, Video

__all__ = [
    "Brake", "CaldavServer", "Calendar", "CalendarChoice", "CallColumns", "CallLine", "Calls",
    "Checkin", "Conflict", "CustomField", "Direction", "Duration", "EwsServer", "ExcludeRule", "FieldSetting",
    "ImapServer", "Logging", "Logos", "Mail", "Mailbox", "OAuth2", "Plan", "Product", "RecommendationRule",
    "Recommendations", "Role", "Schedule", "SecretRef", "Section", "Security", "Server", "Settings",
    "Since", "Size", "Store", "TimeZone", "User", "ValueList", "Video", "Window", "Workspace",
]  # fmt: skip


class Role(StrEnum):
    """What a CRM user may do; the database holds STANDARD, ADVANCED, WORKSPACE_ADMIN."""

    STANDARD = "standard"
    ADVANCED = "advanced"
    ADMIN = "admin"


class ExcludeRule(Section):
    """Mail that is never logged. Each key given must match; at least one is needed.

    `address` and `domain` name people: such a counterpart is never a reason to log. The others name
    messages: such a message is not logged at all. `*` stands for any text; case is ignored.
    """

    address: Text | None = None
    """A counterpart's address."""
    domain: Text | None = None
    """A counterpart's domain, with its subdomains."""
    folder: Text | None = None
    """The folder the message is in."""
    subject: Text | None = None
    """The message's subject."""
    header: Text | None = None
    """A header of the message: "Name" (present) or "Name: pattern"."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not (self.address or self.domain or self.folder or self.subject or self.header):
            raise ValueError("a rule needs at least one of address, domain, folder, subject, header")
        return self


class Workspace(Section):
    """The company."""

    name: Text
    """The company's name."""
    timezone: TimeZone = ZoneInfo("Europe/Paris")
    """The time zone in which days begin and reports are written; an IANA name."""
    language: Literal["fr", "en"] = "fr"
    """The language of what the service writes into the CRM."""
    default_country: str = Field(default="FR", pattern="^[A-Z]{2}$")
    """The country of telephone numbers and addresses that name none: two capitals (ISO 3166-1)."""
    currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")
    """The currency of amounts that name none: three capitals (ISO 4217)."""


class Store(Section):
    """Where the CRM is kept."""

    url: Annotated[SecretStr, AfterValidator(store_url.acceptable)]
    """sqlite:///FILE (relative to the config file) or postgresql+psycopg://USER:${VARIABLE}@HOST/DATABASE.

    ${VARIABLE} is taken from the environment; as part of a user name or password it is escaped.
    """
    state_dir: LocalPath | None = Field(default=None, validate_default=True)
    """The daemon's own files; beside the SQLite file by default, required with PostgreSQL."""
    busy_timeout: Duration = timedelta(seconds=30)
    """How long to wait for another process that writes to the SQLite file."""

    @field_validator("state_dir")
    @classmethod
    def _is_known(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        url = info.data.get("url")
        if value is None and isinstance(url, SecretStr) and store_url.sqlite_file(url) is None:
            raise ValueError("is required with PostgreSQL: a directory for the daemon's own files")
        return value


class Mail(Section):
    """What is logged (table T5)."""

    since: Since = timedelta(days=90)
    """How far back the first synchronisation looks: a date or an age."""
    retention: Keep | None = None
    """Logged mail older than this age is erased every night; by default none is. Mailboxes keep theirs."""
    max_attachment: Size = 25 * 1024 * 1024
    """Larger attachments are recorded by name and size only."""
    min_inline_image: Size = 10 * 1024
    """Smaller inline images are signatures and are not kept."""
    exclude: tuple[ExcludeRule, ...] = ()
    """Mail that is never logged."""
    private_keywords: tuple[Text, ...] = ("Privé", "Private", "$Private")
    """IMAP keywords or Exchange categories by which a user marks a message as private: it is not logged."""
    match_all_recipients: bool = False
    """Log on every contact among the recipients of received mail, not only on its sender."""
    match_domains: bool = False
    """Log mail of unknown people on the account that has their domain."""
    follow_threads: bool = False
    """Log answers in a thread that is already logged, whoever writes them."""


class Schedule(Section):
    """How often the daemon looks."""

    interval: Period = timedelta(minutes=1)
    """The time between two looks at a mailbox."""
    jitter: Duration = timedelta(seconds=10)
    """At most this is added at random, so that mailboxes do not all start together."""
    workers: int = Field(default=8, ge=1, le=64)
    """How many mailboxes are looked at the same time."""
    push: bool = True
    """Whether servers that can are asked to tell of changes, which are looked at at once then."""


class Status(Section):
    """The status of accounts (table T1)."""

    stale_open_opportunity_months: int | None = Field(default=None, ge=1, le=120)
    """After so many months without a change an open opportunity counts as closed on the day of its last
    change. By default it counts as open however old it is."""
    group_rollup: bool = False
    """Whether the status of a group also goes by the deals and opportunities of all accounts below it."""


class Logging(Section):
    """The service's own log."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe events to write."""
    format: Literal["auto", "json", "console"] = "auto"
    """json for machines, console for people; auto: console on a terminal, else json."""


class User(Section):
    """A CRM user. `email` and `aliases` are the user's own addresses."""

    login: Name
    """A short name, unique: letters, digits and . _ -"""
    name: Text
    """The full name."""
    email: Address
    """The main address."""
    aliases: tuple[Address, ...] = ()
    """Other addresses of the same person."""
    role: Role = Role.STANDARD
    """What the user may do in the CRM."""
    manager: str | None = None
    """The login of the user's manager."""
    branch: Text | None = None
    """The branch (succursale) that the user works in."""
    language: Literal["fr", "en"] | None = None
    """By default the workspace's."""
    timezone: TimeZone | None = None
    """By default the workspace's."""
    show_reminders: bool = False
    """Whether open tasks that have a due date stand in the calendar too, as whole days (R063)."""
    video_link: RoomLink | None = None
    """The link to the user's own room, for video calls made in the CRM; by default that of [video]."""
    base_lat: Latitude | None = None
    """Where the user sets out from, for distances: degrees to the north; with base_lon."""
    base_lon: Longitude | None = Field(default=None, validate_default=True)
    """Degrees to the east; with base_lat."""
    show_distance: bool = False
    """Whether the user's own calendar tells how far it is from there to the account of an event (R095)."""

    @field_validator("base_lon")
    @classmethod
    def _is_a_place(cls, value: float | None, info: ValidationInfo) -> float | None:
        if "base_lat" in info.data and (value is None) != (info.data["base_lat"] is None):
            raise ValueError("base_lat and base_lon make a place together: give both, or neither")
        return value


class Mailbox(Section):
    """One user's mailbox at a server."""

    name: Name
    """A short name, unique, used on the command line: letters, digits and . _ -"""
    user: str
    """The login of the user whose mailbox it is."""
    server: str
    """The name of a [servers] table."""
    username: Text
    """The login name at the server; Exchange may want DOMAIN\\\\name."""
    access: Access = "own"
    """Exchange only: whether username is its owner's, a delegate's, or an account that may impersonate."""
    address: Address | None = None
    """Exchange only: the mailbox's primary address; by default its user's email."""
    password: SecretRef | None = None
    """Where the password is kept; this or oauth2."""
    oauth2: OAuth2 | None = Field(default=None, validate_default=True)
    """How to get an access token; this or password."""
    sync: tuple[Literal["mail", "calendar"], ...] = ("mail",)
    """What is synchronised."""
    direction: Direction = Direction.BOTH
    """both, to-crm (the CRM's changes stay there) or to-remote (the CRM's values win)."""
    mail_folders: tuple[Text, ...] | None = None
    """Folders by name or SPECIAL-USE such as '\\Sent' (RFC 6154); Inbox and Sent by default."""
    calendars: tuple[CalendarChoice, ...] | None = None
    """Calendars and task lists by name, or { name or url, direction }; by default all that can be written."""
    invitations: Literal["send", "never"] = "send"
    """Whether the user's server may mail guests when a person changes a meeting in the CRM."""
    interval: Period | None = None
    """By default that of [schedule]."""
    push: bool | None = None
    """By default that of [schedule]."""

    @field_validator("oauth2")
    @classmethod
    def _is_one_way_in(cls, value: OAuth2 | None, info: ValidationInfo) -> OAuth2 | None:
        if "password" in info.data and (value is None) == (info.data["password"] is None):
            state = "neither is" if value is None else "both are"
            raise ValueError(f"a mailbox has exactly one of password and oauth2; {state} given")
        return value

    @field_validator("sync", "mail_folders")
    @classmethod
    def _lists_something(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if value is not None and (not value or len(set(value)) < len(value)):
            raise ValueError("needs at least one entry, each once; leave the key out for the default")
        return value

    @field_validator("calendars")
    @classmethod
    def _names_each_once(cls, value: tuple[CalendarChoice, ...] | None) -> tuple[CalendarChoice, ...] | None:
        if value is not None and (not value or len({one.text() for one in value}) < len(value)):
            raise ValueError("needs at least one entry, each once; leave the key out for all of them")
        return value

    @field_validator("direction")
    @classmethod
    def _has_an_effect(cls, value: Direction, info: ValidationInfo) -> Direction:
        if value is Direction.TO_REMOTE and set(info.data.get("sync", ())) == {"mail"}:
            raise ValueError('"to-remote" leaves nothing to do for mail: it is only read; use "to-crm"')
        return value


class Settings(Section):
    """A whole, valid configuration."""

    workspace: Workspace
    """The company."""
    store: Store
    """Where the CRM is kept."""
    product: Product = Product()
    """The product."""
    mail: Mail = Mail()
    """What is logged."""
    calendar: Calendar = Calendar()
    """How calendars and task lists are kept in step."""
    video: Video = Video()
    """Video meetings, and what becomes of those that are over."""
    rights: Rights = Rights()
    """What users may do."""
    status_rules: tuple[StatusRule, ...] = ()
    """What is to be done when an account gets another status."""
    calls: Calls = Calls()
    """Call records of a telephone system."""
    checkin: Checkin = Checkin()
    """Check-ins on site."""
    recommendations: Recommendations = Recommendations()
    """Recommendations that come in as files."""
    recommendation_rules: tuple[RecommendationRule, ...] = ()
    """What writes recommendations by itself."""
    logos: Logos = Logos()
    """Logos of accounts."""
    value_lists: tuple[ValueList, ...] = ()
    """The values of fields that have a choice of them."""
    custom_fields: tuple[CustomField, ...] = ()
    """Fields of the company's own."""
    fields: dict[str, dict[str, FieldSetting]] = Field(default={})
    """What is different about the other fields, by entity and name."""
    status: Status = Status()
    """The status of accounts."""
    schedule: Schedule = Schedule()
    """How often the daemon looks."""
    logging: Logging = Logging()
    """The service's own log."""
    servers: dict[str, Server] = Field(default={})
    """The company's servers, by a name of your choice."""
    users: tuple[User, ...] = ()
    """The CRM's users."""
    mailboxes: tuple[Mailbox, ...] = ()
    """The mailboxes that are synchronised."""

    def user(self, login: str) -> User:
        """The user of that login; KeyError if there is none."""
        for user in self.users:
            if user.login == login:
                return user
        raise KeyError(login)

    def mailbox(self, name: str) -> Mailbox:
        """The mailbox of that name; KeyError if there is none."""
        for mailbox in self.mailboxes:
            if mailbox.name == name:
                return mailbox
        raise KeyError(name)

    def imap_of(self, mailbox: Mailbox) -> ImapServer:
        """The IMAP server of `mailbox`; KeyError if its server has none."""
        server = self.servers[mailbox.server]
        if server.imap is None:
            raise KeyError(mailbox.server)
        return server.imap

    def caldav_of(self, mailbox: Mailbox) -> CaldavServer:
        """The CalDAV server of `mailbox`; KeyError if its server has none."""
        server = self.servers[mailbox.server]
        if server.caldav is None:
            raise KeyError(mailbox.server)
        return server.caldav

    def ews_of(self, mailbox: Mailbox) -> EwsServer:
        """The Exchange server of `mailbox`; KeyError if its server has none."""
        server = self.servers[mailbox.server]
        if server.ews is None:
            raise KeyError(mailbox.server)
        return server.ews

    def address_of(self, mailbox: Mailbox) -> str:
        """What a person knows `mailbox` by: at an Exchange server its address, else the login name."""
        if self.servers[mailbox.server].ews is None:
            return mailbox.username
        return mailbox.address or self.user(mailbox.user).email

    def rooms(self) -> dict[str, str]:
        """The link of a video call where nobody gives one, by its owner's main address in lower case."""
        found = {user: user.video_link or self.video.link for user in self.users}
        return {user.email.lower(): link.replace(LOGIN, user.login) for user, link in found.items() if link}

    def interval_of(self, mailbox: Mailbox) -> timedelta:
        """The time between two looks at `mailbox`."""
        return mailbox.interval or self.schedule.interval

    def push_of(self, mailbox: Mailbox) -> bool:
        """Whether the server of `mailbox` is asked to tell of changes, where it can."""
        return self.schedule.push if mailbox.push is None else mailbox.push

    def own_addresses(self) -> frozenset[str]:
        """The addresses of all users, in lower case: mail among them only is internal."""
        return frozenset(address.lower() for user in self.users for address in (user.email, *user.aliases))

    def store_dir(self) -> Path:
        """The directory of the daemon's own files: state_dir, or where the SQLite file is."""
        if self.store.state_dir is not None:
            return self.store.state_dir
        file = store_url.sqlite_file(self.store.url)
        if file is None:
            raise ValueError("store.state_dir is required with PostgreSQL")
        return file.parent
