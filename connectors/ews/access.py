"""Where a mailbox of an Exchange server is and how to get in: a plain record, no I/O."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from connectors import tls
from connectors.errors import Untrusted
from connectors.tokens import TokenSource

MEBIBYTE = 1024 * 1024
DISCOVERY_PATH = "/autodiscover/autodiscover.svc"


class Entry(Enum):
    """With whose rights a mailbox is opened."""

    OWN = "own"  # its owner's
    DELEGATE = "delegate"  # another account's, which was given access to it
    IMPERSONATE = "impersonate"  # its owner's, lent to a service account (ApplicationImpersonation)


@dataclass(frozen=True, slots=True)
class Password:
    """Logs in with a password, read anew at each connection."""

    username: str  # "DOMAIN\\name", "name@domain" or "name", as the server wants it
    supplier: Callable[[], str] = field(repr=False)
    scheme: Literal["ntlm", "basic"] = "ntlm"


@dataclass(frozen=True, slots=True)
class Token:
    """Logs in with an OAuth 2.0 access token (RFC 6750). One of an application needs Entry.IMPERSONATE."""

    source: TokenSource = field(repr=False)


@dataclass(frozen=True, slots=True)
class EwsAccess:
    """Where a mailbox is and how to get in. Two accesses that are equal may share nothing but this record."""

    address: str  # the primary SMTP address of the mailbox that is read, whoever logs in
    auth: Password | Token
    url: str = ""  # https://HOST/EWS/Exchange.asmx; empty: found by autodiscover
    discovery: str = ""  # the autodiscover service to ask; empty: those that the address's domain stands for
    entry: Entry = Entry.OWN
    ca_file: Path | None = None  # trusted alone; None: the system's authorities
    timeout: timedelta = timedelta(seconds=60)  # silence after which a request is given up
    total_timeout: timedelta = timedelta(minutes=10)  # for one request and its whole answer
    largest_answer: int = 64 * MEBIBYTE  # octets, decompressed; bodies of messages are not held to it
    spool_dir: Path = Path("spool")  # for messages too large for memory; made where it is missing

    @property
    def host(self) -> str:
        """The server's name, as messages show it."""
        return urlsplit(self.url or self.discovery).hostname or self.address.rpartition("@")[2]

    @property
    def who(self) -> str:
        """The mailbox in a message to a person."""
        return f"{self.address} at {self.host}"


def protected(url: str, access: EwsAccess) -> str:
    """The URL itself. Raises Untrusted where secrets or mail would travel in clear text, or it is none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if not host or parts.scheme not in {"http", "https"} or parts.username or parts.password:
        raise Untrusted(
            f"The Exchange address of {access.address} is no https address (with nothing before an @)."
            " Check `url`."
        )
    if parts.scheme == "http" and not tls.is_loopback(host):
        raise Untrusted(
            f"The mailbox {access.address} would be read in clear text. Use https in `url`: http is for this"
            " very machine only."
        )
    return url
