"""XLSX of other programs and of strangers: read as it is shown, or refused with the place."""

import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from time import process_time

import pytest
from openpyxl import Workbook

from store.csvfile import Refused, Sheet
from store.xlsxfile import scan

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINKS = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
WHEN = datetime(2026, 1, 2, 8, 30)  # noqa: DTZ001 - a sheet has no zones
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
SHEET = f"{KIND}/worksheet"


def written(fill: Callable[[Workbook], None]) -> bytes:
    """A workbook that another program's library writes."""
    book = Workbook()
    fill(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def rows_of(book: Workbook, *rows: tuple[object, ...]) -> None:
    for row in rows:
        book.worksheets[0].append(row)


def by_hand(rows: str, parts: Mapping[str, str | bytes] | None = None, pr: str = "") -> bytes:
    """A workbook of which only the rows matter."""
    all_: dict[str, str | bytes] = {
        "xl/workbook.xml": f'<workbook {MAIN} {LINKS}>{pr}<sheets><sheet name="A" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r1" Type="{SHEET}" '
        f'Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="{KIND}/sharedStrings" '
        f'Target="sharedStrings.xml"/><Relationship Id="r3" Type="{KIND}/styles" Target="/xl/styles.xml"/>'
        "</Relationships>",
        "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData>{rows}</sheetData></worksheet>",
        **(parts or {}),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in all_.items():
            archive.writestr(name, content)
    return out.getvalue()


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>'


def lines(sheet: Sheet) -> list[tuple[int, list[str]]]:
    assert not sheet.faults
    return [(line.number, list(line.cells.values())) for line in sheet.lines]


def refusal(content: bytes) -> str:
    with pytest.raises(Refused) as refused:
        scan(content)
    return str(refused.value)


def test_cells_read_as_they_are_shown() -> None:
    def fill(book: Workbook) -> None:
        sheet = book.worksheets[0]
        rows_of(book, ("Name", "a", "b", "c", "d"), ("Élan\n2", 12, 0.1 + 0.2, True, date(2026, 12, 31)))
        rows_of(book, (None,) * 5, ("x", 999999999999.99, 33612345678, WHEN, 0.5))
        sheet["E4"].number_format = "0%"
        sheet["A6"] = "=A1"[1:] + " <&> _x000D_"

    sheet = scan(written(fill))

    assert sheet.headers == ("name", "a", "b", "c", "d")
    assert lines(sheet) == [
        (2, ["Élan\n2", "12", "0.3", "true", "2026-12-31"]),
        (4, ["x", "999999999999.99", "33612345678", "2026-01-02 08:30:00", "50%"]),
        (6, ["A1 <&> _x000D_".replace("_x000D_", "\r").strip(), "", "", "", ""]),
    ]


@pytest.mark.parametrize(
    ("pr", "serial", "shown"),
    [
        ("", "1", "1900-01-01"),
        ("", "59", "1900-02-28"),
        ("", "61", "1900-03-01"),
        ("", "46387", "2026-12-31"),
        ("", "46387.25", "2026-12-31 06:00:00"),
        ('<workbookPr date1904="1"/>', "44925", "2026-12-31"),
    ],
)
def test_days_are_counted_from_the_day_of_the_workbook(pr: str, serial: str, shown: str) -> None:
    styles = f'<styleSheet {MAIN}><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    row = f'<row>{text("d")}</row><row><c s="1"><v>{serial}</v></c></row>'

    assert lines(scan(by_hand(row, {"xl/styles.xml": styles}, pr))) == [(2, [shown])]


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("dd/mm/yyyy", "2026-12-31"),
        ("[$-40C]d mmmm yyyy;@", "2026-12-31"),
        ("[h]:mm", "2026-12-31"),
        ('0.00 "days"', "46387"),
        ("[Red]0.00", "46387"),
        ("General", "46387"),
        ("0.0%", "4638700%"),
        ("#,##0.00\\ [$€-40C]", "46387"),
    ],
)
def test_a_format_tells_whether_a_number_is_a_day(code: str, shown: str) -> None:
    code = code.replace('"', "&quot;")
    styles = (
        f'<styleSheet {MAIN}><numFmts><numFmt numFmtId="170" formatCode="{code}"/></numFmts>'
        '<cellXfs><xf numFmtId="170"/></cellXfs></styleSheet>'
    )
    row = f'<row>{text("d")}</row><row><c s="0"><v>46387</v></c></row>'

    assert lines(scan(by_hand(row, {"xl/styles.xml": styles}))) == [(2, [shown])]


def test_shared_texts_are_joined_and_pronunciations_left_out() -> None:
    strings = (
        f"<sst {MAIN}><si><t>name</t></si><si><r><t>Du</t></r><r><t xml:space='preserve'>pont </t></r>"
        "<rPh sb='0' eb='1'><t>spoken</t></rPh></si></sst>"
    )
    rows = '<row><c t="s"><v>0</v></c></row><row><c t="s"><v>1</v></c></row>'

    assert lines(scan(by_hand(rows, {"xl/sharedStrings.xml": strings}))) == [(2, ["Dupont"])]


