"""Guests of a meeting whom Exchange knows by no plain address stay as they are when another one is added."""

from collections.abc import Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from connectors.calendar import Attendee, Item
from connectors.errors import ItemError
from tests.integration.test_ews_calendar import DRESS, OWNER, Desk, changed
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed

COLLEAGUE = "/o=ACME/ou=First/cn=Recipients/cn=anna"
BOB, CAROL = "bob@client.example", "carol@client.example"


@pytest.fixture
def desk(ews: EwsServer) -> Iterator[Desk]:
    made = Desk(ews)
    with made.connector:
        made.open()
        yield made


def guest(item_id: str = "", **parts: str) -> ET.Element:
    """An Attendee as the server keeps it."""
    told = [typed(name, value) for name, value in parts.items()]
    if item_id:
        told.append(typed("ItemId", (), Id=item_id, ChangeKey="AAAA"))
    return typed("Attendee", [typed("Mailbox", told)])


def meeting(desk: Desk) -> str:
    """With Bob, a list of the owner's contacts (no address), and a colleague by an X.500 address."""
    people = [
        guest(Name="Bob", EmailAddress=BOB, RoutingType="SMTP", MailboxType="OneOff"),
        guest("AAMkList", Name="Les nôtres", RoutingType="MAPIPDL", MailboxType="PrivateDL"),
        guest(Name="Anna", EmailAddress=COLLEAGUE, RoutingType="EX", MailboxType="Mailbox"),
    ]
    return desk.other.add_event(
        "Réunion",
        datetime(2026, 12, 1, 9, tzinfo=UTC),
        datetime(2026, 12, 1, 10, tzinfo=UTC),
        zone="Romance Standard Time",
        RequiredAttendees=typed("RequiredAttendees", people),
    )


def kept(desk: Desk) -> list[dict[str, str]]:
    """What the server has of each guest's Mailbox."""
    (target,) = desk.other.events()
    found = target.item.fields["RequiredAttendees"]
    return [
        {part.tag.rpartition("}")[2]: part.get("Id", part.text or "") for part in one}
        for one in found.iter()
        if one.tag.endswith("}Mailbox")
    ]


def with_people(item: Item, *emails: str) -> Item:
    return changed(item, attendees=tuple(Attendee(email) for email in sorted(emails)))


def listed(item: Item) -> str:
    """What the list is known by."""
    (found,) = (one for one in item.main.attendees if one.email.startswith("urn:"))
    assert found.name == "Les nôtres"
    return found.email


def test_a_guest_without_an_smtp_address_stays_when_another_one_is_added(desk: Desk) -> None:
    current = desk.read(meeting(desk))
    before = kept(desk)
    wanted = with_people(current.item, BOB, COLLEAGUE, CAROL, listed(current.item))
    assert current.item.main.organizer == OWNER
    desk.connector.update(current, wanted, DRESS, notify=True)
    after = kept(desk)
    assert [one for one in after if one.get("EmailAddress") not in {BOB, CAROL}] == before[1:]
    assert {one.get("EmailAddress") for one in after} == {BOB, None, COLLEAGUE, CAROL}
    assert "cancellation" not in {one.kind for one in desk.server.counts.sent}


def test_a_guest_without_an_address_stays_when_all_others_are_taken_out(desk: Desk) -> None:
    current = desk.read(meeting(desk))
    desk.connector.update(current, with_people(current.item, listed(current.item)), DRESS, notify=False)
    assert [one["Name"] for one in kept(desk)] == ["Les nôtres"]


def test_a_guest_without_an_address_goes_when_it_is_taken_out(desk: Desk) -> None:
    current = desk.read(meeting(desk))
    desk.connector.update(current, with_people(current.item, BOB, COLLEAGUE), DRESS, notify=False)
    assert [one["Name"] for one in kept(desk)] == ["Bob", "Anna"]


def test_nobody_can_be_invited_without_an_address(desk: Desk) -> None:
    current = desk.read(meeting(desk))
    wanted = with_people(current.item, BOB, COLLEAGUE, listed(current.item), "urn:x-exchange-entry:0")
    with pytest.raises(ItemError, match="without an address"):
        desk.connector.update(current, wanted, DRESS, notify=False)
