"""CreateItem, GetItem, DeleteItem, MoveItem, CopyItem and SendItem."""

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from tests.servers.ews import mapi, meetings, writing
from tests.servers.ews.answers import failure, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import Kind
from tests.servers.ews.model import Folder, Series
from tests.servers.ews.requests import Request
from tests.servers.ews.shapes import Shape, render
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, local, m, make

_KINDS = {kind.value: kind for kind in Kind}
_HOMES = {Kind.CALENDAR: "calendar", Kind.TASK: "tasks", Kind.CONTACT: "contacts"}
_FOLDER_CLASS = {Kind.CALENDAR: "IPF.Appointment", Kind.TASK: "IPF.Task"}


def each(
    references: Iterable[Element], operation: str, work: Callable[[Element], list[Element]]
) -> list[Element]:
    """A response message for each; the failure of one is its own."""
    found = []
    for reference in references:
        try:
            found.append(success(operation, [make(m("Items"), work(reference))]))
        except EwsError as error:
            found.append(failure(operation, error, [make(m("Items"))]))
    return found


def get_item(request: Request) -> list[Element]:
    """GetItem operation."""
    shape = Shape.read(request.body.find(m("ItemShape")))

    def one(reference: Element) -> list[Element]:
        return [render(request.store, request.caller, request.target(reference), shape)]

    return each(children(request.body.find(m("ItemIds"))), "GetItem", one)


def create_item(request: Request) -> list[Element]:
    """CreateItem operation; AcceptItem and its like are items too."""
    saved = request.body.find(m("SavedItemFolderId"))
    found = []
    for source in children(request.body.find(m("Items"))):
        try:
            if local(source) in meetings.RESPONSES:
                made = meetings.respond(request, source)
            else:
                item = _create(request, source, saved)
                made = [] if item is None else [item]
            shown = [render(request.store, request.caller, target, Shape()) for target in made]
            found.append(success("CreateItem", [make(m("Items"), shown)]))
        except EwsError as error:
            found.append(failure("CreateItem", error, [make(m("Items"))]))
    return found


def _create(request: Request, source: Element, saved: Element | None) -> Target | None:
    if local(source) not in _KINDS:
        raise EwsError("ErrorInvalidItemForOperationCreateItem", f"{local(source)} cannot be created.")
    kind = _KINDS[local(source)]
    disposition = request.attribute("MessageDisposition")
    if kind is Kind.CALENDAR and not request.attribute("SendMeetingInvitations"):
        raise EwsError("ErrorSendMeetingInvitationsRequired", "SendMeetingInvitations is required.")
    if kind is Kind.MESSAGE and not disposition:
        raise EwsError("ErrorMessageDispositionRequired", "MessageDisposition is required for messages.")
    home = _HOMES.get(kind, "drafts" if disposition != "SendAndSaveCopy" else "sentitems")
    folder = request.caller.folder(home) if saved is None else request.folder(saved[0], "create")
    _fits(kind, folder)
    item = request.store.add(folder, kind, request.caller.name)
    try:
        writing.fill(request, item, source)
    except EwsError:
        request.store.remove(item)
        raise
    item.is_draft = kind is Kind.MESSAGE and disposition == "SaveOnly" and not mapi.says_sent(item)
    request.store.announce("Created", item)
    if kind is Kind.CALENDAR:
        meetings.created(request, item, request.attribute("SendMeetingInvitations"))
    elif kind is Kind.MESSAGE and disposition.startswith("Send"):
        keep = disposition == "SendAndSaveCopy"
        meetings.send_message(request, item, keep=keep)
        return None  # what was sent has no id in the answer, also where a copy stays
    return Target(item)


def _fits(kind: Kind, folder: Folder) -> None:
    refusals = {
        Kind.CALENDAR: "ErrorCannotCreateCalendarItemInNonCalendarFolder",
        Kind.TASK: "ErrorCannotCreateTaskInNonTaskFolder",
    }
    wanted = _FOLDER_CLASS.get(kind)
    if wanted is not None and not folder.folder_class.startswith(wanted):
        raise EwsError(refusals[kind], "The item cannot be created in this folder.")


def delete_item(request: Request) -> list[Element]:
    """DeleteItem operation. It does not compare change keys: nothing in its page says so, and a client that
    needs the precondition must look first."""
    found = []
    for reference in children(request.body.find(m("ItemIds"))):
        try:
            _delete(request, request.target(reference, "write"))
            found.append(success("DeleteItem"))
        except EwsError as error:
            found.append(failure("DeleteItem", error))
    return found


