"""Logos from websites: what is taken, and what no website can make the service do. Loopback only."""

import gzip
import ssl
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.web import fetch, logos, urls
from connectors.web.errors import Distrusted, Refused, WebError
from connectors.web.fetch import Budget
from tests.pictures import colours, encoded, opened, png, quarters
from tests.servers.certs import CertAuthority
from tests.servers.websites import Website, answer, drip, icon_page, loopback, moved

PNG = answer(png(), kind="image/png")


@pytest.fixture
def site() -> Iterator[Website]:
    with Website() as made:
        yield made


def found(site: Website, seconds: float = 10) -> logos.FoundLogo:
    return logos.find(site.url(), loopback(site, seconds=seconds))


def refusal(site: Website, seconds: float = 10) -> str:
    """Why there is no logo; within a bounded time."""
    started = time.monotonic()
    with pytest.raises(WebError) as caught:
        found(site, seconds)
    assert time.monotonic() - started < 8
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_icon_that_the_page_names_is_taken(site: Website) -> None:
    site.routes = {"/": icon_page("/a/icon.png?v=2"), "/a/icon.png?v=2": PNG}
    logo = found(site)
    assert colours(opened(logo.picture.content)) == [0, 1, 2, 3]
    assert logo.source == site.url("/a/icon.png?v=2")
    assert site.asked == ["/", "/a/icon.png?v=2"]


def test_without_a_named_icon_it_is_favicon_ico(site: Website) -> None:
    for page in (
        answer(b"<html>hello"),
        answer(b"", status="403 Forbidden"),
        answer(b"", status="404 Not Found"),
    ):
        site.routes = {"/": page, "/favicon.ico": answer(encoded(quarters(), "ICO"), kind="image/x-icon")}
        assert found(site).source == site.url("/favicon.ico")


def test_an_icon_within_the_page_is_taken(site: Website) -> None:
    import base64

    site.routes = {"/": icon_page("data:image/png;base64," + base64.b64encode(png()).decode())}
    assert (found(site).source, site.asked) == (site.url("/"), ["/"])


def test_the_next_icon_is_tried_where_one_is_none(site: Website) -> None:
    site.routes = {
        "/": icon_page("/gone.png", "/text.png", "ftp://site.example/x.png", "/good.png"),
        "/text.png": answer(b"hello", kind="image/png"),
        "/good.png": PNG,
    }
    assert found(site).source == site.url("/good.png")


def test_a_request_carries_nothing_of_ours(site: Website, monkeypatch: pytest.MonkeyPatch) -> None:
    with Website() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(host="127.0.0.1"))
        site.routes = {
            "/": answer(b"", "Set-Cookie: a=b", "Location: /page", status="302 Found"),
            "/page": PNG,
        }
        fetch.get(urls.parse(site.url()), Budget(loopback(site)), 10_000)
        assert proxy.connections == 0
    head = site.heads[-1].decode().lower()
    assert head.startswith("get /page http/1.1\r\n")
    assert f"\r\nhost: site.example:{site.port}\r\n" in head
    names = {line.partition(":")[0] for line in head.strip().split("\r\n")[1:]}
    assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_three_redirects_are_followed_and_no_more(site: Website) -> None:
    site.routes = {"/": moved("/1"), "/1": moved("2"), "/2": icon_page("/i.png"), "/i.png": moved("/j.png"),
                   "/j.png": PNG}  # fmt: skip
    assert found(site).source == site.url("/j.png")
    site.routes["/j.png"] = moved("/k.png")
    site.routes["/k.png"] = PNG
    assert "more than 3 redirects" in refusal(site)
    site.routes = {"/": moved("/")}
    site.asked.clear()
    assert "more than 3 redirects" in refusal(site)
    assert site.asked == ["/"] * 4


