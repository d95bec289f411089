"""Sends requests as they were recorded, and keeps nothing of the answers: the least that any client can take.

`replay.py PORT FILE`, printing the octets of the answers. The file holds whole HTTP requests, one after the
other; they go over one connection, each after the answer to the one before.
"""

import re
import socket
import sys
from http.client import HTTPResponse
from pathlib import Path

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_OK = 200


def split(stream: bytes) -> list[bytes]:
    """The requests of one connection, each with its header."""
    found, start = [], 0
    while start < len(stream):
        blank = stream.index(b"\r\n\r\n", start)
        length = _LENGTH.search(stream, start, blank + 2)
        end = blank + 4 + (int(length[1]) if length else 0)
        found.append(stream[start:end])
        start = end
    return found


class Replay:
    """One connection to the server on this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=300)

    def send(self, requests: list[bytes]) -> int:
        """Returns the octets of the answers; raises OSError where one is not what it should be."""
        octets = 0
        for request in requests:
            self._socket.sendall(request)
            with HTTPResponse(self._socket, method="POST") as answer:
                answer.begin()
                octets += len(answer.read())
                if answer.status != _OK:
                    raise OSError(f"the server answered with {answer.status}")
        return octets

    def close(self) -> None:
        """Hangs up."""
        self._socket.close()


def main() -> None:
    """Replays the file of the command line."""
    port, file = sys.argv[1:]
    print(Replay(int(port)).send(split(Path(file).read_bytes())))


if __name__ == "__main__":
    main()
