"""One process at a time works on a mailbox.

The lock is the operating system's (flock) on SQLite and the database's (an advisory lock) on PostgreSQL:
both are let go when their holder dies, however it dies.
"""

import fcntl
import os
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from store.database import Database, told
from store.errors import Busy, StoreError


class Leases:
    """Hands out leases on mailboxes; `folder` is where the lock files lie."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"the folder {folder} cannot be made: {error.strerror}") from error

    def lease(self, mailbox: str) -> "FileLease | DatabaseLease":
        """A lease on the mailbox; entering it raises Busy while another process holds it."""
        if self._database.sqlite:
            return FileLease(self._folder / f"{mailbox}.lock", mailbox)
        return DatabaseLease(self._database, mailbox)


class FileLease:
    """A lease by flock. The file tells the holder's process id, for people."""

    def __init__(self, path: Path, mailbox: str) -> None:
        self._path = path
        self._mailbox = mailbox
        self._handle = -1

    def __enter__(self) -> Self:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(handle, 32).decode("ascii", "replace").strip()
            os.close(handle)
            by = f" (process {holder})" if holder else ""
            raise Busy(f"another syncd{by} works on mailbox {self._mailbox}: left alone") from None
        if os.pread(handle, 32, 0) != str(os.getpid()).encode():
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._handle = handle
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._handle)


class DatabaseLease:
    """A lease by a PostgreSQL advisory lock, held by a connection of its own."""

    def __init__(self, database: Database, mailbox: str) -> None:
        self._database = database
        self._mailbox = mailbox
        digest = blake2b(b"syncd mailbox " + mailbox.encode(), digest_size=8).digest()
        self._number = int.from_bytes(digest, "big", signed=True)
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        with told():
            connection = self._database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            try:
                question = text("SELECT pg_try_advisory_lock(:n)")
                mine = connection.execute(question, {"n": self._number}).scalar_one()
            except DBAPIError:
                connection.close()
                raise
        if not mine:
            connection.close()
            raise Busy(f"another syncd works on mailbox {self._mailbox}: left alone")
        self._connection = connection
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                # The session keeps the lock, so it must not go back to the pool with it.
                connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": self._number})
            except DBAPIError:
                connection.invalidate()  # it is broken, and the lock went with it
            connection.close()
