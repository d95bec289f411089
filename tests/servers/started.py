"""A server program of the tests, on one port of the loopback interface: begun, ended, begun again."""

import shutil
import subprocess
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.ports import end, free_port, listening, wait_until

TRIES = 5  # somebody may take a free port before the program does


class StartedServer(ABC):
    """Starts with `start()`, ends with `close()`; a context manager does both."""

    name: str  # what its messages call it
    host = "127.0.0.1"

    def __init__(self, base: Path | None = None, port: int = 0) -> None:
        """Keeps its files in `base` (a temporary folder), and listens on `port` (any that is free)."""
        self.base = base or Path(tempfile.mkdtemp(prefix=f"syncd-{self.name.lower()}-"))
        self.base.mkdir(parents=True, exist_ok=True)
        self.port = port
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The root of the server."""
        return f"http://{self.host}:{self.port}/"

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments, for the port that it is to listen on."""

    def start(self) -> None:
        """Returns once the port accepts connections. A server started again keeps its port."""
        known = bool(self.port)
        for _attempt in range(TRIES):
            self.port = self.port if known else free_port()
            self._launch()
            try:
                wait_until(self._ready, f"{self.name} accepts connections", 30)
            except (TimeoutError, RuntimeError):
                self.stop()
            else:
                return
        raise RuntimeError(f"{self.name} did not start: {self.log()}")

    def stop(self) -> None:
        """Ends the server; what it holds stays, for another `start()`."""
        if self._process is not None:
            end(self._process)
            self._process = None

    def close(self) -> None:
        """Ends the server and removes everything it had."""
        self.stop()
        shutil.rmtree(self.base, ignore_errors=True)

    def log(self) -> str:
        """What the server wrote down, for a test that failed."""
        path = self.base / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _launch(self) -> None:
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.base
            )

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("it ended by itself")
        return listening(self.port)
