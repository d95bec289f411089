"""What the server keeps: mailboxes, folders, items, and the log of changes of each folder."""

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from xml.etree.ElementTree import Element

from tests.servers.ews.fields import Kind
from tests.servers.ews.xmlwork import clean, t


@dataclass(frozen=True, slots=True)
class ExtendedPath:
    """An extended property's name, comparable however a client writes it (PathToExtendedFieldType)."""

    set_name: str  # a distinguished set, a GUID in small letters, or "" for a tag
    name: str  # a name, `#` and a number, or the tag as 0x and hexadecimal digits
    type: str

    @classmethod
    def of(cls, uri: Element) -> "ExtendedPath":
        """The path that an ExtendedFieldURI element writes."""
        tag = uri.get("PropertyTag")
        kind = uri.get("PropertyType", "String")
        if tag is not None:
            return cls("", f"0x{int(tag, 0):x}", kind)
        group = uri.get("DistinguishedPropertySetId") or uri.get("PropertySetId", "").lower().strip("{}")
        number = uri.get("PropertyId")
        return cls(group, uri.get("PropertyName", "") if number is None else f"#{number}", kind)


@dataclass(slots=True, eq=False)
class Item:
    """An item. `fields` are elements as they were written, by name; they are never changed in place."""

    number: int
    kind: Kind
    folder: "Folder"
    entered: int  # version at which it came into its folder
    version: int  # version of its last change: its change key
    content_version: int  # the same, not counting read and unread
    created: datetime
    modified: datetime
    modified_by: str
    fields: dict[str, Element] = field(default_factory=dict)
    extended: dict[ExtendedPath, Element] = field(default_factory=dict)
    field_versions: dict[str, int] = field(default_factory=dict)
    mime: bytes | None = None
    is_read: bool = True
    is_draft: bool = False
    series: "Series | None" = None  # of a recurring master
    associated: int | None = None  # of a meeting message: its calendar item's number

    def text(self, name: str, default: str = "") -> str:
        """The text of a field."""
        found = self.fields.get(name)
        return default if found is None else (found.text or "")

    def put(self, name: str, value: str, **attributes: str) -> None:
        """Sets a simple field. The caller tells the store of the change."""
        element = Element(t(name), attributes)
        element.text = clean(value)
        self.fields[name] = element


@dataclass(slots=True, eq=False)
class Change:
    """An exception of a series: what it has that its master has not. `fields` as an item's."""

    original: datetime
    fields: dict[str, Element] = field(default_factory=dict)
    extended: dict[ExtendedPath, Element] = field(default_factory=dict)
    deleted_fields: set[str] = field(default_factory=set)
    modified: datetime | None = None


@dataclass(slots=True, eq=False)
class Series:
    """The changed and deleted occurrences of a recurring master, by their original start (UTC)."""

    changed: dict[datetime, Change] = field(default_factory=dict)
    deleted: set[datetime] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Folder:
    """A folder with its items and the log that SyncFolderItems reads."""

    number: int
    mailbox: "Mailbox"
    parent: "Folder | None"
    name: str
    folder_class: str
    distinguished: str | None
    version: int
    entered: int
    items: dict[int, Item] = field(default_factory=dict)
    gone: dict[int, tuple[int, int]] = field(default_factory=dict)  # number -> entered, version when it left
    log: list[tuple[int, int]] = field(default_factory=list)  # version, number; ascending
    children: list["Folder"] = field(default_factory=list)

    def changes_after(self, version: int) -> int:
        """The index in `log` of the first change after the version."""
        return bisect_right(self.log, (version, 1 << 62))

    def last_version(self, number: int) -> int:
        """The version of the last entry that counts for an item; older ones in the log are stale."""
        item = self.items.get(number)
        if item is not None:
            return item.version
        return self.gone[number][1]

    def subtree(self) -> "list[Folder]":
        """All folders below, parents first."""
        found: list[Folder] = []
        for child in self.children:
            found += [child, *child.subtree()]
        return found


@dataclass(slots=True, eq=False)
class Mailbox:
    """A user's mailbox."""

    address: str
    name: str
    time_zone: str = "UTC"  # a Windows name, as the user chose it
    root: Folder | None = None
    distinguished: dict[str, Folder] = field(default_factory=dict)
    delegates: dict[str, str] = field(default_factory=dict)  # address -> Reviewer, Author or Editor
    gone_folders: dict[int, tuple[int, int]] = field(default_factory=dict)

    def folder(self, name: str) -> Folder:
        """The folder with this distinguished name."""
        return self.distinguished[name]

    def folders(self) -> list[Folder]:
        """All folders, parents first, without the root itself."""
        return [] if self.root is None else self.root.subtree()
