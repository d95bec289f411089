"""Batches, recovery and discarding at the same time: nobody takes a file from another, each has its turn."""

import os
import threading
from pathlib import Path

import pytest

from store.blobs import BlobStore
from tests.attachments import LIMIT, A, B, Rows, dying_batch, files, put, sha
from tests.servers.ports import wait_until


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "attachments")


@pytest.fixture
def rows(tmp_path: Path) -> Rows:
    return Rows(tmp_path / "rows")


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


def waiting() -> int:
    """How many of this process's locks are waited for."""
    mine = [line.split() for line in Path("/proc/locks").read_text().splitlines() if "->" in line]
    return sum(str(os.getpid()) in line for line in mine)


def test_discarding_has_its_turn_before_batches_that_come_later(store: BlobStore, rows: Rows) -> None:
    """Else batches that overlap, as those of many mailboxes do, would keep it out for ever."""
    put(store, rows, A)
    order: list[str] = []

    def commit() -> set[str]:
        order.append("discarded")
        rows.commit(set())
        return set()

    def later_batch() -> None:
        with BlobStore(store.root).batch():
            order.append("later batch")

    discarding = threading.Thread(target=BlobStore(store.root).discard, args=([sha(A)], commit))
    later = threading.Thread(target=later_batch)
    with store.batch():
        discarding.start()
        wait_until(lambda: waiting() == 1, "the discarding waits for the batch at work")
        later.start()
        wait_until(lambda: waiting() == 2 or not later.is_alive(), "the later batch waits or is over")
        assert order == []
    discarding.join(10)
    later.join(10)
    assert order == ["discarded", "later batch"]
    assert files(store) == set()
