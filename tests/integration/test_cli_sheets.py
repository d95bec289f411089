"""Templates and exports from the command line, on both databases."""

import csv
import io
from pathlib import Path

import pytest
from openpyxl import load_workbook

from store.kinds import KINDS
from store.templates import headers
from tests.integration.test_cli_records import ACCOUNTS, CONTACTS, OPPORTUNITIES, run, write
from tests.servers.world import World
from tests.servers.worlds import PreparedWorld


@pytest.fixture
def office(prepared_world: PreparedWorld) -> World:
    """A company with a few records of each kind that has been there for long."""
    return prepared_world(fill, "claire")


def fill(world: World) -> None:
    for kind, text in (
        ("accounts", ACCOUNTS),
        ("contacts", CONTACTS.replace("Anne,Anne@", "=Anne,Anne@")),
        ("opportunities", OPPORTUNITIES),
        ("projects", "ext_id,name,account\nP1,Toiture,A1\n"),
        ("deals", "title,project,status,amount,end_date\nToit,P1,SIGNED,-1234.50,2027-01-31\n"),
        ("case_files", "code,title,account\nD1,Litige,A1\n"),
        ("products", "code,name,price\nT12,Tuile,1.25\n"),
        ("orders", "account,contact,opportunity,owner,discount1\nA1,C1,R1,claire,2.5\n"),
        ("order_lines", "order,product,quantity\n2026-1,T12,0.3333\n"),
    ):
        assert run(world, "import", kind, write(world, "in.csv", text)).code == 0


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_template_has_the_fields_as_headers_and_an_import_takes_it(
    office: World, kind: str, form: str
) -> None:
    path = office.folder / f"t.{form}"

    assert run(office, "template", kind, str(path)).code == 0

    filled = run(office, "import", kind, str(path), "--dry-run")
    assert filled.out == f"{kind}: 0 would be created, 0 would be updated, 0 unchanged\n"
    if form == "csv":
        (row,) = csv.reader(io.StringIO(path.read_text("utf-8-sig")))
        assert tuple(row) == headers(KINDS[kind])
        return
    book = load_workbook(path)
    assert [one.title for one in book.worksheets] == [kind, "colonnes"]
    assert tuple(cell.value for cell in book.worksheets[0][1]) == headers(KINDS[kind])
    told = {row[0]: row for row in book.worksheets[1].iter_rows(values_only=True)}
    assert set(KINDS[kind].headers) <= set(told)
    assert told["colonne"][1] == "obligatoire"
    needed = {name for name, row in told.items() if row[1] == "oui"}
    assert needed == {cell.value for cell in book.worksheets[0][1] if cell.font.bold}


def test_a_template_tells_what_is_needed_and_accepted(office: World) -> None:
    path = office.folder / "t.xlsx"
    assert run(office, "template", "contacts", str(path)).code == 0

    told = {row[0]: row[1:] for row in load_workbook(path).worksheets[1].iter_rows(values_only=True)}

    assert told["last_name"] == ("oui", "une ligne de texte", "80")
    assert told["account"] == ("oui", "un compte : ext_id ou nom exact", None)
    assert told["gender"][1] == "MALE, FEMALE, OTHER, UNSPECIFIED"
    # What a new contact needs is what the template says: with it alone, one is made.
    text = "account,last_name\nA1,Neu\n"
    assert run(office, "import", "contacts", write(office, "n.csv", text), "--dry-run").code == 0


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_an_export_is_imported_again_without_any_change(office: World, kind: str, form: str) -> None:
    path = office.folder / f"out.{form}"
    number = len(run(office, "export", kind, "-", "--separator", "pipe").out.splitlines()) - 1
    assert number > 0

    assert run(office, "export", kind, str(path)).out == f"{path}: {number} {kind}\n"

    assert path.stat().st_mode & 0o077 == 0
    again = run(office, "import", kind, str(path))
    assert again.out == f"{kind}: 0 created, 0 updated, {number} unchanged\n", again.err


def test_what_a_spreadsheet_would_run_is_text_and_amounts_stay_numbers(office: World) -> None:
    contacts = run(office, "export", "contacts", "-").out
    assert "'=Anne" in contacts
    assert ",=Anne" not in contacts
    assert "-1234.50" in run(office, "export", "deals", "-").out
    path = office.folder / "d.xlsx"
    run(office, "export", "deals", str(path))
    sheet = load_workbook(path).worksheets[0]
    row = dict(zip((one.value for one in sheet[1]), sheet[2], strict=True))
    assert (row["amount"].value, row["amount"].data_type, row["end_date"].is_date) == (-1234.5, "n", True)


def test_an_export_is_filtered(office: World) -> None:
    def ids(*arguments: str) -> list[str]:
        out = run(office, "export", *arguments).out
        return [row["ext_id"] or row["id"] for row in csv.DictReader(io.StringIO(out))]

    assert ids("contacts", "-", "--account", "A1") == ["C1"]
    assert ids("contacts", "-", "--text", "MARTIN") == ["C1"]
    assert ids("accounts", "-", "--owner", "claire") == ["A1"]
    assert ids("accounts", "-", "--since", "2000-01-01") == ["A1", "A2"]
    assert ids("accounts", "-", "--since", "2100-01-01") == []
    assert ids("opportunities", "-", "--status", "lost") == ["2"]
    assert ids("opportunities", "-", "--account", "A2") == []
    assert ids("deals", "-", "--account", "A1") == ["1"]


def test_a_file_that_is_there_is_kept_and_a_failed_export_leaves_none(office: World) -> None:
    path = Path(write(office, "mine.csv", "precious"))
    refused = run(office, "export", "contacts", str(path))
    assert (refused.code, path.read_text()) == (2, "precious")
    assert run(office, "export", "contacts", str(path), "--force").code == 0
    assert path.read_text("utf-8-sig").startswith("id,ext_id,last_name")

    long = 'ext_id,comment\nA1,"' + "\n".join(["x" * 900] * 40) + '"\n'
    assert run(office, "import", "accounts", write(office, "long.csv", long)).code == 0
    failed = run(office, "export", "accounts", str(office.folder / "no.xlsx"))
    assert failed.code == 1
    assert "comment has more than 32767 characters" in failed.err
    assert not list(office.folder.glob("*no.xlsx*"))


def test_a_name_and_an_id_that_disagree_are_told(office: World) -> None:
    out = run(office, "export", "contacts", "-").out.replace("Garage Dupont", "Banque")

    outcome = run(office, "import", "contacts", write(office, "moved.csv", out))

    assert outcome.code == 1
    assert 'line 2: account: "Banque" is not account_id 1: empty one of the two cells' in outcome.err
