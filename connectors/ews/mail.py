"""The mail of one mailbox over Exchange Web Services: `connectors.protocol.MailConnector`.

Reads with GetFolder, FindFolder, SyncFolderItems, GetItem and FindItem, and puts messages with CreateItem. A
UID is a number of ours for an id of Exchange's (`connectors.numbering`), and the epoch stands for the folder.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from connectors.errors import CollectionError, CollectionGone, ItemError
from connectors.ews import putting
from connectors.ews.access import EwsAccess
from connectors.ews.changes import Watcher, epoch
from connectors.ews.fetching import Fetcher
from connectors.ews.folders import Listed, Tree, gone, special, tree
from connectors.ews.heads import composed, head, picked, raw_header
from connectors.ews.requests import ABOUT, FIELDS, RAW
from connectors.ews.session import EwsSession
from connectors.model import Folder, FolderState, MessageHead, RawMessage
from connectors.numbering import Numbering

HEADS_AT_ONCE = 100
MOST_ASKED = 100  # folders at once of which it is asked whether they are gone


class EwsMailConnector:
    """One mailbox of an Exchange server. Entering logs in; one thread at a time uses it.

    It may stay entered for many cycles. Once a method raised a MailboxError, leave it and enter it again.
    """

    def __init__(self, access: EwsAccess, numbering: Numbering) -> None:
        self.access = access
        self._numbering = numbering
        self._session = EwsSession(access)
        self._watcher = Watcher(self._session, numbering)
        self._fetcher = Fetcher(self._session, numbering)
        self._special: Mapping[str, Listed] | None = None  # as they were when it was entered
        self._tree: Tree | None = None  # the folders as they were listed last

    def __enter__(self) -> Self:
        self._session.__enter__()
        try:
            self._special = special(self._session)
        except BaseException as error:
            self._session.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._special = self._tree = None
        self._watcher.forget()
        self._fetcher.forget()
        self._session.__exit__(kind, error, trace)

    def capabilities(self) -> Sequence[str]:
        """The server's version."""
        return [f"Exchange {self._session.account.version.build}"]

    def folders(self) -> Sequence[Folder]:
        """Every mail folder of the mailbox."""
        known, self._special = self._special, None
        self._tree = tree(self._session, known or special(self._session))
        self._let_go(self._tree)
        return self._tree.folders

    def state(self, ref: str) -> FolderState:
        """One SyncFolderItems where nothing happened. What came has its number afterwards.

        Raises CollectionGone, CollectionRefused, or CollectionError for an answer that makes no sense.
        """
        folder = self._folder(ref)
        known = self._watcher.catch_up(ref, folder)
        return FolderState(epoch=epoch(folder), next_uid=known.last + 1, count=known.count)

    def states(self, refs: Sequence[str]) -> Mapping[str, FolderState | CollectionError]:
        """As `state`, one after the other: EWS takes one folder a request."""
        found: dict[str, FolderState | CollectionError] = {}
        for ref in refs:
            try:
                found[ref] = self.state(ref)
            except CollectionError as error:
                found[ref] = error
        return found

    def uids(self, ref: str, *, above: int = 0) -> Sequence[int]:
        """The numbers greater than `above`, ascending; with 0, of a complete listing by the server."""
        folder = self._folder(ref)
        if above == 0:
            return self._watcher.listed(ref, folder)
        self._watcher.catch_up(ref, folder)
        return self._numbering.numbers(folder, above)

    def heads(self, ref: str, uids: Sequence[int], fields: Sequence[str]) -> Iterator[MessageHead]:
        """The named header fields, 100 messages at a time. Left out: what the server does not return, and
        what it returns without a date."""
        folder = self._folder(ref)
        self._fetcher.begin(ref, folder)
        for start in range(0, len(uids), HEADS_AT_ONCE):
            found = self._fetcher.elements(uids[start : start + HEADS_AT_ONCE], [*ABOUT, *RAW])
            headers = {uid: raw_header(element) for uid, element in found.items()}
            unsent = [uid for uid, header in headers.items() if not header]
            told = self._fetcher.elements(unsent, FIELDS)
            for uid, element in found.items():
                if headers[uid]:
                    lines = picked(headers[uid], fields)
                elif uid in told:
                    lines = composed(told[uid], fields, self.access.address)
                else:
                    continue
                if (one := head(uid, element, lines)) is not None:
                    yield one

    def bodies(self, ref: str, uids: Sequence[int]) -> Iterator[RawMessage | ItemError]:
        """The whole messages, in batches of at most 50 and 4 MiB; larger ones wait in a file.

        A message that the server has no more is left out; one that it does not give, though it gives
        others, is an ItemError whose `locator` is the number.
        """
        self._fetcher.begin(ref, self._folder(ref))
        yield from self._fetcher.contents(uids)

    def holds(self, ref: str, message_id: str, *, word: str = "") -> bool:
        """FindItem by PidTagInternetMessageId."""
        return putting.holds(self._session, (ref, self._folder(ref)), message_id, word)

    def put(self, ref: str, content: bytes, *, draft: bool = False) -> None:
        """CreateItem with MimeContent, saved only."""
        putting.put(self._session, ref, self._folder(ref), content, draft=draft)

    def _let_go(self, listed: Tree) -> None:
        """Takes the numbers off what was in folders that are gone. Where one comes back, out of a backup, the
        numbers go on where they ended: none is given twice."""
        here = set(listed.ids.values())
        missing = [one for one in self._numbering.folders() if one not in here][:MOST_ASKED]
        for folder in gone(self._session, missing):
            self._watcher.forget()
            self._numbering.settle(folder, self._numbering.read(folder), "", present=())

    def _folder(self, ref: str) -> str:
        """The server's id of a folder. Raises CollectionGone."""
        if self._tree is None or ref not in self._tree.ids:
            self.folders()  # it may be a new one
        folder = None if self._tree is None else self._tree.ids.get(ref)
        if folder is None:
            raise CollectionGone(
                f'"{ref}" of {self.access.who} does not exist (any more). Name the folders to read in'
                " mail_folders.",
                collection=ref,
            )
        return folder
