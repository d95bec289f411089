"""What is private, in a calendar that nothing is taken from (R105): the CRM's values are put back, and of a
text that is at the server alone nothing is lost, nor kept in the CRM."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.memory_world import CALENDAR, MemoryWorld

REF = f"{CALENDAR}a.ics"


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire's calendar goes one way, and holds an event that is in step."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.put("claire", "a", event("a@client.example", "Point"))
    world.settle()
    world.mailbox_keys["claire"] = 'direction = "to-remote"'
    yield world
    world.close()


def by_client(office: MemoryWorld, before: str, after: str) -> None:
    office.change("claire", REF, lambda text: text.replace(before, after))


def stored(office: MemoryWorld) -> str:
    """All that is stored of calendars."""
    tables = ("event", "binding", "decision", "conflict", "intent", "pending")
    return "\n".join(repr(row) for name in tables for row in office.rows(f"SELECT * FROM {name}"))


def test_what_the_crm_made_private_is_made_private_again_where_a_client_made_it_public(
    office: MemoryWorld,
) -> None:
    office.desk("claire").edit(1, privacy="private")
    office.settle()
    assert "CLASS:PRIVATE" in office.text("claire")
    by_client(office, "CLASS:PRIVATE", "CLASS:PUBLIC")

    office.settle()

    assert "CLASS:PRIVATE" in office.text("claire")
    assert "SUMMARY:Point\n" in office.text("claire")
    assert office.rows("SELECT subject, privacy FROM event") == [("", "PRIVATE")]
    assert "Point" not in stored(office)
    assert office.rows("SELECT unit, winner FROM conflict") == [("privacy", "CRM")]


def test_what_a_backup_of_the_server_brings_back_public_is_private_again(office: MemoryWorld) -> None:
    source = office.servers["claire"].sources(CALENDAR)[REF]
    office.desk("claire").edit(1, privacy="private")
    office.settle()
    office.servers["claire"].remake_calendar(CALENDAR)
    office.servers["claire"].put(CALENDAR, source, REF)

    office.settle()

    assert "CLASS:PRIVATE" in office.text("claire")
    assert "SUMMARY:Point\n" in office.text("claire")
    assert office.rows("SELECT subject, privacy, hidden FROM event") == [("", "PRIVATE", 0)]


def test_what_a_client_changed_while_it_was_private_there_is_put_back_once_it_is_public(
    office: MemoryWorld,
) -> None:
    by_client(office, "SUMMARY:Point", "CLASS:PRIVATE\nSUMMARY:Point")
    office.settle()
    by_client(office, "SUMMARY:Point", "LOCATION:Lyon\nSUMMARY:Un autre")
    office.settle()
    assert "SUMMARY:Un autre\n" in office.text("claire")
    assert "Un autre" not in stored(office)
    by_client(office, "CLASS:PRIVATE\n", "")

    office.settle()

    assert "SUMMARY:Point\n" in office.text("claire")
    assert "LOCATION:Lyon" not in office.text("claire")
    assert office.rows("SELECT unit, remote_value, winner FROM conflict ORDER BY unit") == [
        ("location", '"Lyon"', "CRM"),
        ("subject", '"Un autre"', "CRM"),
    ]


def test_what_is_private_and_deleted_by_its_client_is_asked_for_no_more(office: MemoryWorld) -> None:
    office.desk("claire").edit(1, privacy="private")
    office.settle()
    office.servers["claire"].remove(REF)
    office.settle()

    assert not office.sync("claire")["claire"].wrote
    assert office.rows("SELECT privacy, hidden FROM event") == [("PRIVATE", 0)]
    assert office.rows("SELECT state FROM binding") == []


def test_what_is_private_is_asked_for_no_more_once_a_calendar_made_anew_lacks_it(
    office: MemoryWorld,
) -> None:
    office.desk("claire").edit(1, privacy="private")
    office.settle()
    office.servers["claire"].remake_calendar(CALENDAR)
    office.settle()

    assert not office.sync("claire")["claire"].wrote
    assert office.rows("SELECT privacy, hidden FROM event") == [("PRIVATE", 0)]


def test_what_is_private_and_comes_back_under_another_name_is_kept_in_step_again(
    office: MemoryWorld,
) -> None:
    office.desk("claire").edit(1, privacy="private")
    office.settle()
    source = office.servers["claire"].sources(CALENDAR)[REF]
    office.servers["claire"].remove(REF)
    office.settle()
    office.servers["claire"].put(CALENDAR, source, f"{CALENDAR}b.ics")
    office.settle()

    assert office.rows("SELECT state, remote_ref FROM binding") == [("BOUND", f"{CALENDAR}b.ics")]
    assert "SUMMARY:Point\n" in office.text("claire")


def test_what_a_client_changed_and_made_private_is_not_deleted_with_its_event(office: MemoryWorld) -> None:
    """What is private is nowhere but at the server: a conflict could not keep it."""
    by_client(office, "SUMMARY:Point", "CLASS:PRIVATE\nSUMMARY:Un autre")
    office.desk("claire").cancel(1)

    office.settle()

    assert "SUMMARY:Un autre\n" in office.text("claire")
    assert "Un autre" not in stored(office)
    assert office.rows("SELECT hidden FROM event") == [(1,)]
