"""What Exchange refuses is about what was asked for, and no more is concluded from it."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest

from connectors.calendar import Attendee
from connectors.errors import CollectionError, ItemError
from tests.integration.test_ews_calendar import DRESS, OWNER, Desk, changed, event
from tests.servers.ews import writing
from tests.servers.ews.answers import failure
from tests.servers.ews.errors import EwsError
from tests.servers.ews.requests import Request
from tests.servers.ews.server import EwsServer
from tests.servers.ews.target import Target


@pytest.fixture
def desk(ews: EwsServer) -> Iterator[Desk]:
    made = Desk(ews)
    with made.connector:
        made.open()
        yield made


@pytest.mark.parametrize(
    "code", ["ErrorInvalidSmtpAddress", "ErrorMissingInformationEmailAddress", "ErrorInvalidRecipients"]
)
def test_a_guest_whose_address_the_server_refuses_costs_one_event(
    desk: Desk, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk.create(event())
    put = writing.put

    def refusing(request: Request, target: Target, element: Element) -> set[str]:
        if element.tag.endswith("RequiredAttendees"):
            raise EwsError(code, "The address is invalid.")
        return put(request, target, element)

    monkeypatch.setattr(writing, "put", refusing)
    people = (Attendee("a b@client.example"),)
    with pytest.raises(ItemError, match=code):
        desk.create(event("2@crm.example", organizer=OWNER, attendees=people))
    wanted = changed(made.item, organizer=OWNER, attendees=people)
    with pytest.raises(ItemError, match=code):
        desk.connector.update(made, wanted, DRESS, notify=True)
    assert [one.text("Subject") for one in desk.other.events()] == ["Visite"]
    assert desk.read(made.ref) == made


def test_calendars_that_the_server_fails_to_list_are_not_taken_for_gone(desk: Desk, ews: EwsServer) -> None:
    """What was moved into one of them would be made anew where it was."""
    desk.other.add_folder("Second", folder_class="IPF.Appointment")
    usual = ews.dispatcher.operations["FindFolder"]
    ews.dispatcher.operations["FindFolder"] = lambda _request: [
        failure("FindFolder", EwsError("ErrorInvalidOperation", "It did not work."))
    ]
    with pytest.raises(CollectionError, match="ErrorInvalidOperation"):
        desk.connector.calendars()
    ews.dispatcher.operations["FindFolder"] = usual
    assert "Second" in {one.name for one in desk.connector.calendars()}


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorFolderNotFound"])
def test_whoever_may_not_list_the_folders_has_the_calendar_itself(
    desk: Desk, ews: EwsServer, code: str
) -> None:
    ews.dispatcher.operations["FindFolder"] = lambda _request: [
        failure("FindFolder", EwsError(code, "Not for you."))
    ]
    assert [one.name for one in desk.connector.calendars()] == ["Calendar", "Tasks"]
