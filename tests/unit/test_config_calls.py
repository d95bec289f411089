"""Where call records come from, as the config tells of it."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from config.errors import ConfigError
from config.load import load
from connectors.calls.board import switchboard, users
from connectors.calls.model import Field, Switchboard

CONFIG = """
workspace.name = "Acme"
store.url = "sqlite:///crm.db"
[[users]]
login = "claire"
name = "Claire Dupont"
email = "claire@acme.example"
[calls]
directory = "calls"
{more}
"""


def test_the_directory_is_relative_to_the_file_and_lines_have_users(tmp_path: Path) -> None:
    config = tmp_path / "syncd.toml"
    config.write_text(CONFIG.format(more='dates = "day-first"\n[[calls.lines]]\nnumber="201"\nuser="claire"'))
    calls = load(config).calls
    assert calls.directory == tmp_path / "calls"
    assert [(line.number, line.user) for line in calls.lines] == [("201", "claire")]


@pytest.mark.parametrize(
    ("more", "where", "what"),
    [
        ('[[calls.lines]]\nnumber="201"\nuser="clare"', "calls.lines", 'did you mean "claire"'),
        ('[[calls.lines]]\nnumber="+33 1"\nuser="claire"', "calls.lines", "accepted form"),
        ('prefix = "outside"', "calls.prefix", "accepted form"),
        ('[calls.columns]\nwho = "Appelant"', "calls.columns", "who"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, more: str, where: str, what: str) -> None:
    config = tmp_path / "syncd.toml"
    config.write_text(CONFIG.format(more=more))
    with pytest.raises(ConfigError) as caught:
        load(config)
    assert where in str(caught.value)
    assert what in str(caught.value)


def test_the_reader_is_told_all_that_the_config_says(tmp_path: Path) -> None:
    config = tmp_path / "syncd.toml"
    more = """
timezone = "Europe/Brussels"
dates = "month-first"
prefix = "0"
numbers = ["+33123456700"]
[[calls.lines]]
number = "201"
user = "claire"
[calls.columns]
caller = "Appelant"
"""
    config.write_text(CONFIG.format(more=more))
    calls = load(config).calls
    board = switchboard(calls, ZoneInfo("Europe/Paris"))
    assert (board.zone.key, board.day_first, board.prefix) == ("Europe/Brussels", False, "0")
    assert board.own == {"201", "+33123456700"}
    assert board.columns == {Field.CALLER: "Appelant"}
    assert users(calls) == {"201": "claire"}


def test_what_the_config_leaves_out_is_the_workspaces_or_told_by_the_files(tmp_path: Path) -> None:
    config = tmp_path / "syncd.toml"
    config.write_text(CONFIG.format(more=""))
    board = switchboard(load(config).calls, ZoneInfo("Europe/Paris"))
    assert board == Switchboard(ZoneInfo("Europe/Paris"))
