"""Events that an Exchange server fails over: each is an error of its own, and its calendar goes on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree.ElementTree import Element

import pytest

from connectors.calendar import Dress, Missing, RemoteItem
from connectors.errors import ItemError, OutcomeUnknown, Unreachable
from connectors.protocol import CalendarConnector
from tests.servers.ews.answers import failure
from tests.servers.ews.errors import EwsError, SoapFault
from tests.servers.ews.faults import Fault
from tests.servers.ews.requests import Request
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import children, m, make
from tests.servers.ews_calendars import EwsWorld

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
ONE = datetime(2026, 12, 1, 13, tzinfo=UTC)


@pytest.fixture
def world(ews: EwsServer) -> EwsWorld:
    return EwsWorld(ews)


@pytest.fixture
def connector(world: EwsWorld) -> Iterator[CalendarConnector]:
    with world.connector() as entered:
        entered.calendars()
        yield entered


def add(world: EwsWorld, *subjects: str) -> list[str]:
    return [world.other.add_event(subject, NOON, ONE, folder="Agenda") for subject in subjects]


def read(
    connector: CalendarConnector, world: EwsWorld, refs: list[str]
) -> dict[str, RemoteItem | Missing | ItemError]:
    found = list(connector.read(world.calendar, refs))
    return {one.locator if isinstance(one, ItemError) else one.ref: one for one in found}


def read_one(connector: CalendarConnector, world: EwsWorld, ref: str) -> RemoteItem | Missing | ItemError:
    (found,) = connector.read(world.calendar, [ref])
    return found


def failed(code: str) -> Element:
    return failure("GetItem", EwsError(code, "An internal server error occurred."), [make(m("Items"), ())])


def fails_over(ews: EwsServer, *refs: str, code: str) -> None:
    """GetItem says of these items, and of no other, that something went wrong inside the server."""

    def respond(request: Request, ids: list[str], answers: list[Element]) -> list[Element]:
        return [failed(code) if one in refs else told for one, told in zip(ids, answers, strict=True)]

    replaced(ews, respond)


def breaks_over(ews: EwsServer, *refs: str) -> None:
    """A GetItem that asks for one of these items gets no answer but a fault."""

    def respond(request: Request, ids: list[str], answers: list[Element]) -> list[Element]:
        if set(ids) & set(refs):
            raise SoapFault("ErrorInternalServerError", "An internal server error occurred.")
        return answers

    replaced(ews, respond)


def replaced(ews: EwsServer, respond: Callable[[Request, list[str], list[Element]], list[Element]]) -> None:
    usual = ews.dispatcher.operations["GetItem"]

    def get_item(request: Request) -> list[Element]:
        ids = [one.get("Id", "") for one in children(request.body.find(m("ItemIds")))]
        return respond(request, ids, usual(request))

    ews.dispatcher.operations["GetItem"] = get_item


@pytest.mark.parametrize(
    "code", ["ErrorInternalServerError", "ErrorInternalServerTransientError", "ErrorTimeoutExpired"]
)
def test_an_event_that_the_server_fails_over_is_an_error_of_its_own(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector, code: str
) -> None:
    before, bad, after = add(world, "before", "bad", "after")
    fails_over(ews, bad, code=code)
    found = read(connector, world, [before, bad, after])
    assert list(found) == [before, bad, after]
    error = found[bad]
    assert isinstance(error, ItemError)
    assert code in str(error)
    assert isinstance(found[before], RemoteItem)
    assert isinstance(found[after], RemoteItem)
    assert isinstance(read_one(connector, world, bad), ItemError)  # alone it is no other


def test_an_event_over_which_the_answer_breaks_is_an_error_of_its_own(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector
) -> None:
    refs = add(world, *(f"event {number}" for number in range(20)))
    breaks_over(ews, refs[7])
    found = read(connector, world, refs)
    assert list(found) == refs
    assert [ref for ref, one in found.items() if isinstance(one, ItemError)] == [refs[7]]
    assert isinstance(read_one(connector, world, refs[7]), ItemError)


@pytest.mark.parametrize("fault", [Fault.INTERNAL, Fault.TRUNCATED, Fault.GARBAGE, Fault.RESET_BEFORE])
def test_an_answer_with_events_that_breaks_once_costs_nothing(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector, fault: Fault
) -> None:
    refs = add(world, "one", "two")
    ews.faults.plan(fault, "GetItem")
    assert all(isinstance(one, RemoteItem) for one in read(connector, world, refs).values())
    ews.faults.plan(fault, "GetItem")
    assert isinstance(read_one(connector, world, refs[0]), RemoteItem)


def test_a_server_that_breaks_over_everything_is_unreachable_and_is_not_asked_for_ever(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector
) -> None:
    refs = add(world, *(f"event {number}" for number in range(40)))
    breaks_over(ews, *refs)
    before = ews.counts.operations["GetItem"]
    with pytest.raises(Unreachable):
        read(connector, world, refs)
    assert ews.counts.operations["GetItem"] - before <= 15


def test_a_batch_that_was_stopped_is_asked_for_again(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector
) -> None:
    refs = add(world, "one", "two", "three")
    usual = ews.dispatcher.operations["GetItem"]

    def get_item(request: Request) -> list[Element]:
        first, *others = usual(request)
        return [first, *(failed("ErrorBatchProcessingStopped") for _ in others)]

    ews.dispatcher.operations["GetItem"] = get_item
    assert all(isinstance(one, RemoteItem) for one in read(connector, world, refs).values())


def test_a_server_that_is_away_after_an_answer_that_broke_is_unreachable(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector
) -> None:
    refs = add(world, "one", "two")
    ews.faults.plan(Fault.UNAVAILABLE_BEFORE, times=100)
    with pytest.raises(Unreachable):
        read(connector, world, refs)


def test_what_was_written_and_cannot_be_read_back_is_looked_up(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector
) -> None:
    (ref,) = add(world, "one")
    current = read_one(connector, world, ref)
    assert isinstance(current, RemoteItem)
    fails_over(ews, ref, code="ErrorInternalServerError")
    main = replace(current.item.main, subject="two")
    with pytest.raises(OutcomeUnknown):
        connector.update(current, replace(current.item, components=(main,)), Dress("acme/1"), notify=False)
    assert world.other.target(ref).text("Subject") == "two"
