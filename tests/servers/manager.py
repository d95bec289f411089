"""A service manager for the tests: starts `syncd run` as systemd does and hears what it says.

sd_notify(3): datagrams to a socket that the environment names, one or more `NAME=value` lines each.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

from tests.servers.ports import end, wait_until

ROOT = Path(__file__).parents[2]

# PR_SET_MDWE with PR_MDWE_REFUSE_EXEC_GAIN is the kernel's own MemoryDenyWriteExecute=yes (Linux 6.3). An
# older kernel refuses the call and the service starts without it.
_SYNCD = "from syncd.cli.main import main; main()"
_HARDENED = (
    "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


class ServiceManager:
    """A context manager: entering starts the service, leaving ends it."""

    def __init__(
        self, config: Path, *, watchdog: float | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        self._config = config
        self._watchdog = watchdog
        self._environ = environ or {}
        self._folder = Path(tempfile.mkdtemp(prefix="syncd-notify-"))
        self._lock = threading.Lock()
        self._heard: list[str] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: str | None = None  # the log, once its file is gone

    def __enter__(self) -> "ServiceManager":
        address = self._folder / "notify"
        self._socket.bind(str(address))
        self._listener.start()
        environ = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        environ |= {"NOTIFY_SOCKET": str(address), "PYTHONPATH": str(ROOT), **self._environ}
        if self._watchdog is not None:
            environ["WATCHDOG_USEC"] = str(int(self._watchdog * 1e6))
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-c", _HARDENED),
                    *(sys.executable, "-c", _SYNCD, "--config", str(self._config), "run"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                cwd="/",
                env=environ,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            end(self._process)
        self._socket.shutdown(socket.SHUT_RDWR)
        self._listener.join(5)
        self._socket.close()
        self._ended = self._text()
        shutil.rmtree(self._folder)

    @property
    def heard(self) -> list[str]:
        """Every `NAME=value` so far, in order."""
        with self._lock:
            return list(self._heard)

    @property
    def running(self) -> bool:
        """Whether the service has not ended."""
        return self._process is not None and self._process.poll() is None

    def log(self) -> list[dict[str, object]]:
        """The lines of its log."""
        return [json.loads(line) for line in self._text().splitlines()]

    def logged(self, action: str) -> list[str]:
        """What its log says of one action."""
        return [str(line["event"]) for line in self.log() if line["action"] == action]

    def await_state(self, state: str, times: int = 1, seconds: float = 30.0) -> None:
        """Returns once the service has said it that often."""
        self.await_that(lambda: self.heard.count(state) >= times, f"{state}, {times} times", seconds)

    def await_that(self, condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
        """Returns once the condition holds; raises with the service's log where it ends before."""

        def reached() -> bool:
            if condition():
                return True
            if not self.running:
                raise RuntimeError(f"the service ended before {what}: {self._text()}")
            return False

        wait_until(reached, what, seconds)

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def exit_code(self, seconds: float = 30.0) -> int:
        """Waits for its end."""
        assert self._process is not None
        return self._process.wait(seconds)

    def _text(self) -> str:
        return self._log.read_text("utf-8") if self._ended is None else self._ended

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _listen(self) -> None:
        while datagram := self._socket.recv(4096):
            with self._lock:
                self._heard += datagram.decode().splitlines()
