"""Accounts one by one on the command line (R144 to R148, R156, R158, R161, R162), on both databases."""

import json
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.servers.office import Office


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Claire and marc are standard users, anne advanced, odile admin."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    return made


def add(office: Office, name: str, *options: str, type_: str = "customer") -> None:
    office.done("account", "add", "--name", name, "--type", type_, *options)


def load(office: Office, kind: str, rows: str) -> None:
    path = office.folder / f"{kind}.csv"
    path.write_text(rows)
    office.done("import", kind, str(path))


def column(office: Office, name: str, id_: int = 1) -> object:
    return office.one(f"SELECT {name} FROM account WHERE id = {id_}")


# --- adding and changing --------------------------------------------------------------------------


def test_an_account_is_added_changed_deleted_and_brought_back(office: Office) -> None:
    add(office, "Garage Dupont", "--as", "anne", "--email", "Info@Dupont.example", "--city", "Lyon")
    shown = office.done("show", "account", "1", "--json").json["account"]
    assert (shown["owner"], shown["email"], shown["status"]) == ("anne", "info@dupont.example", "prospect")
    assert "account 1 changed" in office.done("account", "edit", "1", "--city", "").out
    assert (column(office, "city"), column(office, "name"), column(office, "version")) == (
        None, "Garage Dupont", 2,
    )  # fmt: skip
    assert "nothing to change" in office.done("account", "edit", "1", "--name", "Garage Dupont").out

    refused = office.run("account", "delete", "1", "--as", "anne")
    assert (refused.code, "that needs the role admin" in refused.err) == (1, True)
    office.done("account", "delete", "1")
    assert office.run("account", "edit", "1", "--city", "Lyon").out == "nothing to change\n"
    assert office.done("list", "accounts").out == "None.\n"
    assert office.run("account", "restore", "1", "--as", "anne").code == 1
    office.done("account", "restore", "1", "--as", "odile")
    assert office.run("account", "restore", "1").err == "syncd: account 1 is not deleted\n"
    assert office.done("list", "accounts", "--json").json["total"] == 1
    changes = [json.loads(one) if isinstance(one, str) else one for (one,) in office.rows(
        "SELECT change FROM audit_log WHERE entity = 'account' ORDER BY id"
    )]  # fmt: skip
    assert changes[-2:] == [{"deleted": True}, {"restored": True}]


def test_name_and_type_are_needed(office: Office) -> None:
    assert office.run("account", "add", "--name", "X").code == 2
    assert office.run("account", "add", "--type", "customer").code == 2
    wrong = office.run("account", "add", "--name", "", "--type", "kunde", "--country", "France")
    assert wrong.code == 2
    for told in (
        "--name: must not be empty",
        '--type: "kunde" is not known',
        "--country: must be two letters",
    ):
        assert told in wrong.err
    assert office.rows("SELECT count(*) FROM account") == [(0,)]


def test_somebody_elses_change_is_not_overwritten(office: Office) -> None:
    add(office, "Garage")
    office.done("account", "edit", "1", "--city", "Lyon", "--if-version", "1")
    late = office.run("account", "edit", "1", "--city", "Paris", "--if-version", "1")
    assert (late.code, late.err) == (
        1, "syncd: account 1 was changed meanwhile: it is at version 2, not 1\n",
    )  # fmt: skip
    assert column(office, "city") == "Lyon"
    office.done("contact", "add", "--account", "Garage", "--last-name", "Un")
    assert office.run("contact", "edit", "1", "--position", "x", "--if-version", "4").code == 1
    office.done("contact", "edit", "1", "--position", "x", "--if-version", "1")


def test_what_still_has_something_is_not_deleted(office: Office) -> None:
    add(office, "Garage", "--ext-id", "A1")
    add(office, "Fille", "--parent", "A1")
    load(office, "projects", "name,account\nP,Garage\n")
    office.done("contact", "add", "--account", "A1", "--last-name", "Un")
    assert "still has 1 contacts" in office.run("account", "delete", "1").err
    office.done("contact", "delete", "1")
    assert "still has 1 projects" in office.run("account", "delete", "1").err
    database = office.database()
    with database.write() as session:
        session.execute(text("UPDATE project SET deleted_at = updated_at"))
    database.close()
    assert "still has 1 accounts below it" in office.run("account", "delete", "1").err
    office.done("account", "edit", "2", "--parent", "")
    office.done("account", "delete", "1")
    office.done("account", "restore", "1")
    office.done("contact", "restore", "1")
    assert office.done("list", "contacts", "--json").json["total"] == 1


# --- parents --------------------------------------------------------------------------------------


