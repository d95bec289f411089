"""Where accounts, users and meetings are, and how far it is to an account (R095); on both databases."""

from pathlib import Path
from typing import Any

import pytest

from store.database import Database
from syncd.engine import distances
from tests.servers.office import Office

PLACE = ("45.750000", "4.850000")
BASED = """
[[users]]
login = "nora"
name = "Nora"
email = "nora@acme.example"
base_lat = 45.75
base_lon = 4.84
"""  # 776 m to the west of PLACE


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url, more=BASED)


@pytest.fixture
def lite(sqlite_url: str, tmp_path: Path) -> Office:
    """The same on SQLite only."""
    return Office(tmp_path / "syncd", sqlite_url, more=BASED)


def located(office: Office) -> None:
    words = ("--name", "Garage Dupont", "--type", "customer", "--latitude", PLACE[0], "--longitude", PLACE[1])
    office.done("account", "add", *words)


def far(office: Office, what: str, *words: str) -> Any:
    return office.done("show", what, *words, "--json").json[what]["distance_m"]


def test_an_account_is_so_far_from_the_device_or_from_where_the_user_sets_out(office: Office) -> None:
    located(office)
    assert far(office, "account", "Garage Dupont") is None
    assert far(office, "account", "Garage Dupont", "--as", "nora") == 776
    assert far(office, "account", "Garage Dupont", "--as", "claire") is None
    assert far(office, "account", "Garage Dupont", "--from", "45.76,4.85", "--as", "nora") == 1112
    told = office.done("show", "account", "Garage Dupont", "--from", "45,76;4,85").out
    assert "distance: 1.1 km\n" in told
    assert "distance: 776 m\n" in office.done("show", "account", "Garage Dupont", "--as", "nora").out
    office.done("account", "edit", "1", "--latitude", "", "--longitude", "")
    assert far(office, "account", "Garage Dupont", "--as", "nora") is None
    assert "distance" not in office.done("show", "account", "Garage Dupont", "--as", "nora").out


def test_a_meeting_is_so_far_from_its_other_address_else_from_its_owners_base(office: Office) -> None:
    located(office)
    words = ("event", "add", "--as", "nora", "--account", "Garage Dupont", "--subject", "Point")
    office.done(*words, "--start", "2026-12-01 14:30")
    assert far(office, "event", "1") == 776
    assert far(office, "event", "1", "--as", "nora", "--from", "45.75,4.85") == 0
    office.done("event", "edit", "1", "--location", "Salle B", "--alt-position", "45.76,4.85")
    assert far(office, "event", "1") == 1112
    assert "distance: 1,1 km\n" in office.done("show", "event", "1").out
    assert far(office, "event", "1", "--from", "45.75,4.85") == 0
    office.done("event", "edit", "1", "--account", "")
    assert far(office, "event", "1", "--from", "45.75,4.85") is None


def test_a_user_moves_with_the_config(office: Office) -> None:
    located(office)
    assert far(office, "account", "1", "--as", "nora") == 776
    office.more = BASED.replace("4.84", "4.85")
    assert far(office, "account", "1", "--as", "nora") == 0
    office.more = BASED.replace("base_lat = 45.75\nbase_lon = 4.84\n", "")
    assert far(office, "account", "1", "--as", "nora") is None
    assert office.rows('SELECT base_lat, base_lon FROM "user" WHERE login = :l', l="nora") == [(None, None)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("base_lat = 45.75", "base_lat and base_lon make a place together"),
        ("base_lon = 4.84", "base_lat and base_lon make a place together"),
        ("base_lat = 90.5\nbase_lon = 4.84", "users[0].base_lat"),
        ("base_lat = nan\nbase_lon = 4.84", "users[0].base_lat"),
        ('base_lat = "45.7"\nbase_lon = 4.84', "users[0].base_lat"),
    ],
)
def test_a_base_that_is_nowhere_is_refused(lite: Office, line: str, told: str) -> None:
    lite.more = BASED.replace("base_lat = 45.75\nbase_lon = 4.84", line)
    outcome = lite.run("check")
    assert (outcome.code, told in outcome.err) == (2, True), outcome.err


def test_accounts_are_located_by_files_and_exported_as_they_are(office: Office) -> None:
    path = office.folder / "a.csv"
    office.write_config()
    path.write_text(
        "ext_id,name,type,latitude,longitude,geocode_accuracy_m\n"
        'A1,Un,client,"45,7500004",4.85,30\nA2,Deux,client,-33.856785,151.215289,\nA3,Trois,client,,,\n'
    )
    office.done("import", "accounts", str(path))
    rows = [office.done("show", "account", one, "--json").json["account"] for one in ("A1", "A2", "A3")]
    assert [(row["latitude"], row["longitude"], row["geocode_accuracy_m"]) for row in rows] == [
        (*PLACE, 30), ("-33.856785", "151.215289", None), (None, None, None),
    ]  # fmt: skip
    out = office.folder / "out.csv"
    office.done("export", "accounts", str(out))
    assert "45.750000" in out.read_text("utf-8-sig")
    office.done("import", "accounts", str(out))
    assert office.rows("SELECT version FROM account ORDER BY id") == [(1,), (1,), (1,)]


def test_an_account_that_moves_keeps_no_accuracy_and_is_told_of_its_former_place(lite: Office) -> None:
    located(lite)
    lite.done("account", "edit", "1", "--latitude", "45.1", "--longitude", "4.1")
    told = lite.done("account", "edit", "1", "--city", "Lyon").err
    assert "stays where it was located, at 45.100000, 4.100000" in told
    assert "stays" not in lite.done("account", "edit", "1", "--phone", "0472000000").err
    refused = lite.run("account", "edit", "1", "--latitude", "")
    assert (refused.code, "go together" in refused.err) == (2, True)


def test_distances_from_a_base_to_many_accounts_come_together(office: Office) -> None:
    located(office)
    office.done("account", "add", "--name", "Nulle part", "--type", "customer")
    office.run("status")  # takes the users in
    nora = int(str(office.one('SELECT id FROM "user" WHERE login = :l', l="nora")))
    database = Database(office.database_url)
    try:
        with database.read() as session:
            assert distances.from_base(session, [1, 2, 99], nora) == {1: 776}
            assert distances.from_base(session, [1, 2], nora + 1000) == {}
    finally:
        database.close()
