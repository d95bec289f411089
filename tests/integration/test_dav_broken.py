"""Listing and reading from CalDAV servers that misbehave: nothing hangs, nothing is taken for an empty
calendar, one bad item spoils no other."""

import gzip
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.calendar import Missing, RemoteItem
from connectors.dav.client import DavConnector
from connectors.errors import (
    CollectionError,
    CollectionGone,
    CollectionRefused,
    ItemError,
    MailboxError,
    ProtocolViolation,
    RateLimited,
    SyncdError,
    Unreachable,
)
from tests.servers.calendars import ics
from tests.servers.dav_answers import CAL, etag, item, multistatus, props, status, xml
from tests.servers.dav_serving import access, by_etags, report, serving
from tests.servers.scripted_dav import Reply, Request, ScriptedDav

TOKEN = '["sync","t1"]'
SECRET = "Rendez-vous secret"
WHOLE = multistatus(etag("/cal/a.ics"), etag("/cal/b.ics"), token="t2").body
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + b"".join(b'<!ENTITY %c "%s">' % (c + 1, b"&%c;" % c * 10) for c in range(97, 110))
    + b']><D:multistatus xmlns:D="DAV:">&n;</D:multistatus>'
)
EXTERNAL = (
    b'<!-- x --><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><D:multistatus xmlns:D="DAV:">'
    b"<D:response><D:href>/cal/&e;</D:href></D:response></D:multistatus>"
)
GARBAGE = {
    "cut": WHOLE[:-40],
    "empty": b"",
    "html": b"<!DOCTYPE html><html><body>Please log in</body></html>",
    "xhtml": b"<html><body>Please log in</body></html>",
    "bomb": BOMB,
    "bomb in utf-16": BOMB.decode().replace('<?xml version="1.0"?>', "").encode("utf-16"),
    "external entity": EXTERNAL,
    "harmless entity": b'<?xml version="1.0"?>\n<!DOCTYPE x [<!ENTITY e "a">]>'
    + WHOLE.partition(b"?>")[2].replace(b"a.ics", b"&e;.ics"),
    "binary": bytes(range(256)) * 10,
    "wrong encoding": WHOLE.replace(b"a.ics", b"\xe9.ics"),
    "unknown encoding": WHOLE.replace(b"utf-8", b"klingon"),
    "no href": xml("<D:response><D:status>HTTP/1.1 404 X</D:status></D:response>"),
    "no status": xml("<D:response><D:href>/cal/a.ics</D:href><D:status>gone</D:status></D:response>"),
    "another collection": multistatus(etag("/other/a.ics"), token="t2").body,
    "another root": WHOLE.replace(b"multistatus", b"multistratus"),
    "dots": multistatus(etag("/cal/../a.ics"), token="t2").body,
    "deep": xml("<D:x>" * 20_000 + "</D:x>" * 20_000)[:-100],
    "deep and whole": xml("<D:x>" * 20_000 + "</D:x>" * 20_000),
    "too long": WHOLE.replace(b"</D:multistatus>", b" " * 300_000 + b"</D:multistatus>"),
    "no token": multistatus(etag("/cal/a.ics")).body,
}
HEAD = b"HTTP/1.1 207 X\r\nContent-Type: application/xml\r\n"


# --- garbage ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_is_an_error_and_never_a_listing(name: str) -> None:
    body = GARBAGE[name]
    script = {
        **report(Reply(207, body)),
        "PROPFIND /cal/ 1": Reply(207, body),
    }
    with serving(script) as (_, connector):
        started = time.monotonic()
        for cursor in ("", TOKEN):
            with pytest.raises((CollectionError, MailboxError)) as caught:
                connector.changes(CAL, cursor)
            assert not isinstance(caught.value, CollectionGone)
        assert time.monotonic() - started < 2
    if name != "no token":  # which a listing by ETags has none of
        by_list = serving(by_etags(Reply(207, body)))
        with by_list as (_, connector), pytest.raises((CollectionError, MailboxError)):
            connector.changes(CAL, "")


def test_a_login_page_instead_of_webdav_is_told_as_such() -> None:
    page = Reply(200, b"<html><body>Please log in</body></html>", {"Content-Type": "text/html"})
    with serving({".*": page, "PROPFIND /cal/ 0": page}) as (_, connector), pytest.raises(ProtocolViolation):
        connector.calendars()
    with serving(report(page)) as (_, connector), pytest.raises(CollectionError):
        connector.changes(CAL, TOKEN)


