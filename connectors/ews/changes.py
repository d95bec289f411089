"""What is in a folder, and under which numbers: SyncFolderItems joined to a numbering.

A look at a folder where nothing happened is one small request and writes nothing. A sync state that the
server knows no more costs a listing; messages that are known keep their numbers, and none is taken for gone
because of it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from exchangelib.properties import FolderId

from connectors.errors import CollectionError
from connectors.ews import failures
from connectors.ews.requests import COUNT, PAGE, Changes, Folders, text
from connectors.ews.session import EwsSession
from connectors.numbering import Numbered, Numbering

MOST_PAGES = 20_000_000 // PAGE
OVERTAKEN = 10  # times that another process may have been quicker


@dataclass(frozen=True, slots=True)
class _Page:
    came: tuple[str, ...]
    went: tuple[str, ...]
    told: int  # changes, those of no interest too
    state: str
    last: bool


class Watcher:
    """The folders of one mailbox, over one session."""

    def __init__(self, session: EwsSession, numbering: Numbering) -> None:
        self._session = session
        self._numbering = numbering
        self._known: dict[str, Numbered] = {}  # as this process saw them last
        self._whole: set[str] = set()  # listed from the first to the last message just now

    def catch_up(self, ref: str, folder: str) -> Numbered:
        """Numbers what came since the last time. `folder` is the server's id, `ref` its name.

        Raises CollectionError where the folder cannot be read.
        """
        self._whole.discard(folder)
        known = self._known.get(folder) or self._numbering.read(folder)
        first = not known.state
        overtaken = 0
        for _ in range(MOST_PAGES):
            try:
                page = self._page(ref, folder, known.state)
            except failures.SyncStateInvalidError:
                return self._anew(ref, folder)
            after: Numbered | None = known
            if page.told or not known.state or not page.last:
                after = self._numbering.note(folder, known, page.state, came=page.came, went=page.went)
            if after is None:
                overtaken, first = overtaken + 1, False
                self._give_up_after(overtaken, ref)
                known = self._numbering.read(folder)
                continue
            if not page.last and after == known:
                raise self._senseless(ref)
            self._known[folder] = known = after
            if page.last:
                if first:
                    self._whole.add(folder)
                return known
        raise self._senseless(ref)

    def listed(self, ref: str, folder: str) -> Sequence[int]:
        """The numbers of all messages, by a complete listing. Raises as `catch_up`.

        A list that is shorter than what the server counts is an error, never a list.
        """
        if folder in self._whole:
            self._whole.discard(folder)  # it was made just now
            return self._numbering.numbers(folder, 0)
        for _ in range(OVERTAKEN):
            known = self._numbering.read(folder)
            before = self._count(ref, folder)
            state, present = self._everything(ref, folder)
            after = self._count(ref, folder)
            if len(present) < min(before, after):
                raise CollectionError(
                    f'The server lists {len(present)} of {min(before, after)} messages of "{ref}" of'
                    f" {self._session.access.who}. It is asked again in the next cycle.",
                    collection=ref,
                )
            settled = self._numbering.settle(folder, known, state, present)
            if settled is not None:
                self._known[folder] = settled
                return self._numbering.numbers(folder, 0)
        self._give_up_after(OVERTAKEN, ref)
        raise AssertionError

    def forget(self) -> None:
        """A listing made before does not count any more."""
        self._whole.clear()

    def _anew(self, ref: str, folder: str) -> Numbered:
        """After a sync state that the server does not know: everything there gets or keeps its number."""
        for _ in range(OVERTAKEN):
            known = self._numbering.read(folder)
            state, present = self._everything(ref, folder)
            after = self._numbering.note(folder, known, state, came=list(present), went=())
            if after is not None:
                self._known[folder] = after
                return after
        self._give_up_after(OVERTAKEN, ref)
        raise AssertionError

    def _everything(self, ref: str, folder: str) -> tuple[str, dict[str, None]]:
        """The ids of all messages, and the sync state after them."""
        state = ""
        present: dict[str, None] = {}
        for _ in range(MOST_PAGES):
            try:
                page = self._page(ref, folder, state)
            except failures.SyncStateInvalidError:
                raise CollectionError(
                    f'The server forgets what it listed of "{ref}" of {self._session.access.who} while it'
                    " lists it. It is asked again in the next cycle.",
                    collection=ref,
                ) from None
            for one in page.went:
                present.pop(one, None)
            present.update(dict.fromkeys(page.came))
            if page.last:
                return page.state, present
            if page.state == state:
                break
            state = page.state
        raise self._senseless(ref)

    def _page(self, ref: str, folder: str, state: str) -> _Page:
        service = self._session.service(Changes)
        with self._session.asking(collection=ref):
            changes = list(service.call(folder=FolderId(id=folder), state=state))
        there: dict[str, bool] = {}
        for change in changes:
            if isinstance(change, Exception):
                raise self._session.error(change, collection=ref)
            kind, one = change
            if kind != Changes.READ_FLAG_CHANGE:
                there[one] = kind != Changes.DELETE
        return _Page(
            came=tuple(one for one, is_there in there.items() if is_there),
            went=tuple(one for one, is_there in there.items() if not is_there),
            told=len(changes),
            state=service.sync_state or "",
            last=bool(service.includes_last_item_in_range),
        )

    def _count(self, ref: str, folder: str) -> int:
        (found,) = self._session.call(
            Folders,
            collection=ref,
            folders=[FolderId(id=folder)],
            additional_fields=COUNT,
            shape="IdOnly",
        )
        if isinstance(found, Exception):
            raise found
        counted = text(found, "TotalCount")
        return int(counted) if counted.isdecimal() else 0

    def _give_up_after(self, times: int, ref: str) -> None:
        if times >= OVERTAKEN:
            raise CollectionError(
                f'Another process reads "{ref}" of {self._session.access.who} at the same time. It is read in'
                " the next cycle.",
                collection=ref,
            )

    def _senseless(self, ref: str) -> CollectionError:
        return CollectionError(
            f'The server lists "{ref}" of {self._session.access.who} without end. It is asked again in the'
            " next cycle.",
            collection=ref,
        )


def epoch(folder: str) -> str:
    """What tells a folder from another one that later has its name: 32 characters."""
    return hashlib.sha256(folder.encode()).hexdigest()[:32]
