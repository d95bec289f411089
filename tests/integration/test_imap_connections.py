"""Connections to a mail server that break, stall or trickle: bounded, and told apart from nonsense."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import Security
from connectors.errors import (
    Unreachable,
)
from connectors.imap.client import ImapConnector
from tests.servers.access import imap_access
from tests.servers.dovecot import Account, DovecotServer
from tests.servers.imap_bodies import bodies
from tests.servers.proxy import CuttingProxy

FIELDS = ("From", "Subject")
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\n" + b"0123456789abcde\r\n" * 1000


# Between us and a real server.


@pytest.fixture
def proxy(dovecot: DovecotServer) -> Iterator[CuttingProxy]:
    with CuttingProxy(dovecot.port) as running:
        yield running


@pytest.fixture
def behind(dovecot: DovecotServer, account: Account, proxy: CuttingProxy, spool_dir: Path) -> ImapConnector:
    dovecot.deliver(account, "INBOX", [MAIL] * 20)
    access = imap_access(
        dovecot, account, spool_dir, security=Security.NONE, port=proxy.port, timeout=timedelta(seconds=4)
    )
    return ImapConnector(access)


def test_a_connection_cut_once_costs_nothing(behind: ImapConnector, proxy: CuttingProxy) -> None:
    proxy.cut_after, proxy.only = 60_000, 1
    with behind:
        uids = list(behind.uids("INBOX"))
        assert bodies(behind, uids) == dict.fromkeys(uids, MAIL)
        assert [head.uid for head in behind.heads("INBOX", uids, FIELDS)] == uids
    assert proxy.connections == 2


def test_headers_cut_once_cost_nothing(behind: ImapConnector, proxy: CuttingProxy) -> None:
    with behind:
        uids = list(behind.uids("INBOX"))
    proxy.cut_after, proxy.only = 2500, 2
    with behind:
        assert sorted(head.uid for head in behind.heads("INBOX", uids, FIELDS)) == uids


def test_a_message_over_which_the_connection_always_breaks_is_an_item_error(
    behind: ImapConnector, proxy: CuttingProxy, dovecot: DovecotServer, account: Account
) -> None:
    dovecot.deliver(account, "INBOX", MAIL * 10)
    with behind:
        uids = list(behind.uids("INBOX"))
        proxy.cut_after = len(MAIL) * 5
        found = bodies(behind, [uids[0], uids[-1]])
    assert found[uids[0]] == MAIL
    assert "dropped the connection" in str(found[uids[-1]])


def test_a_server_that_goes_down_is_unreachable_at_once(behind: ImapConnector, proxy: CuttingProxy) -> None:
    with behind:
        uids = list(behind.uids("INBOX"))
        proxy.cut_after = 0
        with pytest.raises(Unreachable):
            bodies(behind, uids)
    assert proxy.connections <= 3


def test_a_connection_that_stalls_is_given_up(behind: ImapConnector, proxy: CuttingProxy) -> None:
    with behind:
        behind.state("INBOX")
        proxy.stall_after = 0
        started = time.monotonic()
        with pytest.raises(Unreachable, match="silent for 4 s"):
            behind.state("Sent")
        assert time.monotonic() - started < 30


def test_a_connection_that_trickles_is_given_up(behind: ImapConnector, proxy: CuttingProxy) -> None:
    proxy.trickle_after = 0
    started = time.monotonic()
    with pytest.raises(Unreachable, match="too slowly"), behind:
        pass
    assert time.monotonic() - started < 30


def test_a_kept_connection_that_died_is_found_out(
    behind: ImapConnector, dovecot: DovecotServer, proxy: CuttingProxy
) -> None:
    with behind:
        assert behind.state("INBOX").count == 20
        assert behind.alive()
        proxy.__exit__(None, None, None)
        assert not behind.alive()
        with pytest.raises(Unreachable):
            behind.state("INBOX")
        with pytest.raises(Unreachable):
            behind.uids("INBOX")
