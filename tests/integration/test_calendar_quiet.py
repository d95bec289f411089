"""Writes that are to be made in silence, at a server that mails guests by itself (RFC 6638): they wait, are
shown with what to do, and hold up nothing else."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.console import Outcome, console
from tests.servers.memory_world import CALENDAR, MemoryWorld

PAUL = "paul@client.example"
OWN = "ORGANIZER:mailto:claire@acme.example"
PEOPLE = (OWN, f"ATTENDEE:mailto:{PAUL}")
UID = "m@client.example"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire, whose client has made a meeting with Paul."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    made.add_user("claire")
    made.put("claire", "m", event(UID, "Revue", more=PEOPLE))
    made.settle()
    yield made
    made.close()


def command(world: MemoryWorld, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments, at=world.now)
    assert "Traceback" not in outcome.err
    return outcome


def recipients(world: MemoryWorld) -> list[str]:
    return [one.recipient for one in world.mailed()]


def undone(world: MemoryWorld) -> None:
    """A person changes the place, Paul is told, the run is undone: in silence, as an undo must be."""
    world.desk("claire").edit(1, location="Lyon")
    world.settle()
    assert recipients(world) == [PAUL]
    run = str(world.one("SELECT run_ref FROM decision WHERE action = 'push' ORDER BY id DESC LIMIT 1"))
    assert command(world, "undo", run).code == 0
    world.settle()
    assert recipients(world) == [PAUL]
    assert "LOCATION:Lyon" in world.text("claire")


def prepared(world: MemoryWorld) -> tuple[int, str]:
    """An event of the CRM that carries what the CRM adds: its id, and its ref."""
    world.add_account("Client SA")
    id_ = world.desk("claire").add("Préparation", account="Client SA")
    world.settle()
    ref = str(world.one("SELECT remote_ref FROM binding WHERE entity_id = :i AND entity = 'EVENT'", i=id_))
    assert "Client SA" in world.text("claire")
    return id_, ref


def invite(world: MemoryWorld, ref: str) -> None:
    """Claire's client invites Paul."""
    world.change("claire", ref, lambda text: text.replace("SUMMARY:Pr", "\n".join((*PEOPLE, "SUMMARY:Pr"))))


def nothing_internal(world: MemoryWorld, ref: str) -> None:
    source = world.servers["claire"].sources()[ref].decode()
    assert PAUL in source
    assert "CRM ---" not in source
    assert "Client SA" not in source


def renamed(before: str, after: str) -> Callable[[str], str]:
    return lambda text: text.replace(before, after)


def test_what_may_not_be_told_waits_is_shown_and_goes_once_a_person_lets_it(world: MemoryWorld) -> None:
    undone(world)
    status = command(world, "status")
    assert status.code == 1
    assert "syncd list quarantine" in status.out
    (waiting,) = command(world, "list", "quarantine", "--json").json["rows"]
    assert "guests" in str(waiting)
    assert "syncd event tell" in str(waiting)
    world.desk("claire").tell(1)
    world.settle()
    assert recipients(world) == [PAUL, PAUL]
    assert "LOCATION" not in world.text("claire")
    assert command(world, "status").code == 0
    assert world.one("SELECT count(*) FROM pending") == 0


def test_what_a_client_changes_comes_in_while_a_change_of_the_crm_waits(world: MemoryWorld) -> None:
    undone(world)
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("Revue", "Revue du mois"))
    world.settle()
    assert world.rows("SELECT subject, location FROM event") == [("Revue du mois", "")]
    assert "LOCATION:Lyon" in world.text("claire")
    world.desk("claire").edit(1, notes="Apporter le plan")
    world.settle()
    text = world.text("claire")
    assert "LOCATION" not in text
    assert "SUMMARY:Revue du mois" in text
    assert "DESCRIPTION:Apporter le plan" in text
    assert recipients(world) == [PAUL, PAUL]
    assert world.one("SELECT count(*) FROM quarantine") == 0


def test_a_client_s_change_that_came_in_is_not_taken_for_one_of_the_crm(world: MemoryWorld) -> None:
    """The same, decided by the rule `crm`: what waits counts as the CRM's, what came in does not."""
    world.calendar_section = 'conflict = { default = "crm" }'
    undone(world)
    for subject in ("Un", "Deux"):
        before = f"SUMMARY:{world.one('SELECT subject FROM event')}"
        world.change("claire", f"{CALENDAR}m.ics", renamed(before, f"SUMMARY:{subject}"))
        world.settle()
    assert world.one("SELECT subject FROM event") == "Deux"
    assert world.one("SELECT count(*) FROM conflict") == 0


