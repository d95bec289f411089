"""The calendars and task lists of a mailbox: folders of the class IPF.Appointment or IPF.Task."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from connectors.calendar import CalendarInfo, Kind
from connectors.errors import CollectionGone, CollectionRefused, ProtocolViolation
from connectors.ews.access import Entry
from connectors.ews.calendar import requests
from connectors.ews.calendar.wire import Refusal, Wire
from connectors.ews.calendar.xml import T, local, t, text_of

_CLASSES = (("IPF.Appointment", Kind.EVENT), ("IPF.Task", Kind.TASK))
_PROPERTIES = ("folder:FolderClass", "folder:DisplayName", "folder:ParentFolderId", "folder:EffectiveRights")
_MOST_PAGES = 1000
_RIGHTS = ("CreateContents", "Modify", "Delete")


def calendars(wire: Wire) -> list[CalendarInfo]:
    """Every calendar and task list but those that were deleted, the mailbox's own first."""
    own = wire.ask(requests.get_folders([_named(wire, "calendar"), _named(wire, "tasks")], _PROPERTIES))
    found: dict[str, CalendarInfo] = {}
    for answer in own:
        if isinstance(answer, Element):
            _add(found, _folders_in(answer))
    if not found and isinstance(own[0], Refusal):
        error = wire.error(own[0], collection="calendar")
        raise error
    _add(found, _others(wire))
    return list(found.values())


def log_in(wire: Wire) -> None:
    """The first request: raises AuthFailed where the server does not let us in."""
    wire.ask(requests.get_folders([_named(wire, "calendar")]))


def require(wire: Wire, calendar: str) -> None:
    """Raises CollectionGone or CollectionRefused where the folder is not to be seen."""
    for answer in wire.ask(requests.get_folders([t("FolderId", None, Id=calendar)]), collection=calendar):
        if isinstance(answer, Refusal):
            raise wire.error(answer, collection=calendar)


def _named(wire: Wire, name: str) -> Element:
    access = wire.session.access
    if access.entry is not Entry.DELEGATE:
        return t("DistinguishedFolderId", None, Id=name)
    mailbox = t("Mailbox", None, t("EmailAddress", access.address))
    return t("DistinguishedFolderId", None, mailbox, Id=name)


def _others(wire: Wire) -> Iterator[Element]:
    """All folders of the mailbox, without what is in Deleted Items; none where a delegate may not
    list them."""
    bin_id = ""
    for answer in wire.ask(requests.get_folders([_named(wire, "deleteditems")])):
        if isinstance(answer, Element):
            bin_id = next((_id(one) for one in _folders_in(answer)), "")
    folders: list[Element] = []
    for _ in range(_MOST_PAGES):
        body = requests.find_folders(_named(wire, "msgfolderroot"), _PROPERTIES, len(folders))
        answer = wire.ask(body)[0]
        if isinstance(answer, Refusal):
            error = wire.error(answer, collection="msgfolderroot")
            if isinstance(error, CollectionRefused | CollectionGone):
                return
            raise error
        page = list(_folders_in(answer))
        folders += page
        root = next((one for one in answer.iter() if local(one) == "RootFolder"), None)
        if root is None or root.get("IncludesLastItemInRange") == "true":
            break
        if not page:
            raise ProtocolViolation(f"The server of {wire.who} lists folders without an end.")
    parents = {_id(one): _parent(one) for one in folders}
    for folder in folders:
        above, steps = _parent(folder), 0
        while above and above != bin_id and steps < len(folders):
            above, steps = parents.get(above, ""), steps + 1
        if not bin_id or above != bin_id:
            yield folder


def _folders_in(answer: Element) -> Iterator[Element]:
    for element in answer.iter():
        if local(element) in {"Folder", "CalendarFolder", "TasksFolder", "ContactsFolder", "SearchFolder"}:
            yield element


def _add(found: dict[str, CalendarInfo], folders: Iterator[Element]) -> None:
    for folder in folders:
        kinds = frozenset(
            kind
            for prefix, kind in _CLASSES
            if (text_of(folder, "FolderClass") + ".").startswith(prefix + ".")
        )
        if not kinds or local(folder) == "SearchFolder":
            continue
        rights = folder.find(f"{T}EffectiveRights")
        writable = rights is None or all(text_of(rights, one) in {"true", "1"} for one in _RIGHTS)
        ref = _id(folder)
        # Exchange mails invitations itself (MS-OXWSMTGS): it schedules, whoever writes.
        found.setdefault(
            ref,
            CalendarInfo(
                ref,
                text_of(folder, "DisplayName"),
                kinds,
                writable,
                auto_schedule=True,
                creates_once=False,  # CreateItem has no precondition
            ),
        )


def _id(folder: Element) -> str:
    found = folder.find(f"{T}FolderId")
    return "" if found is None else found.get("Id", "")


def _parent(folder: Element) -> str:
    found = folder.find(f"{T}ParentFolderId")
    return "" if found is None else found.get("Id", "")