@pytest.mark.parametrize(
    "to",
    ["http://127.0.0.2:{port}/", "http://10.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]:{port}/",
     "http://inner.example:{port}/", "http://both.example:{port}/", "http://site.example:1/",
     "file:///etc/passwd", "http://2130706433:{port}/", "http://anne:word@site.example:{port}/",
     "//inner.example:{port}/"],
)  # fmt: skip
def test_each_redirect_and_each_icon_is_looked_at_anew(site: Website, to: str) -> None:
    target = to.format(port=site.port)
    names = {"inner.example": ["127.0.0.2"], "both.example": ["127.0.0.1", "10.0.0.1"]}
    policy = loopback(site, names=names)
    site.routes = {"/": moved(target), "/latest/": PNG, "/etc/passwd": PNG}
    with pytest.raises(Refused):
        logos.find(site.url(), policy)
    assert site.asked == ["/"]
    site.routes = {"/": icon_page(target), "/favicon.ico": answer(b"x")}
    with pytest.raises(Refused):
        logos.find(site.url(), policy)
    assert site.asked == ["/", "/", "/favicon.ico"]


def test_a_name_is_resolved_once_for_each_connection_and_that_address_is_used(site: Website) -> None:
    """A name that means something else at the second question gets no second question."""
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    policy = loopback(site)
    once = fetch.Policy(policy.permitted, policy.ports, resolve, None, 5)
    site.routes = {"/": PNG}
    assert fetch.get(urls.parse(site.url()), Budget(once), 10_000).status == 200
    assert asked == ["site.example"]
    with pytest.raises(Refused):
        fetch.get(urls.parse(site.url()), Budget(once), 10_000)
    assert site.connections == 1


@pytest.mark.parametrize("what", ["head", "body", "status", "chunks", "silence"])
def test_who_drips_is_left_when_the_time_is_over(site: Website, what: str) -> None:
    first = {
        "head": b"HTTP/1.1 200 OK\r\nX: ", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        "status": b"HTTP", "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "silence": b"",
    }[what]  # fmt: skip
    rest = {"chunks": b"1\r\nx\r\n", "silence": b""}.get(what, b"x")
    site.routes = {"/": drip(site, first, rest)}
    told = refusal(site, 0.7)
    assert "in time" in told or "took more than 0.7 seconds" in told


def test_who_drips_in_the_handshake_is_left_too() -> None:
    with Website(mute=True) as site:
        policy = loopback(site, seconds=0.7)
        started = time.monotonic()
        with pytest.raises(WebError):
            logos.find(f"https://site.example:{site.port}/", policy)
        assert time.monotonic() - started < 5


def test_a_page_or_an_icon_without_end_is_not_read_to_it(site: Website) -> None:
    def endless(first: bytes, part: bytes) -> object:
        def parts() -> Iterator[bytes]:
            yield first
            while not site.over.is_set():
                yield part

        return parts

    ok = b"HTTP/1.1 200 OK\r\n"
    page = endless(ok + b"\r\n<link rel=icon href=/i.png>", b"x" * 65536)
    assert callable(page)
    site.routes = {"/": page, "/i.png": PNG}
    assert found(site).source == site.url("/i.png")
    cases = {
        "icon": (ok + b"\r\n", b"x" * 65536, "larger than 512 KiB"),
        "chunks": (
            ok + b"Transfer-Encoding: chunked\r\n\r\n",
            b"10\r\n" + b"x" * 16 + b"\r\n",
            "larger than 512",
        ),
        "tiny chunks": (ok + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n" * 9999, "has no end"),
        "headers": (ok, b"X: y\r\n" * 1000, "is no HTTP"),
        "one header": (ok + b"X: ", b"y" * 65536, "is no HTTP"),
        "continues": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 999, "has no end"),
        "status": (b"HTTP/1.1 ", b"2" * 65536, "is no HTTP"),
    }
    for name, (first, part, told) in cases.items():
        said = endless(first, part)
        assert callable(said)
        site.routes = {"/": icon_page("/i.png"), "/i.png": said}
        assert told in refusal(site), name


