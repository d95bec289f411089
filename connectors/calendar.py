"""The neutral vocabulary of calendars, between the protocols and the CRM. Plain frozen records, no I/O.

An *item* is one resource of a calendar: every component that shares a UID (RFC 5545 section 3.8.4.7), the
series itself and its changed occurrences (*overrides*). What is here is what both sides have in common;
whatever else a server's resource holds stays in the resource and is kept by editing it in place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import Enum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC_ZONE = "UTC"
FLOATING = ""


class Kind(Enum):
    """What an item is (RFC 5545 section 3.6)."""

    EVENT = "VEVENT"
    TASK = "VTODO"


class Status(Enum):
    """The state of an event (first three) or of a task (last three)."""

    CONFIRMED = "confirmed"
    TENTATIVE = "tentative"
    CANCELLED = "cancelled"
    OPEN = "open"
    DONE = "done"


class Privacy(Enum):
    """CLASS. What is not PUBLIC is stored as busy time only."""

    PUBLIC = "public"
    PRIVATE = "private"
    CONFIDENTIAL = "confidential"


class Response(Enum):
    """A participant's answer (table T6)."""

    ACCEPTED = "accepted"
    TENTATIVE = "tentative"
    NO_RESPONSE = "no_response"
    DECLINED = "declined"


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo | None:
    """The zone of that IANA name; None where this machine does not know it."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class When:
    """A whole day, or a wall-clock time in a zone (RFC 5545 sections 3.3.4 and 3.3.5).

    The wall-clock time is what a person agreed to: it survives a change of a zone's rules, UTC would not.
    """

    local: date  # a naive `datetime`, or a plain `date` for a whole day
    zone: str = FLOATING  # IANA name, "UTC", a TZID unknown to this machine, or "" (floating; every date)

    @property
    def is_date(self) -> bool:
        """Whether it is a whole day."""
        return not isinstance(self.local, datetime)

    def instant(self, floating: ZoneInfo) -> datetime:
        """The moment in UTC. A date begins at midnight in `floating`, which also stands in for a zone
        that nobody knows. In a gap of a zone the time moves on, in a fold the first one counts."""
        local = self.local
        if not isinstance(local, datetime):
            local = datetime(local.year, local.month, local.day)  # noqa: DTZ001 - made aware below
        zone = (zone_info(self.zone) if self.zone else None) or floating
        return local.replace(tzinfo=zone).astimezone(UTC)

    def key(self) -> str:
        """The same text for the same moment, however its zone is written: tells RECURRENCE-IDs apart."""
        local = self.local
        if not isinstance(local, datetime):
            return local.strftime("%Y%m%d")
        zone = zone_info(self.zone) if self.zone else None
        if zone is not None:
            return local.replace(tzinfo=zone).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        return local.strftime("%Y%m%dT%H%M%S") + (f"@{self.zone}" if self.zone else "")


@dataclass(frozen=True, slots=True)
class Timing:
    """When something happens: one unit, since its parts mean nothing without each other.

    `end` is exclusive and always worked out (from DURATION, or the default of RFC 5545 section 3.6.1); of a
    task it is the due date. Dates of recurrence are sorted by their keys, without duplicates.
    """

    start: When | None = None  # None: a task without a start
    end: When | None = None  # None: a task without a due date
    rrule: str = ""  # canonical: upper case, FREQ first, the other parts by name; several (RFC 2445): by line
    rdates: tuple[When, ...] = ()
    exdates: tuple[When, ...] = ()

    @property
    def all_day(self) -> bool:
        """Whether it is made of whole days."""
        first = self.start or self.end
        return first is not None and first.is_date

    @property
    def recurs(self) -> bool:
        """Whether there is more than one occurrence, as far as can be told without expanding."""
        return bool(self.rrule or self.rdates)


@dataclass(frozen=True, slots=True)
class Attendee:
    """A participant other than the organizer, or the organizer's own line."""

    email: str  # lower-cased, without "mailto:"; a URI where no address tells who it is
    response: Response = Response.NO_RESPONSE
    name: str = field(default="", compare=False)  # servers rewrite it: it never counts as a change


@dataclass(frozen=True, slots=True)
class Hints:
    """What tells of a video meeting in the parts of an item that nothing is made of: read, never written."""

    url: str = ""  # URL (RFC 5545 section 3.8.4.6), where it is not the link of the meeting by itself
    links: tuple[str, ...] = ()  # in a second form of the notes, in HTML; in order, each once
    online: bool = False  # Exchange says that it is held online


