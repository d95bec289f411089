"""The server's state and the only place where it changes: every change has a version, a number that grows.

An id says mailbox, item and folder, since an item that is moved gets a new id (MoveItem operation,
`ReturnNewItemIds`). Ids and change keys are opaque to clients; Exchange's are base64 too.
"""

import base64
import binascii
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import Kind
from tests.servers.ews.model import Folder, Item, Mailbox

# distinguished name -> display name, folder class, parent
_FOLDERS = {
    "msgfolderroot": ("Top of Information Store", "IPF", "root"),
    "calendar": ("Calendar", "IPF.Appointment", "msgfolderroot"),
    "contacts": ("Contacts", "IPF.Contact", "msgfolderroot"),
    "deleteditems": ("Deleted Items", "IPF.Note", "msgfolderroot"),
    "drafts": ("Drafts", "IPF.Note", "msgfolderroot"),
    "inbox": ("Inbox", "IPF.Note", "msgfolderroot"),
    "journal": ("Journal", "IPF.Journal", "msgfolderroot"),
    "junkemail": ("Junk Email", "IPF.Note", "msgfolderroot"),
    "notes": ("Notes", "IPF.StickyNote", "msgfolderroot"),
    "outbox": ("Outbox", "IPF.Note", "msgfolderroot"),
    "sentitems": ("Sent Items", "IPF.Note", "msgfolderroot"),
    "tasks": ("Tasks", "IPF.Task", "msgfolderroot"),
    "searchfolders": ("Finder", "IPF", "root"),
    "recoverableitemsroot": ("Recoverable Items", "IPF", "root"),
    "recoverableitemsdeletions": ("Deletions", "IPF", "recoverableitemsroot"),
}

_LENGTHS = {"I": 101, "F": 77}  # 152 and 120 characters in base64

EventKind = Literal["Created", "Modified", "Deleted", "Moved", "NewMail"]


@dataclass(frozen=True, slots=True)
class Event:
    """A change that subscriptions are told of."""

    kind: EventKind
    folder: Folder
    item: Item
    old_folder: Folder | None = None
    old_number: int = 0


