"""Killed at every step of the nightly look: what a change of status has to bring is there once."""

import json
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.crash.steps import Steps, in_child
from tests.integration.test_status_rules import EVENTS, JANUARY, RULES, TASKS, fill
from tests.servers.databases import NewDatabase
from tests.servers.office import Office

PICTURE = {
    "tasks": TASKS,
    "events": EVENTS,
    "history": 'SELECT account_id, "from", "to" FROM account_status_history ORDER BY id',
    "status": "SELECT ext_id, status FROM account ORDER BY id",
    "audit": "SELECT actor, entity FROM audit_log WHERE channel = 'JOB' ORDER BY id",
    "day": "SELECT day FROM account_status_pass",
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_any_step_of_the_look_makes_nothing_twice_and_leaves_nothing_out(
    kind: str, new_database: NewDatabase, clone_database: Callable[[str], str], tmp_path: Path
) -> None:
    office = Office(tmp_path / "syncd", new_database(kind), more=RULES)
    fill(office)
    before = office.database_url
    steps_file = tmp_path / "steps.json"
    office.database_url = clone_database(before)
    assert in_child(partial(look, office, 0, steps_file)) == 0
    steps: list[str] = json.loads(steps_file.read_text())
    assert {"sql INSERT", "sql UPDATE", "sql COMMIT"} <= set(steps)
    expected = picture(office)
    assert (len(expected["tasks"]), len(expected["events"])) == (2, 3)
    for number in range(1, len(steps) + 1):
        office.database_url = clone_database(before)
        where = f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        assert in_child(partial(look, office, number, None)) == -signal.SIGKILL, where
        for _ in range(2):
            assert in_child(partial(look, office, 0, None)) == 0
        assert picture(office) == expected, where


def picture(office: Office) -> dict[str, list[tuple[object, ...]]]:
    return {name: office.rows(sql) for name, sql in PICTURE.items()}


def look(office: Office, kill_at: int, steps_file: Path | None) -> None:
    """The nightly look of a January day, account by account, in a process of its own."""
    from syncd.daemon.wiring import Installation
    from syncd.engine import statuses

    statuses.CHUNK = 1  # this process only
    installation = Installation.open(office.write_config())
    steps = Steps(office.folder, kill_at)
    steps.watch()
    installation.statuses.run(JANUARY)
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
