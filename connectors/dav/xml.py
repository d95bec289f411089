"""The XML of WebDAV: bodies of requests, and multistatus answers (RFC 4918 section 14). Pure.

Nothing a server sends can make this fetch, expand or allocate beyond the answer itself: an answer with a
document type, which is what entities need, is refused before it is parsed.
"""

import codecs
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from connectors.dav import paths

D = "{DAV:}"
C = "{urn:ietf:params:xml:ns:caldav}"
CS = "{http://calendarserver.org/ns/}"

_NAMESPACES = {D: "D", C: "C", CS: "CS"}
_DECLARED = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:CS="http://calendarserver.org/ns/"'
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ENCODING = re.compile(rb"""\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_STATUS = re.compile(r"HTTP/[0-9.]+\s+([1-5][0-9][0-9])\b")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

OK = 200
UNSAID = 0


class Garbled(ValueError):
    """An answer that is no multistatus: cut short, HTML, garbage."""


@dataclass(frozen=True, slots=True)
class Property:
    """A property that the server gave."""

    text: str
    children: tuple[str, ...] = ()  # the names of all elements below it, at any depth
    hrefs: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # the `name` attributes below it


@dataclass(frozen=True, slots=True)
class Response:
    """What a multistatus says of one resource."""

    ref: str  # canonical path
    status: int  # of the resource as a whole; UNSAID where there are properties
    properties: Mapping[str, Property] = field(repr=False, default_factory=dict)  # those with status 200
    refused: Mapping[str, int] = field(repr=False, default_factory=dict)  # the others, with their status

    def text(self, name: str) -> str:
        """The text of a property, stripped; empty where there is none."""
        found = self.properties.get(name)
        return found.text.strip() if found else ""

    def has(self, name: str, child: str) -> bool:
        """Whether the property holds that element."""
        found = self.properties.get(name)
        return found is not None and child in found.children


@dataclass(frozen=True, slots=True)
class Multistatus:
    """A 207 answer."""

    responses: tuple[Response, ...]
    sync_token: str = ""


def multistatus(body: bytes) -> Multistatus:
    """Reads a 207 answer. Raises Garbled for anything that is not one, whole and well-formed."""
    root = _root(body)
    if root.tag != f"{D}multistatus":
        raise Garbled("the answer is no multistatus")
    responses = tuple(one for element in root.iterfind(f"{D}response") for one in _responses(element))
    return Multistatus(responses, (root.findtext(f"{D}sync-token") or "").strip())


def preconditions(body: bytes) -> tuple[str, ...]:
    """The conditions that a DAV:error body names (RFC 4918 section 16); none where it is no such body."""
    if not body:
        return ()
    try:
        root = _root(body)
    except Garbled:
        return ()
    return tuple(child.tag for child in root) if root.tag == f"{D}error" else ()


def _root(body: bytes) -> ET.Element:
    text = _decoded(body)
    after = _PROLOG.match(text)
    if text.startswith("<!DOCTYPE", after.end() if after else 0):
        raise Garbled("the answer has a document type")
    try:
        # What is parsed is the very text that was found to have no document type, so no entities.
        return ET.fromstring(text)  # noqa: S314 - no entities: see above
    except (ET.ParseError, ValueError) as error:
        # Not `from error`: the parser may quote what it read.
        raise Garbled(f"the answer is no XML ({type(error).__name__})") from None


def _decoded(body: bytes) -> str:
    """The text, without its byte order mark and declaration."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    else:
        body = body.removeprefix(codecs.BOM_UTF8)
        declared = _ENCODING.match(body)
        encoding = declared[1].decode("ascii") if declared else "utf-8"
    try:
        text = body.decode(encoding)
    except (UnicodeError, LookupError):
        raise Garbled("the answer is in no known encoding") from None
    text = text.lstrip()
    if text.startswith("<?xml"):
        text = text.partition("?>")[2]
    return text


def _responses(element: ET.Element) -> Iterator[Response]:
    hrefs = [child.text or "" for child in element.iterfind(f"{D}href")]
    if not hrefs:
        raise Garbled("a response without a href")
    status = _status(element)
    properties: dict[str, Property] = {}
    refused: dict[str, int] = {}
    for propstat in element.iterfind(f"{D}propstat"):
        part = _status(propstat) or OK
        for prop in propstat.iterfind(f"{D}prop"):
            for child in prop:
                if part == OK:
                    properties[child.tag] = _property(child)
                else:
                    refused[child.tag] = part
    for href in hrefs:
        try:
            ref = paths.canonical(href)
        except ValueError:
            raise Garbled("a href that is no absolute path") from None
        yield Response(ref, status, properties, refused)


def _status(element: ET.Element) -> int:
    text = element.findtext(f"{D}status")
    if text is None:
        return UNSAID
    found = _STATUS.match(text.strip())
    if found is None:
        raise Garbled("a status line that is none")
    return int(found[1])


def _property(element: ET.Element) -> Property:
    if not len(element):
        return Property(element.text or "")
    below = [one for one in element.iter() if one is not element]
    return Property(
        element.text or "",
        tuple(one.tag for one in below),
        tuple((one.text or "").strip() for one in below if one.tag == f"{D}href"),
        tuple(one.attrib["name"] for one in below if "name" in one.attrib),
    )


# --- requests -------------------------------------------------------------------------------------


def propfind(names: Iterable[str]) -> bytes:
    """The body of a PROPFIND for these properties (RFC 4918 section 9.1)."""
    return _document("D:propfind", _prop(names))


def sync_collection(token: str) -> bytes:
    """The body of a sync-collection REPORT (RFC 6578 section 3.2): what changed since `token`."""
    inner = f"<D:sync-token>{_text(token)}</D:sync-token><D:sync-level>1</D:sync-level>"
    return _document("D:sync-collection", inner + _prop([f"{D}getetag"]))


def multiget(refs: Iterable[str]) -> bytes:
    """The body of a calendar-multiget REPORT (RFC 4791 section 7.9)."""
    hrefs = "".join(f"<D:href>{_text(ref)}</D:href>" for ref in refs)
    return _document("C:calendar-multiget", _prop([f"{D}getetag", f"{C}calendar-data"]) + hrefs)


def query_uid(kind: str, uid: str) -> bytes:
    """The body of a calendar-query REPORT (RFC 4791 section 7.8) for items whose UID contains `uid`."""
    match = f'<C:text-match collation="i;octet">{_text(uid)}</C:text-match>'
    inner = f'<C:comp-filter name="{kind}"><C:prop-filter name="UID">{match}</C:prop-filter></C:comp-filter>'
    asked = _prop([f"{D}getetag", f"{C}calendar-data"])
    return _document(
        "C:calendar-query",
        f'{asked}<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>',
    )


def _prop(names: Iterable[str]) -> str:
    return "<D:prop>" + "".join(f"<{_short(name)}/>" for name in names) + "</D:prop>"


def _short(name: str) -> str:
    space, _, local = name.rpartition("}")
    return f"{_NAMESPACES[space + '}']}:{local}"


def _text(value: str) -> str:
    return escape(_NOT_XML.sub("", value))


def _document(name: str, inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><{name} {_DECLARED}>{inner}</{name}>'.encode()
