"""A local OAuth 2.0 token endpoint with faults, and the introspection that an IMAP server asks (RFC 7662)."""

import json
import secrets
import threading
from base64 import b64encode
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qs, urlsplit


@dataclass
class Scripted:
    """An answer to give instead of a token."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)


class TokenServer:
    """Gives tokens for the refresh tokens and client secrets it knows.

    `POST /token` (and the paths Microsoft's library asks) gives tokens, `POST /introspect` tells an IMAP
    server whose they are. `script` holds answers to give first, one a request.
    """

    def __init__(self) -> None:
        self.client_id = f"app-{secrets.token_hex(4)}"
        self.client_secret = secrets.token_urlsafe(24)
        self.rotates = False
        self.lasts: int | None = 3600
        self.script: list[Scripted] = []
        self.requests: list[dict[str, str]] = []  # the forms posted to the token endpoint
        self.basic_only = False
        self._refresh: dict[str, str] = {}  # refresh token -> user
        self._access: dict[str, str] = {}  # access token -> user
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def token_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def introspection_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/introspect"

    def __enter__(self) -> "TokenServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def consent(self, user: str) -> str:
        """A refresh token of the user, as a consent in a browser would yield one."""
        token = f"refresh-{secrets.token_urlsafe(32)}"
        self._refresh[token] = user
        return token

    def withdraw(self, refresh_token: str) -> None:
        """The refresh token is void from now on."""
        self._refresh.pop(refresh_token, None)

    def withdraw_access(self) -> None:
        """Every access token given so far is void, though none has expired."""
        self._access.clear()

    def user_of(self, access_token: str) -> str | None:
        return self._access.get(access_token)

    def answer(self, path: str, form: dict[str, str], authorization: str) -> Scripted:
        """What to say to a request with this form and Authorization header."""
        if path.endswith("openid-configuration"):
            return _json(200, self._discovery(path))
        if path == "/introspect":
            user = self._access.get(form.get("token", ""))
            return _json(200, {"active": "true", "username": user} if user else {"active": "false"})
        self.requests.append(form)
        if self.script:
            return self.script.pop(0)
        if self.basic_only and not authorization:
            return _json(401, {"error": "invalid_client"})
        if not self._knows(form.get("client_secret"), authorization):
            return _json(401, {"error": "invalid_client", "error_description": "wrong secret"})
        return self._grant(form)

    def _knows(self, secret: str | None, authorization: str) -> bool:
        """Public clients send no secret at all."""
        pair = f"{self.client_id}:{self.client_secret}".encode()
        if authorization:
            return authorization == "Basic " + b64encode(pair).decode()
        return secret is None or secret == self.client_secret

    def _grant(self, form: dict[str, str]) -> Scripted:
        given = form.get("refresh_token", "")
        if form["grant_type"] == "refresh_token" and given not in self._refresh:
            return _json(400, {"error": "invalid_grant", "error_description": f"no such token: {given}"})
        user = self._refresh.get(given, "application")
        access = f"access-{secrets.token_urlsafe(48)}"
        self._access[access] = user
        body: dict[str, object] = {"access_token": access, "token_type": "Bearer"}
        if self.lasts is not None:
            body["expires_in"] = self.lasts
        if self.rotates and given:
            self.withdraw(given)
            body["refresh_token"] = self.consent(user)
        return _json(200, body)

    def _discovery(self, path: str) -> dict[str, str]:
        base = "https://login.microsoftonline.com/" + path.strip("/").split("/")[0]
        return {
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "issuer": f"{base}/v2.0",
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self._reply()

            def do_GET(self) -> None:
                self._reply()

            def _reply(self) -> None:
                text = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
                form = {name: values[0] for name, values in parse_qs(text).items()}
                authorization = self.headers.get("Authorization", "")
                told = server.answer(urlsplit(self.path).path, form, authorization)
                self.send_response(told.status)
                for name, value in told.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(told.body)))
                self.end_headers()
                self.wfile.write(told.body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                pass

        return Handler


def _json(status: int, body: object) -> Scripted:
    return Scripted(status, json.dumps(body).encode())
