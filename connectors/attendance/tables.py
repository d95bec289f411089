"""The reports that have a table of people: Teams since 2021, Zoom's meetings and webinars, and their like.

Teams writes numbered sections ("1. Summary", "2. Participants", "3. In-Meeting Activities", further ones
about reactions), in 2021 one list of facts and a table below it. Zoom writes an optional line of headings
about the meeting with one line of values, then the table; webinars have a table for hosts, panelists and
attendees each. What a cell means is told by the heading above or beside it, never by its place.

Sources: support.microsoft.com "Manage meeting attendance reports in Microsoft Teams", support.zoom.com
"Accessing the meeting and webinar history report", and reports that people published.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from connectors.attendance.headings import LONGEST, YES, Column, column, role
from connectors.attendance.model import Provider, Role
from connectors.attendance.raw import Raw, RawVisit, address
from connectors.errors import BadFile
from connectors.moments import seconds
from connectors.sheet import Row
from connectors.wording import words

ACTIVITIES = 3  # the section of Teams with each joining
READ = 3  # sections after it tell of reactions
PAIR = 2  # cells of a fact: its name and its value
HEADED = 3  # known headings that make a row one of headings
HEADINGS = 300  # rows in which headings are looked for, in what may be any file
COLUMNS = 60  # cells of a row that may be headings

_SECTION = re.compile(r"([1-9])\s*\.\s*\S")
_NOTHING = frozenset({"", "-", "--", "n/a", "na"})


@dataclass(slots=True)
class _Table:
    """Where the columns of the table are that is being read."""

    places: Mapping[Column, int]
    minutes: bool  # durations are in minutes
    role: Role  # of everybody in it, where a line above said so
    activities: bool


@dataclass(slots=True)
class _Walk:
    """Where the reader stands."""

    raw: Raw
    section: int = 0
    label: str = ""
    table: _Table | None = None
    ahead: Sequence[Column | None] = ()  # headings whose values come in the next row
    marks: set[Provider] = field(default_factory=set)
    tables: int = 0
    looked: int = 0  # rows in which headings were looked for


def read(rows: Sequence[Row], file: str) -> Raw | None:
    """The report; None if there is no table of people. Raises BadFile."""
    walk = _Walk(Raw(file))
    for row in rows:
        _step(walk, row)
    raw = walk.raw
    raw.provider = next((one for one in (Provider.ZOOM, Provider.TEAMS) if one in walk.marks), Provider.OTHER)
    if raw.provider is Provider.ZOOM:
        raw.meeting_id = re.sub(r"\D", "", raw.meeting_id)
    if not raw.people:  # a cut report may have the single joinings only, or none
        raw.people, raw.visits = raw.visits, []
    return raw if walk.tables else None


def _step(walk: _Walk, row: Row) -> None:
    filled = sum(bool(cell) for cell in row.cells)
    section = _SECTION.match(row.cells[0]) if filled == 1 else None
    if section:
        walk.section, walk.table, walk.label = int(section[1]), None, ""
        walk.marks.add(Provider.TEAMS)
        walk.raw.headings.append(row.cells[0][:LONGEST])
        return
    if walk.section > READ:
        return
    if walk.ahead:
        _facts(walk.raw, dict(zip(walk.ahead, row.cells, strict=False)), row.line)
        walk.ahead = ()
        return
    kinds = _kinds(walk, row)
    if _heads_people(kinds):
        _open(walk, row, kinds)
    elif filled == 1:
        if walk.table is None or len(row.cells) <= PAIR or "detail" in words(row.cells[0][:LONGEST]):
            walk.label, walk.table = row.cells[0], None  # "Attendee Details"
    elif walk.table is not None:
        _person(walk, walk.table, row)
    elif sum(kind is not None for kind in kinds) >= HEADED:
        walk.ahead = kinds
        walk.marks.add(Provider.ZOOM)
        walk.raw.headings += row.cells
    elif kinds[0] is not None:
        walk.raw.headings.append(row.cells[0])
        _facts(walk.raw, {kinds[0]: ", ".join(cell for cell in row.cells[1:] if cell)}, row.line)


def _kinds(walk: _Walk, row: Row) -> list[Column | None]:
    """What the cells are as headings. No heading holds a digit, unless it stands beside its value."""
    if walk.looked >= HEADINGS:
        return [None]
    if any(letter.isdigit() for cell in row.cells for letter in cell):
        if walk.table is not None:
            return [None]
        walk.looked += 1
        return [column(row.cells[0])]
    walk.looked += 1
    return [column(cell) for cell in row.cells[:COLUMNS]]


def _heads_people(kinds: Sequence[Column | None]) -> bool:
    known = set(kinds)
    about_meeting = known & {Column.TOPIC, Column.MEETING_ID, Column.STARTED}
    return Column.NAME in known and (Column.JOIN in known or (Column.DURATION in known and not about_meeting))


def _open(walk: _Walk, row: Row, kinds: Sequence[Column | None]) -> None:
    places: dict[Column, int] = {}
    for index, kind in enumerate(kinds):
        if kind is not None:
            places.setdefault(kind, index)
    length = words(row.cell(places.get(Column.DURATION)))
    minutes = "min" in length.split() or "minut" in length
    if minutes or "original" in words(row.cell(places[Column.NAME])):
        walk.marks.add(Provider.ZOOM)
    if {Column.UPN, Column.ROLE} & set(places):
        walk.marks.add(Provider.TEAMS)
    walk.raw.headings += row.cells
    walk.raw.utc = walk.raw.utc or "utc" in words(row.cell(places.get(Column.JOIN))).split()
    walk.table = _Table(places, minutes, role(walk.label), walk.section == ACTIVITIES)
    walk.tables += 1


def _facts(raw: Raw, told: Mapping[Column | None, str], line: int) -> None:
    """What a summary tells of the meeting."""
    raw.title = raw.title or told.get(Column.TOPIC, "")
    raw.host = raw.host or address(told.get(Column.EMAIL, ""))
    raw.meeting_id = raw.meeting_id or told.get(Column.MEETING_ID, "")
    if (text := told.get(Column.STARTED, "")).lower() not in _NOTHING:
        raw.started = raw.moment(text, line)
    if (text := told.get(Column.ENDED, "")).lower() not in _NOTHING:
        raw.ended = raw.moment(text, line)


def _person(walk: _Walk, table: _Table, row: Row) -> None:
    def cell(kind: Column) -> str:
        return row.cell(table.places.get(kind))

    if words(cell(Column.WAITING)) in YES:
        return
    raw, join, leave, length = walk.raw, cell(Column.JOIN), cell(Column.LEAVE), cell(Column.DURATION)
    needed = table.places.get(Column.JOIN, table.places.get(Column.DURATION, 0))
    if len(row.cells) <= needed:
        message = "ends in the middle: the file was cut off; download the report again"
        raise BadFile(message, locator=raw.file, line=row.line)
    if join.lower() in _NOTHING and length.lower() in _NOTHING:
        return  # registered, or invited, and not there
    told = None if length.lower() in _NOTHING else seconds(length, unit=60 if table.minutes else 1)
    if told is None and length.lower() not in _NOTHING:
        message = "has a duration that cannot be read, or was cut off; download the report again"
        raise BadFile(message, locator=raw.file, line=row.line)
    raw.title = raw.title or cell(Column.TOPIC)
    raw.meeting_id = raw.meeting_id or cell(Column.MEETING_ID)
    found = RawVisit(
        line=row.line,
        name=cell(Column.NAME),
        email=address(cell(Column.EMAIL)) or address(cell(Column.UPN)),
        role=role(cell(Column.ROLE)) if Column.ROLE in table.places else table.role,
        join=None if join.lower() in _NOTHING else raw.moment(join, row.line),
        leave=None if leave.lower() in _NOTHING else raw.moment(leave, row.line),
        seconds=told,
    )
    (raw.visits if table.activities else raw.people).append(found)
