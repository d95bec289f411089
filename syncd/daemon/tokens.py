"""Refresh tokens that a provider exchanged for new ones: the configured one may be void from then on.

Kept in files of their own, readable by their owner only, as long as the configured token is the one that
they came from; a person who configures another one is obeyed.
"""

import json
import os
import secrets
from contextlib import suppress
from pathlib import Path

from store.errors import StoreError
from syncd.core.identity import KeyedHash


class RotatedTokens:
    """The folder of exchanged tokens."""

    def __init__(self, folder: Path, hashed: KeyedHash) -> None:
        self._folder = folder
        self._hashed = hashed

    def current(self, mailbox: str, configured: str) -> str:
        """The token to use: the newest that came from the configured one."""
        with suppress(FileNotFoundError, ValueError):
            kept = json.loads((self._folder / mailbox).read_text("utf-8"))
            if isinstance(kept, dict) and kept.get("from") == self._hashed.text(configured):
                return str(kept["token"])
        return configured

    def keep(self, mailbox: str, configured: str, fresh: str) -> None:
        """Remembers a new token, durably: the former one may be void already."""
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            part = self._folder / f".{mailbox}.{secrets.token_hex(4)}"
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({"from": self._hashed.text(configured), "token": fresh}, file)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._folder / mailbox)
        except OSError as error:
            raise StoreError(
                f"the token folder {self._folder} cannot be written: {error.strerror}"
            ) from error

    def forget(self, mailbox: str) -> None:
        """Deletes what is kept (R109)."""
        (self._folder / mailbox).unlink(missing_ok=True)
