"""Since when each mailbox is listened to: the content of a small file, whose time shows that it still holds.

As with the last look at a mailbox, this costs no write to the database (decision 004). A service that was
killed leaves files behind that grow old, and are not believed then.
"""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

BELIEVED = timedelta(minutes=2)  # after the last sign of life
SIGNS = timedelta(seconds=30)  # between two signs of life


class Listened:
    """The folder of those files, one a mailbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def begin(self, mailbox: str, moment: datetime) -> None:
        """The mailbox is listened to from now on."""
        with suppress(OSError):  # it is told to people only: a full disk must not end the listening
            self._folder.mkdir(exist_ok=True, mode=0o700)
            path = self._folder / mailbox
            path.touch(mode=0o600)
            path.write_text(moment.isoformat(), "utf-8")

    def still(self, mailbox: str) -> None:
        """It still is."""
        with suppress(OSError):
            (self._folder / mailbox).touch(mode=0o600)

    def end(self, mailbox: str) -> None:
        """It is not any more."""
        with suppress(OSError):
            (self._folder / mailbox).unlink(missing_ok=True)

    def since(self, mailbox: str, now: datetime) -> datetime | None:
        """Since when it is listened to; None where nobody does."""
        path = self._folder / mailbox
        try:
            if now - datetime.fromtimestamp(path.stat().st_mtime, tz=UTC) > BELIEVED:
                return None
            found = datetime.fromisoformat(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return found if found.tzinfo is not None else None
