"""IDLE: what servers say while they are waited for, good and bad."""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import (
    CollectionRefused,
    MailboxError,
    ProtocolViolation,
    RateLimited,
    Unreachable,
    Unsupported,
)
from connectors.imap.push import LONGEST_LINE, ImapPushSource
from connectors.protocol import Heard, Subject
from tests.contract.test_push_source import heard
from tests.servers.access import local_access
from tests.servers.hostile_imap import HostileImap, Reaction
from tests.servers.ports import wait_until

MAIL = Heard(frozenset({Subject.MAIL}))
OFFERS: dict[str, Reaction] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN IDLE\r\nTAG OK done\r\n",
    "LOGIN": b"TAG OK [CAPABILITY IMAP4rev1 IDLE] logged in\r\n",
}


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[Callable[[Reaction], ImapPushSource]]:
    """Makes a source on a server that says this to IDLE."""
    with HostileImap(OFFERS) as server:
        made: list[ImapPushSource] = []

        def source(idle: Reaction) -> ImapPushSource:
            server.script["IDLE"] = idle
            access = local_access(server.port, tmp_path, timeout=timedelta(seconds=1.5))
            made.append(ImapPushSource(access))
            return made[-1]

        yield source
        for one in made:
            one.close()


def test_what_comes_together_with_the_beginning_is_told(
    hostile: Callable[[Reaction], ImapPushSource],
) -> None:
    for said in (
        b"+ idling\r\n* 3 EXISTS\r\n",
        b"* 3 EXISTS\r\n+ idling\r\n",
        b"+ idling\r\n* 3 exists\r\n* 4",
    ):
        source = hostile(said)
        source.open()
        assert source.pending()
        assert source.arrived() == MAIL
        assert not source.pending()


def test_a_line_is_read_however_it_is_cut(hostile: Callable[[Reaction], ImapPushSource]) -> None:
    def slowly(_: bytes) -> Iterable[bytes]:
        for octet in b"+ idling\r\n* OK still here\r\n* 12 EXISTS\r\n":
            yield bytes([octet])
            time.sleep(0.002)

    source = hostile(slowly)
    source.open()
    assert heard(source) == MAIL


@pytest.mark.parametrize(
    "said", [b"* OK Still here", b"* 2 EXPUNGE", b"* 2 FETCH (FLAGS (\\Seen))", b"* 3 EXISTS x", b"+ more"]
)
def test_what_is_no_news_is_not_told(hostile: Callable[[Reaction], ImapPushSource], said: bytes) -> None:
    source = hostile(b"+ idling\r\n" + said + b"\r\n")
    source.open()
    assert heard(source, 0.3) == Heard()


def test_a_server_that_ends_the_waiting_by_itself_is_over(
    hostile: Callable[[Reaction], ImapPushSource],
) -> None:
    source = hostile(b"+ idling\r\nTAG OK IDLE terminated\r\n")
    source.open()
    assert heard(source) == Heard(over=True)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"* BYE Disconnected for inactivity\r\n", Unreachable),
        (b"* BYE [LIMIT] too many connections\r\n", RateLimited),
        (b"HTTP/1.1 400 Bad Request\r\n", ProtocolViolation),
        (b"* " + b"x" * (LONGEST_LINE + 10), ProtocolViolation),
        (b"* 3 EXISTS\r\n" * 50_000 + b"nonsense\r\n", ProtocolViolation),
    ],
    ids=["bye", "busy", "no IMAP", "a line without an end", "a flood"],
)
def test_what_servers_say_badly_is_an_error_of_ours(
    hostile: Callable[[Reaction], ImapPushSource], said: bytes, error: type[MailboxError]
) -> None:
    source = hostile(b"+ idling\r\n" + said)
    source.open()
    with pytest.raises(error):
        listen(source)


def listen(source: ImapPushSource) -> None:
    """Until something goes wrong."""
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        heard(source, 0.5)


@pytest.mark.parametrize(
    ("idle", "error"),
    [
        (b"TAG NO not now, try again later\r\n", Unreachable),
        (b"TAG BAD what?\r\n", Unreachable),
        (b"TAG NO [LIMIT] too many\r\n", RateLimited),
        (b"", Unreachable),
        (b"* OK wait\r\n", Unreachable),
    ],
    ids=["later", "bad", "busy", "gone", "silent"],
)
def test_a_server_that_does_not_begin_to_wait_is_an_error_of_ours(
    hostile: Callable[[Reaction], ImapPushSource], idle: bytes, error: type[MailboxError]
) -> None:
    source = hostile(idle)
    began = time.monotonic()
    with pytest.raises(error):
        source.open()
    assert time.monotonic() - began < 6.0


def test_a_server_without_idle_is_told_from_one_that_fails(tmp_path: Path) -> None:
    with HostileImap() as server:
        source = ImapPushSource(local_access(server.port, tmp_path))
        with pytest.raises(Unsupported):
            source.open()
        assert b"IDLE" not in server.commands
        wait_until(lambda: b"LOGOUT" in server.commands, "it says goodbye")


def test_an_inbox_that_is_refused_is_an_error_of_that_folder(tmp_path: Path) -> None:
    with HostileImap({**OFFERS, "EXAMINE": b"TAG NO [NOPERM] no\r\n"}) as server:
        source = ImapPushSource(local_access(server.port, tmp_path))
        with pytest.raises(CollectionRefused):
            source.open()
        assert b"IDLE" not in server.commands
