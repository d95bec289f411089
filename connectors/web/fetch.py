"""Asks websites of strangers for a page or a picture, within bounds that no answer can stretch.

The name is resolved once, every address that it has must be permitted, and the connection is made to such an
address itself: so nobody can have the name mean something else between the look and the connection. Over TLS
the certificate is verified against the name. No cookies, no credentials, no proxy of the environment. One
deadline holds for all requests about one website, whatever drips; so does one number of redirects.
"""

import io
import queue
import socket
import ssl
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from connectors import tls
from connectors.errors import Untrusted
from connectors.web import addresses, urls
from connectors.web.addresses import IPAddress
from connectors.web.errors import Distrusted, Refused, WebError
from connectors.web.urls import Url

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SECONDS = 20.0  # for everything about one website
REDIRECTS = 3
CONNECTING = 5.0  # seconds for one address of several
HANDSHAKE = 8.0  # seconds for TLS: a site that has none may still be asked without
MOST_ADDRESSES = 3  # that are tried
HEAD = 128 * 1024  # octets of an answer's head; http.client has bounds for lines and their number
AGENT = "Mozilla/5.0 (compatible; syncd)"

_MOVED = frozenset({301, 302, 303, 307, 308})
_ZIPPED = frozenset({"gzip", "x-gzip", "deflate"})


def system(host: str, port: int) -> Sequence[str]:
    """The addresses of a name, as this machine finds them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True)
class Policy:
    """Whom to ask. As it is here: public addresses, the web's own ports."""

    permitted: Callable[[IPAddress], bool] = addresses.is_public
    ports: frozenset[int] = frozenset(urls.PORTS.values())
    resolve: Callable[[str, int], Sequence[str]] = system
    ca_file: Path | None = None  # whose certificates are trusted; None: those that the system trusts
    seconds: float = SECONDS


