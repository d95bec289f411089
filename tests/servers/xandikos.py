"""A private Xandikos of the tests, the second real CalDAV server: one user, no login, on loopback."""

import sys

from tests.servers.plain_dav import PlainDav
from tests.servers.started import StartedServer


class XandikosServer(StartedServer):
    """See `StartedServer`."""

    name = "Xandikos"
    home = "/user/calendars/"

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "xandikos", "serve", "--no-detect-systemd", "--autocreate"),
            *("-d", str(self.base / "data"), "--state-dir", str(self.base / "state")),
            *("-l", self.host, "-p", str(self.port)),
        ]

    def as_other_client(self) -> PlainDav:
        """Another client of the user."""
        return PlainDav(self.port)
