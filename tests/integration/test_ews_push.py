"""Streaming notifications of Exchange: what is subscribed to, what is told, and servers that mean harm."""

import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import (
    AuthFailed,
    CollectionError,
    MailboxError,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
    Unsupported,
    Untrusted,
)
from connectors.ews import events, piecewise, streaming
from connectors.ews.access import Entry, EwsAccess, Password, Token
from connectors.ews.push import EwsPushSource
from connectors.protocol import Heard, Subject
from tests.contract.test_push_source import heard
from tests.servers.certs import CertAuthority
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews_answers import answer, message, reaction
from tests.servers.exchange import ews_access
from tests.servers.scripted_dav import Reply, ScriptedDav
from tests.servers.scripted_dav import Request as Asked
from tests.unit.test_ews_stream import HEAD, document, notification

CLAIRE = "claire@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nBonjour.\r\n"
NINE, TEN = datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)
BOTH = Heard(frozenset({Subject.MAIL, Subject.CALENDAR}))


@pytest.fixture
def access(ews: EwsServer, tmp_path: Path) -> EwsAccess:
    ews.subscriptions.heartbeat = 0.2
    return ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), tmp_path)


def source_of(access: EwsAccess, *, calendars: bool = True) -> EwsPushSource:
    return EwsPushSource(
        access,
        mail=lambda listed: [one.ref for one in listed if one.ref == "INBOX"],
        calendars=(lambda listed: [one.ref for one in listed]) if calendars else None,
    )


@pytest.fixture
def source(access: EwsAccess) -> Iterator[EwsPushSource]:
    made = source_of(access)
    yield made
    made.close()


def test_mail_calendars_and_tasks_are_told_apart(ews: EwsServer, source: EwsPushSource) -> None:
    other = OtherClient(ews, CLAIRE)
    source.open()
    other.add_mail(MAIL)
    assert heard(source).subjects == {Subject.MAIL}
    event = other.add_event("Réunion", NINE, TEN)
    assert heard(source).subjects == {Subject.CALENDAR}
    other.edit(event, Subject="Autre réunion")
    assert heard(source).subjects == {Subject.CALENDAR}
    other.add_task("Rappeler Paul")
    assert heard(source).subjects == {Subject.CALENDAR}


def test_what_does_not_concern_the_synchronised_folders_is_not_told(
    ews: EwsServer, source: EwsPushSource
) -> None:
    other = OtherClient(ews, CLAIRE)
    read = other.add_mail(MAIL)
    source.open()
    other.add_mail(MAIL, folder="junkemail")
    other.edit(read, IsRead="true")
    assert heard(source, 1.0) == Heard()


def test_two_subscriptions_stand_while_it_listens_and_none_afterwards(
    ews: EwsServer, source: EwsPushSource
) -> None:
    source.open()
    assert len(ews.subscriptions.ids) == 2
    first = set(ews.subscriptions.ids)
    source.open()
    assert len(ews.subscriptions.ids) == 2
    assert not first & set(ews.subscriptions.ids)
    source.forget()
    assert ews.subscriptions.ids == []


def test_heartbeats_are_signs_of_life_and_nothing_else(ews: EwsServer, source: EwsPushSource) -> None:
    source.open()
    assert heard(source, 1.0) == Heard()


@pytest.mark.parametrize("how", ["closed", "lost"])
def test_a_stream_that_ends_in_good_order_is_over(ews: EwsServer, source: EwsPushSource, how: str) -> None:
    source.open()
    assert ews.subscriptions.await_streams(1)
    assert heard(source, 0.3) == Heard()
    ews.subscriptions.close_streams() if how == "closed" else ews.subscriptions.forget_all()
    assert heard(source).over


def test_impersonation_and_delegates_are_told_of_the_mailbox_that_is_read(
    ews: EwsServer, access: EwsAccess, tmp_path: Path
) -> None:
    other = OtherClient(ews, CLAIRE)
    secret = ews.add_service_account("svc-syncd")
    denis = ews.add_mailbox("denis@acme.example")
    ews.delegate(CLAIRE, "denis@acme.example")
    for login, password, entry in (
        ("svc-syncd", secret, Entry.IMPERSONATE),
        ("denis@acme.example", denis, Entry.DELEGATE),
    ):
        auth = Password(login, lambda password=password: password, "basic")  # type: ignore[misc]
        source = source_of(dataclasses.replace(access, auth=auth, entry=entry), calendars=False)
        source.open()
        other.add_mail(MAIL)
        assert heard(source).subjects == {Subject.MAIL}
        source.close()


