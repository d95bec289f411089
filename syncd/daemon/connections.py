"""Connections to mailboxes: kept open between cycles in the daemon, for one cycle on the command line."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from connectors.errors import MailboxError
from connectors.protocol import Connector

C = TypeVar("C", bound=Connector)


class OneShot(Generic[C]):
    """A new connection for each cycle."""

    def __init__(self, connect: Callable[[str], C]) -> None:
        self._connect = connect

    @contextmanager
    def use(self, mailbox: str, *, fresh: bool = False) -> Iterator[C]:
        """A connector that is entered here and left at the end."""
        with self._connect(mailbox) as connector:
            yield connector

    def is_kept(self, mailbox: str) -> bool:
        """Never."""
        return False

    def forget(self, mailbox: str) -> None:
        """Nothing is remembered."""


class Kept(Generic[C]):
    """Connections that stay open between cycles. A mailbox is used by one thread at a time (its lease)."""

    def __init__(self, connect: Callable[[str], C]) -> None:
        self._connect = connect
        self._open: dict[str, C] = {}
        self._lock = threading.Lock()

    @contextmanager
    def use(self, mailbox: str, *, fresh: bool = False) -> Iterator[C]:
        """The kept connector, or a new one. One that failed is closed and not kept."""
        if fresh:
            self.forget(mailbox)
        with self._lock:
            connector = self._open.pop(mailbox, None)
        if connector is None:
            connector = self._connect(mailbox).__enter__()
        try:
            yield connector
        except BaseException as error:
            connector.__exit__(type(error), error, error.__traceback__)
            raise
        with self._lock:
            self._open[mailbox] = connector

    def is_kept(self, mailbox: str) -> bool:
        """Whether a connection waits to be used again."""
        with self._lock:
            return mailbox in self._open

    def forget(self, mailbox: str) -> None:
        """Closes the connection; what its connector had cached goes with it."""
        with self._lock:
            connector = self._open.pop(mailbox, None)
        if connector is not None:
            _close(connector)

    def close(self) -> None:
        """Says goodbye to every server."""
        with self._lock:
            connectors, self._open = list(self._open.values()), {}
        for connector in connectors:
            _close(connector)


def _close(connector: Connector) -> None:
    try:
        connector.__exit__(None, None, None)
    except MailboxError:
        return  # the server was gone already
