"""A CalDAV server that follows a script: for answers that no real server of the tests would give."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def line(self) -> str:
        """What a script's patterns match: method, path and depth."""
        return f"{self.method} {self.path} {self.headers.get('depth', '')}".rstrip()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `raw` pieces instead of everything, sent one by one."""

    status: int = 207
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    raw: Iterable[bytes] | None = None
    close: bool = False


Reaction = Reply | Callable[[Request], Reply]


class ScriptedDav:
    """Answers each request by the first pattern of the script that matches its line; 404 without one.

    A list of reactions is used up one by one, the last one stays. With `context`, it speaks TLS.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        script: dict[str, Reaction | list[Reaction]] | None = None,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.script: dict[str, Reaction | list[Reaction]] = dict(script or {})
        self.requests: list[Request] = []
        self._context = context
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def lines(self) -> list[str]:
        """Method, path and depth of each request."""
        return [request.line for request in self.requests]

    def sent(self, method: str) -> list[Request]:
        """The requests of that method."""
        return [request for request in self.requests if request.method == method]

    def __enter__(self) -> "ScriptedDav":
        self._spawn(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for sock in [self._listener, *self._sockets]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._sockets.append(client)
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
                self._sockets.append(client)
            stream = client.makefile("rb")
            while (request := _read(stream.readline, stream.read)) is not None:
                self.requests.append(request)
                reply = self._reply(request)
                if reply.raw is not None:
                    for piece in reply.raw:
                        client.sendall(piece)
                else:
                    client.sendall(_octets(reply))
                if reply.close:
                    break
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()

    def _reply(self, request: Request) -> Reply:
        for pattern, reactions in self.script.items():
            if re.fullmatch(pattern, request.line):
                reaction = reactions
                if isinstance(reactions, list):
                    reaction = reactions.pop(0) if len(reactions) > 1 else reactions[0]
                assert not isinstance(reaction, list)
                return reaction(request) if callable(reaction) else reaction
        return Reply(404)

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()


def _read(readline: Callable[[], bytes], read: Callable[[int], bytes]) -> Request | None:
    first = readline().decode("latin-1").split()
    if len(first) < 2:
        return None
    headers = {}
    while line := readline().decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return Request(first[0], first[1], headers, read(int(headers.get("content-length", "0"))))


def _octets(reply: Reply) -> bytes:
    headers = {"Content-Length": str(len(reply.body)), "Content-Type": "application/xml", **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode("latin-1") + reply.body
