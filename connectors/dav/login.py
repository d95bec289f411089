"""Who asks: Basic (RFC 7617), Digest (RFC 7616) and Bearer (RFC 6750). Secrets get into no message."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field

from caldav.lib.auth import extract_auth_types
from caldav.lib.http_sync import requests

from connectors.errors import AuthFailed

_TOKEN = re.compile(r"[\x21-\x7e]+\Z")


Sign = Callable[["requests.PreparedRequest"], "requests.PreparedRequest"]


@dataclass(frozen=True, slots=True)
class Login:
    """What signs each request."""

    auth: Sign = field(repr=False)
    secret: str = field(repr=False)


def basic(username: str, password: str, who: str) -> Login:
    """The user name and password in UTF-8. Raises AuthFailed where they cannot be sent."""
    if ":" in username or "\0" in username + password:
        raise AuthFailed(
            f"The user name of {who} holds a colon, or it or the password a NUL character: neither can be"
            " sent. Check the configuration and the file that the password is read from."
        )
    encoded = b64encode(f"{username}:{password}".encode()).decode("ascii")
    return Login(_header(f"Basic {encoded}"), password)


def bearer(token: str, who: str) -> Login:
    """An access token. Raises AuthFailed where it is none."""
    if not _TOKEN.match(token):
        raise AuthFailed(
            f"The access token of {who} holds characters that no token has. Check where it is from."
        )
    return Login(_header(f"Bearer {token}"), token)


def digest(username: str, password: str) -> Login:
    """The password itself is never sent, only proof of knowing it."""
    return Login(requests.auth.HTTPDigestAuth(username, password), password)


def scheme_for(challenge: str, who: str) -> str:
    """Which of "digest" and "basic" a WWW-Authenticate header asks for; digest if it leaves the choice.

    Raises AuthFailed where it is neither. Servers that send no challenge at all mean basic.
    """
    offered = extract_auth_types(challenge) if challenge else {"basic"}
    for scheme in ("digest", "basic"):
        if scheme in offered:
            return scheme
    raise AuthFailed(f"The server of {who} takes no password (neither Basic nor Digest). Use oauth2.")


def _header(value: str) -> Sign:
    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.prepare_headers({**(request.headers or {}), "Authorization": value})
        return request

    return sign
