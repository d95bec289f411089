"""A private Xandikos of the tests, the second real CalDAV server: one user, no login, on loopback."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.servers.plain_dav import PlainDav
from tests.servers.ports import end, free_port, listening, wait_until


class XandikosServer:
    """Starts with `start()`, ends with `close()`; a context manager does both."""

    host = "127.0.0.1"
    home = "/user/calendars/"

    def __init__(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="syncd-xandikos-"))
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "XandikosServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The root of the server."""
        return f"http://{self.host}:{self.port}/"

    def start(self) -> None:
        """Returns once the port accepts connections. A server started again keeps its port."""
        known = bool(self.port)
        for _attempt in range(5):  # somebody may take a free port before Xandikos does
            self.port = self.port if known else free_port()
            self._launch()
            try:
                wait_until(self._ready, "Xandikos accepts connections", 30)
            except (TimeoutError, RuntimeError):
                self.stop()
            else:
                return
        raise RuntimeError(f"Xandikos did not start: {self.log()}")

    def stop(self) -> None:
        """Ends the server; its calendars stay, for another `start()`."""
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

    def as_other_client(self) -> PlainDav:
        """Another client of the user."""
        return PlainDav(self.port)

    def _launch(self) -> None:
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "xandikos", "serve", "--no-detect-systemd", "--autocreate"),
                    *("-d", str(self.base / "data"), "--state-dir", str(self.base / "state")),
                    *("-l", self.host, "-p", str(self.port)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.base,
            )

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("it ended by itself")
        return listening(self.port)
