"""A small company whose users have calendars on a real CalDAV server, and the service installed."""

import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from store import brakes, mailboxes
from store.sync_state import MailboxState
from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.servers.crm import NOW, Crm
from tests.servers.desk import Desk
from tests.servers.dovecot import Account
from tests.servers.plain_dav import PlainDav
from tests.servers.radicale import RadicaleServer
from tests.servers.xandikos import XandikosServer

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//Client//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T080000Z
{lines}
END:VEVENT
END:VCALENDAR
"""


def event(
    uid: str,
    subject: str = "Réunion",
    start: str = "20261124T090000",
    hours: int = 1,
    more: Iterable[str] = (),
) -> bytes:
    """One event of the calendar of Europe/Paris, as a client writes it. `more` are further lines."""
    day, time = start.split("T")
    end = f"{day}T{int(time[:2]) + hours:02}{time[2:]}"
    lines = [
        f"DTSTART;TZID=Europe/Paris:{start}",
        f"DTEND;TZID=Europe/Paris:{end}",
        f"SUMMARY:{subject}",
        *more,
    ]
    return EVENT.format(uid=uid, lines="\n".join(lines)).replace("\n", "\r\n").encode()


@dataclass
class CalendarWorld(Crm):
    """A CRM, a config, and a CalDAV server with users, each with one calendar."""

    server: RadicaleServer | XandikosServer
    folder: Path
    database_url: str
    calendar_section: str = ""
    timeout: str = "20s"
    users: dict[str, Account] = field(default_factory=dict)
    calendars: dict[str, str] = field(default_factory=dict)  # the path of each user's calendar
    mailbox_keys: dict[str, str] = field(default_factory=dict)  # more lines of a mailbox's table
    now: datetime = NOW
    others: dict[str, list[str]] = field(default_factory=dict)  # more calendars of a user

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def add_user(self, login: str) -> PlainDav:
        """A CRM user `login`, whose address is login@acme.example; returns the user's own client."""
        account = (
            self.server.add_user() if isinstance(self.server, RadicaleServer) else Account("user", "unused")
        )
        self.users[login] = account
        client = self.client(login)
        self.calendars[login] = client.make_calendar(self._home(login), "Agenda")
        return client

    def add_calendar(self, login: str, name: str) -> str:
        """Another calendar of the user; returns its path."""
        path = self.client(login).make_calendar(self._home(login), name)
        self.others.setdefault(login, []).append(path)
        return path

    def _home(self, login: str) -> str:
        if isinstance(self.server, RadicaleServer):
            return self.server.home(self.users[login])
        return self.server.home

    def close(self) -> None:
        """Removes the calendars, where one user serves all tests."""
        if isinstance(self.server, XandikosServer):
            for login, path in self.calendars.items():
                for one in (path, *self.others.get(login, ())):
                    self.client(login).request("DELETE", one)

    def client(self, login: str) -> PlainDav:
        """The user's own calendar client."""
        if isinstance(self.server, RadicaleServer):
            return self.server.as_other_client(self.users[login])
        return self.server.as_other_client()

    def put(self, login: str, name: str, ics: bytes) -> str:
        """Writes a resource into the user's calendar, as the user's client does; returns its path."""
        path = f"{self.calendars[login]}{name}.ics"
        self.client(login).put(path, ics)
        return path

    def get(self, path: str) -> str:
        """The text of a resource, unfolded; empty where there is none."""
        for login, calendar in self.calendars.items():
            if path.startswith(calendar):
                body = self.client(login).get(path)
                return "" if body is None else body.decode().replace("\r\n ", "").replace("\r\n", "\n")
        raise ValueError(path)

    def items(self, login: str) -> dict[str, str]:
        """Every resource of the user's calendar, by path, unfolded; none that goes while this looks."""
        paths = sorted(self.client(login).members(self.calendars[login]))
        return {path: text for path in paths if (text := self.get(path))}

    def write_config(self) -> Path:
        """Writes the config as it stands now."""
        self.folder.mkdir(exist_ok=True)
        parts = [
            '[workspace]\nname = "Acme"\n',
            f'[store]\nurl = "{self.database_url}"\nstate_dir = "."\n',
            f"[calendar]\n{self.calendar_section}\n",
            f'[servers.corp.caldav]\nurl = "{self.server.url}"\ntimeout = "{self.timeout}"\n',
        ]
        for login, account in self.users.items():
            secret = self.folder / f"{login}.secret"
            secret.touch(mode=0o600)
            secret.write_text(account.password)
            parts.append(
                f'[[users]]\nlogin = "{login}"\nname = "{login.title()}"\nemail = "{login}@acme.example"\n'
                f'[[mailboxes]]\nname = "{login}"\nuser = "{login}"\nserver = "corp"\n'
                f'username = "{account.username}"\npassword = {{ file = "{login}.secret" }}\n'
                f'sync = ["calendar"]\n{self._chosen(login)}{self.mailbox_keys.get(login, "")}\n'
            )
        self.config.write_text("\n".join(parts))
        return self.config

    def _chosen(self, login: str) -> str:
        """The calendars, where others of the same user belong to other tests."""
        if isinstance(self.server, RadicaleServer):
            return ""
        return f"calendars = {json.dumps([self.calendars[login], *self.others.get(login, ())])}\n"

    def id_of(self, uid: str) -> int:
        """The event of that UID."""
        return int(str(self.one("SELECT id FROM event WHERE uid = :uid AND series_id IS NULL", uid=uid)))

    def desk(self, login: str) -> Desk:
        """The user in the CRM."""
        return Desk(self, login)

    def make_anew(self, login: str) -> None:
        """The user's calendar is removed and made anew under the same URL."""
        client, path = self.client(login), self.calendars[login]
        client.delete(path)
        reply = client.request("MKCALENDAR", path)
        assert reply.status == 201, reply

    def order(self, login: str, state: MailboxState) -> None:
        """A person resumes or pauses the mailbox."""
        database = self.database()
        with database.write() as session:
            mailboxes.change_state(session, login, state, self.now, actor="test")
        database.close()

    def release(self, login: str) -> None:
        """A person lets go what the brake holds."""
        database = self.database()
        with database.write() as session:
            brakes.release(session, login, self.now, actor="test")
        database.close()

    def copy(self, folder: Path, database_url: str) -> "CalendarWorld":
        """The same company beside: the state folder copied, another database, the same server."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, database_url=database_url)

    def open(self) -> Installation:
        """The service on this config; the caller closes it."""
        return Installation.open(self.write_config())

    def sync(self, *logins: str, dry_run: bool = False, quarantined: bool = False) -> dict[str, CycleReport]:
        """One cycle of the mailboxes, one after the other; all of them unless named."""
        installation = self.open()
        try:
            return {
                login: installation.supervisor.run(
                    login, lambda: self.now, dry_run=dry_run, quarantined=quarantined
                )
                for login in (logins or self.users)
            }
        finally:
            installation.close()
