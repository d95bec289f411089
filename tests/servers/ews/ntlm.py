"""NTLM as IIS serves it: a handshake in two requests that authenticates the connection ([MS-NTHT] 3.2)."""

import base64
import binascii
import os
import tempfile
import threading
from pathlib import Path

import spnego
from spnego.exceptions import SpnegoError

# pyspnego's acceptor finds the passwords by this variable alone, when a handshake begins and when it ends.
_VARIABLE = "NTLM_USER_FILE"
_VARIABLE_LOCK = threading.Lock()


class NtlmHandshake:
    """The handshake of one connection."""

    def __init__(self, passwords: dict[str, str]) -> None:
        self._passwords = passwords
        self._context: spnego.ContextProxy | None = None

    def step(self, encoded: str) -> tuple[str | None, str | None]:
        """The login it came to, or the challenge to answer with; neither where it is refused."""
        with _VARIABLE_LOCK, tempfile.TemporaryDirectory(prefix="ews-ntlm-") as folder:
            path = Path(folder) / "users"
            path.touch(mode=0o600)
            path.write_text("".join(_line(login, password) for login, password in self._passwords.items()))
            before = os.environ.get(_VARIABLE)
            os.environ[_VARIABLE] = str(path)
            try:
                return self._step(encoded)
            finally:
                os.environ.pop(_VARIABLE)
                if before is not None:
                    os.environ[_VARIABLE] = before

    def _step(self, encoded: str) -> tuple[str | None, str | None]:
        try:
            token = base64.b64decode(encoded)
            # A type 1 message begins anew, also on a connection that has had a handshake.
            if self._context is None or token[8:9] == b"\x01":
                self._context = spnego.server(protocol="ntlm")
            answer = self._context.step(token)
        except (SpnegoError, binascii.Error, ValueError):
            self._context = None
            return None, None
        if self._context.complete:
            login = self._context.client_principal
            self._context = None
            return login, None
        return None, base64.b64encode(answer or b"").decode()


def _line(login: str, password: str) -> str:
    domain, _, user = login.rpartition("\\")
    return f"{domain}:{user}:{password}\n"
