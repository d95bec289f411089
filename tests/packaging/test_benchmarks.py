"""`make bench` on tiny sizes: every scenario runs and gives its figures. Says nothing of speed."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from benchmarks import mbsync
from benchmarks.run import SCENARIOS
from tests.packaging.tree import ROOT
from tests.servers.dovecot import DovecotServer
from tests.servers.fixtures import missing


@dataclass(frozen=True)
class Ran:
    """A quick benchmark that has ended."""

    report: dict[str, Any]
    picture: str
    said: str

    def figures(self, scenario: str) -> dict[str, dict[str, Any]]:
        return {figure["name"]: figure for figure in self.report["scenarios"][scenario]}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    if not DovecotServer.available():
        missing("Dovecot", "apt-get install dovecot-imapd")
    if not mbsync.available():
        missing("mbsync", "apt-get install isync")
    folder = tmp_path_factory.mktemp("bench")
    figures, picture = folder / "figures.json", folder / "figures.svg"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.run", "--quick", "--out", figures, "--plot", picture],
        check=False,
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name != "SYNCD_LANGUAGE"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return Ran(json.loads(figures.read_text()), picture.read_text(), done.stdout)


def test_every_scenario_gives_figures(ran: Ran) -> None:
    assert set(ran.report["scenarios"]) == set(SCENARIOS)
    assert all(ran.report["scenarios"].values())


def test_the_table_for_the_readme_has_a_row_for_each_figure(ran: Ran) -> None:
    names = [figure["name"] for group in ran.report["scenarios"].values() for figure in group]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in ran.said.splitlines() if line[:2] == "| "]
    assert len(names) == len(set(names))
    assert rows[1:] == names


def test_every_limit_of_time_and_of_space_is_held_against_something(ran: Ran) -> None:
    limited = {
        scenario: sum(figure["limit"] is not None for figure in group)
        for scenario, group in ran.report["scenarios"].items()
    }
    assert min(limited.values()) > 0


def test_a_cycle_with_nothing_new_writes_nothing_and_lists_nothing(ran: Ran) -> None:
    idle = ran.figures("idle")
    assert idle["nothing new: files of the database that changed"]["value"] == 0
    assert idle["nothing new: of these, lists of all messages"]["value"] == 0
    assert idle["nothing new: commands sent in the first cycle of a process and the next"]["value"] > 0


def test_nothing_changed_in_a_calendar_writes_nothing_and_parses_nothing(ran: Ran) -> None:
    figures = ran.figures("calendar-sync")
    idle = {name: one for name, one in figures.items() if "nothing changed" in name}
    written = [one["value"] for name, one in idle.items() if name.endswith("database that changed")]
    parsed = [one["value"] for name, one in idle.items() if name.endswith("events parsed")]
    assert written == parsed == [0, 0]  # on both servers


def test_only_the_events_that_changed_are_parsed(ran: Ran) -> None:
    figures = ran.figures("calendar-sync")
    beyond = [one["value"] for name, one in figures.items() if name.endswith("parsed beyond these")]
    assert beyond == [0, 0]


def test_nothing_new_at_exchange_is_one_request_a_folder_and_writes_nothing(ran: Ran) -> None:
    for scenario in ("exchange-mail", "exchange-calendar"):
        figures = ran.figures(scenario)
        asked = [one["value"] for name, one in figures.items() if name.endswith("requests a folder")]
        written = [one["value"] for name, one in figures.items() if name.endswith("database that changed")]
        assert asked == [1]
        assert written == [0]


def test_only_the_messages_that_match_are_read_whole_at_exchange(ran: Ran) -> None:
    figures = ran.figures("exchange-mail")
    beyond = [one["value"] for name, one in figures.items() if name.endswith("read whole beyond these")]
    assert beyond == [0, 0, 0, 0]  # two mailboxes, two shares


def test_the_picture_has_a_curve_for_each_thing_compared(ran: Ran) -> None:
    assert len(ran.report["curves"]) == 4
    for name in ran.report["curves"]:
        assert name.casefold() in ran.picture.casefold()
    assert ran.picture.rstrip().endswith("</svg>")
