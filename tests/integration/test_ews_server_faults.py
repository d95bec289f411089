"""Faults on demand at the EWS test server: what is done, what is answered, and how often."""

from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic

import pytest
import requests
from exchangelib import Account, CalendarItem, EWSDateTime
from exchangelib.errors import ErrorInvalidSyncStateData, ErrorIrresolvableConflict, ErrorServerBusy

from tests.servers.ews.exchange_client import account, post, trusting
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer

ADDRESS = "claire@acme.example"
NINE, TEN = datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)
ZONES = "<m:GetServerTimeZones><m:Ids><t:Id>UTC</t:Id></m:Ids></m:GetServerTimeZones>"
TASK = (
    '<m:CreateItem><m:SavedItemFolderId><t:DistinguishedFolderId Id="tasks"/></m:SavedItemFolderId>'
    "<m:Items><t:Task><t:Subject>Call</t:Subject></t:Task></m:Items></m:CreateItem>"
)


@pytest.fixture
def login(ews: EwsServer) -> tuple[str, str]:
    """The login of a mailbox."""
    return ADDRESS, ews.add_mailbox(ADDRESS, "Claire Dupont")


@pytest.fixture
def claire(ews: EwsServer, login: tuple[str, str]) -> Iterator[Account]:
    """exchangelib's account of it."""
    with trusting(ews.ca_file):
        yield account(ews, *login)


@pytest.mark.parametrize(
    ("fault", "made", "status"),
    [
        (Fault.UNAVAILABLE_BEFORE, 0, 503),
        (Fault.UNAVAILABLE_AFTER, 1, 503),
        (Fault.RESET_BEFORE, 0, None),
        (Fault.RESET_AFTER, 1, None),
        (Fault.BUSY, 0, 500),
        (Fault.INTERNAL, 0, 500),
        (Fault.TOO_MANY_OPEN, 0, 500),
        (Fault.UNAUTHORIZED, 0, 401),
        (Fault.GARBAGE, 1, 200),
        (Fault.TRUNCATED, 1, 200),
    ],
)
def test_a_fault_happens_once_before_or_after_the_work(
    ews: EwsServer, login: tuple[str, str], fault: Fault, made: int, status: int | None
) -> None:
    ews.faults.plan(fault, "CreateItem")
    other = OtherClient(ews, ADDRESS)
    if status is None:
        with pytest.raises(requests.exceptions.ConnectionError):
            post(ews, login, TASK)
    else:
        answer = post(ews, login, TASK)
        assert answer.status_code == status
        assert "CreateItemResponse>" not in answer.text or fault is Fault.TRUNCATED
    assert len(other.tasks()) == made
    assert ews.faults.done == [("CreateItem", fault)]

    assert post(ews, login, TASK).status_code == 200
    assert len(other.tasks()) == made + 1


def test_a_busy_server_says_how_long_to_wait(ews: EwsServer, claire: Account) -> None:
    ews.faults.plan(Fault.BUSY, seconds=2.5)
    with pytest.raises(ErrorServerBusy) as caught:
        _ = claire.calendar.total_count
    assert caught.value.back_off == 2.5


def test_a_slow_answer_comes_late(ews: EwsServer, login: tuple[str, str]) -> None:
    ews.faults.plan(Fault.SLOW, "GetServerTimeZones", seconds=0.4)
    begun = monotonic()
    assert post(ews, login, ZONES).status_code == 200
    assert monotonic() - begun >= 0.4


def test_a_fault_waits_for_its_operation_and_its_turn(ews: EwsServer, login: tuple[str, str]) -> None:
    ews.faults.plan(Fault.UNAVAILABLE_BEFORE, "GetServerTimeZones", skip=1, times=2)
    found = [post(ews, login, body).status_code for body in (TASK, ZONES, ZONES, TASK, ZONES, ZONES)]
    assert found == [200, 200, 503, 200, 503, 200]


def test_a_sync_state_is_refused_on_demand(ews: EwsServer, claire: Account) -> None:
    ews.faults.plan(Fault.SYNC_STATE, "SyncFolderItems")
    with pytest.raises(ErrorInvalidSyncStateData):
        list(claire.calendar.sync_items())
    assert list(claire.calendar.sync_items()) == []


def test_somebody_writes_just_before_on_demand(ews: EwsServer, claire: Account) -> None:
    start = EWSDateTime.from_datetime(NINE)
    mine = CalendarItem(account=claire, folder=claire.calendar, subject="Visit", start=start, end=start)
    mine.save()
    mine.subject = "Changed"
    ews.faults.plan(Fault.STALE, "UpdateItem")
    with pytest.raises(ErrorIrresolvableConflict):
        mine.save(update_fields=["subject"], conflict_resolution="NeverOverwrite")
    assert OtherClient(ews, ADDRESS).events()[0].text("Subject") == "Visit"


def test_connections_can_be_ended_and_are_taken_anew(ews: EwsServer, claire: Account) -> None:
    assert claire.calendar.total_count == 0
    ews.drop_connections()
    OtherClient(ews, ADDRESS).add_event("Visit", NINE, TEN)
    assert claire.calendar.all().count() == 1
