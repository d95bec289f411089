"""What is told becomes a cycle soon, one at a time, and none too many."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from syncd.daemon import dispatch
from syncd.daemon.clock import now
from syncd.daemon.dispatch import Dispatch
from tests.servers.ports import wait_until


class Cycles:
    """Stands where the service's cycle stands, and sees whether two run at once."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self.during: Callable[[], object] = lambda: None
        self.answers: list[datetime | None] = []

    def __call__(self, mailbox: str) -> datetime | None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.during()
        with self._lock:
            self._now -= 1
            self.ran.append(mailbox)
            return self.answers.pop(0) if self.answers else None


@pytest.fixture
def cycles() -> Cycles:
    return Cycles()


@pytest.fixture
def scheduler() -> Iterator[BackgroundScheduler]:
    made = BackgroundScheduler(timezone="UTC", executors={"default": ThreadPoolExecutor(4)})
    made.start()
    yield made
    made.shutdown(wait=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "SETTLE", timedelta(seconds=0.1))
    monkeypatch.setattr(dispatch, "GAP", timedelta(seconds=0.3))


def made(scheduler: BackgroundScheduler, cycles: Cycles) -> Dispatch:
    return Dispatch(scheduler, cycles, now)


def settled(seconds: float = 0.8) -> None:
    """Long enough for whatever is still to come; what is asserted after it is that nothing came."""
    time.sleep(seconds)


def test_a_burst_is_one_cycle(scheduler: BackgroundScheduler, cycles: Cycles) -> None:
    one = made(scheduler, cycles)
    for _ in range(100):
        one.tell("claire")
    one.tell("marc")
    wait_until(lambda: sorted(cycles.ran) == ["claire", "marc"], "both are looked at")
    settled()
    assert sorted(cycles.ran) == ["claire", "marc"]


def test_what_is_told_during_a_cycle_is_one_more_afterwards(
    scheduler: BackgroundScheduler, cycles: Cycles
) -> None:
    one = made(scheduler, cycles)
    begun, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        go_on.wait(10)

    cycles.during = wait
    one.tell("claire")
    assert begun.wait(10)
    for _ in range(10):
        one.tell("claire")
        one.polled("claire")  # returns at once: one is under way
    go_on.set()
    wait_until(lambda: len(cycles.ran) == 2, "one more")
    settled()
    assert len(cycles.ran) == 2
    assert cycles.most == 1


def test_a_polled_cycle_that_begins_first_will_do(scheduler: BackgroundScheduler, cycles: Cycles) -> None:
    one = made(scheduler, cycles)
    one.tell("claire")
    one.polled("claire")
    settled()
    assert cycles.ran == ["claire"]


def test_a_mailbox_that_never_rests_is_looked_at_with_a_gap_between(
    scheduler: BackgroundScheduler, cycles: Cycles
) -> None:
    one = made(scheduler, cycles)
    began = time.monotonic()
    while time.monotonic() - began < 1.5:
        one.tell("claire")
        time.sleep(0.005)
    assert 4 <= len(cycles.ran) <= 6


def test_a_mailbox_that_never_rests_and_is_slow_leaves_the_worker_half_of_its_time(
    scheduler: BackgroundScheduler, cycles: Cycles
) -> None:
    cycles.during = lambda: time.sleep(0.4)
    one = made(scheduler, cycles)
    began = time.monotonic()
    while time.monotonic() - began < 2.0:
        one.tell("claire")
        time.sleep(0.005)
    one.close()
    assert 2 <= len(cycles.ran) <= 3


def test_what_cannot_be_looked_at_yet_is_looked_at_when_it_can_be(
    scheduler: BackgroundScheduler, cycles: Cycles
) -> None:
    one = made(scheduler, cycles)
    later = now() + timedelta(seconds=0.7)
    cycles.answers = [later]
    one.tell("claire")
    wait_until(lambda: len(cycles.ran) == 1, "it was tried")
    one.tell("claire")  # told again: it still waits
    wait_until(lambda: len(cycles.ran) == 2, "it is tried again")
    assert now() >= later
    settled()
    assert len(cycles.ran) == 2


def test_a_failing_poll_nobody_told_of_waits_for_its_interval(
    scheduler: BackgroundScheduler, cycles: Cycles
) -> None:
    one = made(scheduler, cycles)
    cycles.answers = [now()]
    one.polled("claire")
    settled()
    assert cycles.ran == ["claire"]


def test_many_threads_that_tell_and_poll_never_run_two_at_once_and_lose_nothing(
    scheduler: BackgroundScheduler, cycles: Cycles
) -> None:
    one = made(scheduler, cycles)
    cycles.during = lambda: time.sleep(0.01)
    seen = 0

    def bother() -> None:
        for number in range(60):
            one.tell("claire")
            if number % 3 == 0:
                one.polled("claire")

    threads = [threading.Thread(target=bother) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = len(cycles.ran)
    one.tell("claire")
    wait_until(lambda: len(cycles.ran) > seen, "the last word is heard")
    assert cycles.most == 1


def test_what_is_told_at_the_very_end_of_a_cycle_is_not_lost(
    scheduler: BackgroundScheduler, cycles: Cycles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "SETTLE", timedelta(0))
    monkeypatch.setattr(dispatch, "GAP", timedelta(0))
    one = made(scheduler, cycles)
    cycles.during = lambda: one.tell("claire") if len(cycles.ran) < 200 else None
    one.tell("claire")
    wait_until(lambda: len(cycles.ran) == 201, "each one is looked at", 30.0)
    assert cycles.most == 1


def test_closed_it_begins_nothing(scheduler: BackgroundScheduler, cycles: Cycles) -> None:
    one = made(scheduler, cycles)
    one.close()
    one.tell("claire")
    settled(0.4)
    assert cycles.ran == []


class Recording(BackgroundScheduler):  # type: ignore[misc]
    """Starts nothing: tells when the last job was to run."""

    def add_job(self, *_: object, run_date: datetime, **__: object) -> None:
        self.run_date = run_date


@pytest.mark.parametrize("while_waiting", [False, True])
def test_a_clock_that_is_put_back_keeps_nobody_waiting(
    cycles: Cycles, monkeypatch: pytest.MonkeyPatch, *, while_waiting: bool
) -> None:
    passed = 100.0
    wall = datetime(2026, 11, 22, 12, tzinfo=UTC)
    monkeypatch.setattr(dispatch, "monotonic", lambda: passed)
    scheduler = Recording()
    one = Dispatch(scheduler, cycles, lambda: wall)
    one.tell("claire")
    if not while_waiting:
        one._told("claire")
        assert cycles.ran == ["claire"]
    wall -= timedelta(hours=1)
    passed += 10
    one.tell("claire")
    assert timedelta(0) < scheduler.run_date - wall <= dispatch.GAP
