"""A private Radicale of the tests: a CalDAV server with users and passwords, on loopback, in clear text."""

import secrets
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from passlib.hash import apr_md5_crypt

from tests.servers.dovecot import Account
from tests.servers.plain_dav import PlainDav
from tests.servers.ports import end, free_port, listening, wait_until


class RadicaleServer:
    """Starts with `start()`, ends with `close()`; a context manager does both."""

    host = "127.0.0.1"

    def __init__(self, base: Path | None = None, port: int = 0, *, hashed: bool = False) -> None:
        """Keeps its files in `base` (a temporary folder), and listens on `port` (any that is free).

        `hashed` keeps no password in clear; checking one takes a moment then.
        """
        self._hashed = hashed
        self.base = base or Path(tempfile.mkdtemp(prefix="syncd-radicale-"))
        self.base.mkdir(parents=True, exist_ok=True)
        self.port = port
        self._users: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    def __enter__(self) -> "RadicaleServer":
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
        for _attempt in range(5):  # somebody may take a free port before Radicale does
            self.port = self.port if known else free_port()
            self._launch()
            try:
                wait_until(self._ready, "Radicale accepts connections", 30)
            except (TimeoutError, RuntimeError):
                self.stop()
            else:
                return
        raise RuntimeError(f"Radicale did not start: {self.log()}")

    def stop(self) -> None:
        """Ends the server; its users and their calendars stay, for another `start()`."""
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

    def add_user(self, name: str | None = None, password: str | None = None) -> Account:
        """A new user; the name and the password are random unless given."""
        account = Account(name or f"user-{secrets.token_hex(4)}", password or secrets.token_urlsafe(16))
        self._users[account.username] = account.password
        self._write()
        return account

    def as_other_client(self, account: Account) -> PlainDav:
        """Another client of that user."""
        return PlainDav(self.port, account)

    def home(self, account: Account) -> str:
        """The path that the user's calendars are below."""
        return f"/{account.username}/"

    def _write(self) -> None:
        # Read by Radicale at each login, so never half written.
        fresh = self.base / "users.new"
        kept = {
            name: apr_md5_crypt.hash(word) if self._hashed else word for name, word in self._users.items()
        }
        fresh.write_text("".join(f"{name}:{word}\n" for name, word in kept.items()))
        fresh.rename(self.base / "users")

    def _launch(self) -> None:
        options = {
            "server-hosts": f"{self.host}:{self.port}",
            "auth-type": "htpasswd",
            "auth-htpasswd-filename": str(self.base / "users"),
            "auth-htpasswd-encryption": "md5" if self._hashed else "plain",
            "auth-delay": "0",
            "rights-type": "owner_only",
            "storage-filesystem-folder": str(self.base / "collections"),
            "logging-level": "warning",
        }
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "radicale", "--config", ""),
                    *(f"--{name}={value}" for name, value in options.items()),
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
