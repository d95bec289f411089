"""HTTP around the server: connections that stay open, logins, faults that happen on the wire."""

import contextlib
import gzip
import socket
import ssl
import struct
import sys
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.servers.ews.faults import Fault, Plan

if TYPE_CHECKING:
    from tests.servers.ews.server import EwsServer

XML = "text/xml; charset=utf-8"  # exactly so: DavMail compares the text
_LIMIT = 64 * 1024 * 1024


class Listener(ThreadingHTTPServer):
    """TLS is begun in the connection's own thread, so that a slow handshake holds nobody up."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, server: "EwsServer", context: ssl.SSLContext | None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.ews = server
        self.context = context
        self.errors: list[str] = []

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return  # the client does not trust the certificate, or went away
        assert isinstance(client_address, tuple)
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            Handler(request, client_address, self)
        if self.context is not None:
            with contextlib.suppress(OSError):
                request.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are not news; anything else is, and fails the test."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError | ssl.SSLError | TimeoutError):
            self.errors.append("".join(traceback.format_exception(error)))


class Handler(BaseHTTPRequestHandler):
    """A connection of a client."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    wbufsize = -1

    @property
    def ews(self) -> "EwsServer":
        """The server whose connection this is."""
        assert isinstance(self.server, Listener)
        return self.server.ews

    def do_GET(self) -> None:
        """DavMail asks for the URL before it speaks SOAP."""
        if self._logged_in(b"") is not None:
            self._send(200, b"<html><body>Exchange Web Services</body></html>", "text/html")

    def do_POST(self) -> None:
        content = self._content()
        account = self._logged_in(content)
        if account is None:
            return
        path = urlsplit(self.path).path.lower()
        if path == "/ews/exchange.asmx":
            self._operation(content, account)
        else:
            self._send(404, b"", XML)

    def _content(self) -> bytes:
        length = min(int(self.headers.get("Content-Length", "0")), _LIMIT)
        content = self.rfile.read(length)
        return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

    def _logged_in(self, content: bytes) -> str | None:
        """The account; answers with 401 itself where there is none."""
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        account = None
        if scheme in self.ews.logins.schemes:
            if scheme == "Basic":
                account = self.ews.logins.basic(value)
            elif scheme == "Bearer":
                account = self.ews.logins.bearer(value)
        if account is None:
            self._send(401, b"", "text/plain", challenge=True)
        return account

    def _operation(self, content: bytes, account: str) -> None:
        operation = self.ews.dispatcher.operation_of(content)
        plan = self.ews.faults.take(operation)
        if self._broken_before(plan):
            return
        answer = self.ews.dispatcher.answer(content, account, plan)
        if not self._broken_after(plan, answer.content):
            self._send(answer.status, answer.content, XML)

    def _broken_before(self, plan: Plan | None) -> bool:
        fault = None if plan is None else plan.fault
        if fault is Fault.UNAVAILABLE_BEFORE:
            self._send(503, b"Service Unavailable", "text/plain")
        elif fault is Fault.UNAUTHORIZED:
            self._send(401, b"", "text/plain", challenge=True)
        elif fault is Fault.RESET_BEFORE:
            self._reset()
        else:
            return False
        return True

    def _broken_after(self, plan: Plan | None, content: bytes) -> bool:
        fault = None if plan is None else plan.fault
        if plan is not None and fault is Fault.SLOW:
            time.sleep(plan.seconds)
            return False
        if fault is Fault.UNAVAILABLE_AFTER:
            self._send(503, b"Service Unavailable", "text/plain")
        elif fault is Fault.RESET_AFTER:
            self._reset()
        elif fault is Fault.GARBAGE:
            self._send(200, b"<html><p>Please sign in<br></html>", "text/html")
        elif fault is Fault.TRUNCATED:
            self._send(200, content[: len(content) // 2], XML)
        else:
            return False
        return True

    def _reset(self) -> None:
        """RST instead of FIN: linger with no time."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _send(self, status: int, content: bytes, kind: str, *, challenge: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        if challenge:
            for scheme in sorted(self.ews.logins.schemes):
                realm = ' realm="ews"' if scheme != "NTLM" else ""
                self.send_header("WWW-Authenticate", scheme + realm)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass
