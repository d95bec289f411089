"""The command line as a person uses it: in this process, which is quick, or as the program itself."""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import time_machine

from syncd.cli import main


@dataclass(frozen=True)
class Outcome:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The answer as a program reads it."""
        return json.loads(self.out)


def console(config: Path | None, *arguments: str, at: datetime | None = None) -> Outcome:
    """Runs `syncd --config CONFIG ARGUMENTS` in this process, or without --config; at this moment, if any."""
    before = [] if config is None else ["--config", str(config)]
    printed = io.BytesIO()  # also what is no text: a workbook
    out, err = io.TextIOWrapper(printed, "utf-8", write_through=True), io.StringIO()
    clock = nullcontext() if at is None else time_machine.travel(at)
    with redirect_stdout(out), redirect_stderr(err), _own_log(), clock:
        code = main.run([*before, *arguments])
    return Outcome(code, printed.getvalue().decode("utf-8", "replace"), err.getvalue())


def program(*arguments: str, cwd: Path, stdin: bytes = b"", **environ: str) -> Outcome:
    """Runs the program `syncd` in a process of its own, never in a terminal."""
    kept = {name: value for name, value in os.environ.items() if name != "SYNCD_CONFIG"}
    done = subprocess.run(
        [sys.executable, "-m", "syncd", *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
        cwd=cwd,
        env={**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1", **environ},
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


@contextmanager
def _own_log() -> Iterator[None]:
    """Whatever the command does to logging ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
