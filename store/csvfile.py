"""CSV as spreadsheets write it: encoding, separator and the place of every cell. Knows no entity."""

import codecs
import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from config.language import Phrase, together
from store.errors import Invalid
from store.neutral import original

SEPARATORS = (",", ";", "\t", "|")
MAX_BYTES = 100 * 2**20
MAX_ROWS = 200_000
SHOWN = 20  # faults that a message lists; the number tells of the others


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell. `line` is that of the file, `column` the header, empty for all of it."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return str(self.told)

    @property
    def told(self) -> Phrase:
        """Where it is, and what it is."""
        if not self.column:
            return Phrase("line {line}: {message}", line=self.line, message=self.message)
        return Phrase(
            "line {line}: {column}: {message}", line=self.line, column=self.column, message=self.message
        )


class Refused(Invalid):
    """Nothing was written; `faults` holds every mistake, in the order of the file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        shown = [fault.told for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            shown.append(Phrase("… and {count} more", count=len(self.faults) - SHOWN))
        super().__init__(together(shown, "\n"))


@dataclass(frozen=True, slots=True)
class Line:
    """One record: the line it begins at, and its cells by header, stripped."""

    number: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds: its records, the rows that are none, and what is odd about it."""

    headers: tuple[str, ...]
    lines: list[Line]
    faults: list[Fault]
    warnings: list[Fault]


def read(content: bytes, known: Sequence[str]) -> list[Line]:
    """The records of a CSV file. `known` are headers that may appear: they tell the separator.

    Raises Refused for what is no CSV; whether the headers are good ones is for others to say.
    """
    sheet = scan(content, known)
    if sheet.faults:
        raise Refused(sheet.faults)
    return sheet.lines


def scan(content: bytes, known: Sequence[str]) -> Sheet:
    """As `read`, but rows that have too few or too many cells are told and do not spoil the others."""
    if len(content) > MAX_BYTES:
        raise Refused(
            [
                Fault(
                    1,
                    "",
                    Phrase("the file is larger than {max_bytes} MiB: split it", max_bytes=MAX_BYTES // 2**20),
                )
            ]
        )
    text = _decode(content)
    if "\0" in text:
        raise Refused([Fault(1, "", Phrase("this is no text: save the sheet as CSV"))])
    return _records(text, _separator(text, known))


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strictly(content, "utf-16")
    start = content[:512]
    for encoding, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        # Mostly letters of the Latin alphabet, without a mark before them.
        if len(zeros) > 1 and zeros.count(0) * 2 > len(zeros) and start.count(0) <= len(zeros):
            return _strictly(content, encoding)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _strictly(content, "cp1252")


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = Phrase("the text is neither UTF-8 nor Windows-1252: save the sheet as CSV UTF-8")
        raise Refused([Fault(line, "", message)]) from None


def _separator(text: str, known: Sequence[str]) -> str:
    """The one under which most headers are known ones."""
    first = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    wanted = set(known)

    def score(separator: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"').strip().lower() for cell in first.split(separator)]
        return sum(cell in wanted for cell in cells), len(cells)

    return max(SEPARATORS, key=score)


def _records(text: str, separator: str) -> Sheet:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    sheet = Sheeter()
    while True:
        start = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return sheet.done()
        except csv.Error as error:
            raise Refused(
                [*sheet.faults, Fault(start, "", Phrase("cannot be read as CSV: {error}", error=error))]
            ) from None
        sheet.add(start, cells)


class Sheeter:
    """Takes the rows of a file, one after the other; the first that is not empty names the fields."""

    def __init__(self) -> None:
        self.headers: list[str] = []
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self._lines: list[Line] = []

    def add(self, number: int, cells: list[str]) -> None:
        """One row, its cells stripped. Raises Refused for headers that are none, or for too many rows."""
        if not any(cells):
            return
        if not self.headers:
            self.headers = _headers(cells, number)
        elif len(cells) != len(self.headers):
            message = Phrase(
                "has {count} cells, the header has {count2}", count=len(cells), count2=len(self.headers)
            )
            self.faults.append(Fault(number, "", message))
        elif len(self._lines) >= MAX_ROWS:
            raise Refused(
                [
                    Fault(
                        number,
                        "",
                        Phrase("the file has more than {max_rows} rows: split it", max_rows=MAX_ROWS),
                    )
                ]
            )
        else:
            self._lines.append(Line(number, dict(zip(self.headers, map(original, cells), strict=True))))

    def done(self) -> Sheet:
        """All of it. Raises Refused for a file without any row."""
        if not self.headers:
            raise Refused([Fault(1, "", Phrase("the file is empty: its first line must name the fields"))])
        return Sheet(tuple(self.headers), self._lines, self.faults, self.warnings)


def _headers(cells: list[str], line: int) -> list[str]:
    headers = [cell.lower() for cell in cells]
    faults = [
        Fault(line, "", Phrase("column {n} has no name", n=n))
        for n, name in enumerate(headers, 1)
        if not name
    ]
    twice = dict.fromkeys(one for one in headers if one and headers.count(one) > 1)
    faults += [Fault(line, name, Phrase("stands in the header twice")) for name in twice]
    if faults:
        raise Refused(faults)
    return headers
