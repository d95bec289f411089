"""The XML of EWS in the few words that calendars need: elements of its two namespaces."""

import re
from collections.abc import Iterable
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
T, M = f"{{{TYPES}}}", f"{{{MESSAGES}}}"

# A set of our own: no other program writes into it.
PROPERTY_SET = "5d7b2f0e-3c61-4f6a-9d1e-8a52c6e0b7f4"
PUBLIC_STRINGS = "00020329-0000-0000-c000-000000000046"  # PS_PUBLIC_STRINGS (MS-OXPROPS 1.3.2)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

ET.register_namespace("t", TYPES)
ET.register_namespace("m", MESSAGES)


def t(name: str, text: str | None = None, *children: Element, **attributes: str) -> Element:
    """An element of the types, with a text, attributes and children."""
    return _made(T + name, text, children, attributes)


def m(name: str, text: str | None = None, *children: Element, **attributes: str) -> Element:
    """An element of the messages."""
    return _made(M + name, text, children, attributes)


def _made(tag: str, text: str | None, children: Iterable[Element], attributes: dict[str, str]) -> Element:
    element = Element(tag, attributes)
    element.text = None if text is None else _NOT_XML.sub("", text)
    element.extend(children)
    return element


def text_of(element: Element, *path: str) -> str:
    """The text of the first element on that path of the types; empty without one."""
    return element.findtext("/".join(T + name for name in path)) or ""


def local(element: Element) -> str:
    """The name without its namespace."""
    return element.tag.rpartition("}")[2]


def field_uri(uri: str) -> Element:
    """A property by its path: "item:Subject", or "x:name" for one of our own set."""
    space, _, name = uri.partition(":")
    if space == "x":
        return own_property(name)
    return t("FieldURI", None, FieldURI=uri)


def own_property(name: str) -> Element:
    """The path of a property in our own set."""
    return t("ExtendedFieldURI", None, PropertySetId=PROPERTY_SET, PropertyName=name, PropertyType="String")


def own_value(name: str, value: str) -> Element:
    """A property of our own set with its value."""
    return t("ExtendedProperty", None, own_property(name), t("Value", value))
