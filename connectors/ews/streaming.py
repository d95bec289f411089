"""A connection of its own on which one request was sent whose answer does not end (GetStreamingEvents).

The libraries below exchangelib wait for what they read, and a connection in their pool is theirs to close.
This one is read when there is something to read. NTLM authenticates a connection, so it is done here once
more; as everywhere, what is sent is bound to a verified TLS connection and nothing of it is logged.
"""

import base64
import socket
import ssl
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

import requests
import spnego
from requests_ntlm.requests_ntlm import _get_certificate_hash
from spnego.exceptions import SpnegoError

from connectors import tls
from connectors.errors import ProtocolViolation, SyncdError, Unreachable
from connectors.ews import failures, login
from connectors.ews.access import EwsAccess, Password
from connectors.ews.answers import GarbledError
from connectors.ews.events import Documents, Told
from connectors.ews.http import FORBIDDEN, OK, UNAUTHORIZED, refuse
from connectors.ews.piecewise import HttpAnswer
from connectors.http_failures import lost
from connectors.tcp import keep_alive

PIECE = 16 * 1024  # octets read at once: one record of TLS
PIECES = 4  # read in a row, before others have their turn
LARGEST_REFUSAL = 1024 * 1024  # octets of an answer that is no stream
CONNECT_SECONDS = 30.0