@dataclass(frozen=True, slots=True)
class Component:
    """A series or single event (`recurrence_id` None), or one changed occurrence of a series.

    Text has neither NUL nor lone surrogates; line ends are "\\n". `notes` never has the CRM's block.
    """

    timing: Timing
    recurrence_id: When | None = None
    this_and_future: bool = False  # RANGE=THISANDFUTURE: read, never written
    subject: str = ""
    location: str = ""
    notes: str = ""
    status: Status = Status.CONFIRMED
    privacy: Privacy = Privacy.PUBLIC
    busy: bool = True  # TRANSP: whether it blocks time; a task never does
    alarms: frozenset[str] = frozenset()  # by trigger: "-PT15M", "-PT15M;END", "20261122T080000Z"
    categories: frozenset[str] = frozenset()
    organizer: str = ""  # lower-cased address; empty for what is nobody's meeting
    attendees: tuple[Attendee, ...] = ()  # sorted by address, each once
    video_url: str = ""  # CONFERENCE (RFC 7986), else the vendors' properties, else URL of a known provider's
    completed: datetime | None = None  # aware, UTC; of a task
    hints: Hints | None = field(default=None, compare=False, repr=False)  # None: nobody looked at the source

    @property
    def key(self) -> str:
        """Tells the components of an item apart; empty for the series itself."""
        return self.recurrence_id.key() if self.recurrence_id else ""

    def attendee(self, emails: frozenset[str]) -> Attendee | None:
        """The first attendee that has one of these addresses."""
        return next((one for one in self.attendees if one.email in emails), None)


@dataclass(frozen=True, slots=True)
class Item:
    """One event, task or series with all its overrides."""

    uid: str
    kind: Kind
    components: tuple[Component, ...]  # the series first, then overrides by key; never empty
    sequence: int = field(default=0, compare=False)  # SEQUENCE of the first component (RFC 5546)
    crm_id: str = field(default="", compare=False)  # X-CRM-ID: which record of which CRM wrote it
    companion: bool = False  # X-CRM-COMPANION: written by the CRM for its owner, never an event of its own
    zones: tuple[tuple[str, str], ...] = field(default=(), compare=False)  # definitions of unknown TZIDs
    modified: datetime | None = field(default=None, compare=False)  # LAST-MODIFIED, else DTSTAMP; aware, UTC
    dressed: bool = field(default=False, compare=False)  # wears what the CRM adds (`Dress`): a block, a name

    @property
    def main(self) -> Component:
        """The series or single event; an override where an attendee was invited to that one only."""
        return self.components[0]

    @property
    def by_key(self) -> Mapping[str, Component]:
        """The components by what tells them apart."""
        return {component.key: component for component in self.components}


@dataclass(frozen=True, slots=True)
class Dress:
    """What the CRM adds to an item on its way out. It is taken off on reading and never compared."""

    crm_id: str = ""  # X-CRM-ID
    account: str = ""  # X-CRM-ACCOUNT; empty wherever somebody from outside takes part
    opportunity: str = ""  # X-CRM-OPPORTUNITY; the same
    block: str = ""  # the lines between the markers in DESCRIPTION; the same


# --- what a server tells --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CalendarInfo:
    """One calendar or task list of a mailbox."""

    ref: str  # what the protocol calls it by: the path of its URL
    name: str  # what its owner calls it
    kinds: frozenset[Kind]
    writable: bool
    auto_schedule: bool  # the server mails invitations and answers itself (RFC 6638)
    creates_once: bool = True  # a creation is refused where its UID is taken; else a late one comes on top


@dataclass(frozen=True, slots=True)
class Listed:
    """An item that is there, in some version."""

    ref: str
    version: str  # ETag or change key; empty where the server tells none


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What a calendar says of itself since `cursor`.

    Absence from `listed` counts only where `complete` and not `reset`: then everything that is there is
    listed. `removed` are explicit tombstones.
    """

    listed: tuple[Listed, ...]
    removed: tuple[str, ...]
    complete: bool
    reset: bool  # the former cursor meant nothing to the server any more: match anew, delete nothing
    cursor: str  # where to go on; opaque


@dataclass(frozen=True, slots=True)
class RemoteItem:
    """An item as a server holds it. `source` is the protocol's own form, which an update edits."""

    ref: str
    version: str
    item: Item
    source: bytes = field(repr=False, compare=False, default=b"")


@dataclass(frozen=True, slots=True)
class Missing:
    """The server says of one item that it is not there (404, or no such id)."""

    ref: str
