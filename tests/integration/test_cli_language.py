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


def test_errors_and_confirmations_are_said_in_the_language_of_who_acts(office: Path) -> None:
    added = ("account", "add", "--name", "Banque {x}", "--type", "partner")
    assert run(office, *added).out == "compte 2 ajouté\n"
    assert run(office, *added, login="wendy").out == "account 3 added\n"
    cases: tuple[tuple[tuple[str, ...], str, str], ...] = (
        (("account", "edit", "1"), "rien à modifier\n", "nothing to change\n"),
        (("account", "edit", "1", "--city", "Lyon"), "compte 1 modifié\n", "nothing to change\n"),
        (("list", "deals"), "Aucun résultat.\n", "None.\n"),
    )
    for arguments, french, english in cases:
        assert run(office, *arguments).out == french
        assert run(office, *arguments, login="wendy").out == english
    refused: tuple[tuple[tuple[str, ...], str, str], ...] = (
        (("show", "contact", "7"), "fiche introuvable : contact 7", "there is no contact 7"),
        (("show", "contact", "x"), "« x » n'est pas un numéro de fiche", '"x" is no id'),
        (
            ("account", "edit", "1", "--type", "off{0}"),
            "--type : « off{0} » est inconnu ; valeurs acceptées : CUSTOMER,",
            '--type: "off{0}" is not known; accepted: CUSTOMER,',
        ),
        (
            ("contact", "add", "--account", "Garage Dupon", "--last-name", "X"),
            "--account : fiche introuvable : compte « Garage Dupon » ; vouliez-vous dire « Garage Dupont » ?",
            '--account: there is no account "Garage Dupon"; did you mean "Garage Dupont"?',
        ),
    )
    for arguments, french, english in refused:
        told, in_english = run(office, *arguments), run(office, *arguments, login="wendy")
        assert told.code == in_english.code != 0
        assert told.err.startswith(f"syncd: {french}")
        assert in_english.err.startswith(f"syncd: {english}")


def test_mistakes_in_a_file_are_told_with_row_and_column_in_french(office: Path) -> None:
    rows = office.parent / "contacts.csv"
    rows.write_text("account,last_name,email,gender\nGarage Dupont,Martin,a b,x\nNul,,c@d.example,\n")
    told = run(office, "import", "contacts", str(rows))
    assert told.code == 1
    lines = told.err.splitlines()
    assert any("ligne 2 : gender : « x » est inconnu ; valeurs acceptées : MALE" in one for one in lines)
    assert any("ligne 3 : account : fiche introuvable : compte « Nul »" in one for one in lines)
    assert any("ligne 3 : last_name : ne doit pas être vide" in one or "obligatoire" in one for one in lines)
    partial = run(office, "import", "contacts", str(rows), "--partial", "--json")
    assert any('"x" is not known' in one["message"] for one in partial.json["refused"])


def test_rights_are_refused_in_french(office: Path) -> None:
    office.write_text(office.read_text().replace('role = "admin"', 'role = "standard"', 1))
    refused = run(office, "account", "delete", "1")
    assert refused.code == 1
    assert "claire n'a pas le droit de faire cela (supprimer le compte 1) : il faut le rôle" in refused.err


def test_what_is_wrong_with_a_series_is_told_in_french(office: Path) -> None:
    def refused(*arguments: str) -> str:
        outcome = run(office, "event", *arguments)
        assert (outcome.code, outcome.out) == (1, "")
        return outcome.err

    new = ("add", "--subject", "Point", "--start", "2026-12-01T10:00", "--rrule")
    for rule, told in {
        "FREQ=FOO": "une règle de récurrence avec un élément qui n'est pas permis",
        "COUNT=2": "ce n'est pas une règle de récurrence",
        "FREQ=WEEKLY;BYDAY=XX": "une règle de récurrence avec un jour de la semaine qui n'existe pas",
        "FREQ=YEARLY;BYMONTH=x": "une règle de récurrence avec un nombre qui n'en est pas un",
        "FREQ=YEARLY;BYMONTH=13": "une règle de récurrence avec un nombre hors limites",
        "FREQ=DAILY;UNTIL=demain": "une règle de récurrence dont la fin n'est pas une date",
    }.items():
        assert refused(*new, rule).startswith(f"syncd: rrule : {told} ; écrivez par exemple"), rule
    assert run(office, "event", *new, "FREQ=WEEKLY;COUNT=3").code == 0
    assert run(office, "event", "edit", "1", "--occurrence", "2026-12-15", "--location", "Lyon").code == 0
    assert "des occurrences isolées ont été modifiées" in refused("edit", "1", "--all-day")
    assert "l'occurrence modifiée du 2026-12-15 n'aurait plus" in refused(
        "edit", "1", "--rrule", "FREQ=WEEKLY;COUNT=2"
    )


def test_tasks_are_opened_again_and_unknown_mailboxes_refused_in_french(office: Path) -> None:
    assert run(office, "task", "add", "--subject", "Rappeler").code == 0
    assert run(office, "task", "done", "1").code == 0
    assert run(office, "task", "reopen", "1").out.startswith("tâche 1 : rouverte (version 3)")
    wrong = run(office, "release", "personne", login=None)
    assert "n'est pas dans la configuration ; boîtes connues : " in wrong.err


def test_events_and_tasks_are_told_in_french(office: Path) -> None:
    added = run(office, "event", "add", "--subject", "Point", "--start", "2026-12-01T10:00")
    assert added.out == (
        "événement 1 : ajout enregistré (version 1) ; le prochain cycle met les agendas à jour\n"
    )
    shown = run(office, "show", "event", "1").out
    assert "quand : 2026-12-01 10:00 à 2026-12-01" in shown
    assert "objet : Point\n" in shown
    assert "statut : confirmé\n" in shown
