"""What every mail connector keeps to: one suite for Dovecot, pymap, Exchange and the one in memory."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.settings import Security
from connectors.errors import AuthFailed, CollectionError, CollectionGone, Unreachable
from connectors.ews.mail import EwsMailConnector
from connectors.imap.access import ImapAccess
from connectors.imap.auth import Password
from connectors.imap.client import ImapConnector
from connectors.model import FolderRole, MessageHead, RawMessage
from connectors.numbering import MemoryNumbering
from connectors.protocol import MailConnector
from connectors.testing import MemoryMailbox, MemoryMailConnector
from tests.servers.access import imap_access
from tests.servers.dovecot import Account, DovecotServer
from tests.servers.exchange import ExchangeServer, ews_access
from tests.servers.pymap import PymapServer

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
        names = sorted(n for n in self.server.file_names(self.account) if n.startswith("cur/"))
        return [frozenset(letters[c] for c in n.rsplit(",", 1)[1]) for n in names]

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

    def keywords(self, folder: str) -> list[frozenset[str]]:
        marks = self.server.read_marks(self.account, folder)
        return [frozenset({"\\Seen"} if is_read else ()) for is_read in marks]


@pytest.fixture(params=["dovecot", "pymap", "exchange", "memory"])
def world(request: pytest.FixtureRequest, spool_dir: Path) -> World:
    if request.param == "exchange":
        return ExchangeWorld(request.getfixturevalue("exchange"), spool_dir)
    if request.param == "dovecot":
        return DovecotWorld(request.getfixturevalue("dovecot"), spool_dir)
    if request.param == "pymap":
        return PymapWorld(request.getfixturevalue("pymap"), spool_dir)
    return MemoryWorld()


@pytest.fixture
def connector(world: World) -> Iterator[MailConnector]:
    with world.connector() as entered:
        yield entered


def contents(connector: MailConnector, folder: str, uids: list[int]) -> dict[int, bytes]:
    found = {}
    for one in connector.bodies(folder, uids):
        assert isinstance(one, RawMessage)
        found[one.uid] = bytes(one.content)
    return found


def heads(connector: MailConnector, folder: str, uids: list[int]) -> dict[int, MessageHead]:
    return {head.uid: head for head in connector.heads(folder, uids, FIELDS)}


def test_the_inbox_is_listed_with_its_role(connector: MailConnector) -> None:
    assert [f.ref for f in connector.folders() if f.role is FolderRole.INBOX] == ["INBOX"]


def test_a_folder_that_does_not_exist_is_gone(connector: MailConnector) -> None:
    with pytest.raises(CollectionGone) as caught:
        connector.state("Nowhere")
    assert caught.value.collection == "Nowhere"
    assert connector.state("INBOX").count == 0


def test_the_states_of_several_folders_come_together(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    states = connector.states(["Nowhere", "INBOX"])
    assert states["INBOX"] == connector.state("INBOX")
    gone = states["Nowhere"]
    assert isinstance(gone, CollectionGone)
    assert gone.collection == "Nowhere"


def test_the_states_of_no_folder_are_none(connector: MailConnector) -> None:
    assert connector.states([]) == {}


def test_reading_a_folder_that_does_not_exist_is_no_empty_answer(connector: MailConnector) -> None:
    with pytest.raises(CollectionGone):
        connector.uids("Nowhere")
    with pytest.raises(CollectionGone):
        list(connector.heads("Nowhere", [1], FIELDS))
    with pytest.raises(CollectionGone):
        list(connector.bodies("Nowhere", [1]))


def test_the_state_counts_messages_and_foretells_uids(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    before = connector.state("INBOX")
    world.deliver("INBOX", mail(2))
    after = connector.state("INBOX")
    assert (before.count, after.count) == (1, 2)
    assert before.epoch == after.epoch
    first, second = connector.uids("INBOX")
    assert first < before.next_uid <= second < after.next_uid


def test_uids_are_ascending_and_above_the_bound(world: World, connector: MailConnector) -> None:
    for number in range(5):
        world.deliver("INBOX", mail(number))
    every = list(connector.uids("INBOX"))
    assert len(every) == 5
    assert every == sorted(set(every))
    assert list(connector.uids("INBOX", above=every[2])) == every[3:]
    assert list(connector.uids("INBOX", above=every[-1])) == []
    assert list(connector.uids("INBOX", above=every[-1] + 1000)) == []


def test_an_empty_folder_has_no_messages(connector: MailConnector) -> None:
    assert list(connector.uids("INBOX")) == []
    assert list(connector.heads("INBOX", [], FIELDS)) == []
    assert list(connector.bodies("INBOX", [])) == []


def test_a_head_has_the_fields_asked_for_and_what_the_server_knows(
    world: World, connector: MailConnector
) -> None:
    world.deliver("INBOX", mail(1), flags=("\\Flagged",))
    uids = list(connector.uids("INBOX"))
    head = heads(connector, "INBOX", uids)[uids[0]]
    assert head.size == len(mail(1))
    assert head.received_at == WHEN
    assert head.keywords - {"\\Recent"} == {"\\Flagged"}
    assert head.header.splitlines(keepends=True) == [
        b"From: Jean <jean1@example.org>\r\n",
        b"To: Claire <claire@acme.example>,\r\n",
        b" other@example.org\r\n",
        b"Subject: number 1\r\n",
        b"Message-ID: <1@example.org>\r\n",
        b"\r\n",
    ]


def test_a_body_is_the_message_octet_by_octet(world: World, connector: MailConnector) -> None:
    sent = [mail(1), mail(2, "\xe9 \x80 é\r\n" * 10), mail(3, "")]
    for raw in sent:
        world.deliver("INBOX", raw)
    uids = list(connector.uids("INBOX"))
    assert contents(connector, "INBOX", uids) == dict(zip(uids, sent, strict=True))


def test_a_large_message_comes_whole(world: World, connector: MailConnector) -> None:
    large = mail(1, "0123456789abcdef" * 3 * 1024 * 128 + "\r\n")
    world.deliver("INBOX", large)
    world.deliver("INBOX", mail(2))
    uids = list(connector.uids("INBOX"))
    assert contents(connector, "INBOX", uids) == dict(zip(uids, [large, mail(2)], strict=True))


def test_what_is_not_there_any_more_is_left_out(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    world.deliver("INBOX", mail(2))
    uids = list(connector.uids("INBOX"))
    world.expunge_first("INBOX")
    wanted = [*uids, uids[-1] + 500]
    connector.state("INBOX")
    assert list(heads(connector, "INBOX", wanted)) == [uids[1]]
    assert contents(connector, "INBOX", wanted) == {uids[1]: mail(2)}


def test_reading_leaves_no_trace(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    world.deliver("INBOX", mail(2), flags=("\\Seen",))
    uids = list(connector.uids("INBOX"))
    heads(connector, "INBOX", uids)
    contents(connector, "INBOX", uids)
    connector.state("INBOX")
    assert world.keywords("INBOX") == [frozenset(), {"\\Seen"}]


def test_a_kept_connection_sees_new_mail(world: World, connector: MailConnector) -> None:
    for number in range(1, 4):
        world.deliver("INBOX", mail(number))
        assert connector.state("INBOX").count == number
        uids = list(connector.uids("INBOX"))
        assert len(uids) == number
        assert contents(connector, "INBOX", uids[-1:]) == {uids[-1]: mail(number)}


@pytest.mark.parametrize("world", ["dovecot", "memory"], indirect=True)
def test_a_folder_replaced_while_it_is_read_is_an_error(world: World) -> None:
    world.deliver("INBOX", mail(1))
    with world.connector() as connector:
        before = connector.state("INBOX")
        world.change_epoch("INBOX")
        with pytest.raises(CollectionError) as caught:
            connector.uids("INBOX")
        assert not isinstance(caught.value, CollectionGone)
        after = connector.state("INBOX")
        assert after.epoch != before.epoch
        assert len(connector.uids("INBOX")) == 1


def test_a_refused_login_is_an_error_of_the_mailbox(world: World) -> None:
    with pytest.raises(AuthFailed), world.connector_with_wrong_password():
        pass


def test_a_connector_works_only_while_it_is_entered(world: World) -> None:
    connector = world.connector()
    with pytest.raises(Unreachable):
        connector.state("INBOX")
    with connector:
        assert connector.state("INBOX").count == 0
    with pytest.raises(Unreachable):
        connector.uids("INBOX")
    with connector:
        assert connector.state("INBOX").count == 0
