"""What the command line prints."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.sync_state import VerdictKind
from syncd.cli import output

PARIS = ZoneInfo("Europe/Paris")
NOON = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    from_: tuple[str, ...]
    at: datetime
    total: Decimal
    counts: dict[VerdictKind, int]


def test_json_has_stable_names_and_dates_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 7, 1, 14, 0, tzinfo=PARIS)

    output.as_json([Row(("é",), at, Decimal("1.50"), {VerdictKind.NO_CONTACT: 2}), date(2026, 1, 2), None])

    printed = capsys.readouterr().out
    assert json.loads(printed) == [
        {"from": ["é"], "at": "2026-07-01T12:00:00Z", "total": "1.50", "counts": {"no_contact": 2}},
        "2026-01-02",
        None,
    ]
    assert "é" in printed


def test_dates_for_people_are_in_the_workspaces_zone() -> None:
    assert output.shown(NOON, PARIS) == "2026-07-01 14:00"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_printed(text: str) -> None:
    shown = output.shown(text, UTC)

    assert shown.isprintable() or all(ord(c) >= 0xA0 for c in shown if not c.isprintable())
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_tables_in_a_pipe_are_aligned(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(("name", "n"), [("日本", "1"), ("é", "2"), ("abcdef", "3")])

    assert capsys.readouterr().out == "name    n\n日本    1\né       2\nabcdef  3\n"


@pytest.mark.parametrize(
    ("past", "told"),
    [
        (timedelta(seconds=5), "5s"),
        (timedelta(minutes=3), "3m"),
        (timedelta(hours=30), "30h"),
        (timedelta(days=9), "9d"),
    ],
)
def test_ages_are_told_in_the_largest_unit_that_tells_enough(past: timedelta, told: str) -> None:
    assert output.age(NOON - past, NOON) == told


def test_numbers_come_with_their_nouns() -> None:
    assert [output.count(n, "activity") for n in (0, 1, 2)] == ["0 activities", "1 activity", "2 activities"]
    assert output.count(2, "e-mail") == "2 e-mails"
    assert [output.octets(n) for n in (5, 2048, 5 * 1024 * 1024)] == ["5 B", "2.0 KiB", "5.0 MiB"]
