"""The thread that ends requests which take too long."""

import socket
import threading
import time

import pytest

from connectors import watchdog
from connectors.watchdog import Watchdog


class Connected:
    def __init__(self, sock: socket.socket) -> None:
        self.sock: socket.socket | None = sock


def threads() -> int:
    return sum(thread.name == "syncd-http-watchdog" for thread in threading.enumerate())


def await_threads(number: int) -> None:
    deadline = time.monotonic() + 10
    while threads() != number:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_session_that_is_only_kept_has_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "IDLE", 0.05)
    before = threads()
    dog = Watchdog()
    for _ in range(2):
        with dog.until(5):
            assert threads() == before + 1
        await_threads(before)
    dog.close()


def test_a_request_beyond_its_time_is_cut() -> None:
    ours, theirs = socket.socketpair()
    dog = Watchdog()
    connection = Connected(ours)
    dog._connections.add(connection)
    with dog.until(0.1) as watch:
        assert ours.recv(1) == b""
        with pytest.raises(TimeoutError):
            watch.check()
    assert dog.sockets() == [ours]
    dog.close()
    ours.close()
    theirs.close()
    assert dog.sockets() == []


def test_closing_ends_the_thread_at_once() -> None:
    before = threads()
    dog = Watchdog()
    with dog.until(5):
        pass
    dog.close()
    assert threads() == before
