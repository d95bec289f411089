"""What Exchange refuses of one event is about that event: its calendar and its mailbox go on."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

import pytest

from connectors.calendar import Attendee
from connectors.errors import ItemError
from tests.integration.test_ews_calendar import DRESS, OWNER, Desk, changed, event
from tests.servers.ews import writing
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
