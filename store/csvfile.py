"""CSV as spreadsheets write it: encoding, separator and the place of every cell. Knows no entity."""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from store.errors import Invalid

SEPARATORS = (",", ";", "\t")
SHOWN = 20  # faults that a message lists; the number tells of the others


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell. `line` is that of the file, `column` the header, empty for all of it."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.column}: {self.message}" if self.column else (
            f"line {self.line}: {self.message}"
        )  # fmt: skip


class Refused(Invalid):
    """Nothing was written; `faults` holds every mistake, in the order of the file."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults, key=lambda fault: fault.line)
        shown = [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            shown.append(f"… and {len(self.faults) - SHOWN} more")
        super().__init__("\n".join(shown))


@dataclass(frozen=True, slots=True)
class Line:
    """One record: the line it begins at, and its cells by header, stripped."""

    number: int
    cells: dict[str, str]


def read(content: bytes, known: Sequence[str]) -> list[Line]:
    """The records of a CSV file. `known` are headers that may appear: they tell the separator.

    Raises Refused for what is no CSV; whether the headers are good ones is for others to say.
    """
    text = _decode(content)
    if "\0" in text:
        raise Refused([Fault(1, "", "this is no text: save the sheet as CSV")])
    return list(_records(text, _separator(text, known)))


def _decode(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _strictly(content, "utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _strictly(content, "cp1252")


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = "the text is neither UTF-8 nor Windows-1252: save the sheet as CSV UTF-8"
        raise Refused([Fault(line, "", message)]) from None


def _separator(text: str, known: Sequence[str]) -> str:
    """The one under which most headers are known ones."""
    first = text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    wanted = set(known)

    def score(separator: str) -> tuple[int, int]:
        cells = [cell.strip().strip('"').strip().lower() for cell in first.split(separator)]
        return sum(cell in wanted for cell in cells), len(cells)

    return max(SEPARATORS, key=score)


def _records(text: str, separator: str) -> Iterator[Line]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    headers: list[str] = []
    faults: list[Fault] = []
    while True:
        start = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            raise Refused([*faults, Fault(start, "", f"cannot be read as CSV: {error}")]) from None
        if not any(cells):
            continue
        if not headers:
            headers = _headers(cells, start)
        elif len(cells) != len(headers):
            faults.append(Fault(start, "", f"has {len(cells)} cells, the header has {len(headers)}"))
        elif not faults:
            yield Line(start, dict(zip(headers, cells, strict=True)))
    if not headers:
        faults.append(Fault(1, "", "the file is empty: its first line must name the fields"))
    if faults:
        raise Refused(faults)


def _headers(cells: list[str], line: int) -> list[str]:
    headers = [cell.lower() for cell in cells]
    faults = [Fault(line, "", f"column {n} has no name") for n, name in enumerate(headers, 1) if not name]
    twice = dict.fromkeys(one for one in headers if one and headers.count(one) > 1)
    faults += [Fault(line, name, "stands in the header twice") for name in twice]
    if faults:
        raise Refused(faults)
    return headers