@dataclass
class Budget:
    """What is left for one website."""

    policy: Policy
    redirects: int = REDIRECTS
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = monotonic() + self.policy.seconds

    def left(self) -> float:
        """Seconds. Raises WebError where there are none."""
        left = self.deadline - monotonic()
        if left <= 0:
            raise WebError(f"took more than {self.policy.seconds:g} seconds")
        return left

    def redirected(self) -> None:
        """Counts one. Raises WebError for one too many."""
        self.redirects -= 1
        if self.redirects < 0:
            raise WebError(f"more than {REDIRECTS} redirects")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back at the end of all redirects."""

    url: Url
    status: int
    content: bytes
    whole: bool  # False: there is more of it


def get(url: Url, budget: Budget, limit: int) -> Answer:
    """The first `limit` octets of what is there. Raises WebError, Refused."""
    while True:
        try:
            answer, location = _asked(url, budget, limit)
        except (OSError, HTTPException) as error:
            raise WebError(f"{url.host}: {_why(error)}") from error
        except Untrusted as error:
            lies = isinstance(error.__cause__, ssl.SSLCertVerificationError)
            raise (Distrusted if lies else WebError)(_sentence(str(error))) from error
        except WebError as error:
            raise type(error)(f"{url.host}: {error}") from error
        if location is None:
            return answer
        budget.redirected()
        url = urls.join(url, location)


def _asked(url: Url, budget: Budget, limit: int) -> tuple[Answer, str | None]:
    with _connected(url, budget) as sock:
        wire = _Wire(sock, budget, HEAD + 2 * limit)
        connection = HTTPConnection(url.host, url.port)
        connection.auto_open = 0
        connection.sock = wire
        connection.putrequest("GET", url.target, skip_host=True, skip_accept_encoding=True)
        for name, value in (
            ("Host", url.place), ("User-Agent", AGENT), ("Accept", "text/html, image/*;q=0.9, */*;q=0.5"),
            ("Accept-Encoding", "identity"), ("Connection", "close"),
        ):  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        location = response.getheader("Location")
        if response.status in _MOVED and location:
            return Answer(url, response.status, b"", whole=True), location
        content, whole = _content(response, limit)
        return Answer(url, response.status, content, whole), None


def _content(response: HTTPResponse, limit: int) -> tuple[bytes, bool]:
    """Unpacked, where the server packs what nobody asked to be packed: never more of it than the limit."""
    packed = response.read(limit + 1)
    encoding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if encoding in _ZIPPED:
        try:
            content = zlib.decompressobj(32 + zlib.MAX_WBITS).decompress(packed, limit + 1)
        except zlib.error:
            raise WebError("its answer is damaged") from None
    elif encoding in {"", "identity"}:
        content = packed
    else:
        raise WebError("its answer is packed in a way that was not asked for")
    return content[:limit], len(content) <= limit and len(packed) <= limit


def _connected(url: Url, budget: Budget) -> socket.socket:
    """A connection to one of the addresses that the host has, all of which are permitted."""
    if url.port not in budget.policy.ports:
        raise Refused("only the web's own ports are asked: 80 and 443")
    failed: OSError = OSError("there is no address")
    for address in _addresses(url, budget)[:MOST_ADDRESSES]:
        try:
            sock = socket.create_connection((str(address), url.port), min(CONNECTING, budget.left()))
        except OSError as error:
            failed = error
            continue
        if url.scheme == "http":
            return sock
        return _secured(sock, url, budget)
    raise failed


def _secured(sock: socket.socket, url: Url, budget: Budget) -> socket.socket:
    try:
        sock.settimeout(min(HANDSHAKE, budget.left()))  # for all of it, not for a part
        context = tls.context(budget.policy.ca_file)
        return context.wrap_socket(sock, server_hostname=url.host.removesuffix("."))
    except ssl.SSLError as error:
        sock.close()
        raise tls.refused(error, url.host, no_tls="it is no https site") from error
    except BaseException:
        sock.close()
        raise


def _addresses(url: Url, budget: Budget) -> list[IPAddress]:
    """Those of the host, each once. Raises Refused if any of them is not permitted."""
    literal = addresses.read(url.host)
    texts = [url.host] if literal is not None else _resolved(url, budget)
    found = [addresses.read(one) for one in dict.fromkeys(texts)]
    known = [one for one in found if one is not None]
    if len(known) < len(found) or not all(budget.policy.permitted(one) for one in known):
        raise Refused("is not on the public internet")
    return known


def _resolved(url: Url, budget: Budget) -> Sequence[str]:
    """A resolver cannot be told when to stop: a thread waits for it, and may do so alone."""
    said: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            said.put(budget.policy.resolve(url.host, url.port))
        except (OSError, UnicodeError) as error:
            said.put(error if isinstance(error, OSError) else OSError("the name cannot be looked up"))

    threading.Thread(target=ask, name="web-resolver", daemon=True).start()
    try:
        answer = said.get(timeout=budget.left())
    except queue.Empty:
        raise WebError("its name is not resolved in time") from None
    if isinstance(answer, OSError):
        raise WebError("its name is not known") from answer
    return answer


class _Wire:
    """A socket as http.client wants one. Every reading looks at the deadline and at how much came already."""

    def __init__(self, sock: socket.socket, budget: Budget, most: int) -> None:
        self._sock, self._budget, self._most = sock, budget, most

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._budget.left())
        self._sock.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Stream(self._sock, self._budget, self._most))

    def close(self) -> None:
        """Whoever opened the socket closes it."""


class _Stream(io.RawIOBase):
    def __init__(self, sock: socket.socket, budget: Budget, most: int) -> None:
        self._sock, self._budget, self._left = sock, budget, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        if self._left <= 0:
            raise WebError("its answer has no end")
        self._sock.settimeout(self._budget.left())
        number = self._sock.recv_into(buffer)
        self._left -= number
        return number


def _sentence(text: str) -> str:
    """The first one."""
    return text.partition(". ")[0]


def _why(error: Exception) -> str:
    """In words, without what the other side wrote."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nobody answers"
    if isinstance(error, HTTPException):
        return f"its answer is no HTTP ({type(error).__name__})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[:80]
    return "the connection broke"
