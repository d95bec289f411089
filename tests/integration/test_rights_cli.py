"""Who may read and change what from the command line, and in calendars; on both databases."""

from pathlib import Path

import pytest

from tests.servers.office import Office
from tests.servers.prepared import Prepared

CONFIG = """
[rights.standard.account]
read = "team"
[[users]]
login = "mia"
name = "Mia"
email = "mia@acme.example"
[[users]]
login = "paul"
name = "Paul"
email = "paul@acme.example"
manager = "mia"
branch = "Lyon"
[[users]]
login = "max"
name = "Max"
email = "max@acme.example"
"""


ADVANCED = """[[users]]
login = "vera"
name = "Vera"
email = "vera@acme.example"
role = "advanced"
"""


@pytest.fixture
def office(prepared: Prepared, tmp_path: Path) -> Office:
    """The same by config and command."""

    def made(folder: str, url: str) -> Office:
        return Office(tmp_path / folder, url, users={"odile": "admin"}, more=CONFIG)

    office = made("syncd", prepared.copy(fill, lambda url: fill(made("first", url))))
    office.write_config()
    return office


def fill(made: Office) -> None:
    made.write_config()
    rows = "ext_id,name,type,owner\nA1,Garage,client,paul\nA2,Banque,client,max\n"
    path = made.folder / "a.csv"
    path.write_text(rows)
    made.done("import", "accounts", str(path))
    for login, account in (("paul", "A1"), ("max", "A2")):
        made.done("contact", "add", "--account", account, "--last-name", login)
        more = ("--subject", login, "--as", login, "--account", account)
        made.done("event", "add", "--start", "2026-12-01 14:30", *more)
        made.done("task", "add", "--due", "2026-12-01", *more)


def test_the_command_line_shows_what_a_user_may_read(office: Office) -> None:
    span = {"events": ("--from", "2026-12-01", "--to", "2026-12-02")}
    for what, column, mine, other in (
        ("accounts", "name", "Garage", "Banque"),
        ("contacts", "last_name", "paul", "max"),
        ("events", "subject", "paul", "max"),
        ("tasks", "subject", "paul", "max"),
    ):
        for login, expected in (
            ("paul", {mine}),
            ("mia", {mine}),
            ("max", {other}),
            ("odile", {mine, other}),
        ):
            listed = office.done("list", what, *span.get(what, ()), "--as", login, "--json").json
            rows = listed["rows"] if isinstance(listed, dict) else listed
            assert {row[column] for row in rows} == expected, (what, login)
    for kind in ("account", "contact", "event", "task"):
        assert office.run("show", kind, "2", "--as", "mia").code == 1
        assert f"there is no {kind} 2" in office.run("show", kind, "2", "--as", "paul").err
        assert office.run("show", kind, "1", "--as", "mia").code == 0
        assert office.run("show", kind, "2").code == 0, "an admin at the machine sees all"


def test_ones_own_accounts_and_their_contacts_are_a_list_of_their_own(office: Office) -> None:
    for login, mine, names in (
        ("paul", {"Garage"}, {"paul"}),
        ("mia", set(), set()),
        ("odile", set(), set()),
    ):
        for what, column, expected in (("accounts", "name", mine), ("contacts", "last_name", names)):
            rows = office.done("list", what, "--as", login, "--mine", "--json").json["rows"]
            assert {row[column] for row in rows} == expected
    assert "needs --as" in office.run("list", "contacts", "--mine").err
    assert office.run("list", "deals", "--mine", "--as", "paul").code == 2


def test_what_somebody_may_not_read_narrows_no_list_and_gives_no_name(office: Office) -> None:
    told = office.run("list", "contacts", "--account", "Banque", "--as", "paul")
    assert (told.code, "there is no account" in told.err) == (1, True)
    office.done("event", "edit", "2", "--participant", "anne@far.example")
    made = ("contact", "from-email", "anne@far.example", "--event", "2", "--account", "A1")
    refused = office.run(*made, "--as", "paul")
    assert (refused.code, "there is no event 2" in refused.err) == (1, True)
    assert office.run(*made).code == 0


