"""A private DavMail: an IMAP and CalDAV server in front of the EWS server, a client of it by other hands."""

import imaplib
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from tests.servers.ews.server import EwsServer
from tests.servers.ports import end, free_port, listening, wait_until

PROGRAM = "davmail-server"


class DavMail:
    """Starts on entering, ends on leaving; clear text on loopback."""

    def __init__(self, server: EwsServer) -> None:
        self._url = server.url
        self._folder = tempfile.TemporaryDirectory(prefix="davmail-")
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._caldav_port = 0

    @staticmethod
    def available() -> bool:
        """Whether the program is installed."""
        return shutil.which(PROGRAM) is not None

    def __enter__(self) -> "DavMail":
        for _attempt in range(5):  # somebody may take a free port before DavMail does
            self.port, self._caldav_port = free_port(), free_port()
            self._launch()
            try:
                wait_until(self._ready, "DavMail accepts connections", 60)
            except RuntimeError:
                continue
            return self
        raise RuntimeError(f"DavMail did not start: {self._log()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            end(self._process)
        self._folder.cleanup()

    def calendar(self, address: str) -> str:
        """The URL of a mailbox's calendar over CalDAV."""
        return f"http://127.0.0.1:{self._caldav_port}/users/{address}/calendar/"

    def login(self, address: str, password: str) -> imaplib.IMAP4:
        """A mail client's connection."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=60)
        client.login(address, password)
        return client

    def _launch(self) -> None:
        config = Path(self._folder.name) / "davmail.properties"
        settings = {
            "davmail.server": "true",
            "davmail.mode": "EWS",
            "davmail.url": self._url,
            "davmail.imapPort": str(self.port),
            "davmail.bindAddress": "127.0.0.1",
            "davmail.disableUpdateCheck": "true",
            "davmail.logFilePath": f"{self._folder.name}/davmail.log",
            "davmail.caldavPort": str(self._caldav_port),
            **{f"davmail.{name}Port": "" for name in ("ldap", "pop", "smtp")},
        }
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        with (Path(self._folder.name) / "out").open("wb") as out:
            self._process = subprocess.Popen(
                [PROGRAM, str(config)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=self._folder.name,
            )

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"DavMail ended by itself: {self._log()}")
        return listening(self.port) and listening(self._caldav_port)

    def _log(self) -> str:
        return (Path(self._folder.name) / "out").read_text(errors="replace")[-2000:]
