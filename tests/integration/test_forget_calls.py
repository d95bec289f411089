"""Forgetting a person whom the CRM knows of calls, or of whom a meeting's report has the name only."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from store import removing
from store.actors import admin_at_machine
from tests.integration.test_calls import AFTER, CONFIG, FOLDER, HEADINGS, call
from tests.servers.console import Outcome, console
from tests.servers.meeting_world import MeetingWorld
from tests.servers.memory_world import CALENDAR

ZOE = 2
NUMBER = "0145678901"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    """Claire spoke to Zoé twice, and to Anne; of one of Zoé's calls she reported."""
    made = MeetingWorld(tmp_path / "syncd", database_url, more=CONFIG.format(more=""))
    made.begin()
    made.add_contact(made.account, "zoe@client.example", phone_mobile=NUMBER)
    with made.session() as session:
        session.execute(text("UPDATE contact SET phone_mobile = '0199999999' WHERE id = 1"))
    made.now = AFTER
    first, later = "2026-11-22T13:00:00", "2026-11-22T13:30:00"
    rows = [call(NUMBER, first), call(NUMBER, later, id_="2"), call("0199999999", id_="3")]
    made.drop(FOLDER, "calls.csv", HEADINGS + "".join(rows))
    assert made.take_in().taken == 1
    made.settle()
    answered = run(made, "meeting", "answer", "1", "--text", "Zoé veut un devis.")
    assert answered.code == 0, answered.err
    made.settle()
    yield made
    made.close()


def run(world: MeetingWorld, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments, at=world.now)
    assert "Traceback" not in outcome.err
    return outcome


def delete(world: MeetingWorld) -> None:
    with world.session() as session:
        removing.delete_contact(session, ZOE, actor=admin_at_machine("root"), now=world.now)


def test_calls_with_a_deleted_contact_go_with_reports_and_tasks(world: MeetingWorld) -> None:
    assert "contact 2 is there" in run(world, "forget", "--contact", "2", "--yes").out
    delete(world)
    assert "2 calls would go" in run(world, "forget", "--contact", "2").out
    assert len(world.activities()) == 3
    done = run(world, "forget", "--contact", "2", "--yes", "--json")
    assert done.json["forgotten"]["calls"] == 2
    assert world.activities("subject") == [("Appel à anne",)]
    assert world.rows("SELECT activity_id FROM meeting_report") == [(3,)]
    assert world.rows("SELECT DISTINCT subject, block FROM task WHERE hidden") == [("", "")]
    world.settle()
    for _ in range(2):
        assert "zoe" not in world.text("claire")
        assert "Appel à anne" in world.text("claire")
        world.later(minutes=1)
        world.settle()
    world.drop(FOLDER, "again.csv", HEADINGS + call(NUMBER))
    assert world.take_in().taken == 1
    assert len(world.activities()) == 1, "the number is nobody's: the call is not recorded again"


def test_nothing_that_was_said_of_a_forgotten_call_is_left_anywhere(world: MeetingWorld) -> None:
    """Neither what was written into its task, nor what was decided when the task came and went."""
    task = world.rows("SELECT id FROM task WHERE subject LIKE '%zoe%' AND state = 'OPEN'")[0][0]
    (ref,) = (
        ref for ref, source in world.servers["claire"].sources(CALENDAR).items() if b"zoe" in source
        and b"STATUS:COMPLETED" not in source
    )  # fmt: skip
    world.change(
        "claire", ref, lambda text: text.replace("DESCRIPTION:", "DESCRIPTION:Devis promis\\n\\n", 1)
    )
    world.settle()
    assert world.rows(f"SELECT notes FROM task WHERE id = {task}") == [("Devis promis",)]
    delete(world)
    assert run(world, "forget", "--contact", "2", "--yes").code == 0
    world.settle()
    assert "zoe" not in world.text("claire")
    told = world.rows("SELECT crm_before, remote_before FROM decision") + world.rows(
        "SELECT base, crm_value, remote_value FROM conflict"
    )
    told += world.rows("SELECT base_crm, base_remote FROM binding")
    told += world.rows("SELECT subject, block, notes FROM task WHERE hidden")
    kept = " ".join(str(value) for row in told for value in row)
    assert "anne" in kept, "of the other call it is told"
    assert not any(word in kept for word in ("zoe", "Zoé", "promis", "145678901"))


def test_calls_with_a_number_that_nobody_has_go(world: MeetingWorld) -> None:
    kept = run(world, "forget", "--number", "+33 1 45 67 89 01", "--yes")
    assert "is a number of contact 2: take it away there first" in kept.out
    with world.session() as session:
        session.execute(text("UPDATE contact SET phone_mobile = NULL WHERE id = 2"))
    assert "2 calls removed" in run(world, "forget", "--number", "01 45 67 89 01", "--yes").out
    assert world.activities("subject") == [("Appel à anne",)]
    assert "Nothing to forget" in run(world, "forget", "--number", "01 45 67 89 01", "--yes").out


def test_a_number_that_another_contact_has_now_keeps_its_calls(world: MeetingWorld) -> None:
    with world.session() as session:
        session.execute(text(f"UPDATE contact SET phone_landline = '{NUMBER}' WHERE id = 1"))
    assert "a number of contact" in run(world, "forget", "--number", NUMBER, "--yes").out
    assert len(world.activities()) == 3


def test_one_reason_to_forget_is_named_at_a_time(world: MeetingWorld) -> None:
    for wrong in (["--number", NUMBER, "--contact", "2"], ["--number", " "], ["--name", ""]):
        assert run(world, "forget", *wrong).code == 2
