"""The links of the web in a text or in HTML, as a person would click them. Pure.

Time is linear in what is read, whatever it holds: every pattern takes what it takes once and gives nothing
back, and what is longer than a link can be is left out, never cut.
"""

import re
from collections.abc import Iterator
from html import unescape
from itertools import islice

from connectors.meetings import LONGEST_LINK

MOST_LINKS = 500  # of one text: an invitation has ten
LARGEST = 1024 * 1024  # characters that are looked through

# What ends a link in a text: white space, brackets and quotation marks that no link may hold (RFC 3986,
# section 2), those that word processors make of them, marks of no width, and controls.
_LINK = re.compile(
    r"https?://[^\s<>\"`{}|\\^\[\]\x00-\x20\x7f\xa0«»“”„‘’‹›\u200b-\u200f\u2028-\u202f\u2060\ufeff]++",
    re.IGNORECASE,
)
_STOPS = frozenset(".,;:!?'*…·")
_HREF = re.compile(r"href\s*+=\s*+(?:\"([^\"<>]*+)|'([^'<>]*+)|([^\s\"'<>]++))", re.IGNORECASE)
_TAG = re.compile(r"<(/?[a-z][a-z0-9]*+)?[^<>]*+>?", re.IGNORECASE)
_WITHIN = frozenset("b i u em strong span font wbr".split())  # a link may be drawn with these inside it


def links_in(text: str) -> Iterator[str]:
    """The links in a text, in order, without the punctuation around them."""
    for found in islice(_LINK.finditer(text, 0, LARGEST), MOST_LINKS):
        if found.end() - found.start() <= LONGEST_LINK:
            yield trimmed(found[0])


def trimmed(link: str) -> str:
    """The link without what closes the sentence or the bracket that it stands in."""
    end, opened, closed = len(link), link.count("("), link.count(")")
    while end:
        last = link[end - 1]
        if last == ")" and closed > opened:
            closed -= 1
        elif last not in _STOPS:
            break
        end -= 1
    return link[:end]


def links_in_html(html: str) -> tuple[str, ...]:
    """The links that HTML leads to, then those that it shows, each once."""
    html = html[:LARGEST]
    found: dict[str, None] = {}
    for one in islice(_HREF.finditer(html), MOST_LINKS):
        target = one[1] or one[2] or one[3] or ""
        if len(target) <= LONGEST_LINK:
            link = _plain(target).strip()
            found.update(dict.fromkeys(() if _LINK.fullmatch(link) is None else (link,)))
    for shown in links_in(_TAG.sub(_without, html)):
        found.update(dict.fromkeys(islice(links_in(_plain(shown)), 1)))
    return tuple(found)


def _without(tag: re.Match[str]) -> str:
    return "" if (tag[1] or "").removeprefix("/").lower() in _WITHIN else " "


def _plain(text: str) -> str:
    try:
        return unescape(text)
    except ValueError:  # a character with a number of thousands of digits
        return ""
