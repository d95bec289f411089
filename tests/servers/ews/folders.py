"""GetFolder, FindFolder, CreateFolder, DeleteFolder and SyncFolderHierarchy."""

from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from tests.servers.ews import mapi
from tests.servers.ews.answers import failure, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.model import Folder
from tests.servers.ews.requests import Request
from tests.servers.ews.restrictions import FolderSearch
from tests.servers.ews.shapes import Shape
from tests.servers.ews.store import Store
from tests.servers.ews.syncing import refusal
from tests.servers.ews.xmlwork import children, local, m, make, t, text_of, typed, yes_no

_ELEMENTS = {"IPF.Appointment": "CalendarFolder", "IPF.Task": "TasksFolder", "IPF.Contact": "ContactsFolder"}
_CLASSES = {element: folder_class for folder_class, element in _ELEMENTS.items()}
_ORDER = (
    "FolderId", "ParentFolderId", "FolderClass", "DisplayName", "TotalCount", "ChildFolderCount",
    "ExtendedProperty",
    "EffectiveRights",
    "DistinguishedFolderId", "UnreadCount",
)  # fmt: skip
_DEFAULT = {"FolderId", "DisplayName", "TotalCount", "ChildFolderCount", "UnreadCount"}


def element_of(folder: Folder) -> str:
    """The name of the folder's element."""
    return _ELEMENTS.get(folder.folder_class, "Folder")


def render(request: Request, folder: Folder, shape: Shape) -> Element:
    """The folder with the properties of the shape."""
    wanted = {"FolderId"} | set(shape.named)
    wanted |= (
        set(_ORDER) - {"ExtendedProperty"}
        if shape.base == "AllProperties"
        else _DEFAULT
        if shape.base == "Default"
        else set()
    )
    shown = typed(element_of(folder))
    for name in _ORDER:
        if name in wanted:
            found = _property(request, folder, name)
            if found is not None:
                shown.append(found)
        elif name == "ExtendedProperty":
            derived = (mapi.of_folder(folder, path) for path in shape.extended)
            shown.extend(each for each in derived if each is not None)
    return shown


def _property(request: Request, folder: Folder, name: str) -> Element | None:
    store = request.store
    if name == "FolderId":
        return folder_id(store, folder)
    if name == "ParentFolderId":
        parent = folder.parent
        return None if parent is None else folder_id(store, parent, "ParentFolderId")
    if name == "EffectiveRights":
        return _rights(request, folder)
    if name == "UnreadCount":
        if element_of(folder) in {"CalendarFolder", "ContactsFolder"}:
            return None
        return typed(name, str(sum(not item.is_read for item in folder.items.values())))
    values = {
        "FolderClass": folder.folder_class,
        "DisplayName": folder.name,
        "TotalCount": str(len(folder.items)),
        "ChildFolderCount": str(len(folder.children)),
        "DistinguishedFolderId": folder.distinguished or "",
    }
    return typed(name, values[name]) if values[name] else None


def _rights(request: Request, folder: Folder) -> Element:
    writes, creates = request.may(folder.mailbox, "write"), request.may(folder.mailbox, "create")
    return typed(
        "EffectiveRights",
        [
            typed("CreateAssociated", yes_no(writes)),
            typed("CreateContents", yes_no(creates)),
            typed("CreateHierarchy", yes_no(writes)),
            typed("Delete", yes_no(writes)),
            typed("Modify", yes_no(writes)),
            typed("Read", "true"),
        ],
    )


def folder_id(store: Store, folder: Folder, tag: str = "FolderId") -> Element:
    """A FolderId element."""
    return typed(tag, Id=store.folder_id(folder), ChangeKey=store.folder_key(folder))


def _each(
    references: Iterable[Element], operation: str, work: Callable[[Element], list[Element]]
) -> list[Element]:
    found = []
    for reference in references:
        try:
            found.append(success(operation, [make(m("Folders"), work(reference))]))
        except EwsError as error:
            found.append(failure(operation, error, [make(m("Folders"))]))
    return found


def get_folder(request: Request) -> list[Element]:
    """GetFolder operation."""
    shape = Shape.read(request.body.find(m("FolderShape")))

    def one(reference: Element) -> list[Element]:
        return [render(request, request.folder(reference), shape)]

    return _each(children(request.body.find(m("FolderIds"))), "GetFolder", one)


