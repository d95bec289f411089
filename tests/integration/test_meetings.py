"""Ended video meetings become activities with their form (table T8), on both databases."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.meeting_world import OVER, MeetingWorld, video


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url)
    made.begin()
    yield made
    made.close()


def test_a_meeting_that_is_over_becomes_an_activity_once_with_a_form_in_its_owner_s_list(
    world: MeetingWorld,
) -> None:
    world.put("claire", "m", video("m@client.example"))
    world.settle()
    assert world.follow_up(OVER - timedelta(seconds=61)).recorded == 0
    assert world.follow_up(OVER).recorded == 1
    for _ in range(3):
        assert not world.later(minutes=1).wrote

    columns = "type, state, account_id, duration_min, duration_source, automatic, comments"
    assert [tuple(map(str, row[:2])) + row[2:5] for row in world.activities(columns)] == [
        ("VIDEO_CALL", "PENDING_REPORT", world.account, 60, "SCHEDULED")
    ]
    assert world.rows("SELECT contact_id FROM activity_contact") == [(world.contact,)]
    world.settle()
    _, task = world.task()
    assert "SUMMARY:Compte rendu : Visio" in task
    assert "DUE;VALUE=DATE:20261124" in task
    assert "Client SA" in task


def test_finishing_the_task_with_text_answers_the_form(world: MeetingWorld) -> None:
    world.put("claire", "m", video("m@client.example"))
    world.settle()
    world.follow_up(OVER)
    world.settle()
    world.answer("Très intéressée.\nRappeler en mars.")
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("state, comments") == [("VALIDATED", "Très intéressée.\nRappeler en mars.")]
    assert world.forms("state, channel, submitted_by") == [("ANSWERED", "TASK", 1)]
    assert not world.later(minutes=1).wrote
