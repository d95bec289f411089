"""The command line on the CRM's records and its setup, on both databases."""

from pathlib import Path

import pytest

from tests.servers.console import Outcome, console, program
from tests.servers.world import World
from tests.servers.worlds import PreparedWorld

ACCOUNTS = "ext_id;name;type;owner\nA1;Garage Dupont;client;claire\nA2;Banque;partenaire;\n"
CONTACTS = (
    "ext_id,account,last_name,first_name,email\n"
    "C1,Garage Dupont,Martin,Anne,Anne@Dupont.example\n"
    "C2,A2,Moi,Claire,claire@acme.example\n"
)
OPPORTUNITIES = (
    "reference,title,account,status,closed_on,total\nR1,Toit,A1,OPEN,,12000\nR2,Cave,A1,LOST,2026-01-05,\n"
)


@pytest.fixture
def office(world: World) -> World:
    """A config with one user, and tables without rows."""
    world.add_user("claire")
    world.write_config()
    return world


def run(world: World, *arguments: str) -> Outcome:
    return console(world.config, *arguments)


def write(world: World, name: str, text: str) -> str:
    path = world.folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.fixture
def filled(prepared_world: PreparedWorld) -> World:
    """With accounts, contacts and opportunities."""
    return prepared_world(fill, "claire")


def fill(office: World) -> None:
    assert run(office, "import", "accounts", write(office, "a.csv", ACCOUNTS)).code == 0
    assert run(office, "import", "contacts", write(office, "c.csv", CONTACTS)).code == 0
    assert run(office, "import", "opportunities", write(office, "o.csv", OPPORTUNITIES)).code == 0


def test_an_import_tells_what_it_did_and_warns(office: World) -> None:
    dry = run(office, "import", "accounts", write(office, "a.csv", ACCOUNTS), "--dry-run")
    assert dry.out == "accounts: 2 would be created, 0 would be updated, 0 unchanged\n"
    assert office.rows("SELECT count(*) FROM account") == [(0,)]

    assert run(office, "import", "accounts", str(office.folder / "a.csv")).out == (
        "accounts: 2 created, 0 updated, 0 unchanged\n"
    )
    contacts = run(office, "import", "contacts", write(office, "c.csv", CONTACTS))
    assert "warning: line 3: email: claire@acme.example is the own address of user claire" in contacts.err
    again = run(office, "import", "contacts", str(office.folder / "c.csv"), "--json").json
    assert (again["created"], again["updated"], again["unchanged"]) == ([], [], 2)


def test_a_file_with_mistakes_changes_nothing_and_lists_them(filled: World) -> None:
    bad = write(filled, "bad.csv", "account,last_name,email\nA1,Neu,\nA9,,nix\n")

    outcome = run(filled, "import", "contacts", bad)

    assert outcome.code == 1
    assert 'line 3: account: there is no account "A9"' in outcome.err
    assert "line 3: last_name: must not be empty" in outcome.err
    assert filled.rows("SELECT count(*) FROM contact") == [(2,)]


def test_a_standard_user_may_not_create_accounts(office: World) -> None:
    outcome = run(office, "import", "accounts", write(office, "a.csv", ACCOUNTS), "--as", "claire")

    assert outcome.code == 1
    assert "claire may not create accounts" in outcome.err
    assert office.rows("SELECT count(*) FROM account") == [(0,)]


def test_lists_are_paged_and_filtered(filled: World) -> None:
    first = run(filled, "list", "accounts", "--limit", "1")
    assert "Banque" in first.out
    assert "1 of 2, from 1 on" in first.err
    second = run(filled, "list", "accounts", "--limit", "1", "--offset", "1", "--json").json
    assert [row["name"] for row in second["rows"]] == ["Garage Dupont"]
    assert (second["total"], second["rows"][0]["contacts"], second["rows"][0]["owner"]) == (2, 1, "claire")
    assert run(filled, "list", "contacts", "--text", "MART", "--json").json["total"] == 1
    assert run(filled, "list", "contacts", "--text", "100%", "--json").json["total"] == 0
    assert run(filled, "list", "contacts", "--account", "Banque", "--json").json["total"] == 1
    rows = run(filled, "list", "opportunities", "--json").json["rows"]
    assert [(row["reference"], row["status"], row["accounts"]) for row in rows] == [
        ("R1", "open", ["Garage Dupont"]),
        ("R2", "lost", ["Garage Dupont"]),
    ]
    assert [row["login"] for row in run(filled, "list", "users", "--json").json["rows"]] == ["claire"]
    assert run(filled, "list", "mailboxes", "--json").json["rows"][0]["state"] == "running"
    for what in ("emails", "activities", "quarantine", "runs"):
        assert run(filled, "list", what).out == "None.\n"


