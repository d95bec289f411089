"""Parts of files, files of new records only or of none, and what is kept of an import."""

import hashlib
import io
import sys

import pytest

from syncd.cli.output import progress
from tests.integration.test_cli_records import ACCOUNTS, run, write
from tests.servers.world import World

MIXED = (
    "ext_id,account,last_name,email\n"
    "C1,A1,Martin,anne@dupont.example\n"
    "C2,A9,Perdu,p@dupont.example\n"
    "C3,A1,,vide@dupont.example\n"
    "C4,A2,Neuf,not an address\n"
    "C5,A2,Bon\n"
    "C6,A2,Bon,bon@x.example\n"
)


@pytest.fixture
def office(world: World) -> World:
    """Two accounts."""
    world.add_user("claire")
    world.write_config()
    assert run(world, "import", "accounts", write(world, "a.csv", ACCOUNTS)).code == 0
    return world


def names(world: World) -> list[str]:
    return [str(row[0]) for row in world.rows("SELECT ext_id FROM contact ORDER BY id")]


def test_the_good_rows_of_a_file_are_written_and_the_bad_ones_told(office: World) -> None:
    path = write(office, "c.csv", MIXED)
    assert run(office, "import", "contacts", path).code == 1
    assert names(office) == []

    outcome = run(office, "import", "contacts", path, "--partial")

    assert outcome.code == 1
    assert outcome.out == "contacts: 2 created, 0 updated, 0 unchanged, 4 refused\n"
    assert 'refused: line 3: account: there is no account "A9"' in outcome.err
    assert "refused: line 4: last_name: must not be empty" in outcome.err
    assert "refused: line 5: email:" in outcome.err
    assert "refused: line 6: has 3 cells, the header has 4" in outcome.err
    assert names(office) == ["C1", "C6"]

    again = run(office, "import", "contacts", path, "--partial", "--json")
    assert (again.code, again.json["unchanged"], len(again.json["refused"])) == (1, 2, 4)


def test_a_good_file_ends_well_with_partial_too(office: World) -> None:
    path = write(office, "c.csv", "account,last_name\nA1,Neu\n")
    assert run(office, "import", "contacts", path, "--partial").code == 0


def test_a_row_that_names_a_refused_row_is_refused_too(office: World) -> None:
    rows = (
        "ext_id,name,type,parent\nB3,Trois,client,B2\nB2,Deux,client,B1\nB1,Un,nothing,\n"
        "B4,Quatre,client,A1\n"
    )

    outcome = run(office, "import", "accounts", write(office, "b.csv", rows), "--partial")

    assert outcome.out == "accounts: 1 created, 0 updated, 0 unchanged, 3 refused\n"
    assert office.rows("SELECT ext_id FROM account WHERE ext_id LIKE 'B%'") == [("B4",)]


def test_rows_that_hang_on_each_other_without_end_are_given_up_soon(office: World) -> None:
    chain = "".join(f"B{n},Nom {n},client,B{n - 1}\n" for n in range(1, 40))
    rows = "ext_id,name,type,parent\nB0,Nul,nothing,\n" + chain

    outcome = run(office, "import", "accounts", write(office, "b.csv", rows), "--partial")

    assert outcome.code == 1
    assert 'there is no account "B' in outcome.err
    assert office.rows("SELECT count(*) FROM account") == [(2,)]


def test_whoever_may_not_change_a_record_gets_that_row_back(office: World) -> None:
    rows = "ext_id,name,type,owner\nA8,Claire,client,claire\nA9,Personne,client,\n"
    assert run(office, "import", "accounts", write(office, "a.csv", rows)).code == 0
    rows = "ext_id,account,last_name\nC1,A8,Sien\nC2,A9,Autre\n"
    assert run(office, "import", "contacts", write(office, "c.csv", rows)).code == 0
    rows = "ext_id,last_name\nC1,Mien\nC2,Mien\n"

    outcome = run(office, "import", "contacts", write(office, "c.csv", rows), "--partial", "--as", "claire")

    assert outcome.code == 1
    assert "refused: line 3: claire may not change contact 2" in outcome.err
    assert office.rows("SELECT last_name FROM contact ORDER BY id") == [("Mien",), ("Autre",)]


def test_a_file_may_be_of_new_records_only_or_of_none(office: World) -> None:
    run(office, "import", "contacts", write(office, "c.csv", "ext_id,account,last_name\nC1,A1,Alt\n"))
    both = write(office, "b.csv", "ext_id,account,last_name\nC1,A1,Neu\nC2,A1,Neu\n")

    new = run(office, "import", "contacts", both, "--create-only")
    assert (new.code, names(office)) == (1, ["C1"])
    assert "line 2: is contact 1 already, and only new ones are wanted" in new.err
    old = run(office, "import", "contacts", both, "--update-only")
    assert "line 3: is no contact that is there, and no new ones are wanted" in old.err
    assert run(office, "import", "contacts", both, "--create-only", "--update-only").code == 2

    assert run(office, "import", "contacts", both, "--create-only", "--partial").out == (
        "contacts: 1 created, 0 updated, 0 unchanged, 1 refused\n"
    )
    assert office.rows("SELECT last_name FROM contact ORDER BY id") == [("Alt",), ("Neu",)]
    assert run(office, "import", "contacts", both, "--update-only").out == (
        "contacts: 0 created, 1 updated, 1 unchanged\n"
    )


def test_what_was_imported_is_kept_with_each_row_but_nothing_that_it_said(office: World) -> None:
    path = write(office, "c.csv", MIXED)
    run(office, "import", "contacts", path, "--dry-run", "--partial")
    run(office, "import", "contacts", path)
    assert [row[0] for row in office.rows("SELECT entity FROM import_run")] == ["account"]

    run_id = run(office, "import", "contacts", path, "--partial", "--json").json["run"]

    newest = run(office, "list", "imports", "--json").json["rows"][0]
    assert newest["id"] == run_id
    assert (newest["entity"], newest["mode"], newest["file"]) == ("contact", "both", "c.csv")
    assert [newest[one] for one in ("created", "updated", "unchanged", "refused")] == [2, 0, 0, 4]
    ids = [row[0] for row in office.rows("SELECT id FROM contact ORDER BY id")]
    shown = run(office, "show", "import", str(run_id), "--json").json
    assert shown["import"]["sha256"] == hashlib.sha256(MIXED.encode()).hexdigest()
    assert [(row["line"], row["result"], row["record_id"]) for row in shown["rows"]] == [
        (3, "refused", None),
        (4, "refused", None),
        (5, "refused", None),
        (6, "refused", None),
        (2, "created", ids[0]),
        (7, "created", ids[1]),
    ]
    messages = " ".join(str(row["message"]) for row in shown["rows"])
    assert "there is no account …" in messages
    assert "A9" not in messages
    assert "not an address" not in messages
    assert run(office, "show", "import", "99").code == 1
    assert "c.csv" in run(office, "list", "imports").out


def test_a_bar_is_drawn_for_a_person_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, drawn in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress("contacts", 4) as step:
            step(3)
            step()
        assert bool(stream.getvalue()) is drawn
