"""Whose turn it is to be opened: no server and no mailbox takes it from the others."""

import threading
from collections.abc import Iterator

import pytest

from connectors.protocol import PushSource
from syncd.daemon.ears import Ear
from syncd.daemon.openings import AT_ONCE, THREADS, Openings
from tests.servers.ports import wait_until


def never() -> PushSource:
    raise AssertionError("nothing is opened here")


class Rooms:
    """What is done in the threads: each piece of work begins, and ends when it is let go."""

    def __init__(self) -> None:
        self.openings = Openings()
        self.begun: list[str] = []
        self._gates: dict[str, threading.Event] = {}
        self._lock = threading.Lock()

    def put(self, mailbox: str, server: str, *, lived: bool = False) -> None:
        ear = Ear(mailbox, server, never, None, lived=lived)
        gate = self._gates.setdefault(mailbox, threading.Event())

        def work() -> None:
            with self._lock:
                self.begun.append(mailbox)
            gate.wait(20)

        self.openings.put(ear, work)

    def let_go(self, *mailboxes: str) -> None:
        for one in mailboxes or list(self._gates):
            self._gates[one].set()

    def await_begun(self, number: int) -> None:
        wait_until(lambda: len(self.begun) == number, f"{number} have begun")


@pytest.fixture
def rooms() -> Iterator[Rooms]:
    made = Rooms()
    yield made
    made.openings.clear()
    made.let_go()
    made.openings.close(10.0)


def fill(rooms: Rooms, *, but: int = 0) -> list[str]:
    """Keeps the threads busy at servers of their own, all but so many."""
    names = [f"busy{number}" for number in range(THREADS - but)]
    for name in names:
        rooms.put(name, name)
    rooms.await_begun(len(names))
    return names


def test_a_server_has_two_openings_at_a_time(rooms: Rooms) -> None:
    for number in range(10):
        rooms.put(f"dead{number}", "away")
    rooms.put("claire", "corp")
    rooms.await_begun(AT_ONCE + 1)
    assert rooms.begun.count("claire") == 1
    rooms.let_go("dead0")
    rooms.await_begun(AT_ONCE + 2)


def test_a_mailbox_has_one_opening_at_a_time(rooms: Rooms) -> None:
    rooms.put("claire", "corp")
    rooms.put("claire", "corp")
    rooms.put("marc", "other")
    rooms.await_begun(2)
    assert sorted(rooms.begun) == ["claire", "marc"]
    rooms.let_go("claire")
    rooms.await_begun(3)
    assert rooms.begun.count("claire") == 2


def test_one_that_lived_goes_before_those_that_fail(rooms: Rooms) -> None:
    first, *_ = fill(rooms)
    for number in range(5):
        rooms.put(f"failing{number}", f"server{number}")
    rooms.put("claire", "corp", lived=True)
    rooms.let_go(first)
    rooms.await_begun(THREADS + 1)
    assert rooms.begun[-1] == "claire"


def test_servers_take_turns(rooms: Rooms) -> None:
    first, *_ = fill(rooms)
    for number in range(5):
        rooms.put(f"away{number}", "away")
    rooms.put("claire", "corp")
    rooms.let_go("away0", "away1", first)  # the second of them may be the one that waits longest
    wait_until(lambda: "claire" in rooms.begun, "it had its turn")
    assert len([one for one in rooms.begun if one.startswith("away")]) <= 2


def test_those_that_fail_are_not_kept_waiting_for_ever(rooms: Rooms) -> None:
    first, *_ = fill(rooms)
    rooms.put("failing", "away")
    for number in range(50):
        rooms.put(f"lived{number}", f"server{number}", lived=True)
        rooms.let_go(f"lived{number}")
    rooms.let_go(first)
    wait_until(lambda: "failing" in rooms.begun, "it had its turn")
    assert rooms.begun.index("failing") < THREADS + 4


def test_what_waits_is_forgotten_at_the_end(rooms: Rooms) -> None:
    for number in range(5):
        rooms.put(f"away{number}", "away")
    rooms.await_begun(AT_ONCE)
    rooms.openings.close(0.0)
    rooms.put("claire", "corp")
    rooms.let_go()
    wait_until(lambda: not [one for one in threading.enumerate() if one.name == "syncd-opener"], "all ended")
    assert len(rooms.begun) == AT_ONCE
