"""HTTP to one Exchange server: what exchangelib sends its requests through.

What the library or requests would do by themselves is done here by hand, since each of it can lose data or
secrets: redirects, proxies and .netrc from the environment, repeating a request, reading without bounds,
trusting certifi's authorities in place of the system's. Nothing of a request or an answer is logged.
"""

import binascii
import logging
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests
from exchangelib.util import is_xml
from requests.adapters import HTTPAdapter
from spnego.exceptions import SpnegoError

from connectors import tls
from connectors.errors import (
    AuthFailed,
    OutcomeUnknown,
    ProtocolViolation,
    RateLimited,
    Unreachable,
)
from connectors.ews import failures, login
from connectors.ews.access import EwsAccess, Password
from connectors.ews.answers import PIECE, Answer, GarbledError, well_formed
from connectors.ews.login import Auth
from connectors.oauth_http import retry_after
from connectors.watchdog import Watchdog

# exchangelib logs whole requests and answers, mail and all, and so do its helpers with tokens of NTLM.
for _name in ("exchangelib", "spnego", "requests_ntlm", "requests_oauthlib", "oauthlib"):
    logging.getLogger(_name).setLevel(logging.CRITICAL + 1)
logging.getLogger("urllib3.connectionpool").addFilter(lambda _record: False)

CONNECT_SECONDS = 30.0
OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403
TOO_MANY, SERVER_ERROR, UNAVAILABLE = 429, 500, 503
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class NotOfferedError(AuthFailed):
    """Nobody was refused: there is no login of the kind, or no way in for anybody."""


class Channel:
    """What all connections of one session share: who asks, how long they may take, and what for."""

    def __init__(self, access: EwsAccess) -> None:
        self.access = access
        self.context = tls.context(access.ca_file)
        self.watchdog = Watchdog()
        self.writes = False  # whether the request at hand changes something
        self.requests = 0  # sent so far
        match access.auth:
            case Password(supplier=supplier):
                self._use(supplier())
            case token:
                self._use(token.source.token())

    def _use(self, secret: str) -> None:
        """Logs in with it from now on. Raises AuthFailed where that cannot be."""
        self._secret = secret
        match self.access.auth:
            case Password(username, _, "ntlm"):
                self.auth: Auth = login.ntlm(self.access, username, secret, self.watchdog.sockets)
            case Password(username, _, _):
                self.auth = login.basic(self.access, username, secret)
            case _:
                self.auth = login.bearer(secret)

    @contextmanager
    def asking(self, *, writes: bool) -> Iterator[None]:
        """Within it, requests are for reading or for writing."""
        before, self.writes = self.writes, writes
        try:
            yield
        finally:
            self.writes = before

    def session(self) -> "Session":
        """A connection that is not open yet."""
        return self.watchdog.watch(Session(self))

    def renew(self) -> bool:
        """Gets another secret in place of one that was refused; False where there is none.

        A token is asked for anew. A password is read anew: a person may have changed it since, and one that
        was refused is not sent a second time.
        """
        match self.access.auth:
            case Password(supplier=supplier):
                fresh = supplier()
                if fresh == self._secret:
                    return False
            case token:
                fresh = token.source.token(instead_of=self._secret)
        self._use(fresh)
        return True

    def close(self) -> None:
        """Forgets the secret."""
        self._secret, self.auth = "", login.nobody
        self.watchdog.close()


