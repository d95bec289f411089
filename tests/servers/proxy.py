"""A TCP proxy that treats a connection badly: cuts it, stalls it, lets it trickle, counts what passes."""

import contextlib
import socket
import threading
from types import TracebackType


class CuttingProxy:
    """Forwards to a port of this machine, and after so many octets from the server does its worst.

    `cut_after`: closes the connection. `stall_after`: forwards nothing more, closes nothing.
    `trickle_after`: one octet at a time with a pause. All count the server's octets of one connection;
    `only` says how many connections are treated so, counted from the first. They may be set at any time.
    """

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self._target = port
        self.cut_after: int | None = None
        self.stall_after: int | None = None
        self.trickle_after: int | None = None
        self.only: int | None = None
        self.connections = 0
        self.passed = 0  # octets from the server, of all connections
        self._closing = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server((self.host, 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> "CuttingProxy":
        self._spawn(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._sockets):
            _shut(sock)
        for thread in list(self._threads):
            thread.join(5)

    def close_connections(self) -> None:
        """Ends every connection there is; new ones are taken."""
        sockets, self._sockets = self._sockets, []
        for sock in sockets:
            _shut(sock)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection((self.host, self._target), timeout=5)
            except OSError:
                return
            server.settimeout(None)
            self._sockets += [client, server]
            self.connections += 1
            harmed = self.only is None or self.connections <= self.only
            self._spawn(self._to_server, client, server)
            self._spawn(self._to_client, server, client, harmed)

    def _to_server(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                server.sendall(data)
        _shut(server)

    def _to_client(self, server: socket.socket, client: socket.socket, harmed: bool) -> None:
        seen = 0
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                for piece in self._pieces(data, seen) if harmed else [data]:
                    client.sendall(piece)
                    self.passed += len(piece)
                seen += len(data)
                if harmed and self.cut_after is not None and seen >= self.cut_after:
                    break
                if harmed and self.stall_after is not None and seen >= self.stall_after:
                    self._closing.wait()
        _shut(client)
        _shut(server)

    def _pieces(self, data: bytes, seen: int) -> "list[bytes] | _Trickle":
        for limit in (self.cut_after, self.stall_after):
            if limit is not None:
                return [data[: max(0, limit - seen)]]
        if self.trickle_after is not None and seen + len(data) > self.trickle_after:
            return _Trickle(data, self._closing)
        return [data]

    def _spawn(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


class _Trickle:
    """The octets one by one, ten a second."""

    def __init__(self, data: bytes, closing: threading.Event) -> None:
        self._data, self._closing = data, closing

    def __iter__(self) -> "_Trickle":
        self._position = 0
        return self

    def __next__(self) -> bytes:
        if self._position >= len(self._data) or self._closing.wait(0.1):
            raise StopIteration
        self._position += 1
        return self._data[self._position - 1 : self._position]


def _shut(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(OSError):
        sock.close()