def test_what_is_packed_unasked_is_unpacked_within_bounds(site: Website) -> None:
    packed = gzip.compress(b'<link rel="icon" href="/i.png">' + b" " * 50_000_000)
    assert len(packed) < 100_000
    site.routes = {"/": answer(packed, "Content-Encoding: gzip"), "/i.png": PNG}
    assert found(site).source == site.url("/i.png")
    tracemalloc.start()
    try:
        page = fetch.get(urls.parse(site.url()), Budget(loopback(site)), 512 * 1024)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert (len(page.content), page.whole) == (512 * 1024, False)
    site.routes["/"] = icon_page("/i.png")
    site.routes["/i.png"] = answer(gzip.compress(png()), "Content-Encoding: gzip", kind="image/png")
    assert found(site).source == site.url("/i.png")
    for body, coding, told in (
        (gzip.compress(png() + bytes(50_000_000)), "gzip", "larger than 512 KiB"),
        (b"nonsense", "gzip", "is damaged"),
        (b"nonsense", "br", "was not asked for"),
    ):
        site.routes["/i.png"] = answer(body, f"Content-Encoding: {coding}", kind="image/png")
        assert told in refusal(site)


def test_what_is_no_picture_is_no_logo(site: Website) -> None:
    svg = b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"
    for body, told in (
        (svg, "its icon is an SVG"),
        (png(2, 2), "smaller than 8"),
        (b"", "its icon is no picture"),
    ):
        site.routes = {"/": icon_page("/i.png"), "/i.png": answer(body, kind="image/png")}
        assert told in refusal(site)
    site.routes = {"/": b"no http at all\r\n\r\n"}
    assert "is no HTTP" in refusal(site)
    site.routes = {"/": b""}
    assert "site.example:" in refusal(site)


def test_a_name_that_nobody_knows_and_a_site_that_does_not_answer_are_told(site: Website) -> None:
    policy = loopback(site)
    with pytest.raises(WebError, match="its name is not known") as caught:
        logos.find(f"http://nowhere.example:{site.port}/", policy)
    assert caught.value.again
    closed = f"http://site.example:{site.port}/"
    site.__exit__()
    with pytest.raises(WebError, match="nobody answers"):
        logos.find(closed, policy)


def test_over_tls_the_certificate_is_that_of_the_name(tmp_path: Path) -> None:
    authority = CertAuthority(tmp_path)
    for hosts, trusted, told in (
        (("site.example",), True, None),
        (("other.example", "127.0.0.1"), True, "is for another host name"),
        (("site.example",), False, "unknown authority|self-signed"),
    ):
        cert = authority.issue(hosts[0], hosts=hosts)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert.cert, cert.key)
        with Website({"/": icon_page("/i.png"), "/i.png": PNG}, context) as site:
            policy = loopback(site, ca_file=authority.ca_file if trusted else None)
            if told is None:
                assert logos.find(f"site.example:{site.port}", policy).source == site.url("/i.png")
                continue
            with pytest.raises(Distrusted, match=told):
                logos.find(f"site.example:{site.port}", policy)
            assert site.asked == []


def test_over_tls_a_redirect_needs_the_certificate_of_its_own_name(tmp_path: Path) -> None:
    authority = CertAuthority(tmp_path)
    cert = authority.issue("site.example", hosts=("site.example",))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert.cert, cert.key)
    with Website({"/there": PNG}, context) as site:
        site.routes["/"] = moved(site.url("/there", host="other.example"))
        policy = loopback(site, names={"other.example": ["127.0.0.1"]}, ca_file=authority.ca_file)
        with pytest.raises(Distrusted, match="is for another host name"):
            fetch.get(urls.parse(site.url()), Budget(policy), 10_000)
        assert site.asked == ["/"]


def test_a_site_without_tls_is_asked_without_where_nobody_typed_https(site: Website) -> None:
    site.routes = {"/": icon_page("/i.png"), "/i.png": PNG}
    with pytest.raises(WebError):
        logos.find(f"https://site.example:{site.port}", loopback(site))
    assert site.asked == []
    logo = logos.find(f"site.example:{site.port}", loopback(site))
    assert (logo.source, site.asked) == (site.url("/i.png"), ["/", "/i.png"])