class Tokens:
    """Where a token comes from: the first one that is given was withdrawn."""

    def __init__(self, fresh: str) -> None:
        self._current = "withdrawn"
        self._fresh = fresh

    def token(self, *, instead_of: str | None = None) -> str:
        if instead_of == self._current:
            self._current = self._fresh
        return self._current


def test_a_token_that_was_withdrawn_is_renewed_before_the_stream_is_asked_for(
    ews: EwsServer, access: EwsAccess
) -> None:
    tokens = Tokens(ews.logins.grant(CLAIRE))
    source = source_of(dataclasses.replace(access, auth=Token(tokens)), calendars=False)
    source.open()
    OtherClient(ews, CLAIRE).add_mail(MAIL)
    assert heard(source).subjects == {Subject.MAIL}
    source.close()
    assert len(ews.logins.refused) == 1


def test_a_busy_server_says_how_long_to_wait(ews: EwsServer, source: EwsPushSource) -> None:
    for operation in ("Subscribe", "GetStreamingEvents"):
        ews.faults.plan(Fault.BUSY, operation, seconds=90)
        with pytest.raises(RateLimited) as caught:
            source.open()
        assert caught.value.retry_after == timedelta(seconds=90)
    ews.subscriptions.most_streams = 0
    source.open()
    with pytest.raises(RateLimited):
        heard(source)


@pytest.mark.parametrize(
    ("operation", "fault"),
    [
        (operation, fault)
        for operation in ("GetFolder", "FindFolder", "Subscribe", "GetStreamingEvents")
        for fault in (
            Fault.UNAVAILABLE_BEFORE, Fault.RESET_BEFORE, Fault.GARBAGE, Fault.TRUNCATED, Fault.INTERNAL
        )
        if operation != "GetStreamingEvents" or fault not in {Fault.GARBAGE, Fault.TRUNCATED}
    ],
)  # fmt: skip
def test_a_fault_at_any_step_is_an_error_of_ours_and_the_next_time_is_a_new_one(
    ews: EwsServer, source: EwsPushSource, operation: str, fault: Fault
) -> None:
    ews.faults.plan(fault, operation)
    with pytest.raises((Unreachable, ProtocolViolation)):
        source.open()
    ews.faults.clear()
    source.open()
    OtherClient(ews, CLAIRE).add_mail(MAIL)
    assert heard(source).subjects == {Subject.MAIL}


def test_a_stream_that_lets_nobody_in_does_not_lock_the_account(
    ews: EwsServer, source: EwsPushSource
) -> None:
    ews.faults.plan(Fault.UNAUTHORIZED, "GetStreamingEvents")
    with pytest.raises(ProtocolViolation, match="lets nobody in for notifications"):
        source.open()


def test_a_mailbox_without_folders_to_tell_of_says_so(access: EwsAccess) -> None:
    source = EwsPushSource(access, mail=lambda _: [], calendars=None)
    with pytest.raises(Unsupported):
        source.open()


def test_a_folder_that_may_not_be_told_of_is_an_error(ews: EwsServer, access: EwsAccess) -> None:
    source = EwsPushSource(access, mail=None, calendars=lambda _: ["AAAA"])
    with pytest.raises(CollectionError):
        source.open()


def test_a_certificate_that_nobody_vouches_for_is_refused(access: EwsAccess, tmp_path: Path) -> None:
    stranger = CertAuthority(tmp_path / "stranger").ca_file
    with pytest.raises(Untrusted):
        source_of(dataclasses.replace(access, ca_file=stranger)).open()


def test_no_secret_gets_into_a_message(ews: EwsServer, access: EwsAccess) -> None:
    auth = Password(CLAIRE, lambda: "canary-of-a-password", "basic")
    with pytest.raises(AuthFailed) as caught:
        source_of(dataclasses.replace(access, auth=auth)).open()
    assert "canary" not in str(caught.value)


# A server that follows a script.

SUBSCRIBED = answer("Subscribe", message("Subscribe", "<m:SubscriptionId>s1</m:SubscriptionId>"))


def scripted(
    tmp_path: Path,
    streamed: Callable[[Asked], Reply],
    *,
    timeout: float = 5.0,
    auth: Password | None = None,
) -> tuple[ScriptedDav, EwsPushSource]:
    server = ScriptedDav({".*": reaction(Subscribe=SUBSCRIBED, GetStreamingEvents=streamed)})
    access = EwsAccess(
        CLAIRE,
        auth or Password(CLAIRE, lambda: "unsent", "basic"),
        url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
        timeout=timedelta(seconds=timeout),
        spool_dir=tmp_path,
    )
    return server, source_of(access, calendars=False)


