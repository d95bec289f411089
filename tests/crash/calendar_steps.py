"""Kills a cycle of calendars at one of its steps after the other and compares with an uninterrupted run."""

import json
import shutil
import signal
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from tests.crash.steps import Installed, Steps, in_child, ready, telling

Picture = Mapping[str, list[tuple[object, ...]]]


W = TypeVar("W", bound=Installed)


def kill_at_every_step(
    again: Callable[[str], W],
    picture: Callable[[W], Picture],
    folder: Path,
    *,
    every: bool = True,
    later: timedelta = timedelta(),
) -> list[str]:
    """Fails where a cycle that was killed, and two more after it, leave another picture than two undisturbed
    ones. `again` gives the world as it was before the cycle; `every` step in turn, or only those that leave
    another world than the one before (`steps.telling`). The cycles after a kill are so much `later`.
    Returns the names of all steps."""
    warm = again("warm")
    ready(warm)
    shutil.rmtree(warm.folder)
    undisturbed = again("undisturbed")
    steps_file = folder / "steps.json"
    assert in_child(partial(cycle, undisturbed, 0, steps_file)) == 0
    assert in_child(partial(cycle, undisturbed, 0, None)) == 0
    expected = picture(undisturbed)
    steps: list[str] = json.loads(steps_file.read_text())
    for number in range(1, len(steps) + 1) if every else telling(steps):
        killed = again("killed")
        assert in_child(partial(cycle, killed, number, None)) == -signal.SIGKILL, steps[number - 1]
        killed.now += later
        for _ in range(2):
            assert in_child(partial(cycle, killed, 0, None)) == 0
        found = picture(killed)
        for name in expected:
            where = f"{name}: killed at step {number} of {len(steps)}, {steps[number - 1]}"
            assert found[name] == expected[name], where
        shutil.rmtree(killed.folder)
    return steps


def cycle(world: Installed, kill_at: int, steps_file: Path | None) -> None:
    """One cycle, in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    installation.supervisor.run("claire", lambda: world.now)
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
