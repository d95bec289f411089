"""Killed at every step of taking in what was dropped, and done by several processes at once: each report is
kept once, each call recorded once, and no file is lost."""

import json
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from syncd.engine.meetings import calling
from tests.crash.steps import Steps, at_once, in_child
from tests.integration.test_dropped_reports import report
from tests.reports import MASTER
from tests.servers.databases import NewDatabase
from tests.servers.meeting_world import OVER, MeetingWorld, video

CONFIG = """
[video]
attendance = "attendance"
[calls]
directory = "calls"
prefix = "0"
[[calls.lines]]
number = "201"
user = "claire"
"""
PICTURE = {
    "activity": "SELECT ext_id, subject, state, occurred_at, duration_min, duration_source FROM activity",
    "people": "SELECT a.ext_id, c.contact_id FROM activity_contact c JOIN activity a ON a.id = c.activity_id",
    "evidence": "SELECT uid, grade, source, started_at, ended_at FROM meeting_evidence",
    "form": "SELECT a.ext_id, r.state, r.due_on "
    "FROM meeting_report r JOIN activity a ON a.id = r.activity_id",
    "task": "SELECT subject, state, due_date, purpose FROM task",
}
DROPPED = ("attendance", "calls")


def prepared(world: MeetingWorld) -> None:
    """A meeting is over; its report, that of no meeting, and three calls lie in the folders."""
    world.more = CONFIG
    world.begin()
    world.add_contact(world.account, "zoe@client.example", phone_mobile="0145678901")
    world.put("claire", "m", video("m@client.example"))
    world.settle()
    world.follow_up(OVER)
    world.drop("attendance", "good.csv", report())
    world.drop("attendance", "stray.csv", report("Autre", guest="Personne"))
    world.drop("calls", "Master.csv", MASTER)
    world.restart()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_any_step_leaves_what_an_uninterrupted_run_leaves(
    kind: str,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "CHUNK", 1)  # several transactions for one file
    world = MeetingWorld(tmp_path / "syncd", new_database(kind))
    prepared(world)
    before, kept = world.database_url, tmp_path / "kept"
    for name in DROPPED:
        shutil.copytree(world.folder / name, kept / name)
    world.database_url = clone_database(before)
    steps_file = tmp_path / "steps.json"
    assert in_child(partial(take_in, world, 0, steps_file)) == 0
    expected = picture(world)
    assert [len(expected[name]) for name in PICTURE] == [3, 3, 1, 3, 3]
    assert expected["attendance"] == ["done/good.csv", "failed/stray.csv", "failed/stray.csv.txt"]
    steps = json.loads(steps_file.read_text())
    assert {"sql INSERT", "sql COMMIT", "os.link", "os.remove", "os.fsync"} <= set(steps)

    for number in range(1, len(steps) + 1):
        put_back(world, kept)
        world.database_url = clone_database(before)
        assert in_child(partial(take_in, world, number, None)) == -signal.SIGKILL, steps[number - 1]
        assert in_child(partial(take_in, world, 0, None)) == 0
        found = picture(world)
        for name in expected:
            assert found[name] == expected[name], (
                f"{name}: killed at step {number} of {len(steps)}, {steps[number - 1]}"
            )


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_several_processes_at_once_take_each_file_in_once(
    kind: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    world = MeetingWorld(tmp_path / "syncd", new_database(kind))
    prepared(world)
    for number in range(20):
        world.drop("calls", f"{number}.csv", MASTER)
        world.drop(
            "attendance", f"{number}.csv", report(end=f"11/23/26, 10:51:{number:02} AM")
        )  # 0 is good.csv
    for name in DROPPED:
        world.more = world.more.replace(f'"{name}"', f'"{world.folder / name}"')
    # Each writes its config.
    worlds = [replace(world, folder=tmp_path / f"process-{number}") for number in range(3)]
    assert at_once([partial(take_in, one, 0, None) for one in worlds]) == [0, 0, 0]
    assert len(world.activities()) == 3
    assert len(world.forms()) == 3
    assert world.one("SELECT count(*) FROM meeting_evidence") == 20
    done = [f"done/{number}.csv" for number in range(20)]
    assert world.lying("calls") == sorted([*done, "done/Master.csv"])
    assert world.lying("attendance") == sorted(
        [*done, "done/good.csv", "failed/stray.csv", "failed/stray.csv.txt"]
    )


def take_in(world: MeetingWorld, kill_at: int, steps_file: Path | None) -> None:
    """What the service does each minute, in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    dropping = world.open().dropping
    dropping.look()
    steps.watch()
    dropping.run(OVER)
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))


def put_back(world: MeetingWorld, kept: Path) -> None:
    for name in DROPPED:
        shutil.rmtree(world.folder / name)
        shutil.copytree(kept / name, world.folder / name)


def picture(world: MeetingWorld) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {name: list(rows) for name, rows in world.tables(PICTURE).items()}
    return found | {name: list(world.lying(name)) for name in DROPPED}
