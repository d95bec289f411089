"""Attachments on disk: each content once, under its hash, and nothing of what failed."""

import resource
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store.blobs import Blob, BlobStore
from store.errors import StoreError
from tests.attachments import LIMIT, A, B, C, D, Rows, dies, dying_batch, files, put, sha
from tests.crash.steps import in_child


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "attachments")


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path / "rows")


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


# --- a full disk --------------------------------------------------------------------------------------


def with_a_full_disk(work: Callable[[], None]) -> None:
    """Does it in another process, which can write a few octets a file and no more."""

    def run() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40, resource.RLIM_INFINITY))
        with pytest.raises(StoreError, match=r"attachments folder .* cannot be written: .*; make room"):
            work()

    assert in_child(run) == 0


def test_a_disk_that_is_full_when_an_attachment_comes_is_told_and_leaves_nothing(
    store: BlobStore, rows: Rows
) -> None:
    put(store, rows, A)

    def work() -> None:
        with store.batch() as batch:
            batch.add([B], limit=LIMIT)

    with_a_full_disk(work)
    store.recover(rows.referenced)
    assert files(store) == {sha(A)}


def test_a_disk_that_is_full_when_attachments_are_put_in_place_is_told_and_leaves_nothing(
    store: BlobStore, rows: Rows
) -> None:
    put(store, rows, A)

    def work() -> None:
        with store.batch() as batch:
            batch.add([b"short"], limit=LIMIT)
            batch.publish()  # its journal is longer

    with_a_full_disk(work)
    store.recover(rows.referenced)
    assert files(store) == {sha(A)}


def test_a_disk_that_is_full_when_attachments_are_discarded_is_told_and_deletes_nothing(
    store: BlobStore, rows: Rows
) -> None:
    put(store, rows, A)

    def work() -> None:
        store.discard([sha(A)], dies)  # it does not come so far

    with_a_full_disk(work)
    store.recover(rows.referenced)
    assert files(store) == {sha(A)}
