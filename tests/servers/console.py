"""The command line as a person uses it: the real program in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def console(config: Path | None, *arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> Outcome:
    """Runs `syncd --config CONFIG ARGUMENTS`; never through a terminal."""
    before = [] if config is None else ["--config", str(config)]
    environ = {name: value for name, value in os.environ.items() if name != "SYNCD_CONFIG"}
    done = subprocess.run(
        [sys.executable, "-m", "syncd", *before, *arguments],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=120,
        cwd=cwd,
        env={**environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUTF8": "1"},
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
