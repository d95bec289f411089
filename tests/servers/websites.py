"""Websites on this machine, as they come: in order, odd, or out to do harm. A test says each octet."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path
from typing import Self

from connectors.web.addresses import IPAddress
from connectors.web.fetch import Policy

LOOPBACK = IPv4Address("127.0.0.1")
Said = bytes | Callable[[], Iterable[bytes]]


def answer(body: bytes, *headers: str, status: str = "200 OK", kind: str = "text/html") -> bytes:
    """A whole answer."""
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def moved(to: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return answer(b"", f"Location: {to}", status=status)


def icon_page(*links: str) -> bytes:
    """A page that names these icons."""
    named = "".join(f'<link rel="icon" href="{one}">' for one in links)
    return answer(f"<!doctype html><html><head><title>x</title>{named}</head></html>".encode())


@dataclass
class Website:
    """One server. `routes` says what a path answers; a path without one answers 404."""

    routes: dict[str, Said] = field(default_factory=dict)
    context: ssl.SSLContext | None = None
    mute: bool = False  # takes connections and says nothing
    asked: list[str] = field(default_factory=list)  # paths
    heads: list[bytes] = field(default_factory=list)  # requests as they came
    connections: int = 0

    def __enter__(self) -> Self:
        self._listening = socket.create_server((str(LOOPBACK), 0))
        self.port: int = self._listening.getsockname()[1]
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for one in self._threads:
            one.join(10)
            assert not one.is_alive()

    @property
    def over(self) -> threading.Event:
        """Set at the end: what drips stops then."""
        return self._over

    def url(self, path: str = "/", host: str = "site.example") -> str:
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://{host}:{self.port}{path}"

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                sock, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            sock.settimeout(10)
            if self.mute:
                self._over.wait(10)
                return
            wire = sock if self.context is None else self.context.wrap_socket(sock, server_side=True)
            with wire:
                head = b""
                while b"\r\n\r\n" not in head:
                    got = wire.recv(4096)
                    if not got or (not head and got[:1] == b"\x16"):  # a greeting of TLS
                        return
                    head += got
                self.heads.append(head)
                path = head.split(b" ")[1].decode()
                self.asked.append(path)
                said = self.routes.get(path, answer(b"", status="404 Not Found"))
                for part in (said,) if isinstance(said, bytes) else said():
                    wire.sendall(part)
                    if self._over.is_set():
                        return


def drip(
    site: Website, first: bytes, rest: bytes = b"x", pause: float = 0.05
) -> Callable[[], Iterator[bytes]]:
    """Sends the first part, then an octet now and then, until the test is over."""

    def parts() -> Iterator[bytes]:
        yield first
        while not site.over.wait(pause):
            yield rest

    return parts


def loopback(
    *sites: Website,
    names: Mapping[str, list[str]] | None = None,
    ca_file: Path | None = None,
    seconds: float = 10,
) -> Policy:
    """A policy for tests: this machine's 127.0.0.1 only, the ports of these servers, names from a table."""
    known = {"site.example": [str(LOOPBACK)], **(names or {})}

    def resolve(host: str, port: int) -> list[str]:
        if host not in known:
            raise OSError("there is no such name")
        return known[host]

    def permitted(address: IPAddress) -> bool:
        return address == LOOPBACK

    return Policy(permitted, frozenset(one.port for one in sites), resolve, ca_file, seconds)
