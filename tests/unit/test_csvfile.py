"""CSV as spreadsheets write it."""

import pytest

from store.csvfile import Line, Refused, read

KNOWN = ("name", "email", "comment")


@pytest.mark.parametrize(
    "content",
    [
        "name,email\nÉlan,a@b.example\n".encode(),
        "name;email\r\nÉlan;a@b.example\r\n".encode(),
        "name\temail\nÉlan\ta@b.example\n".encode(),
        "﻿name,email\nÉlan,a@b.example\n".encode(),
        "name;email\nÉlan;a@b.example\n".encode("cp1252"),
        "name\temail\nÉlan\ta@b.example\n".encode("utf-16"),
        '"name","email"\n"Élan","a@b.example"\n'.encode(),
        "Name,EMAIL\n Élan , a@b.example \n\n,\n".encode(),
    ],
    ids=["comma", "semicolon", "tab", "bom", "cp1252", "utf-16", "quotes", "spaces and empty lines"],
)
def test_every_usual_way_to_save_a_sheet_is_read_alike(content: bytes) -> None:
    assert read(content, KNOWN) == [Line(2, {"name": "Élan", "email": "a@b.example"})]


def test_a_record_over_several_lines_is_told_by_its_first() -> None:
    lines = read(b'name,comment\n"A","one\ntwo"\nB,three\n', KNOWN)

    assert [(line.number, line.cells["comment"]) for line in lines] == [(2, "one\ntwo"), (4, "three")]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "line 1: the file is empty"),
        (b"\n\n", "line 1: the file is empty"),
        (b"name,email\nonly one\n", "line 2: has 1 cells, the header has 2"),
        (b"name,name\nA,B\n", "line 1: name: stands in the header twice"),
        (b"name,\nA,B\n", "line 1: column 2 has no name"),
        (b"PK\x03\x04\x00\x00", "line 1: this is no text"),
        (b'name\n"never closed\n', "line 2: cannot be read as CSV"),
        (b"name\n" + b"x" * 200_000, "line 2: cannot be read as CSV"),
        (b"name\nok\n\x81\x8d\n", "line 3: the text is neither UTF-8 nor Windows-1252"),
    ],
)
def test_what_is_no_csv_is_refused_with_the_line(content: bytes, fault: str) -> None:
    with pytest.raises(Refused) as refused:
        read(content, KNOWN)

    assert fault in str(refused.value)


def test_every_short_line_is_told_at_once() -> None:
    with pytest.raises(Refused) as refused:
        read(b"name,email\na\nb,c\nd\n", KNOWN)

    assert [fault.line for fault in refused.value.faults] == [2, 4]
