"""What a text was understood as, and how names in it are looked up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Protocol


class Kind(Enum):
    """What is to be made."""

    EVENT = "event"
    TASK = "task"


class Activity(Enum):
    """The type of an event; the names and values are those of the CRM's type of activity."""

    MEETING = "meeting"
    VISIT = "visit"
    VIDEO_CALL = "video_call"
    CALL = "call"


class Named(Enum):
    """What a name stands for."""

    CONTACT = "contact"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Match:
    """A record that has the name."""

    kind: Named
    id: int
    name: str  # as the CRM writes it
    account_id: int  # an account's own id, or that of the contact's account


class Lookup(Protocol):
    """Finds who has a name."""

    def __call__(self, words: Sequence[str], /) -> Sequence[Match]:
        """All records that these words name, together and in this order."""


def nobody(_words: Sequence[str], /) -> Sequence[Match]:
    """The lookup of a caller that knows no names."""
    return ()


@dataclass(frozen=True, slots=True)
class Link:
    """Words of the subject that name exactly one record."""

    words: str  # as typed
    match: Match


@dataclass(frozen=True, slots=True)
class Unlinked:
    """Words of the subject that name several records: none of them is linked."""

    words: str  # as typed
    matches: tuple[Match, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QuickAdd:
    """All that was understood. Times are wall-clock times of the zone that `today` was given in."""

    kind: Kind
    activity: Activity | None  # None: no word said it; a task has none
    subject: str  # never empty
    day: date | None  # None only for a task without a day
    days: int = 1  # how many whole days, where there is no time
    start: datetime | None = None  # naive; None: all day, or a task without a time
    end: datetime | None = None  # naive, on the clock; None exactly where `start` is or for a task
    length: timedelta | None = None  # elapsed: said, or an hour; None where the end was said on the clock
    place: str | None = None
    opportunity: str | None = None  # as typed after #
    alarm: int | None = None  # minutes before the start
    url: str | None = None  # the link of a video call
    links: tuple[Link, ...] = ()
    unlinked: tuple[Unlinked, ...] = ()

    @property
    def all_day(self) -> bool:
        """Whether it is an event of whole days."""
        return self.kind is Kind.EVENT and self.start is None

    @property
    def last_day(self) -> date | None:
        """The last of the whole days."""
        return None if self.day is None else self.day + timedelta(days=self.days - 1)

    @property
    def task_subject(self) -> str:
        """The subject of a task, with the time of day that was said: the CRM's tasks have none."""
        return self.subject if self.start is None else f"{self.subject} ({self.start:%H:%M})"

    @property
    def account_id(self) -> int | None:
        """The account that all linked names lead to, if it is one."""
        accounts = {link.match.account_id for link in self.links}
        return accounts.pop() if len(accounts) == 1 else None

    @property
    def contact(self) -> Match | None:
        """The contact that is named, if it is one."""
        found = {link.match for link in self.links if link.match.kind is Named.CONTACT}
        return found.pop() if len(found) == 1 else None
