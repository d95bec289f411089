"""The tests keep their files in memory, where the machine has enough of it.

A commit of SQLite waits for the disk, for milliseconds, and the tests make a few hundred thousand commits.
What is there is the same to every program; it is only sooner there. What is tested for being safe against a
power failure is tested by the calls that are made, never by pulling a plug.
"""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

MEMORY = Path("/dev/shm")
ENOUGH = 6 << 30  # octets; a whole run needs less than half of it
NAMED = "syncd-tests-"
_ours: Path | None = None


def pytest_configure() -> None:
    """In the controller, before anything asks for a folder; workers inherit it."""
    global _ours  # noqa: PLW0603 - one a process
    if "PYTEST_XDIST_WORKER" in os.environ or "TMPDIR" in os.environ or not _roomy():
        return
    _sweep()
    _ours = MEMORY / f"{NAMED}{os.getpid()}"
    _ours.mkdir(mode=0o755)  # servers run as users of their own
    os.environ["TMPDIR"] = str(_ours)
    tempfile.tempdir = None  # asked for anew


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Gives the memory back."""
    if _ours is not None:
        os.environ.pop("TMPDIR", None)
        shutil.rmtree(_ours, ignore_errors=True)


def _roomy() -> bool:
    """Whether programs can be run from there, and it holds all that a run leaves."""
    try:
        about = os.statvfs(MEMORY)
    except OSError:
        return False
    free = about.f_bavail * about.f_frsize
    return not about.f_flag & os.ST_NOEXEC and min(free, _available()) >= ENOUGH


def _available() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _sweep() -> None:
    """What a run left that was killed."""
    for left in MEMORY.glob(f"{NAMED}*"):
        if not Path("/proc", left.name.removeprefix(NAMED)).exists():
            shutil.rmtree(left, ignore_errors=True)
