"""HTTP around the server: connections that stay open, logins, faults that happen on the wire."""

import contextlib
import gzip
import socket
import ssl
import struct
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.servers.ews.autodiscover import POX_PATH, SOAP_PATH
from tests.servers.ews.errors import SoapFault
from tests.servers.ews.faults import Fault, Plan
from tests.servers.ews.ntlm import NtlmHandshake

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
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()

    def finish_request(self, request: object, client_address: object) -> None:
        assert isinstance(request, socket.socket)
        assert isinstance(client_address, tuple)
        if self.context is not None:
            try:
                request = self.context.wrap_socket(request, server_side=True)
            except OSError:
                return  # the client does not trust the certificate, or went away
        with self._changed:
            self._open.add(request)
        try:
            with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
                Handler(request, client_address, self)
        finally:
            with contextlib.suppress(OSError):
                request.close()
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()

    def drop_connections(self, seconds: float = 5.0) -> None:
        """Ends every connection, as a restart of the server does, and waits until they are gone."""
        with self._changed:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._changed.wait_for(lambda: not self._open, seconds)

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

    _handshake: NtlmHandshake | None = None
    _ntlm_account: str | None = None  # NTLM authenticates the connection, not the request

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
        elif path == SOAP_PATH:
            self._send(200, self.ews.autodiscover.soap(content), XML)
        elif path == POX_PATH:
            self._send(200, self.ews.autodiscover.pox(content), XML)
        else:
            self._send(404, b"", XML)

    def _content(self) -> bytes:
        length = min(int(self.headers.get("Content-Length", "0")), _LIMIT)
        content = self.rfile.read(length)
        return gzip.decompress(content) if self.headers.get("Content-Encoding") == "gzip" else content

    def _logged_in(self, content: bytes) -> str | None:
        """The account; answers with 401 itself where there is none."""
        logins = self.ews.logins
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        account, challenge = None, None
        if not scheme:
            account = self._ntlm_account
        elif scheme not in logins.schemes:
            logins.refused.append(scheme)
        elif scheme == "Basic":
            account = logins.basic(value)
        elif scheme == "Bearer":
            account = logins.bearer(value)
        else:
            account, challenge = self._ntlm(value)
        if account is None:
            self._send(401, b"", "text/plain", challenges=[challenge] if challenge else logins.challenges())
        return account

    def _ntlm(self, value: str) -> tuple[str | None, str | None]:
        if self._handshake is None:
            self._handshake = NtlmHandshake(self.ews.logins.passwords)
        login, token = self._handshake.step(value)
        if token is not None:
            return None, f"NTLM {token}"
        self._ntlm_account = None if login is None else self.ews.logins.ntlm(login)
        if self._ntlm_account is None:
            self.ews.logins.refused.append(login or "NTLM")
        return self._ntlm_account, None

    def _operation(self, content: bytes, account: str) -> None:
        operation = self.ews.dispatcher.operation_of(content)
        if (first := self.ews.before.pop(operation, None)) is not None:
            first()
        plan = self.ews.faults.take(operation)
        if self._broken_before(plan):
            return
        if plan is not None and plan.fault is Fault.LATE:
            self.ews.late.append((content, account))
            self._reset()
            return
        if operation == "GetStreamingEvents" and plan is None:
            self._stream(content, account)
            return
        answer = self.ews.dispatcher.answer(content, account, plan)
        if not self._broken_after(plan, answer.content):
            self._send(answer.status, answer.content, XML)

    def _broken_before(self, plan: Plan | None) -> bool:
        fault = None if plan is None else plan.fault
        if fault is Fault.UNAVAILABLE_BEFORE:
            self._send(503, b"Service Unavailable", "text/plain")
        elif fault is Fault.UNAUTHORIZED:
            self._send(401, b"", "text/plain", challenges=self.ews.logins.challenges())
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

    def _stream(self, content: bytes, account: str) -> None:
        """A chunk for each response, until the stream's time is over or the client is gone."""
        try:
            responses = self.ews.dispatcher.stream(content, account)
        except SoapFault as error:
            answer = self.ews.dispatcher.fault(error)
            self._send(answer.status, answer.content, XML)
            return
        self.send_response(200)
        self.send_header("Content-Type", XML)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        with contextlib.closing(responses):
            for each in responses:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(each), each))
                self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        """RST instead of FIN: linger with no time."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def _send(self, status: int, content: bytes, kind: str, *, challenges: list[str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for challenge in challenges or ():
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass
