"""Texts made to hurt: finding a meeting's link never fails, never invents one, and is linear."""

# ruff: noqa: E501 - shards by the line

import sys
from collections.abc import Callable
from types import FrameType
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from connectors.calendar import Component, Hints, Timing
from connectors.links import LARGEST, links_in, links_in_html
from connectors.meetings import LONGEST_LINK, STANDARD, Provider, address_of, table
from syncd.core.meetings.detection import meeting_in
from syncd.core.meetings.wrappers import DEEPEST, inner, unwrapped

calm = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))

SHARDS = st.sampled_from(
    [
        "https://", "http://", "HTTPS://", "zoom.us", ".zoom.us", "/j/1", "evil.example", "@", ":", "\\", "//", "/",
        "teams.microsoft.com/l/meetup-join/1", "meet.google.com/abc-defg-hij", "?", "#", "&", "=", "%", "%2F",
        "%00", "*", "**A", "__", "__;", "!!", "urldefense.com/v3/__", "urldefense.proofpoint.com/v2/url?u=",
        "eur03.safelinks.protection.outlook.com/?url=", "www.google.com/url?q=", "secure-web.cisco.com/x/",
        "eu.protection.sophos.com/?u=", "linkprotect.cudasvc.com/url?a=", "(", ")", "[", "]", "<", ">", '"', "'",
        " ", "\n", "\x00", "\ud800", "\u200b", "é", "。", "xn--", "xn--a", "[::1]", ":443", "href=", "href='",
        "<a ", "</a>", "&#x68;", "&#104", "&#" + "9" * 5000 + ";", "&amp;", "&nbsp;", "-2F",
        "aHR0cHM6Ly96b29tLnVzL2ovMQ",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(SHARDS, st.text(max_size=6)), max_size=30).map("".join)
MEETINGS = st.sampled_from(
    ["https://zoom.us/j/1", "https://teams.live.com/meet/1?p=a", "https://meet.google.com/abc-defg-hij"]
)


def reachable(link: str) -> list[str]:
    """The link and all that is inside of it."""
    found = [link]
    for _ in range(DEEPEST):
        link = inner(link)
        if not link:
            break
        found.append(link)
    return found


@calm
@given(TEXTS, TEXTS, TEXTS)
@example("https://zoom.us/j/1", "", "")
def test_a_link_that_is_found_stands_in_the_text_or_inside_a_link_of_it(
    place: str, notes: str, html: str
) -> None:
    hints = Hints(url=place, links=links_in_html(html))
    meeting = meeting_in(Component(Timing(), location=place, notes=notes, hints=hints))
    if meeting is None:
        return
    stand = [one for text in (place, notes) for one in links_in(text)]
    assert all(one in place or one in notes for one in stand)
    assert meeting.url in {inside for one in (*stand, *hints.links) for inside in reachable(one)}
    assert STANDARD.meeting(meeting.url) is meeting.provider
    assert len(meeting.url) <= LONGEST_LINK


@calm
@given(TEXTS)
def test_whatever_a_link_is_its_host_is_the_one_that_a_client_would_go_to(text: str) -> None:
    address = address_of("https://" + text)
    if address is None:
        return
    assert not set(address.host) & set("@/\\?#:[] \n")
    assert address.host.isascii()
    authority = (
        text.split("/", maxsplit=1)[0]
        .split("?", maxsplit=1)[0]
        .split("#", maxsplit=1)[0]
        .split("\\", maxsplit=1)[0]
    )
    assert "@" not in authority
    assert address.host in authority.lower() or not authority.isascii()


@calm
@given(TEXTS, MEETINGS, st.sampled_from([" ", "\n", "\t", "\u00a0", "<", "[", "«", "“"]))
def test_a_meeting_is_found_behind_any_text(text: str, link: str, before: str) -> None:
    meeting = meeting_in(Component(Timing(), notes=text + before + link))
    assert meeting is not None


@calm
@given(MEETINGS, st.integers(0, DEEPEST))
def test_guards_of_any_depth_that_is_reached_are_taken_off(link: str, depth: int) -> None:
    wrapped = link
    for number in range(depth):
        host = ("eur03.safelinks.protection.outlook.com/?url=", "linkprotect.cudasvc.com/url?a=")[number % 2]
        wrapped = f"https://{host}{quote(wrapped, safe='')}"
    assert unwrapped(wrapped, STANDARD) == link


@calm
@given(st.text(max_size=40))
def test_an_admins_host_is_one_or_is_refused(text: str) -> None:
    try:
        providers = table(((text, "other"),))
    except ValueError:
        return
    assert providers.meeting("https://zoom.us/j/1") in {Provider.ZOOM, Provider.OTHER}


# --- work, counted


def lines_run(work: Callable[[], object]) -> int:
    """The lines of Python that run."""
    count = 0

    def tracer(_frame: FrameType, _event: str, _argument: object) -> object:
        nonlocal count
        count += 1
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)  # type: ignore[arg-type]
    try:
        work()
    finally:
        sys.settrace(before)
    return count


HOSTILE = {
    "links": "https://zoom.us/x ",
    "one long link": "https://evil.example/" + "a",
    "schemes": "https://",
    "half schemes": "http",
    "brackets": "https://a.example/((((",
    "closing": "https://a.example/)",
    "stops": "https://a.example/...... ",
    "guards": "https://a.safelinks.protection.outlook.com/?url=https%3A%2F%2F ",
    "parameters": "https://www.google.com/url?q=&q=&q=&q=&q=&q= ",
    "runs": "https://urldefense.com/v3/__******__;AAAA!! ",
    "tags": "<",
    "open tags": "<a href=",
    "quotes": "<a href='",
    "entities": "&#104;ttps&#58;//",
    "numbers": "&#1111111111",
    "spaces": "href                ",
    "labels": "https://a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a/ ",
    "idn": "https://é.é.é.é.é.é.é.é.é.é/j ",
    "launcher": "https://teams.microsoft.com/dl/launcher/meemeemee ",
}


@pytest.mark.parametrize("shard", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize("html", [False, True], ids=["text", "html"])
def test_ten_times_the_text_is_at_most_ten_times_the_work(shard: str, *, html: bool) -> None:
    def work(size: int) -> int:
        text = (shard * (size // len(shard) + 1))[:size]

        def look() -> None:
            hints = Hints(links=links_in_html(text)) if html else Hints()
            meeting_in(Component(Timing(), notes="" if html else text, hints=hints))

        return lines_run(look)

    small, large = work(100_000), work(1_000_000)
    assert large <= 11 * small + 2_000


def test_only_so_much_is_looked_through_and_nothing_is_cut() -> None:
    filler = "x" * 1000 + " "
    text = filler * (LARGEST // len(filler) + 1) + "https://zoom.us/j/1"
    assert meeting_in(Component(Timing(), notes=text)) is None
    assert meeting_in(Component(Timing(), notes="https://zoom.us/j/1?" + "a" * LONGEST_LINK)) is None


@pytest.mark.parametrize("shard", HOSTILE.values(), ids=list(HOSTILE))
def test_a_pattern_never_takes_back_what_it_took(shard: str) -> None:
    """A pattern that tries again and again would take minutes here, which the limit on a test's time ends."""
    text = (shard * (LARGEST // len(shard) + 1))[:LARGEST]
    list(links_in(text))
    links_in_html(text)
