"""Getting in: from where a mailbox is to a connection that is logged in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from config.settings import Security
from connectors import tls
from connectors.errors import AuthFailed, Untrusted
from connectors.imap.auth import Password, Token, require, with_password, with_token
from connectors.imap.wire import Wire


@dataclass(frozen=True, slots=True)
class ImapAccess:
    """Where a mailbox is and how to get in."""

    host: str
    username: str
    auth: Password | Token
    spool_dir: Path  # for messages too large for memory; made where it is missing
    security: Security = Security.TLS
    port: int | None = None  # None: 993 with TLS, else 143
    ca_file: Path | None = None  # trusted alone; None: the system's authorities
    timeout: timedelta = timedelta(seconds=60)  # silence after which the connection is given up

    @property
    def who(self) -> str:
        """The mailbox in a message to a person."""
        return f"{self.username} at {self.host}"


def connect(access: ImapAccess) -> Wire:
    """A connection that is logged in. A refused password is tried once; a refused token is renewed once.

    Raises Untrusted, AuthFailed, RateLimited, Unreachable or ProtocolViolation.
    """
    if isinstance(access.auth, Password):
        password = access.auth.supplier()
        wire = greet(access)
        with _closed_on_error(wire):
            with_password(wire, access.username, password, access.auth.mechanism)
        return wire
    return _connect_with_token(access, access.auth)


def greet(access: ImapAccess) -> Wire:
    """A connection, protected as configured, that is not logged in."""
    if access.security is Security.NONE and not tls.is_loopback(access.host):
        raise Untrusted(
            f'{access.who} would be read in clear text. Set security to "tls" or "starttls":'
            ' "none" is for this very machine only.'
        )
    implicit = access.security is Security.TLS
    context = None if access.security is Security.NONE else tls.context(access.ca_file)
    wire = Wire(
        access.host,
        access.port or (993 if implicit else 143),
        who=access.who,
        silence=access.timeout.total_seconds(),
        context=context if implicit else None,
    )
    with _closed_on_error(wire):
        if context is not None and not implicit:
            wire.start_tls(context)
    return wire


def _connect_with_token(access: ImapAccess, auth: Token) -> Wire:
    refused: str | None = None
    while True:
        wire = greet(access)
        with _closed_on_error(wire):
            require(wire, auth.mechanism)
            token = auth.source.token(instead_of=refused)
            try:
                with_token(wire, access.username, token, auth.mechanism)
            except AuthFailed:
                # A token may be withdrawn before it expires. One renewed a moment ago is refused for good.
                if refused is not None:
                    raise
                refused = token
            else:
                return wire
        wire.close_quietly()


@contextmanager
def _closed_on_error(wire: Wire) -> Iterator[None]:
    try:
        yield
    except BaseException:
        wire.close_quietly()
        raise
