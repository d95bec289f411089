"""Writing CSV and XLSX files row by row, so that a spreadsheet shows each cell as it is and runs none."""

import codecs
import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from config.language import Phrase
from store.cells import as_text
from store.errors import Invalid
from store.neutral import harmless
from store.readers import Value

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format

LONGEST = 32767  # characters of a cell in XLSX
FIRST_DAY = date(1900, 3, 1)  # earlier days are written as text: programs disagree on them
WIDEST = 40
MAX_ROWS = 1_048_575  # of an XLSX sheet, beside its header


@dataclass(frozen=True, slots=True)
class Guide:
    """The second sheet of a template: how it is called, and its rows, the first one being the headings."""

    name: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """What stands in a workbook beside the rows."""

    sheet: str
    headers: Sequence[str]
    required: frozenset[str] = frozenset()  # headers in bold
    days: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    guide: Guide | None = field(default=None)


def write_csv(
    out: BinaryIO, headers: Sequence[str], rows: Iterable[Sequence[Value]], *, separator: str, mark: bool
) -> int:
    """UTF-8, with a byte order mark, by which spreadsheets know it, where `mark`. Returns how many rows."""
    number = 0
    text = codecs.getwriter("utf-8")(out)
    if mark:
        text.write("\ufeff")
    writer = csv.writer(text, delimiter=separator, lineterminator="\r\n")
    writer.writerow(headers)
    for row in rows:
        writer.writerow([harmless(one) if isinstance(one, str) else as_text(one) for one in map(_kept, row)])
        number += 1
    return number


def write_xlsx(path: Path, layout: Layout, rows: Iterable[Sequence[Value]]) -> int:
    """Returns the number of rows. Raises Invalid for what no cell can hold."""
    from xlsxwriter import Workbook

    with TemporaryDirectory(prefix="syncd-") as folder:
        book = Workbook(str(path), {
            "constant_memory": True, "tmpdir": folder, "strings_to_formulas": False,
            "strings_to_urls": False, "strings_to_numbers": False, "default_date_format": "yyyy-mm-dd",
        })  # fmt: skip
        try:
            return _fill(book, layout, rows)
        finally:
            book.close()


def _fill(book: "Workbook", layout: Layout, rows: Iterable[Sequence[Value]]) -> int:
    bold, plain = book.add_format({"bold": True}), book.add_format({"italic": True})
    text, day = book.add_format({"num_format": "@"}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(layout.sheet[:31])
    for number, header in enumerate(layout.headers):
        # Text stays text, also what is typed in: no telephone number loses its zero.
        look = day if header in layout.days else None if header in layout.numbers else text
        sheet.set_column(number, number, max(12, len(header) + 2), look)
        sheet.write_string(0, number, header, bold if header in layout.required else plain)
    sheet.freeze_panes(1, 0)
    number = 0
    for number, row in enumerate(rows, 1):
        if number > MAX_ROWS:
            raise Invalid(
                Phrase("a sheet holds {max_rows} rows: export as CSV, or fewer records", max_rows=MAX_ROWS)
            )
        for place, value in enumerate(map(_kept, row)):
            if value is None or value == "":
                continue
            if isinstance(value, bool):
                sheet.write_boolean(number, place, value)
            elif isinstance(value, int | Decimal):
                sheet.write_number(number, place, value)
            elif isinstance(value, date) and value >= FIRST_DAY:
                sheet.write_datetime(number, place, value, day)
            elif sheet.write_string(number, place, harmless(as_text(value)), text):
                header = layout.headers[place]
                raise Invalid(
                    Phrase(
                        "row {number}: {header} has more than {longest} characters, the most that XLSX "
                        "holds: export as CSV",
                        number=number,
                        header=header,
                        longest=LONGEST,
                    )
                )
    if layout.guide is not None:
        _guide(book, layout.guide, bold)
    return number


def _guide(book: "Workbook", guide: Guide, bold: "Format") -> None:
    sheet = book.add_worksheet(guide.name)
    for number, row in enumerate(guide.rows):
        for place, one in enumerate(row):
            if one:
                sheet.write_string(number, place, one, None if number else bold)
    for place in range(len(guide.rows[0])):
        width = max(len(row[place]) for row in guide.rows)
        sheet.set_column(place, place, min(width + 2, 2 * WIDEST))
    sheet.freeze_panes(1, 0)


def _kept(value: Value) -> Value:
    """A value without what no file can hold."""
    return value.replace("\0", "") if isinstance(value, str) else value
