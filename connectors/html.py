"""HTML from strangers: made harmless, and rendered to text.

Sanitised HTML loads nothing from anywhere, runs nothing and submits nothing. Of images, only those inside
the mail stay (`cid:`, and small `data:` ones); of styles, only properties that cannot refer to anything.
"""

import re
from html import unescape

import nh3

_DATA_IMAGE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE)
_DATA_IMAGE_LIMIT = 32 * 1024
_LINK = re.compile(r"\s*(?:https?|mailto|tel):", re.IGNORECASE)
_DIMENSION = re.compile(r"\d{1,4}%?")

_TAGS = {
    "a", "abbr", "address", "article", "b", "bdi", "bdo", "big", "blockquote", "br", "caption", "center",
    "cite", "code", "col", "colgroup", "dd", "del", "dfn", "div", "dl", "dt", "em", "figcaption", "figure",
    "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li",
    "main", "mark", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong",
    "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var",
}  # fmt: skip
_WITH_CONTENT = {
    "applet", "audio", "button", "canvas", "embed", "frameset", "iframe", "math", "noembed", "noframes",
    "noscript", "object", "script", "select", "style", "svg", "template", "textarea", "title", "video",
}  # fmt: skip
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan", "align", "valign", "width"},
    "th": {"colspan", "rowspan", "align", "valign", "width"},
    "table": {"align", "width", "border", "cellpadding", "cellspacing"},
    "font": {"color"},
    "*": {"dir", "lang", "style"},
}
_STYLES = {
    "color", "background-color", "font-weight", "font-style", "font-size", "text-align", "text-decoration",
    "vertical-align", "white-space",
}  # fmt: skip
_REFERENCE = re.compile(r"[(\\@]|/[/*]")  # no style that is kept needs a function, an escape or a comment


def _filter(_tag: str, attribute: str, value: str) -> str | None:
    if attribute == "style":
        return None if _REFERENCE.search(value) else value
    if attribute == "href":
        return value if _LINK.match(value) else None
    if attribute == "src":
        return value if _inside_the_mail(value) else None
    if attribute in {"width", "height"}:
        return value if _DIMENSION.fullmatch(value) else None
    return value


def _inside_the_mail(url: str) -> bool:
    if url[:4].lower() == "cid:":
        return True
    return len(url) <= _DATA_IMAGE_LIMIT and _DATA_IMAGE.fullmatch(url) is not None


_cleaner = nh3.Cleaner(
    tags=_TAGS,
    clean_content_tags=_WITH_CONTENT,
    attributes=_ATTRIBUTES,
    attribute_filter=_filter,
    filter_style_properties=_STYLES,
    link_rel="noopener noreferrer nofollow",
    url_schemes={"http", "https", "mailto", "tel", "cid", "data"},
    url_relative="deny",  # as `_filter` does: a second fence
)
_EMPTY_IMAGE = re.compile(r"<img(?: (?:width|height|style)=\"[^\"]*\")*>")


def sanitise(html: str) -> str:
    """The HTML as a fragment that may be shown in a page: nothing in it loads, runs or submits anything.

    Give it what `bounded` returned.
    """
    clean = _cleaner.clean(html)
    return _EMPTY_IMAGE.sub("", clean) if "<img" in clean else clean


# The parser behind nh3 takes quadratic time on elements nested in each other and on attributes of one
# element. No letter has that many; one that has was made to stop us.
_TAGS_LIMIT = 50_000
_DEPTH_LIMIT = 1_000
_TAG = re.compile(r"<(/?)([a-z][a-z0-9:]*+)|<", re.IGNORECASE)
_FLAT = frozenset({
    "area", "base", "body", "br", "col", "dd", "dt", "head", "hr", "html", "img", "input", "li", "link",
    "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "wbr",
})  # fmt: skip
_LONG_TAG = re.compile(r"<[a-z][^<>]{49152,}+>?", re.IGNORECASE)
_LARGE_DATA = re.compile(rb"data:[A-Za-z0-9/;=.-]{0,100},[A-Za-z0-9+/=%]{32768,}+", re.IGNORECASE)


def without_large_data(html: bytes) -> bytes:
    """The HTML without `data:` images that would be dropped anyway, so that only its text counts."""
    return _LARGE_DATA.sub(b"", html) if len(html) > _DATA_IMAGE_LIMIT else html


