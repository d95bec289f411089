"""Statuses of accounts on the command line, on both databases."""

from datetime import UTC, datetime

import pytest

from tests.servers.console import Outcome, console
from tests.servers.world import World
from tests.servers.worlds import PreparedWorld

NOON = datetime(2026, 11, 22, 11, tzinfo=UTC)
FILES = {
    "accounts": (
        "ext_id,name,type,created_on\nA1,Garage Dupont,client,2024-01-01\nA2,Banque,partenaire,2024-01-01\n"
    ),
    "projects": "ext_id,name,account\nP1,Toiture,A1\n",
    "deals": (
        "ext_id,reference,title,project,status,end_date,amount,currency\n"
        "D1,R1,Toit,Toiture,ENDED,2026-09-30,12000,EUR\n"
    ),
}


def run(world: World, *arguments: str, at: datetime = NOON) -> Outcome:
    return console(world.config, *arguments, at=at)


@pytest.fixture
def office(prepared_world: PreparedWorld) -> World:
    """Two accounts, one of them with a deal that ended a while ago."""
    return prepared_world(fill, "claire")


def fill(world: World) -> None:
    for kind, rows in FILES.items():
        path = world.folder / f"{kind}.csv"
        path.write_text(rows, encoding="utf-8")
        outcome = run(world, "import", kind, str(path))
        assert outcome.code == 0, outcome.err


def test_lists_show_statuses_and_are_narrowed_by_them(office: World) -> None:
    rows = run(office, "list", "accounts", "--json").json["rows"]
    assert [(row["name"], row["status"], row["status_since"], row["account_kind"]) for row in rows] == [
        ("Banque", "inactive", "2026-11-22", "partner"),
        ("Garage Dupont", "active", "2026-11-22", "client"),
    ]
    for word in ("active", "Actif"):
        listed = run(office, "list", "accounts", "--status", word, "--json").json
        assert [row["name"] for row in listed["rows"]] == ["Garage Dupont"]
        assert listed["total"] == 1
    assert "None." in run(office, "list", "accounts", "--status", "délaissé").out


def test_a_status_that_there_is_not_is_wrong_usage(office: World) -> None:
    outcome = run(office, "list", "accounts", "--status", "gone")
    assert outcome.code == 2
    assert '"gone" is not known; accepted: active, prospect, neglected, inactive' in outcome.err
    assert run(office, "list", "contacts", "--status", "active").code == 2


def test_recompute_shows_what_a_day_will_bring_and_writes_nothing(office: World) -> None:
    dry = run(office, "recompute", "statuses", "--as-of", "2027-01-15", "--dry-run")
    assert (dry.code, dry.err) == (0, "")
    assert "2 accounts as of 2027-01-15: 1 would change" in dry.out
    assert "Garage Dupont" in dry.out
    told = run(office, "recompute", "statuses", "--as-of", "15/01/2027", "--dry-run", "--json").json
    assert (told["as_of"], told["dry_run"], told["accounts"]) == ("2027-01-15", True, 2)
    (change,) = told["changes"]
    assert (change["before"], change["after"], change["reason"]) == ("active", "neglected", 4)
    assert office.one("SELECT status FROM account WHERE ext_id = 'A1'") == "ACTIVE"


def test_recompute_writes_and_show_tells_the_history(office: World) -> None:
    later = datetime(2027, 1, 15, 11, tzinfo=UTC)
    assert "1 changed" in run(office, "recompute", "statuses", at=later).out
    assert "0 changed" in run(office, "recompute", "statuses", at=later).out
    shown = run(office, "show", "account", "A1", "--json").json
    account = shown["account"]
    assert (account["status"], account["status_since"]) == ("neglected", "2027-01-15")
    assert account["account_kind"] == "client"
    assert [(row["from"], row["to"], row["on"], row["reason"]) for row in shown["status_history"]] == [
        ("active", "neglected", "2027-01-15", 4),
        ("inactive", "active", "2026-11-22", 1),
        (None, "inactive", "2026-11-22", 7),
    ]
    assert [(row["project"], row["title"], row["amount"]) for row in shown["deals"]] == [
        ("Toiture", "Toit", "12000.00")
    ]
    text = run(office, "show", "account", "A1").out
    assert "status: neglected\n" in text
    assert "status_history:" in text


def test_statuses_as_of_another_day_are_written_with_a_warning(office: World) -> None:
    outcome = run(office, "recompute", "statuses", "--as-of", "2027-01-15")
    assert "the daemon's next look gives every account today's again" in outcome.err
    assert office.one("SELECT status FROM account WHERE ext_id = 'A1'") == "NEGLECTED"


def test_a_standard_user_may_not_recompute(office: World) -> None:
    outcome = run(office, "recompute", "statuses", "--as-of", "2027-01-15", "--as", "claire")
    assert outcome.code == 1
    assert "claire may not recompute statuses: that needs the role admin" in outcome.err
    assert office.one("SELECT status FROM account WHERE ext_id = 'A1'") == "ACTIVE"


def test_a_day_that_is_none_is_wrong_usage(office: World) -> None:
    outcome = run(office, "recompute", "statuses", "--as-of", "tomorrow")
    assert outcome.code == 2
    assert '--as-of: "tomorrow" is no day: write 2026-12-31 or 31/12/2026' in outcome.err


def test_a_dry_import_changes_no_status(office: World) -> None:
    path = office.folder / "more.csv"
    path.write_text("title,project,status\nToit,P1,SIGNED\n", encoding="utf-8")
    assert run(office, "import", "deals", str(path), "--dry-run").code == 0
    assert office.one("SELECT count(*) FROM account_status_history") == 3


def test_projects_and_deals_are_listed(office: World) -> None:
    (project,) = run(office, "list", "projects", "--json").json["rows"]
    assert (project["name"], project["account"], project["status"], project["deals"]) == (
        "Toiture", "Garage Dupont", "open", 1
    )  # fmt: skip
    path = office.folder / "more.csv"
    path.write_text("title,project,status,closed_on\nMur,P1,SIGNED,\nCave,P1,ENDED,2025-01-01\n", "utf-8")
    assert run(office, "import", "deals", str(path)).code == 0
    listed = run(office, "list", "deals", "--account", "A1", "--limit", "2", "--json").json
    assert (listed["total"], [row["title"] for row in listed["rows"]]) == (3, ["Mur", "Toit"])
    assert run(office, "list", "deals", "--account", "Banque", "--json").json["total"] == 0
    listed = run(office, "list", "deals", "--text", "toit", "--json").json
    assert [(row["title"], row["amount"]) for row in listed["rows"] if row["reference"] == "R1"] == [
        ("Toit", "12000.00")
    ]