def test_contacts_are_listed_by_name_or_the_last_updated_first(filled: World) -> None:
    def ids(*more: str) -> list[int]:
        return [row["id"] for row in run(filled, "list", "contacts", "--json", *more).json["rows"]]

    assert ids("--sort=-updated_at") == [2, 1]
    assert run(filled, "contact", "edit", "1", "--position", "Cheffe").code == 0
    assert ids("--sort=-updated_at") == [1, 2]
    assert run(filled, "contact", "edit", "2", "--position", "Chef").code == 0
    assert ids("--sort=-updated_at", "--limit", "1") == [2]
    assert ids() == [1, 2]
    refused = run(filled, "list", "events", "--sort=-updated_at")
    assert (refused.code, "--sort: events can be sorted by nothing else" in refused.err) == (2, True)


def test_a_record_is_shown_with_what_hangs_on_it(filled: World) -> None:
    shown = run(filled, "show", "account", "A1")
    assert "name: Garage Dupont" in shown.out
    assert "owner: claire" in shown.out
    assert "Martin" in shown.out
    assert "Toit" in shown.out
    detail = run(filled, "show", "opportunity", "1", "--json").json
    assert (detail["opportunity"]["total"], detail["opportunity"]["accounts"]) == (
        "12000.00",
        ["Garage Dupont"],
    )
    assert run(filled, "show", "contact", "1", "--json").json["contact"]["email"] == "anne@dupont.example"


def test_contacts_are_added_changed_and_deleted_one_by_one(filled: World) -> None:
    added = run(filled, "contact", "add", "--account", "A1", "--last-name", "Neu", "--email", "Neu@X.example")
    assert added.out.startswith("contact 3 added")
    assert filled.rows("SELECT email, created_via FROM contact WHERE id = 3") == [("neu@x.example", "MANUAL")]
    assert run(filled, "contact", "edit", "3", "--email", "").code == 0
    assert filled.rows("SELECT email, last_name FROM contact WHERE id = 3") == [(None, "Neu")]
    assert run(filled, "contact", "edit", "3", "--last-name", "Neu").out == "nothing to change\n"
    assert run(filled, "contact", "delete", "3", "--as", "claire").code == 1
    assert run(filled, "contact", "delete", "3").out == "contact 3 deleted\n"
    assert run(filled, "contact", "delete", "3").code == 1
    wrong = run(filled, "contact", "edit", "1", "--email", "nix")
    assert (wrong.code, "--email: must be a bare e-mail address" in wrong.err) == (2, True)


def test_check_and_schema(office: World) -> None:
    checked = run(office, "check", "--json").json
    assert (checked["users"], checked["mailboxes"]) == (["claire"], ["claire"])
    assert "no mistakes" in run(office, "check").out
    assert run(office, "check", "--schema").json["title"] == "Configuration of syncd"


def test_the_database_is_made_and_checked(dovecot: object, blank_database_url: str, tmp_path: Path) -> None:
    world = World(dovecot, tmp_path / "syncd", blank_database_url)  # type: ignore[arg-type]
    world.users.clear()
    world.write_config()

    refused = program("--config", str(world.config), "status", cwd=tmp_path)
    assert (refused.code, "`syncd db upgrade`" in refused.err) == (1, True)
    assert console(world.config, "db", "check").code == 1
    assert "now" in console(world.config, "db", "upgrade").out
    assert "already" in console(world.config, "db", "upgrade").out
    assert console(world.config, "db", "check", "--json").json["problem"] is None
    assert console(world.config, "status").code == 0
