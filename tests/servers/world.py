"""A small company for the tests: users with mailboxes on a real server, a CRM, the installed service.

Messages are built with the standard library's own writer, so that what reads them is not what wrote them.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.servers.crm import NOW, Crm
from tests.servers.dovecot import Account
from tests.servers.mailserver import MailServer

__all__ = ["NOW", "PDF", "World", "mail", "picture"]

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 40


def mail(
    number: int | str,
    sender: str,
    to: str | Iterable[str],
    subject: str = "Bonjour",
    *,
    text: str = "Bonjour,\nvoici le devis.\n",
    cc: str = "",
    reply_to: Sequence[str] = (),
    at: datetime | None = None,
    attachments: Mapping[str, bytes] | None = None,
    headers: Mapping[str, str] | None = None,
    message_id: str | None = None,
) -> bytes:
    """One message. `reply_to` are the ids (numbers) that it answers to, oldest first."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to if isinstance(to, str) else ", ".join(to)
    if cc:
        message["Cc"] = cc
    message["Subject"] = subject
    moment = at if at is not None else NOW - timedelta(days=2)
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = message_id if message_id is not None else f"<{number}@mail.example>"
    if reply_to:
        ids = [f"<{one}@mail.example>" for one in reply_to]
        message["In-Reply-To"] = ids[-1]
        message["References"] = " ".join(ids)
    for name, value in (headers or {}).items():
        message[name] = value
    message.set_content(text)
    for name, content in (attachments or {}).items():
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@dataclass
class World(Crm):
    """A CRM, a config, and a server with users."""

    server: MailServer
    folder: Path
    database_url: str
    mail_section: str = 'since = "2026-01-01"'
    users: dict[str, Account] = field(default_factory=dict)
    mailbox_keys: dict[str, str] = field(default_factory=dict)  # more lines of a mailbox's table
    port: int | None = None  # None: the server's own
    now: datetime = NOW

    @property
    def config(self) -> Path:
        return self.folder / "syncd.toml"

    def add_user(self, login: str) -> Account:
        """A CRM user `login` with a mailbox of the same name; its address is login@acme.example."""
        account = self.server.add_mailbox_of(login)
        self.users[login] = account
        return account

    def write_config(self) -> Path:
        """Writes the config as it stands now."""
        self.folder.mkdir(exist_ok=True)
        parts = [
            '[workspace]\nname = "Acme"\n',
            f'[store]\nurl = "{self.database_url}"\nstate_dir = "."\n',
            f"[mail]\n{self.mail_section}\n",
            self.server.table(self.port or self.server.port),
        ]
        for login, account in self.users.items():
            secret = self.folder / f"{login}.secret"
            secret.touch(mode=0o600)
            secret.write_text(account.password)
            parts.append(
                f'[[users]]\nlogin = "{login}"\nname = "{login.title()}"\nemail = "{login}@acme.example"\n'
                f'[[mailboxes]]\nname = "{login}"\nuser = "{login}"\nserver = "corp"\n'
                f'username = "{account.username}"\npassword = {{ file = "{login}.secret" }}\n'
                f"{self.mailbox_keys.get(login, '')}\n"
            )
        self.config.write_text("\n".join(parts))
        return self.config

    def open(self) -> Installation:
        """The service on this config; the caller closes it."""
        return Installation.open(self.write_config())

    def sync(self, *logins: str, quarantined: bool = False) -> dict[str, CycleReport]:
        """One cycle of the mailboxes, one after the other; all of them unless named."""
        installation = self.open()
        try:
            return {
                login: installation.supervisor.run(login, lambda: self.now, quarantined=quarantined)
                for login in (logins or self.users)
            }
        finally:
            installation.close()

    def deliver(self, login: str, folder: str, *messages: bytes, **options: object) -> None:
        """Puts messages into a folder of the user's mailbox."""
        moment = options.get("internaldate")
        flags = options.get("flags", ())
        assert moment is None or isinstance(moment, datetime)
        assert isinstance(flags, tuple)
        self.server.deliver(self.users[login], folder, list(messages), internaldate=moment, flags=flags)

    def files(self) -> set[str]:
        """The names of all attachments on disk, temporary ones and journals included."""
        top = self.folder / "attachments"
        return {path.name for path in top.rglob("*") if path.is_file()} if top.exists() else set()

    def copy(self, folder: Path, database_url: str) -> "World":
        """The same world beside: the state folder copied, another database."""
        shutil.copytree(self.folder, folder)
        return World(
            self.server,
            folder,
            database_url,
            self.mail_section,
            dict(self.users),
            dict(self.mailbox_keys),
            self.port,
            self.now,
        )


def picture(world: World) -> dict[str, list[tuple[object, ...]]]:
    """Everything that a run leaves behind, by natural keys: what two runs must agree on.

    Row ids, which differ between databases, are replaced by what they stand for. `run` is left out: a
    killed cycle has none, and that is right.
    """
    queries = {
        "email": 'SELECT fingerprint, message_id, thread_key, direction, "from", "to", cc, bcc, in_reply_to, '
        '"references", date, subject, body_text, body_html, size, defects FROM email_message',
        "attachment": "SELECT e.fingerprint, a.position, a.name, a.mime, a.size, a.sha256, a.path "
        "FROM email_attachment a JOIN email_message e ON e.id = a.email_id",
        "user": 'SELECT e.fingerprint, u.login FROM email_user x JOIN "user" u ON u.id = x.user_id '
        "JOIN email_message e ON e.id = x.email_id",
        "match": "SELECT e.fingerprint, a.name, c.last_name, m.rule, m.address FROM email_match m "
        "JOIN email_message e ON e.id = m.email_id JOIN account a ON a.id = m.account_id "
        "LEFT JOIN contact c ON c.id = m.contact_id",
        "activity": "SELECT e.fingerprint, a.name, o.reference, k.code, u.login, t.occurred_at, t.subject "
        "FROM activity t JOIN email_message e ON e.id = t.email_id JOIN account a ON a.id = t.account_id "
        'JOIN "user" u ON u.id = t.user_id LEFT JOIN opportunity o ON o.id = t.opportunity_id '
        "LEFT JOIN case_file k ON k.id = t.case_file_id",
        "activity_contact": "SELECT e.fingerprint, c.last_name FROM activity_contact x "
        "JOIN activity t ON t.id = x.activity_id JOIN email_message e ON e.id = t.email_id "
        "JOIN contact c ON c.id = x.contact_id",
        "folder": "SELECT m.name, c.remote_ref, c.role, c.selected, c.epoch, c.cursor, c.error "
        "FROM collection c JOIN mailbox m ON m.id = c.mailbox_id",
        "verdict": "SELECT m.name, c.remote_ref, v.uid, v.verdict, v.reason, e.fingerprint FROM verdict v "
        "JOIN collection c ON c.id = v.collection_id JOIN mailbox m ON m.id = c.mailbox_id "
        "LEFT JOIN email_message e ON e.id = v.email_id",
        "verdict_key": "SELECT m.name, c.remote_ref, k.uid, k.key FROM verdict_key k "
        "JOIN collection c ON c.id = k.collection_id JOIN mailbox m ON m.id = c.mailbox_id",
        "quarantine": "SELECT collection_id, remote_ref, error, tries FROM quarantine",
        "rematch": "SELECT collection_id, uid FROM rematch",
        "known": "SELECT key FROM known_key",
        "mailbox": "SELECT name, state, attention, last_error FROM mailbox",
    }
    found = world.tables(queries)
    found["files"] = sorted((name,) for name in world.files())
    return found