class Store:
    """Mailboxes and items. Every public method takes the lock; `now` is the server's clock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.mailboxes: dict[str, Mailbox] = {}
        self.items: dict[int, Item] = {}
        self.folders: dict[int, Folder] = {}
        self.listeners: list[Callable[[Event], None]] = []
        self._secret = secrets.token_bytes(8)
        self._version = 0
        self._numbers = 0

    def now(self) -> datetime:
        """The server's clock, whole seconds."""
        return datetime.now(UTC).replace(microsecond=0)

    def next_version(self) -> int:
        """A new version."""
        self._version += 1
        return self._version

    @property
    def version(self) -> int:
        """The last version given."""
        return self._version

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def add_mailbox(self, address: str, name: str) -> Mailbox:
        """A new mailbox with the folders that Exchange makes."""
        with self.lock:
            box = Mailbox(address.lower(), name)
            box.root = self._folder(box, None, "Root", "IPF", "root")
            for distinguished, (display, folder_class, parent) in _FOLDERS.items():
                self._folder(box, box.folder(parent), display, folder_class, distinguished)
            self.mailboxes[box.address] = box
            return box

    def add_folder(self, parent: Folder, name: str, folder_class: str = "IPF.Note") -> Folder:
        """A folder as a client makes it."""
        with self.lock:
            if any(child.name.casefold() == name.casefold() for child in parent.children):
                raise EwsError("ErrorFolderExists", "A folder with the specified name already exists.")
            return self._folder(parent.mailbox, parent, name, folder_class, None)

    def remove_folder(self, folder: Folder) -> None:
        """Takes a folder out with all that is in it."""
        with self.lock:
            for each in [*folder.subtree(), folder]:
                for item in list(each.items.values()):
                    self.remove(item)
                version = self.next_version()
                folder.mailbox.gone_folders[each.number] = (each.entered, version)
                del self.folders[each.number]
            if folder.parent is not None:
                folder.parent.children.remove(folder)

    def _folder(
        self, box: Mailbox, parent: Folder | None, name: str, folder_class: str, distinguished: str | None
    ) -> Folder:
        version = self.next_version()
        folder = Folder(self._number(), box, parent, name, folder_class, distinguished, version, version)
        self.folders[folder.number] = folder
        if parent is not None:
            parent.children.append(folder)
        if distinguished is not None:
            box.distinguished[distinguished] = folder
        return folder

    def add(self, folder: Folder, kind: Kind, by: str) -> Item:
        """A new, empty item. The caller fills it under the lock and then calls `announce`."""
        with self.lock:
            version = self.next_version()
            now = self.now()
            item = Item(self._number(), kind, folder, version, version, version, now, now, by)
            self.items[item.number] = item
            folder.items[item.number] = item
            folder.log.append((version, item.number))
            return item

    def announce(
        self, kind: EventKind, item: Item, old_folder: Folder | None = None, old_number: int = 0
    ) -> None:
        """Tells the subscriptions."""
        event = Event(kind, item.folder, item, old_folder, old_number)
        for listener in list(self.listeners):
            listener(event)

    def changed(self, item: Item, by: str, names: set[str], *, only_read: bool = False) -> None:
        """The item was changed: a new change key, a line in its folder's log."""
        with self.lock:
            version = self.next_version()
            item.version = version
            if not only_read:
                item.content_version = version
            item.modified = self.now()
            item.modified_by = by
            for name in names:
                item.field_versions[name] = version
            item.folder.log.append((version, item.number))
            self.announce("Modified", item)

    def remove(self, item: Item) -> None:
        """Takes the item out of its folder for good."""
        with self.lock:
            self._leave(item)
            del self.items[item.number]
            self.announce("Deleted", item)

    def move(self, item: Item, folder: Folder, by: str) -> None:
        """Moves the item: a new number, hence a new id; the old one is gone."""
        with self.lock:
            old, old_number = item.folder, item.number
            self._leave(item)
            del self.items[item.number]
            item.number = self._number()
            item.folder = folder
            version = self.next_version()
            item.entered = item.version = item.content_version = version
            item.modified_by = by
            self.items[item.number] = item
            folder.items[item.number] = item
            folder.log.append((version, item.number))
            self.announce("Moved", item, old, old_number)

    def _leave(self, item: Item) -> None:
        folder = item.folder
        del folder.items[item.number]
        version = self.next_version()
        folder.gone[item.number] = (item.entered, version)
        folder.log.append((version, item.number))

    def item_id(self, item: Item, original: datetime | None = None) -> str:
        """The id of an item, or of the occurrence of a master that starts at `original` by its pattern."""
        return self.removed_id(item.folder, item.number, original)

    def removed_id(self, folder: Folder, number: int, original: datetime | None = None) -> str:
        """The id that an item had, which may be gone."""
        at = "" if original is None else original.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        return self._seal("I", f"{folder.mailbox.address}|{folder.number}|{number}|{at}")

    def folder_id(self, folder: Folder) -> str:
        """The id of a folder."""
        return self._seal("F", f"{folder.mailbox.address}|{folder.number}")

    def removed_folder_id(self, box: Mailbox, number: int) -> str:
        """The id that a folder had."""
        return self._seal("F", f"{box.address}|{number}")

    def change_key(self, item: Item) -> str:
        """The change key. A series has one: its exceptions are stored inside their master ([MS-OXOCAL])."""
        return self._seal("C", f"{item.number}|{item.version}")

    def folder_key(self, folder: Folder) -> str:
        """The change key of a folder."""
        return self._seal("C", f"{folder.number}|{folder.version}")

    def read_item_id(self, text: str) -> tuple[Mailbox, int, datetime | None]:
        """The mailbox, number and original start an id means; the item may be gone."""
        address, _, number, at = self._open("I", text, 4, "ErrorInvalidIdMalformed")
        box = self.mailboxes.get(address)
        if box is None:
            raise EwsError("ErrorInvalidIdMalformed", "Id is malformed.")
        when = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) if at else None
        return box, int(number), when

    def read_folder_id(self, text: str) -> tuple[Mailbox, Folder | None]:
        """The folder an id means, or None where it is gone."""
        address, number = self._open("F", text, 2, "ErrorInvalidFolderId")
        box = self.mailboxes.get(address)
        if box is None:
            raise EwsError("ErrorInvalidFolderId", "Id is malformed.")
        return box, self.folders.get(int(number))

    def read_change_key(self, text: str) -> int:
        """The version that a change key means."""
        return int(self._open("C", text, 2, "ErrorInvalidChangeKey")[1])

    def seal_state(self, text: str) -> str:
        """An opaque sync state."""
        return self._seal("S", text)

    def open_state(self, text: str, parts: int) -> list[str]:
        """What a sync state holds."""
        return self._open("S", text, parts, "ErrorInvalidSyncStateData")

    def _seal(self, letter: str, text: str) -> str:
        # As long as Exchange's own: clients tell ids from names by it, and databases have columns for them.
        plain = letter.encode() + self._secret + text.encode().rjust(_LENGTHS.get(letter, 0), b"\0")
        return base64.b64encode(binascii.crc32(plain).to_bytes(4, "big") + plain).decode()

    def _open(self, letter: str, sealed: str, parts: int, code: str) -> list[str]:
        try:
            plain = base64.b64decode(sealed, validate=True)
        except (binascii.Error, ValueError):
            plain = b""
        body = plain[4:]
        start = letter.encode() + self._secret
        if not body.startswith(start) or binascii.crc32(body).to_bytes(4, "big") != plain[:4]:
            raise EwsError(code, "The value is malformed or was not given by this server.")
        values = body[len(start) :].lstrip(b"\0").decode().split("|")
        if len(values) != parts:
            raise EwsError(code, "The value is malformed.")
        return values
