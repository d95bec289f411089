"""What status an account has on a day (table T1; R150 to R154).

Pure. Days are those of the company's time zone. An item is told by the day it ended: None for one that has no
such day. Statuses only go down while nothing is written: see `Status`.
"""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date
from enum import Enum, IntEnum

RECENT_MONTHS, MIDDLE_MONTHS = 3, 6
MONTHS = 12


class Status(Enum):
    """Statut d'un compte, the liveliest first. With the same deals, opportunities and day of creation, a
    later day never has a livelier one."""

    ACTIVE = "active"  # Actif
    PROSPECT = "prospect"  # Prospect
    NEGLECTED = "neglected"  # Délaissé
    INACTIVE = "inactive"  # Inactif


class Band(IntEnum):
    """How long ago the item of a kind ended that ended last. The greater one counts."""

    NONE = 0
    OLD = 1
    MIDDLE = 2
    RECENT = 3
    OPEN = 4


class Age(Enum):
    """How long ago the account was created."""

    NEW = "new"
    MIDDLE = "middle"
    OLD = "old"


@dataclass(frozen=True, slots=True)
class Ruling:
    """A status, and the row of T1 that gives it (1 to 7)."""

    status: Status
    row: int


@dataclass(frozen=True, slots=True)
class Limits:
    """A day and the two days that the bands of T1 begin at."""

    day: date
    recent: date  # three months before
    middle: date  # six months before

    def band(self, ends: Iterable[date | None]) -> Band:
        """The best band of items that end on these days."""
        return max(map(self._band, ends), default=Band.NONE)

    def _band(self, end: date | None) -> Band:
        if end is None or end > self.day:
            return Band.OPEN
        if end >= self.recent:
            return Band.RECENT
        return Band.MIDDLE if end >= self.middle else Band.OLD

    def age(self, created_on: date) -> Age:
        """The band of an account's creation."""
        if created_on > self.recent:
            return Age.NEW
        return Age.MIDDLE if created_on >= self.middle else Age.OLD

    def judge(
        self, created_on: date, deals: Iterable[date | None], opportunities: Iterable[date | None]
    ) -> Ruling:
        """The account's status; deals and opportunities by the days on which they ended."""
        return ruling(self.band(deals), self.band(opportunities), self.age(created_on))


def limits(day: date) -> Limits:
    """What is recent and what is old on that day."""
    return Limits(day, months_before(day, RECENT_MONTHS), months_before(day, MIDDLE_MONTHS))


def months_before(day: date, months: int) -> date:
    """So many calendar months earlier; the day is clamped to the end of the month (31 May - 3 months = 28 or
    29 February). Before the first year there is, its first day."""
    year, month = divmod(day.year * MONTHS + day.month - 1 - months, MONTHS)
    if not MINYEAR <= year <= MAXYEAR:
        return date.min
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def deal_end(end_date: date | None, closed_on: date | None) -> date | None:
    """The day a deal ended: one that is closed before its planned end counts from its closing."""
    return min((one for one in (end_date, closed_on) if one is not None), default=None)


def opportunity_end(closed_on: date | None, changed_on: date | None, stale: date | None) -> date | None:
    """The day an opportunity ended. One without that was changed last before the day `stale` counts from its
    last change; without such a day it goes on, however old it is."""
    if closed_on is not None or stale is None or changed_on is None or changed_on >= stale:
        return closed_on
    return changed_on


def ruling(deals: Band, opportunities: Band, age: Age) -> Ruling:
    """Table T1, from top to bottom."""
    if deals >= Band.RECENT:
        return Ruling(Status.ACTIVE, 1)
    if opportunities >= Band.RECENT:
        return Ruling(Status.PROSPECT, 2)
    if age is Age.NEW:
        return Ruling(Status.PROSPECT, 3)
    if Band.MIDDLE in (deals, opportunities):
        return Ruling(Status.NEGLECTED, 4)
    if deals is opportunities is Band.NONE and age is Age.MIDDLE:
        return Ruling(Status.NEGLECTED, 5)
    return Ruling(Status.INACTIVE, 6 if age is Age.MIDDLE else 7)
