"""A server that asks to be left alone in the middle of a write of several requests: it is left alone at once,
as long as it asks, and the write is looked up afterwards."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import recurrence
from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import Office, paris

PAUL = "paul@client.example"


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    """Claire's series with a changed occurrence, in step."""
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    weekly = recurrence(
        "WeeklyRecurrence", date(2026, 11, 24), count=6, Interval="1", DaysOfWeek="Tuesday",
        FirstDayOfWeek="Monday",
    )  # fmt: skip
    made.meet("claire", "Suivi", paris(24, 9), uid="s", guests=(PAUL,), Recurrence=weekly)
    made.sync()
    made.desk("claire").edit(made.id_of("s"), occurrence="2026-12-01", subject="Suivi long")
    made.settle()
    ews.counts.sent.clear()
    return made


def writes(office: Office) -> int:
    found = office.ews.counts.operations
    return sum(found[name] for name in ("CreateItem", "UpdateItem", "DeleteItem"))


def test_a_server_that_is_busy_in_the_middle_of_a_write_is_left_alone(office: Office) -> None:
    desk = office.desk("claire")
    desk.edit(office.id_of("s"), start="2026-11-24T11:00", end="2026-11-24T12:00")
    desk.add("Un autre")
    before = writes(office)
    office.ews.faults.plan(Fault.BUSY, "UpdateItem", skip=1, seconds=120)
    report = office.sync()["claire"]
    assert report.retry_after == timedelta(seconds=120)
    assert writes(office) - before == 2  # the first, and the one that it was too busy for
    assert office.rows("SELECT uid FROM intent") == [("s",)]
    office.settle()
    assert sorted(one.text("Subject") for one in office.events("claire")) == ["Suivi", "Un autre"]
    (series,) = (one for one in office.events("claire") if one.text("Subject") == "Suivi")
    client = office.client("claire")
    found = client.occurrences(client.id_of(series.item))
    assert [one.text("Subject") for one in found][:2] == ["Suivi", "Suivi long"]
    assert {f"{one.start:%H:%M}" for one in found} == {"10:00"}
    assert office.rows("SELECT uid FROM intent") == []


def test_a_server_that_is_busy_while_a_write_is_looked_up_is_left_alone(office: Office) -> None:
    office.desk("claire").edit(office.id_of("s"), start="2026-11-24T11:00", end="2026-11-24T12:00")
    office.ews.faults.plan(Fault.RESET_BEFORE, "UpdateItem", skip=1)
    office.sync()
    office.ews.faults.plan(Fault.BUSY, "UpdateItem", skip=1, seconds=120)
    assert office.sync()["claire"].retry_after == timedelta(seconds=120)
    assert office.rows("SELECT uid FROM intent") == [("s",)]
    office.settle()
    (series,) = office.events("claire")
    client = office.client("claire")
    found = client.occurrences(client.id_of(series.item))
    assert [one.text("Subject") for one in found][:2] == ["Suivi", "Suivi long"]


def test_what_a_server_that_goes_away_may_have_done_is_looked_up(office: Office) -> None:
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.desk("claire").add("Un autre")
    office.ews.faults.plan(Fault.AWAY, "CreateItem")
    before = writes(office)
    assert "ErrorMailboxStoreUnavailable" in str(office.sync()["claire"].error)
    assert writes(office) - before == 1
    assert len(office.rows("SELECT uid FROM intent")) == 1
    office.settle()
    found = sorted(one.text("Subject") for one in office.events("claire"))
    assert found == ["Suivi", "Un autre", "Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]
