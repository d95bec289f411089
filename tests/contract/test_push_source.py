"""What every source of notifications keeps to: streaming of Exchange, IDLE, and the one in memory."""

import selectors
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import Security
from connectors.errors import AuthFailed, MailboxError, Unreachable
from connectors.ews import streaming
from connectors.ews.access import EwsAccess, Password
from connectors.ews.push import EwsPushSource
from connectors.imap import auth, push
from connectors.imap.access import ImapAccess
from connectors.imap.push import ImapPushSource
from connectors.protocol import Heard, PushSource, Subject
from connectors.testing_push import MemoryPushSource, MemoryStream
from tests.servers.dovecot import DovecotServer
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.exchange import ews_access
from tests.servers.proxy import CuttingProxy

CLAIRE = "claire@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nBonjour.\r\n"


@dataclass
class Party:
    """A source, and what others do to the mailbox that it listens to."""

    source: PushSource
    deliver: Callable[[], object]
    cut: Callable[[], object]
    refused: Callable[[], PushSource]  # the same with a login that is refused
    refusals: Callable[[], int]


@pytest.fixture(params=["exchange basic", "exchange ntlm", "dovecot", "dovecot starttls", "memory"])
def party(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Party]:
    kind = str(request.param)
    if kind == "memory":
        made = of_memory()
        yield made
        made.source.close()
        made.cut()
    elif kind.startswith("exchange"):
        made = of_exchange(request.getfixturevalue("ews"), tmp_path, ntlm=kind.endswith("ntlm"))
        yield made
        made.source.close()
    else:
        with CuttingProxy(0) as proxy:
            made = of_dovecot(
                request.getfixturevalue("dovecot"), proxy, tmp_path, starttls=kind.endswith("starttls")
            )
            yield made
            made.source.close()


def of_memory() -> Party:
    stream, closed = MemoryStream(), MemoryStream()

    def refuse() -> AuthFailed:
        return AuthFailed("no")

    closed.refuses = refuse
    return Party(
        MemoryPushSource(stream),
        lambda: stream.tell(Subject.MAIL),
        stream.cut,
        lambda: MemoryPushSource(closed),
        lambda: closed.opened,
    )


def of_exchange(ews: EwsServer, folder: Path, *, ntlm: bool) -> Party:
    ews.subscriptions.heartbeat = 60.0
    ews.logins.schemes = {"NTLM"} if ntlm else {"Basic"}
    password = ews.add_mailbox(CLAIRE)
    other = OtherClient(ews, CLAIRE)

    def source(secret: str) -> EwsPushSource:
        found = ews_access(ews, CLAIRE, secret, folder)
        access = EwsAccess(
            CLAIRE,
            Password(CLAIRE, lambda: secret, "ntlm" if ntlm else "basic"),
            url=found.url,
            ca_file=found.ca_file,
            timeout=timedelta(seconds=10),
            spool_dir=folder,
        )
        return EwsPushSource(
            access,
            mail=lambda listed: [one.ref for one in listed if one.ref == "INBOX"],
            calendars=lambda listed: [one.ref for one in listed],
        )

    return Party(
        source(password),
        lambda: other.add_mail(MAIL),
        ews.drop_connections,
        lambda: source("wrong"),
        lambda: len(ews.logins.refused),
    )


def of_dovecot(server: DovecotServer, proxy: CuttingProxy, folder: Path, *, starttls: bool) -> Party:
    account = server.add_user()
    proxy._target = server.port if starttls else server.tls_port
    refusals: list[int] = []

    def source(secret: str, port: int) -> ImapPushSource:
        return ImapPushSource(
            ImapAccess(
                host="localhost",
                username=account.username,
                auth=auth.Password(lambda: secret),
                spool_dir=folder,
                security=Security.STARTTLS if starttls else Security.TLS,
                port=port,
                ca_file=server.ca_file,
                timeout=timedelta(seconds=10),
            )
        )

    def refused() -> PushSource:
        refusals.append(1)
        return source("wrong", proxy._target)

    def cut() -> None:
        proxy.close_connections()

    return Party(
        source(account.password, proxy.port),
        lambda: server.deliver(account, "INBOX", MAIL),
        cut,
        refused,
        lambda: len(refusals),
    )


def heard(source: PushSource, seconds: float = 10.0) -> Heard:
    """What it tells within that time, without heartbeats."""
    end = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        selector.register(source.fileno(), selectors.EVENT_READ)
        while (left := end - time.monotonic()) > 0:
            if source.pending() or selector.select(left):
                told = source.arrived()
                if told.subjects or told.over:
                    return told
    return Heard()


def test_a_change_is_told_to_who_listens(party: Party) -> None:
    party.source.open()
    party.deliver()
    assert heard(party.source) == Heard(frozenset({Subject.MAIL}))
    assert heard(party.source, 0.5) == Heard(), "each change is told once"
    party.deliver()
    assert heard(party.source).subjects == {Subject.MAIL}


def test_what_the_tls_layer_holds_is_told_to_its_end_however_small_the_pieces(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    party.source.open()
    heard(party.source, 0.3)
    for module in (streaming, push):
        monkeypatch.setattr(module, "PIECE", 1)
        monkeypatch.setattr(module, "PIECES", 1)
    party.deliver()
    assert heard(party.source).subjects == {Subject.MAIL}


def test_looking_never_waits_however_little_is_there(party: Party) -> None:
    party.source.open()
    began = time.monotonic()
    for _ in range(20):
        assert not party.source.arrived().over
    assert time.monotonic() - began < 1.0


def test_a_broken_connection_is_an_error_and_it_can_be_opened_anew(party: Party) -> None:
    party.source.open()
    party.cut()
    with pytest.raises(Unreachable):
        heard(party.source)
    party.source.close()
    party.source.open()
    party.deliver()
    assert heard(party.source).subjects == {Subject.MAIL}


def test_opened_again_it_listens_once(party: Party) -> None:
    party.source.open()
    party.source.open()
    party.deliver()
    assert heard(party.source).subjects == {Subject.MAIL}


def test_what_is_closed_or_forgotten_says_so_and_may_be_closed_twice(party: Party) -> None:
    party.source.open()
    party.source.forget()
    party.source.close()
    party.source.close()
    party.source.forget()
    with pytest.raises(Unreachable):
        party.source.arrived()
    assert not party.source.pending()


def test_a_refused_login_is_tried_once(party: Party) -> None:
    source = party.refused()
    with pytest.raises(AuthFailed):
        source.open()
    assert party.refusals() == 1
    with pytest.raises(MailboxError):
        source.arrived()


def test_it_is_renewed_in_time_and_silence_is_not_taken_for_ever(party: Party) -> None:
    assert timedelta(0) < party.source.lasts <= timedelta(minutes=30)
    assert timedelta(0) < party.source.silence <= party.source.lasts