def bounded(html: str) -> tuple[str, bool]:
    """As much of the HTML as can be sanitised in reasonable time, and whether that is all of it."""
    short = _LONG_TAG.sub("", html) if len(html) > 49152 else html  # noqa: PLR2004 - as in the pattern
    if short.count("<") > _DEPTH_LIMIT:
        depth = 0
        for number, tag in enumerate(_TAG.finditer(short)):
            if tag[2] and tag[2].lower() not in _FLAT:
                depth += -1 if tag[1] else 1
            if depth > _DEPTH_LIMIT or number >= _TAGS_LIMIT:
                return short[: tag.start()], False
    return short, len(short) == len(html)


# --- text -------------------------------------------------------------------------------------------------

# What `sanitise` gives is well-formed, with every "<" and ">" of the text escaped.
_PIECE = re.compile(r'<(/?)([a-z0-9]+)((?:[^"<>]++|"[^"]*")*)>|([^<&]{1,4096}+)|&\w+;|[<&]')
_HREF = re.compile(r' href="([^"]*)"')
_ALT = re.compile(r' alt="([^"]*)"')
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_PARAGRAPHS = frozenset({
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "blockquote",
})  # fmt: skip
_LINES = frozenset({
    "div", "li", "tr", "dt", "dd", "address", "article", "section", "header", "footer", "main", "center",
    "caption", "figure", "figcaption", "thead", "tbody", "tfoot",
})  # fmt: skip


def sanitised_to_text(html: str) -> str:
    """What `sanitise` returned, as a person reads it: paragraphs, list items, link targets."""
    renderer = _Renderer()
    for piece in _PIECE.finditer(html):
        if piece[4] is not None:
            renderer.text(piece[4])
        elif piece[2] is None:
            renderer.text(unescape(piece[0]))
        elif piece[1]:
            renderer.close(piece[2])
        else:
            renderer.open(piece[2], piece[3])
    return renderer.result()


class _Renderer:
    """Text under construction. Line breaks are owed until there is text to put after them."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._owed = 0
        self._spaced = True  # no space is wanted here: at the beginning of a line, or after another
        self._pre = 0
        self._lists: list[int | None] = []  # the number of the next item, None in a list without numbers
        self._links: list[tuple[str, int]] = []  # target, and how much there was before its text

    def text(self, text: str) -> None:
        if self._pre:
            self._put(text)
            return
        text = _SPACE.sub(" ", text)
        if self._spaced and text.startswith(" "):
            text = text[1:]
        if text:
            self._put(text)

    def _put(self, text: str) -> None:
        if self._owed and self._out:
            self._out.append("\n" * self._owed)
        self._owed = 0
        self._out.append(text)
        self._spaced = text.endswith((" ", "\n"))

    def _break(self, lines: int) -> None:
        self._owed = max(self._owed, lines)
        self._spaced = True

    def open(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self._owed = min(self._owed + 1, 2)
            self._spaced = True
        elif tag == "a":
            found = _HREF.search(attributes)
            self._links.append((unescape(found[1]) if found else "", len(self._out)))
        elif tag == "img":
            found = _ALT.search(attributes)
            if found and found[1].strip():
                self.text(f"[{unescape(found[1]).strip()}]")
        elif tag == "hr":
            self._break(1)
            self._put("---")
            self._break(1)
        elif tag in {"td", "th"}:
            self.text(" ")
        else:
            self._open_block(tag)

    def _open_block(self, tag: str) -> None:
        nested = tag in {"ul", "ol"} and self._lists
        if tag in _PARAGRAPHS and not nested:
            self._break(2)
        elif tag in _LINES or nested:
            self._break(1)
        if tag in {"ul", "ol"}:
            self._lists.append(1 if tag == "ol" else None)
        elif tag == "li":
            self._item()
        elif tag == "pre":
            self._pre += 1

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        indent = "  " * min(max(len(self._lists) - 1, 0), 8)
        if number is None:
            self._put(f"{indent}- ")
        else:
            self._put(f"{indent}{number}. ")
            self._lists[-1] = number + 1

    def close(self, tag: str) -> None:
        if tag == "a" and self._links:
            target, begun = self._links.pop()
            shown = "".join(self._out[begun:]).strip()
            bare = target.removeprefix("mailto:").removeprefix("tel:")
            if bare and bare.rstrip("/") not in {shown, shown.rstrip("/")}:
                self.text(f" <{bare}>" if shown else f"<{bare}>")
        elif tag in {"ul", "ol"}:
            if self._lists:
                self._lists.pop()
            self._break(1 if self._lists else 2)
        elif tag in _PARAGRAPHS:
            self._pre -= tag == "pre"
            self._break(2)
        elif tag in _LINES:
            self._break(1)

    def result(self) -> str:
        lines = "".join(self._out).split("\n")
        return "\n".join(line.rstrip() for line in lines).strip("\n")
