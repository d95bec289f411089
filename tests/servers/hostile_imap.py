"""An IMAP server that follows a script: for answers that no real server of the tests would give."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

Reaction = bytes | Callable[[bytes], bytes | Iterable[bytes]]

GREETING = b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n"


class HostileImap:
    """Answers each command by the first pattern of the script that matches its line (without the tag).

    An answer is octets, with `TAG` standing for the command's tag, or a function from the command's line to
    octets or to pieces of them. `b""` closes the connection. What is not in the script gets `TAG OK`.
    With `context`, the connection is TLS from the start; with `starttls`, it becomes TLS after STARTTLS.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        script: dict[str, Reaction] | None = None,
        *,
        greeting: bytes = GREETING,
        context: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
    ) -> None:
        self.script = dict(script or {})
        self.greeting = greeting
        self.commands: list[bytes] = []  # lines as received, without tags
        self.connections = 0
        self._context = context
        self._starttls = starttls
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> "HostileImap":
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
            self.connections += 1
            self._sockets.append(client)
            self._spawn(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self._context is not None:
                client = self._context.wrap_socket(client, server_side=True)
                self._sockets.append(client)
            client.sendall(self.greeting)
            self._converse(client)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        client.close()

    def _converse(self, client: socket.socket) -> None:
        lines = client.makefile("rb")
        while line := lines.readline():
            tag, _, command = line.rstrip(b"\r\n").partition(b" ")
            self.commands.append(command)
            reaction = self._reaction(command)
            if reaction == b"":
                return
            answer = reaction(command) if callable(reaction) else reaction
            for piece in [answer] if isinstance(answer, bytes) else answer:
                client.sendall(piece.replace(b"TAG", tag))
            if command.upper() == b"STARTTLS" and self._starttls is not None:
                client = self._starttls.wrap_socket(client, server_side=True)
                self._sockets.append(client)
                lines = client.makefile("rb")
            if command.upper() == b"LOGOUT":
                return

    def _reaction(self, command: bytes) -> Reaction:
        text = command.decode("latin-1")
        for pattern, reaction in self.script.items():
            if re.match(pattern, text, re.IGNORECASE):
                return reaction
        return USUAL.get(text.split(" ", 1)[0].upper(), b"TAG OK done\r\n")

    def _spawn(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()


USUAL: dict[str, bytes] = {
    "CAPABILITY": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\nTAG OK done\r\n",
    "LOGIN": b"TAG OK [CAPABILITY IMAP4rev1] logged in\r\n",
    "LIST": b'* LIST () "/" INBOX\r\nTAG OK done\r\n',
    "STATUS": b"* STATUS INBOX (MESSAGES 2 UIDNEXT 3 UIDVALIDITY 7)\r\nTAG OK done\r\n",
    "EXAMINE": b"* 2 EXISTS\r\n* OK [UIDVALIDITY 7] v\r\n* OK [UIDNEXT 3] n\r\nTAG OK [READ-ONLY] done\r\n",
    "LOGOUT": b"* BYE\r\nTAG OK done\r\n",
}
