"""A mailbox that was stopped and goes on (R109): what the service knew of its calendars is forgotten, what
people did is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.console import console
from tests.servers.memory_world import CALENDAR, MemoryWorld


@pytest.fixture
def office(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire and Marc, on servers that deliver no invitations."""
    world = MemoryWorld(tmp_path / "syncd", database_url)
    for login in ("claire", "marc"):
        world.add_user(login, auto_schedule=False)
    world.settle()
    yield world
    world.close()


def stop(office: MemoryWorld, login: str) -> None:
    assert console(office.config, "stop", login).code == 0


def resume(office: MemoryWorld, login: str) -> None:
    assert console(office.config, "resume", login).code == 0


def test_what_waited_for_the_calendar_when_it_was_stopped_is_written_once_it_goes_on(
    office: MemoryWorld,
) -> None:
    office.desk("claire").add("Revue")
    stop(office, "claire")
    office.desk("claire").add("Bilan", "2026-11-26T10:00")
    resume(office, "claire")

    office.settle()

    assert "SUMMARY:Revue\n" in office.text("claire")
    assert "SUMMARY:Bilan\n" in office.text("claire")


def test_what_is_there_already_is_linked_again_and_neither_doubled_nor_written(office: MemoryWorld) -> None:
    id_ = office.desk("claire").add("Revue", participants=("marc",), location="Lyon")
    office.put("claire", "one", event("one@client.example", "Point"))
    office.settle()
    before = office.text("claire"), office.text("marc")
    for login in ("claire", "marc"):
        stop(office, login)
        resume(office, login)

    office.settle()

    assert (office.text("claire"), office.text("marc")) == before
    assert office.rows("SELECT count(*) FROM event") == [(2,)]
    office.desk("claire").edit(id_, location="Nice")
    office.settle()
    assert "LOCATION:Nice" in office.text("claire")


def test_a_copy_that_the_service_wrote_is_kept_in_step_once_its_mailbox_goes_on(office: MemoryWorld) -> None:
    id_ = office.desk("claire").add("Revue", participants=("marc",))
    office.settle()
    stop(office, "marc")
    resume(office, "marc")
    office.settle()

    office.desk("claire").edit(id_, location="Nice")
    office.settle()

    assert "LOCATION:Nice" in office.text("marc")
    office.desk("claire").cancel(id_)
    office.settle()
    assert office.text("marc") == ""


def test_what_changed_in_the_crm_while_its_copy_was_forgotten_reaches_it(office: MemoryWorld) -> None:
    id_ = office.desk("claire").add("Revue", participants=("marc",))
    office.settle()
    stop(office, "marc")
    office.desk("claire").edit(id_, location="Nice")
    resume(office, "marc")

    office.settle()

    assert "LOCATION:Nice" in office.text("marc")


def test_what_was_cancelled_in_the_crm_while_it_was_stopped_leaves_the_calendar(office: MemoryWorld) -> None:
    id_ = office.desk("claire").add("Revue")
    office.settle()
    stop(office, "claire")
    office.desk("claire").cancel(id_)
    resume(office, "claire")

    office.settle()

    assert office.text("claire") == ""
    assert office.rows("SELECT hidden FROM event") == [(True,)]


def test_what_was_cancelled_in_the_crm_and_waited_when_it_was_stopped_leaves_the_calendar(
    office: MemoryWorld,
) -> None:
    id_ = office.desk("claire").add("Revue")
    office.settle()
    office.desk("claire").cancel(id_)
    stop(office, "claire")
    resume(office, "claire")

    office.settle()

    assert office.text("claire") == ""


def test_what_a_client_changed_while_it_was_stopped_is_taken_in(office: MemoryWorld) -> None:
    office.desk("claire").add("Revue", location="Lyon")
    office.settle()
    stop(office, "claire")
    (ref,) = office.servers["claire"].sources(CALENDAR)
    office.change("claire", ref, lambda text: text.replace("LOCATION:Lyon", "LOCATION:Nice"))
    resume(office, "claire")

    office.settle()

    assert office.rows("SELECT location FROM event") == [("Nice",)]
    assert office.rows("SELECT unit, crm_value, winner FROM conflict") == [("location", '"Lyon"', "REMOTE")]
