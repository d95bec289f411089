"""Meetings on the command line: what really was, the report, the list of those without one."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.console import Outcome, console
from tests.servers.meeting_world import OVER, MeetingWorld, video


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url)
    made.begin()
    made.add_user("marc", auto_schedule=False)
    made.put("claire", "m", video("m@client.example"))
    made.settle()
    yield made
    made.close()


def run(world: MeetingWorld, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments, at=world.now)
    assert "Traceback" not in outcome.err
    return outcome


REAL = ("--start", "2026-11-23 10:04", "--end", "10:51")


def test_what_was_told_before_and_after_the_record_is_its_duration(world: MeetingWorld) -> None:
    world.now = OVER - timedelta(minutes=3)
    told = run(world, "meeting", "report", "1", "--as", "claire", *REAL)
    assert (told.code, "as soon as" in told.out) == (0, True)
    world.follow_up(OVER)
    assert world.activities("duration_min, duration_source") == [(47, "ACTUAL")]

    again = run(world, "meeting", "report", "1", "--as", "claire", *REAL[:3], "11:00", "--json")
    assert again.json == {"activity_id": 1, "duration_min": 56, "changed": True}
    assert world.activities("duration_min") == [(56,)]
    assert not world.later(minutes=1).wrote


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("report", "9", *REAL), 1, "there is no event 9"),
        (("report", "1", "--start", "2026-11-23 10:04", "--end", "10:04"), 1, "after the start"),
        (("report", "1", "--start", "2026-11-20 10:04", "--end", "11:04"), 1, "another meeting"),
        (("report", "1", "--start", "2026-11-23 10:04", "--end", "23:04"), 1, "still to come"),
        (("report", "1", "--start", "2026-11-23", "--end", "11:04"), 2, "time of day"),
        (("report", "1", "--start", "hier", "--end", "11:04"), 2, "write 2026-12-01"),
        (("report", "1", "--occurrence", "2026-11-23", *REAL), 1, "happens once"),
        (("report", "1", "--as", "marc", *REAL), 1, "takes no part"),
        (("answer", "9", "--text", "x"), 1, "there is no activity 9"),
        (("answer", "1", "--text", "x", "--as", "marc"), 1, "may not report"),
        (("waive", "9"), 1, "there is no activity 9"),
        (("waive", "1", "--as", "marc"), 1, "may not report"),
        (("waive", "un"), 2, "valid integer"),
    ],
)
def test_what_cannot_be_is_refused_in_clear_words(
    world: MeetingWorld, arguments: tuple[str, ...], code: int, says: str
) -> None:
    world.follow_up(OVER)
    outcome = run(world, "meeting", *arguments)
    assert (outcome.code, says in outcome.err) == (code, True), outcome.err


def test_a_report_by_command_finishes_the_task_and_can_be_amended(world: MeetingWorld) -> None:
    world.follow_up(OVER)
    world.settle()
    waiting = run(world, "list", "activities", "--pending", "--json").json
    assert [row["subject"] for row in waiting["rows"]] == ["Visio"]
    assert "claire 1" in run(world, "status").out
    assert run(world, "list", "activities", "--json").json["rows"] == []

    assert run(world, "meeting", "answer", "1", "--as", "claire", "--text", "Fait.").code == 0
    world.settle()
    _, task = world.task()
    assert "STATUS:COMPLETED" in task
    assert not world.later(minutes=1).wrote
    assert run(world, "list", "activities", "--pending", "--json").json["rows"] == []
    assert "claire 1" not in run(world, "status").out

    amended = run(world, "meeting", "answer", "1", "--text", "Fait, et bien.", "--json").json
    assert (amended["activity_id"], amended["first"]) == (1, False)
    assert world.activities("state, comments") == [("VALIDATED", "Fait, et bien.")]
    assert world.forms("state, comments, channel") == [("ANSWERED", "Fait, et bien.", "CLI")]


def test_a_waived_form_leaves_the_list_of_the_user_and_stays_in_that_of_the_crm(world: MeetingWorld) -> None:
    world.follow_up(OVER)
    world.settle()
    assert run(world, "meeting", "waive", "1").out == "activity 1: nobody is asked any more\n"
    world.settle()
    assert "VTODO" not in world.text("claire")
    assert len(run(world, "list", "activities", "--pending", "--json").json["rows"]) == 1
    assert run(world, "meeting", "answer", "1", "--text", "Tout de même.").code == 0
    assert world.forms("state, comments") == [("WAIVED", ""), ("ANSWERED", "Tout de même.")]
