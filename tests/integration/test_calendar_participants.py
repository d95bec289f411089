"""A participant's own copy of a meeting, where the service writes such copies: taken out, it stays out."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.memory_world import MemoryWorld

MARC = "marc@acme.example"
ANSWER = (
    "SELECT p.response FROM event_participant p JOIN event e ON e.id = p.event_id "
    "WHERE e.series_id IS NULL AND p.email = :email"
)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire and Marc, on servers that deliver no invitations."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    for login in ("claire", "marc"):
        made.add_user(login, auto_schedule=False)
    made.settle()
    yield made
    made.close()


def invited(world: MemoryWorld) -> tuple[int, str]:
    """A meeting of Claire's to which Marc is invited: its id, and the ref of his copy."""
    id_ = world.desk("claire").add("Revue", "2026-12-02T10:00", participants=("marc",))
    world.settle()
    (ref,) = world.servers["marc"].sources()
    return id_, ref


def test_who_deletes_the_own_copy_declines_and_it_does_not_come_back_with_the_next_change(
    world: MemoryWorld,
) -> None:
    id_, ref = invited(world)
    world.servers["marc"].remove(ref)
    world.settle()
    assert world.one(ANSWER, email=MARC) == "DECLINED"
    assert "PARTSTAT=DECLINED" in world.text("claire")
    assert world.one("SELECT status FROM event") == "CONFIRMED"
    for place in ("Lyon", "Nice"):
        world.desk("claire").edit(id_, location=place)
        world.settle()
    assert world.text("marc") == ""
    assert "LOCATION:Nice" in world.text("claire")


def test_who_declined_and_is_invited_again_gets_a_copy_again(world: MemoryWorld) -> None:
    id_, ref = invited(world)
    world.servers["marc"].remove(ref)
    world.settle()
    world.desk("claire").edit(id_, remove_participants=("marc",))
    world.settle()
    world.desk("claire").edit(id_, participants=("marc",))
    world.settle()
    assert "SUMMARY:Revue" in world.text("marc")
    assert world.one(ANSWER, email=MARC) == "NO_RESPONSE"


def test_who_puts_the_copy_back_takes_part_again(world: MemoryWorld) -> None:
    _, ref = invited(world)
    source = world.servers["marc"].sources()[ref]
    world.servers["marc"].remove(ref)
    world.settle()
    world.servers["marc"].put("/calendar/", source, ref)
    world.settle()
    assert world.one(ANSWER, email=MARC) == "NO_RESPONSE"
    assert world.one("SELECT count(*) FROM event") == 1


def test_an_organizer_who_asks_again_delivers_it_again(world: MemoryWorld) -> None:
    """As clients do when they move a meeting (RFC 5546 section 3.2.2.1): every answer is asked for anew."""
    _, ref = invited(world)
    (mine,) = world.servers["claire"].sources()
    world.servers["marc"].remove(ref)
    world.settle()
    world.change("claire", mine, lambda text: text.replace("PARTSTAT=DECLINED", "PARTSTAT=NEEDS-ACTION"))
    world.settle()
    assert "SUMMARY:Revue" in world.text("marc")


def test_a_copy_of_a_meeting_that_is_over_is_tidied_up_and_declines_nothing(world: MemoryWorld) -> None:
    id_, ref = invited(world)
    world.now += timedelta(days=20)
    world.servers["marc"].remove(ref)
    world.settle()
    assert world.one(ANSWER, email=MARC) == "NO_RESPONSE"
    world.desk("claire").edit(id_, notes="Compte rendu")
    world.settle()
    assert world.text("marc") == ""


def test_a_deleted_copy_that_changed_in_the_crm_in_the_same_moment_stays_away(world: MemoryWorld) -> None:
    id_, ref = invited(world)
    world.desk("claire").edit(id_, location="Lyon")
    world.servers["marc"].before("update", lambda: world.servers["marc"].remove(ref))
    world.settle()
    assert world.text("marc") == ""
    assert world.one(ANSWER, email=MARC) == "DECLINED"
