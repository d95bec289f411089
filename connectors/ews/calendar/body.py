"""Notes in a body of Exchange: read from text or HTML, changed in HTML so that the rest of it stays.

What a person laid out is never replaced by a rendering of it. A line that changed is changed where it stands;
only where that leads to another text than the one wanted is the whole body written anew.
"""

import re
from collections import Counter
from difflib import SequenceMatcher
from html import escape, unescape

from connectors.block import clean
from connectors.ews.calendar.tokens import tokens
from connectors.html import bounded, sanitise, sanitised_to_text

_BREAKS = frozenset(
    "address article blockquote br caption center dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr li main ol"
    " p pre section table tbody tfoot thead tr ul body".split()
)
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_END = re.compile(r"</body\s*+>|</html\s*+>|\Z", re.IGNORECASE)
_MARK = re.compile(r"(?:- |[0-9]+\. )")  # what a rendering puts before an item of a list
_LARGEST = 256 * 1024  # characters of a body that is edited line by line
_MOST_COMPARED = 10_000_000  # steps that finding out which lines differ may take

Spans = list[tuple[int, int]]


def text_in(body: str, *, html: bool) -> str:
    """The body as a person reads it, the CRM's block included."""
    if not html:
        return clean(body)
    return clean(sanitised_to_text(sanitise(bounded(body)[0])))


def same_lines(one: str, other: str) -> bool:
    """Whether two texts differ in empty lines and spaces at most, which HTML cannot always keep."""
    return _lines(one) == _lines(other)


def _lines(text: str) -> list[str]:
    return [bare for line in text.split("\n") if (bare := _SPACE.sub(" ", line).strip())]


def edited(html: str, wanted: str) -> str:
    """The HTML with its text changed into `wanted`."""
    if len(html) <= _LARGEST:
        found = _by_lines(html, wanted)
        if same_lines(text_in(found, html=True), wanted):
            return found
    return _plain(wanted)


def _plain(text: str) -> str:
    lines = "".join(f"<div>{escape(line, quote=False) or '<br>'}</div>" for line in text.split("\n"))
    return f"<html><body>{lines}</body></html>"


def _by_lines(html: str, wanted: str) -> str:
    places = _rendered(html)
    old, new = _lines(text_in(html, html=True)), _lines(wanted)
    if new[: len(old)] == old:
        where, _, text = _insertion(html, [], 0, [_escaped(line) for line in new[len(old) :]])
        return html[:where] + text + html[where:]
    if len(places) != len(old):
        return html
    changes: list[tuple[int, int, str]] = []
    differences = _differences(old, new)
    if differences is None:
        return html
    for first, last, begin, end in differences:
        spans = [spans for _, spans in places[first:last]]
        if not spans:
            changes.append(_insertion(html, places, first, [_escaped(line) for line in new[begin:end]]))
            continue
        for number, taken in enumerate(spans):
            here = new[begin + number : begin + number + 1 if number < len(spans) - 1 else end]
            if here and _is_marked(old[first + number], places[first + number][0]):
                here = [_MARK.sub("", here[0], count=1), *here[1:]]
            changes.append((*taken[0], "<br>".join(map(_escaped, here))))
            changes += [(*span, "") for span in taken[1:]]
    pieces, at = list[str](), 0
    for start, stop, text in sorted(changes):
        pieces += (html[at:start], text)
        at = stop
    return "".join(pieces) + html[at:]


def _differences(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]] | None:
    """Which lines became which: from and to in the old ones, from and to in the new. None where so many are
    alike that finding out takes too long."""
    same = zip(old, new, strict=False)
    before = next((number for number, (one, other) in enumerate(same) if one != other), None)
    if before is None:
        before = min(len(old), len(new))
    rest = zip(reversed(old[before:]), reversed(new[before:]), strict=False)
    after = next((number for number, (one, other) in enumerate(rest) if one != other), None)
    if after is None:
        after = min(len(old), len(new)) - before
    left, right = old[before : len(old) - after], new[before : len(new) - after]
    counted = Counter(right)
    alike = sum(counted[line] for line in left)
    if (len(left) + alike) * min(len(left), len(right)) > _MOST_COMPARED:
        return None
    return [
        (before + first, before + last, before + begin, before + end)
        for kind, first, last, begin, end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
        if kind != "equal"
    ]


def _escaped(line: str) -> str:
    return escape(line, quote=False)


def _is_marked(line: str, bare: str) -> bool:
    """Whether the rendering put a mark before what the HTML says: an item of a list."""
    return line != bare and _MARK.sub("", line, count=1) == bare


def _insertion(html: str, places: list[tuple[str, Spans]], at: int, lines: list[str]) -> tuple[int, int, str]:
    """Where new lines go: after the line before them, or before the first one, or at the end."""
    if at == len(places):
        end = _END.search(html)
        where, text = end.start() if end else len(html), "".join(f"<div>{line}</div>" for line in lines)
    elif at == 0:
        where, text = places[0][1][0][0], "".join(f"{line}<br>" for line in lines)
    else:
        where, text = places[at - 1][1][-1][1], "".join(f"<br>{line}" for line in lines)
    return where, where, text


def _rendered(html: str) -> list[tuple[str, Spans]]:
    """The lines that a reader sees, each with where its text stands."""
    found: list[tuple[str, Spans]] = []
    text, spans = "", list[tuple[int, int]]()
    for token in tokens(html):
        if token.tag.lstrip("/") in _BREAKS:
            text, spans = _closed(found, text, spans), []
        elif not token.tag:
            piece = unescape(html[token.start : token.stop])
            text += piece
            if piece.strip():
                spans.append(token.span)
    _closed(found, text, spans)
    return found


def _closed(found: list[tuple[str, Spans]], text: str, spans: Spans) -> str:
    line = _SPACE.sub(" ", text).strip()
    if line and spans:
        found.append((line, spans))
    return ""
