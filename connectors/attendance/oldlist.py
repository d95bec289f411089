"""The list that Teams offered during a meeting until 2021, and still does in places: a row each time somebody
joins or leaves (meetingAttendanceList.csv: Full Name, User Action, Timestamp)."""

from collections.abc import Sequence

from connectors.attendance.headings import JOINED, LEFT, Column, column, fits
from connectors.attendance.model import Provider, Role
from connectors.attendance.raw import Raw, RawVisit
from connectors.errors import BadFile
from connectors.moments import Moment
from connectors.sheet import Row
from connectors.wording import words

HEADINGS_WITHIN = 30  # rows
_NEEDED = (Column.NAME, Column.ACTION, Column.MOMENT)


def read(rows: Sequence[Row], file: str) -> Raw | None:
    """The report; None if this is no such list. Raises BadFile.

    Who had not left when the list was downloaded has a visit without an end.
    """
    for index, row in enumerate(rows[:HEADINGS_WITHIN]):
        kinds = [column(cell) for cell in row.cells]
        if all(kind in kinds for kind in _NEEDED):
            raw = Raw(file, provider=Provider.TEAMS, headings=list(row.cells))
            raw.utc = "utc" in words(row.cells[kinds.index(Column.MOMENT)]).split()
            _events(raw, rows[index + 1 :], [kinds.index(kind) for kind in _NEEDED])
            return raw
    return None


def _events(raw: Raw, rows: Sequence[Row], places: Sequence[int]) -> None:
    open_: dict[str, list[tuple[int, str, Moment]]] = {}
    last: Moment | None = None
    for row in rows:
        name, action, text = (row.cell(place) for place in places)
        at, doing = raw.moment(text, row.line), words(action)
        visits = open_.setdefault(name.casefold(), [])
        if fits(doing, LEFT):
            if visits:  # else they joined before the list begins, and nobody knows when
                line, shown, join = visits.pop()
                raw.people.append(RawVisit(line, shown, "", Role.UNKNOWN, join, at, None))
        elif fits(doing, JOINED):
            visits.append((row.line, name, at))
        else:
            message = "tells neither of joining nor of leaving in a language that is known"
            raise BadFile(f"{message} (docs/attendance.md)", locator=raw.file, line=row.line)
        last = at
    for visits in open_.values():
        raw.people += [
            RawVisit(line, shown, "", Role.UNKNOWN, join, None, None) for line, shown, join in visits
        ]
        raw.until = last if visits else raw.until
    raw.people.sort(key=lambda visit: visit.line)
    raw.visits = list(raw.people)
