"""An installation on mailboxes in memory, the mail that goes round, and what is compared of it."""

import logging
import os
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from sqlalchemy import Engine, event, text

from connectors.errors import CollectionError, CollectionRefused, RateLimited, SyncdError, Unreachable
from connectors.protocol import MailConnector
from connectors.testing import MemoryMailbox, MemoryMailConnector
from store import directory
from store.accounts import Account, AccountType
from store.blobs import BlobStore
from store.contacts import Contact, CreatedVia, Gender
from store.database import Database
from store.leases import Leases
from store.mailboxes import MailboxRow, apply_config
from store.user_rows import UserRow
from store.users import UserRole
from syncd.core.identity import KeyedHash
from syncd.core.matching import Policy
from syncd.engine.content import Limits
from syncd.engine.mail import MailRules, MailSync
from syncd.engine.report import CycleReport
from syncd.engine.supervise import Heartbeat, Supervisor
from tests.servers.world import NOW, PDF, mail

LOGINS = ("claire", "denis")
FOLDERS = ("INBOX", "Sent")
SECRET = b"the secret of a test installation"
CLAIRE, DENIS = (f"{login}@acme.example" for login in LOGINS)
CONTACTS = ("paul@client.example", "paula@client.example", "martha@other.example")
PAUL, PAULA, MARTHA = CONTACTS


# What goes round: contacts' mail and strangers', to one user and to both, with and without a Message-ID.
MESSAGES = (
    mail(1, PAUL, [CLAIRE, DENIS], "À vous deux", attachments={"devis.pdf": PDF}),
    mail(2, CLAIRE, [PAUL, MARTHA], "Réponse", reply_to=["1"], attachments={"devis.pdf": PDF}),
    mail(3, MARTHA, DENIS, "Re: Réponse", reply_to=["1", "2"], attachments={"b.pdf": PDF + b"3"}),
    mail(4, PAULA, CLAIRE, "Sans identifiant", message_id="", attachments={"c.pdf": PDF + b"4"}),
    mail(5, "someone@stranger.example", CLAIRE, "Inconnu", attachments={"d.pdf": PDF + b"5"}),
    mail(6, CLAIRE, DENIS, "Entre nous"),
    mail(7, PAULA, DENIS, "Vieux", at=NOW - timedelta(days=4000)),
    # The same Message-ID, date, sender and subject with another attachment: a list took one out.
    mail(8, MARTHA, CLAIRE, "Pièces", attachments={"e.pdf": PDF + b"6", "f.pdf": PDF + b"7"}),
    mail(8, MARTHA, CLAIRE, "Pièces", attachments={"e.pdf": PDF + b"8"}),
    # The same Message-ID with another subject is another message.
    mail(1, PAUL, CLAIRE, "Un autre", attachments={"g.pdf": PDF + b"9"}),
    b"\r\n",
)
# By table T5: the contacts whose mail it is, by their number above; else the verdict.
WHOSE = {0: {PAUL}, 1: {PAUL, MARTHA}, 2: {MARTHA}, 3: {PAULA}, 7: {MARTHA}, 8: {MARTHA}, 9: {PAUL}}
OTHERWISE = {4: 2, 5: 3, 6: 6, 10: 2}


Rows = list[tuple[object, ...]]


TABLES = {
    "email": 'SELECT fingerprint, message_id, direction, "from", "to", cc, subject, body_text, date '
    "FROM email_message",
    "attachment": "SELECT e.fingerprint, a.position, a.name, a.size, a.sha256, a.path "
    "FROM email_attachment a JOIN email_message e ON e.id = a.email_id",
    "holder": 'SELECT e.fingerprint, u.login FROM email_user x JOIN "user" u ON u.id = x.user_id '
    "JOIN email_message e ON e.id = x.email_id",
    "match": "SELECT e.fingerprint, a.name, c.email, m.rule, m.address FROM email_match m "
    "JOIN email_message e ON e.id = m.email_id JOIN account a ON a.id = m.account_id "
    "LEFT JOIN contact c ON c.id = m.contact_id",
    "activity": "SELECT e.fingerprint, a.name, t.occurred_at, t.subject, t.automatic FROM activity t "
    "JOIN email_message e ON e.id = t.email_id JOIN account a ON a.id = t.account_id",
    "person": "SELECT e.fingerprint, a.name, c.email FROM activity_contact x JOIN activity t "
    "ON t.id = x.activity_id JOIN email_message e ON e.id = t.email_id "
    "JOIN account a ON a.id = t.account_id JOIN contact c ON c.id = x.contact_id",
}
VERDICTS = (
    "SELECT m.name, c.remote_ref, v.uid, v.verdict, v.reason, e.fingerprint FROM verdict v "
    "JOIN collection c ON c.id = v.collection_id JOIN mailbox m ON m.id = c.mailbox_id "
    "LEFT JOIN email_message e ON e.id = v.email_id"
)
EVERYTHING = (
    "email_message", "email_attachment", "email_user", "email_match", "activity", "activity_contact",
    "verdict", "verdict_key", "rematch", "quarantine", "collection", "mailbox", "known_key",
    "directory_state", "run",
)  # fmt: skip