def find_folder(request: Request) -> list[Element]:
    """FindFolder operation, paged by IndexedPageFolderView."""
    shape = Shape.read(request.body.find(m("FolderShape")))
    deep = request.attribute("Traversal") == "Deep"
    found = []
    for reference in children(request.body.find(m("ParentFolderIds"))):
        try:
            parent = request.folder(reference)
            folders = parent.subtree() if deep else list(parent.children)
            restriction = request.body.find(m("Restriction"))
            if restriction is not None:
                test = FolderSearch(request).test(restriction[0])
                folders = [folder for folder in folders if test(folder)]
            view = request.body.find(m("IndexedPageFolderView"))
            begin = 0 if view is None else int(view.get("Offset", "0"))
            size = len(folders) if view is None else int(view.get("MaxEntriesReturned", len(folders)))
            page = [render(request, folder, shape) for folder in folders[begin : begin + size]]
            attributes = {
                "IndexedPagingOffset": str(begin + len(page)),
                "TotalItemsInView": str(len(folders)),
                "IncludesLastItemInRange": yes_no(begin + size >= len(folders)),
            }
            root = make(m("RootFolder"), [typed("Folders", page)], attributes)
            found.append(success("FindFolder", [root]))
        except EwsError as error:
            found.append(failure("FindFolder", error))
    return found


def create_folder(request: Request) -> list[Element]:
    """CreateFolder operation."""
    parent_id = request.body.find(m("ParentFolderId"))
    assert parent_id is not None

    def one(source: Element) -> list[Element]:
        parent = request.folder(parent_id[0], "write")
        given = _CLASSES.get(local(source), text_of(source, "FolderClass") or "IPF.Note")
        folder = request.store.add_folder(parent, text_of(source, "DisplayName"), given)
        return [render(request, folder, Shape())]

    return _each(children(request.body.find(m("Folders"))), "CreateFolder", one)


def delete_folder(request: Request) -> list[Element]:
    """DeleteFolder operation; a distinguished folder stays."""
    found = []
    for reference in children(request.body.find(m("FolderIds"))):
        try:
            request.store.remove_folder(_deletable(request.folder(reference, "write")))
            found.append(success("DeleteFolder"))
        except EwsError as error:
            found.append(failure("DeleteFolder", error))
    return found


def _deletable(folder: Folder) -> Folder:
    if folder.distinguished is not None:
        raise EwsError("ErrorDeleteDistinguishedFolder", "Distinguished folders cannot be deleted.")
    return folder


def sync_hierarchy(request: Request) -> list[Element]:
    """SyncFolderHierarchy operation: the folders below one, the message folder root where none is named."""
    shape = Shape.read(request.body.find(m("FolderShape")))
    reference = request.body.find(m("SyncFolderId"))
    try:
        root = request.caller.folder("msgfolderroot") if reference is None else request.folder(reference[0])
        since = _since(request)
        changes = []
        for folder in root.subtree():
            if folder.entered > since:
                changes.append(typed("Create", [render(request, folder, shape)]))
            elif folder.version > since:
                changes.append(typed("Update", [render(request, folder, shape)]))
        for number, (entered, left) in root.mailbox.gone_folders.items():
            if entered <= since < left:
                gone = request.store.removed_folder_id(root.mailbox, number)
                changes.append(typed("Delete", [typed("FolderId", Id=gone)]))
    except EwsError as error:
        return [refusal("SyncFolderHierarchy", error)]
    return [
        success(
            "SyncFolderHierarchy",
            [
                make(m("SyncState"), request.store.seal_state(f"H|{request.store.version}")),
                make(m("IncludesLastFolderInRange"), "true"),
                make(m("Changes"), changes),
            ],
        )
    ]


def _since(request: Request) -> int:
    state = request.body.find(m("SyncState"))
    if state is None or not state.text:
        return 0
    kind, version = request.store.open_state(state.text, 2)
    if kind != "H":
        raise EwsError("ErrorInvalidSyncStateData", "The sync state is not of a hierarchy.")
    return int(version)


def rename(request: Request) -> list[Element]:
    """UpdateFolder operation, display names only."""
    found = []
    for change in children(request.body.find(m("FolderChanges"))):
        try:
            folder = request.folder(change[0], "write")
            for update in children(change.find(t("Updates"))):
                folder.name = _new_name(folder, update)
                folder.version = request.store.next_version()
            found.append(success("UpdateFolder", [make(m("Folders"), [render(request, folder, Shape())])]))
        except EwsError as error:
            found.append(failure("UpdateFolder", error, [make(m("Folders"))]))
    return found


def _new_name(folder: Folder, update: Element) -> str:
    named = update.find(f"./*/{t('DisplayName')}")
    if named is None or folder.distinguished is not None:
        raise EwsError("ErrorFolderSavePropertyError", "Only display names can be changed here.")
    return named.text or ""
