"""How far it is to an account, in the calendar of whoever goes there, and in nobody else's (R095, §4.2)."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.servers.console import console
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded

GUEST = "paul@client.example"
BASE = "base_lat = 45.75\nbase_lon = 4.85\n"
SHOWN = BASE + "show_distance = true"


@pytest.fixture(params=["the server mails", "the server mails nobody"])
def office(request: pytest.FixtureRequest, tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, and an account 11.1 km to the north of Claire, on both kinds of servers."""
    world = MemoryWorld(tmp_path / "syncd", database_url)
    for login in ("claire", "denis"):
        world.add_user(login, auto_schedule=request.param == "the server mails")
        world.user_keys[login] = SHOWN
    world.settle()
    world.add_account("Garage", latitude=Decimal("45.85"), longitude=Decimal("4.85"))
    yield world
    world.close()


def move(world: MemoryWorld, latitude: str) -> None:
    done = console(
        world.write_config(),
        "account",
        "edit",
        "1",
        "--latitude",
        latitude,
        "--longitude",
        "4.85",
        at=world.now,
    )
    assert done.code == 0, done.err


def quiet(world: MemoryWorld) -> None:
    """Once the calendar has said what it was given, nothing waits, and no cycle writes anything."""
    world.sync()
    assert world.one("SELECT count(*) FROM pending") == 0
    assert [report.wrote for report in world.sync().values()] == [False, False]


def test_it_stands_in_the_block_and_follows_the_account(office: MemoryWorld) -> None:
    office.desk("claire").add("Visite", account="Garage", notes="Devis")
    office.settle()
    assert "Devis\\n\\n--- CRM ---\\nCompte : Garage\\nDistance : 11\\,1 km\\n--- fin CRM ---" in office.text(
        "claire"
    )
    quiet(office)
    before = office.rows("SELECT version, updated_at FROM event")
    move(office, "45.7590")
    assert office.sync()["claire"].calendar.pushed == 1
    assert "Distance : 1\\,0 km\\n" in office.text("claire")
    quiet(office)
    move(office, "45.7580")
    office.settle()
    assert "Distance : 890 m\\n" in office.text("claire")
    quiet(office)
    assert (office.rows("SELECT version, updated_at FROM event"), office.mailed()) == (before, [])
    assert office.one("SELECT notes FROM event") == "Devis"
    done = console(
        office.write_config(), "account", "edit", "1", "--latitude", "", "--longitude", "", at=office.now
    )
    assert done.code == 0
    office.settle()
    assert "Distance" not in office.text("claire")


def test_nothing_is_told_unless_the_config_says_so_and_it_follows_the_config(office: MemoryWorld) -> None:
    office.user_keys["claire"] = BASE
    office.desk("claire").add("Visite", account="Garage")
    office.settle()
    assert "Distance" not in office.text("claire")
    quiet(office)
    office.user_keys["claire"] = SHOWN
    office.settle()
    assert "Distance : 11\\,1 km\\n" in office.text("claire")
    office.user_keys["claire"] = SHOWN.replace("45.75", "45.80")
    office.settle()
    assert "Distance : 5\\,6 km\\n" in office.text("claire")
    quiet(office)
    office.user_keys["claire"] = BASE
    office.settle()
    assert "Distance" not in office.text("claire")
    move(office, "45.9")
    quiet(office)


def test_a_colleague_who_takes_part_does_not_read_where_its_owner_sets_out_from(office: MemoryWorld) -> None:
    id_ = office.desk("claire").add("Visite", account="Garage")
    office.settle()
    assert "Distance" in office.text("claire")
    office.desk("claire").edit(id_, participants=("denis",))
    office.settle()
    assert "Compte : Garage" in office.text("claire")
    assert "Distance" not in office.text("claire") + office.text("denis")
    quiet(office)


def test_a_guest_reads_nothing_of_it_and_its_owner_reads_it_beside_the_meeting(office: MemoryWorld) -> None:
    office.desk("claire").add("Visite", account="Garage", participants=(GUEST, "denis"))
    office.settle()
    texts = [unfolded(one) for one in office.servers["claire"].sources(CALENDAR).values()]
    told = [("X-CRM-COMPANION" in one, "Distance : 11\\,1 km" in one, GUEST in one) for one in texts]
    assert sorted(told) == [(False, False, True), (True, True, False)]
    assert "Distance" not in office.text("denis")
    mailed = office.mailed()
    move(office, "45.80")
    office.settle()
    assert "Distance : 5\\,6 km" in office.text("claire")
    assert office.mailed() == mailed
    quiet(office)


def test_many_events_follow_a_few_at_a_time(office: MemoryWorld) -> None:
    for number in range(25):
        office.desk("claire").add(f"Visite {number}", account="Garage")
    office.sync()
    office.release("claire")
    office.settle()
    move(office, "45.80")
    reports = [office.sync()["claire"].calendar for _ in range(3)]
    assert ([one.pushed for one in reports], [one.braked for one in reports]) == ([20, 5, 0], [None] * 3)
    assert office.text("claire").count("Distance : 5\\,6 km") == 25
    quiet(office)


def test_a_meeting_that_is_over_stays_as_it_was(office: MemoryWorld) -> None:
    office.desk("claire").add("Visite", account="Garage")
    office.settle()
    before = office.text("claire")
    office.now += timedelta(days=5)
    move(office, "45.80")
    quiet(office)
    assert office.text("claire") == before


def test_a_first_check_in_tells_the_calendars_where_the_account_is(office: MemoryWorld) -> None:
    office.add_account("Banque")
    office.desk("claire").add("Visite", account="Banque")
    office.settle()
    assert "Distance" not in office.text("claire")
    words = ("--account", "Banque", "--position", "45.76,4.85", "--accuracy", "10")
    done = console(office.write_config(), "checkin", "add", "--as", "claire", *words, at=office.now)
    assert done.code == 0, done.err
    office.settle()
    assert "Distance : 1\\,1 km" in office.text("claire")
    quiet(office)