class Office:
    """One installation, with its own database and files, on mailboxes in memory."""

    def __init__(
        self,
        folder: Path,
        template: Path,
        mailboxes: dict[str, MemoryMailbox],
        *,
        follow_threads: bool = False,
    ) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.mailboxes = mailboxes
        shutil.copyfile(template, folder / "crm.db")
        self.database = Database(f"sqlite:///{folder / 'crm.db'}")
        (folder / "seen").mkdir()
        self.blobs = BlobStore(folder / "attachments")
        policy = Policy(since=datetime(2026, 1, 1, tzinfo=UTC), follow_threads=follow_threads)
        rules = MailRules(lambda _now: policy, "policy", Limits(10**6, 10))
        self.supervisor = Supervisor(
            database=self.database,
            leases=Leases(self.database, folder / "locks"),
            mail=MailSync(self.database, self.blobs, KeyedHash(SECRET), rules),
            connections=self,
            heartbeat=Heartbeat(folder / "seen"),
            credentials=lambda _name: "",
            folders=lambda _name: None,
            wants_mail=lambda _name: True,
            on_stop=lambda _name: None,
        )
        users = [
            UserRow(n, n.title(), f"{n}@acme.example", (), UserRole.STANDARD, None, None) for n in LOGINS
        ]
        boxes = [
            MailboxRow(n, n, n, "corp", sync_mail=True, sync_calendar=False, direction="BOTH") for n in LOGINS
        ]
        with self.database.write() as session:
            apply_config(session, users, boxes, NOW)
            for name in ("client", "other"):
                row = Account(name=name, type=AccountType.CUSTOMER, created_on=NOW.date(), created_at=NOW)
                row.updated_at = NOW
                session.add(row)
            directory.bump(session)

    # Connections, for the supervisor: a new one for each cycle.

    @contextmanager
    def use(self, mailbox: str, *, fresh: bool = False) -> Iterator[MailConnector]:
        with MemoryMailConnector(self.mailboxes[mailbox]) as connector:
            yield connector

    def is_kept(self, mailbox: str) -> bool:
        return False

    def forget(self, mailbox: str) -> None:
        """Nothing is kept."""

    def cycle(self, login: str, *, quarantined: bool = False) -> CycleReport:
        return self.supervisor.run(login, lambda: NOW, quarantined=quarantined)

    def add_contact(self, email: str) -> None:
        """The contact is there (again)."""
        with self.database.write() as session:
            known = session.query(Contact).filter(Contact.email == email).one_or_none()
            if known is None:
                owner = session.query(Account).filter(Account.name == account_of(email)).one()
                known = Contact(
                    account_id=owner.id,
                    last_name=email,
                    first_name="",
                    email=email,
                    gender=Gender.UNSPECIFIED,
                    created_via=CreatedVia.MANUAL,
                    created_at=NOW,
                    updated_at=NOW,
                )
                session.add(known)
            known.deleted_at = None
            directory.bump(session)

    def remove_contact(self, email: str) -> None:
        with self.database.write() as session:
            session.query(Contact).filter(Contact.email == email).one().deleted_at = NOW
            directory.bump(session)

    def rows(self, sql: str) -> Rows:
        with self.database.read() as session:
            return sorted((tuple(row) for row in session.execute(text(sql))), key=repr)

    def everything(self) -> dict[str, Rows]:
        return {name: self.rows(f'SELECT * FROM "{name}"') for name in EVERYTHING}

    def files(self) -> set[str]:
        return {path.name for path in (self.folder / "attachments").rglob("*") if path.is_file()}

    def threads(self) -> set[frozenset[object]]:
        """The e-mails of each thread."""
        found: dict[object, set[object]] = defaultdict(set)
        for key, fingerprint in self.rows("SELECT thread_key, fingerprint FROM email_message"):
            found[key].add(fingerprint)
        return {frozenset(one) for one in found.values()}

    def close(self) -> None:
        self.database.close()


def account_of(email: str) -> str:
    """The name of the account that the contact belongs to."""
    return email.partition("@")[2].removesuffix(".example")


def make_error(kind: str) -> SyncdError:
    if kind == "folder":
        return CollectionError("the folder cannot be read just now", collection="")
    if kind == "refused":
        return CollectionRefused("the folder is refused just now", collection="")
    if kind == "limited":
        return RateLimited("wait", retry_after=timedelta(seconds=1))
    return Unreachable("the connection broke")


def number_anew(mailbox: MemoryMailbox, ref: str) -> None:
    """A new epoch, in which the UIDs are the same and each means another message."""
    mailbox.change_epoch(ref, shift=0)
    folder = mailbox._folders[ref]
    uids = sorted(folder.messages)
    folder.messages = dict(zip(uids, [folder.messages[uid] for uid in reversed(uids)], strict=True))


def without_copies(rows: Rows) -> Rows:
    return [row for row in rows if "e.pdf" not in row and "f.pdf" not in row and "Pièces" not in row]


def fast(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is waited for and nothing printed: no process is killed here, and there are many cycles."""

    def careless(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    monkeypatch.setattr(os, "fsync", lambda _handle: None)
    event.listen(Engine, "connect", careless)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
    event.remove(Engine, "connect", careless)
