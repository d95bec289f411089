"""Response shapes: which properties a request wants, and an item as an element that has them."""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from tests.servers.ews import mail, properties
from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import DEFAULT_SHAPE, NOT_FOUND, NOT_IN_ALL, ORDER, REFUSED_IN_FIND, field_name
from tests.servers.ews.model import ExtendedPath, Mailbox
from tests.servers.ews.store import Store
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import boolean, children, local, t, text_of, typed

_TABLE_TEXT = 255


@dataclass(frozen=True, slots=True)
class Shape:
    """What a request wants of each item or folder."""

    base: str = "IdOnly"
    named: frozenset[str] = frozenset()
    extended: dict[ExtendedPath, Element] = field(default_factory=dict)
    mime: bool = False
    body_type: str = "Best"

    @classmethod
    def read(cls, element: Element | None) -> "Shape":
        """From an ItemShape or FolderShape element."""
        if element is None:
            return cls()
        named: set[str] = set()
        extended: dict[ExtendedPath, Element] = {}
        for path in children(element.find(t("AdditionalProperties"))):
            if local(path) == "ExtendedFieldURI":
                extended[ExtendedPath.of(path)] = path
            else:
                named.add(field_name(path.get("FieldURI", "")))
        return cls(
            base=text_of(element, "BaseShape", "IdOnly"),
            named=frozenset(named),
            extended=extended,
            mime=boolean(text_of(element, "IncludeMimeContent")),
            body_type=text_of(element, "BodyType", "Best"),
        )


def names_for(shape: Shape, target: Target, *, finding: bool, lenient: bool) -> set[str]:
    """The names of the properties that the shape asks of this kind of item."""
    order = set(ORDER[target.kind])
    named = set(shape.named)
    if finding and not lenient and named & REFUSED_IN_FIND:
        refused = ", ".join(sorted(named & REFUSED_IN_FIND))
        raise EwsError("ErrorInvalidPropertyRequest", f"{refused} can not be used in FindItem.")
    wanted = {"ItemId"} | named
    if shape.base == "Default":
        wanted |= DEFAULT_SHAPE[target.kind]
    elif shape.base == "AllProperties":
        wanted |= order - NOT_IN_ALL
    if shape.mime:
        wanted.add("MimeContent")
    if finding:
        wanted -= NOT_FOUND | REFUSED_IN_FIND
    return wanted & order


def render(
    store: Store,
    viewer: Mailbox,
    target: Target,
    shape: Shape,
    *,
    finding: bool = False,
    lenient: bool = False,
) -> Element:
    """The item's element with the properties of the shape, in the schema's order.

    `finding`: only what a folder's table has; `lenient` leaves out what FindItem would refuse.
    """
    wanted = names_for(shape, target, finding=finding, lenient=lenient)
    known: dict[str, Element] = {}
    if target.mime is not None:
        # What a client wrote later, categories or a flag, counts before what the bytes say.
        wanted_of_mime = {n for n in wanted & mail.DERIVED if target.field(n) is None}
        if wanted_of_mime:
            known = mail.derived(target.mime, wanted_of_mime, shape.body_type)
    element = typed(target.kind.value)
    for name in ORDER[target.kind]:
        if name == "ExtendedProperty":
            found_extended = _extended(target, shape)
            element.extend([_short(each) for each in found_extended] if finding else found_extended)
        elif name in wanted:
            found = properties.read(store, viewer, target, name, known, shape.body_type)
            if found is not None:
                element.append(_short(found) if finding else found)
    return element


def _short(element: Element) -> Element:
    """A folder's table holds the first 255 characters of a text (FindItem; SyncFolderItems is alike)."""
    if all(len(part.text or "") <= _TABLE_TEXT for part in element.iter()):
        return element
    copied = Element(element.tag, element.attrib)
    copied.text = element.text and element.text[:_TABLE_TEXT]
    copied.extend(_short(child) for child in element)
    return copied


def _extended(target: Target, shape: Shape) -> list[Element]:
    if not shape.extended:
        return []
    found = []
    for path in shape.extended:
        value = properties.extended(target, path)
        if value is not None:
            found.append(value)
    return found
