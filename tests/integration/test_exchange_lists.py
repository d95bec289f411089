"""A list of the owner's contacts among the guests of a meeting: Exchange tells its name and not who is on it,
so somebody from outside may be."""

from pathlib import Path

import pytest

from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed
from tests.servers.exchange_office import Office, paris

BLOCK = "Compte : Client SA"


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    made.add_user("denis")
    made.add_account("Client SA")
    return made


def meet(office: Office, *, listed: bool) -> str:
    """Claire meets Denis, and perhaps those on her list."""
    denis = [
        typed("Name", "Denis"),
        typed("EmailAddress", "denis@acme.example"),
        typed("RoutingType", "SMTP"),
    ]
    listing = [
        typed("Name", "Les clients"),
        typed("RoutingType", "MAPIPDL"),
        typed("MailboxType", "PrivateDL"),
        typed("ItemId", (), Id="AAMkList", ChangeKey="AAAA"),
    ]
    boxes = [denis, listing] if listed else [denis]
    people = typed("RequiredAttendees", [typed("Attendee", [typed("Mailbox", one)]) for one in boxes])
    return office.meet("claire", "Point", paris(24, 9), uid="m@acme.example", RequiredAttendees=people)


def bodies(office: Office) -> dict[str, str]:
    return {one.text("Subject"): one.text("Body") for one in office.events("claire")}


def test_what_the_crm_knows_does_not_go_into_a_meeting_with_a_list(office: Office) -> None:
    ref = meet(office, listed=True)
    office.settle()
    id_ = office.id_of("m@acme.example")
    office.desk("claire").edit(id_, account="Client SA", location="Nice")
    office.settle()
    found = bodies(office)
    assert BLOCK not in found["Point"]
    assert BLOCK in found["À lire avant : Point"]  # for her only
    client = office.client("claire")
    assert "Client SA" not in client.extended(ref).values()
    assert client.target(ref).text("Location") == "Nice"
    people = client.target(ref).item.fields["RequiredAttendees"]
    assert "AAMkList" in {one.get("Id") for one in people.iter()}
    assert {name for (name,) in office.rows("SELECT display_name FROM event_participant")} >= {"Les clients"}


def test_among_colleagues_alone_it_does(office: Office) -> None:
    meet(office, listed=False)
    office.settle()
    office.desk("claire").edit(office.id_of("m@acme.example"), account="Client SA")
    office.settle()
    assert BLOCK in bodies(office)["Point"]


def test_what_stands_there_is_taken_off_when_a_list_is_invited(office: Office) -> None:
    ref = meet(office, listed=False)
    office.settle()
    office.desk("claire").edit(office.id_of("m@acme.example"), account="Client SA")
    office.settle()
    client = office.client("claire")
    there = client.target(ref).item.fields["RequiredAttendees"]
    listing = typed("Mailbox", [typed("Name", "Les clients"), typed("MailboxType", "PrivateDL")])
    client.edit(ref, RequiredAttendees=typed("RequiredAttendees", [*there, typed("Attendee", [listing])]))
    office.settle()
    assert BLOCK not in bodies(office)["Point"]
    assert "Client SA" not in client.extended(ref).values()
