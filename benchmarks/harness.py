"""What every scenario measures with: a child's cost, medians of interleaved repetitions, verdicts.

Nothing here knows the product.
"""

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)

METER = Path(__file__).with_name("meter.py")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process cost."""

    wall: float  # seconds
    user: float  # seconds of CPU in the program itself, with the children it waited for
    system: float  # seconds of CPU in the kernel on its behalf
    peak: int  # octets of resident memory at most; 0 where only a part of a process was measured

    @property
    def cpu(self) -> float:
        """Seconds of CPU in all."""
        return self.user + self.system


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value and what it is held against."""

    name: str
    value: float
    unit: str
    limit: float | None = None  # passes at or below; None = for information
    stretch: float | None = None  # the better value we aim for
    cpu: float | None = None  # the same by CPU time, in the same unit: a busy machine disturbs it less

    @property
    def passed(self) -> bool:
        """Whether the limit holds; true where there is none."""
        return self.limit is None or self.value <= self.limit


class CommandFailed(Exception):
    """A measured command ended with an error; its figures would mean nothing."""


class WrongResult(Exception):
    """The product was measured while doing something else than it should."""


def measure(command: Sequence[str | Path], *, seconds: int = 300) -> Usage:
    """Runs the command to its end and returns its cost.

    Its output is discarded unless it fails: CommandFailed then quotes the end of it. It is killed after
    that many seconds.
    """
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as scratch:
        report, output = Path(scratch) / "report.json", Path(scratch) / "output"
        with output.open("wb") as sink:
            done = subprocess.run(
                [sys.executable, "-I", "-S", METER, report, str(seconds), *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            said = output.read_text(errors="replace")[-2000:]
            raise CommandFailed(f"{' '.join(map(str, command))} ended with {done.returncode}: {said}")
        facts = json.loads(report.read_text(encoding="ascii"))
        return Usage(wall=facts["wall"], user=facts["user"], system=facts["system"], peak=facts["peak"])


def timed(action: Callable[[], object]) -> Usage:
    """Runs the action in this process and returns what all its threads cost together."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.perf_counter()
    action()
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(wall, after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime, peak=0)


def interleaved(
    runs: Mapping[Name, Callable[[], Usage]], *, repetitions: int = 3, warm_up: bool = True
) -> dict[Name, Usage]:
    """The medians of each run, taken in turns (A, B, A, B, …) so that a busy minute hits all alike.

    With `warm_up` each runs once before that and is not counted: the server's caches are then as full
    for the first as for the last.
    """
    taken: dict[Name, list[Usage]] = {name: [] for name in runs}
    for repetition in range(-1 if warm_up else 0, repetitions):
        for name, run in runs.items():
            usage = run()
            if repetition >= 0:
                taken[name].append(usage)
    return {name: median(usages) for name, usages in taken.items()}


def median(usages: Sequence[Usage]) -> Usage:
    """The median of each cost by itself."""
    return Usage(
        wall=statistics.median(usage.wall for usage in usages),
        user=statistics.median(usage.user for usage in usages),
        system=statistics.median(usage.system for usage in usages),
        peak=int(statistics.median(usage.peak for usage in usages)),
    )


def empty_files(directory: Path) -> None:
    """Gives back the space of every file below the directory, and leaves the files.

    Removing them would slow whatever creates files next: see `benchmarks.mbsync`.
    """
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.truncate(path, 0)


def machine() -> dict[str, str]:
    """Facts of the machine without which the seconds mean nothing."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "CPUs": str(len(os.sched_getaffinity(0))),
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
    }
