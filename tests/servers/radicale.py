"""A private Radicale of the tests: a CalDAV server with users and passwords, on loopback, in clear text."""

import re
import secrets
import sys
from pathlib import Path

from passlib.hash import apr_md5_crypt

from tests.servers.dovecot import Account
from tests.servers.plain_dav import PlainDav
from tests.servers.started import StartedServer


class RadicaleServer(StartedServer):
    """See `StartedServer`."""

    name = "Radicale"

    def __init__(self, base: Path | None = None, port: int = 0, *, hashed: bool = False) -> None:
        """`hashed` keeps no password in clear; checking one takes a moment then."""
        super().__init__(base, port)
        self._hashed = hashed
        self._users: dict[str, str] = {}
        self._write()

    def command(self) -> list[str]:
        options = {
            "server-hosts": f"{self.host}:{self.port}",
            "auth-type": "htpasswd",
            "auth-htpasswd-filename": str(self.base / "users"),
            "auth-htpasswd-encryption": "md5" if self._hashed else "plain",
            "auth-delay": "0",
            "rights-type": "from_file" if self._rights.exists() else "owner_only",
            "rights-file": str(self._rights),
            "storage-filesystem-folder": str(self.base / "collections"),
            "logging-level": "warning",
        }
        return [
            *(sys.executable, "-m", "radicale", "--config", ""),
            *(f"--{name}={value}" for name, value in options.items()),
        ]

    @property
    def _rights(self) -> Path:
        return self.base / "rights"

    def forbid_writing(self, path: str) -> None:
        """From now on its owner may only read the calendar at that path. Starts the server anew."""
        sections = {
            "readable": (".+", re.escape(path.strip("/")) + "(/.*)?", "Rr"),
            "root": (".+", "", "R"),
            "owner": (".+", "{user}(/.*)?", "RrWw"),
        }
        text = "".join(
            f"[{name}]\nuser: {user}\ncollection: {where}\npermissions: {may}\n"
            for name, (user, where, may) in sections.items()
        )
        self._rights.write_text(text)
        self.stop()
        self.start()

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