def test_a_meeting_that_is_over_keeps_at_the_server_what_guests_know_and_nobody_is_asked(
    world: MemoryWorld,
) -> None:
    world.now += timedelta(days=10)
    world.settle()
    world.desk("claire").edit(1, notes="Compte rendu")
    world.settle()
    assert recipients(world) == []
    assert world.one("SELECT count(*) FROM quarantine") == 0
    assert world.one("SELECT count(*) FROM pending") == 0
    assert command(world, "status").code == 0
    assert world.one("SELECT notes FROM event") == "Compte rendu"
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("Revue", "Revue faite"))
    world.settle()
    assert world.rows("SELECT subject, notes FROM event") == [("Revue faite", "Compte rendu")]
    assert "Compte rendu" not in world.text("claire")


def test_a_mailbox_that_never_invites_says_where_to_make_the_change(world: MemoryWorld) -> None:
    world.mailbox_keys["claire"] = 'invitations = "never"'
    world.desk("claire").edit(1, location="Lyon")
    world.settle()
    assert recipients(world) == []
    assert "LOCATION" not in world.text("claire")
    (waiting,) = command(world, "list", "quarantine", "--json").json["rows"]
    assert "invitations" in str(waiting)
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("SUMMARY", "LOCATION:Lyon\nSUMMARY"))
    world.settle()
    assert world.one("SELECT count(*) FROM quarantine") == 0
    assert world.one("SELECT count(*) FROM pending") == 0


def test_what_the_crm_added_goes_at_once_when_a_client_invites_a_stranger_and_who_may_hear_of_it_is_told(
    world: MemoryWorld,
) -> None:
    """What is internal must not stay beside a guest; that the text became shorter, a server may tell."""
    id_, ref = prepared(world)
    invite(world, ref)
    (report,) = world.sync(dry_run=True).values()
    (line,) = [one for one in report.calendar.planned if one.subject == "Préparation"]
    assert line.mailed == (PAUL,)
    world.settle()
    nothing_internal(world, ref)
    assert recipients(world) == [PAUL]
    last = "SELECT mailed FROM decision WHERE entity = 'EVENT' AND entity_id = :i ORDER BY id DESC LIMIT 1"
    assert world.one(last, i=id_) == PAUL
    assert command(world, "status").code == 0


def test_it_goes_too_where_the_rest_of_the_write_has_to_wait(world: MemoryWorld) -> None:
    """A run is undone, in silence, while the client invites a stranger."""
    id_, ref = prepared(world)
    world.desk("claire").edit(id_, location="Lyon")
    world.settle()
    run = str(world.one("SELECT run_ref FROM decision WHERE action = 'push' ORDER BY id DESC LIMIT 1"))
    assert command(world, "undo", run).code == 0
    invite(world, ref)
    world.settle()
    nothing_internal(world, ref)
    assert "LOCATION:Lyon" in world.text("claire")
    assert world.one("SELECT location FROM event WHERE id = :i", i=id_) == ""
    people = "SELECT count(*) FROM event_participant WHERE event_id = :i AND email = :e"
    assert world.one(people, i=id_, e=PAUL) == 1
    (waiting,) = command(world, "list", "quarantine", "--json").json["rows"]
    assert f"syncd event tell {id_}" in str(waiting)


def test_a_meeting_whose_making_was_undone_stays_with_its_guests_until_a_person_lets_them_hear(
    world: MemoryWorld,
) -> None:
    id_ = world.desk("claire").add("Nouveau", participants=(PAUL,))
    world.settle()
    run = str(world.one("SELECT run_ref FROM decision WHERE action = 'create_remote'"))
    assert command(world, "undo", run).code == 0
    world.settle()
    assert [one.method for one in world.mailed()] == ["REQUEST"]
    assert "SUMMARY:Nouveau" in world.text("claire")
    (waiting,) = command(world, "list", "quarantine", "--json").json["rows"]
    assert f"syncd event tell {id_}" in str(waiting)
    world.desk("claire").tell(id_)
    world.settle()
    assert [one.method for one in world.mailed()] == ["REQUEST", "CANCEL"]
    assert "SUMMARY:Nouveau" not in world.text("claire")
    assert world.one("SELECT count(*) FROM quarantine") == 0


def test_the_command_lets_it_be_told(world: MemoryWorld) -> None:
    told = command(world, "event", "tell", "1", "--as", "claire")
    assert (told.code, told.err) == (0, "")
    assert world.rows("SELECT entity_id, by_person FROM pending") in ([(1, 1)], [(1, True)])


@pytest.mark.parametrize("person", ["marc", "paul"])
def test_only_who_may_change_an_event_lets_its_guests_be_told(world: MemoryWorld, person: str) -> None:
    world.add_user("marc")
    world.settle()
    assert command(world, "event", "tell", "1", "--as", person).code != 0
    assert command(world, "event", "tell", "99", "--as", "claire").code == 1
    assert world.one("SELECT count(*) FROM pending") == 0
