"""Kills a cycle of calendars at one of its steps after the other and compares with an uninterrupted run."""

import json
import shutil
import signal
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from syncd.daemon.wiring import Installation
from tests.crash.steps import Steps, in_child

Picture = Mapping[str, list[tuple[object, ...]]]


class World(Protocol):
    """An installation with its servers, as the tests of calendars have them."""

    folder: Path
    now: datetime

    def open(self) -> Installation: ...


W = TypeVar("W", bound=World)


def kill_at_every_step(
    again: Callable[[str], W],
    picture: Callable[[W], Picture],
    folder: Path,
    *,
    every: int = 1,
    later: timedelta = timedelta(),
) -> list[str]:
    """Fails where a cycle that was killed, and two more after it, leave another picture than two undisturbed
    ones. `again` gives the world as it was before the cycle; `every` step, or each so manieth one, in turn:
    those of a write and its answer are always among them. The cycles after a kill are so much `later`.
    Returns the names of all steps."""
    undisturbed = again("undisturbed")
    steps_file = folder / "steps.json"
    assert in_child(partial(cycle, undisturbed, 0, steps_file)) == 0
    assert in_child(partial(cycle, undisturbed, 0, None)) == 0
    expected = picture(undisturbed)
    steps: list[str] = json.loads(steps_file.read_text())
    for number in range(1, len(steps) + 1):
        if number % every and not is_of_a_write(steps, number):
            continue
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


def is_of_a_write(steps: list[str], number: int) -> bool:
    """Whether it is a request that writes at a server, or the answer to one."""
    step, before = steps[number - 1], steps[number - 2] if number > 1 else ""
    return is_write(step) or (step.endswith(" answered") and is_write(before))


def is_write(step: str) -> bool:
    """Whether a server is asked to change something."""
    return step in {"dav PUT", "dav DELETE", "ews CreateItem", "ews UpdateItem", "ews DeleteItem"}


def cycle(world: World, kill_at: int, steps_file: Path | None) -> None:
    """One cycle, in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    installation.supervisor.run("claire", lambda: world.now)
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
