"""Who asks: NTLM ([MS-NTHT]), Basic (RFC 7617) and Bearer (RFC 6750). Secrets get into no message."""

import socket
import ssl
from collections.abc import Callable, Sequence

import requests
from requests_ntlm import HttpNtlmAuth
from requests_ntlm.requests_ntlm import _get_certificate_hash

from connectors.errors import AuthFailed
from connectors.ews.access import EwsAccess

Auth = Callable[[requests.PreparedRequest], requests.PreparedRequest]


def ntlm(
    access: EwsAccess, username: str, password: str, sockets: Callable[[], Sequence[socket.socket]]
) -> Auth:
    """Proof of knowing the password, bound to the TLS connection (RFC 5929, tls-server-end-point).

    `sockets` gives the open ones. Raises AuthFailed where the password cannot be used.
    """
    if not username or not password or "\0" in username + password:
        raise AuthFailed(
            f"The user name or password of {access.who} is empty or holds a NUL character. Check the file"
            " that the password is read from."
        )
    auth: Auth = _Ntlm(username, password, sockets)
    return auth


def basic(access: EwsAccess, username: str, password: str) -> Auth:
    """The user name and password in UTF-8. Raises AuthFailed where they cannot be sent."""
    if ":" in username or "\0" in username + password:
        raise AuthFailed(
            f"The user name of {access.who} holds a colon, or it or the password a NUL character: neither can"
            " be sent. Check the configuration and the file that the password is read from."
        )
    return requests.auth.HTTPBasicAuth(username.encode(), password.encode())


def bearer(token: str) -> Auth:
    """An access token."""

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return sign


def nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Sends nothing about who asks: not even what a .netrc holds."""
    return request


class _Ntlm(HttpNtlmAuth):
    """The library's, but for how it gets at the server's certificate: with urllib3-future, which caldav
    brings and which takes urllib3's place, that would leave the socket open behind everybody's back."""

    def __init__(self, username: str, password: str, sockets: Callable[[], Sequence[socket.socket]]) -> None:
        super().__init__(username, password)
        self._sockets = sockets

    def _get_server_cert(self, response: requests.Response) -> bytes | None:
        for one in self._sockets():
            certificate = one.getpeercert(binary_form=True) if isinstance(one, ssl.SSLSocket) else None
            if certificate is not None:
                found: bytes | None = _get_certificate_hash(certificate)
                return found
        return None
