"""Answers of an Exchange server with fewer or more messages than were asked for: told, never guessed at."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from xml.etree.ElementTree import Element

import pytest

from connectors.calendar import Dress, RemoteItem
from connectors.errors import OutcomeUnknown, ProtocolViolation
from connectors.protocol import CalendarConnector
from tests.servers.ews.requests import Request
from tests.servers.ews.server import EwsServer
from tests.servers.ews_calendars import EwsWorld

Messages = list[Element]
Change = Callable[[Messages], Messages]

fewer: Change = lambda told: told[:-1]  # noqa: E731 - two words for two cases
more: Change = lambda told: [*told, told[-1]]  # noqa: E731


@pytest.fixture
def world(ews: EwsServer) -> EwsWorld:
    return EwsWorld(ews)


@pytest.fixture
def connector(ews: EwsServer, world: EwsWorld) -> Iterator[CalendarConnector]:
    with world.connector() as entered:
        entered.calendars()
        yield entered
    ews.check.problems.clear()  # an answer without messages is against the schema: here on purpose


@pytest.fixture
def current(world: EwsWorld, connector: CalendarConnector) -> RemoteItem:
    world.put("a", b"BEGIN:VEVENT\r\nUID:a@client.example\r\nSUMMARY:one\r\nEND:VEVENT\r\n")
    (ref,) = world.refs()
    (found,) = connector.read(world.calendar, [ref])
    assert isinstance(found, RemoteItem)
    return found


def answered(ews: EwsServer, operation: str, change: Change) -> None:
    usual = ews.dispatcher.operations[operation]

    def respond(request: Request) -> Messages:
        return change(usual(request))

    ews.dispatcher.operations[operation] = respond


@pytest.mark.parametrize("change", [fewer, more], ids=["fewer", "more"])
@pytest.mark.parametrize("operation", ["GetFolder", "FindFolder", "FindItem", "SyncFolderItems"])
def test_a_reading_that_is_not_answered_as_asked_is_no_answer(
    ews: EwsServer,
    world: EwsWorld,
    connector: CalendarConnector,
    current: RemoteItem,
    operation: str,
    change: Change,
) -> None:
    answered(ews, operation, change)

    def look() -> None:
        connector.calendars()
        connector.find(world.calendar, current.item.uid)
        connector.changes(world.calendar, "")

    with pytest.raises(ProtocolViolation, match="answers"):
        look()


@pytest.mark.parametrize("change", [fewer, more], ids=["fewer", "more"])
@pytest.mark.parametrize("operation", ["CreateItem", "UpdateItem", "DeleteItem"])
def test_a_write_that_is_not_answered_as_asked_has_an_unknown_outcome(
    ews: EwsServer,
    world: EwsWorld,
    connector: CalendarConnector,
    current: RemoteItem,
    operation: str,
    change: Change,
) -> None:
    answered(ews, operation, change)
    main = replace(current.item.main, subject="two")
    other = replace(current.item, components=(main,))

    def write() -> None:
        if operation == "CreateItem":
            fresh = replace(other, uid="b@crm.example")
            connector.create(world.calendar, fresh, Dress("acme/1"), notify=False)
        elif operation == "UpdateItem":
            connector.update(current, other, Dress("acme/1"), notify=False)
        else:
            connector.delete(current, notify=False)

    with pytest.raises(OutcomeUnknown):
        write()


@pytest.mark.parametrize("change", [fewer, more], ids=["fewer", "more"])
def test_an_item_whose_answers_are_never_as_many_as_asked_cannot_be_read(
    ews: EwsServer, world: EwsWorld, connector: CalendarConnector, current: RemoteItem, change: Change
) -> None:
    answered(ews, "GetItem", change)
    (found,) = connector.read(world.calendar, [current.ref])
    assert "answers" in str(found)