def test_parents_make_no_circle_and_groups_lie_below_groups(office: Office) -> None:
    add(office, "Holding", type_="group")
    add(office, "Garage", "--parent", "Holding")
    circle = office.run("account", "edit", "1", "--parent", "Garage")
    assert (circle.code, "--parent: would make the account its own parent" in circle.err) == (2, True)
    odd = office.done("account", "add", "--name", "Sous-groupe", "--type", "group", "--parent", "Garage")
    assert "this is a group, and its parent 2 is none" in odd.err
    assert "this is a group" not in office.done("account", "edit", "3", "--city", "Lyon").err
    assert office.done("account", "edit", "3", "--parent", "Holding").err == ""
    told = office.done("account", "edit", "1", "--type", "customer").err
    assert "group 3 lies below this account, which is none" in told


def test_an_account_shows_what_lies_above_and_below_it(office: Office) -> None:
    add(office, "Monde", type_="group")
    add(office, "Europe", "--parent", "Monde", "--owner", "claire", type_="group")
    add(office, "France", "--parent", "Europe")
    add(office, "Italie", "--parent", "Europe")
    shown = office.done("show", "account", "Europe", "--json").json
    assert [row["name"] for row in shown["ancestors"]] == ["Monde"]
    assert [row["name"] for row in shown["children"]] == ["France", "Italie"]
    below = office.done("show", "account", "France", "--json").json
    assert [row["name"] for row in below["ancestors"]] == ["Europe", "Monde"]


# --- tags -----------------------------------------------------------------------------------------


def test_tags_are_kept_once_whatever_their_case_and_lists_are_narrowed_by_them(office: Office) -> None:
    add(office, "Garage", "--tags", "Auto, à suivre ,AUTO")
    load(office, "accounts", 'ext_id,name,type,tags\nA2,Banque,client,"auto; Été"\nA3,Rien,client,\n')
    listed = {row["name"]: row["tags"] for row in office.done("list", "accounts", "--json").json["rows"]}
    assert listed == {"Garage": ["Auto", "à suivre"], "Banque": ["Auto", "Été"], "Rien": []}
    narrowed = office.done("list", "accounts", "--tag", "AUTO", "--json").json
    assert [row["name"] for row in narrowed["rows"]] == ["Banque", "Garage"]
    assert office.done("list", "accounts", "--tag", "aut").out == "None.\n"
    assert office.run("list", "contacts", "--tag", "auto").code == 2

    assert "nothing to change" in office.done("account", "edit", "2", "--tags", "été,AUTO").out
    office.done("account", "edit", "2", "--tags", "")
    assert office.done("show", "account", "Banque", "--json").json["account"]["tags"] == []
    assert column(office, "version", 2) == 2
    wrong = office.run("account", "edit", "2", "--tags", "x" * 41)
    assert (wrong.code, "--tags: " in wrong.err) == (2, True)


def test_accounts_are_listed_by_status_type_and_tag_sorted_and_paged(office: Office) -> None:
    load(office, "accounts",
         "name,type,tags,city,created_on\nGarage,client,auto,Lyon,2020-01-01\nBanque,client,auto,,2020-01-01\n"
         "Neuf,client,,Paris,\nHolding,groupe,auto,Nice,2020-01-01\n")  # fmt: skip

    def names(*options: str) -> list[str]:
        return [one["name"] for one in office.done("list", "accounts", "--json", *options).json["rows"]]

    assert names() == ["Banque", "Garage", "Holding", "Neuf"]
    assert names("--status", "prospect") == names("--status", "PROSPECT") == ["Neuf"]
    assert names("--status", "inactif") == ["Banque", "Garage", "Holding"]
    assert names("--type", "group") == names("--type", "Groupe") == ["Holding"]
    assert names("--type", "customer", "--tag", "auto", "--status", "inactive") == ["Banque", "Garage"]
    assert names("--sort", "city") == ["Garage", "Holding", "Neuf", "Banque"], "what is empty comes last"
    assert names("--sort", "-name", "--type", "client") == ["Neuf", "Garage", "Banque"]
    page = office.done("list", "accounts", "--tag", "auto", "--limit", "1", "--offset", "1", "--json").json
    assert ([one["name"] for one in page["rows"]], page["total"], page["offset"]) == (["Garage"], 3, 1)
    assert names("--type", "partner") == []


# --- internal accounts ----------------------------------------------------------------------------


def billable(office: Office) -> list[bool]:
    return [bool(one) for (one,) in office.rows("SELECT billable FROM deal ORDER BY id")]


def test_deals_stop_being_billable_when_their_account_becomes_internal(office: Office) -> None:
    add(office, "Garage")
    add(office, "Nous", type_="internal")
    load(office, "projects", "ext_id,name,account\nP1,Toit,Garage\nP2,Murs,Garage\n")
    load(office, "deals", "title,project,status\nUn,P1,SIGNED\nDeux,P2,SIGNED\n")
    load(office, "projects", "ext_id,account\nP2,Nous\n")
    assert billable(office) == [True, False]
    told = office.done("account", "edit", "1", "--type", "internal").err
    assert "the account is internal: 1 of its deals are no longer billable" in told
    assert billable(office) == [False, False]
    office.done("account", "edit", "1", "--type", "customer")
    assert billable(office) == [False, False], "nobody knows which of them were"


