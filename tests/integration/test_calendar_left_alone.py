"""Items that are left alone for a while, frozen or by an undo: what happens to them meanwhile is not lost."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.console import console
from tests.servers.radicale import RadicaleServer


@pytest.fixture
def office(radicale: RadicaleServer, sqlite_url: str, tmp_path: Path) -> CalendarWorld:
    world = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.put("claire", "a", event("a@client.example", "Point"))
    assert world.sync()["claire"].error is None
    return world


def freeze(office: CalendarWorld) -> None:
    database = office.database()
    try:
        with database.write() as session:
            session.execute(text("UPDATE binding SET state = 'FROZEN'"))
    finally:
        database.close()


def ends_well(office: CalendarWorld) -> None:
    reports = [office.sync()["claire"] for _ in range(4)]
    assert [report.error for report in reports] == [None] * 4
    assert not reports[-1].wrote
    assert office.rows("SELECT count(*) FROM pending") == [(0,)]


def run(office: CalendarWorld, *arguments: str) -> None:
    done = console(office.write_config(), *arguments, at=office.now)
    assert done.code == 0, done


def test_what_an_undo_took_out_and_a_person_restores_is_kept_in_step_again(office: CalendarWorld) -> None:
    run(office, "undo", str(office.one("SELECT ref FROM run ORDER BY id LIMIT 1")))
    office.sync()
    assert office.rows("SELECT hidden FROM event") == [(1,)]
    run(office, "event", "restore", "1", "--as", "claire")
    run(office, "event", "edit", "1", "--as", "claire", "--location", "Lyon")

    ends_well(office)

    assert office.rows("SELECT state FROM binding") == [("BOUND",)]
    (item,) = office.items("claire").values()
    assert "LOCATION:Lyon" in item


def test_what_changes_on_either_side_while_an_item_is_frozen_is_merged_on_release(
    office: CalendarWorld,
) -> None:
    freeze(office)
    run(office, "event", "edit", "1", "--as", "claire", "--location", "Lyon")
    office.put("claire", "a", event("a@client.example", "Autre objet"))
    for _ in range(2):
        assert office.sync()["claire"].error is None
    assert office.rows("SELECT subject FROM event") == [("Point",)]

    run(office, "release", "claire")
    ends_well(office)

    assert office.rows("SELECT subject, location FROM event") == [("Autre objet", "Lyon")]
    (item,) = office.items("claire").values()
    assert "LOCATION:Lyon" in item
    assert "SUMMARY:Autre objet" in item


def test_what_is_deleted_while_it_is_frozen_is_cancelled_on_release_and_not_before(
    office: CalendarWorld,
) -> None:
    freeze(office)
    (path,) = office.items("claire")
    office.client("claire").delete(path)
    for _ in range(2):
        assert office.sync()["claire"].error is None
    assert office.rows("SELECT status FROM event") == [("CONFIRMED",)]

    run(office, "release", "claire")
    office.sync()

    assert office.rows("SELECT status, hidden FROM event") == [("CANCELLED", 1)]


def test_an_item_that_two_writers_give_back_and_forth_is_frozen_until_a_person_looks(
    office: CalendarWorld,
) -> None:
    office.mailbox_keys["claire"] = 'direction = "to-remote"'
    for _ in range(3):
        assert office.rows("SELECT state FROM binding") == [("BOUND",)]
        office.put("claire", "a", event("a@client.example", "De l'autre programme"))
        office.sync()
        (item,) = office.items("claire").values()
        assert "SUMMARY:Point" in item
    assert office.rows("SELECT state FROM binding") == [("FROZEN",)]

    office.put("claire", "a", event("a@client.example", "De l'autre programme"))
    office.sync()

    (item,) = office.items("claire").values()
    assert "SUMMARY:De l'autre programme" in item
    shown = console(office.config, "status", at=office.now)
    assert "frozen" in shown.out + shown.err


def test_a_few_edits_of_a_person_are_no_fight(office: CalendarWorld) -> None:
    for subject in ("A", "B", "A", "C", "A", "B"):
        office.put("claire", "a", event("a@client.example", subject))
        office.sync()
        run(office, "event", "edit", "1", "--as", "claire", "--location", f"Salle {subject}")
        office.sync()
    assert office.rows("SELECT state FROM binding") == [("BOUND",)]
    assert office.rows("SELECT subject, location FROM event") == [("B", "Salle B")]


def test_an_event_that_moves_to_another_user_takes_along_what_its_client_changed(
    office: CalendarWorld,
) -> None:
    office.add_user("marc")
    office.sync()
    office.put("claire", "a", event("a@client.example", "Changé par Claire"))
    run(office, "event", "edit", "1", "--owner", "marc")

    rounds = [office.sync() for _ in range(3)]
    assert [report.error for report in rounds[-1].values()] == [None, None]

    assert office.rows("SELECT subject FROM event") == [("Changé par Claire",)]
    assert office.items("claire") == {}
    (item,) = office.items("marc").values()
    assert "SUMMARY:Changé par Claire" in item