def test_an_answer_that_unpacks_beyond_bounds_is_an_error() -> None:
    packed = gzip.compress(WHOLE.replace(b"<D:sync-token>", b" " * 5_000_000 + b"<D:sync-token>"))
    answer = report(Reply(207, packed, {"Content-Encoding": "gzip"}))
    with serving(answer) as (_, connector), pytest.raises(ProtocolViolation):
        connector.changes(CAL, TOKEN)


# --- connections ------------------------------------------------------------------------------------


def drip(octets: bytes) -> Iterator[bytes]:
    for octet in octets:
        yield bytes([octet])
        time.sleep(0.1)  # a server that is alive and no more


@pytest.mark.parametrize(
    "name", ["cut", "cut in a chunk", "cut in the head", "reset", "silent", "drip head", "drip body"]
)
def test_an_answer_that_does_not_come_whole_is_an_error_in_time(name: str) -> None:
    length = b"Content-Length: %d\r\n\r\n" % len(WHOLE)
    chunked = b"Transfer-Encoding: chunked\r\n\r\n" + b"%x\r\n" % len(WHOLE)
    replies = {
        "cut": Reply(raw=[HEAD + length + WHOLE[:100]], close=True),
        "cut in a chunk": Reply(raw=[HEAD + chunked + WHOLE + b"\r\n"], close=True),
        "cut in the head": Reply(raw=[HEAD[:20]], close=True),
        "reset": Reply(raw=[], close=True),
        "silent": Reply(raw=[]),
        "drip head": Reply(raw=drip(HEAD + b"X-A: b\r\n" * 100)),
        "drip body": Reply(raw=drip(HEAD + length + WHOLE)),
    }
    with serving(report(replies[name])) as (server, connector):
        started = time.monotonic()
        with pytest.raises(Unreachable):
            connector.changes(CAL, TOKEN)
        assert time.monotonic() - started < 4
        assert len(server.sent("REPORT")) == 1  # nothing is repeated by itself


def test_a_server_that_is_not_there_is_unreachable() -> None:
    with ScriptedDav() as server:
        gone = access(server)
    with pytest.raises(Unreachable), DavConnector(gone):
        pass


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(429, headers={"Retry-After": "30"}), RateLimited),
        (Reply(503, headers={"Retry-After": "30"}), RateLimited),
        (Reply(503), Unreachable),
        (Reply(502), Unreachable),
        (Reply(404), CollectionGone),
        (Reply(410), CollectionGone),
        (Reply(403), CollectionRefused),
        (Reply(423), CollectionError),
        (Reply(302, headers={"Location": "https://login.other.example/"}), ProtocolViolation),
    ],
)
def test_each_refusal_has_an_error_of_its_own(reply: Reply, kind: type[SyncdError]) -> None:
    with serving(report(reply)) as (_, connector):
        for attempt in (
            lambda: connector.changes(CAL, TOKEN),
            lambda: list(connector.read(CAL, ["/cal/a.ics"])),
        ):
            with pytest.raises(kind) as caught:
                attempt()
            assert type(caught.value) is kind
            if isinstance(caught.value, RateLimited):
                assert caught.value.retry_after == timedelta(seconds=30)


def test_a_wait_may_be_told_as_a_date() -> None:
    late = Reply(503, headers={"Retry-After": "Fri, 31 Dec 2100 23:59:59 GMT"})
    with serving(report(late)) as (_, connector), pytest.raises(RateLimited) as caught:
        connector.changes(CAL, TOKEN)
    assert caught.value.retry_after == timedelta(days=1)


# --- reading ----------------------------------------------------------------------------------------


def test_hrefs_are_the_same_however_they_are_spelled() -> None:
    answer = multistatus(
        item("http://inside.example:8080/cal/a%40b.ics", ics("a@other.example")),
        item("/cal/c d.ics", ics("c@other.example")),
        item("/cal/%C3%A9.ics", ics("e@other.example")),
        token="t2",
    )
    wanted = ["/cal/a@b.ics", "/cal/c%20d.ics", "/cal/%C3%A9.ics"]
    with serving(report(answer)) as (server, connector):
        assert [one.ref for one in connector.changes(CAL, TOKEN).listed] == wanted
        found = list(connector.read(CAL, wanted))
        assert [one.ref for one in found if isinstance(one, RemoteItem)] == wanted
        assert server.sent("GET") == []


