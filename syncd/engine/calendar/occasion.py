"""What a person says of an event or a task, on which occasion, and what came of it.

A field that is None is left as it is (a new record takes its default); an empty text empties it. Texts are
as a person writes them: `editing` and `task_editing` read them, and name the field that is wrong.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.calendar import zone_info
from connectors.meetings import STANDARD, Providers
from store.actors import Actor
from store.audit_log import Channel
from store.scheduling import Person
from syncd.core.identity import KeyedHash
from syncd.engine.calendar.items import Setting
from syncd.engine.calendar.people import People

INSTANCE = 12  # hexadecimal digits: enough to tell installations apart


@dataclass(frozen=True)
class Occasion:
    """Who changes something, when and through which door; and what the installation is like."""

    actor: Actor
    channel: Channel
    now: datetime
    people: People
    floating: ZoneInfo  # the workspace's zone
    language: str
    default_alarm: int | None  # minutes
    instance: str  # tells this installation's UIDs from those of others
    providers: Providers = STANDARD  # whose links lead into a meeting
    rooms: Mapping[str, str] = field(default_factory=dict)  # links to rooms of users, by their main address

    def zone_of(self, person: Person) -> str:
        """The zone that a time without one is meant in, for that person's records."""
        own = person.timezone if person.timezone and zone_info(person.timezone) else None
        return own or self.floating.key

    def setting(self, user_id: int) -> Setting:
        """What rows are made with."""
        return Setting(user_id, self.people, self.floating, self.providers)

    def uid(self, id_: int) -> str:
        """The UID of a record that the CRM made (table T4, row 12). The moment is in it: a database that was
        put back from a backup gives the same numbers again, while the calendars hold the former ones."""
        return f"{id_}-{self.now:%Y%m%dT%H%M%S}@{self.instance}.syncd"


@dataclass(frozen=True)
class Workplace:
    """What the installation is like, whoever acts there on whatever occasion: as the fields of `Occasion`."""

    floating: ZoneInfo
    language: str
    default_alarm: int | None
    instance: str
    providers: Providers
    rooms: Mapping[str, str]

    def occasion(self, actor: Actor, channel: Channel, now: datetime, people: People) -> Occasion:
        """That person acts now, through that door."""
        return Occasion(
            actor=actor,
            channel=channel,
            now=now,
            people=people,
            floating=self.floating,
            language=self.language,
            default_alarm=self.default_alarm,
            instance=self.instance,
            providers=self.providers,
            rooms=self.rooms,
        )


def instance_of(hashed: KeyedHash) -> str:
    """A short name of the installation: stays, and tells nothing of its secret."""
    return hashed.text("instance")[:INSTANCE]


@dataclass(frozen=True, slots=True)
class Saved:
    """What became of a record."""

    id: int
    version: int
    changed: bool  # False: it was like that already, and nothing was written
    created: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFields:
    """What a person says of an event (R077 to R089)."""

    subject: str | None = None
    start: str | None = None  # a day, or a day and a time
    end: str | None = None  # exclusive: of whole days, the day after the last
    all_day: bool | None = None
    tz: str | None = None  # IANA name
    rrule: str | None = None  # RFC 5545 section 3.3.10
    location: str | None = None  # empty: the account's address
    alt_position: str | None = None  # where the other address is: latitude,longitude (R069)
    notes: str | None = None
    internal_notes: str | None = None
    type: str | None = None
    video_provider: str | None = None
    video_url: str | None = None
    owner: str | None = None  # login
    account: str | None = None  # id, ext_id or exact name
    opportunity: str | None = None  # id or reference
    case_file: str | None = None  # id or code
    participants: tuple[str, ...] = ()  # to add: login, address, or contact:ID
    remove_participants: tuple[str, ...] = ()
    alarm: int | None = None  # minutes before the start; -1: none
    categories: tuple[str, ...] | None = None
    privacy: str | None = None
    status: str | None = None
    busy: bool | None = None

    def given(self) -> frozenset[str]:
        """The names of the fields that say something."""
        return frozenset(one.name for one in fields(self) if getattr(self, one.name) not in (None, ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFields:
    """What a person says of a task (R058)."""

    subject: str | None = None
    due: str | None = None  # a day
    notes: str | None = None
    location: str | None = None
    assignee: str | None = None  # login
    account: str | None = None
    contact: str | None = None  # id or address
    opportunity: str | None = None
    event: str | None = None  # id
    alarm: int | None = None
    categories: tuple[str, ...] | None = None
    privacy: str | None = None

    def given(self) -> frozenset[str]:
        """The names of the fields that say something."""
        return frozenset(one.name for one in fields(self) if getattr(self, one.name) not in (None, ()))


NO_ALARM = -1
