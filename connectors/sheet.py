"""Bytes of a CSV file, whatever program wrote them, to rows of cells. Knows no provider and no column.

Encodings (byte order marks, UTF-16 without one, UTF-8, Windows-1252), separators, quotes and limits are
taken care of here. A file that is beyond the limits or no text is refused with `BadFile`; time and memory
grow with its size and with nothing else.
"""

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from connectors.errors import BadFile

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 100_000
MAX_CELLS = 250  # in a row
MAX_LINE = 64 * 1024  # characters
MAX_CELL = 1000  # characters of a cell that are kept: names, titles and times are far shorter
SEPARATORS = ("\t", ";", ",", "|")
LOOKED_AT = 60  # rows by which the separator is told

_AGAIN = "download the report again, and drop the file as it was downloaded"
# Line feeds of cells, NUL, and marks of writing direction that programs put around names and times.
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_FORMULA = re.compile(r'="([^"]*)"')  # how exports keep a spreadsheet from taking a number for one


@dataclass(frozen=True, slots=True)
class Row:
    """One record: the line it begins at, and its cells, cleaned. Never all empty."""

    line: int
    cells: tuple[str, ...]

    def cell(self, index: int | None) -> str:
        """The text of a cell; empty where the row is too short or there is no such column."""
        return self.cells[index] if index is not None and index < len(self.cells) else ""


def rows(content: bytes, name: str, score: Callable[[Sequence[str]], int]) -> list[Row]:
    """The rows of a file called `name`; those without any text are left out.

    `score` tells how much a row looks like headings: the separator under which a row among the first
    sixty has the most is the file's. Raises BadFile.
    """
    if len(content) > MAX_BYTES:
        raise BadFile(f"is larger than {MAX_BYTES // 2**20} MiB; {_AGAIN}", locator=name)
    text = _decoded(content, name)
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise BadFile(f"holds a NUL character, so it is no text; {_AGAIN}", locator=name, line=line)
    lines = _lines(text, name)
    separator = _separator(lines, score)
    return list(_records(lines, separator, name))


def _decoded(content: bytes, name: str) -> str:
    if not content:
        raise BadFile(f"is empty; {_AGAIN}", locator=name)
    for encoding in _encodings(content):
        try:
            return content.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    raise BadFile(
        f"is neither UTF-8, UTF-16 nor Windows-1252, or was cut in the middle of a character; {_AGAIN}",
        locator=name,
    )


def _encodings(content: bytes) -> tuple[str, ...]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if content.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    start = content[:512]
    half = max(len(start) // 2, 1)
    if start[1::2].count(0) * 2 > half:  # mostly letters of the Latin alphabet, without a mark before them
        return ("utf-16-le",)
    if start[::2].count(0) * 2 > half:
        return ("utf-16-be",)
    return ("utf-8", "cp1252")


def _lines(text: str, name: str) -> list[str]:
    """The lines with their ends, as the csv module wants them: only CR, LF and CRLF end a line."""
    if text.count("\n") + text.count("\r") > 4 * MAX_ROWS:
        raise BadFile(f"has more than {2 * MAX_ROWS} lines; split it", locator=name)
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LINE:
            message = f"has more than {MAX_LINE} characters, so it is no report; {_AGAIN}"
            raise BadFile(message, locator=name, line=number)
    return lines


def _separator(lines: Sequence[str], score: Callable[[Sequence[str]], int]) -> str:
    def best(separator: str) -> tuple[int, int]:
        reader = csv.reader(_start(lines), delimiter=separator)
        found = (0, 0)
        try:
            for _, cells in zip(range(LOOKED_AT), reader, strict=False):
                clean = [_clean(cell) for cell in cells[:MAX_CELLS]]
                found = max(found, (score(clean), len(clean)))
        except csv.Error:
            pass
        return found

    return max(SEPARATORS, key=best)


def _start(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[: LOOKED_AT * 2]


def _records(lines: Iterable[str], separator: str, name: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=separator)
    kept = 0
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = f"has a quote that is never closed; {_AGAIN}"
            raise BadFile(message, locator=name, line=line) from None
        if len(cells) > MAX_CELLS:
            message = f"has more than {MAX_CELLS} cells, so it is no report; {_AGAIN}"
            raise BadFile(message, locator=name, line=line)
        clean = tuple(_clean(cell) for cell in cells)
        if not any(clean):
            continue
        kept += 1
        if kept > MAX_ROWS:
            message = f"the file has more than {MAX_ROWS} rows; split it"
            raise BadFile(message, locator=name, line=line)
        yield Row(line, clean)


def _clean(cell: str) -> str:
    text = " ".join(_UNSEEN.sub(" ", cell[: MAX_CELL * 2]).split())[:MAX_CELL]
    formula = _FORMULA.fullmatch(text)
    return formula[1] if formula else text
