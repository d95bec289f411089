"""Answers to a request for notifications that are no stream, or an odd one, octet by octet."""

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import (
    MailboxError,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
)
from connectors.ews import events, piecewise, streaming
from connectors.ews.access import EwsAccess, Password
from connectors.ews.push import EwsPushSource
from connectors.protocol import Heard, Subject
from tests.contract.test_push_source import heard
from tests.integration.test_ews_push import source_of
from tests.servers.ews_answers import answer, message, reaction
from tests.servers.scripted_dav import Reply, ScriptedDav
from tests.servers.scripted_dav import Request as Asked
from tests.unit.test_ews_stream import HEAD, document, notification

CLAIRE = "claire@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nBonjour.\r\n"
NINE, TEN = datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)
BOTH = Heard(frozenset({Subject.MAIL, Subject.CALENDAR}))


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


def test_what_is_told_right_before_an_error_is_heard_first(tmp_path: Path) -> None:
    both = chunk(document(notification("CreatedEvent"))) + chunk(document(code="ErrorServerBusy"))
    server, source = scripted(tmp_path, pieces(HEAD + chunk(document()), both))
    with server:
        source.open()
        assert heard(source).subjects == {Subject.MAIL}
        with pytest.raises(RateLimited):
            heard(source)
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
