"""What was cancelled or put back in the CRM, and the server may or will not write just now."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.errors import ItemError
from tests.servers.calendar_world import event
from tests.servers.memory_world import MemoryWorld

PAUL = "paul@client.example"
MEETING = (
    "ORGANIZER:mailto:claire@acme.example",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:claire@acme.example",
)


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, who are on one server."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.add_user("denis")
    yield world
    world.close()


def meeting(office: MemoryWorld, guest: str) -> str:
    """Claire's meeting with somebody, which is kept in step; returns its ref."""
    more = (*MEETING, f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{guest}")
    ref = office.put("claire", "m", event("m@client.example", "Revue", more=more))
    office.settle()
    return ref


def answer(office: MemoryWorld, ref: str) -> None:
    """The guest accepts, and Claire's server takes it down."""
    office.change("claire", ref, lambda text: text.replace("NEEDS-ACTION", "ACCEPTED"))


def deletions(office: MemoryWorld) -> int:
    """How often the server was asked to delete something."""
    return office.servers["claire"].calls["delete"]


def test_a_deletion_that_nobody_may_hear_of_waits_though_a_guest_answers_meanwhile(
    office: MemoryWorld,
) -> None:
    office.mailbox_keys["claire"] = 'invitations = "never"'
    ref = meeting(office, PAUL)
    office.desk("claire").cancel(1)
    answer(office, ref)

    report = office.sync()["claire"]

    assert report.error is None
    assert deletions(office) == 1
    assert office.rows("SELECT remote_ref FROM quarantine") == [(ref,)]
    assert office.rows("SELECT state, remote_ref FROM binding") == [("BOUND", ref)]
    assert office.rows("SELECT hidden FROM event") == [(1,)]
    assert "SUMMARY:Revue" in office.text("claire")
    assert office.mailed() == []
    office.mailbox_keys["claire"] = ""
    office.now += timedelta(hours=7)
    office.settle()
    assert office.text("claire") == ""
    assert office.rows("SELECT * FROM quarantine") == []


def test_a_deletion_that_the_server_refuses_is_asked_for_once_a_cycle(office: MemoryWorld) -> None:
    ref = meeting(office, PAUL)
    office.desk("claire").cancel(1)
    answer(office, ref)
    office.servers["claire"].fail("delete", lambda: ItemError("not now", locator=ref))

    assert office.sync()["claire"].error is None

    assert deletions(office) == 1
    assert office.rows("SELECT state, remote_ref FROM binding") == [("BOUND", ref)]
    office.now += timedelta(hours=7)
    office.settle()
    assert office.text("claire") == ""


def test_what_the_crm_added_goes_and_the_meeting_stays_deleted_where_its_deletion_has_to_wait(
    office: MemoryWorld,
) -> None:
    """In a calendar from which nothing is taken, a client invites somebody from outside meanwhile."""
    office.mailbox_keys["claire"] = 'invitations = "never"\ndirection = "to-remote"'
    office.add_account("Client SA")
    id_ = office.desk("claire").add("Revue", account="Client SA")
    office.settle()
    ref = str(office.one("SELECT remote_ref FROM binding"))
    assert "Client SA" in office.text("claire")
    people = "\n".join((*MEETING, f"ATTENDEE:mailto:{PAUL}"))
    office.change("claire", ref, lambda text: text.replace("END:VEVENT", f"{people}\nEND:VEVENT"))
    office.desk("claire").cancel(id_)

    for _ in range(3):
        assert office.sync()["claire"].error is None

    assert "Client SA" not in office.text("claire")
    assert office.rows("SELECT state, remote_ref FROM binding WHERE entity = 'EVENT'") == [("BOUND", ref)]
    assert office.rows("SELECT hidden FROM event") == [(1,)]
    office.mailbox_keys["claire"] = 'direction = "to-remote"'
    office.now += timedelta(hours=7)
    office.settle()
    assert office.text("claire") == ""


def test_what_cannot_be_put_back_just_now_is_told_and_put_back_later(office: MemoryWorld) -> None:
    office.mailbox_keys["claire"] = 'direction = "to-remote"'
    office.desk("claire").add("Revue")
    office.settle()
    ref = str(office.one("SELECT remote_ref FROM binding"))
    office.change("claire", ref, lambda text: text.replace("SUMMARY:Revue", "SUMMARY:Sieste"))
    office.servers["claire"].fail("update", lambda: ItemError("not now", locator=ref))

    office.sync()

    assert office.rows("SELECT remote_ref, error FROM quarantine") == [(ref, "not now")]
    office.now += timedelta(hours=7)
    office.settle()
    assert "SUMMARY:Revue\n" in office.text("claire")
    assert office.rows("SELECT * FROM quarantine") == []
