"""HTTP to a token endpoint: verified TLS, no redirects, bounded in time and size, errors of our own tree.

Requests carry secrets, so nothing of them is logged and no message quotes them.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests

from connectors.errors import MailboxError, ProtocolViolation, RateLimited, Unreachable, Untrusted

LARGEST_ANSWER = 1024 * 1024  # octets
PIECE = 64 * 1024
WAIT = timedelta(minutes=5)  # where a server asks to wait and does not say how long
LONGEST_WAIT = timedelta(days=1)
TOO_MANY_REQUESTS = 429
SERVER_ERROR = 500
UNAVAILABLE = 503
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is worth reading: neither throttled nor a failure of the server."""

    status_code: int
    text: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def raise_for_status(self) -> None:
        """For msal, which asks for it: our own errors are raised before."""


class TokenHttp:
    """Posts to and gets from token endpoints for one mailbox. `timeout` is for the whole exchange."""

    def __init__(self, who: str, timeout: timedelta = timedelta(seconds=30)) -> None:
        self.who = who
        self._timeout = timeout.total_seconds()

    def post(self, url: str, **options: object) -> Reply:
        """POST with the `params`, `data`, `headers` and `auth` of requests; anything else is ignored."""
        return self._exchange("POST", url, options)

    def get(self, url: str, **options: object) -> Reply:
        """GET likewise."""
        return self._exchange("GET", url, options)

    def close(self) -> None:
        """For msal; nothing is kept open."""

    def _exchange(self, method: str, url: str, options: Mapping[str, object]) -> Reply:
        parts = urlsplit(url)
        where = parts.hostname or url
        if parts.scheme != "https" and where not in LOOPBACK:
            raise Untrusted(f"The token endpoint of {self.who} is not https: check `oauth2.token_url`.")
        wanted = {name: options[name] for name in ("params", "data", "headers") if options.get(name)}
        credentials = options.get("auth")
        try:
            with requests.request(
                method,
                url,
                timeout=self._timeout,
                allow_redirects=False,  # the secrets are for this endpoint only
                stream=True,
                # Anything but None keeps requests from sending what a .netrc holds for the host.
                auth=credentials if isinstance(credentials, tuple) else _unchanged,
                **wanted,  # type: ignore[arg-type]  # requests' own words, passed through
            ) as response:
                if patience := self._asks_to_wait(response, where):
                    raise patience
                return Reply(response.status_code, self._text(response, where), dict(response.headers))
        except requests.exceptions.SSLError as error:
            raise Untrusted(
                f"The certificate of {where} cannot be verified; {self.who} cannot get a token. Nothing was"
                " sent. Check the clock and the installed authorities."
            ) from error
        except requests.exceptions.Timeout as error:
            raise self._silent(where) from error
        except requests.exceptions.RequestException as error:
            raise Unreachable(
                f"{where} cannot be reached for a token of {self.who}: {type(error).__name__}. It is tried"
                " again later."
            ) from error

    def _text(self, response: requests.Response, where: str) -> str:
        until = time.monotonic() + self._timeout
        body = bytearray()
        for piece in response.iter_content(PIECE):
            body += piece
            if len(body) > LARGEST_ANSWER:
                raise ProtocolViolation(f"The answer of {where} is too long for a token ({self.who}).")
            if time.monotonic() > until:
                raise self._silent(where)
        return body.decode("utf-8", "replace")

    def _silent(self, where: str) -> Unreachable:
        return Unreachable(
            f"{where} gave no token of {self.who} within {self._timeout:g} s. It is tried again later."
        )

    def _asks_to_wait(self, response: requests.Response, where: str) -> MailboxError | None:
        wait = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        status = response.status_code
        if status == TOO_MANY_REQUESTS or (status == UNAVAILABLE and wait is not None):
            return RateLimited(
                f"{where} asks to be left alone before the next token of {self.who}.",
                retry_after=wait or WAIT,
            )
        if status >= SERVER_ERROR:
            return Unreachable(
                f"{where} cannot give a token of {self.who} now (HTTP {status}). It is tried again later."
            )
        return None


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """The wait of a Retry-After header (RFC 9110, 10.2.3), at most a day; None where there is none."""
    if value is None:
        return None
    if value.strip().isdigit():
        wait = timedelta(seconds=min(int(value.strip()[:9]), LONGEST_WAIT.total_seconds()))
    else:
        try:
            moment = parsedate_to_datetime(value)
        except ValueError:
            return None
        wait = moment.replace(tzinfo=moment.tzinfo or UTC) - now
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request