def _delete(request: Request, target: Target) -> None:
    item = target.item
    if target.kind is Kind.CALENDAR:
        mode = request.attribute("SendMeetingCancellations")
        if not mode:
            raise EwsError("ErrorSendMeetingCancellationsRequired", "SendMeetingCancellations is required.")
        meetings.deleted(request, target, mode)
    if target.kind is Kind.TASK and not request.attribute("AffectedTaskOccurrences"):
        raise EwsError("ErrorAffectedTaskOccurrencesRequired", "AffectedTaskOccurrences is required.")
    if target.original is not None:
        if item.series is None:
            item.series = Series()
        item.series.changed.pop(target.original, None)
        item.series.deleted.add(target.original)
        request.store.changed(item, request.caller.name, {"DeletedOccurrences"})
    elif (
        request.attribute("DeleteType") == "MoveToDeletedItems"
        and item.folder.distinguished != "deleteditems"
    ):
        request.store.move(item, item.folder.mailbox.folder("deleteditems"), request.caller.name)
    elif request.attribute("DeleteType") == "SoftDelete":
        dumpster = item.folder.mailbox.folder("recoverableitemsdeletions")
        request.store.move(item, dumpster, request.caller.name)
    else:
        request.store.remove(item)


def move_item(request: Request) -> list[Element]:
    """MoveItem operation: the item has a new id afterwards."""
    return _elsewhere(request, "MoveItem")


def copy_item(request: Request) -> list[Element]:
    """CopyItem operation."""
    return _elsewhere(request, "CopyItem")


def _elsewhere(request: Request, operation: str) -> list[Element]:
    try:
        reference = request.body.find(m("ToFolderId"))
        assert reference is not None
        goal = request.folder(reference[0], "create")
    except EwsError as error:
        code = "ErrorToFolderNotFound" if error.code == "ErrorFolderNotFound" else error.code
        wrong = EwsError(code, error.text)
        return [
            failure(operation, wrong, [make(m("Items"))]) for _ in children(request.body.find(m("ItemIds")))
        ]

    def one(reference: Element) -> list[Element]:
        target = request.target(reference, "write" if operation == "MoveItem" else "read")
        if target.original is not None:
            raise EwsError("ErrorCalendarCannotMoveOrCopyOccurrence", "An occurrence cannot be moved.")
        item = target.item
        if operation == "MoveItem":
            request.store.move(item, goal, request.caller.name)
        else:
            copied = request.store.add(goal, item.kind, request.caller.name)
            copied.fields, copied.extended, copied.mime = dict(item.fields), dict(item.extended), item.mime
            copied.is_read, copied.is_draft = item.is_read, item.is_draft
            request.store.announce("Created", copied)
            item = copied
        # Across mailboxes Exchange returns no new id (MoveItem operation, remarks).
        if goal.mailbox is not request.caller:
            return []
        return [render(request.store, request.caller, Target(item), Shape())]

    return each(children(request.body.find(m("ItemIds"))), operation, one)


def send_item(request: Request) -> list[Element]:
    """SendItem operation: a draft goes out. The change key must be the current one."""
    saved = request.body.find(m("SavedItemFolderId"))
    found = []
    for reference in children(request.body.find(m("ItemIds"))):
        try:
            target = _sendable(request, reference)
            keep = request.attribute("SaveItemToFolder") == "true"
            goal = request.caller.folder("sentitems") if saved is None else request.folder(saved[0], "create")
            meetings.send_message(request, target.item, keep=keep)
            if keep:
                request.store.move(target.item, goal, request.caller.name)
            found.append(success("SendItem"))
        except EwsError as error:
            found.append(failure("SendItem", error))
    return found


def _sendable(request: Request, reference: Element) -> Target:
    target = request.target(reference, "write")
    key = reference.get("ChangeKey", "")
    if not key:
        raise EwsError("ErrorChangeKeyRequiredForWriteOperations", "A change key is required.")
    if request.store.read_change_key(key) != target.item.version:
        raise EwsError("ErrorStaleObject", "The change key is not the current one.")
    if target.kind is not Kind.MESSAGE:
        raise EwsError("ErrorInvalidItemForOperationSendItem", "Only messages can be sent.")
    return target
