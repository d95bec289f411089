"""Attachments for tests of the store: contents, and a database of one table beside them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import pytest

from store.blobs import BlobStore

LIMIT = 1000
A, B, C, D = (letter * 100 for letter in (b"a", b"b", b"c", b"d"))


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Rows:
    """A database of one table, the hashes that attachments refer to: a file that is replaced at a commit."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> set[str]:
        return set(self._path.read_text().split()) if self._path.exists() else set()

    def commit(self, rows: set[str]) -> None:
        part = self._path.with_suffix(".new")
        part.write_text("\n".join(sorted(rows)))
        part.replace(self._path)

    def referenced(self, hashes: Iterable[str]) -> set[str]:
        return set(hashes) & self.read()


def dies() -> NoReturn:
    """Whatever ends a transaction in the middle."""
    raise KeyError("the database is gone")


def dying_batch(store: BlobStore, *contents: bytes) -> None:
    """A batch whose files are in place and whose rows are never committed."""

    def batch_dies() -> None:
        with store.batch() as batch:
            for content in contents:
                batch.add([content], limit=LIMIT)
            batch.publish()
            dies()

    with pytest.raises(KeyError):
        batch_dies()


def files(store: BlobStore) -> set[str]:
    """Every file in the store, parts and journals included."""
    return {path.name for path in store.root.rglob("*") if path.is_file()}


def put(store: BlobStore, rows: Rows, *contents: bytes) -> None:
    with store.batch() as batch:
        made = [batch.add([content], limit=LIMIT) for content in contents]
        batch.publish()
        rows.commit(rows.read() | {blob.sha256 for blob in made if blob.path is not None})
        batch.done()