def test_the_command_line_refuses_what_the_rights_do_not_reach(office: Office) -> None:
    refused = office.run("contact", "edit", "2", "--position", "x", "--as", "paul")
    assert (refused.code, "paul may not change contact 2" in refused.err) == (1, True)
    office.done("contact", "edit", "1", "--position", "x", "--as", "paul")


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ('[rights.standard.account]\ncreate = "own"', "accounts are created by users with the role advanced"),
        ('[rights.standard.deal]\ncreate = "mine"', "deal.create"),
        ('[[users]]\nlogin = "x"\nname = "X"\nemail = "x@y.example"\nmanager = "y"', 'the login "y"'),
        ('[[users]]\nlogin = "x"\nname = "X"\nemail = "x@y.example"\nmanager = "x"', 'is led by "x"'),
    ],
)
def test_a_config_that_cannot_be_meant_is_refused(tmp_path: Path, more: str, problem: str) -> None:
    made = Office(tmp_path / "syncd", "sqlite:///crm.db", more=more)
    outcome = made.run("check")
    assert (outcome.code, problem in outcome.err) == (2, True), outcome.err


# --- calendars ------------------------------------------------------------------------------------


def test_anothers_events_and_tasks_are_left_alone(office: Office) -> None:
    """Here both are max's, and what is cancelled stays so."""
    start = ("--start", "2026-12-01 14:30")
    office.done("event", "add", "--subject", "Serie", *start, "--rrule", "FREQ=WEEKLY;COUNT=4", "--as", "max")
    office.done("event", "cancel", "3", "--occurrence", "2026-12-08", "--as", "max")
    before = office.rows("SELECT id, version FROM event ORDER BY id"), office.rows("SELECT version FROM task")
    for words in (
        ("event", "edit", "2", "--notes", "x"),
        ("event", "cancel", "2"),
        ("event", "restore", "2"),
        ("event", "restore", "3", "--occurrence", "2026-12-08"),
        ("event", "tell", "2"),
        ("task", "edit", "2", "--notes", "x"),
        ("task", "done", "2"),
        ("task", "reopen", "2"),
        ("task", "cancel", "2"),
        ("task", "add", "--subject", "x", "--assignee", "max"),
        ("event", "add", "--subject", "x", *start, "--owner", "max"),
    ):
        outcome = office.run(*words, "--as", "paul")
        assert (outcome.code, "paul may not " in outcome.err) == (1, True), (words, outcome.err)
    after = office.rows("SELECT id, version FROM event ORDER BY id"), office.rows("SELECT version FROM task")
    assert after == before


def test_what_is_added_in_a_few_words_is_ones_own(office: Office) -> None:
    office.done("quick-add", "RDV demain 14h", "--as", "paul")
    paul = office.rows("SELECT id FROM \"user\" WHERE login = 'paul'")
    assert office.rows("SELECT owner_id FROM event ORDER BY id DESC LIMIT 1") == paul


def test_what_may_not_be_read_is_no_account_of_an_event_or_task(office: Office) -> None:
    """The second account and its contact are max's."""
    start = ("--start", "2026-12-02 10:00")
    for words, told in (
        (("event", "add", "--subject", "x", *start, "--account", "Banque"), "account: there is no account"),
        (("event", "edit", "1", "--account", "2"), "account: there is no account"),
        (("event", "add", "--subject", "x", *start, "--participant", "contact:2"), "there is no contact 2"),
        (("task", "add", "--subject", "x", "--account", "Banque"), "account: there is no account"),
        (("task", "add", "--subject", "x", "--contact", "2"), "contact: there is no contact 2"),
    ):
        outcome = office.run(*words, "--as", "paul")
        assert (outcome.code, told in outcome.err) == (1, True), (words, outcome.err)
    for text, account in (("RDV Garage demain 14h", 1), ("RDV Banque demain 15h", None)):
        office.done("quick-add", text, "--as", "paul")
        assert office.rows("SELECT account_id FROM event ORDER BY id DESC LIMIT 1") == [(account,)]


def test_what_is_private_is_its_owners_alone_though_its_account_is_everybodys(office: Office) -> None:
    more = ("--privacy", "private", "--account", "A1", "--as", "paul")
    office.done("event", "add", "--subject", "Privé", "--start", "2026-12-01 18:00", *more)
    office.done("task", "add", "--subject", "Privé", "--due", "2026-12-01", *more)
    assert office.run("show", "event", "1", "--as", "mia").code == 0, "she leads him"
    office.more = office.more.replace("[[users]]", ADVANCED + "[[users]]", 1)
    for kind in ("event", "task"):
        assert office.run("show", kind, "1", "--as", "vera").code == 0, "she reads everything else"
        for login in ("mia", "vera"):
            assert office.run("show", kind, "3", "--as", login).code == 1
        assert office.run("show", kind, "3", "--as", "odile").code == 0
        assert office.run("show", kind, "3", "--as", "paul").code == 0
