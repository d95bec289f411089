"""Which websites may be asked at all, and which pictures their pages name."""

import base64
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.web import icons, urls
from connectors.web.addresses import is_public
from connectors.web.errors import Refused, WebError
from connectors.web.fetch import Budget, Policy, get
from connectors.web.icons import links


def named(*addresses: str) -> Policy:
    """Every name has these addresses."""

    def resolve(host: str, port: int) -> list[str]:
        return list(addresses)

    return Policy(resolve=resolve)


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "2a01:e0a::1", "64:ff9b::808:808", "1.1.1.1"],
)
def test_an_address_on_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.0.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.127.255.255", "192.0.0.8",
        "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.7", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00::8", "ff02::1", "100::1",
        "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b::7f00:1",
        "64:ff9b:1::a00:1", "2002:a00:1::1", "2002:808:808::1", "2001:0:a00:1::1", "2001:db8::1", "3fff::1",
        "2001:2::1", "2001:10::1", "5f00::1", "4000::1", "2606:4700::1%eth0",
    ],
)  # fmt: skip
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(ip_address(address))


@given(st.integers(0, 2**32 - 1))
def test_what_leads_to_an_ipv4_address_is_no_more_public_than_that(number: int) -> None:
    inner = ip_address(number)
    public = is_public(inner)
    assert is_public(ip_address((0x64FF9B << 96) + number)) == public
    assert not is_public(ip_address((0xFFFF << 32) + number))
    assert not is_public(ip_address((0x2002 << 112) + (number << 80) + 1))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/",
        "http://[fd00::8]/", "http://[::ffff:10.0.0.1]/", "http://[64:ff9b::a00:1]/", "http://100.64.0.1/",
        "http://0.0.0.0/", "https://192.168.0.1/",
    ],
)  # fmt: skip
def test_an_address_of_the_own_network_is_never_asked(url: str) -> None:
    with pytest.raises(Refused, match="is not on the public internet") as caught:
        get(urls.parse(url), Budget(Policy()), 10)
    assert not caught.value.again


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.0x1", "017700000001", "1", "0x",
     "10.0.0.1.", "a..example", "ex ample", "%31%32%37.0.0.1", "[fe80::1%25eth0]", "", "."],
)  # fmt: skip
def test_a_host_that_only_looks_like_a_name_is_refused(host: str) -> None:
    with pytest.raises(Refused, match=r"its host has no valid name|no web address|blanks"):
        urls.parse(f"http://{host}/")


@pytest.mark.parametrize(
    "found",
    [["10.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["127.0.0.1"], ["93.184.216.34", "::1"], ["fe80::1%lo"],
     ["93.184.216.34", "nonsense"], ["::ffff:93.184.216.34"]],
)  # fmt: skip
def test_a_name_with_one_address_that_is_not_public_is_never_asked(found: list[str]) -> None:
    with pytest.raises(Refused, match=r"site\.example: is not on the public internet"):
        get(urls.parse("http://site.example/"), Budget(named(*found)), 10)


def test_only_the_webs_own_ports_are_asked() -> None:
    policy = named("93.184.216.34")
    for url in ("http://site.example:22/", "https://site.example:8443/", "http://93.184.216.34:25/"):
        with pytest.raises(Refused, match="only the web's own ports"):
            get(urls.parse(url), Budget(policy), 10)


@pytest.mark.parametrize(
    "url",
    ["ftp://site.example/", "file:///etc/passwd", "javascript:alert(1)", "//site.example/", "site.example",
     "http://anne@site.example/", "http://anne:word@site.example/", "http://@site.example/", "gopher://x/",
     "http://site.example:99999/", "http://site.example:x/", "http://[::1/", "http://site.example/\r\nX: y",
     "http://site.example/a b", "http://site\\.example/", "http://site.example\t/",
     f"http://x.example/{'a' * 2100}",
     "http://site.example\u00a0/", "http://\u0000/"],
)  # fmt: skip
def test_what_is_no_plain_address_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        urls.parse(url)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("www.dupont.example", ["https://www.dupont.example/", "http://www.dupont.example/"]),
        (" https://Dupont.example/fr?x=1#top ", ["https://dupont.example/fr?x=1"]),
        ("http://dupont.example:8080", ["http://dupont.example:8080/"]),
        ("https://café.example/é", ["https://xn--caf-dma.example/%C3%A9"]),
        ("https://[2606:4700::1]/", ["https://[2606:4700::1]/"]),
    ],
)
def test_a_website_is_read_as_people_type_it(typed: str, asked: list[str]) -> None:
    assert [str(one) for one in urls.website(typed)] == asked


@given(st.text(max_size=60))
def test_any_text_is_a_web_address_or_refused(text: str) -> None:
    try:
        found = urls.website(text)
    except WebError:
        return
    for one in found:
        assert urls.parse(str(one)) == one
        assert one.scheme in {"http", "https"}
        assert "@" not in one.place


def test_the_icon_that_is_large_enough_comes_first_and_svg_never() -> None:
    page = b"""<html><head><base href="/static/"><link rel="shortcut icon" href="small.ico">
        <link rel=icon href=logo.svg type=image/svg+xml><link rel="icon" href="x.SVG?v=1">
        <link rel="mask-icon" href="mask.png"><link rel="stylesheet" href="a.css">
        <link rel=icon sizes="16x16 512x512" href=huge.png><link rel="icon" sizes="192x192" href=good.png>
        <link rel="apple-touch-icon" href="touch.png"><link rel="icon" href=""><link rel="icon">"""
    assert links(page).icons == ("touch.png", "good.png", "huge.png", "small.ico")
    assert links(page).base == "/static/"


@pytest.mark.parametrize(
    "page", [b"", b"\0\xff\xfe", b"<", b"\x89PNG", b"<link rel=icon", "é".encode("utf-16"), b"<a>" * 100_000]
)
def test_a_page_that_is_none_names_nothing(page: bytes) -> None:
    assert links(page).icons == ()


def test_of_many_links_only_the_first_are_looked_at() -> None:
    page = b'<link rel="stylesheet" href="x">' * 200 + b'<link rel="icon" href="late.png">'
    assert links(page).icons == ()
    assert len(links(b"".join(b'<link rel="icon" href="%d.png">' % n for n in range(50))).icons) == 4


@given(st.binary(max_size=400))
def test_any_page_is_read(page: bytes) -> None:
    found = links(b"<html><head>" + page)
    assert len(found.icons) <= 4


def test_an_icon_within_the_page_is_read_within_bounds() -> None:
    content = bytes(range(256))
    packed = base64.b64encode(content).decode()
    assert icons.inline(f"data:image/png;base64,{packed}", 256) == content
    assert icons.inline(f"data:image/png;base64,{packed}", 255) is None
    assert icons.inline("data:image/gif,GIF%38", 100) == b"GIF8"
    for bad in (
        "data:image/png;base64,!!",
        "data:",
        "data:image/png",
        "data:text/html,x",
        "data:,x" + "y" * 999,
    ):
        assert icons.inline(bad, 100) in {None, b"x"}