def test_a_formula_gives_its_value_and_one_that_was_never_calculated_is_told() -> None:
    rows = (
        f'<row r="1">{text("a")}{text("b")}</row>'
        '<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>"x"</f><v>x</v></c></row>'
        '<row r="3"><c r="A3"><f>NOW()</f></c><c r="B3" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>'
    )
    sheet = scan(by_hand(rows))

    assert [(line.number, line.cells) for line in sheet.lines] == [(2, {"a": "2", "b": "x"})]
    assert [str(fault) for fault in sheet.faults] == [
        "line 3: a: holds a formula that was never calculated: open and save the file",
        "line 3: b: holds the error #DIV/0!",
    ]


def test_merged_cells_are_refused_with_their_place() -> None:
    def fill(book: Workbook) -> None:
        rows_of(book, ("name", "city"), ("A", "Lyon"), ("B", None))
        book.worksheets[0].merge_cells("B2:B3")

    assert refusal(written(fill)).startswith("line 2: the cells B2:B3 are merged")


def test_only_the_first_sheet_is_read_and_that_is_told() -> None:
    def fill(book: Workbook) -> None:
        rows_of(book, ("name",), ("A",))
        book.create_sheet("columns").append(("column",))
        book.create_sheet("Archive").append(("name",))

    sheet = scan(written(fill))

    assert lines(sheet) == [(2, ["A"])]
    assert [str(one) for one in sheet.warnings] == [
        'line 1: only the first sheet, "Sheet", is read; not read: Archive'
    ]


def test_a_value_beyond_the_headers_is_told() -> None:
    sheet = scan(by_hand(f'<row>{text("a")}</row><row><c r="XFD2"><v>1</v></c></row><row>{text("b")}</row>'))

    assert [str(one) for one in sheet.faults] == ["line 2: has a value in column XFD, beyond the last header"]
    assert [line.number for line in sheet.lines] == [3]


def test_the_workbook_may_lie_under_another_name() -> None:
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r" Type="{KIND}/officeDocument" '
        'Target="doc/book2.xml"/></Relationships>',
        "doc/book2.xml": f'<workbook {MAIN} {LINKS}><sheets><sheet name="A" r:id="r9"/></sheets></workbook>',
        "doc/_rels/book2.xml.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r9" Type="{SHEET}" '
        'Target="../xl/worksheets/sheet1.xml"/></Relationships>',
    }
    assert lines(scan(by_hand(f"<row>{text('a')}</row><row>{text('b')}</row>", parts))) == [(2, ["b"])]


BOMB = b"<a/>" * 3_000_000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PK\x03\x04", "it is no XLSX file, or was cut off"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "it is protected by a password, or an old .xls"),
        (by_hand("", {"xl/workbook.xml": "<workbook"}), "its XML cannot be read"),
        (by_hand(""), "the file is empty"),
        (by_hand("", {"xl/_rels/workbook.xml.rels": "<a/>"}), "it has no sheet"),
        (by_hand('<row r="9999999"><c t="b"><v>1</v></c></row>'), "has rows down to 9999999"),
        (by_hand(f"<row>{'<c/>' * 300_000}</row>"), "one row of it holds too much"),
        (by_hand("", {f"p{n}": "" for n in range(2500)}), "it unpacks to more than 512 MiB"),
        (by_hand(f"<row>{text('a')}{text('a')}</row>"), "a: stands in the header twice"),
        (
            by_hand('<row><c r="XFD1" t="b"><v>1</v></c></row>'),
            "has a value in column XFD, beyond column 500",
        ),
        (by_hand("<row><c t='s'><v>7</v></c></row>"), "refers to a text that the file does not have"),
        (
            by_hand(
                "", {"xl/worksheets/sheet1.xml": "<!DOCTYPE a [<!ENTITY e 'x'>]><worksheet>&e;</worksheet>"}
            ),
            "the file is empty",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_clearly_and_soon(content: bytes, told: str) -> None:
    started = process_time()

    assert told in refusal(content)
    assert process_time() - started < 5


def test_a_file_that_unpacks_to_gigabytes_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO(by_hand(""))
    with (
        zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/media/x.bin", "w", force_zip64=True) as part,
    ):
        for _ in range(600):
            part.write(bytes(2**20))

    started = process_time()
    assert "it unpacks to more than 512 MiB" in refusal(out.getvalue())
    assert process_time() - started < 1


def test_an_entry_that_lies_about_its_size_unpacks_to_no_more_than_it_says() -> None:
    honest = by_hand(f"<row>{text('a')}</row>" + "<row/>" * 100_000)
    with zipfile.ZipFile(io.BytesIO(honest)) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    lying = honest.replace(size.to_bytes(4, "little"), (200).to_bytes(4, "little"))

    assert re.search("its XML cannot be read|no XLSX file, or was cut off", refusal(lying))


def test_what_nobody_asked_for_takes_no_memory(tmp_path: Path) -> None:
    part = f"<worksheet {MAIN}>".encode() + BOMB + f"<sheetData><row>{text('a')}</row></sheetData>".encode()
    path = tmp_path / "bomb.xlsx"
    path.write_bytes(by_hand("", {"xl/worksheets/sheet1.xml": part + b"</worksheet>"}))
    code = (
        "import sys, pathlib, resource; from store.xlsxfile import scan\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "assert scan(pathlib.Path(sys.argv[1]).read_bytes()).headers == ('a',)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, check=True, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert int(done.stdout) < 60 * 1024, "KiB; a tree of five million elements takes ten times as much"
