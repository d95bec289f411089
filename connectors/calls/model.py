"""What a call record says, whichever telephone system wrote it. Plain frozen records, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

LONGEST_EXTENSION = 6  # digits; a longer number is one of the public network


class Direction(Enum):
    """Who called."""

    IN = "in"
    OUT = "out"


class Field(Enum):
    """What a column tells."""

    STARTED = "started"  # date and time, or the date only
    TIME = "time"  # of day, where the date stands apart
    CALLER = "caller"
    CALLED = "called"
    SECONDS = "seconds"  # of talk
    STATUS = "status"
    DIRECTION = "direction"
    EXTENSION = "extension"
    ID = "id"
    CHANNEL = "channel"  # Asterisk's name for the caller's line
    CALLED_CHANNEL = "called channel"


@dataclass(frozen=True, slots=True)
class Switchboard:
    """What has to be known of a telephone system to read its records."""

    zone: ZoneInfo  # of its clock
    own: frozenset[str] = frozenset()  # extensions and numbers of the company, as `bare` writes them
    prefix: str = ""  # dialled to get a line to the outside
    day_first: bool | None = None  # how it writes dates; None = its files must tell
    columns: Mapping[Field, str] = field(default_factory=dict)  # headings, where they are others than usual

    def is_own(self, number: str) -> bool:
        """Whether a number is an extension, or one of the company's."""
        short = len(number) <= LONGEST_EXTENSION and number[:1] not in {"", "0", "+"}
        return number in self.own or short


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call between the company and somebody outside."""

    direction: Direction
    number: str  # the other side's, digits with a + if it had one; not normalised to a country
    started: datetime  # aware, UTC
    seconds: int  # of talk; 0 where nobody answered
    answered: bool
    extension: str  # whose telephone; empty where the record does not tell
    unique_id: str  # the same whenever the call is read again


@dataclass(frozen=True, slots=True)
class CallFile:
    """The calls of a file, oldest first, and how many rows were no calls to record."""

    records: tuple[CallRecord, ...]
    internal: int = 0  # between extensions
    without_number: tuple[int, ...] = ()  # lines: the other side withheld its number
