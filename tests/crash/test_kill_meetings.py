"""Killed at every step of following up meetings, and done by two processes at once: each meeting is recorded
once, each form made once, each answer taken once."""

import json
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from tests.crash.steps import Steps, at_once, in_child
from tests.servers.databases import NewDatabase
from tests.servers.meeting_world import LINK, MEETING, OVER, MeetingWorld, video
from tests.servers.memory_world import CALENDAR

PICTURE = {
    "activity": "SELECT subject, state, occurred_at, duration_min, deleted_at IS NULL, comments "
    "FROM activity",
    "record": "SELECT uid, recurrence_key, scheduled_end, withdrawn FROM meeting_record",
    "people": "SELECT a.subject, c.contact_id "
    "FROM activity_contact c JOIN activity a ON a.id = c.activity_id",
    "form": "SELECT a.subject, r.state, r.due_on, r.comments, r.channel "
    "FROM meeting_report r JOIN activity a ON a.id = r.activity_id",
    "task": "SELECT subject, state, due_date, hidden, block FROM task",
    "watch": "SELECT event_id, due_at FROM meeting_watch",
    "pending": "SELECT p.entity, t.subject FROM pending p JOIN task t ON t.id = p.entity_id",
}
LATER = OVER + timedelta(days=3)


def prepared(world: MeetingWorld) -> None:
    """One meeting is over, one was recorded and moved, of one the form was answered, of one it is late."""
    world.begin()
    for name in ("moved", "answered", "late"):
        world.put("claire", name, video(name, name))
    world.settle()
    world.follow_up(OVER)
    world.settle()
    world.change("claire", f"{CALENDAR}moved.ics", lambda text: text.replace("20261123", "20261129"))
    tasks = world.servers["claire"].sources(CALENDAR)
    (ref,) = [ref for ref, text in tasks.items() if b"SUMMARY:Compte rendu : answered" in text]
    world.change("claire", ref, finished)
    over = video("over", "over", MEETING.replace("1123", "1126"))
    world.put("claire", "over", over)
    world.settle()
    world.restart()
    assert LINK in over.decode()


def finished(task: str) -> str:
    lines = [line for line in task.splitlines() if not line.startswith("STATUS")]
    done = ["STATUS:COMPLETED", "COMPLETED:20261123T120000Z", "END:VTODO"]
    text = "\n".join(lines).replace("END:VTODO", "\n".join(done))
    return text.replace("DESCRIPTION:", "DESCRIPTION:Fait.\\n", 1) + "\n"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_any_step_leaves_what_an_uninterrupted_run_leaves(
    kind: str, new_database: NewDatabase, clone_database: Callable[[str], str], tmp_path: Path
) -> None:
    world = MeetingWorld(tmp_path / "syncd", new_database(kind))
    prepared(world)
    before = world.database_url
    world.database_url = clone_database(before)
    steps_file = tmp_path / "steps.json"
    assert in_child(partial(follow_up, world, 0, steps_file)) == 0
    expected = picture(world)
    assert [len(expected[name]) for name in ("activity", "form", "task")] == [4, 4, 4]
    assert {row[1] for row in expected["form"]} == {"WITHDRAWN", "ANSWERED", "REMINDED", "OFFERED"}
    steps = json.loads(steps_file.read_text())
    assert {"sql INSERT", "sql UPDATE", "sql COMMIT"} <= set(steps)

    for number in range(1, len(steps) + 1):
        world.database_url = clone_database(before)
        assert in_child(partial(follow_up, world, number, None)) == -signal.SIGKILL, steps[number - 1]
        assert in_child(partial(follow_up, world, 0, None)) == 0
        found = picture(world)
        for name in expected:
            assert found[name] == expected[name], (
                f"{name}: killed at step {number} of {len(steps)}, {steps[number - 1]}"
            )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_processes_at_once_record_each_meeting_once(
    kind: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    world = MeetingWorld(tmp_path / "syncd", new_database(kind))
    world.begin()
    for number in range(40):
        world.put("claire", str(number), video(f"{number}@client.example", f"Visio {number}"))
    world.settle()
    world.restart()
    # Each writes its config.
    worlds = [replace(world, folder=tmp_path / f"process-{number}") for number in range(3)]
    assert at_once([partial(follow_up, one, 0, None, OVER) for one in worlds]) == [0, 0, 0]
    assert len(world.activities()) == 40
    assert len(world.forms()) == 40
    assert world.one("SELECT count(*) FROM task") == 40


def follow_up(world: MeetingWorld, kill_at: int, steps_file: Path | None, at: datetime = LATER) -> None:
    """What the service does each minute, in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    report = installation.meetings.run(at)
    steps.stop()
    assert not report.failed
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))


def picture(world: MeetingWorld) -> dict[str, list[tuple[object, ...]]]:
    return world.tables(PICTURE)
