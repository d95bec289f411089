"""What is private never reaches the CRM (requirements §4.2.5)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from store.base import Base
from tests.servers.calendar_world import event
from tests.servers.company import Company
from tests.servers.memory_world import MemoryWorld

ORGANIZER = "ORGANIZER:mailto:claire@acme.example"
SECRET = "canari-secret"
SECRETS = (
    f"DESCRIPTION:{SECRET} notes", f"LOCATION:{SECRET} lieu", f"CATEGORIES:{SECRET}",
    f"URL:https://{SECRET}.example/", f"CONFERENCE;VALUE=URI:https://meet.google.com/{SECRET}",
    ORGANIZER, f"ATTENDEE;CN={SECRET}:mailto:{SECRET}@client.example", f"X-OWN:{SECRET}",
    f"ATTACH:https://files.example/{SECRET}", f"COMMENT:{SECRET}", f"CONTACT:{SECRET}",
    "BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:-PT5M", f"DESCRIPTION:{SECRET}", "END:VALARM",
)  # fmt: skip


def told(world: MemoryWorld) -> list[str]:
    """The tables that hold the secret."""
    found = []
    for table in Base.metadata.sorted_tables:
        rows = world.rows(f'SELECT * FROM "{table.name}"')
        if SECRET in repr(rows):
            found.append(table.name)
    return found


@pytest.fixture
def private(tmp_path: Path, sqlite_url: str) -> Iterator[Company]:
    company = Company(tmp_path / "syncd", sqlite_url, auto_schedule=True)
    yield company
    company.world.close()


def test_the_secret_of_a_public_event_is_found(private: Company) -> None:
    """What the other tests look for is there where it may be."""
    private.world.put("claire", "one", event("one", f"{SECRET} objet", more=SECRETS))
    private.world.settle()
    assert {"event", "event_participant", "binding"} <= set(told(private.world))


@pytest.mark.parametrize("word", ["PRIVATE", "CONFIDENTIAL", "X-TOP-SECRET", "private"])
def test_nothing_of_a_private_event_is_in_any_table(private: Company, word: str) -> None:
    source = event("one", f"{SECRET} objet", more=(f"CLASS:{word}", *SECRETS))
    ref = private.world.put("claire", "one", source)
    private.world.settle()
    assert private.world.rows("SELECT subject, busy FROM event") == [("", True)]
    private.by_client(ref, lambda text: text.replace("objet", "autre objet").replace("T090000", "T080000"))
    private.world.settle()
    assert told(private.world) == []
    private.world.servers["claire"].remove(ref)
    private.world.settle()
    assert told(private.world) == []


def test_a_private_event_is_never_written_to(private: Company) -> None:
    ref = private.world.put("claire", "one", event("one", SECRET, more=("CLASS:PRIVATE", *SECRETS)))
    before = private.text(ref)
    private.world.settle()
    assert private.text(ref) == before
    assert private.written == []


def test_one_private_occurrence_of_a_public_series(private: Company) -> None:
    series = event("one", "Point", more=("RRULE:FREQ=DAILY;COUNT=4",)).decode()
    alone = event("one", f"{SECRET} objet", "20261125T090000", more=(
        "RECURRENCE-ID;TZID=Europe/Paris:20261125T090000", "CLASS:PRIVATE", *SECRETS)).decode()  # fmt: skip
    body = alone[alone.index("BEGIN:VEVENT") : alone.index("END:VCALENDAR")]
    private.world.put("claire", "one", series.replace("END:VCALENDAR", body + "END:VCALENDAR").encode())
    private.world.settle()
    assert told(private.world) == []


def test_a_private_task(private: Company) -> None:
    source = event("one", f"{SECRET} objet", more=("CLASS:PRIVATE", *SECRETS)).decode()
    source = source.replace("VEVENT", "VTODO").replace("DTEND", "DUE")
    private.world.put("claire", "one", source.encode())
    private.world.settle()
    assert private.world.one("SELECT count(*) FROM task") == 1
    assert told(private.world) == []


def test_an_event_that_becomes_private_leaves_nothing_in_the_crm(private: Company) -> None:
    ref = private.world.put("claire", "one", event("one", f"{SECRET} objet", more=SECRETS))
    private.world.settle()
    private.claire.edit(1, location=f"{SECRET} ailleurs", notes=f"{SECRET} du CRM")
    private.by_client(ref, lambda text: text.replace(f"{SECRET} lieu", f"{SECRET} ici"))
    private.world.settle()
    assert {"event", "decision", "conflict"} <= set(told(private.world))
    private.by_client(ref, lambda text: text.replace(f"{SECRET} ici", f"{SECRET} salle"))
    private.world.settle()
    private.by_client(ref, lambda text: text.replace("SUMMARY:", "CLASS:PRIVATE\nSUMMARY:"))
    private.world.settle()
    assert private.world.rows("SELECT subject FROM event") == [("",)]
    assert told(private.world) == []


def test_an_event_that_becomes_private_while_the_crm_changes_it(private: Company) -> None:
    ref = private.world.put("claire", "one", event("one", "Public"))
    private.world.settle()
    id_ = private.world.one("SELECT id FROM event")
    assert isinstance(id_, int)
    private.claire.edit(id_, notes="du CRM")
    lines = f"CLASS:PRIVATE\nDESCRIPTION:{SECRET}\nSUMMARY:{SECRET}"
    private.by_client(ref, lambda text: text.replace("SUMMARY:Public", lines))
    private.world.settle()
    assert told(private.world) == []
    assert "du CRM" not in private.text(ref)


def test_a_private_event_that_cannot_be_read(private: Company) -> None:
    source = event("one", SECRET, more=(f"DTSTART:{SECRET}", "CLASS:PRIVATE", f"RRULE:{SECRET}"))
    private.world.put("claire", "one", source.replace(b"DTSTART;TZID", b"X-START;TZID"))
    private.world.settle()
    assert private.world.one("SELECT count(*) FROM quarantine") == 1
    assert told(private.world) == []


def test_a_private_event_among_what_a_brake_lists(private: Company) -> None:
    refs = [
        private.world.put("claire", f"{n}", event(f"{n}", SECRET, more=("CLASS:PRIVATE", *SECRETS)))
        for n in range(12)
    ]
    private.world.settle()
    for ref in refs:
        private.world.servers["claire"].remove(ref)
    private.world.sync("claire")
    assert private.world.one("SELECT state FROM mailbox WHERE name = 'claire'") == "BRAKED"
    assert told(private.world) == []


def test_a_public_event_that_was_deleted_and_comes_back_private(private: Company) -> None:
    """Nobody saw it private before it went: what was kept to put it back is gone once it is."""
    ref = private.world.put("claire", "one", event("one", f"{SECRET} objet", more=SECRETS))
    private.world.settle()
    private.world.servers["claire"].remove(ref)
    private.world.settle()
    assert {"event", "decision"} <= set(told(private.world))
    source = event("one", f"{SECRET} objet", more=("CLASS:PRIVATE", *SECRETS))
    private.world.put("claire", "one", source)
    private.world.settle()
    assert private.world.rows("SELECT subject, hidden FROM event") == [("", False)]
    assert told(private.world) == []


@pytest.mark.parametrize("let_go", [False, True])
def test_what_the_brake_holds_forgets_what_became_private(
    tmp_path: Path, sqlite_url: str, *, let_go: bool
) -> None:
    """The list of what waits stands beside a colleague's mailbox until it is released, and done."""
    company = Company(tmp_path / "syncd", sqlite_url, auto_schedule=False)
    world = company.world
    world.calendar_section = "brake = { count = 3, percent = 1 }"
    invites = (ORGANIZER, "ATTENDEE:mailto:denis@acme.example", f"ATTENDEE:mailto:{SECRET}@client.example")
    refs = [world.put("claire", uid, event(uid, f"{SECRET} {uid}", more=invites)) for uid in ("one", "two")]
    world.put("claire", "three", event("three", "Revue", more=invites[:2]))
    world.sync("claire")
    assert world.sync("denis")["denis"].calendar.braked
    if let_go:
        world.release("denis")
    assert "mailbox" in told(world)
    for ref in refs:
        company.by_client(ref, lambda text: text.replace("SUMMARY:", "CLASS:PRIVATE\nSUMMARY:"))
    world.sync("claire")
    assert told(world) == []
    column = "released" if let_go else "brake"
    assert "Revue" in str(world.one(f"SELECT {column} FROM mailbox WHERE name = 'denis'"))
    world.close()