# --- drafts ---------------------------------------------------------------------------------------


ASK = ("account", "add", "--name", "Neuf", "--type", "client", "--as", "claire")


def drafts(office: Office, *options: str) -> list[tuple[object, ...]]:
    rows = office.done("account", "drafts", "--json", *options).json["rows"]
    return [(row["id"], row["user"], row["name"], row["state"]) for row in rows]


def test_a_standard_users_account_is_a_draft_until_somebody_approves(office: Office) -> None:
    told = office.done(
        "account", "add", "--name", "Neuf", "--type", "client", "--tags", "à voir", "--as", "claire"
    )
    assert told.out.startswith("draft 1 of an account added: claire may not create accounts")
    assert office.rows("SELECT count(*) FROM account") == [(0,)]
    assert drafts(office) == drafts(office, "--as", "anne") == drafts(office, "--as", "claire") == [
        (1, "claire", "Neuf", "new")
    ]  # fmt: skip
    assert drafts(office, "--as", "marc") == []

    refused = office.run("account", "approve", "1", "--as", "claire")
    assert "claire may not approve draft 1: that needs the role advanced or admin" in refused.err
    office.done("account", "approve", "1", "--as", "anne")
    shown = office.done("show", "account", "Neuf", "--json").json["account"]
    assert (shown["owner"], shown["tags"], shown["status"]) == ("claire", ["à voir"], "prospect")
    assert drafts(office) == []
    assert drafts(office, "--all") == [(1, "claire", "Neuf", "approved")]
    again = office.run("account", "approve", "1")
    assert (again.code, "draft 1 was approved by anne already" in again.err) == (1, True)
    assert office.rows("SELECT actor, entity, entity_id FROM audit_log ORDER BY id") == [
        ("claire", "account_draft", 1), ("anne", "account", shown["id"]), ("anne", "account_draft", 1),
    ]  # fmt: skip


def test_rules_look_at_an_account_that_a_draft_becomes(office: Office) -> None:
    office.more = """[[recommendation_rules]]
name = "new"
condition = 'status == "prospect"'
template = "À rappeler"
"""
    office.write_config()
    office.done("account", "add", "--name", "Neuf", "--type", "client", "--as", "claire")
    office.done("account", "approve", "1", "--as", "anne")
    assert office.rows("SELECT message FROM account_recommendation WHERE active") == [("À rappeler",)]


def test_a_draft_is_rejected_with_a_reason_that_who_asked_can_read(office: Office) -> None:
    office.done(*ASK)
    assert office.run("account", "reject", "1", "--as", "marc").code == 1
    assert office.run("account", "reject", "1", "--reason", "x" * 256).code == 1
    office.done("account", "reject", "1", "--reason", "est déjà là", "--as", "odile")
    (row,) = office.done("account", "drafts", "--all", "--as", "claire", "--json").json["rows"]
    assert (row["state"], row["decided_by"], row["reason"]) == ("rejected", "odile", "est déjà là")
    assert office.rows("SELECT count(*) FROM account") == [(0,)]
    assert "rejected by odile already" in office.run("account", "approve", "1").err
    assert "there is no draft 7" in office.run("account", "reject", "7").err


def test_a_draft_has_no_mistakes_and_none_that_came_later(office: Office) -> None:
    wrong = office.run("account", "add", "--name", "Neuf", "--type", "x", "--parent", "Y", "--as", "claire")
    assert (wrong.code, "--type" in wrong.err, "--parent" in wrong.err) == (2, True, True)
    add(office, "Holding", "--owner", "claire", type_="group")
    office.done(
        "account", "add", "--name", "Neuf", "--type", "client", "--parent", "Holding", "--as", "claire"
    )
    office.done("account", "delete", str(office.one("SELECT id FROM account")))
    late = office.run("account", "approve", "1")
    assert (late.code, 'there is no account "Holding"' in late.err) == (1, True)
    assert drafts(office) == [(1, "claire", "Neuf", "new")]


def test_no_other_path_makes_an_account_for_a_standard_user(office: Office) -> None:
    path = office.folder / "a.csv"
    path.write_text("name,type,owner\nNeuf,client,claire\n")
    assert office.run("import", "accounts", str(path), "--as", "claire").code == 1
    contact = office.run("contact", "add", "--account", "Neuf", "--last-name", "X", "--as", "claire")
    assert (contact.code, office.rows("SELECT count(*) FROM account")) == (2, [(0,)])