class Stream:
    """Making one connects, logs in, sends the request and waits for the head of the answer.

    `url`, `headers` and `envelope` are those of the request. Raises MailboxError.
    """

    def __init__(self, access: EwsAccess, url: str, headers: Mapping[str, str], envelope: bytes) -> None:
        self._access = access
        self._url = url
        self._documents = Documents()
        self._waiting: list[Told] = []  # came together with the head
        self._broken: SyncdError | None = None  # what ended it, after something that is to be told first
        self._deadline = time.monotonic() + access.timeout.total_seconds()
        with self._translated():
            self._sock = self._connected()
            try:
                self._answer = self._asked(headers, envelope)
                self._sock.setblocking(False)
            except BaseException:
                self._sock.close()
                raise

    def fileno(self) -> int:
        """Of the socket."""
        return self._sock.fileno()

    def pending(self) -> bool:
        """Whether there is more to read than the socket shows."""
        if self._waiting or self._broken is not None:
            return True
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def read(self) -> tuple[list[Told], bool]:
        """What the server told in what is there now, and whether the answer is over. What was told before the
        connection broke is given first: then the next call raises."""
        if self._broken is not None:
            raise self._broken
        told, self._waiting = self._waiting, []
        try:
            over = self._read(told)
        except SyncdError as error:
            if not told:
                raise
            self._broken, over = error, False
        return told, over

    def _read(self, told: list[Told]) -> bool:
        with self._translated():
            for _ in range(PIECES):
                try:
                    data = self._sock.recv(PIECE)
                except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    break
                except ssl.SSLError:
                    # The server proved who it is when it was connected to: this is a connection that broke.
                    raise Unreachable(
                        f"The server of {self._access.who} broke off its notifications. It is tried later."
                    ) from None
                if not data:
                    self._answer.ended()
                    break
                told += self._documents.feed(self._answer.feed(data))
                if self._answer.over:
                    break
        return self._answer.over

    def close(self) -> None:
        """Without a word."""
        self._sock.close()

    def _connected(self) -> socket.socket:
        parts = urlsplit(self._url)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        patience = min(CONNECT_SECONDS, self._access.timeout.total_seconds())
        plain = socket.create_connection((host, port), patience)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            keep_alive(plain)
            if parts.scheme != "https":
                return plain
            context = tls.context(self._access.ca_file)
            return context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise

    def _asked(self, headers: Mapping[str, str], envelope: bytes) -> HttpAnswer:
        """The head of the answer to the request itself. Raises MailboxError for any other than a stream."""
        auth = self._access.auth
        match auth:
            case Password(username, supplier, "ntlm"):
                answer = self._with_ntlm(headers, envelope, username, supplier())
            case Password(username, supplier, _):
                answer = self._send(headers, envelope, login.basic(self._access, username, supplier()))
            case _:
                answer = self._send(headers, envelope, login.bearer(auth.source.token()))
        if answer.status == OK:
            return answer
        raise self._refused(answer)

    def _with_ntlm(
        self, headers: Mapping[str, str], envelope: bytes, username: str, password: str
    ) -> HttpAnswer:
        """[MS-NTHT]: an empty request with a first message, and the real one with the last."""
        bindings = None
        if isinstance(self._sock, ssl.SSLSocket) and (own := self._sock.getpeercert(binary_form=True)):
            named = b"tls-server-end-point:" + (_get_certificate_hash(own) or b"")
            bindings = spnego.channel_bindings.GssChannelBindings(application_data=named)
        client = spnego.client(
            username,
            password,
            protocol="ntlm",
            hostname=urlsplit(self._url).hostname or "",
            service="http",
            channel_bindings=bindings,
            options=spnego.NegotiateOptions.use_ntlm,
        )
        first = self._send(headers, b"", _ntlm(client.step() or b""))
        self._rest(first)
        said = (one.strip() for one in first.headers.get("www-authenticate", "").split(","))
        challenge = next((one[5:] for one in said if one[:5].upper() == "NTLM "), None)
        if first.status != UNAUTHORIZED or challenge is None:
            raise self._refused(first)
        return self._send(headers, envelope, _ntlm(client.step(base64.b64decode(challenge)) or b""))

    def _send(self, headers: Mapping[str, str], body: bytes, auth: login.Auth) -> HttpAnswer:
        """The head of an answer; of its body, what came with it is kept."""
        made = requests.Request(
            "POST",
            self._url,
            data=body,
            auth=auth,
            headers={
                "User-Agent": "syncd",
                "Content-Type": "text/xml; charset=utf-8",
                "Accept": "text/xml",
                "Accept-Encoding": "identity",
                "Content-Length": str(len(body)),
                **headers,
            },
        ).prepare()
        parts = urlsplit(self._url)
        fields = {"Host": parts.netloc, **made.headers, "Connection": "keep-alive"}
        lines = [f"POST {made.path_url} HTTP/1.1"]
        for name, value in fields.items():
            lines.append(f"{name}: {value.decode('latin-1') if isinstance(value, bytes) else value}")
        head = "\r\n".join(lines)
        self._sock.settimeout(self._left())
        self._sock.sendall(f"{head}\r\n\r\n".encode("latin-1") + body)
        answer = HttpAnswer()
        while not answer.status:
            self._take(answer)
        return answer

    def _take(self, answer: HttpAnswer) -> int:
        """Waits for more of an answer; returns how many octets of its body that were."""
        self._sock.settimeout(self._left())
        data = self._sock.recv(PIECE)
        if not data:
            answer.ended()
            return 0
        body = answer.feed(data)
        if body:
            self._waiting += self._documents.feed(body) if answer.status == OK else self._complaints(body)
        return len(body)

    def _complaints(self, body: bytes) -> list[Told]:
        """Of an answer that is no stream: a fault of SOAP, or a page for people."""
        try:
            return self._documents.feed(body)
        except GarbledError:
            self._documents = Documents()
            return []

    def _rest(self, answer: HttpAnswer) -> None:
        octets = 0
        while not answer.over and octets <= LARGEST_REFUSAL:
            octets += self._take(answer)

    def _refused(self, answer: HttpAnswer) -> SyncdError:
        """The error for an answer that is no stream. The login itself was let in a moment ago, by another
        request: nothing is said of it here."""
        self._rest(answer)
        for told in self._waiting:
            if told.codes:
                return complaint(told, self._access)
        if answer.status not in {UNAUTHORIZED, FORBIDDEN}:
            refuse(self._access, answer.status, answer.headers.get("retry-after"))
        return ProtocolViolation(
            f"The server of {self._access.who} lets nobody in for notifications (HTTP {answer.status}),"
            " though it does for other requests. What stands between may not let them through."
        )

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """The errors of sockets and parsers become ours."""
        who, access = self._access.who, self._access
        try:
            yield
        except GarbledError as error:
            if str(error) == "it is cut":
                raise Unreachable(f"The server of {who} ended its notifications in the middle.") from None
            raise ProtocolViolation(
                f"The notifications of the server of {who} cannot be read: {error}."
            ) from None
        except (
            SpnegoError,
            ValueError,
            KeyError,
            IndexError,
            struct.error,
        ) as error:  # what the other side of NTLM may say in place of NTLM
            raise ProtocolViolation(
                f"The server of {who} does not go through with NTLM ({type(error).__name__})."
            ) from None
        except OSError as error:
            raise lost(error, host=access.host, who=who, silence=access.timeout, writes=False) from None


def complaint(told: Told, access: EwsAccess) -> SyncdError:
    """The error for the first response code of a document."""
    error = failures.named(told.codes[0])
    if told.back_off is not None:
        error.back_off = told.back_off  # type: ignore[attr-defined]  # exchangelib's ErrorServerBusy has it
    found = failures.of(error, access)
    if isinstance(found, SyncdError):
        return found
    return ProtocolViolation(f"The server of {access.who} refuses notifications ({told.codes[0]}).")


def _ntlm(token: bytes) -> login.Auth:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"NTLM {base64.b64encode(token).decode()}"
        return request

    return sign
