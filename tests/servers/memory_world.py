"""A small company whose calendars are in memory, on servers that would mail: whom they would is counted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from connectors.protocol import CalendarConnector
from connectors.scheduling import Mailed
from connectors.testing_calendar import MemoryCalendar, MemoryCalendarConnector
from store import brakes
from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.servers.crm import NOW, Crm
from tests.servers.desk import Desk

CALENDAR = "/calendar/"


class InMemory(Installation):
    """The service, with another edge."""

    servers: Mapping[str, MemoryCalendar]
    moment: datetime

    def connect_calendars(self, name: str) -> CalendarConnector:
        return MemoryCalendarConnector(self.servers[name], clock=lambda: self.moment)

    def close(self) -> None:
        """Stays open for the next cycle, as the daemon's does."""

    def end(self) -> None:
        """Closes it for good."""
        super().close()


@dataclass
class MemoryWorld(Crm):
    """A CRM, a config, and a calendar in memory for each user."""

    folder: Path
    database_url: str
    calendar_section: str = ""
    more: str = ""  # other tables of the config
    servers: dict[str, MemoryCalendar] = field(default_factory=dict)
    mailbox_keys: dict[str, str] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)  # whose each mailbox is
    user_keys: dict[str, str] = field(default_factory=dict)  # further keys of [[users]], by login
    timezone: str = "Europe/Paris"
    now: datetime = NOW
    _opened: InMemory | None = None
    _config: str = ""  # what it was opened with

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def add_user(self, login: str, *, auto_schedule: bool = True) -> MemoryCalendar:
        """A CRM user `login`, whose address is login@acme.example."""
        return self.add_mailbox(login, login, auto_schedule=auto_schedule)

    def add_mailbox(self, name: str, login: str, *, auto_schedule: bool = True) -> MemoryCalendar:
        """A mailbox of the user; the one of the same name is the first."""
        owner = frozenset({f"{login}@acme.example"})
        self.users[name] = login
        self.servers[name] = MemoryCalendar(name, owner=owner, auto_schedule=auto_schedule)
        return self.servers[name]

    def desk(self, login: str) -> Desk:
        """The user at the CRM."""
        return Desk(self, login)

    def put(self, login: str, name: str, ics: bytes) -> str:
        """Another client of the user writes a resource of that file name; returns its ref."""
        return self.servers[login].put(CALENDAR, ics, f"{CALENDAR}{name}.ics")

    def text(self, login: str) -> str:
        """Everything in the user's calendar, unfolded."""
        found = self.servers[login].sources(CALENDAR)
        return "\n".join(unfolded(found[ref]) for ref in sorted(found))

    def change(self, login: str, ref: str, change: Callable[[str], str]) -> None:
        """Another client of the user changes the text of a resource."""
        before = unfolded(self.servers[login].sources(CALENDAR)[ref])
        after = change(before)
        assert after != before
        self.servers[login].put(CALENDAR, after.replace("\n", "\r\n").encode(), ref)

    def mailed(self) -> list[Mailed]:
        """What all servers would have mailed so far, oldest first of each."""
        return [one for server in self.servers.values() for one in server.mailed]

    def write_config(self) -> Path:
        """Writes the config as it stands now."""
        self.folder.mkdir(exist_ok=True)
        parts = [
            f'[workspace]\nname = "Acme"\ntimezone = "{self.timezone}"\n',
            f'[store]\nurl = "{self.database_url}"\nstate_dir = "."\n',
            f"[calendar]\n{self.calendar_section}\n",
            self.more,
            '[servers.corp.caldav]\nurl = "https://dav.acme.example/"\n',
            *(
                f'[[users]]\nlogin = "{login}"\nname = "{login.title()}"\nemail = "{login}@acme.example"\n'
                f"{self.user_keys.get(login, '')}\n"
                for login in dict.fromkeys(self.users.values())
            ),
        ]
        secret = self.folder / "mailbox.secret"
        secret.touch(mode=0o600)
        secret.write_text("unused")
        parts += [
            f'[[mailboxes]]\nname = "{name}"\nuser = "{login}"\nserver = "corp"\nusername = "{name}"\n'
            f'password = {{ file = "mailbox.secret" }}\nsync = ["calendar"]\n'
            f"{self.mailbox_keys.get(name, '')}\n"
            for name, login in self.users.items()
        ]
        self.config.write_text("\n".join(parts))
        return self.config

    def open(self) -> Installation:
        """The service on this config, the same one as long as the config stays."""
        config = self.write_config().read_text()
        if self._opened is None or config != self._config:
            self.close()
            self._opened, self._config = InMemory.open(self.config), config
        self._opened.servers, self._opened.moment = self.servers, self.now
        return self._opened

    def release(self, login: str) -> None:
        """A person lets go what the brake holds."""
        database = self.database()
        with database.write() as session:
            brakes.release(session, login, self.now, actor="test")
        database.close()

    def restart(self) -> None:
        """The service ends; the next cycle is another process's."""
        self.close()

    def close(self) -> None:
        """Ends the service."""
        if self._opened is not None:
            self._opened.end()
            self._opened = None

    def sync(self, *logins: str, dry_run: bool = False) -> dict[str, CycleReport]:
        """One cycle of the mailboxes, a minute later than the last one; all of them unless named."""
        self.now += timedelta(minutes=1)
        run = self.open().supervisor.run
        return {login: run(login, lambda: self.now, dry_run=dry_run) for login in (logins or self.servers)}

    def settle(self, rounds: int = 6) -> None:
        """Cycles until nothing is left to do; fails where that takes too long."""
        for _ in range(rounds):
            reports = self.sync()
            assert not [one.error for one in reports.values() if one.error]
            if not any(one.wrote for one in reports.values()):
                return
        raise AssertionError("both sides do not come to rest")


def unfolded(source: bytes) -> str:
    """The text of a resource, a property a line."""
    return source.decode().replace("\r\n ", "").replace("\r\n", "\n")
