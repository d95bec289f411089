"""Logging in to an IMAP server: LOGIN, PLAIN (RFC 4616), XOAUTH2 (Google, Microsoft), OAUTHBEARER (RFC 7628).

A refused login is tried once and reported; whether a token may be renewed first is the client's affair.
Neither a password nor a token gets into a message, not even where the server repeats it.
"""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from connectors.errors import AuthFailed
from connectors.imap import refusals
from connectors.imap.wire import Answer, Wire
from connectors.tokens import TokenSource

LONGEST_INITIAL = (
    7_000  # characters of an initial response on the command's line (RFC 4959); Dovecot takes 8 KiB
)

_CHECK_LOGIN = (
    "Check the user name and the password; many providers want an application password for IMAP."
    " It is not tried again until then."
)
_CHECK_CONSENT = (
    "Check that IMAP is allowed for this user and that the token's scopes cover it, then give the consent"
    " again. It is not tried again until then."
)


@dataclass(frozen=True, slots=True)
class Password:
    """Logs in with a password, read anew at each login."""

    supplier: Callable[[], str] = field(repr=False)
    mechanism: Literal["login", "plain"] = "login"


@dataclass(frozen=True, slots=True)
class Token:
    """Logs in with an OAuth 2.0 access token."""

    source: TokenSource = field(repr=False)
    mechanism: Literal["xoauth2", "oauthbearer"] = "xoauth2"


def with_password(wire: Wire, username: str, password: str, mechanism: Literal["login", "plain"]) -> None:
    """Logs in. Raises AuthFailed where the server refuses, RateLimited or Unreachable where it is busy."""
    if "\0" in username + password:
        raise AuthFailed(
            f"The user name or password of {wire.who} holds a NUL character. Check the file it is read from."
        )
    plain, login = wire.offers("AUTH=PLAIN"), not wire.offers("LOGINDISABLED")
    if not plain and not login:
        raise AuthFailed(
            f"The server of {wire.who} takes no password here (neither LOGIN nor PLAIN is offered)."
            " Check `security`, or use oauth2."
        )
    encoded = b64encode(f"\0{username}\0{password}".encode()).decode()
    # LOGIN has no character set: beyond ASCII only PLAIN says what the octets mean.
    prefers_plain = mechanism == "plain" or not (username + password).isascii()
    with wire.logging_in(lambda text: refusals.login(text, wire.who, (password, encoded), _CHECK_LOGIN)):
        if plain and (prefers_plain or not login):
            answer = _authenticate(wire, "PLAIN", encoded, last="")
        else:
            answer = _login(wire, username, password)
    if not answer.ok:
        raise refusals.login(answer.text, wire.who, (password, encoded), _CHECK_LOGIN)
    wire.logged_in()


def require(wire: Wire, mechanism: str) -> None:
    """Raises AuthFailed where the server does not offer the mechanism: no token can help then."""
    if not wire.offers(f"AUTH={mechanism.upper()}"):
        raise AuthFailed(
            f"The server of {wire.who} does not offer {mechanism.upper()}. Check `oauth2.mechanism`, or use"
            " a password."
        )


def with_token(wire: Wire, username: str, token: str, mechanism: Literal["xoauth2", "oauthbearer"]) -> None:
    """Logs in. Raises as `with_password`."""
    if mechanism == "xoauth2":
        initial, last = f"user={username}\1auth=Bearer {token}\1\1", ""
    else:
        identity = username.replace("=", "=3D").replace(",", "=2C")
        initial, last = f"n,a={identity},\1auth=Bearer {token}\1\1", "AQ=="  # RFC 7628, 3.2.3
    encoded = b64encode(initial.encode()).decode()
    with wire.logging_in(lambda text: refusals.login(text, wire.who, (token, encoded), _CHECK_CONSENT)):
        answer = _authenticate(wire, mechanism.upper(), encoded, last)
    if not answer.ok:
        raise refusals.login(answer.text, wire.who, (token, encoded), _CHECK_CONSENT)
    wire.logged_in()


def _authenticate(wire: Wire, mechanism: str, encoded: str, last: str) -> Answer:
    """`last` answers the server's explanation of a failure; without it there is no tagged NO."""
    if wire.offers("SASL-IR") and len(encoded) <= LONGEST_INITIAL:
        return wire.run("AUTHENTICATE", mechanism, encoded, more=(last.encode(),))
    return wire.run("AUTHENTICATE", mechanism, more=(encoded.encode(), last.encode()))


def _login(wire: Wire, username: str, password: str) -> Answer:
    """LOGIN with quoted strings, or literals for what a quoted string cannot hold."""
    line, more = b"", []
    for value in (username, password):
        octets = value.encode()
        if value.isascii() and value.isprintable():
            line += b' "%s"' % octets.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
        else:
            more.append(line + b" {%d}" % len(octets))
            line = octets
    more.append(line)
    first, *rest = more
    return wire.run("LOGIN", first.removeprefix(b" "), more=tuple(rest) if rest else None)
