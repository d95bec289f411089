"""Who is listened to, and what becomes of a stream that breaks, ends, is silent or is refused."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from connectors.errors import AuthFailed, RateLimited, SyncdError, Unreachable, Unsupported
from connectors.protocol import Heard, Subject
from connectors.testing_push import MemoryPushSource, MemoryStream
from store.errors import StoreError
from syncd.daemon import listened
from syncd.daemon.ears import Make, Pace
from syncd.daemon.listened import Listened
from syncd.daemon.listener import Listener
from tests.servers.ports import wait_until

QUICK = Pace(pause=0.02, longest_pause=0.2, lived=0.0, attendance=0.02, goodbye=0.5)
NEVER_GOOD = replace(QUICK, lived=3600.0)  # no stream lasts long enough to count as a success


@dataclass
class House:
    """Stands where the service stands."""

    streams: dict[str, list[MemoryStream]]
    lasts: timedelta = timedelta(hours=1)
    silence: timedelta = timedelta(hours=1)
    running: set[str] = field(default_factory=set)
    told: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    broken: bool = False
    servers: dict[str, str] = field(default_factory=dict)  # of the mailboxes; those left out have the same

    def server_of(self, mailbox: str) -> str:
        return self.servers.get(mailbox, "corp")

    def sources(self) -> Mapping[str, Sequence[Make]]:
        def make(stream: MemoryStream) -> Make:
            return lambda: MemoryPushSource(stream, lasts=self.lasts, silence=self.silence)

        return {name: [make(one) for one in streams] for name, streams in self.streams.items()}

    def awake(self) -> frozenset[str]:
        if self.broken:
            raise StoreError("the database is away")
        return frozenset(self.running)

    def tell(self, mailbox: str) -> None:
        self.told[mailbox] += 1

    def refused(self, mailbox: str, error: AuthFailed) -> None:
        self.refusals.append(mailbox)
        self.running.discard(mailbox)


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


class Started:
    """A listener for the length of a test."""

    def __init__(self, house: House, marks: Listened, pace: Pace = QUICK) -> None:
        self.listener = Listener(house, marks, rng=Random(7), pace=pace)

    def __enter__(self) -> Listener:
        self.listener.start()
        return self.listener

    def __exit__(self, *_: object) -> None:
        self.listener.close()


def is_listened(marks: Listened, name: str) -> bool:
    return marks.since(name, datetime.now(UTC)) is not None


def test_each_opening_and_each_change_is_told(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    with Started(house, marks):
        assert stream.await_opened(1)
        wait_until(lambda: house.told["claire"] == 1, "the opening is told")
        stream.show_life()
        stream.tell(Subject.MAIL)
        wait_until(lambda: house.told["claire"] == 2, "the change is told")
        stream.tell(Subject.CALENDAR, Subject.MAIL, Subject.MAIL)
        wait_until(lambda: house.told["claire"] == 5, "what came in one piece is read to its end")
    assert house.told["marc"] == 1


@pytest.mark.parametrize("how", ["cut", "end"])
def test_a_stream_that_ends_is_opened_anew_and_the_mailbox_is_looked_at(
    house: House, marks: Listened, how: str
) -> None:
    (stream,) = house.streams["claire"]
    with Started(house, marks):
        for times in range(1, 6):
            assert stream.await_opened(times)
            wait_until(lambda times=times: house.told["claire"] == times, "the opening is told")  # type: ignore[misc]
            stream.cut() if how == "cut" else stream.end()
        assert stream.await_opened(6)


def test_a_stream_that_ends_at_once_is_opened_less_and_less_often(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    with Started(house, marks, replace(NEVER_GOOD, longest_pause=10.0)):
        moments = []
        for times in range(1, 6):
            assert stream.await_opened(times)
            moments.append(time.monotonic())
            wait_until(lambda times=times: house.told["claire"] == times, "it is open")  # type: ignore[misc]
            stream.end()
    pauses = [after - before for before, after in pairwise(moments)]
    assert all(pause >= 0.01 * 2**number for number, pause in enumerate(pauses)), pauses


def test_a_dead_server_keeps_nobody_else_from_hearing(house: House, marks: Listened) -> None:
    release = threading.Event()
    (dead,) = house.streams["marc"]
    (alive,) = house.streams["claire"]

    def hang() -> None:
        release.wait(20)

    dead.before = hang
    try:
        with Started(house, marks):
            assert alive.await_opened(1)
            wait_until(lambda: house.told["claire"] == 1, "the opening is told")
            began = time.monotonic()
            alive.tell(Subject.MAIL)
            wait_until(lambda: house.told["claire"] == 2, "the change is told")
            assert time.monotonic() - began < 1.0
        assert time.monotonic() - began < 3.0, "nobody waits for the dead one at the end"
    finally:
        release.set()
        wait_until(lambda: not openers(), "its thread is done")


def test_a_refused_login_is_told_once_and_never_tried_again(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    stream.refuses = lambda: AuthFailed("refused")
    with Started(house, marks):
        wait_until(lambda: house.refusals == ["claire"], "it is told")
        (other,) = house.streams["marc"]
        for times in range(1, 6):
            assert other.await_opened(times)
            other.end()
    assert stream.opened == 1
    assert house.refusals == ["claire"]


def test_a_refused_login_that_cannot_be_noted_is_not_tried_again_either(
    house: House, marks: Listened, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stream,), (other,) = house.streams["claire"], house.streams["marc"]
    stream.refuses = lambda: AuthFailed("refused")

    def fail(mailbox: str, error: AuthFailed) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(house, "refused", fail)
    with Started(house, marks):
        for times in range(1, 6):
            assert other.await_opened(times)
            other.end()
    assert stream.opened == 1


def test_after_a_person_acted_it_is_listened_to_again(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    stream.refuses = lambda: AuthFailed("refused")
    with Started(house, marks):
        wait_until(lambda: house.refusals == ["claire"], "it is told")
        stream.refuses = None
        house.running.add("claire")
        assert stream.await_opened(2)


def test_a_server_that_asks_to_wait_is_obeyed(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    stream.refuses = lambda: RateLimited("slowly", retry_after=timedelta(seconds=0.6))
    with Started(house, marks):
        wait_until(lambda: stream.opened == 1, "it was asked")
        began = time.monotonic()
        stream.refuses = None
        assert stream.await_opened(2)
        assert time.monotonic() - began >= 0.55


def test_a_server_that_cannot_tell_is_asked_once(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    (other,) = house.streams["marc"]
    stream.refuses = lambda: Unsupported("no IDLE")
    with Started(house, marks):
        for times in range(1, 6):
            assert other.await_opened(times)
            other.end()
    assert stream.opened == 1
    assert not is_listened(marks, "claire")


def test_who_is_paused_is_not_listened_to_and_who_is_resumed_is_again(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    with Started(house, marks):
        assert stream.await_opened(1)
        wait_until(lambda: is_listened(marks, "claire"), "it is listened to")
        house.running.discard("claire")
        wait_until(lambda: not is_listened(marks, "claire"), "nobody listens")
        told = house.told["claire"]
        house.running.add("claire")
        assert stream.await_opened(2)
        wait_until(lambda: house.told["claire"] == told + 1, "it is looked at again")
    assert not is_listened(marks, "claire")


def test_while_the_database_is_away_the_listening_goes_on(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    with Started(house, marks):
        assert stream.await_opened(1)
        wait_until(lambda: house.told["claire"] == 1, "the opening is told")
        house.broken = True
        stream.tell(Subject.MAIL)
        wait_until(lambda: house.told["claire"] == 2, "the change is told")
        house.broken = False


def test_a_stream_is_renewed_in_time_and_one_without_life_is_given_up(house: House, marks: Listened) -> None:
    (stream,) = house.streams["claire"]
    house.lasts = timedelta(seconds=0.1)
    with Started(house, marks):
        assert stream.await_opened(3)
    house.lasts, house.silence = timedelta(hours=1), timedelta(seconds=0.1)
    before = stream.opened
    with Started(house, marks):
        assert stream.await_opened(before + 3)


class Defective(MemoryPushSource):
    """Has a defect of ours in it, the first time."""

    calls = 0

    def arrived(self) -> Heard:
        Defective.calls += 1
        if Defective.calls == 1:
            raise ZeroDivisionError
        return super().arrived()


def test_a_defect_ends_one_stream_for_a_while_and_nobody_elses(
    house: House, marks: Listened, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stream,) = house.streams["claire"]
    (other,) = house.streams["marc"]
    makes = dict(house.sources())
    makes["claire"] = [lambda: Defective(stream)]
    monkeypatch.setattr(house, "sources", lambda: makes)
    with Started(house, marks):
        assert stream.await_opened(2)
        assert other.await_opened(1)
        other.tell(Subject.MAIL)
        wait_until(lambda: house.told["marc"] == 2, "the other one hears")


@pytest.mark.parametrize("failure", [Unreachable("away"), StoreError("away"), OSError("odd"), ValueError()])
def test_whatever_an_opening_fails_with_it_is_tried_again(
    house: House, marks: Listened, failure: Exception
) -> None:
    (stream,) = house.streams["claire"]

    def fail() -> SyncdError:
        raise failure

    stream.refuses = fail
    with Started(house, marks):
        wait_until(lambda: stream.opened >= 3, "it is tried again")
        stream.refuses = None
        assert stream.await_opened(4)
        wait_until(lambda: house.told["claire"] == 1, "the opening is told")


def test_at_the_end_servers_are_told_and_nothing_is_left_open(house: House, marks: Listened) -> None:
    with Started(house, marks):
        for (stream,) in house.streams.values():
            assert stream.await_opened(1)
        wait_until(lambda: sum(house.told.values()) == 2, "both are open")
    assert [stream.forgotten for (stream,) in house.streams.values()] == [1, 1]
    assert not any(is_listened(marks, name) for name in house.streams)
    assert not [one for one in threading.enumerate() if one.name.startswith("syncd-listener")]


def test_a_mark_that_nobody_renews_is_not_believed_for_long(marks: Listened) -> None:
    moment = datetime.now(UTC)
    marks.begin("claire", moment)
    assert marks.since("claire", moment) == moment
    assert marks.since("claire", moment + listened.BELIEVED + timedelta(seconds=2)) is None
    assert marks.since("marc", moment) is None


def test_without_anything_to_listen_to_no_thread_is_started(marks: Listened) -> None:
    before = threading.active_count()
    with Started(House({}), marks):
        assert threading.active_count() == before


def openers() -> list[threading.Thread]:
    """The threads that open streams."""
    return [one for one in threading.enumerate() if one.name == "syncd-opener"]
