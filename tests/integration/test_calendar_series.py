"""Series whose rule one side changes while the other one changes an occurrence."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.console import Outcome, console
from tests.servers.meanwhile import before_writing
from tests.servers.memory_world import MemoryWorld

RULE = "RRULE:FREQ=DAILY;COUNT=5"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire, with a series of five days."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    made.add_user("claire")
    made.put("claire", "s", event("s@client.example", "Point", more=(RULE,)))
    made.settle()
    yield made
    made.close()


def command(world: MemoryWorld, *arguments: str) -> Outcome:
    return console(world.config, *arguments, at=world.now)


def in_a_thread(work: Callable[[], object]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)


def without_rule(world: MemoryWorld) -> None:
    (ref,) = world.servers["claire"].sources()
    world.change("claire", ref, lambda text: text.replace(RULE + "\n", ""))


def test_a_client_that_removes_the_rule_and_an_occurrence_of_the_crm_end_valid_with_the_edit_in_the_log(
    world: MemoryWorld,
) -> None:
    world.desk("claire").edit(1, occurrence="2026-11-26", subject="Bilan")
    without_rule(world)
    world.settle()
    assert "RECURRENCE-ID" not in world.text("claire")
    assert "RRULE" not in world.text("claire")
    assert world.rows("SELECT subject, recurrence_key, series_rrule FROM event") == [("Point", "", None)]
    (conflict,) = command(world, "conflicts", "--json").json
    assert (conflict["crm"]["subject"], conflict["remote"], conflict["winner"]) == ("Bilan", None, "remote")

    refused = command(world, "conflicts", "take", str(conflict["id"]), "crm")
    assert refused.code == 1
    assert "does not happen on 2026-11-26 09:00 any more" in refused.err
    world.desk("claire").edit(1, rrule="FREQ=DAILY;COUNT=5")
    assert command(world, "conflicts", "take", str(conflict["id"]), "crm").code == 0
    world.settle()
    assert "SUMMARY:Bilan" in world.text("claire")
    assert "RECURRENCE-ID;TZID=Europe/Paris:20261126T090000" in world.text("claire")


def test_an_occurrence_that_a_person_changes_while_the_removal_is_stored_is_in_the_log_too(
    world: MemoryWorld,
) -> None:
    """Between the plan, which knows nothing of it, and its confirmation."""
    without_rule(world)
    server = world.servers["claire"]
    server.calls.clear()
    with before_writing(
        world.open().database.engine,
        lambda: server.calls["read"] > 0,
        lambda: in_a_thread(lambda: world.desk("claire").edit(1, occurrence="2026-11-26", subject="Bilan")),
    ):
        world.sync()
    world.settle()
    assert "RECURRENCE-ID" not in world.text("claire")
    assert world.rows("SELECT subject, recurrence_key FROM event") == [("Point", "")]
    (conflict,) = command(world, "conflicts", "--json").json
    assert (conflict["crm"]["subject"], conflict["remote"], conflict["winner"]) == ("Bilan", None, "remote")
