"""A small company whose users have calendars on an Exchange server, some of them on a CalDAV server, and the
service installed. What its clients do is done at the servers, behind the service's back."""

import copy
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from store import brakes
from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.servers.crm import NOW, Crm
from tests.servers.desk import Desk
from tests.servers.dovecot import Account
from tests.servers.ews.counts import SentMail
from tests.servers.ews.mail import mailbox
from tests.servers.ews.model import Folder, Item, Mailbox
from tests.servers.ews.other_client import OtherClient, Value, attendees
from tests.servers.ews.server import EwsServer
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import typed
from tests.servers.plain_dav import PlainDav
from tests.servers.radicale import RadicaleServer

PARIS = ZoneInfo("Europe/Paris")
ROMANCE = "Romance Standard Time"


def paris(day: int, hour: int, month: int = 11) -> datetime:
    """A time of 2026 in Paris, as a moment."""
    return datetime(2026, month, day, hour, tzinfo=PARIS).astimezone(UTC)


@dataclass
class Office(Crm):
    """A CRM, a config, and users whose address is login@acme.example."""

    ews: EwsServer
    folder: Path
    database_url: str
    dav: RadicaleServer | None = None
    calendar_section: str = ""
    passwords: dict[str, str] = field(default_factory=dict)  # of mailboxes at the Exchange server
    owners: dict[str, str] = field(default_factory=dict)  # whose each mailbox is
    dav_users: dict[str, Account] = field(default_factory=dict)
    mailbox_keys: dict[str, str] = field(default_factory=dict)  # more lines of a mailbox's table
    timezone: str = "Europe/Paris"
    now: datetime = NOW

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def add_user(self, login: str) -> OtherClient:
        """A user at the Exchange server; returns the user's own client."""
        return self.add_mailbox(login, login)

    def add_mailbox(self, name: str, login: str) -> OtherClient:
        """Another mailbox of the user, with an address of its own."""
        self.passwords[name] = self.ews.add_mailbox(f"{name}@acme.example")
        self.owners[name] = login
        return self.client(name)

    def add_dav_user(self, login: str) -> PlainDav:
        """A user at the CalDAV server."""
        assert self.dav is not None
        account = self.dav_users[login] = self.dav.add_user()
        client = self.dav.as_other_client(account)
        client.make_calendar(self.dav.home(account), "Agenda")
        return client

    def client(self, name: str) -> OtherClient:
        """The user's own client of the Exchange server."""
        return OtherClient(self.ews, f"{name}@acme.example")

    def dav_items(self, login: str) -> list[str]:
        """Every resource of the user's CalDAV calendars, unfolded."""
        assert self.dav is not None
        client, home = self.dav.as_other_client(self.dav_users[login]), self.dav.home(self.dav_users[login])
        found = []
        for calendar in client.members(home):
            for path in client.members(calendar) if calendar != home else ():
                body = client.get(path) or b""
                found.append(body.decode().replace("\r\n ", ""))
        return found

    def meet(
        self,
        name: str,
        subject: str,
        start: datetime,
        *,
        uid: str,
        organizer: str = "",
        guests: Sequence[str] = (),
        answer: str = "NoResponseReceived",
        **fields: Value,
    ) -> str:
        """A meeting in the user's calendar as its own client or a delivered invitation puts it there."""
        client = self.client(name)
        if guests:
            fields["RequiredAttendees"] = attendees("RequiredAttendees", *guests)
        ref = client.add_event(
            subject, start, start + timedelta(hours=1), zone=ROMANCE, folder="calendar", UID=uid, **fields
        )
        if organizer:
            whose = typed("Organizer", [mailbox("", organizer)])
            client.edit(ref, Organizer=whose, MyResponseType=answer)
        return ref

    def events(self, name: str) -> list[Target]:
        """What is in the user's calendar at the Exchange server."""
        return self.client(name).events()

    def subjects(self) -> list[object]:
        """Of the CRM's events that take place."""
        query = "SELECT subject FROM event WHERE series_id IS NULL AND NOT hidden ORDER BY subject"
        return [subject for (subject,) in self.rows(query)]

    @property
    def mailed(self) -> list[SentMail]:
        """What the Exchange server has sent so far."""
        return list(self.ews.counts.sent)

    def desk(self, login: str) -> Desk:
        """The user in the CRM."""
        return Desk(self, login)

    def id_of(self, uid: str) -> int:
        """The event of that UID."""
        return int(str(self.one("SELECT id FROM event WHERE uid = :uid AND series_id IS NULL", uid=uid)))

    def state(self, name: str) -> object:
        return self.one("SELECT state FROM mailbox WHERE name = :n", n=name)

    def release(self, name: str) -> None:
        """A person lets go what the brake holds."""
        database = self.database()
        with database.write() as session:
            brakes.release(session, name, self.now, actor="test")
        database.close()

    def write_config(self) -> Path:
        """Writes the config as it stands now."""
        self.folder.mkdir(exist_ok=True)
        parts = [
            f'[workspace]\nname = "Acme"\ntimezone = "{self.timezone}"\n',
            f'[store]\nurl = "{self.database_url}"\nstate_dir = "."\n',
            f"[calendar]\n{self.calendar_section}\n",
            f'[servers.corp.ews]\nurl = "{self.ews.url}"\nauth = "basic"\n{self._ca()}\n',
        ]
        if self.dav is not None:
            parts.append(f'[servers.dav.caldav]\nurl = "{self.dav.url}"\ntimeout = "20s"\n')
        parts += [
            f'[[users]]\nlogin = "{login}"\nname = "{login.title()}"\nemail = "{login}@acme.example"\n'
            for login in dict.fromkeys([*self.owners.values(), *self.dav_users])
        ]
        parts += [
            self._mailbox(name, login, "corp", f"{name}@acme.example", self.passwords[name])
            + f'address = "{name}@acme.example"\n'
            for name, login in self.owners.items()
        ]
        parts += [
            self._mailbox(login, login, "dav", account.username, account.password)
            for login, account in self.dav_users.items()
        ]
        self.config.write_text("\n".join(parts))
        return self.config

    def _ca(self) -> str:
        return "" if self.ews.ca_file is None else f'ca_file = "{self.ews.ca_file}"'

    def _mailbox(self, name: str, login: str, server: str, username: str, password: str) -> str:
        secret = self.folder / f"{name}.secret"
        secret.touch(mode=0o600)
        secret.write_text(password)
        lines = [
            "[[mailboxes]]",
            *(f'{key} = "{value}"' for key, value in (("name", name), ("user", login), ("server", server))),
            f'username = "{username}"',
            f'password = {{ file = "{name}.secret" }}',
            'sync = ["calendar"]',
            self.mailbox_keys.get(name, ""),
        ]
        return "\n".join(lines) + "\n"

    def open(self) -> Installation:
        """The service on this config; the caller closes it."""
        return Installation.open(self.write_config())

    def sync(self, *names: str, dry_run: bool = False) -> dict[str, CycleReport]:
        """One cycle of the mailboxes, a minute later than the last one; all of them unless named."""
        self.now += timedelta(minutes=1)
        installation = self.open()
        try:
            run = installation.supervisor.run
            return {
                name: run(name, lambda: self.now, dry_run=dry_run)
                for name in (names or [*self.owners, *self.dav_users])
            }
        finally:
            installation.close()

    def settle(self, rounds: int = 6) -> None:
        """Cycles until nothing is left to do; fails where that takes too long, or anything goes wrong."""
        for _ in range(rounds):
            reports = self.sync()
            wrong = [(one.error, one.folder_errors) for one in reports.values()]
            assert wrong == [(None, {})] * len(wrong), wrong
            if not any(one.wrote for one in reports.values()):
                return
        raise AssertionError("both sides do not come to rest")

    def copy(self, folder: Path, database_url: str) -> "Office":
        """The same company beside: the state folder copied, another database, the same servers."""
        shutil.copytree(self.folder, folder)
        return replace(self, folder=folder, database_url=database_url)


class Snapshot:
    """What the Exchange server holds at a moment, to go back to."""

    def __init__(self, server: EwsServer) -> None:
        self._server = server
        self._kept = self._state()

    def _state(self) -> "_Held":
        store = self._server.store
        return copy.deepcopy(
            _Held(
                store.mailboxes,
                store.items,
                store.folders,
                store._version,
                store._numbers,
                list(self._server.counts.sent),
            )
        )

    def restore(self) -> None:
        """Everything is as it was then."""
        kept, store = copy.deepcopy(self._kept), self._server.store
        with store.lock:
            store.mailboxes, store.items, store.folders = kept.mailboxes, kept.items, kept.folders
            store._version, store._numbers = kept.version, kept.numbers
        self._server.counts.sent[:] = kept.sent


@dataclass(frozen=True)
class _Held:
    mailboxes: dict[str, Mailbox]
    items: dict[int, Item]
    folders: dict[int, Folder]
    version: int
    numbers: int
    sent: list[SentMail]
