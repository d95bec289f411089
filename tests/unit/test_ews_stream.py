"""The framing and the documents of a stream of notifications: good ones, and those that mean harm."""

import pytest

from connectors.ews import events, piecewise
from connectors.ews.answers import GarbledError
from connectors.ews.events import Documents, Told
from connectors.ews.piecewise import HttpAnswer
from tests.servers.ews_answers import answer, envelope, message

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n"


def notification(*names: str, subscription: str = "s1") -> str:
    inside = "".join(f'<t:{name}><t:ItemId Id="i"/><t:ParentFolderId Id="f"/></t:{name}>' for name in names)
    return (
        f"<m:Notifications><m:Notification><t:SubscriptionId>{subscription}</t:SubscriptionId>{inside}"
        "</m:Notification></m:Notifications>"
    )


def document(inside: str = "", *, code: str = "NoError", status: str = "OK") -> bytes:
    status = f"<m:ConnectionStatus>{status}</m:ConnectionStatus>"
    return answer("GetStreamingEvents", message("GetStreamingEvents", inside + status, code=code))


def test_a_chunked_answer_gives_its_octets_and_its_end() -> None:
    one = HttpAnswer()
    assert one.feed(HEAD + b"5;name=value\r\nhello\r\n4\r\n wo") == b"hello wo"
    assert (one.status, one.headers["content-type"], one.over) == (200, "text/xml", False)
    assert one.feed(b"r\r\n00\r\nTrailer: x\r\n\r\nmore") == b"r"
    assert (one.over, one.rest) == (True, b"more")


def test_a_counted_answer_and_one_up_to_the_end_are_read_too() -> None:
    counted = HttpAnswer()
    assert counted.feed(b"HTTP/1.1 500 No\r\nContent-Length: 3\r\n\r\nabcd") == b"abc"
    assert (counted.status, counted.over, counted.rest) == (500, True, b"d")
    open_ended = HttpAnswer()
    assert open_ended.feed(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nabc") == b"abc"
    assert not open_ended.over
    open_ended.ended()
    assert open_ended.over


def test_an_answer_without_a_body_is_over_at_once() -> None:
    for head in (b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 204 Nothing\r\n\r\n"):
        one = HttpAnswer()
        assert one.feed(head) == b""
        assert one.over


def test_a_cut_answer_is_told_from_one_that_ended() -> None:
    for octets in (b"", b"HTTP/1.1 200 OK\r\n", HEAD, HEAD + b"5\r\nhe", HEAD + b"2\r\nhe\r\n"):
        one = HttpAnswer()
        one.feed(octets)
        with pytest.raises(GarbledError, match="cut"):
            one.ended()


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 abc\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "header field"),
        (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "header field"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer encoding"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "compressed"),
        (b"H" * (piecewise.LARGEST_HEAD + 1), "no end"),
        (HEAD + b"xyz\r\n", "no size"),
        (HEAD + b"-1\r\n", "no size"),
        (HEAD + b"\r\n", "no size"),
        (HEAD + b"f" * 20 + b"\r\n", "no size"),
        (HEAD + b"1" * (piecewise.LONGEST_LINE + 1), "no size"),
        (HEAD + b"2\r\nabc\r\n", "longer than it says"),
        (HEAD + b"0\r\n" + b"a: b\r\n" * 20_000, "trailers"),
    ],
)
def test_what_is_no_http_is_refused(octets: bytes, why: str) -> None:
    with pytest.raises(GarbledError, match=why):
        HttpAnswer().feed(octets)


def test_each_document_says_which_subscription_heard_something() -> None:
    heard = document(
        notification("CreatedEvent", "NewMailEvent") + notification("StatusEvent", subscription="s2")
    )
    read = Documents()
    assert read.feed(document() + b"\r\n" + heard) == [Told(), Told(frozenset({"s1"}))]
    assert read.between


def test_the_end_of_the_stream_and_refusals_are_told() -> None:
    read = Documents()
    (over,) = read.feed(document(status="Closed"))
    assert over == Told(closed=True)
    lost = "<m:ErrorSubscriptionIds><t:SubscriptionId>s1</t:SubscriptionId></m:ErrorSubscriptionIds>"
    (refused,) = read.feed(document(lost, code="ErrorSubscriptionNotFound", status="Closed"))
    assert refused == Told(codes=("ErrorSubscriptionNotFound",), closed=True)


def test_a_fault_of_soap_tells_how_long_to_wait() -> None:
    types = "http://schemas.microsoft.com/exchange/services/2006/"
    fault = (
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>busy</faultstring><detail>"
        f'<e:ResponseCode xmlns:e="{types}errors">ErrorServerBusy</e:ResponseCode><t:MessageXml>'
        '<t:Value Name="BackOffMilliseconds">2500</t:Value></t:MessageXml></detail></s:Fault>'
    )
    assert Documents().feed(envelope(fault)) == [Told(codes=("ErrorServerBusy",), back_off=2.5)]


@pytest.mark.parametrize(
    "octets",
    [
        b"sign in please>",
        b"<html><p>sign in<br></html>",
        b"<html></html>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>" * (events.DEEPEST + 1),
        b"<a>&#x1F;</a>",
        document()[:-1] + b"e>",
        b"\x00\xff>",
    ],
)
def test_what_is_no_document_of_a_stream_is_refused(octets: bytes) -> None:
    with pytest.raises(GarbledError):
        Documents().feed(octets)


@pytest.mark.parametrize("filling", [b"a", b"<b/>", b"<b", b"\n"])
def test_a_document_without_an_end_is_given_up(filling: bytes) -> None:
    read = Documents()
    read.feed(b"<a>")
    piece = filling * (64 * 1024 // len(filling))
    with pytest.raises(GarbledError):  # noqa: PT012 - which piece is too much is not the point
        for _ in range(events.LARGEST_DOCUMENT // len(piece) + 2):
            read.feed(piece)


def test_white_space_for_ever_costs_nothing() -> None:
    read = Documents()
    for _ in range(events.LARGEST_DOCUMENT // 1000):
        assert read.feed(b" \r\n" * 500) == []
    assert read.feed(b"\xef\xbb\xbf" + document()) == [Told()]
