"""Erasing whom calls were with, and who was in recorded meetings."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.actors import admin_at_machine
from syncd.daemon import offers
from tests.leftovers import Needles, in_tables
from tests.servers.meeting_world import MeetingWorld

AFTER = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)  # 15:00 in Paris
CONFIG = """
[calls]
directory = "calls"
numbers = ["0123456700"]
[[calls.lines]]
number = "201"
user = "claire"
"""
CALLS = (
    "Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost\n"
    '2026-11-22T14:00:00,1,"Dupont, Claire (201)",0145678901,Outbound,Answered,00:00:07,00:05:00,0.00\n'
    '2026-11-22T14:10:00,2,"Dupont, Claire (201)",0145678902,Outbound,Answered,00:00:07,00:06:00,0.00\n'
)
NEEDLES = Needles(("zoela", "zoé larivière"), ("145678901",))


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    """Claire called Zoé and Paul, and was asked how it was."""
    made = MeetingWorld(tmp_path / "syncd", database_url, more=CONFIG)
    made.begin()
    made.add_contact(made.account, "zoela@client.example", phone_mobile="+33 (0)1 45 67 89 01")
    made.add_contact(made.account, "paul@client.example", phone_mobile="+33 (0)1 45 67 89 02")
    made.now = AFTER
    made.drop("calls", "calls.csv", CALLS)
    assert made.take_in().taken == 1
    made.settle()
    yield made
    made.close()


def test_calls_go_with_their_forms_and_others_calls_stay(world: MeetingWorld) -> None:
    before = {one.partition(".")[0] for one in in_tables(world.database_url, NEEDLES)}
    assert before >= {"activity", "contact", "task", "binding"}
    means = offers.erasing(world.open())
    receipt = means.carry_out("zoela@client.example", admin_at_machine("root"), world.now, id_="00")
    assert list(in_tables(world.database_url, NEEDLES)) == []
    assert receipt.counts["activity"] == 1
    assert world.rows("SELECT call_number FROM activity") == [("+33145678902",)]
    world.settle()
    assert list(in_tables(world.database_url, NEEDLES)) == []
    texts = world.text("claire")
    assert "zoela" not in texts, "the form was the service's own: it is taken out of the task list"
    assert "paul" in texts