class Session(requests.Session):
    """One connection. exchangelib calls `post`; `fetch` is for answers too large for memory."""

    def __init__(self, channel: Channel) -> None:
        super().__init__()
        self.trust_env = False
        self.session_id = 0  # exchangelib's own, for its log
        self.usage_count = 0
        self._channel = channel
        self._adapter = _Adapter(channel.context)
        self.mount("https://", self._adapter)
        self.mount("http://", self._adapter)
        self.headers.update({
            "User-Agent": "syncd",
            "Content-Type": "text/xml; charset=utf-8",
            "Accept": "text/xml",
            "Accept-Encoding": "gzip",
        })  # fmt: skip

    def post(  # type: ignore[override]  # the options are exchangelib's; its time-outs are replaced by ours
        self, url: str, data: Any = None, json: None = None, **options: Any
    ) -> requests.Response:
        """One request and its whole answer, checked to be whole. Raises errors of ours."""
        headers = options.get("headers")
        if options.get("stream"):
            return self._sent(url, data, headers, float(options.get("timeout") or 0) or None)
        access, channel = self._channel.access, self._channel
        seconds = access.total_timeout.total_seconds()
        with failures.translated(access, writes=channel.writes), channel.watchdog.until(seconds) as watch:
            with self._sent(url, data, headers) as response:
                body = self._body(response)
            watch.check()
        if response.status_code == OK or (response.status_code == SERVER_ERROR and is_xml(body)):
            return Answer(response, self._checked(body, response))
        self._refuse(response)
        raise self._garbled(f"HTTP {response.status_code}")

    @contextmanager
    def fetch(self, url: str, data: bytes, headers: dict[str, str]) -> Iterator["Iterator[bytes] | Answer"]:
        """One request that reads, and the pieces of its answer as they arrive, or a whole fault of SOAP.

        Raises errors of ours.
        """
        access, channel = self._channel.access, self._channel
        seconds = access.total_timeout.total_seconds()
        with failures.translated(access), channel.watchdog.until(seconds) as watch:
            with self._sent(url, data, headers) as response:
                if response.status_code == OK:
                    yield response.iter_content(PIECE)
                elif response.status_code == SERVER_ERROR and is_xml(body := self._body(response)):
                    yield Answer(response, self._checked(body, response))
                else:
                    self._refuse(response)
            watch.check()

    def _sent(self, url: str, data: bytes, headers: Any, silence: float | None = None) -> requests.Response:
        """The answer whose body is not read yet; a token that was withdrawn is renewed once."""
        channel = self._channel
        for attempt in (1, 2):
            channel.requests += 1
            try:
                response = self.request(
                    "POST",
                    url,
                    data=data,
                    headers=headers,
                    auth=channel.auth,
                    timeout=(CONNECT_SECONDS, silence or channel.access.timeout.total_seconds()),
                    allow_redirects=False,
                    stream=True,
                )
            except (PermissionError, KeyError, SpnegoError, binascii.Error, struct.error) as error:
                # What the other side of NTLM may say in place of NTLM, which requests-ntlm does not expect.
                self._adapter.close_last()
                raise self._no_handshake(type(error).__name__) from None
            if response.status_code != UNAUTHORIZED:
                return response
            response.close()
            if attempt == 2 or not channel.renew():  # noqa: PLR2004 - the second time
                raise self._refused_login(response)
        raise AssertionError

    def _body(self, response: requests.Response) -> bytes:
        data = bytearray()
        for piece in response.iter_content(PIECE):
            data += piece
            if len(data) > self._channel.access.largest_answer:
                raise self._garbled(f"it is longer than {self._channel.access.largest_answer} octets")
        return bytes(data)

    def _checked(self, body: bytes, response: requests.Response) -> bytes:
        try:
            return well_formed(body)
        except GarbledError as error:
            self._refuse(response)
            raise self._garbled(str(error)) from None

    def _garbled(self, reason: str) -> ProtocolViolation | OutcomeUnknown:
        what = f"The answer of the server of {self._channel.access.who} cannot be read: {reason}."
        return OutcomeUnknown(what) if self._channel.writes else ProtocolViolation(f"{what} Check `url`.")

    def _refused_login(self, response: requests.Response) -> AuthFailed:
        access = self._channel.access
        offered = response.headers.get("www-authenticate", "").lower()
        scheme = access.auth.scheme if isinstance(access.auth, Password) else "bearer"
        known = scheme in offered or (scheme == "ntlm" and "negotiate" in offered)
        if offered and not known:
            return NotOfferedError(
                f"The server of {access.who} does not offer {scheme.upper() if scheme == 'ntlm' else scheme}."
                " Set `auth` to what it offers, or use oauth2."
            )
        kind = AuthFailed if known else NotOfferedError
        return kind(
            f"The server refused the login of {access.who}. Check the user name (DOMAIN\\name or"
            " name@domain) and the password or the consent. It is not tried again until then."
        )

    def _no_handshake(self, reason: str) -> AuthFailed:
        return AuthFailed(
            f"The server of {self._channel.access.who} offers NTLM and does not go through with it"
            f' ({reason}). Check the user name and the password, or set `auth = "basic"`. It is not tried'
            " again until then."
        )

    def _refuse(self, response: requests.Response) -> None:
        """Raises for a status that says all there is to say."""
        refuse(
            self._channel.access,
            response.status_code,
            response.headers.get("retry-after"),
            writes=self._channel.writes,
        )


def refuse(access: EwsAccess, status: int, retry: str | None, *, writes: bool = False) -> None:
    """Raises for a status that says all there is to say; `retry` is the header Retry-After."""
    wait = retry_after(retry, datetime.now(UTC))
    if status == TOO_MANY or (status in {SERVER_ERROR, UNAVAILABLE} and wait is not None):
        limited = RateLimited(
            f"The server of {access.who} asks to be left alone for now (HTTP {status}).",
            retry_after=wait or failures.THROTTLED,
        )
        if writes and status != TOO_MANY:  # it failed, and may have done so after it was done
            raise OutcomeUnknown(str(limited), then=limited)
        raise limited
    if status == FORBIDDEN:
        raise NotOfferedError(
            f"The server does not let {access.who} use EWS (HTTP {status}). Have it allowed for the"
            " mailbox and for this program. It is not tried again until then."
        )
    if status in REDIRECTS:
        raise ProtocolViolation(
            f"The server of {access.who} redirects elsewhere (HTTP {status}). Name the EWS address"
            " itself (https://HOST/EWS/Exchange.asmx) in `url`."
        )
    if status >= SERVER_ERROR:
        what = f"The server of {access.who} failed over a request (HTTP {status})"
        if writes:
            raise OutcomeUnknown(f"{what}: the change may have happened all the same.")
        raise Unreachable(f"{what}. It is asked again later.")
    if status != OK:
        raise ProtocolViolation(
            f"The server of {access.who} speaks no EWS there (HTTP {status}). Check `url`:"
            " usually https://HOST/EWS/Exchange.asmx."
        )


class _Adapter(HTTPAdapter):
    """One connection, verified by our own context: what requests would trust besides is left out."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._last: requests.Response | None = None
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0, pool_block=True)

    def send(self, *request: Any, **options: Any) -> requests.Response:
        """Keeps the last answer, for `close_last`."""
        self._last = None
        self._last = super().send(*request, **options)
        return self._last

    def close_last(self) -> None:
        """Lets go of an answer that nobody has any more."""
        last, self._last = self._last, None
        if last is not None:
            last.close()

    def close(self) -> None:
        self.close_last()
        super().close()

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **options)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        where, _ = super().build_connection_pool_key_attributes(request, True)
        return where, {"cert_reqs": "CERT_REQUIRED"}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """The context verifies. requests would add certifi's authorities to it."""