def pieces(*several: bytes) -> Callable[[Asked], Reply]:
    return lambda _: Reply(raw=several)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def test_what_comes_together_with_the_head_is_told(tmp_path: Path) -> None:
    together = HEAD + chunk(document()) + chunk(document(notification("CreatedEvent")))
    server, source = scripted(tmp_path, pieces(together))
    with server:
        source.open()
        assert source.pending()
        assert source.arrived().subjects == {Subject.MAIL}
        source.close()


def test_a_subscription_that_we_do_not_know_means_everything(tmp_path: Path) -> None:
    odd = HEAD + chunk(document(notification("CreatedEvent", subscription="other")))
    server, source = scripted(tmp_path, pieces(odd))
    with server:
        source.open()
        assert source.arrived().subjects == {Subject.MAIL}
        source.close()


def endless(start: bytes, filling: bytes) -> Callable[[Asked], Reply]:
    def raw() -> Iterable[bytes]:
        yield start
        while True:
            yield filling

    return lambda _: Reply(raw=raw())


@pytest.mark.parametrize(
    "streamed",
    [
        pieces(b"220 mail.example ESMTP\r\n\r\n"),
        pieces(HEAD + b"zz\r\n"),
        pieces(HEAD + chunk(b"<html><body>sign in</body></html>")),
        pieces(HEAD + chunk(b"<!DOCTYPE a><a/>")),
        pieces(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n"),
        endless(b"HTTP/1.1 200 OK\r\n", b"X-Y: " + b"z" * 10_000 + b"\r\n"),
        endless(HEAD, chunk(b"<a>" * 10_000)),
        endless(HEAD + chunk(b"<a>"), chunk(b"a" * 10_000)),
        endless(HEAD + chunk(b"<a b='"), chunk(b"a" * 10_000)),
        pieces(b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"),
    ],
    ids=[
        "another protocol",
        "no chunks",
        "a page",
        "a document type",
        "compressed",
        "a head without an end",
        "too deep",
        "a document without an end",
        "an attribute without an end",
        "a redirect",
    ],
)
def test_what_is_no_stream_is_refused_in_bounded_time_and_memory(
    tmp_path: Path, streamed: Callable[[Asked], Reply]
) -> None:
    server, source = scripted(tmp_path, streamed)
    with server:
        began = time.monotonic()
        with pytest.raises(ProtocolViolation):
            listen(source)
        assert time.monotonic() - began < 5.0
        source.close()


def listen(source: EwsPushSource) -> None:
    """Until something goes wrong."""
    source.open()
    end = time.monotonic() + 5.0
    while time.monotonic() < end:
        heard(source, 0.2)


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(403), ProtocolViolation),
        (Reply(429, headers={"Retry-After": "7"}), RateLimited),
        (Reply(503), Unreachable),
        (Reply(404), ProtocolViolation),
        (Reply(200, b"", {"Content-Length": "0"}), None),
    ],
)
def test_an_answer_that_is_no_stream_says_what_it_is(
    tmp_path: Path, reply: Reply, error: type[MailboxError] | None
) -> None:
    server, source = scripted(tmp_path, lambda _: reply)
    with server:
        if error is None:
            source.open()
            assert source.arrived().over or heard(source).over
        else:
            with pytest.raises(error):
                source.open()
        source.close()


def test_a_server_that_takes_the_request_and_says_nothing_is_given_up(tmp_path: Path) -> None:
    server, source = scripted(tmp_path, pieces(b""), timeout=0.5)
    with server:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            source.open()
        assert time.monotonic() - began < 3.0


def test_a_server_that_trickles_its_head_is_given_up(tmp_path: Path) -> None:
    def raw() -> Iterable[bytes]:
        yield b"HTTP/1.1 200 OK\r\nX: "
        while True:
            time.sleep(0.05)
            yield b"y"

    server, source = scripted(tmp_path, lambda _: Reply(raw=raw()), timeout=0.6)
    with server:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            source.open()
        assert time.monotonic() - began < 3.0


@pytest.mark.parametrize(
    "challenge",
    [
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM !!!!\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM AAAA\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_odd_handshake_of_ntlm_is_an_error_of_ours(tmp_path: Path, challenge: bytes) -> None:
    server = ScriptedDav({".*": Reply(raw=[challenge])})
    with server:
        access = EwsAccess(
            CLAIRE,
            Password(CLAIRE, lambda: "unsent", "ntlm"),
            url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
            timeout=timedelta(seconds=3),
            spool_dir=tmp_path,
        )
        with pytest.raises(SyncdError):
            streaming.Stream(access, access.url, {}, b"<a/>")


def test_the_bounds_are_those_that_the_tests_go_beyond() -> None:
    assert piecewise.LARGEST_HEAD < 1024 * 1024
    assert events.LARGEST_DOCUMENT < 16 * 1024 * 1024
