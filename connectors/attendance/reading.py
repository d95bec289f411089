"""A dropped file to an attendance report: the one door to the readers of this folder."""

from collections.abc import Sequence

from connectors import sheet
from connectors.attendance import oldlist, tables
from connectors.attendance.headings import column
from connectors.attendance.model import AttendanceReport
from connectors.attendance.raw import reports
from connectors.errors import BadFile
from connectors.moments import LONGEST


def read(content: bytes, file: str) -> tuple[AttendanceReport, ...]:
    """The attendance report in `content`, dropped under the name `file`.

    One report, or two where nothing in the file tells whether 03/04 is in March or April: the likelier one
    first, for the meetings there were to decide. Raises BadFile, and nothing else, for what is no report, and
    for one that says of a meeting that it lasted days: every meeting of that time could be the one.
    """
    rows = sheet.rows(content, file, _score)
    raw = oldlist.read(rows, file) or tables.read(rows, file)
    if raw is None:
        raise BadFile(
            "is no attendance report that is known: no row has headings for a name and for a time of joining;"
            " docs/attendance.md tells which files are read and from where they come",
            locator=file,
        )
    found = reports(raw)
    able = tuple(
        one for one in found if not (one.started and one.ended and one.ended - one.started > LONGEST)
    )
    if not able:
        first = found[0]
        raise BadFile(
            f"says that the meeting went on from {first.started:%Y-%m-%d} to {first.ended:%Y-%m-%d}, and none"
            f" lasts more than {LONGEST.days} days; download the report again, or correct the year",
            locator=file,
        )
    return able


def _score(cells: Sequence[str]) -> int:
    """How many cells are headings."""
    return sum(column(cell) is not None for cell in cells[: tables.COLUMNS])
