"""The folder of attachments, killed at every step: none missing, and after a recovery none left over."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from store.blobs import BlobStore
from tests.attachments import LIMIT, A, B, C, D, Rows, dying_batch, files, put, sha
from tests.crash.steps import Steps, in_child


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "attachments")


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path / "rows")


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
