"""The records of the listener: what it asks of the service, how long it waits, one source of one mailbox."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from connectors.errors import AuthFailed
from connectors.protocol import PushSource

Make = Callable[[], PushSource]


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the listener waits for what. Seconds; tests make them short."""

    pause: float = 2.0  # before a stream is opened anew; doubled with each failure in a row
    longest_pause: float = 1800.0
    lived: float = 60.0  # a stream that lasted as long was no failure
    attendance: float = 5.0  # between two looks at which mailboxes are to be listened to
    goodbye: float = 3.0  # for all servers together to hear that nobody listens any more


class House(Protocol):
    """What the listener asks of the service."""

    def sources(self) -> Mapping[str, Sequence[Make]]:
        """By mailbox, what makes its sources: those that the config wants listened to."""
        ...

    def server_of(self, mailbox: str) -> str:
        """The server of the mailbox, as the config calls it."""
        ...

    def awake(self) -> frozenset[str]:
        """The mailboxes to listen to now: those that run, and whose login is known to be good. Raises
        StoreError."""
        ...

    def tell(self, mailbox: str) -> None:
        """Something changed in the mailbox."""
        ...

    def refused(self, mailbox: str, error: AuthFailed) -> None:
        """The server refused the mailbox's login. Raises StoreError."""
        ...


@dataclass(eq=False, slots=True)
class Ear:
    """One source of one mailbox. `due` is when to open it; None while it is being opened, is open, or is not
    to be opened any more."""

    mailbox: str
    server: str
    make: Make
    due: float | None
    source: PushSource | None = None
    fd: int = -1  # as the selector knows it
    opened: float | None = None  # when, while it is open
    heard: float = 0.0  # when the server said anything last
    tries: int = 0  # failures in a row
    lived: bool = False  # its last stream lasted: one that is to be renewed goes before one that fails
    opening: bool = False  # another thread has it
    gone: bool = False  # nobody wants it any more
    complained: bool = False  # that it does not work has been said
