"""A command speaks the language of --as, else of the workspace; JSON is the same in every language."""

from pathlib import Path

import pytest

from tests.servers.console import Outcome, console, program

CONFIG = """\
[workspace]
name = "Acme"
language = "{language}"
[store]
url = "sqlite:///crm.db"
[[users]]
login = "claire"
name = "Claire Dupont"
email = "claire@acme.example"
role = "admin"
language = "fr"
[[users]]
login = "wendy"
name = "Wendy Smith"
email = "wendy@acme.example"
role = "admin"
language = "en"
[[users]]
login = "nobody"
name = "Nobody Known"
email = "nobody@acme.example"
role = "admin"
"""


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A French workspace with a French user, an English one, and one of no language; one account."""
    monkeypatch.delenv("SYNCD_LANGUAGE")
    config = tmp_path / "syncd.toml"
    config.write_text(CONFIG.format(language="fr"))
    assert console(config, "db", "upgrade").code == 0
    assert run(config, "account", "add", "--name", "Garage Dupont", "--type", "customer").code == 0
    return config


def run(config: Path, *arguments: str, login: str | None = "claire") -> Outcome:
    return console(config, *arguments, *(() if login is None else ("--as", login)))


def test_a_record_is_shown_in_the_language_of_its_reader(office: Path) -> None:
    french = run(office, "show", "account", "1").out
    assert "nom : Garage Dupont\n" in french
    assert "type : client\n" in french
    assert "propriétaire : claire\n" in french
    english = run(office, "show", "account", "1", login="wendy").out
    assert "name: Garage Dupont\n" in english
    assert "type: customer\n" in english


def test_a_list_has_heads_in_the_language_of_its_reader(office: Path) -> None:
    head, row = run(office, "list", "accounts").out.splitlines()
    assert head.split()[:4] == ["n°", "identifiant", "externe", "nom"]
    assert "client" in row
    assert run(office, "list", "accounts", login="wendy").out.startswith("id  ext_id  name")


def test_who_has_no_language_reads_that_of_the_workspace(office: Path) -> None:
    for login in ("nobody", None):
        assert "nom : Garage Dupont\n" in run(office, "show", "account", "1", login=login).out
    office.write_text(CONFIG.format(language="en"))
    for login in ("nobody", None):
        assert "name: Garage Dupont\n" in run(office, "show", "account", "1", login=login).out
    assert "nom : Garage Dupont\n" in run(office, "show", "account", "1").out


def test_a_variable_chooses_for_a_terminal(office: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNCD_LANGUAGE", "en")
    assert "name: Garage Dupont\n" in run(office, "show", "account", "1").out
    monkeypatch.setenv("SYNCD_LANGUAGE", "klingon")
    wrong = run(office, "show", "account", "1")
    assert (wrong.code, wrong.out) == (2, "")
    assert wrong.err == 'syncd: $SYNCD_LANGUAGE: "klingon" is not known; accepted: fr, en\n'


def test_json_is_the_same_in_every_language(office: Path) -> None:
    french = run(office, "show", "account", "1", "--json")
    assert french.json == run(office, "show", "account", "1", "--json", login="wendy").json
    assert french.json["account"]["type"] == "customer"


def test_the_language_of_one_command_is_not_that_of_the_next(office: Path) -> None:
    assert "type : client\n" in run(office, "show", "account", "1").out
    assert "type: customer\n" in run(office, "show", "account", "1", login="wendy").out


def test_a_process_of_its_own_finds_the_catalogue(office: Path) -> None:
    shown = program("--config", str(office), "show", "account", "1", "--as", "claire", cwd=office.parent)
    assert "type : client\n" in shown.out
