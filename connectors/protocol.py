"""What every connector offers. The engine knows nothing of a protocol beyond this page.

A connector is a context manager: entering connects and logs in, leaving says goodbye. Its errors are
those of `connectors.errors`. One for mail changes nothing in a mailbox, not even a flag, but for what `put`
puts there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import TracebackType
from typing import Protocol, Self

from connectors.calendar import CalendarInfo, ChangeSet, Dress, Item, Missing, RemoteItem
from connectors.errors import CollectionError, ItemError
from connectors.model import Folder, FolderState, MessageHead, RawMessage


class Connector(Protocol):
    """What connects on entering and says goodbye on leaving."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class MailConnector(Connector, Protocol):
    """Reads the mail of one mailbox, and puts messages of our own into it."""

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

    def holds(self, ref: str, message_id: str, *, word: str = "") -> bool:
        """Whether a message of that Message-ID (without angle brackets) lies in the folder at this moment.

        With a `word` of ASCII letters and digits: one with that word in its subject.

        Raises CollectionGone, CollectionRefused, or CollectionError where the server does not search.
        """
        ...

    def put(self, ref: str, content: bytes, *, draft: bool = False) -> None:
        """Puts a message (RFC 5322, CRLF) into the folder, unread, as if it had come: nobody is mailed.

        As a `draft` it is one that its owner goes on writing, and has been read.

        Raises CollectionGone, CollectionRefused or CollectionError where the server takes no message there,
        OutcomeUnknown where no answer came: then ask `holds`, never repeat.
        """
        ...


class CalendarConnector(Connector, Protocol):
    """Reads and writes the calendars and task lists of one mailbox.

    Besides MailboxError and CollectionError, every write may raise Conflict (its precondition failed: read
    again), ItemError (the server refuses this item) or OutcomeUnknown (no answer: look, never repeat).
    """

    def calendars(self) -> Sequence[CalendarInfo]:
        """Every calendar and task list of the mailbox's owner."""
        ...

    def changes(self, calendar: str, cursor: str) -> ChangeSet:
        """What changed since `cursor` (empty: everything that is there).

        Raises CollectionGone, CollectionRefused. A listing that the server cut short is an error, never a
        shorter listing.
        """
        ...

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[RemoteItem | Missing | ItemError]:
        """The items, in batches, in any order: each ref is answered exactly once.

        One that the server says is not there is Missing; one that it has and cannot give, or that cannot
        be read, is an ItemError (not raised) whose `locator` is the ref.
        """
        ...

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """The item of that UID, wherever it lies in the calendar.

        Raises ItemError where it cannot be read.
        """
        ...

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Writes a new item and returns it as the server has it. Raises Conflict where its UID is taken.

        `notify` False keeps the server from mailing anybody; WouldMail where that cannot be, as below.
        """
        ...

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Changes `current` into `item`, and nothing else in it, if it still has the same version.

        Where `item` is what `current` says already, only the dress changes: WouldMail is not raised then.
        """
        ...

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        """Deletes `current`, if it still has the same version. One that is gone already is no error."""
        ...


class Subject(Enum):
    """What of a mailbox changed."""

    MAIL = "mail"
    CALENDAR = "calendar"


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server told since it was listened to last."""

    subjects: frozenset[Subject] = frozenset()  # where something changed; none: it only showed life
    over: bool = False  # the server ended the stream in good order: nothing is told until it is opened anew


class PushSource(Protocol):
    """A connection on which a server tells, by itself, that something in one mailbox changed.

    What changed is not told: a cycle finds out. `open` and `forget` take their time, nothing else waits. One
    thread at a time uses it.
    """

    @property
    def lasts(self) -> timedelta:
        """How long after it was opened it is to be opened anew."""
        ...

    @property
    def silence(self) -> timedelta:
        """How long the server may say nothing at all before it counts as gone."""
        ...

    def open(self) -> None:
        """Connects, logs in and asks to be told, from this moment on; what was open is closed first.

        Raises MailboxError (Unsupported: this server does not tell) or CollectionError.
        """
        ...

    def fileno(self) -> int:
        """The file descriptor of the open connection, for a selector."""
        ...

    def arrived(self) -> Heard:
        """Reads what is there, a bounded piece of it, and never waits. Raises MailboxError."""
        ...

    def pending(self) -> bool:
        """Whether there is more to read that no selector sees, since it left the socket already."""
        ...

    def close(self) -> None:
        """Closes the connection without a word. Never raises."""
        ...

    def forget(self) -> None:
        """Closes, and tells the server that nobody listens any more, where it keeps something for that.

        It may have to log in. Raises MailboxError.
        """
        ...
