"""The calendars of the demo: a private CalDAV server, and Claire's own calendar client.

The server is Radicale, on loopback, with the passwords of the demo; it ends with it.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

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


class Shell(Protocol):
    """Runs commands as a person would."""

    def syncd(self, *arguments: str) -> None:
        """Runs a command and shows what it prints."""
        ...

    def ask(self, *arguments: str) -> str:
        """What a command prints."""
        ...


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
    server = RadicaleServer(folder, port, hashed=True)
    for login, password in passwords.items():
        server.add_user(login, password)
    return server


def client(server: RadicaleServer, login: str, password: str, name: str) -> Client:
    """The client of a user, with a new calendar."""
    account = Account(login, password)
    dav = server.as_other_client(account)
    return Client(dav, dav.make_calendar(server.home(account), name))


def lines(text: str, *names: str, kind: str = "VEVENT") -> str:
    """Some properties of the event, or of the task, of an item, as they stand there."""
    event = text.partition(f"BEGIN:{kind}\n")[2].partition("BEGIN:VALARM")[0]
    wanted = [line for line in event.split("\n") if line.split(":")[0].split(";")[0] in names]
    return "\n".join(f"    {line}" for line in wanted)


def meetings(demo: Shell, agenda: Client, tell: Callable[[str, str], None]) -> None:
    """Calendars: each way, a merge, a conflict taken back, an undo."""
    day = (datetime.now(UTC) + timedelta(days=7)).replace(hour=9, minute=0, second=0, microsecond=0)
    tell(
        "7. An event travels each way",
        "Claire has put a meeting into her calendar, with whatever client she likes. Another one is made in\n"
        "the CRM, for the Garage Martin.",
    )
    path = agenda.write("demo-1@client.example", "Point chantier", day, "Apporter les plans\nSalle A")
    before = set(agenda.items())
    demo.syncd(
        *("event", "add", "--as", "claire", "--subject", "Visite de l'atelier", "--type", "visit"),
        *("--start", f"{day + timedelta(days=1):%Y-%m-%d} 14:30", "--account", "Garage Martin"),
    )
    demo.syncd("sync", "claire")
    demo.syncd("list", "events")
    (made,) = set(agenda.items()) - before
    print("\nIn Claire's calendar there is now:")
    print(lines(agenda.text(made), "SUMMARY", "DTSTART", "LOCATION", "CATEGORIES", "DESCRIPTION"))
    tell(
        "8. Both sides change it, and both changes stand",
        "Claire moves the meeting by two hours in her client and changes a line of its notes; in the CRM\n"
        "the other line and the place are changed.",
    )
    number = event_of(demo, "Point chantier")
    hour = f"T{day:%H}0000"
    agenda.edit(
        path,
        lambda text: (
            text.replace(hour, f"T{day.hour + 2:02}0000")
            .replace(f"T{day.hour + 1:02}0000", f"T{day.hour + 3:02}0000")
            .replace("Apporter les plans", "Apporter les plans signés")
        ),
    )
    demo.syncd("event", "edit", number, "--location", "Lyon", "--notes", "Apporter les plans\nSalle B")
    demo.syncd("sync", "claire", "--dry-run")
    demo.syncd("sync", "claire")
    print("\nIn Claire's calendar, what her client alone knows is untouched:")
    names = ("SUMMARY", "DTSTART", "LOCATION", "DESCRIPTION", "X-CLIENT-COLOUR")
    print(lines(agenda.text(path), *names))
    tell(
        "9. Both sides change the same",
        "By default what the user sees in the own client wins. What lost is kept, and can be taken back.",
    )
    agenda.edit(path, lambda text: text.replace("SUMMARY:Point chantier", "SUMMARY:Point chantier (Claire)"))
    demo.syncd("event", "edit", number, "--subject", "Réunion de chantier")
    demo.syncd("sync", "claire")
    demo.syncd("conflicts")
    (conflict,) = json.loads(demo.ask("conflicts", "--json"))
    demo.syncd("conflicts", "take", str(conflict["id"]), "crm")
    demo.syncd("sync", "claire")
    print(lines(agenda.text(path), "SUMMARY"))
    tell("10. Why it is as it is, and back to what it was before the last cycle", "")
    demo.syncd("explain", f"event:{number}")
    (run_,) = {
        one["run"] for one in json.loads(demo.ask("explain", f"event:{number}", "--json"))["decisions"][:1]
    }
    demo.syncd("undo", run_)
    demo.syncd("sync", "claire")
    print(lines(agenda.text(path), "SUMMARY"))


def event_of(demo: Shell, subject: str) -> str:
    """The id of an event of the CRM."""
    rows = json.loads(demo.ask("list", "events", "--json"))["rows"]
    (found,) = {str(one["id"]) for one in rows if one["subject"] == subject}
    return found
