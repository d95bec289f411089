"""Ends requests that take too long, whatever the server does to keep them alive.

A time-out of a socket starts anew with each octet: a server that sends one a second would hold a thread
for ever. One thread for a session, started with its first request, closes the sockets when time is up.
"""

import contextlib
import socket
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Protocol

from caldav.lib.http_sync import requests


class Watch:
    """One request that is watched."""

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired = False

    def check(self) -> None:
        """Raises TimeoutError where time was up: what was read may be cut."""
        if self.expired:
            raise TimeoutError


class Connection(Protocol):
    """What urllib3 connects with."""

    sock: socket.socket | None


class Watchdog:
    """Watches the requests of one session, one at a time."""

    def __init__(self) -> None:
        self._wake = threading.Condition()
        self._watch: Watch | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._connections: weakref.WeakSet[Connection] = weakref.WeakSet()

    def watch(self, session: "requests.Session") -> "requests.Session":
        """Has each connection of the session known here."""
        for adapter in session.adapters.values():
            manager = getattr(adapter, "poolmanager", None)
            if manager is None:
                continue
            manager.pool_classes_by_scheme = {
                scheme: self._watched_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
            }
        return session

    @contextlib.contextmanager
    def until(self, seconds: float) -> Iterator[Watch]:
        """Within it, everything that waits for the server ends with an error after so many seconds."""
        watch = Watch(time.monotonic() + seconds)
        with self._wake:
            self._watch, self._closed = watch, False
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="syncd-dav-watchdog", daemon=True)
                self._thread.start()
        try:
            yield watch
        finally:
            with self._wake:
                self._watch = None

    def close(self) -> None:
        """Ends the thread."""
        with self._wake:
            thread, self._thread, self._closed = self._thread, None, True
            self._wake.notify()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        with self._wake:
            while not self._closed:
                watch, now = self._watch, time.monotonic()
                if watch is not None and not watch.expired and watch.deadline <= now:
                    watch.expired = True
                    self.cut()
                # Looked at from time to time rather than woken by each request: those are many and short.
                self._wake.wait(timeout=min(1.0, max(0.01, watch.deadline - now)) if watch else 1.0)

    def cut(self) -> None:
        """Closes the sockets: whatever waits for the server ends with an error."""
        for connection in list(self._connections):
            if connection.sock is not None:
                with contextlib.suppress(OSError):
                    connection.sock.shutdown(socket.SHUT_RDWR)

    def _watched_pool(self, pool: type) -> type:
        connections = self._connections
        usual = pool.ConnectionCls  # type: ignore[attr-defined]  # urllib3's

        class Watched(usual):  # type: ignore[misc,valid-type]
            def connect(self) -> None:
                connections.add(self)
                super().connect()

        return type(f"Watched{pool.__name__}", (pool,), {"ConnectionCls": Watched})
