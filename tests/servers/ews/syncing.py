"""SyncFolderItems: what changed in a folder since a sync state, at most 512 changes at a time.

A state is the version up to which the folder's log was told. Occurrences and exceptions are never told of:
their master is; what an exception changes is a change of its master.
"""

from xml.etree.ElementTree import Element

from tests.servers.ews.answers import failure, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.model import Folder
from tests.servers.ews.requests import Request
from tests.servers.ews.shapes import Shape, render
from tests.servers.ews.store import Store
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, m, make, typed, yes_no

MAX_CHANGES = 512


def refusal(operation: str, error: EwsError) -> Element:
    """A refused synchronization; it has an empty state, which exchangelib reads before the error."""
    last = "IncludesLastFolderInRange" if operation == "SyncFolderHierarchy" else "IncludesLastItemInRange"
    return failure(operation, error, [make(m("SyncState")), make(m(last), "true")])


class SyncStates:
    """Sync states as the server gives them; a test may let all that were given expire."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._generation = 0

    def expire(self) -> None:
        """No state given so far is taken any more: ErrorInvalidSyncStateData."""
        self._generation += 1

    def give(self, folder: Folder, version: int) -> str:
        """A state of a folder."""
        return self._store.seal_state(f"{folder.number}|{version}|{self._generation}")

    def read(self, text: str, folder: Folder) -> int:
        """The version a state stands for."""
        number, version, generation = self._store.open_state(text, 3)
        if int(number) != folder.number or int(generation) != self._generation:
            raise EwsError(
                "ErrorInvalidSyncStateData", "The synchronization state data is invalid or expired."
            )
        return int(version)


def sync_items(request: Request, states: SyncStates) -> list[Element]:
    """SyncFolderItems operation."""
    shape = Shape.read(request.body.find(m("ItemShape")))
    reference = request.body.find(m("SyncFolderId"))
    state = request.body.find(m("SyncState"))
    limit = min(int(request.body.findtext(m("MaxChangesReturned"), "512")), MAX_CHANGES)
    ignored = {each.get("Id", "") for each in children(request.body.find(m("Ignore")))}
    try:
        assert reference is not None
        try:
            folder = request.folder(reference[0])
        except EwsError as error:
            code = "ErrorSyncFolderNotFound" if error.code == "ErrorFolderNotFound" else error.code
            raise EwsError(code, error.text) from error
        since = states.read(state.text, folder) if state is not None and state.text else 0
        changes, upto, last = _changes(request, folder, since, limit, shape, ignored)
    except EwsError as error:
        return [refusal("SyncFolderItems", error)]
    return [
        success(
            "SyncFolderItems",
            [
                make(m("SyncState"), states.give(folder, upto)),
                make(m("IncludesLastItemInRange"), yes_no(last)),
                make(m("Changes"), changes),
            ],
        )
    ]


def _changes(
    request: Request, folder: Folder, since: int, limit: int, shape: Shape, ignored: set[str]
) -> tuple[list[Element], int, bool]:
    found: list[Element] = []
    upto = since
    for index in range(folder.changes_after(since), len(folder.log)):
        version, number = folder.log[index]
        if len(found) == limit:
            return found, upto, False
        upto = version
        if folder.last_version(number) != version:
            continue  # it changed again: told there
        change = _change(request, folder, number, since, shape)
        if change is not None and request.store.removed_id(folder, number) not in ignored:
            found.append(change)
    return found, upto, True


def _change(request: Request, folder: Folder, number: int, since: int, shape: Shape) -> Element | None:
    store = request.store
    item = folder.items.get(number)
    if item is None:
        entered, _ = folder.gone[number]
        if entered > since:
            return None  # came and went between two states
        return typed("Delete", [typed("ItemId", Id=store.removed_id(folder, number))])
    if item.entered > since:
        return typed(
            "Create", [render(store, request.caller, Target(item), shape, finding=True, lenient=True)]
        )
    if item.kind.is_mail and item.content_version <= since:
        item_id = typed("ItemId", Id=store.item_id(item), ChangeKey=store.change_key(item))
        return typed("ReadFlagChange", [item_id, typed("IsRead", yes_no(item.is_read))])
    return typed("Update", [render(store, request.caller, Target(item), shape, finding=True, lenient=True)])
