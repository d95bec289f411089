"""What Exchange says of one calendar item or task, field by field, before anybody thinks of iCalendar. Plain
records: `parsing` makes them of XML, `composing` makes XML of the difference of two."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from connectors.calendar import Kind
from connectors.ews.calendar.recurrence import Series


class Unreadable(ValueError):
    """Not an item that we can read; says why, and nothing of the content."""


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who is invited (AttendeeType, EmailAddressType)."""

    email: str  # as the server has it; empty of a list in somebody's contacts
    name: str = ""
    answer: str = ""  # ResponseTypeType: Unknown, Organizer, Tentative, Accept, Decline, NoResponseReceived
    role: str = "RequiredAttendees"  # the list that holds it
    routing: str = ""  # RoutingType: what kind of address `email` is; empty for SMTP
    type: str = ""  # MailboxTypeType, where there is no SMTP address: PrivateDL and the like
    entry: tuple[str, str] = ("", "")  # id and change key of the contact or list that it stands for


@dataclass(frozen=True, slots=True)
class Changed:
    """An occurrence that differs from its series (OccurrenceInfoType)."""

    id: str
    original: datetime  # aware, UTC


@dataclass(frozen=True, slots=True)
class Native:
    """One item. Moments are aware, in UTC, to the second."""

    kind: Kind
    id: str = ""
    change_key: str = ""
    uid: str = ""
    type: str = "Single"  # Single, RecurringMaster, Occurrence, Exception
    subject: str = ""
    sensitivity: str = "Normal"
    body: str = ""
    html: bool = False
    categories: tuple[str, ...] = ()
    reminder: int | None = None  # minutes before the start
    reminder_at: datetime | None = None  # of a task
    start: datetime | None = None
    end: datetime | None = None
    start_zone: str = ""  # Windows or IANA name, as the server has it
    end_zone: str = ""
    clocks: Mapping[str, str] = field(default_factory=dict)  # VTIMEZONEs of those that are in no table
    all_day: bool = False
    free_busy: str = "Busy"
    location: str = ""
    series: Series | None = None
    original: datetime | None = None  # of an occurrence: where its series has it
    changed: tuple[Changed, ...] = ()
    deleted: tuple[datetime, ...] = ()
    meeting: bool = False
    cancelled: bool = False
    answer: str = ""  # the owner's own
    organizer: str = ""
    guests: tuple[Guest, ...] = ()
    video: str = ""  # of the meeting's provider: read only
    online: bool = False  # it is held online: read only
    sequence: int = 0
    modified: datetime | None = None
    first_day: date | None = None  # of a task
    due_day: date | None = None
    status: str = "NotStarted"
    done_day: date | None = None
    own: Mapping[str, str] = field(default_factory=dict)  # properties of our own set, by name
