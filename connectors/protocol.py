"""What every connector offers. The engine knows nothing of a protocol beyond this page.

A connector is a context manager: entering connects and logs in, leaving says goodbye. Its errors are
those of `connectors.errors`. It changes nothing in a mailbox, not even a flag.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Protocol, Self

from connectors.errors import CollectionError, ItemError
from connectors.model import Folder, FolderState, MessageHead, RawMessage


class MailConnector(Protocol):
    """Reads the mail of one mailbox."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def folders(self) -> Sequence[Folder]:
        """Every folder that the server lists, with its role."""
        ...

    def state(self, ref: str) -> FolderState:
        """What the server says of the folder, without listing it: one round trip, nothing opened.

        Raises CollectionGone or CollectionRefused: a folder that cannot be seen is not an empty one.
        """
        ...

    def states(self, refs: Sequence[str]) -> Mapping[str, FolderState | CollectionError]:
        """As `state`, of several folders in as few round trips as the protocol allows.

        An error of one folder is not raised, so that it does not hide the others.
        """
        ...

    def uids(self, ref: str, *, above: int = 0) -> Sequence[int]:
        """The UIDs in the folder greater than `above`, ascending, without duplicates."""
        ...

    def heads(self, ref: str, uids: Sequence[int], fields: Sequence[str]) -> Iterator[MessageHead]:
        """The named header fields of the messages, in batches, in any order.

        A UID that the server does not return is left out: the caller finds out why.
        """
        ...

    def bodies(self, ref: str, uids: Sequence[int]) -> Iterator[RawMessage | ItemError]:
        """The whole messages, without setting \\Seen, memory bounded whatever their size.

        Order is the connector's. A UID that the server does not return is left out; a message that it
        cannot give, though it gives others, is an ItemError (not raised) whose `locator` is `str(uid)`.
        """
        ...
