"""Reading a real mailbox: what is found, what it costs in memory and disk, and that nobody notices."""

import contextlib
import gc
import itertools
import logging
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.settings import Security
from connectors.errors import CollectionError, CollectionGone, ItemError
from connectors.imap.client import ImapConnector
from connectors.model import FolderRole, RawMessage
from tests.servers.access import imap_access
from tests.servers.dovecot import Account, DovecotServer

FIELDS = ("From", "To", "Subject", "Message-ID", "Date")


def mail(number: int, octets: int = 100) -> bytes:
    line = b"%06d 0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstu\r\n" % number
    head = b"From: secret-sender-%d@example.org\r\nSubject: secret-subject-%d\r\n\r\n" % (number, number)
    return head + line * max(1, octets // len(line))


@pytest.fixture
def connector(dovecot: DovecotServer, account: Account, spool_dir: Path) -> Iterator[ImapConnector]:
    with ImapConnector(imap_access(dovecot, account, spool_dir)) as entered:
        yield entered


def test_folders_of_every_kind_are_listed_and_read(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    names = [
        "Envoyés",
        "Éléments envoyés",
        "R&D",
        "日本語",
        "Clients/Dupont & fils",
        'a "b" \\c',
        "2026",
        "50% *",
        "NIL",
    ]
    for number, name in enumerate(names, 1):
        dovecot.deliver(account, name, [mail(n) for n in range(number)])
    listed = {folder.ref: folder for folder in connector.folders()}
    assert set(names) <= set(listed)
    assert {ref for ref, folder in listed.items() if folder.role is FolderRole.SENT} == {
        "Sent",
        "Envoyés",
        "Éléments envoyés",
    }
    for number, name in enumerate(names, 1):
        assert connector.state(name).count == number
        assert len(connector.uids(name)) == number


def test_a_folder_is_known_without_having_been_listed(
    dovecot: DovecotServer, account: Account, connector: ImapConnector, imap_commands: list[bytes]
) -> None:
    dovecot.deliver(account, "Éléments envoyés", mail(1))
    assert connector.state("Éléments envoyés").count == 1
    assert not any(line.startswith(b"LIST") for line in imap_commands)


def test_renamed_and_deleted_folders_are_gone(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    dovecot.deliver(account, "Old", mail(1))
    epoch = connector.state("Old").epoch
    dovecot.rename_folder(account, "Old", "New")
    with pytest.raises(CollectionGone):
        connector.state("Old")
    assert connector.state("New").epoch == epoch
    dovecot.delete_folder(account, "New")
    with pytest.raises(CollectionGone):
        connector.state("New")


def test_a_folder_without_rights_is_not_empty(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    dovecot.deliver(account, "Team", mail(1))
    assert connector.state("Team").count == 1
    dovecot.deny_folder(account, "Team")
    with pytest.raises(CollectionError) as caught:
        connector.uids("Team")
    assert not isinstance(caught.value, CollectionGone)
    dovecot.allow_folder(account, "Team")
    assert connector.state("Team").count == 1


def test_keywords_and_dates_are_those_of_the_server(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    when = datetime(2025, 7, 14, 23, 59, 1, tzinfo=UTC)
    dovecot.deliver(account, "INBOX", mail(1), internaldate=when, flags=("\\Seen", "Priv&AOk-", "$Private"))
    (head,) = connector.heads("INBOX", connector.uids("INBOX"), FIELDS)
    assert head.keywords - {"\\Recent"} == {"\\Seen", "Privé", "$Private"}
    assert head.received_at == when


def test_more_messages_than_a_batch_are_all_read_once(
    dovecot: DovecotServer, account: Account, connector: ImapConnector, imap_commands: list[bytes]
) -> None:
    sent = [mail(number) for number in range(1203)]
    names = dovecot.deliver(account, "INBOX", sent)
    for name in names[10:1000:7]:
        dovecot.expunge(account, "INBOX", name)
    kept = [raw for name, raw in zip(names, sent, strict=True) if name not in names[10:1000:7]]
    uids = list(connector.uids("INBOX"))
    assert len(uids) == len(kept)
    heads = list(connector.heads("INBOX", uids, FIELDS))
    assert sorted(head.uid for head in heads) == uids
    found = {b.uid: bytes(b.content) for b in connector.bodies("INBOX", uids) if isinstance(b, RawMessage)}
    assert [found[uid] for uid in uids] == kept
    fetches = [line for line in imap_commands if b"HEADER.FIELDS" in line]
    assert len(fetches) == 3


def test_large_messages_wait_in_files_that_are_gone_afterwards(
    dovecot: DovecotServer, account: Account, connector: ImapConnector, spool_dir: Path
) -> None:
    sent = [mail(n, size) for n, size in enumerate((5_000_000, 100, 9_000_000, 3_000_000, 4_500_000))]
    dovecot.deliver(account, "INBOX", sent)
    uids = list(connector.uids("INBOX"))
    found = []
    for one in connector.bodies("INBOX", uids):
        assert isinstance(one, RawMessage)
        assert one.content.readonly
        found.append(bytes(one.content))
        assert list(spool_dir.iterdir()) == []  # the files have no name
    assert found == sent


def open_spool_files(spool_dir: Path) -> int:
    targets = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            targets.append(str(link.readlink()))
    return sum(target.startswith(str(spool_dir)) for target in targets)


@pytest.mark.parametrize("ending", ["stops", "raises"])
def test_a_consumer_that_does_not_finish_leaves_no_file_behind(
    dovecot: DovecotServer, account: Account, connector: ImapConnector, spool_dir: Path, ending: str
) -> None:
    dovecot.deliver(account, "INBOX", [mail(n, 5_000_000) for n in range(3)])
    uids = list(connector.uids("INBOX"))

    def consume() -> None:
        for one in connector.bodies("INBOX", uids):
            assert isinstance(one, RawMessage)
            assert open_spool_files(spool_dir) in {1, 2}  # this one, and the next on its way
            if ending == "stops":
                break
            raise KeyError

    with contextlib.suppress(KeyError):
        consume()
    gc.collect()
    assert open_spool_files(spool_dir) == 0
    assert connector.state("INBOX").count == 3  # and the connection is still in step


def test_memory_stays_bounded_whatever_the_sizes(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    dovecot.deliver(
        account, "INBOX", (mail(n, size) for n, size in enumerate([3_900_000] * 10 + [30_000_000]))
    )
    uids = list(connector.uids("INBOX"))
    tracemalloc.start()
    try:
        total = sum(len(b.content) for b in connector.bodies("INBOX", uids) if isinstance(b, RawMessage))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 68_000_000
    assert peak < 20_000_000


def test_a_full_disk_costs_the_large_message_only(
    dovecot: DovecotServer, account: Account, spool_dir: Path
) -> None:
    dovecot.deliver(account, "INBOX", [mail(1), mail(2, 5_000_000), mail(3)])
    blocked = spool_dir / "file"
    blocked.touch()
    with ImapConnector(imap_access(dovecot, account, blocked / "spool")) as connector:
        uids = list(connector.uids("INBOX"))
        found = list(connector.bodies("INBOX", uids))
        assert connector.state("INBOX").count == 3
    assert [one.uid for one in found if isinstance(one, RawMessage)] == [uids[0], uids[2]]
    (failed,) = (one for one in found if isinstance(one, ItemError))
    assert failed.locator == str(uids[1])
    assert "no room" in str(failed)


def test_nothing_changes_in_the_mailbox(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    dovecot.deliver(account, "INBOX", [mail(n) for n in range(3)])
    dovecot.deliver(account, "Sent", [mail(9, 5_000_000)], flags=["\\Seen"])
    before = dovecot.file_names(account)
    for folder in connector.folders():
        connector.state(folder.ref)
        uids = connector.uids(folder.ref)
        assert len(list(connector.heads(folder.ref, uids, FIELDS))) == len(uids)
        assert len(list(connector.bodies(folder.ref, uids))) == len(uids)
    assert dovecot.file_names(account) == before


@pytest.mark.parametrize("security", [Security.TLS, Security.NONE])
def test_no_word_of_the_protocol_reaches_any_log(
    dovecot: DovecotServer,
    account: Account,
    spool_dir: Path,
    caplog: pytest.LogCaptureFixture,
    security: Security,
) -> None:
    caplog.set_level(logging.NOTSET)
    for name in ("imapclient", "imapclient.imaplib", "imapclient.imapclient", "connectors"):
        logging.getLogger(name).setLevel(1)
    dovecot.deliver(account, "INBOX", mail(1))
    with ImapConnector(imap_access(dovecot, account, spool_dir, security=security)) as connector:
        connector.folders()
        connector.state("INBOX")
        uids = connector.uids("INBOX")
        list(connector.heads("INBOX", uids, FIELDS))
        list(connector.bodies("INBOX", uids))
    logging.getLogger("imapclient.imaplib").debug("a line of somebody's mail")
    assert caplog.records == []


def test_two_readings_of_one_connection_may_alternate(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    dovecot.deliver(account, "INBOX", [mail(n) for n in range(120)])
    dovecot.deliver(account, "Sent", [mail(n) for n in range(500, 620)])
    inbox, sent = connector.uids("INBOX"), connector.uids("Sent")
    both = zip(connector.bodies("INBOX", inbox), connector.bodies("Sent", sent), strict=True)
    pairs = [
        (bytes(a.content), bytes(b.content))
        for a, b in both
        if not isinstance(a, ItemError) and not isinstance(b, ItemError)
    ]
    assert pairs == [(mail(n), mail(n + 500)) for n in range(120)]
    assert connector.state("INBOX").count == 120


def test_a_folder_rebuilt_between_state_and_reading_is_never_read_by_old_uids(
    dovecot: DovecotServer, account: Account, connector: ImapConnector
) -> None:
    dovecot.deliver(account, "INBOX", [mail(n) for n in range(3)])
    first = connector.state("INBOX")
    dovecot.change_uidvalidity(account, "INBOX", new_uids=False)
    for read in (
        lambda: connector.uids("INBOX"),
        lambda: list(connector.heads("INBOX", [1], FIELDS)),
        lambda: list(connector.bodies("INBOX", [1])),
    ):
        with pytest.raises(CollectionError, match="another UIDVALIDITY"):
            read()
    assert connector.state("INBOX").epoch != first.epoch
    assert len(connector.uids("INBOX")) == 3


def test_a_server_started_again_is_served_again(spool_dir: Path, dovecot: DovecotServer) -> None:
    with DovecotServer() as own:
        account = own.add_user()
        own.deliver(account, "INBOX", mail(1))
        connector = ImapConnector(imap_access(own, account, spool_dir))
        for _ in itertools.repeat(None, 2):
            with connector:
                assert connector.state("INBOX").count == 1
            own.stop()
            own.start()
