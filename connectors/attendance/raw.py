"""What the rows of a report say before it is known whether the day or the month comes first."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from connectors.attendance.headings import DAY_FIRST
from connectors.attendance.model import AttendanceReport, Attended, Provider, Role, Visit, presence
from connectors.errors import BadFile
from connectors.moments import Moment, moment, orders
from connectors.wording import words

AUTUMN = timedelta(hours=1)  # the clock goes back by it, so that somebody leaves before they joined

_ADDRESS = re.compile(r"[^\s@<>\"]{1,64}@[^\s@<>\"]{1,255}")


@dataclass(frozen=True, slots=True)
class RawVisit:
    """One row about one person."""

    line: int
    name: str
    email: str
    role: Role
    join: Moment | None
    leave: Moment | None
    seconds: int | None

    @property
    def key(self) -> str:
        """What tells one person from another in this report."""
        return self.email or "\0" + self.name.casefold()


@dataclass(slots=True)
class Raw:
    """A whole report as read so far."""

    file: str
    provider: Provider = Provider.OTHER
    title: str = ""
    meeting_id: str = ""
    started: Moment | None = None
    ended: Moment | None = None
    until: Moment | None = None  # up to when the report was written, where somebody had not left yet
    host: str = ""  # the address of whose meeting it was
    people: list[RawVisit] = field(default_factory=list)
    visits: list[RawVisit] = field(default_factory=list)  # each joining, where `people` has sums
    headings: list[str] = field(default_factory=list)
    utc: bool = False  # a heading says so

    def moment(self, text: str, line: int) -> Moment:
        """The moment in a cell. Raises BadFile where it is none."""
        found = moment(text)
        if found is None:
            raise BadFile(
                "has a date or time that cannot be read, or was cut off; download the report again, and do"
                " not save it from a spreadsheet",
                locator=self.file,
                line=line,
            )
        return found


def address(text: str) -> str:
    """The address in a cell, lower-cased; empty where there is none."""
    candidate = text.strip().lower()
    return candidate if _ADDRESS.fullmatch(candidate) else ""


def reports(raw: Raw) -> tuple[AttendanceReport, ...]:
    """The report; two if nothing in the file tells the day from the month, the likelier one first.

    Raises BadFile where nobody is in it, or where its dates contradict one another.
    """
    if not raw.people:
        raise BadFile(
            "nobody is in it: no row below the headings tells of a person who joined; export the report of a"
            " meeting that took place",
            locator=raw.file,
        )
    moments = [one for row in (*raw.people, *raw.visits) for one in (row.join, row.leave) if one]
    moments += [one for one in (raw.started, raw.ended) if one]
    custom = True if any(DAY_FIRST.search(words(heading)) for heading in raw.headings) else None
    ways = orders(moments, day_first=custom)
    if not ways:
        raise BadFile(
            "its dates contradict one another: some have the day first, some the month; download the report"
            " again, and do not save it from a spreadsheet",
            locator=raw.file,
        )
    return tuple(_report(raw, _clock(raw, moments, day_first=way)) for way in ways)


Clock = Callable[[Moment | None], datetime | None]


def _clock(raw: Raw, moments: Iterable[Moment], *, day_first: bool) -> Clock:
    """Reads a moment of this report."""
    aware = {one.tzinfo is not None for each in moments if (one := each.read(day_first=day_first))}
    if len(aware) > 1 and not raw.utc:
        raise BadFile(
            "some of its times name a zone and some do not; download the report again", locator=raw.file
        )

    def read(one: Moment | None) -> datetime | None:
        at = one.read(day_first=day_first) if one else None
        return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None and raw.utc else at

    return read


def _report(raw: Raw, clock: Clock) -> AttendanceReport:
    groups: dict[str, list[RawVisit]] = {}
    for row in raw.people:
        groups.setdefault(row.key, []).append(row)
    single: dict[str, list[RawVisit]] = {}
    for row in raw.visits:
        single.setdefault(row.key, []).append(row)
    each_row = not raw.visits and raw.provider is not Provider.TEAMS
    people = tuple(
        _person(raw, rows, single.get(key, rows if each_row or len(rows) > 1 else []), clock)
        for key, rows in groups.items()
    )
    joins = [one.first_join for one in people if one.first_join]
    leaves = [one.last_leave for one in people if one.last_leave]
    started = clock(raw.started) or min(joins, default=None)
    ended = clock(raw.ended) or (None if raw.until else max(leaves, default=None))
    if started and ended and ended < started - AUTUMN:
        raise BadFile("the meeting ends before it starts; download the report again", locator=raw.file)
    return AttendanceReport(raw.provider, raw.title, raw.meeting_id, started, ended, people)


def _person(raw: Raw, rows: Sequence[RawVisit], single: Sequence[RawVisit], clock: Clock) -> Attended:
    spans = [_visit(raw, row, clock) for row in single]
    visits = tuple(sorted((one for one in spans if one), key=lambda one: one.join))
    whole = [one for row in rows if (one := _visit(raw, row, clock))]
    known = (*visits, *whole)
    told = [row.seconds for row in rows if row.seconds is not None]
    leaves = [one.leave for one in known if one.leave]
    seconds = presence(visits) if visits and all(one.leave for one in visits) else None
    if seconds is None:
        seconds = sum(told) if told else presence(_until(known, clock(raw.until))) or 0
    roles = [row.role for row in rows if row.role is not Role.UNKNOWN]
    return Attended(
        name=next((row.name for row in rows if row.name), ""),
        email=rows[0].email,
        first_join=min((one.join for one in known), default=None),
        last_leave=None if any(one.leave is None for one in visits) else max(leaves, default=None),
        seconds=seconds,
        role=roles[0] if roles else (Role.ORGANIZER if rows[0].email == raw.host != "" else Role.UNKNOWN),
        visits=visits,
    )


def _visit(raw: Raw, row: RawVisit, clock: Clock) -> Visit | None:
    join, leave = clock(row.join), clock(row.leave)
    if join is None:
        return None
    if leave is not None and leave < join - (timedelta(0) if leave.tzinfo else AUTUMN):
        message = "somebody leaves before they join; download the report again"
        raise BadFile(message, locator=raw.file, line=row.line)
    return Visit(join, leave, row.seconds)


def _until(visits: Iterable[Visit], end: datetime | None) -> list[Visit]:
    """With the end of the list where somebody had not left when it was written: the least that is certain."""
    return [replace(one, leave=one.leave or max(end or one.join, one.join)) for one in visits]
