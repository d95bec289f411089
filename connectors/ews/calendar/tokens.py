"""HTML of a body in pieces, with where each stands: in one pass, whatever a stranger wrote.

A regular expression with a backreference looks for the end of every unclosed element to the end of the text,
and holds up the whole process meanwhile. What is not found once is not looked for again here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = re.compile(r"/?[a-zA-Z][a-zA-Z0-9:]*+")
_UNSEEN = {
    name: re.compile(rf"</{name}\s*+>", re.IGNORECASE) for name in ("head", "style", "script", "title", "xml")
}


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of HTML. `tag`: its name in lower case, with "/" before that of an end; "" for text."""

    start: int
    stop: int
    tag: str = ""

    @property
    def span(self) -> tuple[int, int]:
        """Where it stands."""
        return self.start, self.stop


def tokens(html: str) -> Iterator[Token]:
    """Tags and text in order, without comments and elements whose content nobody sees."""
    endless: set[str] = set()  # what has no end from here on
    at = 0
    while at < len(html):
        if html[at] != "<":
            stop = _found(html, "<", at, len(html))
            yield Token(at, stop)
        elif html.startswith("<!--", at):
            stop = _found(html, "-->", at + 4, len(html) - 3) + 3
        else:
            name = _NAME.match(html, at + 1)
            close = -1 if name is None or ">" in endless else html.find(">", name.end())
            if name is not None and close < 0:
                endless.add(">")
            if name is None or close < 0:
                stop = at + 1
                yield Token(at, stop)
            else:
                stop = _after(html, name[0].lower(), close + 1, endless)
                if stop == close + 1:
                    yield Token(at, stop, name[0].lower())
        at = stop


def _found(html: str, what: str, at: int, absent: int) -> int:
    place = html.find(what, at)
    return absent if place < 0 else place


def _after(html: str, tag: str, at: int, endless: set[str]) -> int:
    """Behind the tag that ends at `at`; of an element that nobody sees, behind its end."""
    kind = tag.partition(":")[0]
    if kind not in _UNSEEN or kind in endless:
        return at
    end = _UNSEEN[kind].search(html, at)
    if end is None:
        endless.add(kind)
        return at
    return end.end()
