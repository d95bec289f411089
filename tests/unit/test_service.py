"""When the daemon looks at a mailbox, and how long it leaves a failing one alone."""

import io
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import cast

import pytest

from config.load import load
from config.settings import Settings
from store.errors import StoreError
from syncd.daemon import logs, service
from syncd.daemon.service import LONGEST_BACK_OFF, Service
from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.servers.world import NOW

CONFIG = """
[workspace]
name = "Acme"
[store]
url = "sqlite:///crm.db"
[schedule]
interval = "1m"
[servers.corp.imap]
host = "imap.acme.example"
[[users]]
login = "claire"
name = "Claire"
email = "claire@acme.example"
[[mailboxes]]
name = "claire"
user = "claire"
server = "corp"
username = "claire"
password = { file = "claire.secret" }
"""

Outcome = Callable[[CycleReport], None]


def succeed(_report: CycleReport) -> None:
    pass


def fail(report: CycleReport) -> None:
    report.error = "the server is away"


class Cycles:
    """Stands where the supervisor and its installation stand: the edge of the daemon."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.supervisor = self
        self.mail = self.calendars = self
        self.meetings, self.dropping, self.statuses = Meetings(), Meetings(), Meetings()
        self.recommending = self.logos = self.retention = self.positions = Meetings()
        self.halted: Callable[[], bool] = bool
        self.looks = 0
        self.outcome: Outcome = succeed

    def run(self, mailbox: str, _clock: Callable[[], datetime], *, ref: str) -> CycleReport:
        self.looks += 1
        report = CycleReport(mailbox, ref)
        self.outcome(report)
        return report


class Meetings:
    """Stands where the follow-up of meetings stands, and where dropped files are taken in."""

    def __init__(self) -> None:
        self.halted: Callable[[], bool] = bool
        self.raises: Exception | None = None
        self.looks = self.looked_again = 0

    def look_again(self, _now: datetime) -> None:
        self.looked_again += 1

    def run(self, _now: datetime) -> None:
        self.looks += 1
        if self.raises is not None:
            raise self.raises


class Clock:
    """Every reading is a little later than the one before, as on a real machine."""

    def __init__(self) -> None:
        self.moment = NOW
        self.put_back = timedelta(0)  # the wall clock, against the time that passes

    def __call__(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment - self.put_back

    def passed(self) -> float:
        return (self.moment - NOW).total_seconds()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(service, "now", made)
    monkeypatch.setattr(service, "monotonic", made.passed)
    return made


@pytest.fixture
def cycles(tmp_path: Path) -> Cycles:
    config = tmp_path / "syncd.toml"
    config.write_text(CONFIG)
    return Cycles(load(config))


@pytest.fixture
def daemon(cycles: Cycles, clock: Clock) -> Service:
    return Service(Path("syncd.toml"), open_=lambda _: cast(Installation, cycles), rng=Random(7))


def test_a_mailbox_in_order_is_looked_at_each_time_its_turn_comes(daemon: Service, cycles: Cycles) -> None:
    for _ in range(50):
        daemon._cycle("claire")
    assert cycles.looks == 50


def test_a_failing_mailbox_is_left_alone_longer_each_time_up_to_half_an_hour(
    daemon: Service, cycles: Cycles, clock: Clock
) -> None:
    cycles.outcome = fail
    pauses = []
    for _ in range(12):
        looks, began = cycles.looks, clock.moment
        while cycles.looks == looks:
            clock.moment += timedelta(seconds=1)
            daemon._cycle("claire")
        pauses.append(clock.moment - began)
    assert pauses[0] < timedelta(seconds=2), "the first look comes at once"
    assert timedelta(seconds=30) <= pauses[1] <= timedelta(seconds=62)
    assert pauses[3] > pauses[1]
    assert all(
        LONGEST_BACK_OFF / 2 <= pause <= LONGEST_BACK_OFF + timedelta(seconds=2) for pause in pauses[-3:]
    )


def test_a_server_that_asks_to_wait_is_obeyed(daemon: Service, cycles: Cycles, clock: Clock) -> None:
    def limited(report: CycleReport) -> None:
        fail(report)
        report.retry_after = timedelta(hours=2)

    cycles.outcome = limited
    daemon._cycle("claire")
    clock.moment += timedelta(hours=2) - timedelta(seconds=1)
    daemon._cycle("claire")
    assert cycles.looks == 1
    clock.moment += timedelta(seconds=2)
    daemon._cycle("claire")
    assert cycles.looks == 2


def test_a_clock_that_is_put_back_makes_no_pause_longer(
    daemon: Service, cycles: Cycles, clock: Clock
) -> None:
    cycles.outcome = fail
    daemon._cycle("claire")
    clock.put_back = timedelta(hours=1)
    again = daemon._cycle("claire")
    assert again is not None
    assert timedelta(0) < again - clock() <= timedelta(minutes=1)
    clock.moment += timedelta(minutes=1)
    daemon._cycle("claire")
    assert cycles.looks == 2


def test_one_good_cycle_ends_the_back_off(daemon: Service, cycles: Cycles, clock: Clock) -> None:
    cycles.outcome = fail
    daemon._cycle("claire")
    cycles.outcome = succeed
    clock.moment += timedelta(hours=1)
    for _ in range(3):
        daemon._cycle("claire")
    assert cycles.looks == 4


@pytest.mark.parametrize("error", [StoreError("the disk is full"), ZeroDivisionError()])
def test_an_error_of_any_kind_ends_the_cycle_only(
    daemon: Service, cycles: Cycles, clock: Clock, error: Exception
) -> None:
    def broken(_report: CycleReport) -> None:
        raise error

    cycles.outcome = broken
    daemon._cycle("claire")
    cycles.outcome = succeed
    clock.moment += timedelta(hours=1)
    daemon._cycle("claire")
    assert cycles.looks == 2


@pytest.mark.usefixtures("restored_logging")
@pytest.mark.parametrize("error", [StoreError("the disk is full"), ZeroDivisionError()])
def test_what_ends_a_cycle_is_logged_under_its_run_mailbox_and_action(
    daemon: Service, cycles: Cycles, clock: Clock, error: Exception
) -> None:
    runs: list[str] = []

    def broken(report: CycleReport) -> None:
        runs.append(report.run)
        raise error

    out = io.StringIO()
    logs.configure("error", "json", out)
    cycles.outcome = broken
    for _ in range(2):
        clock.moment += timedelta(hours=1)
        daemon._cycle("claire")
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["run"], line["mailbox"], line["action"]) for line in lines] == [
        (run, "claire", "cycle") for run in runs
    ]
    assert len(set(runs)) == 2


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a defect")])
def test_meetings_that_cannot_be_followed_up_are_logged_and_tried_again(
    daemon: Service, cycles: Cycles, error: Exception
) -> None:
    cycles.meetings.raises = error
    out = io.StringIO()
    logs.configure("error", "json", out)
    daemon._meetings()
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (line["action"], line["level"]) == ("meetings", "error")
    cycles.meetings.raises = None
    daemon._meetings()
    assert (cycles.meetings.looks, cycles.meetings.looked_again) == (2, 1)


@pytest.mark.parametrize("error", [StoreError("the disk is full"), ZeroDivisionError()])
def test_dropped_files_that_cannot_be_taken_in_keep_no_meeting_from_being_recorded(
    daemon: Service, cycles: Cycles, error: Exception
) -> None:
    cycles.dropping.raises = error
    daemon._meetings()
    assert (cycles.dropping.looks, cycles.meetings.looks) == (1, 1)


@pytest.mark.parametrize("error", [StoreError("the disk is full"), RuntimeError("a defect")])
def test_statuses_that_cannot_be_computed_are_logged_and_tried_again(
    daemon: Service, cycles: Cycles, error: Exception
) -> None:
    cycles.statuses.raises = error
    out = io.StringIO()
    logs.configure("error", "json", out)
    daemon._statuses()
    (line,) = [json.loads(line) for line in out.getvalue().splitlines()]
    assert (line["action"], line["level"]) == ("statuses", "error")
    cycles.statuses.raises = None
    daemon._statuses()
    assert cycles.statuses.looks == 2
