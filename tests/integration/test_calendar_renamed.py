"""Items to which a client gave another UID: known by X-CRM-ID (table T4, row 13), and not doubled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded

NEW = "brand-new@client.example"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire, with an event that the CRM has written into her calendar."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    made.add_user("claire", auto_schedule=False)
    made.settle()
    made.desk("claire").add("Revue", location="Lyon")
    made.settle()
    yield made
    made.close()


def renamed(world: MemoryWorld, uid: str = NEW) -> tuple[str, bytes]:
    """Where the item lies, and what it would be with another UID."""
    ((ref, source),) = world.servers["claire"].sources().items()
    lines = [f"UID:{uid}" if one.startswith("UID:") else one for one in unfolded(source).split("\n")]
    return ref, "\r\n".join(lines).encode()


def is_one_and_in_step(world: MemoryWorld, uid: str = NEW) -> None:
    assert world.rows("SELECT id, uid, status FROM event") == [(1, uid, "CONFIRMED")]
    assert [(state, entity) for state, entity in world.rows("SELECT state, entity_id FROM binding")] == [
        ("BOUND", 1)
    ]
    world.desk("claire").edit(1, subject="Revue du mois")
    world.settle()
    ((_, source),) = world.servers["claire"].sources().items()
    text = unfolded(source)
    assert f"UID:{uid}\n" in text
    assert "SUMMARY:Revue du mois" in text
    assert "LOCATION:Lyon" in text
    for report in world.sync().values():
        assert (report.error, report.wrote) == (None, False)
    world.servers["claire"].remove(str(world.one("SELECT remote_ref FROM binding")))
    world.settle()
    assert world.one("SELECT status FROM event") == "CANCELLED"


def test_one_that_is_written_anew_with_another_uid_stays_the_same_event(world: MemoryWorld) -> None:
    ref, source = renamed(world)
    world.servers["claire"].remove(ref)
    world.servers["claire"].put(CALENDAR, source)
    world.settle()
    is_one_and_in_step(world)


def test_one_whose_uid_changes_where_it_lies_stays_the_same_event(world: MemoryWorld) -> None:
    ref, source = renamed(world)
    world.servers["claire"].put(CALENDAR, source, ref)
    world.settle()
    is_one_and_in_step(world)


def test_one_that_comes_back_later_with_another_uid_is_the_same_event(world: MemoryWorld) -> None:
    ref, source = renamed(world)
    world.servers["claire"].remove(ref)
    world.settle()
    assert world.one("SELECT status FROM event") == "CANCELLED"
    world.servers["claire"].put(CALENDAR, source)
    world.settle()
    is_one_and_in_step(world)


def test_what_a_person_changed_in_the_crm_meanwhile_is_merged_with_it(world: MemoryWorld) -> None:
    ref, source = renamed(world)
    world.desk("claire").edit(1, notes="Apporter le plan")
    world.servers["claire"].remove(ref)
    world.servers["claire"].put(CALENDAR, source.replace(b"LOCATION:Lyon", b"LOCATION:Nice"))
    world.settle()
    assert world.rows("SELECT id, uid, location, notes FROM event") == [(1, NEW, "Nice", "Apporter le plan")]
    assert "DESCRIPTION:Apporter le plan" in world.text("claire")
    assert len(world.servers["claire"].sources()) == 1


def test_a_series_keeps_its_changed_occurrences(world: MemoryWorld) -> None:
    world.desk("claire").edit(1, rrule="FREQ=DAILY;COUNT=4")
    world.desk("claire").edit(1, occurrence="2026-11-27", subject="Autre")
    world.settle()
    ref, source = renamed(world)
    world.servers["claire"].remove(ref)
    world.servers["claire"].put(CALENDAR, source)
    world.settle()
    assert sorted(world.rows("SELECT uid, subject FROM event")) == [(NEW, "Autre"), (NEW, "Revue")]


def test_a_copy_that_a_person_makes_beside_it_is_an_event_of_its_own(world: MemoryWorld) -> None:
    ref, source = renamed(world)
    copy = world.servers["claire"].put(CALENDAR, source.replace(b"SUMMARY:Revue", b"SUMMARY:Suite"))
    world.settle()
    assert sorted(world.rows("SELECT subject, status FROM event")) == [
        ("Revue", "CONFIRMED"),
        ("Suite", "CONFIRMED"),
    ]
    world.servers["claire"].remove(ref)
    world.settle()
    assert sorted(world.rows("SELECT subject, status FROM event")) == [
        ("Revue", "CANCELLED"),
        ("Suite", "CONFIRMED"),
    ]
    world.desk("claire").edit(2, location="Nice")
    world.settle()
    assert "LOCATION:Nice" in unfolded(world.servers["claire"].sources()[copy])


def test_what_another_crm_or_a_lost_record_of_the_same_number_wrote_is_no_record_of_this_one(
    world: MemoryWorld,
) -> None:
    ref, source = renamed(world)
    line = next(one for one in source.split(b"\r\n") if one.startswith(b"X-CRM-ID:"))
    world.servers["claire"].remove(ref)
    elsewhere, before = line.partition(b"@")[0] + b"@0123456789ab", line.replace(b":1-2026", b":1-2025")
    assert before != line
    for number, mark in enumerate((elsewhere, before, b"X-CRM-ID:1")):
        uid = f"other-{number}@client.example".encode()
        foreign = source.replace(line, mark).replace(NEW.encode(), uid).replace(b"Revue", b"Autre")
        world.servers["claire"].put(CALENDAR, foreign)
    world.settle()
    assert sorted(world.rows("SELECT subject, status FROM event")) == [
        ("Autre", "CONFIRMED"),
        ("Autre", "CONFIRMED"),
        ("Autre", "CONFIRMED"),
        ("Revue", "CANCELLED"),
    ]


def test_of_two_that_come_back_under_other_uids_one_is_the_event(world: MemoryWorld) -> None:
    ref, source = renamed(world)
    world.servers["claire"].remove(ref)
    world.settle()
    for number in (1, 2):
        world.servers["claire"].put(CALENDAR, source.replace(NEW.encode(), f"back-{number}".encode()))
    world.settle()
    assert sorted(world.rows("SELECT id, status FROM event")) == [(1, "CONFIRMED"), (2, "CONFIRMED")]
    assert world.one("SELECT count(DISTINCT entity_id) FROM binding WHERE state = 'BOUND'") == 2


def test_a_colleague_who_imports_it_under_another_uid_takes_nothing_away(world: MemoryWorld) -> None:
    world.add_user("marc", auto_schedule=False)
    _, source = renamed(world)
    world.put("marc", "import", source)
    world.settle()
    owners = world.rows('SELECT u.login, e.status FROM event e JOIN "user" u ON u.id = e.owner_id')
    assert sorted(owners) == [("claire", "CONFIRMED"), ("marc", "CONFIRMED")]
