"""Attachments: a folder of files named by their content, beside the database.

No orphan and no missing file, whenever the process dies. A batch writes its files under temporary names,
fsyncs them, notes their hashes in a journal, renames them into place; then the database commits, then the
journal goes. After a kill, `recover` reads the journals left behind: a file that no row refers to is
deleted, every other one stays. Batches hold a shared lock on the folder, recovery and discarding an
exclusive one, so that they never see a batch that is still at work. Who has to wait for that lock waits
with the gate shut (a lock on the root): else batches that overlap would keep a discarding out for ever.

    <root>/ab/abcdef…      a file, by its SHA-256
    <root>/.tmp/           parts being written, journals of batches
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from store.errors import StoreError

JOURNAL = ".journal"
PART = ".part"
SYNC_THREADS = 8  # fsync waits for the disk: many at once are one wait


@dataclass(frozen=True, slots=True)
class Blob:
    """One content. `path` is relative to the root; None = larger than the limit, so not kept."""

    sha256: str
    size: int
    path: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """One content written down, not yet in place. `path` is None where it was larger than the limit."""

    sha256: str
    size: int
    path: Path | None


def write_part(folder: Path, chunks: Iterable[bytes], *, limit: int) -> Part:
    """Writes a content into a file of its own in `folder`. Raises OSError."""
    digest = hashlib.sha256()
    size = 0
    path = folder / f"{secrets.token_hex(8)}{PART}"
    with path.open("wb") as file:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            if size <= limit:
                file.write(chunk)
    if size > limit:
        path.unlink()
        return Part(digest.hexdigest(), size, None)
    return Part(digest.hexdigest(), size, path)


class BlobStore:
    """The folder of attachments."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._tmp = root / ".tmp"
        try:
            self._tmp.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise StoreError(f"the attachments folder {root} cannot be made: {error.strerror}") from error

    @property
    def parts(self) -> Path:
        """The folder for what a batch writes down before it is published."""
        return self._tmp

    def batch(self) -> "BlobBatch":
        """A new batch; use it as a context manager."""
        return BlobBatch(self)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A full or broken disk is told as what it is."""
        try:
            yield
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise StoreError(
                f"the attachments folder {self.root} cannot be written: {reason}; make room or mend it"
            ) from error

    def path(self, sha256: str) -> Path:
        """Where a content lies, or would lie."""
        return self.root / sha256[:2] / sha256

    def recover(self, referenced: Callable[[Iterable[str]], set[str]]) -> int:
        """Finishes what a killed process left: returns the number of orphans deleted.

        `referenced` tells which of some hashes the database refers to. Does nothing while any batch is at
        work here or in another process; whoever comes last cleans up.
        """
        with self.writing():
            if not any(self._tmp.iterdir()):
                return 0
            try:
                lock = _lock(self._tmp, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return 0
        try:
            with self.writing():
                return self._recover(referenced)
        finally:
            os.close(lock)

    def _recover(self, referenced: Callable[[Iterable[str]], set[str]]) -> int:
        deleted = 0
        for journal in sorted(self._tmp.glob(f"*{JOURNAL}")):
            deleted += self._sweep(journal.read_text("ascii").split(), referenced)
            journal.unlink()
        for part in self._tmp.glob(f"*{PART}"):
            part.unlink()
        return deleted

    def discard(self, hashes: Iterable[str], commit: Callable[[], set[str]]) -> int:
        """Deletes contents together with the rows that refer to them.

        `commit` deletes the rows, commits, and returns those hashes that other rows still refer to.
        A kill in between leaves a journal, which `recover` finishes.
        """
        wanted = sorted(set(hashes))
        lock = self.enter(fcntl.LOCK_EX)
        try:
            with self.writing():
                journal = self._write_journal(wanted)
            kept = commit()
            with self.writing():
                deleted = self._sweep(wanted, lambda _: kept)
                journal.unlink()
        finally:
            os.close(lock)
        return deleted

    def enter(self, how: int) -> int:
        """Takes the lock on the folder when its turn has come; closing the returned handle lets it go."""
        with self.writing():
            gate = _lock(self.root, fcntl.LOCK_EX)
            try:
                return _lock(self._tmp, how)
            finally:
                os.close(gate)

    def _sweep(self, hashes: list[str], referenced: Callable[[Iterable[str]], set[str]]) -> int:
        kept = referenced(hashes)
        deleted = 0
        for sha256 in hashes:
            path = self.path(sha256)
            if sha256 not in kept and path.exists():
                path.unlink()
                deleted += 1
        return deleted

    def _write_journal(self, hashes: Iterable[str]) -> Path:
        path = self._tmp / f"{secrets.token_hex(8)}{JOURNAL}"
        with path.open("w", encoding="ascii") as file:
            file.write("\n".join(hashes))
            file.flush()
            os.fsync(file.fileno())
        return path


class BlobBatch:
    """The attachments of one transaction: `add` each, `publish` before the commit, `done` after it."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._parts: dict[str, Path] = {}  # hash -> temporary file
        self._journal: Path | None = None
        self._held = -1
        self._pool: ThreadPoolExecutor | None = None
        self._syncs: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._held = self._store.enter(fcntl.LOCK_SH)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown()
        for part in self._parts.values():
            part.unlink(missing_ok=True)
        os.close(self._held)  # a journal still there tells the next recovery to look

    def add(self, chunks: Iterable[bytes], *, limit: int) -> Blob:
        """Takes one content in. Larger than `limit` octets: only its hash and size are kept."""
        with self._store.writing():
            return self.take(write_part(self._store.parts, chunks, limit=limit))

    def take(self, part: Part) -> Blob:
        """Takes in what was written down in `BlobStore.parts` while this batch was at work."""
        if part.path is None:
            return Blob(part.sha256, part.size, None)
        if part.sha256 in self._parts:
            part.path.unlink()
        else:
            self._parts[part.sha256] = part.path
            self._sync_meanwhile(part.path)
        return Blob(part.sha256, part.size, f"{part.sha256[:2]}/{part.sha256}")

    def publish(self) -> None:
        """Puts the files in place, durably. Call it before the rows that refer to them are committed."""
        with self._store.writing():
            self._publish()

    def _publish(self) -> None:
        fresh = {}
        for sync in self._syncs:
            sync.result()
        for sha256, part in self._parts.items():
            if self._store.path(sha256).exists():
                part.unlink()
            else:
                fresh[sha256] = part
        self._parts = fresh
        if not fresh:
            return
        folders = {self._store.path(sha256).parent for sha256 in fresh}
        for folder in folders:
            folder.mkdir(mode=0o700, exist_ok=True)
        self._journal = self._store._write_journal(fresh)  # noqa: SLF001 - the two classes are one thing
        for sha256, part in fresh.items():
            part.replace(self._store.path(sha256))
        _sync_all([*folders, self._store.root])
        self._parts = {}

    def _sync_meanwhile(self, part: Path) -> None:
        """Waits for the disk in the background, while the next message is read."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(SYNC_THREADS)
        self._syncs.append(self._pool.submit(_sync, part))

    def done(self) -> None:
        """The rows are committed: nothing is left to look at."""
        if self._journal is not None:
            with self._store.writing():
                self._journal.unlink()
            self._journal = None


def _lock(folder: Path, how: int) -> int:
    """Locks a folder, by a handle of its own. Raises BlockingIOError where `how` says not to wait."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _sync_all(paths: Iterable[Path]) -> None:
    todo = list(paths)
    if len(todo) == 1:
        _sync(todo[0])
        return
    with ThreadPoolExecutor(SYNC_THREADS) as pool:
        list(pool.map(_sync, todo))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
