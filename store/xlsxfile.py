"""Reading XLSX as spreadsheets write it (ECMA-376, part 1, SpreadsheetML): cells become the text that the CSV
of the same sheet would have. Knows no entity.

The file may be anybody's: what it unpacks to, its rows and its columns are bounded, no entity of its XML is
resolved, and what would be read wrongly in silence (merged cells, formulas that were never calculated) is
told with its row and column. Only the first sheet is read.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from lxml import etree

from config.language import Phrase, said
from store.csvfile import MAX_BYTES, MAX_ROWS, Fault, Refused, Sheet, Sheeter

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_UNPACKED = 512 * 2**20  # bytes of all parts that are read
MAX_PARTS = 2000
MAX_STRINGS = 2_000_000
MAX_COLUMNS = 500
MAX_HELD = 100_000  # elements of XML in memory at once
OURS = ("columns", "colonnes")  # the second sheet of a template (store/templates.py)

_DATE_FORMATS = frozenset((*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 59)))
_PERCENT_FORMATS = frozenset((9, 10))
_NOT_SHOWN = re.compile(r'"[^"]*"|\\.|_.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.IGNORECASE)  # 18.8.31
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # 22.9.2.19, ST_Xstring
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_FIRST_1900, _FIRST_1904 = datetime(1899, 12, 30), datetime(1904, 1, 1)  # noqa: DTZ001 - a sheet's days have no zone
_FALSE_LEAP_DAY = 60  # 29 February 1900, which never was
_LAST_SERIAL = 2_958_466  # 31 December 9999


def scan(content: bytes) -> Sheet:
    """The records of the first sheet. Raises Refused for what cannot be read."""
    if content.startswith(COMPOUND):
        raise _refused("it is protected by a password, or an old .xls: save it as .xlsx without a password")
    if len(content) > MAX_BYTES:
        raise _refused(f"the file is larger than {MAX_BYTES // 2**20} MiB: split it")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _scan(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError) as error:
        raise _refused(f"it is no XLSX file, or was cut off: {error}") from None
    except RuntimeError as error:  # zipfile's word for an encrypted part
        raise _refused(f"it is encrypted: save it without a password ({error})") from None
    except etree.XMLSyntaxError as error:
        raise _refused(f"its XML cannot be read: {error.msg}") from None


def _refused(message: str, line: int = 1, column: str = "") -> Refused:
    return Refused([Fault(line, column, message)])


@dataclass(frozen=True)
class _Styles:
    """Which cell formats show days, and which per cents."""

    dates: frozenset[int]
    percents: frozenset[int]


@dataclass(frozen=True)
class _Book:
    """What the cells of a sheet refer to."""

    strings: list[str]
    styles: _Styles
    first_day: datetime


def _scan(archive: zipfile.ZipFile) -> Sheet:
    parts = archive.infolist()
    # zipfile never unpacks more of a part than its entry says.
    if len(parts) > MAX_PARTS or sum(one.file_size for one in parts) > MAX_UNPACKED:
        raise _refused(f"it unpacks to more than {MAX_UNPACKED // 2**20} MiB: save only the one sheet")
    names = {one.filename for one in parts}
    book = next(iter(_targets(archive, names, "", "/officeDocument").values()), "xl/workbook.xml")
    if book not in names:
        raise _refused("it is no XLSX workbook: save the sheet as .xlsx or as CSV")
    sheets, first_day = _workbook(archive, book)
    targets = _targets(archive, names, book, "/worksheet")
    path = targets.get(sheets[0][1], "") if sheets else ""
    if path not in names:
        raise _refused("it has no sheet")
    (texts,) = list(_targets(archive, names, book, "/sharedStrings").values())[:1] or [""]
    (looks,) = list(_targets(archive, names, book, "/styles").values())[:1] or [""]
    strings = list(_strings(archive, texts)) if texts in names else []
    styles = _styles(archive, looks) if looks in names else _Styles(frozenset(), frozenset())
    sheet = _Reader(_Book(strings, styles, first_day)).read(archive, path)
    others = [name for name, _ in sheets[1:] if name not in OURS]
    if others:
        message = Phrase(
            'only the first sheet, "{sheets}", is read; not read: {others}',
            sheets=sheets[0][0],
            others=", ".join(others[:5]),
        )
        sheet.warnings.append(Fault(1, "", message))
    return sheet


def _elements(archive: zipfile.ZipFile, path: str, *tags: str) -> Iterator["etree._Element"]:
    """These elements one by one, by their local names. What was given, and what nobody asked for, is let go:
    however large the part, the tree in memory is that of one element."""
    inside = held = 0
    with archive.open(path) as source:
        for event, element in etree.iterparse(
            source, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
            huge_tree=False, remove_comments=True, remove_pis=True,
        ):  # fmt: skip
            wanted = element.tag.rpartition("}")[2] in tags
            if event == "start":
                inside += wanted
                held += 1
                if held > MAX_HELD:
                    raise _refused("one row of it holds too much: save the sheet anew, or as CSV")
                continue
            if wanted:
                yield element
                inside -= 1
            if not inside:
                held = 0
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]


def _workbook(archive: zipfile.ZipFile, path: str) -> tuple[list[tuple[str, str]], datetime]:
    """The names of the sheets with the ids of their parts, and the day that dates are counted from."""
    sheets, first = [], _FIRST_1900
    for element in _elements(archive, path, "sheet", "workbookPr"):
        if etree.QName(element).localname == "workbookPr":
            first = _FIRST_1904 if element.get("date1904") in ("1", "true") else _FIRST_1900
            continue
        id_ = next((value for key, value in element.attrib.items() if key.endswith("}id")), "")
        sheets.append((str(element.get("name", "")), str(id_)))
    return sheets, first


def _targets(archive: zipfile.ZipFile, names: set[str], of: str, kind: str) -> dict[str, str]:
    """The paths of the parts of a kind that a part refers to, by id (ECMA-376, part 2, 9.3)."""
    folder, name = posixpath.split(of)
    path = posixpath.join(folder, "_rels", f"{name}.rels")
    if path not in names:
        return {}
    return {
        str(one.get("Id")): posixpath.normpath(
            posixpath.join("/", folder, str(one.get("Target", "")))
        ).lstrip("/")
        for one in _elements(archive, path, "Relationship")
        if str(one.get("Type", "")).endswith(kind)
    }


def _strings(archive: zipfile.ZipFile, path: str) -> Iterator[str]:
    for number, element in enumerate(_elements(archive, path, "si")):
        if number >= MAX_STRINGS:
            raise _refused("it holds too many texts: split it")
        yield _text(element)


def _text(element: "etree._Element") -> str:
    """The text of a string item; how it is spoken (rPh) is none of it."""
    texts = (one for one in element.iter("{*}t") if not one.getparent().tag.endswith("}rPh"))
    return _unescaped("".join(one.text or "" for one in texts))


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda one: chr(int(one[1], 16)), text) if "_x" in text else text


def _styles(archive: zipfile.ZipFile, path: str) -> _Styles:
    dates, percents = set(_DATE_FORMATS), set(_PERCENT_FORMATS)
    shown: list[int] = []
    for element in _elements(archive, path, "numFmt", "cellXfs"):
        if etree.QName(element).localname == "cellXfs":
            shown = [int(one.get("numFmtId", "0")) for one in element.iter("{*}xf")]
            continue
        id_ = int(element.get("numFmtId", "0"))
        code = _NOT_SHOWN.sub("", str(element.get("formatCode", ""))).lower().partition(";")[0]
        if "%" in code:
            percents.add(id_)
        elif re.search("[dyhs]|m", code) and "general" not in code:
            dates.add(id_)
    return _Styles(
        frozenset(n for n, id_ in enumerate(shown) if id_ in dates),
        frozenset(n for n, id_ in enumerate(shown) if id_ in percents),
    )


class _Reader:
    """One sheet."""

    def __init__(self, book: _Book) -> None:
        self._book = book
        self._sheet = Sheeter()

    def read(self, archive: zipfile.ZipFile, path: str) -> Sheet:
        number, merged = 0, []
        for element in _elements(archive, path, "row", "mergeCell"):
            if etree.QName(element).localname == "mergeCell":
                merged.append(str(element.get("ref", "")))
                continue
            written = str(element.get("r", ""))
            number = int(written) if written.isdecimal() and len(written) < 8 else number + 1  # noqa: PLR2004
            if number > 10 * MAX_ROWS:
                raise _refused(f"has rows down to {number}: delete the empty ones", number)
            self._row(number, element)
        if merged:
            ref = merged[0]
            line = next((int(n) for n in re.findall("[0-9]+", ref)), 1)
            message = Phrase(
                "the cells {ref} are merged: unmerge them, so that each row has its own values", ref=ref
            )
            self._sheet.faults.insert(0, Fault(line, "", message))
            raise Refused(self._sheet.faults)
        return self._sheet.done()

    def _row(self, number: int, element: "etree._Element") -> None:
        cells: list[str] = []
        column, spoilt = 0, False
        for cell in element.iter("{*}c"):
            found = _REFERENCE.fullmatch(str(cell.get("r", "")))
            column = _column(found[1]) if found else column + 1
            try:
                text = self._cell(cell).strip()
            except ValueError as error:
                self._sheet.faults.append(Fault(number, self._header(column), said(error)))
                spoilt = True
                continue
            if not text:
                continue
            if column > (len(self._sheet.headers) or MAX_COLUMNS):
                told = (
                    Phrase("beyond the last header")
                    if self._sheet.headers
                    else Phrase("beyond column {max_columns}", max_columns=MAX_COLUMNS)
                )
                self._sheet.faults.append(
                    Fault(
                        number,
                        "",
                        Phrase(
                            "has a value in column {letters}, {told}", letters=_letters(column), told=told
                        ),
                    )
                )
                spoilt = True
                break
            cells.extend([""] * (column - len(cells)))
            cells[column - 1] = text
        if not spoilt:
            if cells and self._sheet.headers:
                cells.extend([""] * (len(self._sheet.headers) - len(cells)))
            self._sheet.add(number, cells)
        elif not self._sheet.headers:
            raise Refused(self._sheet.faults)

    def _header(self, column: int) -> str:
        headers = self._sheet.headers
        return headers[column - 1] if 0 < column <= len(headers) else f"column {_letters(column)}"

    def _cell(self, cell: "etree._Element") -> str:
        """The text of a cell; ValueError for one that has none to be trusted."""
        kind = cell.get("t", "n")
        if kind == "inlineStr":
            inline = cell.find("{*}is")
            return "" if inline is None else _text(inline)
        value = cell.findtext("{*}v")
        if value is None or (value == "" and kind != "str"):
            if cell.find("{*}f") is not None:
                raise ValueError(Phrase("holds a formula that was never calculated: open and save the file"))
            return ""
        return self._value(str(kind), str(value), str(cell.get("s", "0")))

    def _value(self, kind: str, value: str, style: str) -> str:
        """By the kinds of 18.18.11, ST_CellType."""
        match kind:
            case "s":
                text = self._shared(value)
            case "str":
                text = _unescaped(value)
            case "b":
                text = "true" if value.strip() == "1" else "false"
            case "e":
                raise ValueError(Phrase("holds the error {value}", value=value[:20]))
            case "d":
                text = value.removesuffix("T00:00:00")
            case _:
                text = self._number(value, style)
        return text

    def _shared(self, value: str) -> str:
        try:
            return self._book.strings[int(value)] if int(value) >= 0 else ""
        except (ValueError, IndexError):
            raise ValueError(Phrase("refers to a text that the file does not have")) from None

    def _number(self, value: str, style: str) -> str:
        try:
            number, look = float(value), int(style)
        except ValueError:
            raise ValueError(Phrase('"{value}" is no number', value=value[:20])) from None
        if number - number != 0:
            raise ValueError(Phrase('"{value}" is no number', value=value[:20]))
        if look in self._book.styles.dates:
            return _day(number, self._book.first_day)
        if look in self._book.styles.percents:
            return f"{_plain(number * 100)}%"
        return _plain(number)


def _plain(number: float) -> str:
    """Fifteen digits, as spreadsheets calculate: 0.1 + 0.2 is 0.3."""
    found = format(Decimal(f"{number:.15g}"), "f")
    return found.rstrip("0").rstrip(".") if "." in found else found


def _day(serial: float, first: datetime) -> str:
    """The day (and the time, unless it is midnight) of a serial number (18.17.4.1)."""
    if not 0 <= serial < _LAST_SERIAL or (first is _FIRST_1900 and int(serial) == _FALSE_LEAP_DAY):
        raise ValueError(Phrase("{plain} is no day that a sheet can show", plain=_plain(serial)))
    if first is _FIRST_1900 and serial < _FALSE_LEAP_DAY:
        serial += 1
    try:
        moment = first + timedelta(seconds=round(serial * 86400))
    except OverflowError:
        raise ValueError(Phrase("{plain} is no day that a sheet can show", plain=_plain(serial))) from None
    day: date = moment.date()
    return day.isoformat() if moment.time() == datetime.min.time() else moment.isoformat(sep=" ")


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _letters(column: int) -> str:
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
