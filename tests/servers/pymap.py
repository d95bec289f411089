"""A private pymap, the second real IMAP server of the tests: in memory, one user, hardly any extension."""

import imaplib
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from types import TracebackType

from tests.servers.dovecot import Account
from tests.servers.ports import end, free_port, listening, wait_until


class PymapServer:
    """Starts on entering, ends on leaving; clear text on loopback."""

    host = "127.0.0.1"

    def __init__(self) -> None:
        self.port = 0
        self.account = Account("demo", secrets.token_urlsafe(16))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "PymapServer":
        for _attempt in range(5):  # somebody may take a free port before pymap does
            self.port = free_port()
            self._launch()
            try:
                wait_until(self._ready, "pymap accepts connections", 30)
            except RuntimeError:
                continue
            return self
        raise RuntimeError("pymap did not start")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            end(self._process)

    def deliver(
        self,
        folder: str,
        raw: bytes,
        *,
        internaldate: datetime | None = None,
        flags: Iterable[str] = (),
    ) -> None:
        """Puts a message into the folder, which is made where it is missing."""
        with self.as_other_client() as other:
            other.create(folder)
            when = imaplib.Time2Internaldate(internaldate) if internaldate else ""
            status, _ = other.append(folder, " ".join(flags), when, raw)
            assert status == "OK"

    def as_other_client(self) -> imaplib.IMAP4:
        """A connection of another mail client, logged in."""
        other = imaplib.IMAP4(self.host, self.port, timeout=10)
        other.login(self.account.username, self.account.password)
        return other

    def _launch(self) -> None:
        program = Path(sys.executable).with_name("pymap")
        user, password = self.account.username, self.account.password
        self._process = subprocess.Popen(
            [
                *(str(program), "--host", self.host, "--port", str(self.port), "--no-tls"),
                *("dict", f"--demo-user={user}", f"--demo-password={password}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
        )

    def _ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError("it ended by itself")
        return listening(self.port)
