"""Contacts from pictures of business cards (R039, R040): Debian's programs, and scripts in their place."""

import shutil
import stat
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from connectors.cards import scanning
from tests.servers.fixtures import missing
from tests.servers.office import Office

PNG = b"\x89PNG\r\n\x1a\n"
PRINTED = """GARAGE DUPONT SAS
Anne MARTIN
Directrice commerciale
Mob. 06 12 34 56 78
anne.martin@dupont.example
"""
# N:Lévy;Zoé ORG:Garage TEL;TYPE=CELL:0612345678, each row of modules one number.
CODE = """1fd5b11e7f 104abcd941 175302d95d 174e54855d 174354ae5d 1057e84441 1fd555557f 9422600
1464994b25 169205e9c0
194c377ef5 903cf25ba 176bf4b879 1c2d1109a9 2faf2ba81 1b8d6241c9 1b69d96a7f 1fbe89eaa8 1a587ea2d1 984e58569
b780eab7b 1d1fa22927 126fe63b65 98434332a 1a5539477f 53f096da8 1ad9f77375 3ae12f023 19c47877ff 14d32f1d
1fdf3f2759 1045276313 17467b67f1 17491ced26 175e73f6d9 104ca44258 1fd7a82565"""
SIDE, MODULE = 37, 6


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Two accounts."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    made.add_account("GARAGE DUPONT SAS")
    made.add_account("Garage")
    return made


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is searched for programs, and no other."""
    folder = tmp_path / "bin"
    folder.mkdir()
    sh = shutil.which("sh")
    assert sh is not None
    (folder / "sh").symlink_to(sh)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def tesseract(folder: Path, text: str) -> None:
    (folder / "text").write_text(text, encoding="utf-8")
    program(folder, "tesseract", f'[ "$1" = --list-langs ] && echo fra eng && exit\n/bin/cat {folder}/text')


def image(office: Office, content: bytes = PNG) -> str:
    path = office.folder / "card.png"
    path.write_bytes(content)
    return str(path)


def scanned(office: Office, path: str, *more: str) -> dict[str, object]:
    (taken,) = office.done("contact", "scan", path, "--json", *more).json["cards"]
    assert isinstance(taken, dict)
    return taken


CONTACTS = "SELECT account_id, last_name, first_name, email, phone_mobile_e164, created_via FROM contact"


def test_a_card_with_everything_becomes_a_contact(office: Office, programs: Path) -> None:
    tesseract(programs, PRINTED)

    assert scanned(office, image(office))["outcome"] == "added"
    assert office.rows(CONTACTS) == [
        (1, "MARTIN", "Anne", "anne.martin@dupont.example", "+33612345678", "CARD_SCAN")
    ]


@pytest.mark.parametrize(
    ("text", "lacks"),
    [
        (PRINTED.replace("DUPONT SAS", "DURAND SAS"), ["account"]),
        ("GARAGE DUPONT SAS\nAnne MARTIN\n", ["email or phone"]),
        ("GARAGE DUPONT SAS\nanne.martin@dupont.example\n", ["last_name"]),
        (PRINTED + "Garage\n", ["account"]),  # two accounts stand on it
    ],
    ids=["account", "reach", "name", "two accounts"],
)
def test_a_card_that_lacks_something_becomes_a_draft(
    office: Office, programs: Path, text: str, lacks: list[str]
) -> None:
    tesseract(programs, text)

    taken = scanned(office, image(office))

    assert (taken["outcome"], taken["missing"]) == ("draft", lacks)
    assert office.rows(CONTACTS) == []
    (draft,) = office.done("contact", "drafts", "--json").json["rows"]
    assert draft["source"] == "card_scan"
    assert all(0 < one <= 1 for one in draft["confidence"].values())


def test_a_completed_draft_of_a_scan_says_where_it_came_from(office: Office, programs: Path) -> None:
    tesseract(programs, PRINTED.replace("DUPONT SAS", "DURAND SAS"))
    scanned(office, image(office))
    office.done("contact", "complete", "1", "--account", "Garage")
    assert [(row[0], row[5]) for row in office.rows(CONTACTS)] == [(2, "CARD_SCAN")]


def test_a_card_in_the_code_wins_over_the_letters(office: Office, programs: Path) -> None:
    tesseract(programs, PRINTED)
    code = "BEGIN:VCARD\\nN:Lévy;Zoé\\nORG:Garage\\nTEL;CELL:0612345678\\nEND:VCARD\\n"
    program(programs, "zbarimg", f'[ "$*" = "-q --raw -Sbinary card.png" ] && printf "{code}"')

    scanned(office, image(office))

    assert [row[:3] for row in office.rows(CONTACTS)] == [(2, "Lévy", "Zoé")]


def test_another_code_leaves_it_to_the_letters(office: Office, programs: Path) -> None:
    tesseract(programs, PRINTED)
    program(programs, "zbarimg", "echo https://garage.example/")
    assert scanned(office, image(office))["name"] == "Anne MARTIN"
    program(programs, "zbarimg", "exit 4")  # as where there is none
    assert scanned(office, image(office), "--dry-run")["name"] == "Anne MARTIN"


def test_missing_programs_are_named_with_their_packages(office: Office, programs: Path) -> None:
    outcome = office.run("contact", "scan", image(office))
    assert outcome.code == 2
    assert "apt-get install tesseract-ocr tesseract-ocr-fra tesseract-ocr-nld zbar-tools" in outcome.err
    program(programs, "zbarimg", "exit 4")
    outcome = office.run("contact", "scan", image(office))
    assert (outcome.code, "tesseract is not installed here" in outcome.err) == (2, True)
    outcome = office.run("contact", "scan", image(office, b"%PDF-1.4\n"))
    assert (outcome.code, "apt-get install poppler-utils" in outcome.err) == (2, True)


def test_a_program_that_fails_or_hangs_is_told(
    office: Office, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "tesseract", "exit 3")
    outcome = office.run("contact", "scan", image(office))
    assert (outcome.code, "tesseract failed with exit code 3" in outcome.err) == (2, True)
    monkeypatch.setattr(scanning, "SECONDS", 1)
    program(programs, "tesseract", "exec /bin/sleep 60")
    outcome = office.run("contact", "scan", image(office))
    assert (outcome.code, "took longer than 1 seconds" in outcome.err) == (2, True)


def test_what_is_too_large_or_no_picture_is_refused(office: Office, programs: Path) -> None:
    large = office.run("contact", "scan", image(office, PNG + b"x" * scanning.MAX_BYTES))
    assert (large.code, "is larger than 10 MiB" in large.err) == (2, True)
    other = office.run("contact", "scan", image(office, b"GIF89a"))
    assert (other.code, "PNG, JPEG or PDF" in other.err) == (2, True)


# --- with Debian's programs -------------------------------------------------------------------------


def needs(*names: str) -> None:
    if absent := scanning.missing(*names):
        packages = " ".join(scanning.PACKAGES[one] for one in absent)
        missing(", ".join(absent), f"apt-get install {packages}")


def test_tesseract_reads_a_printed_card(office: Office, tmp_path: Path) -> None:
    needs("tesseract")
    picture = Image.new("RGB", (1400, 700), "white")
    ImageDraw.Draw(picture).multiline_text((60, 60), PRINTED, "black", ImageFont.load_default(52), spacing=30)
    picture.save(tmp_path / "card.jpg", quality=90)

    assert scanned(office, str(tmp_path / "card.jpg"))["outcome"] == "added"
    assert office.rows(CONTACTS) == [
        (1, "MARTIN", "Anne", "anne.martin@dupont.example", "+33612345678", "CARD_SCAN")
    ]


def test_zbar_reads_a_code_with_accents(office: Office, tmp_path: Path) -> None:
    needs("zbarimg")
    picture = Image.new("L", ((SIDE + 8) * MODULE, (SIDE + 8) * MODULE), "white")
    draw = ImageDraw.Draw(picture)
    for y, row in enumerate(CODE.split()):
        for x, module in enumerate(f"{int(row, 16):0{SIDE}b}"):
            if module == "1":
                left, top = (x + 4) * MODULE, (y + 4) * MODULE
                draw.rectangle((left, top, left + MODULE - 1, top + MODULE - 1), "black")
    picture.save(tmp_path / "card.png")

    scanned(office, str(tmp_path / "card.png"))
    assert [row[:3] for row in office.rows(CONTACTS)] == [(2, "Lévy", "Zoé")]
