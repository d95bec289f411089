"""HTTP to one CalDAV server, through the session of the caldav library.

What the library would do by itself is done here by hand, since each of it can lose data or secrets:
redirects, proxies and .netrc from the environment, repeating a request, reading without bounds. Nothing of
a request or an answer is logged or gets into a message, but for status codes and names of conditions.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import SplitResult, urljoin, urlsplit

from caldav.davclient import DAVClient
from caldav.lib.http_sync import requests

from connectors import tls
from connectors.dav import failures
from connectors.dav.access import DavAccess, Password, Token, origin
from connectors.dav.login import Login, basic, bearer, digest, scheme_for
from connectors.errors import AuthFailed, OutcomeUnknown, ProtocolViolation, Unreachable
from connectors.watchdog import Watchdog

# The libraries tell their loggers which paths they ask for, and a path holds a UID.
for _name in ("caldav", "niquests", "urllib3.connectionpool", "urllib3_future.connectionpool"):
    logging.getLogger(_name).addFilter(lambda _record: False)

MOST_REDIRECTS = 5
PIECE = 64 * 1024
REDIRECTS = frozenset({301, 302, 307, 308})
UNAUTHORIZED = 401
WRITES = frozenset({"PUT", "DELETE", "MKCALENDAR"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Mapping[str, str] = field(repr=False)  # names in lower case
    body: bytes = field(repr=False)
    path: str = ""  # after redirects

    @property
    def ok(self) -> bool:
        """Whether the server did what it was asked."""
        return 200 <= self.status < 300  # noqa: PLR2004


class DavSession:
    """Entering reads the password, leaving closes the connection. One request at a time goes out."""

    def __init__(self, access: DavAccess) -> None:
        self.access = access
        self.origin = origin(access)
        self._client: DAVClient | None = None
        self._login: Login | None = None
        self._password = ""
        self._watchdog = Watchdog()
        self._one = threading.Lock()  # the next batch of a reading is asked for ahead, in another thread

    def __enter__(self) -> Self:
        tls.context(self.access.ca_file)  # says clearly what is wrong with the file
        trust = str(self.access.ca_file) if self.access.ca_file else True
        client = DAVClient(self.origin + "/", ssl_verify_cert=trust, enable_rfc6764=False)
        client.session.close()
        client.session = self._watchdog.watch(
            requests.Session(
                disable_http2=True,  # one request at a time gains nothing by it
                disable_http3=True,
                revocation_configuration=None,  # it would ask third parties which servers we talk to
                allow_incoming_cookies=False,
            )
        )
        client.session.trust_env = False
        self._client = client
        self._password = ""
        match self.access.auth:
            case Password(supplier, scheme):
                self._password = supplier()
                self._login = self._with_password(scheme) if scheme != "auto" else None
            case Token(source):
                self._login = bearer(source.token(), self.access.who)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        client, self._client = self._client, None
        self._login, self._password = None, ""
        self._watchdog.close()
        if client is not None:
            client.session.close()

    def cut(self) -> None:
        """Ends the request under way, if there is one: it raises Unreachable. The next one connects anew."""
        self._watchdog.cut()

    def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        limit: int | None = None,
    ) -> Answer:
        """One request and its whole answer, whatever its status but for those about the mailbox itself.

        `path` is absolute on the server. Raises AuthFailed, RateLimited, Untrusted, ProtocolViolation or
        Unreachable; OutcomeUnknown where a write may have been sent and no answer came.
        """
        if not path.startswith("/"):
            # Behind the origin it would name another host, which would be given the password.
            raise ProtocolViolation(f"Something was asked of {self.access.who} that is no path there.")
        sent = {"User-Agent": "syncd", "Accept-Encoding": "gzip", **(headers or {})}
        if body:
            sent.setdefault("Content-Type", "application/xml; charset=utf-8")
        with self._one:
            return self._followed(method, path, body, sent, limit)

    def _followed(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], limit: int | None
    ) -> Answer:
        for _ in range(MOST_REDIRECTS + 1):
            answer = self._authorized(method, path, body, headers, limit)
            if answer.status not in REDIRECTS:
                failures.raise_for_mailbox(
                    answer.status, answer.headers, self.access.who, writes=method in WRITES
                )
                return answer
            path = self._redirected(path, answer)
        raise ProtocolViolation(f"The server of {self.access.who} redirects without end. Check `url`.")

    def log_in_unasked(self) -> bool:
        """Gives the password from now on though the server asked for none; False if it is given already."""
        if self._login is not None:
            return False
        self._login = self._with_password("basic")
        return True

    def _authorized(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], limit: int | None
    ) -> Answer:
        answer = self._send(method, path, body, headers, limit)
        if answer.status != UNAUTHORIZED:
            return answer
        if isinstance(self.access.auth, Token):
            # A token may be withdrawn before it expires. One renewed a moment ago is refused for good.
            refused = self._login.secret if self._login else None
            self._login = bearer(self.access.auth.source.token(instead_of=refused), self.access.who)
        elif self._login is None:
            self._login = self._with_password(
                scheme_for(answer.headers.get("www-authenticate", ""), self.access.who)
            )
        else:
            raise self._refused()
        answer = self._send(method, path, body, headers, limit)
        if answer.status == UNAUTHORIZED:
            raise self._refused()
        return answer

    def _with_password(self, scheme: str) -> Login:
        if scheme == "digest":
            return digest(self.access.username, self._password)
        return basic(self.access.username, self._password, self.access.who)

    def _refused(self) -> AuthFailed:
        return AuthFailed(
            f"The server refused the login of {self.access.who}. Check the user name and the password or the"
            " consent; many providers want an application password for CalDAV. It is not tried again until"
            " then."
        )

    def _redirected(self, path: str, answer: Answer) -> str:
        same = urlsplit(self.origin)
        try:
            target = urlsplit(urljoin(self.origin + path, answer.headers.get("location", "")))
            moved = _place(target) != _place(same)
        except ValueError:
            target, moved = urlsplit(""), True
        if moved:
            raise ProtocolViolation(
                f"The server of {self.access.who} redirects to another one"
                f" ({target.scheme}://{target.hostname or '?'}). If that is yours, name it in `url`."
            )
        return target.path or "/"

    def _send(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], limit: int | None
    ) -> Answer:
        client = self._client
        if client is None:
            raise Unreachable(f"{self.access.who} is not connected.")
        silence, until = self.access.timeout.total_seconds(), self.access.total_timeout.total_seconds()
        with failures.translated(self.access, writes=method in WRITES), self._watchdog.until(until) as watch:
            response = client.session.request(
                method,
                self.origin + path,
                data=body or None,
                headers=dict(headers),
                auth=self._login.auth if self._login else _no_login,
                timeout=(min(silence, 30.0), silence),
                verify=client.ssl_verify_cert,
                allow_redirects=False,
                stream=True,
            )
            try:
                data = self._body(response, limit or self.access.largest_answer, method)
            except BaseException:
                response.close()  # else the connection waits for the rest
                raise
            watch.check()
        found = {str(name).lower(): str(value) for name, value in response.headers.items()}
        return Answer(response.status_code or 0, found, data, path)

    def _body(self, response: "requests.Response", limit: int, method: str) -> bytes:
        data = bytearray()
        for piece in response.iter_content(PIECE):
            data += piece
            if len(data) > limit:
                what = f"The answer of the server of {self.access.who} is longer than {limit} octets."
                if method in WRITES:
                    raise OutcomeUnknown(what)
                raise failures.TooLong(what)
        return bytes(data)


def _no_login(request: "requests.PreparedRequest") -> "requests.PreparedRequest":
    """Sends nothing about who asks: not even what a .netrc holds."""
    return request


def _place(url: SplitResult) -> tuple[str, str | None, int]:
    return url.scheme, url.hostname, url.port or (443 if url.scheme == "https" else 80)
