"""A mailbox at each server that the contract of mail connectors is tried against, seen from behind."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import Security
from connectors.ews.mail import EwsMailConnector
from connectors.imap.access import ImapAccess
from connectors.imap.auth import Password
from connectors.imap.client import ImapConnector
from connectors.model import RawMessage
from connectors.numbering import MemoryNumbering
from connectors.protocol import MailConnector
from connectors.testing import MemoryMailbox, MemoryMailConnector
from tests.servers.access import imap_access
from tests.servers.dovecot import Account, DovecotServer
from tests.servers.exchange import ExchangeServer, ews_access
from tests.servers.pymap import PymapServer

SERVERS = ["dovecot", "pymap", "exchange", "memory"]
WHEN = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
FIELDS = ("From", "To", "Subject", "Message-ID")


def mail(number: int, body: str = "Bonjour.\r\n") -> bytes:
    return (
        f"Received: from a by b; Wed, 4 Mar 2026 05:06:07 +0000\r\n"
        f"From: Jean <jean{number}@example.org>\r\n"
        f"To: Claire <claire@acme.example>,\r\n other@example.org\r\n"
        f"Subject: number {number}\r\n"
        f"Message-ID: <{number}@example.org>\r\n"
        f"Content-Type: text/plain\r\n\r\n{body}"
    ).encode()


class World(ABC):
    """A server with one mailbox, seen from behind, and how to connect to it."""

    @abstractmethod
    def connector(self) -> MailConnector: ...

    @abstractmethod
    def connector_with_wrong_password(self) -> MailConnector: ...

    @abstractmethod
    def deliver(self, folder: str, raw: bytes, *, flags: tuple[str, ...] = ()) -> None: ...

    @abstractmethod
    def expunge_first(self, folder: str) -> None: ...

    def drafts(self, folder: str, connector: MailConnector) -> list[bool]:
        """Which messages of the folder are drafts, in order."""
        heads = connector.heads(folder, list(connector.uids(folder)), FIELDS)
        flags = {one.uid: one.keywords for one in heads}
        return ["\\draft" in {flag.lower() for flag in flags[uid]} for uid in sorted(flags)]

    @abstractmethod
    def keywords(self, folder: str) -> list[frozenset[str]]:
        """What another client sees on the messages, without \\Recent."""

    def change_epoch(self, folder: str) -> None:
        """Rebuilds the folder. pymap cannot be made to."""
        raise NotImplementedError


class DovecotWorld(World):
    def __init__(self, server: DovecotServer, spool_dir: Path) -> None:
        self.server = server
        self.account = server.add_user()
        self.access = imap_access(server, self.account, spool_dir)
        self.spool_dir = spool_dir
        self.delivered: dict[str, list[str]] = {}

    def connector(self) -> MailConnector:
        return ImapConnector(self.access)

    def connector_with_wrong_password(self) -> MailConnector:
        wrong = Account(self.account.username, self.account.password + "x")
        return ImapConnector(imap_access(self.server, wrong, self.spool_dir))

    def deliver(self, folder: str, raw: bytes, *, flags: tuple[str, ...] = ()) -> None:
        names = self.server.deliver(self.account, folder, raw, internaldate=WHEN, flags=flags)
        self.delivered.setdefault(folder, []).extend(names)

    def expunge_first(self, folder: str) -> None:
        self.server.expunge(self.account, folder, self.delivered[folder].pop(0))

    def keywords(self, folder: str) -> list[frozenset[str]]:
        letters = {v: k for k, v in {"\\Seen": "S", "\\Flagged": "F"}.items()}
        names = sorted(n for n in self.server.file_names(self.account) if n.startswith(("cur/", "new/")))
        marks = [n.rpartition(":2,")[2] if ":2," in n else "" for n in names]
        return [frozenset(letters[c] for c in flags) for flags in marks]

    def change_epoch(self, folder: str) -> None:
        self.server.change_uidvalidity(self.account, folder)


class PymapWorld(World):
    def __init__(self, server: PymapServer, spool_dir: Path) -> None:
        self.server = server
        self.spool_dir = spool_dir

    def _connector(self, password: str) -> MailConnector:
        access = ImapAccess(
            host=self.server.host,
            username=self.server.account.username,
            auth=Password(lambda: password),
            spool_dir=self.spool_dir,
            security=Security.NONE,
            port=self.server.port,
            timeout=timedelta(seconds=10),
        )
        return ImapConnector(access)

    def connector(self) -> MailConnector:
        return self._connector(self.server.account.password)

    def connector_with_wrong_password(self) -> MailConnector:
        return self._connector("wrong")

    def deliver(self, folder: str, raw: bytes, *, flags: tuple[str, ...] = ()) -> None:
        self.server.deliver(folder, raw, internaldate=WHEN, flags=flags)

    def expunge_first(self, folder: str) -> None:
        with self.server.as_other_client() as other:
            other.select(folder)
            other.store("1", "+FLAGS", "(\\Deleted)")
            other.expunge()

    def keywords(self, folder: str) -> list[frozenset[str]]:
        with self.server.as_other_client() as other:
            other.select(folder, readonly=True)
            _, answers = other.fetch("1:*", "(FLAGS)")
        lines = [bytes(line) for line in answers if isinstance(line, bytes)]
        flags = [line.split(b"FLAGS (")[1].split(b")")[0].decode().split() for line in lines]
        return [frozenset(words) - {"\\Recent"} for words in flags]


class MemoryWorld(World):
    def __init__(self) -> None:
        self.mailbox = MemoryMailbox()
        self.delivered: dict[str, list[int]] = {}

    def connector(self) -> MailConnector:
        return MemoryMailConnector(self.mailbox)

    def connector_with_wrong_password(self) -> MailConnector:
        self.mailbox.login_refused = True
        return MemoryMailConnector(self.mailbox)

    def deliver(self, folder: str, raw: bytes, *, flags: tuple[str, ...] = ()) -> None:
        uid = self.mailbox.deliver(folder, raw, received_at=WHEN, keywords=flags)
        self.delivered.setdefault(folder, []).append(uid)

    def expunge_first(self, folder: str) -> None:
        self.mailbox.expunge(folder, self.delivered[folder].pop(0))

    def keywords(self, folder: str) -> list[frozenset[str]]:
        with self.connector() as connector:
            uids = connector.uids(folder)
            return [head.keywords for head in connector.heads(folder, uids, FIELDS)]

    def change_epoch(self, folder: str) -> None:
        self.mailbox.change_epoch(folder)


class ExchangeWorld(World):
    def __init__(self, server: ExchangeServer, spool_dir: Path) -> None:
        self.server = server
        self.account = server.add_mailbox_of("claire")
        self.spool_dir = spool_dir
        self.numbering = MemoryNumbering()
        self.delivered: dict[str, list[str]] = {}

    def _connector(self, password: str) -> MailConnector:
        access = ews_access(self.server.ews, self.account.username, password, self.spool_dir)
        return EwsMailConnector(access, self.numbering)

    def connector(self) -> MailConnector:
        return self._connector(self.account.password)

    def connector_with_wrong_password(self) -> MailConnector:
        return self._connector(self.account.password + "x")

    def deliver(self, folder: str, raw: bytes, *, flags: tuple[str, ...] = ()) -> None:
        ids = self.server.deliver(self.account, folder, raw, internaldate=WHEN, flags=flags)
        self.delivered.setdefault(folder, []).extend(ids)

    def expunge_first(self, folder: str) -> None:
        self.server.expunge(self.account, folder, self.delivered[folder].pop(0))

    def drafts(self, folder: str, connector: MailConnector) -> list[bool]:
        return self.server.draft_marks(self.account, folder)

    def keywords(self, folder: str) -> list[frozenset[str]]:
        marks = self.server.read_marks(self.account, folder)
        return [frozenset({"\\Seen"} if is_read else ()) for is_read in marks]


def started(request: pytest.FixtureRequest, spool_dir: Path) -> World:
    """The world that a fixture with one of SERVERS as its parameter asks for."""
    if request.param == "exchange":
        return ExchangeWorld(request.getfixturevalue("exchange"), spool_dir)
    if request.param == "dovecot":
        return DovecotWorld(request.getfixturevalue("dovecot"), spool_dir)
    if request.param == "pymap":
        return PymapWorld(request.getfixturevalue("pymap"), spool_dir)
    return MemoryWorld()


def contents(connector: MailConnector, folder: str, uids: list[int]) -> dict[int, bytes]:
    found = {}
    for one in connector.bodies(folder, uids):
        assert isinstance(one, RawMessage)
        found[one.uid] = bytes(one.content)
    return found
