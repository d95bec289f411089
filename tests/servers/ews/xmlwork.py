"""XML of Exchange Web Services: names, building, reading, dates. Knows no item and no folder."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"

for _prefix, _uri in {"t": TYPES, "m": MESSAGES, "e": ERRORS, "s": SOAP, "xsi": XSI}.items():
    ET.register_namespace(_prefix, _uri)


def t(name: str) -> str:
    """The qualified name in the namespace of types."""
    return f"{{{TYPES}}}{name}"


def m(name: str) -> str:
    """The qualified name in the namespace of messages."""
    return f"{{{MESSAGES}}}{name}"


def local(element: Element) -> str:
    """The element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def make(
    tag: str, content: str | Iterable[Element] = (), attributes: dict[str, str] | None = None
) -> Element:
    """An element with text or children."""
    element = Element(tag, attributes or {})
    if isinstance(content, str):
        element.text = clean(content)
    else:
        element.extend(content)
    return element


def typed(name: str, content: str | Iterable[Element] = (), **attributes: str) -> Element:
    """An element of the types namespace."""
    return make(t(name), content, attributes)


def clean(text: str) -> str:
    """The text without the characters that XML 1.0 cannot carry (its §2.2)."""
    if text.isprintable():
        return text
    return "".join(
        c for c in text if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff"
    )


def text_of(parent: Element | None, name: str, default: str = "") -> str:
    """The text of a child in the types namespace."""
    if parent is None:
        return default
    found = parent.find(t(name))
    return default if found is None else (found.text or "").strip()


def children(parent: Element | None) -> list[Element]:
    """The children, or none where there is no parent."""
    return [] if parent is None else list(parent)


def elements(root: Element, *names: str) -> Iterator[Element]:
    """Descendants of the types namespace with one of these names."""
    wanted = {t(name) for name in names}
    return (element for element in root.iter() if element.tag in wanted)


def boolean(text: str | None, default: bool = False) -> bool:
    """The value of an xs:boolean."""
    return default if text is None or not text.strip() else text.strip() in {"true", "1"}


def yes_no(value: bool) -> str:
    """An xs:boolean."""
    return "true" if value else "false"


def stamp(moment: datetime) -> str:
    """An xs:dateTime in UTC with whole seconds, as Exchange writes them."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_moment(text: str, zone: tzinfo) -> datetime:
    """The moment that an xs:dateTime or xs:date means; `zone` where it names no offset."""
    text = text.strip()
    if "T" not in text:
        return datetime.combine(read_date(text), time(), zone).astimezone(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"not an xs:dateTime: {text!r}") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return moment.astimezone(UTC)


def read_date(text: str) -> date:
    """The day of an xs:date; an offset behind it does not move the day."""
    return date.fromisoformat(text.strip()[:10])


def duration(text: str) -> timedelta:
    """The length of an xs:duration that has neither years nor months: `-PT60M`, `P0DT1H0M0.0S`."""
    sign = -1 if text.startswith("-") else 1
    days, _, clock = text.lstrip("-").removeprefix("P").partition("T")
    seconds = float(days.rstrip("D") or 0) * 86400 if days else 0.0
    number = ""
    for letter in clock:
        if letter.isdigit() or letter == ".":
            number += letter
        else:
            seconds += float(number) * {"H": 3600, "M": 60, "S": 1}[letter]
            number = ""
    return sign * timedelta(seconds=seconds)


def tobytes(root: Element) -> bytes:
    """The document with its declaration."""
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def parse(content: bytes) -> Element:
    """The document's root; ET.ParseError where it is not well-formed."""
    return ET.fromstring(content)
