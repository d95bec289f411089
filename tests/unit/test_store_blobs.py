"""Attachments on disk: each content once, none missing, none left over, whenever the process dies."""

import hashlib
import signal
import stat
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from store.blobs import Blob, BlobStore
from store.errors import StoreError
from tests.crash.steps import Steps, in_child

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


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "attachments")


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path / "rows")


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


# --- a batch ------------------------------------------------------------------------------------------


def test_a_content_lies_under_its_hash_and_can_be_read(store: BlobStore, rows: Rows) -> None:
    put(store, rows, A)
    path = store.path(sha(A))
    assert path.read_bytes() == A
    assert path.relative_to(store.root) == Path(sha(A)[:2]) / sha(A)
    assert files(store) == {sha(A)}


def test_what_is_added_tells_where_it_will_lie(store: BlobStore) -> None:
    with store.batch() as batch:
        assert batch.add([b"a" * 40, b"", b"a" * 60], limit=LIMIT) == Blob(
            sha(A), 100, f"{sha(A)[:2]}/{sha(A)}"
        )
        assert batch.add([], limit=LIMIT) == Blob(sha(b""), 0, f"{sha(b'')[:2]}/{sha(b'')}")


@pytest.mark.parametrize(
    ("size", "kept"), [(LIMIT - 1, True), (LIMIT, True), (LIMIT + 1, False), (9 * LIMIT, False)]
)
def test_over_the_limit_only_hash_and_size_are_kept(store: BlobStore, size: int, kept: bool) -> None:
    content = b"x" * size
    with store.batch() as batch:
        blob = batch.add((content[at : at + 7] for at in range(0, size, 7)), limit=LIMIT)
        batch.publish()
        batch.done()
    assert (blob.sha256, blob.size, blob.path is not None) == (sha(content), size, kept)
    assert files(store) == ({sha(content)} if kept else set())


def test_of_a_content_over_the_limit_no_more_than_the_limit_is_written(store: BlobStore) -> None:
    written: list[int] = []

    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b"x" * LIMIT
            written.extend(path.stat().st_size for path in store.root.rglob("*.part"))

    with store.batch() as batch:
        batch.add(endless(), limit=LIMIT)
    assert max(written) <= LIMIT


def test_the_same_content_twice_is_one_file(store: BlobStore, rows: Rows) -> None:
    put(store, rows, A, B, A)
    put(store, rows, A)
    before = store.path(sha(A)).stat().st_ino
    put(store, rows, A)
    assert files(store) == {sha(A), sha(B)}
    assert store.path(sha(A)).stat().st_ino == before


def test_an_empty_batch_leaves_nothing(store: BlobStore) -> None:
    with store.batch() as batch:
        batch.publish()
        batch.done()
    assert files(store) == set()


