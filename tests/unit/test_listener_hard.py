"""What must not stop the listening, and what must not go on after its end."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import AuthFailed, Unreachable
from connectors.testing_push import MemoryPushSource, MemoryStream
from syncd.daemon.clock import now
from syncd.daemon.listened import Listened
from tests.servers.ports import wait_until
from tests.unit.test_listener import QUICK, House, Started, openers

LACKING = 3  # threads that the system does not give


@pytest.fixture
def house() -> Iterator[House]:
    made = House({"claire": [MemoryStream()], "marc": [MemoryStream()]})
    made.running = {"claire", "marc"}
    yield made
    for streams in made.streams.values():
        for stream in streams:
            stream.cut()


@pytest.fixture
def marks(tmp_path: Path) -> Listened:
    return Listened(tmp_path / "listened")


def test_a_refusal_that_comes_after_the_end_is_not_noted(house: House, marks: Listened) -> None:
    """By then the config may be another one, with the password that a person has mended."""
    (stream,) = house.streams["claire"]
    begun, go, tried = threading.Event(), threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go.wait(20)

    stream.before = wait

    def refuse() -> AuthFailed:
        tried.set()
        return AuthFailed("the old password")

    stream.refuses = refuse
    with Started(house, marks):
        wait_until(lambda: house.told["marc"] == 1, "the other one is open")
        assert begun.wait(10)
    go.set()
    assert tried.wait(10)
    wait_until(lambda: not openers(), "its thread is done")
    assert house.refusals == []


def test_a_goodbye_that_is_refused_is_not_noted(
    house: House, marks: Listened, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_source: MemoryPushSource) -> None:
        raise AuthFailed("the old password")

    monkeypatch.setattr(MemoryPushSource, "forget", fail)
    with Started(house, marks):
        wait_until(lambda: sum(house.told.values()) == 2, "both are open")
    assert house.refusals == []


def test_nothing_is_opened_after_the_end_that_waited_for_its_turn(house: House, marks: Listened) -> None:
    go = threading.Event()
    house.streams = {f"m{number}": [MemoryStream()] for number in range(8)}
    house.running = set(house.streams)

    def wait() -> None:
        go.wait(20)

    for (stream,) in house.streams.values():
        stream.before = wait
    with Started(house, marks):
        wait_until(lambda: len(openers()) > 1, "two are being opened")
    go.set()
    wait_until(lambda: not openers(), "their threads are done")
    assert sum(stream.opened for (stream,) in house.streams.values()) <= 2


def test_two_sources_of_a_mailbox_try_a_refused_password_once(house: House, marks: Listened) -> None:
    both = house.streams["claire"] = [MemoryStream(), MemoryStream()]
    for stream in both:
        stream.before = lambda: time.sleep(0.1)
        stream.refuses = lambda: AuthFailed("refused")
    (other,) = house.streams["marc"]
    with Started(house, marks):
        wait_until(lambda: house.refusals == ["claire"], "it is told")
        for times in range(1, 6):
            assert other.await_opened(times)
            other.end()
    assert sorted(stream.opened for stream in both) == [0, 1]


def test_a_server_that_is_down_keeps_no_other_waiting(house: House, marks: Listened) -> None:
    """However many mailboxes it has: each opening there takes its time-out."""
    (alive,) = house.streams["claire"]
    for number in range(40):
        (dead,) = house.streams[f"dead{number}"] = [MemoryStream()]
        dead.before = lambda: time.sleep(0.5)
        dead.refuses = lambda: Unreachable("no answer")
        house.servers[f"dead{number}"] = "away"
    house.running |= set(house.streams)
    with Started(house, marks):
        for times in range(1, 4):
            began = time.monotonic()
            assert alive.await_opened(times)
            assert time.monotonic() - began < 0.4
            wait_until(lambda times=times: house.told["claire"] == times, "it is told")  # type: ignore[misc]
            alive.cut()


class Crowded(House):
    """The database has no connection left, once."""

    def awake(self) -> frozenset[str]:
        if self.broken:
            self.broken = False
            raise RuntimeError("no connection left")
        return super().awake()


def test_a_look_at_who_runs_that_fails_is_not_the_last_one(marks: Listened) -> None:
    house = Crowded({"claire": [MemoryStream()]}, running={"claire"})
    (stream,) = house.streams["claire"]
    with Started(house, marks):
        assert stream.await_opened(1)
        house.broken = True
        wait_until(lambda: not house.broken, "it was asked")
        house.running.clear()
        wait_until(lambda: marks.since("claire", now()) is None, "who is paused is not listened to")
    stream.cut()


def test_where_the_system_gives_no_thread_it_is_tried_again_and_the_end_is_an_end(
    house: House, marks: Listened, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[str] = []
    start = threading.Thread.start

    def scarce(self: threading.Thread) -> None:
        if self.name == "syncd-opener" and len(refused) < LACKING:
            refused.append(self.name)
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    with Started(house, marks):
        wait_until(lambda: sum(house.told.values()) == 2, "both are open")
    assert len(refused) == LACKING
    refused.clear()
    with Started(house, marks, replace(QUICK, pause=60.0)):
        wait_until(lambda: bool(refused), "there is no thread")


class Sleepy(House):
    """A mailbox that sleeps just when its first stream is about to be opened."""

    slept = False

    def awake(self) -> frozenset[str]:
        if not self.slept and threading.current_thread().name == "syncd-opener":
            self.slept = True
            return frozenset()
        return super().awake()


def test_of_two_sources_neither_stays_shut_because_the_mailbox_slept_for_a_moment(marks: Listened) -> None:
    house = Sleepy({"claire": [MemoryStream(), MemoryStream()]}, running={"claire"})
    with Started(house, marks):
        for stream in house.streams["claire"]:
            assert stream.await_opened(1)
    for stream in house.streams["claire"]:
        stream.cut()
