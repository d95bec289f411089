"""A user's answer to somebody else's meeting is the user's own client's affair: it is read from wherever it
was given, and nothing of it is written to Exchange or mailed to anybody by us."""

from pathlib import Path

import pytest

from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import Office, paris

CLAIRE, BOSS = "claire@acme.example", "boss@client.example"
OWN = "SELECT response FROM event_participant WHERE email = 'claire@acme.example'"


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    """Claire with two mailboxes, both of which hold a meeting of the boss's."""
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    made.add_mailbox("claire-2", "claire")
    return made


def invited(office: Office) -> dict[str, str]:
    def one(name: str) -> str:
        start = paris(24, 9)
        return office.meet(name, "Revue", start, uid="m@client.example", organizer=BOSS, guests=(CLAIRE,))

    return {name: one(name) for name in office.owners}


@pytest.mark.parametrize("where", ["claire", "claire-2"])
def test_an_answer_is_read_from_the_mailbox_where_it_was_given_and_written_to_none(
    office: Office, where: str
) -> None:
    refs = invited(office)
    office.settle()
    before = dict(office.ews.counts.operations)
    office.client(where).edit(refs[where], MyResponseType="Accept")
    office.settle()
    assert office.rows(OWN) == [("ACCEPTED",)]
    after = office.ews.counts.operations
    assert all(after[name] == before.get(name, 0) for name in ("CreateItem", "UpdateItem", "DeleteItem"))
    assert office.mailed == []


def test_a_meeting_of_somebody_elses_that_is_cancelled_in_the_crm_stays_and_is_not_declined(
    office: Office,
) -> None:
    invited(office)
    office.settle()
    office.desk("claire").cancel(office.id_of("m@client.example"))
    office.settle()
    assert office.subjects() == []
    assert [len(office.events(name)) for name in office.owners] == [1, 1]
    assert office.mailed == []