def test_nobody_else_can_enter_the_folders(store: BlobStore, rows: Rows) -> None:
    put(store, rows, A)
    for folder in (store.path(sha(A)).parent, store.root / ".tmp"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_batch_that_fails_before_its_files_are_in_place_leaves_nothing(store: BlobStore) -> None:
    def broken() -> Iterator[bytes]:
        yield A
        dies()

    def fails() -> None:
        with store.batch() as batch:
            batch.add([B], limit=LIMIT)
            batch.add(broken(), limit=LIMIT)

    with pytest.raises(KeyError):
        fails()
    store.recover(lambda _: set())
    assert files(store) == set()


def test_a_batch_that_fails_before_its_rows_are_committed_is_cleared_up_later(
    store: BlobStore, rows: Rows
) -> None:
    put(store, rows, A)
    dying_batch(store, A, B)
    assert sha(B) in files(store)
    assert store.recover(rows.referenced) == 1
    assert files(store) == {sha(A)}
    assert store.recover(rows.referenced) == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        BlobStore(tmp_path / "file" / "attachments")


# --- discarding ---------------------------------------------------------------------------------------


def test_discarding_deletes_what_no_row_refers_to_any_more(store: BlobStore, rows: Rows) -> None:
    put(store, rows, A, B, C)

    def commit() -> set[str]:
        rows.commit(rows.read() - {sha(A)})
        return rows.referenced([sha(A), sha(B)])

    assert store.discard([sha(A), sha(B), sha(D), sha(A)], commit) == 1
    assert files(store) == {sha(B), sha(C)}


def test_a_discarding_that_fails_deletes_nothing(store: BlobStore, rows: Rows) -> None:
    put(store, rows, A)

    def commit() -> set[str]:
        dies()

    with pytest.raises(KeyError):
        store.discard([sha(A)], commit)
    store.recover(rows.referenced)
    assert files(store) == {sha(A)}


# --- at the same time ---------------------------------------------------------------------------------


def test_recovery_leaves_a_batch_at_work_alone(store: BlobStore, rows: Rows) -> None:
    beside = BlobStore(store.root)
    with store.batch() as batch:
        batch.add([A], limit=LIMIT)
        assert beside.recover(rows.referenced) == 0
        batch.publish()
        assert beside.recover(rows.referenced) == 0  # its rows are not there yet
        rows.commit({sha(A)})
        batch.done()
    assert beside.recover(rows.referenced) == 0
    assert files(store) == {sha(A)}


def test_recovery_waits_for_the_last_of_several_batches(store: BlobStore, rows: Rows) -> None:
    with BlobStore(store.root).batch() as other:
        dying_batch(store, A)
        other.add([B], limit=LIMIT)
        other.publish()
        assert store.recover(rows.referenced) == 0
        rows.commit({sha(B)})
        other.done()
    assert store.recover(rows.referenced) == 1
    assert files(store) == {sha(B)}


def test_two_batches_with_one_content_share_the_file(store: BlobStore, rows: Rows) -> None:
    with store.batch() as one, BlobStore(store.root).batch() as other:
        for batch in (one, other):
            batch.add([A], limit=LIMIT)
        for batch in (one, other):
            batch.publish()
        rows.commit({sha(A)})
        one.done()
        other.done()
    assert store.recover(rows.referenced) == 0
    assert files(store) == {sha(A)}


def test_a_content_that_a_dead_batch_left_and_a_later_one_uses_stays(store: BlobStore, rows: Rows) -> None:
    dying_batch(store, A)
    put(store, rows, A)
    assert store.recover(rows.referenced) == 0
    assert files(store) == {sha(A)}


def test_discarding_waits_for_batches_at_work(store: BlobStore, rows: Rows) -> None:
    put(store, rows, A)
    order: list[str] = []

    def commit() -> set[str]:
        order.append("discarded")
        rows.commit(rows.read() - {sha(B)})
        return rows.referenced([sha(A)])

    with store.batch() as batch:
        batch.add([A], limit=LIMIT)
        thread = threading.Thread(target=BlobStore(store.root).discard, args=([sha(A)], commit))
        thread.start()
        batch.publish()  # it finds the file there, and relies on it
        order.append("published")
        rows.commit(rows.read() | {sha(A)})
        batch.done()
    thread.join(10)
    assert order == ["published", "discarded"]
    assert files(store) == {sha(A)}


# --- killed at every step -----------------------------------------------------------------------------


def work(store: BlobStore, rows: Rows) -> None:
    """Two new contents, one of them twice, one that is there already, one over the limit."""
    put(store, rows, A, B, A, C, b"x" * (LIMIT + 1))


def cleaning(store: BlobStore, rows: Rows) -> None:
    """One of two contents goes, the other is still referred to."""

    def commit() -> set[str]:
        rows.commit(rows.read() - {sha(C)})
        return rows.referenced([sha(C), sha(D)])

    store.discard([sha(C), sha(D)], commit)


def mending(store: BlobStore, rows: Rows) -> None:
    """The recovery itself, after a batch that died."""
    store.recover(rows.referenced)


@pytest.mark.parametrize("action", [work, cleaning, mending])
def test_killed_at_any_step_no_file_is_missing_and_after_a_recovery_none_is_left_over(
    action: Callable[[BlobStore, Rows], None], tmp_path: Path
) -> None:
    def prepared(number: int) -> tuple[BlobStore, Rows]:
        folder = tmp_path / str(number)
        store, rows = BlobStore(folder / "attachments"), Rows(folder / "rows")
        put(store, rows, C, D)
        if action is mending:
            dying_batch(store, A, C)
        return store, rows

    def killed(number: int, kill_at: int) -> tuple[BlobStore, Rows, int]:
        store, rows = prepared(number)
        count = tmp_path / f"{number}.count"

        def run() -> None:
            steps = Steps(tmp_path / str(number), kill_at)
            steps.watch()
            action(store, rows)
            steps.stop()
            count.write_text(str(len(steps.names)))

        code = in_child(run)
        assert code == (-signal.SIGKILL if kill_at else 0)
        return store, rows, 0 if kill_at else int(count.read_text())

    store, rows, steps = killed(0, 0)
    assert rows.read() == files(store)
    assert steps > 1
    for number in range(1, steps + 1):
        store, rows, _ = killed(number, number)
        assert rows.read() <= files(store), f"a file is missing after the kill at step {number}"
        store.recover(rows.referenced)
        assert files(store) == rows.read(), f"killed at step {number} of {steps}"
        for content in (A, B, C, D):
            if sha(content) in files(store):
                assert store.path(sha(content)).read_bytes() == content


@pytest.mark.parametrize("left", [b"", b"ab", b"\n\n", b"00\n" * 3, b"\0" * 40])
def test_a_journal_that_was_not_written_to_its_end_harms_nothing(
    store: BlobStore, rows: Rows, left: bytes
) -> None:
    put(store, rows, A)
    (store.root / ".tmp" / "0123.journal").write_bytes(left)
    (store.root / ".tmp" / "4567.part").write_bytes(b"half of a file")
    assert store.recover(rows.referenced) == 0
    assert files(store) == {sha(A)}
