"""An installation on calendars in memory: processes that die and are started again, and people at the CRM."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, event, text

from connectors.calendar import Item, Kind
from connectors.protocol import CalendarConnector, MailConnector
from store import brakes, calendar_rows, mailboxes, outbox, recommendations
from store.accounts import Account, AccountType
from store.actors import admin_at_machine
from store.audit_log import Channel
from store.bindings import BoundEntity
from store.blobs import BlobStore
from store.calendar import Origin
from store.calendar_rows import EventDraft, EventRecord, EventRow, TaskRecord
from store.database import Database
from store.leases import Leases
from store.mailboxes import MailboxRow, apply_config
from store.recommendations import Advice, By
from store.sync_state import MailboxState
from store.user_rows import UserRow
from store.users import UserRole
from syncd.core.conflicts import Rules
from syncd.core.decision import Direction
from syncd.core.guards import Limits, Policy
from syncd.core.identity import KeyedHash
from syncd.core.matching import Policy as MailPolicy
from syncd.engine.calendar.context import CalendarRules, MailboxRules
from syncd.engine.calendar.items import (
    Setting,
    draft_of,
    item_of,
    item_of_task,
    settled,
    settled_task,
    task_values,
)
from syncd.engine.calendar.people import People
from syncd.engine.calendar.sync import CalendarSync
from syncd.engine.content import Limits as MailLimits
from syncd.engine.mail import MailRules, MailSync
from syncd.engine.report import CycleReport
from syncd.engine.supervise import Calendars, Heartbeat, Supervisor
from tests.property.agenda_server import Side
from tests.property.agenda_weather import Killed

SECRET = b"the secret of a test installation"
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")
FIRST, SECOND = "/calendar/", "/second/"

Record = EventRecord | TaskRecord
Key = tuple[BoundEntity, int]


class NoMail:
    """There is no mail in this company."""

    def use(self, mailbox: str, *, fresh: bool = False) -> AbstractContextManager[MailConnector]:
        raise AssertionError("nobody asked for mail")

    def is_kept(self, mailbox: str) -> bool:
        return False

    def forget(self, mailbox: str) -> None:
        """Nothing is kept."""


class Agenda:
    """One company: users with a calendar server each, a CRM, a service started again and again."""

    def __init__(self, folder: Path, template: Path, servers: dict[str, Side]) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.servers = servers
        self.now = START
        self.rules = Rules()
        self.limits = Limits(1000, 100)
        self.directions: dict[str, Direction] = {}  # of mailboxes; the others go both ways
        self.kill_at_commit = 0  # the how manieth commit from now on is never reached
        shutil.copyfile(template, folder / "crm.db")
        (folder / "seen").mkdir()
        self._start()
        users = [
            UserRow(one, one.title(), f"{one}@acme.example", (), UserRole.STANDARD, None, None)
            for one in servers
        ]
        boxes = [
            MailboxRow(one, one, one, "corp", sync_mail=False, sync_calendar=True, direction="both")
            for one in servers
        ]
        with self.database.write() as session:
            apply_config(session, users, boxes, START)
            row = Account(
                name="Client SA", type=AccountType.CUSTOMER, created_on=START.date(),
                created_at=START, updated_at=START,
            )  # fmt: skip
            session.add(row)
            session.flush()
            self.account = row.id
        self.watcher = sqlite3.connect(folder / "crm.db")

    # --- processes --------------------------------------------------------------------------------

    def _start(self) -> None:
        self.database = Database(f"sqlite:///{self.folder / 'crm.db'}")
        event.listen(self.database.engine, "commit", self._commit)
        mail = MailSync(
            self.database,
            BlobStore(self.folder / "attachments"),
            KeyedHash(SECRET),
            MailRules(lambda _: MailPolicy(since=START), "policy", MailLimits(10**6, 10)),
        )
        rules = CalendarRules(
            merge=self.rules,
            past=timedelta(days=30),
            future=timedelta(days=365),
            limits=self.limits,
            floating=PARIS,
            language="fr",
        )
        self.sync = CalendarSync(self.database, mail.known, rules)
        self.known = mail.known
        self.supervisor = Supervisor(
            database=self.database,
            leases=Leases(self.database, self.folder / "locks"),
            mail=mail,
            connections=NoMail(),
            heartbeat=Heartbeat(self.folder / "seen"),
            credentials=lambda _: "",
            folders=lambda _: None,
            wants_mail=lambda _: False,
            on_stop=lambda _: None,
            calendars=Calendars(self.sync, self, self._rules_of),
        )

    def _rules_of(self, mailbox: str) -> MailboxRules:
        return MailboxRules(self.directions.get(mailbox, Direction.BOTH), None, Policy.SEND)

    def restart(self) -> None:
        """Another process, with the rules as they are now."""
        self.database.close()
        self.kill_at_commit = 0
        self._start()

    def _commit(self, _connection: Connection) -> None:
        if self.kill_at_commit:
            self.kill_at_commit -= 1
            if not self.kill_at_commit:
                raise Killed

    def cycle(self, login: str, *, quarantined: bool = False) -> CycleReport | None:
        """One cycle; None where the process died in it, and another one was started."""
        self.tick()
        try:
            return self.supervisor.run(login, lambda: self.now, quarantined=quarantined)
        except Killed:
            self.restart()
            return None
        finally:
            self.kill_at_commit = 0

    def tick(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    # Connections, for the supervisor: a new one for each cycle.

    @contextmanager
    def use(self, mailbox: str, *, fresh: bool = False) -> Iterator[CalendarConnector]:
        with self.servers[mailbox].connector(lambda: self.now) as connector:
            yield connector

    def is_kept(self, mailbox: str) -> bool:
        return False

    def forget(self, mailbox: str) -> None:
        """Nothing is kept."""

    def close(self) -> None:
        self.watcher.close()
        self.database.close()
        for server in self.servers.values():
            server.close()

    # --- what a person sees -----------------------------------------------------------------------

    def rows(self, sql: str, **values: object) -> list[tuple[object, ...]]:
        with self.database.read() as session:
            return sorted((tuple(row) for row in session.execute(text(sql), values)), key=repr)

    def version(self) -> int:
        """Another number where anything was written to the file."""
        (found,) = self.watcher.execute("PRAGMA data_version").fetchone()
        return int(found)

    def everything(self) -> str:
        """Every row of every table."""
        tables = self.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        return "\n".join(repr(row) for (name,) in tables for row in self.rows(f'SELECT * FROM "{name}"'))

    def state(self, login: str) -> MailboxState | None:
        with self.database.read() as session:
            return mailboxes.state_of(session, login)

    def user(self, login: str) -> int:
        ((found,),) = self.rows('SELECT id FROM "user" WHERE login = :login', login=login)
        return int(str(found))

    def records(self) -> dict[Key, Record]:
        """Every event and task, the hidden ones too."""
        events = [int(str(id_)) for (id_,) in self.rows("SELECT id FROM event WHERE series_id IS NULL")]
        tasks = [int(str(id_)) for (id_,) in self.rows("SELECT id FROM task")]
        with self.database.read() as session:
            found: dict[Key, Record] = {}
            found.update(
                {(BoundEntity.EVENT, id_): one for id_, one in calendar_rows.events(session, events).items()}
            )
            found.update(
                {(BoundEntity.TASK, id_): one for id_, one in calendar_rows.tasks(session, tasks).items()}
            )
        return found

    # --- what a person does -----------------------------------------------------------------------

    def order(self, login: str, state: MailboxState) -> None:
        with self.database.write() as session:
            mailboxes.change_state(session, login, state, self.tick(), actor="test")

    def release(self, login: str) -> None:
        with self.database.write() as session:
            brakes.release(session, login, self.tick(), actor="test")

    def add(self, login: str, item: Item) -> int:
        """A person makes an event or a task in the CRM; returns its id."""
        now, setting = self.tick(), self._setting(login)
        with self.database.write() as session:
            if item.kind is Kind.EVENT:
                draft = draft_of(settled(item), setting, None)
                rows = tuple(
                    EventRow({**row.values, "origin": Origin.CRM}, row.participants) for row in draft.rows
                )
                (id_,) = calendar_rows.insert_events(session, [EventDraft(rows)], now, by=None)
                outbox.announce(session, BoundEntity.EVENT, [id_], now, by_person=True)
            else:
                values = {**task_values(settled_task(item), setting, None), "origin": Origin.CRM}
                (id_,) = calendar_rows.insert_tasks(session, [values], now, by=None)
                outbox.announce(session, BoundEntity.TASK, [id_], now, by_person=True)
        return id_

    def edit(self, key: Key, change: Callable[[Item], Item]) -> tuple[Item, Item]:
        """A person changes what the CRM holds; returns what it was, and what it is."""
        record = self.records()[key]
        before = held(record)
        after = change(before)
        now, entity = self.tick(), key[0]
        setting = self._setting(self._owner(record))
        with self.database.write() as session:
            if isinstance(record, EventRecord):
                draft = draft_of(settled(after), setting, record)
                changed = calendar_rows.replace_event(session, record, draft, now, by=None)
            else:
                values = task_values(settled_task(after), setting, record)
                changed = calendar_rows.replace_task(session, record, values, now, by=None)
            if changed:
                outbox.announce(session, entity, [record.id], now, by_person=True)
        return before, held(self.records()[key])

    def link(self, key: Key) -> None:
        """A person says which account an event concerns, or takes that back."""
        record = self.records()[key]
        if not isinstance(record, EventRecord):
            return
        now = self.tick()
        account = None if record.main.values["account_id"] else self.account
        main = replace(record.main, values={**record.main.values, "account_id": account})
        with self.database.write() as session:
            calendar_rows.replace_event(session, record, EventDraft((main, *record.overrides)), now, by=None)
            outbox.announce(session, key[0], [record.id], now, by_person=True)

    def advise(self, message: str | None) -> None:
        """A person writes the account's recommendation, or takes it away."""
        by = By(admin_at_machine("root"), Channel.CLI, self.tick())
        with self.database.write() as session:
            if message is None:
                recommendations.clear(session, self.account, by)
            else:
                recommendations.put(session, self.account, Advice(message), by)

    def cancel(self, key: Key) -> Item:
        """A person takes an event or a task out of the CRM; returns what it was."""
        record = self.records()[key]
        now = self.tick()
        with self.database.write() as session:
            calendar_rows.hide(session, record, now, by=None)
            outbox.announce(session, key[0], [record.id], now, by_person=True)
        return held(record)

    def _setting(self, login: str) -> Setting:
        return Setting(self.user(login), People(self.known.directory()), PARIS)

    def _owner(self, record: Record) -> str:
        values = values_of(record)
        id_ = values.get("owner_id", values.get("assignee_id"))
        ((login,),) = self.rows('SELECT login FROM "user" WHERE id = :id', id=id_)
        return str(login)


def held(record: Record) -> Item:
    """What the CRM holds."""
    return item_of(record) if isinstance(record, EventRecord) else item_of_task(record)


def values_of(record: Record) -> dict[str, object]:
    """The columns of the series or task itself."""
    return dict(record.main.values if isinstance(record, EventRecord) else record.values)


def hidden(record: Record) -> bool:
    """Whether the CRM took it out."""
    return bool(values_of(record)["hidden"])
