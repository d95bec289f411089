"""A page to the pictures that it names as its icons (HTML, 4.6.7.8 "icon"; Apple's touch icons). Pure."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MOST_LINKS = 100  # that are looked at
MOST_ICONS = 4  # that are tried
ENOUGH = 128  # points: of the pictures that have so many, the smallest is taken
_TOUCH, _PLAIN = 180, 32  # points that an icon has by custom where nothing is said

_SIZE = re.compile(r"(\d{1,5})[xX](\d{1,5})")
_SVG = re.compile(r"\.svgz?(?:[?#]|\Z)", re.IGNORECASE)
_DATA = re.compile(r"data:(image/[a-z0-9.+-]+)?((?:;[^,;]*)*),(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Links:
    """What a page says: its icons, the best one first, and what their addresses are relative to."""

    icons: tuple[str, ...]
    base: str | None


def links(page: bytes) -> Links:
    """The icons of a page. One that is cut short, or is no HTML at all, has those that are found in it."""
    found: dict[str, int] = {}
    base = None
    for number, (tag, attributes) in enumerate(_tags(page)):
        if number >= MOST_LINKS:
            break
        href = attributes.get("href", "").strip()
        if tag == "base":
            base = base or href or None
        elif href and (points := _points(attributes, href)):
            found.setdefault(href, points)
    best = sorted(found, key=lambda href: (found[href] < ENOUGH, abs(found[href] - ENOUGH)))
    return Links(tuple(best[:MOST_ICONS]), base)


def _tags(page: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    from lxml import etree

    # Loads nothing from anywhere, and has bounds of its own for depth and length of texts.
    parser = etree.HTMLParser(recover=True, no_network=True, huge_tree=False, remove_comments=True)
    try:
        root = etree.fromstring(page, parser)
    except (etree.XMLSyntaxError, ValueError):
        return
    if root is None:
        return
    for element in root.iter("link", "base"):
        yield element.tag, {str(name).lower(): str(value) for name, value in element.attrib.items()}


def _points(attributes: dict[str, str], href: str) -> int:
    """How large an icon is said to be; 0 for what is none that is taken."""
    rels = set(attributes.get("rel", "").lower().split())
    touch = not rels.isdisjoint({"apple-touch-icon", "apple-touch-icon-precomposed"})
    if not touch and "icon" not in rels:
        return 0
    if "svg" in attributes.get("type", "").lower() or (_SVG.search(href) and not href.startswith("data:")):
        return 0
    sizes = [max(int(one), int(other)) for one, other in _SIZE.findall(attributes.get("sizes", ""))]
    return max(sizes, default=0) or (_TOUCH if touch else _PLAIN)


def inline(href: str, limit: int) -> bytes | None:
    """The picture that a data: URL is (RFC 2397), if it has at most that many octets; None otherwise."""
    found = _DATA.fullmatch(href) if len(href) <= 3 * limit else None
    if found is None:
        return None
    text = unquote_to_bytes(found[3])
    if "base64" in found[2].lower().split(";"):
        try:
            text = base64.b64decode(re.sub(rb"\s+", b"", text), validate=True)
        except (binascii.Error, ValueError):
            return None
    return text if len(text) <= limit else None
