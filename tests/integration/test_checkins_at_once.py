"""Several processes check in at the same moment; on both databases."""

import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from store import checkin_rows
from store.database import Database
from tests.servers.console import console
from tests.servers.office import Office

NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
WHERE = ("--position", "45.75,4.85", "--accuracy", "10")
RUN = """
import sys
from datetime import datetime, timezone
import time_machine
from syncd.cli.main import run
with time_machine.travel(datetime(2026, 11, 23, 11, tzinfo=timezone.utc)):
    run([*sys.argv[1:3], "status"])
    sys.stderr.write("ready\\n")
    sys.stderr.flush()
    sys.stdin.readline()
    sys.exit(run(sys.argv[1:]))
"""
WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Users and a CRM, once on SQLite and once on PostgreSQL."""
    return Office(tmp_path / "syncd", database_url)


def race(office: Office, account: int, *words: str, runners: int) -> list[tuple[int, str]]:
    """The same command by several processes, which wait for one transaction; exit codes and complaints."""
    config = str(office.write_config())
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RUN, "--config", config, *words],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(runners)
    ]  # fmt: skip
    database = Database(office.database_url)
    try:
        for one in started:
            assert one.stderr is not None
            assert one.stderr.readline() == "ready\n"
        with database.write() as session:
            checkin_rows.locked(session, account)
            for one in started:
                assert one.stdin is not None
                one.stdin.write("go\n")
                one.stdin.flush()
            if not database.sqlite:  # there nobody can tell who waits
                until_waiting(database, runners)
        ended = [one.communicate(timeout=120) for one in started]
    finally:
        database.close()
        for one in started:
            one.kill()
    return [(one.returncode, told[1]) for one, told in zip(started, ended, strict=True)]


def until_waiting(database: Database, runners: int) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        with database.read() as session:
            if session.scalar(text(WAITING)) == runners:
                return
        time.sleep(0.05)
    raise AssertionError("they do not wait for each other")


def test_of_several_processes_that_check_in_at_once_one_wins_and_the_others_are_told(office: Office) -> None:
    office.done("account", "add", "--name", "Garage", "--type", "customer")
    words = ("event", "add", "--as", "claire", "--account", "Garage", "--subject", "Point")
    assert console(office.write_config(), *words, "--start", "2026-11-23 14:30", at=NOON).code == 0
    ended = race(office, 1, "checkin", "add", "--as", "claire", "--event", "1", *WHERE, runners=2)
    assert sorted(code for code, _ in ended) == [0, 1], ended
    assert all("claire has checked in at this meeting: check-in 1" in told for code, told in ended if code)
    assert office.one("SELECT count(*) FROM check_in") == office.one("SELECT count(*) FROM activity") == 1


def test_of_several_first_check_ins_at_once_one_locates_the_account(office: Office) -> None:
    office.done("account", "add", "--name", "Garage", "--type", "customer")
    ended = race(office, 1, "checkin", "add", "--as", "claire", "--account", "Garage", *WHERE, runners=2)
    assert [code for code, _ in ended] == [0, 0], ended
    flags = office.rows("SELECT flag FROM check_in ORDER BY flag")
    assert flags == [("FIRST_LOCATION",), ("NONE",)]
    assert office.one("SELECT version FROM account") == 2
