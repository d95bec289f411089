"""A listener on what a client asks of an EWS server: whole requests, which can be counted and sent again."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass

from benchmarks.ews.replay import split
from benchmarks.wire import Listener

_FOLDER = re.compile(rb"<(?:\w+:)?SyncFolderId>.*?\bId=\"([^\"]+)\"", re.DOTALL)
_ITEM = re.compile(rb"<(?:\w+:)?ItemId\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """The requests of one run, in order."""

    requests: tuple[bytes, ...]

    @property
    def octets(self) -> int:
        """Sent altogether, headers included."""
        return sum(map(len, self.requests))

    @property
    def folders(self) -> int:
        """Folders whose changes were asked for."""
        return len({found[1] for one in self.requests if (found := _FOLDER.search(one))})

    @property
    def contents(self) -> int:
        """Messages whose content was asked for."""
        return sum(len(_ITEM.findall(one)) for one in self.requests if b"item:MimeContent" in one)


class Recorder(Listener):
    """Stands between a client and the server, both of which speak HTTP in the clear."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self._streams: list[bytearray] = []

    def asked(self) -> Asked:
        """Everything so far, connection after connection."""
        return Asked(tuple(one for stream in self._streams for one in split(bytes(stream))))

    def _pass_commands(self, client: socket.socket, server: socket.socket) -> None:
        stream = bytearray()
        self._streams.append(stream)
        with suppress(OSError):  # either may hang up first
            while data := client.recv(1 << 16):
                stream += data
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
