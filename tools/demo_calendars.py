"""The calendars of the demo: a private CalDAV server, and Claire's own calendar client.

The server is Radicale, on loopback, with the passwords of the demo; it ends with it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.servers.dovecot import Account
from tests.servers.plain_dav import PlainDav
from tests.servers.radicale import RadicaleServer

RESOURCE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Calendar client//FR
BEGIN:VEVENT
UID:{uid}
DTSTAMP:{stamp}
DTSTART;TZID=Europe/Paris:{start}
DTEND;TZID=Europe/Paris:{end}
SUMMARY:{subject}
DESCRIPTION:{notes}
X-CLIENT-COLOUR:turquoise
END:VEVENT
END:VCALENDAR
"""


@dataclass
class Client:
    """A user's calendar client, as plain as can be."""

    dav: PlainDav
    calendar: str

    def write(self, uid: str, subject: str, start: datetime, notes: str) -> str:
        """Makes an event of one hour; returns its path."""
        text = RESOURCE.format(
            uid=uid,
            stamp=f"{start:%Y%m%dT%H%M%SZ}",
            start=f"{start:%Y%m%dT%H%M%S}",
            end=f"{start + timedelta(hours=1):%Y%m%dT%H%M%S}",
            subject=subject,
            notes=notes.replace("\n", "\\n"),
        )
        path = f"{self.calendar}{uid}.ics"
        self.dav.put(path, text.replace("\n", "\r\n").encode())
        return path

    def edit(self, path: str, change: Callable[[str], str]) -> None:
        """Changes the text of an item."""
        self.dav.put(path, change(self.text(path)).replace("\n", "\r\n").encode())

    def text(self, path: str) -> str:
        """An item, line by line."""
        return (self.dav.get(path) or b"").decode().replace("\r\n ", "").replace("\r\n", "\n")

    def items(self) -> list[str]:
        """The paths of all items."""
        return sorted(self.dav.members(self.calendar))


def serve(folder: Path, passwords: dict[str, str], port: int = 0) -> RadicaleServer:
    """The server, not yet started, with these users. What it holds stays in `folder`."""
    server = RadicaleServer(folder, port)
    for login, password in passwords.items():
        server.add_user(login, password)
    return server


def client(server: RadicaleServer, login: str, password: str, name: str) -> Client:
    """The client of a user, with a new calendar."""
    account = Account(login, password)
    dav = server.as_other_client(account)
    return Client(dav, dav.make_calendar(server.home(account), name))


def lines(text: str, *names: str) -> str:
    """Some properties of the event of an item, as they stand there."""
    event = text.partition("BEGIN:VEVENT\n")[2].partition("BEGIN:VALARM")[0]
    wanted = [line for line in event.split("\n") if line.split(":")[0].split(";")[0] in names]
    return "\n".join(f"    {line}" for line in wanted)
