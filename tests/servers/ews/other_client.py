"""Another client of the same mailbox: writes into the server's store directly and reads what is there.

Field names are those of the schema's elements; a value is text, or an element for what has children. What it
writes goes through the same rules as requests do, but nothing of it is mailed to anybody.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from xml.etree.ElementTree import Element

from tests.servers.ews import occasions, writing
from tests.servers.ews.fields import Kind
from tests.servers.ews.mail import mailbox
from tests.servers.ews.model import ExtendedPath, Folder, Item, Series
from tests.servers.ews.requests import Request
from tests.servers.ews.server import EwsServer
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import local, stamp, t, typed

Value = str | Element
_BY = "Another Client"


class OtherClient:
    """Another client of one mailbox. Every method that makes or finds an item gives or takes its id."""

    def __init__(self, server: EwsServer, address: str) -> None:
        self._store = server.store
        self._box = server.mailbox(address)
        body = typed("None")
        self._request = Request(server.store, self._box, body, "UTC", server.counts)

    def folder(self, name: str) -> Folder:
        """A distinguished folder, or else the one with this display name."""
        found = self._box.distinguished.get(name)
        return found or next(folder for folder in self._box.folders() if folder.name == name)

    def add_folder(self, name: str, parent: str = "msgfolderroot", folder_class: str = "IPF.Note") -> str:
        """A new folder; returns its id."""
        return self._store.folder_id(self._store.add_folder(self.folder(parent), name, folder_class))

    def remove_folder(self, name: str) -> None:
        """The folder and all that is in it are gone."""
        self._store.remove_folder(self.folder(name))

    def add_event(
        self,
        subject: str,
        start: datetime,
        end: datetime,
        *,
        zone: str = "UTC",
        folder: str = "calendar",
        **fields: Value,
    ) -> str:
        """A new event; `zone` is a Windows name. Recurrence and attendees come as elements."""
        times = [typed("Start", stamp(start)), typed("End", stamp(end))]
        zoned = typed("StartTimeZone", (), Id=zone)
        values = [typed("Subject", subject), zoned, *times, *_elements(fields)]
        return self._add(self.folder(folder), Kind.CALENDAR, values)

    def copy_event(self, item_id: str) -> str:
        """A copy beside it, with all its properties and a UID of its own (MS-OXOCAL, "Copying a Calendar
        Object"). Returns its id."""
        with self._store.lock:
            source = self.target(item_id).item
            item = self._store.add(source.folder, source.kind, _BY)
            item.fields, item.extended = dict(source.fields), dict(source.extended)
            item.put("UID", writing.new_uid())
            self._store.announce("Created", item)
            return self._store.item_id(item)

    def add_task(self, subject: str, *, folder: str = "tasks", **fields: Value) -> str:
        """A new task."""
        return self._add(self.folder(folder), Kind.TASK, [typed("Subject", subject), *_elements(fields)])

    def add_mail(
        self, mime: bytes, *, folder: str = "inbox", received: datetime | None = None, read: bool = False
    ) -> str:
        """A message from its bytes, kept to the byte."""
        return self.add_mails([mime], folder=folder, received=received, read=read)[0]

    def add_mails(
        self,
        messages: Iterable[bytes],
        *,
        folder: str = "inbox",
        received: datetime | None = None,
        read: bool = False,
    ) -> list[str]:
        """Many messages at once; each takes its bytes and little else."""
        goal = self.folder(folder)
        ids = []
        with self._store.lock:
            for mime in messages:
                item = self._store.add(goal, Kind.MESSAGE, _BY)
                item.mime, item.is_read = mime, read
                if received is not None:
                    item.created = received
                self._store.announce("NewMail" if folder == "inbox" else "Created", item)
                ids.append(self._store.item_id(item))
        return ids

    def edit(self, item_id: str, **fields: Value | None) -> None:
        """Sets fields of an item or occurrence; None deletes one."""
        with self._store.lock:
            target = self.target(item_id)
            before, names = dict(target.item.fields), set[str]()
            for name, value in fields.items():
                if value is None:
                    names |= writing.drop(target, name)
                else:
                    names |= writing.put(self._request, target, _element(name, value))
            if target.kind is Kind.TASK:
                writing.complete_task(target.item, names)
            if target.kind is Kind.CALENDAR and names & writing.TIMING:
                writing.settle_times(target)
                if target.original is None and writing.times_changed(target.item, before, names):
                    target.item.series = None
            self._store.changed(target.item, _BY, names, only_read=names == {"IsRead"})

    def set_extended(self, item_id: str, uri: Element, value: str) -> None:
        """Sets an extended property; `uri` is an ExtendedFieldURI element."""
        with self._store.lock:
            target = self.target(item_id)
            element = typed("ExtendedProperty", [uri, typed("Value", value)])
            names = writing.put(self._request, target, element)
            self._store.changed(target.item, _BY, names)

    def delete(self, item_id: str, *, to_deleted_items: bool = False) -> None:
        """Deletes an item, or an occurrence from its series."""
        with self._store.lock:
            target = self.target(item_id)
            item = target.item
            if target.original is not None:
                item.series = item.series or Series()
                item.series.changed.pop(target.original, None)
                item.series.deleted.add(target.original)
                self._store.changed(item, _BY, {"DeletedOccurrences"})
            elif to_deleted_items:
                self._store.move(item, self.folder("deleteditems"), _BY)
            else:
                self._store.remove(item)

    def move(self, item_id: str, folder: str) -> str:
        """Moves an item; returns its new id."""
        with self._store.lock:
            item = self.target(item_id).item
            self._store.move(item, self.folder(folder), _BY)
            return self._store.item_id(item)

    def occurrence_id(self, master_id: str, start: datetime) -> str:
        """The id of the occurrence that starts then by the pattern."""
        return self._store.item_id(self.target(master_id).item, start.astimezone(UTC))

    def target(self, item_id: str) -> Target:
        """What an id addresses; EwsError where it is gone."""
        return self._request.target(typed("ItemId", (), Id=item_id))

    def id_of(self, item: Item) -> str:
        """The id of an item."""
        return self._store.item_id(item)

    def items(self, folder: str) -> list[Target]:
        """What is in a folder, oldest first: masters, not their occurrences."""
        with self._store.lock:
            return [Target(item) for item in self.folder(folder).items.values()]

    def events(self) -> list[Target]:
        """The calendar's items."""
        return self.items("calendar")

    def tasks(self) -> list[Target]:
        """The tasks."""
        return self.items("tasks")

    def occurrences(self, master_id: str, most: int = 100) -> list[Target]:
        """The standing occurrences of a master, exceptions among them."""
        found = occasions.standing(self.target(master_id).item)
        return [each for _, each in zip(range(most), found, strict=False)]

    def extended(self, item_id: str) -> dict[ExtendedPath, str]:
        """The extended properties that were written, as text."""
        stored = self.target(item_id).extended()
        return {path: "".join(element[-1].itertext()) for path, element in stored.items()}

    def _add(self, folder: Folder, kind: Kind, values: list[Element]) -> str:
        with self._store.lock:
            item = self._store.add(folder, kind, _BY)
            writing.fill(self._request, item, values)
            self._store.announce("Created", item)
            return self._store.item_id(item)


def _elements(fields: dict[str, Value]) -> list[Element]:
    return [_element(name, value) for name, value in fields.items()]


def _element(name: str, value: Value) -> Element:
    if isinstance(value, Element):
        if local(value) != name:
            raise ValueError(f"{name} was given as {local(value)}")
        return value
    return typed(name, value, BodyType="Text") if name == "Body" else typed(name, value)


def attendees(name: str, *addresses: str) -> Element:
    """RequiredAttendees, OptionalAttendees or Resources."""
    return typed(name, [typed("Attendee", [mailbox("", address)]) for address in addresses])


def categories(*names: str) -> Element:
    """Categories."""
    return typed("Categories", [typed("String", name) for name in names])


def recurrence(
    pattern: str, start: date, *, count: int | None = None, until: date | None = None, **parts: str
) -> Element:
    """A Recurrence: `recurrence("WeeklyRecurrence", day, count=4, Interval="1", DaysOfWeek="Monday")`.

    The parts come in the order of the schema.
    """
    first = typed("StartDate", start.isoformat())
    if count is not None:
        limits = typed("NumberedRecurrence", [first, typed("NumberOfOccurrences", str(count))])
    elif until is not None:
        limits = typed("EndDateRecurrence", [first, typed("EndDate", until.isoformat())])
    else:
        limits = typed("NoEndRecurrence", [first])
    return typed("Recurrence", [typed(pattern, [typed(n, v) for n, v in parts.items()]), limits])


def extended_uri(set_id: str, name: str, kind: str = "String") -> Element:
    """An ExtendedFieldURI of a named property."""
    return Element(
        t("ExtendedFieldURI"), {"PropertySetId": set_id, "PropertyName": name, "PropertyType": kind}
    )
