"""What an attendance report says, whichever provider wrote it. Plain frozen records, no I/O.

The times of a report are all aware (UTC), or all wall-clock without a zone: the files that Teams and Zoom
offer tell none. `in_zone` makes the latter aware once somebody knows where they were written.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from zoneinfo import ZoneInfo


class Provider(Enum):
    """Whose report it is."""

    TEAMS = "teams"
    ZOOM = "zoom"
    OTHER = "other"  # read by its headings all the same


class Role(Enum):
    """What somebody was in the meeting."""

    ORGANIZER = "organizer"
    PRESENTER = "presenter"
    ATTENDEE = "attendee"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Visit:
    """From joining to leaving, once."""

    join: datetime
    leave: datetime | None  # None = the report was written before
    seconds: int | None = None  # as the report says; None = it does not


@dataclass(frozen=True, slots=True)
class Attended:
    """One person of a report, however often they joined."""

    name: str  # as shown in the meeting; may be empty
    email: str  # lower-cased; empty for guests, callers and whoever the provider does not tell
    first_join: datetime | None  # None = the report has no times of single people
    last_leave: datetime | None
    seconds: int  # of presence; time on two devices at once counts once where the visits are known
    role: Role = Role.UNKNOWN
    visits: tuple[Visit, ...] = ()  # in order of joining; empty where only the first and the last are told


@dataclass(frozen=True, slots=True)
class AttendanceReport:
    """One session of one meeting."""

    provider: Provider
    title: str  # empty where the report has none
    meeting_id: str  # Zoom's number, digits only; the id that old reports of Teams had; else empty
    started: datetime | None  # None = the report holds no time at all
    ended: datetime | None
    people: tuple[Attended, ...]

    @property
    def zone_unknown(self) -> bool:
        """Whether the times are those of a clock on some wall."""
        return self.started is not None and self.started.tzinfo is None

    def in_zone(self, zone: ZoneInfo) -> "AttendanceReport":
        """The report with aware times (UTC), its wall-clock ones taken as those of `zone`.

        In the hour that comes twice in autumn, the reading is taken that fits the length told.
        """
        if not self.zone_unknown:
            return self
        people = tuple(_person_in(person, zone) for person in self.people)
        started, ended = _pair_in(self.started, self.ended, zone, None)
        return replace(self, started=started, ended=ended, people=people)


def presence(visits: Iterable[Visit]) -> int | None:
    """Seconds within any of the visits; None where a leave is missing or they are none."""
    # A clock on a wall may show the leave before the join, in the hour that comes twice.
    spans = sorted((one.join, max(one.join, one.leave)) for one in visits if one.leave is not None)
    if not spans:
        return None
    total, (start, end) = timedelta(0), spans[0]
    for join, leave in spans[1:]:
        if join > end:
            total, start, end = total + (end - start), join, leave
        else:
            end = max(end, leave)
    return int((total + (end - start)).total_seconds())


def _person_in(person: Attended, zone: ZoneInfo) -> Attended:
    visits = []
    for visit in person.visits:
        join, leave = _pair_in(visit.join, visit.leave, zone, visit.seconds)
        if join is not None:
            visits.append(Visit(join, leave, visit.seconds))
    first, last = _pair_in(person.first_join, person.last_leave, zone, None)
    known = presence(visits) if all(visit.leave for visit in visits) else None
    return replace(
        person,
        first_join=min((visit.join for visit in visits), default=first),
        last_leave=max((visit.leave for visit in visits if visit.leave), default=last),
        seconds=person.seconds if known is None else known,
        visits=tuple(visits),
    )


def _pair_in(
    start: datetime | None, end: datetime | None, zone: ZoneInfo, told: int | None
) -> tuple[datetime | None, datetime | None]:
    """Both as UTC. `told` is the length in seconds, where the report says it."""
    if start is None or end is None:
        return _readings(start, zone)[0], _readings(end, zone)[0]
    pairs = [(a, b) for a in _readings(start, zone) for b in _readings(end, zone) if a and b]
    wanted = told if told is not None else (end - start).total_seconds()
    return min(pairs, key=lambda pair: (pair[1] < pair[0], abs((pair[1] - pair[0]).total_seconds() - wanted)))


def _readings(wall: datetime | None, zone: ZoneInfo) -> list[datetime | None]:
    if wall is None:
        return [None]
    early, late = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return [early] if early >= late else [early, late]