def test_what_a_multiget_leaves_out_is_asked_for_alone() -> None:
    got = Reply(200, ics("b@other.example"), {"ETag": '"7"', "Content-Type": "text/calendar"})
    script = {
        **report(multistatus(item("/cal/a.ics", ics("a@other.example")), status("/cal/gone.ics", 404))),
        "GET /cal/b.ics": got,
        "GET /cal/c.ics": Reply(404),
    }
    refs = ["/cal/a.ics", "/cal/gone.ics", "/cal/b.ics", "/cal/c.ics"]
    with serving(script) as (_, connector):
        found = {one.ref if not isinstance(one, ItemError) else "": one for one in connector.read(CAL, refs)}
        assert isinstance(found["/cal/a.ics"], RemoteItem)
        assert isinstance(found["/cal/gone.ics"], Missing)
        assert isinstance(found["/cal/c.ics"], Missing)
        alone = found["/cal/b.ics"]
        assert isinstance(alone, RemoteItem)
        assert (alone.version, alone.item.uid) == ('"7"', "b@other.example")


@pytest.mark.parametrize(
    "bad",
    [
        status("/cal/bad.ics", 500),
        status("/cal/bad.ics", 403),
        item("/cal/bad.ics", b"BEGIN:VCALENDAR garbage " + SECRET.encode()),
        props("/cal/bad.ics", "<C:calendar-data/>", "403 Forbidden"),
        "",
    ],
)
def test_a_bad_item_is_an_error_of_its_own_and_the_others_are_read(bad: str) -> None:
    script = {
        **report(multistatus(item("/cal/a.ics", ics("a@other.example")), bad)),
        "GET /cal/bad.ics": Reply(500),
    }
    with serving(script) as (_, connector):
        good, wrong = list(connector.read(CAL, ["/cal/a.ics", "/cal/bad.ics"]))
        assert isinstance(good, RemoteItem)
        assert isinstance(wrong, ItemError)
        assert wrong.locator == "/cal/bad.ics"
        assert SECRET not in str(wrong)


@pytest.mark.parametrize("failure", ["500", "control character", "too long"])
def test_an_item_that_spoils_a_whole_batch_is_found_by_halves(failure: str) -> None:
    def answer(request: Request) -> Reply:
        refs = [f"/cal/{n}.ics" for n in range(8) if f"/cal/{n}.ics" in request.body.decode()]
        if "/cal/5.ics" in refs:
            spoiled = {
                "500": Reply(500),
                "control character": multistatus(*(item(ref, ics("x", "\x01")) for ref in refs)),
                "too long": Reply(207, b" " * 300_000),
            }
            return spoiled[failure]
        return multistatus(*(item(ref, ics(ref)) for ref in refs))

    with serving({**report(answer), "GET /cal/5.ics": Reply(500)}) as (_, connector):
        found = list(connector.read(CAL, [f"/cal/{n}.ics" for n in range(8)]))
        assert [one.locator for one in found if isinstance(one, ItemError)] == ["/cal/5.ics"]
        assert len([one for one in found if isinstance(one, RemoteItem)]) == 7


def test_a_server_that_fails_over_every_item_is_down_and_not_asked_for_each() -> None:
    with serving({**report(Reply(500)), "GET .*": Reply(500)}) as (server, connector):
        with pytest.raises(Unreachable):
            list(connector.read(CAL, [f"/cal/{n}.ics" for n in range(100)]))
        assert len(server.requests) < 50


def test_line_ends_that_xml_ate_come_back() -> None:
    source = ics("a@other.example")
    with serving(report(multistatus(item("/cal/a.ics", source)))) as (_, connector):
        (found,) = connector.read(CAL, ["/cal/a.ics"])
        assert isinstance(found, RemoteItem)
        assert found.source == source


def test_a_query_that_answers_too_much_finds_the_exact_uid() -> None:
    script = {
        "REPORT /cal/ 1": multistatus(
            item("/cal/aa.ics", ics("aa@other.example")), item("/cal/a.ics", ics("a@other.example"))
        )
    }
    with serving(script) as (_, connector):
        found = connector.find(CAL, "a@other.example")
        assert found is not None
        assert found.ref == "/cal/a.ics"
        assert connector.find(CAL, "A@other.example") is None


def test_an_item_that_is_found_and_cannot_be_read_is_an_error() -> None:
    bad = item("/cal/a.ics", b"BEGIN:VCALENDAR\r\nUID:a@other.example\r\n")
    with serving({"REPORT /cal/ 1": multistatus(bad)}) as (_, connector), pytest.raises(ItemError):
        connector.find(CAL, "a@other.example")
