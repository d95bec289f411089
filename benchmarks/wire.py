"""Speaking IMAP past the product: messages put into a mailbox, and a listener on what a client asks.

Messages come in by APPEND, so that the server has indexed them before anything is measured.
"""

import imaplib
import re
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Self

from benchmarks.mbsync import Source

# What a client that knows where it stands never sends: every UID, every flag, every message.
FULL_LISTING = re.compile(
    rb"\b(SEARCH\b.*\bALL\b|SEARCH\b.*\b1:\*|(UID )?FETCH 1:\*|FETCH 1:\d{4,} |SORT\b|THREAD\b)",
    re.IGNORECASE,
)


def append(source: Source, folder: str, messages: Iterable[bytes]) -> None:
    """Puts the messages at the end of the folder, unseen."""
    with imaplib.IMAP4("127.0.0.1", source.port) as connection:
        connection.login(source.username, source.password)
        for content in messages:
            status, answer = connection.append(folder, "", "", content)
            if status != "OK":
                raise OSError(f"APPEND to {folder} was refused: {answer!r}")


class Listener:
    """Stands between a client and a clear-text server, and keeps each line the client sends."""

    def __init__(self, port: int) -> None:
        self._server_port = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._lines: list[bytes] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def port(self) -> int:
        """Where the client connects."""
        port = self._socket.getsockname()[1]
        assert isinstance(port, int)
        return port

    @property
    def commands(self) -> list[bytes]:
        """Every line so far but LOGIN."""
        return [line for line in self._lines if b" LOGIN " not in line.upper()]

    def full_listings(self) -> list[bytes]:
        """Those lines that ask for all of a folder."""
        return [line for line in self.commands if FULL_LISTING.search(line)]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A blocked accept() does not notice that another thread closed its socket.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._server_port))
            threading.Thread(target=self._pass_commands, args=(client, server), daemon=True).start()
            threading.Thread(target=_pass_on, args=(server, client), daemon=True).start()

    def _pass_commands(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client.makefile("rb") as stream:  # either may hang up first
            for line in stream:
                self._lines.append(line.rstrip())
                server.sendall(line)
            server.shutdown(socket.SHUT_WR)


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with source, target:
        while data := source.recv(1 << 16):
            target.sendall(data)
