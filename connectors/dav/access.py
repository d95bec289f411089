"""Where the calendars of a mailbox are and how to get in: a plain record, no I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from connectors import tls
from connectors.errors import Untrusted
from connectors.tokens import TokenSource

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Password:
    """Logs in with a password, read anew at each login. With "auto", the server's challenge decides."""

    supplier: Callable[[], str] = field(repr=False)
    scheme: Literal["auto", "basic", "digest"] = "auto"


@dataclass(frozen=True, slots=True)
class Token:
    """Logs in with an OAuth 2.0 access token (RFC 6750)."""

    source: TokenSource = field(repr=False)


@dataclass(frozen=True, slots=True)
class DavAccess:
    """Where the calendars of a mailbox are and how to get in."""

    url: str  # of the server, a principal, a calendar home or one calendar
    username: str
    auth: Password | Token
    ca_file: Path | None = None  # trusted alone; None: the system's authorities
    timeout: timedelta = timedelta(seconds=60)  # silence after which a request is given up
    total_timeout: timedelta = timedelta(minutes=10)  # for one request and its whole answer
    largest_answer: int = 64 * MEBIBYTE  # octets, decompressed
    largest_item: int = 10 * MEBIBYTE  # octets of one event
    batch: int = 200  # items asked for at once
    use_sync: bool = True  # False: never RFC 6578, for a server that does it badly

    @property
    def host(self) -> str:
        """The server's name, as messages show it."""
        return urlsplit(self.url).hostname or self.url

    @property
    def who(self) -> str:
        """The mailbox in a message to a person."""
        return f"{self.username} at {self.host}"


def origin(access: DavAccess) -> str:
    """Scheme, host and port of the server, without the rest.

    Raises Untrusted where the password would travel in clear text, or the URL is none.
    """
    try:
        parts = urlsplit(access.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"}:
        raise Untrusted(f"The CalDAV address of {access.username} is no https address. Check `url`.")
    if parts.scheme == "http" and not tls.is_loopback(host):
        raise Untrusted(
            f"The calendars of {access.who} would be read in clear text. Use https in `url`: http is for this"
            " very machine only."
        )
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port else "")
