"""Histories that the state machine of calendars found, each as short as it could be made."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.calendar_world import event
from tests.servers.console import console
from tests.servers.memory_world import CALENDAR, MemoryWorld

SECOND = "/second/"


@pytest.fixture
def office(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire, who has two calendars, and an event that is kept in step."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire").add_calendar(SECOND, "Second")
    world.put("claire", "a", event("a@client.example", "Point"))
    world.put("claire", "b", event("b@client.example", "Autre chose"))
    world.settle()
    yield world
    world.close()


def move(office: MemoryWorld, name: str = "a") -> None:
    """Claire's client puts the item into her other calendar."""
    server, ref = office.servers["claire"], f"{CALENDAR}{name}.ics"
    source = server.sources(CALENDAR)[ref]
    server.remove(ref)
    server.put(SECOND, source, f"{SECOND}{name}.ics")


def change(office: MemoryWorld, calendar: str, before: str, after: str) -> None:
    """Claire's client changes some text in every item of a calendar that has it."""
    server = office.servers["claire"]
    for ref, source in server.sources(calendar).items():
        if before.encode() in source:
            server.put(calendar, source.replace(before.encode(), after.encode()), ref)


def id_of(office: MemoryWorld, uid: str = "a@client.example") -> int:
    """The event of that UID."""
    return int(str(office.one("SELECT id FROM event WHERE uid = :uid AND series_id IS NULL", uid=uid)))


def states(office: MemoryWorld, uid: str) -> list[tuple[object, ...]]:
    """How the items of that UID are kept in step, and where they lie."""
    return office.rows("SELECT state, remote_ref FROM binding WHERE uid = :uid ORDER BY id", uid=uid)


def stored(office: MemoryWorld) -> str:
    """All that is stored of calendars."""
    tables = ("event", "binding", "decision", "conflict", "intent", "pending")
    return "\n".join(repr(row) for name in tables for row in office.rows(f"SELECT * FROM {name}"))


# --- an item that moved while the server forgot its tokens ----------------------------------------


def test_what_moved_while_the_tokens_expired_is_found_again_and_not_written_twice(
    office: MemoryWorld,
) -> None:
    office.desk("claire").edit(id_of(office), location="Lyon")
    office.servers["claire"].expire_tokens(CALENDAR)
    move(office)

    office.settle()

    assert states(office, "a@client.example") == [("BOUND", f"{SECOND}a.ics")]
    assert list(office.servers["claire"].sources(CALENDAR)) == [f"{CALENDAR}b.ics"]
    (source,) = office.servers["claire"].sources(SECOND).values()
    assert b"LOCATION:Lyon" in source


def test_what_moved_while_the_tokens_expired_and_then_changed_comes_back_from_a_deletion(
    office: MemoryWorld,
) -> None:
    office.desk("claire").cancel(id_of(office))
    office.servers["claire"].expire_tokens(CALENDAR)
    move(office)
    change(office, SECOND, "SUMMARY:Point", "SUMMARY:Point et suite")

    office.settle()

    assert office.rows("SELECT subject, hidden FROM event WHERE uid = 'a@client.example'") == [
        ("Point et suite", 0)
    ]
    assert states(office, "a@client.example") == [("BOUND", f"{SECOND}a.ics")]


# --- an item that the server lists, and says it is not there --------------------------------------


def test_an_item_that_the_server_lists_and_does_not_give_is_not_taken_for_deleted_when_it_is_written(
    office: MemoryWorld,
) -> None:
    ref = f"{CALENDAR}a.ics"
    office.servers["claire"].vanish(ref)
    office.desk("claire").cancel(id_of(office))
    office.sync()
    assert states(office, "a@client.example") == [("BOUND", ref)]
    assert office.rows("SELECT remote_ref FROM quarantine") == [(ref,)]
    office.servers["claire"].vanish(ref, vanished=False)
    office.now += timedelta(hours=7)

    office.settle()

    assert list(office.servers["claire"].sources(CALENDAR)) == [f"{CALENDAR}b.ics"]
    assert states(office, "a@client.example") == []
    assert office.rows("SELECT * FROM quarantine") == []


@pytest.mark.parametrize("edited", [False, True])
def test_what_was_refused_while_the_clock_was_ahead_does_not_wait_for_that_day(
    office: MemoryWorld, *, edited: bool
) -> None:
    ref, today = f"{CALENDAR}a.ics", office.now
    office.servers["claire"].vanish(ref)
    office.now = today + timedelta(days=400)
    office.desk("claire").edit(id_of(office), location="Lyon")
    office.sync()
    assert office.rows("SELECT remote_ref FROM quarantine") == [(ref,)]
    office.now = today + timedelta(minutes=1)
    office.servers["claire"].vanish(ref, vanished=False)
    if edited:
        office.desk("claire").edit(id_of(office), location="Nantes")

    office.settle()

    source = office.servers["claire"].sources(CALENDAR)[ref]
    assert (b"LOCATION:Nantes" if edited else b"LOCATION:Lyon") in source
    assert office.rows("SELECT * FROM quarantine") == []


def test_what_a_client_deletes_just_before_it_is_written_is_made_again_and_its_guests_hear(
    office: MemoryWorld,
) -> None:
    ref = f"{CALENDAR}a.ics"
    server = office.servers["claire"]
    office.desk("claire").edit(id_of(office), participants=("paul@client.example",))
    server.before("read", lambda: server.remove(ref))

    office.settle()

    assert "mailto:paul@client.example" in office.text("claire")
    assert [(one.method, one.recipient) for one in office.mailed()] == [("REQUEST", "paul@client.example")]
    assert office.rows("SELECT * FROM quarantine") == []


# --- what is made private in the CRM --------------------------------------------------------------


def test_what_is_made_private_in_the_crm_and_deleted_by_a_client_is_busy_time_only_in_the_crm(
    office: MemoryWorld,
) -> None:
    office.servers["claire"].remove(f"{CALENDAR}a.ics")
    office.desk("claire").edit(id_of(office), privacy="private", notes="Chiffres de la vente")

    office.settle()

    assert "SUMMARY:Point\n" in office.text("claire")
    assert office.rows("SELECT subject, notes FROM event WHERE uid = 'a@client.example'") == [("", "")]
    assert "Chiffres" not in stored(office)
    assert "Point" not in stored(office)


def test_of_what_is_made_private_in_the_crm_no_text_stays_in_what_was_decided_before(
    office: MemoryWorld,
) -> None:
    office.desk("claire").edit(id_of(office), subject="Rachat", notes="Chiffres de la vente")
    office.settle()
    office.desk("claire").edit(id_of(office), privacy="private")

    office.settle()

    assert "SUMMARY:Rachat\n" in office.text("claire")
    assert "Rachat" not in stored(office)
    assert "Chiffres" not in stored(office)


# --- a calendar made anew -------------------------------------------------------------------------


def test_the_brake_on_a_calendar_made_anew_lists_what_will_be_cancelled_and_a_release_lets_that_go(
    office: MemoryWorld,
) -> None:
    office.desk("claire").add("Encore un")
    office.servers["claire"].remake_calendar(CALENDAR)

    (report,) = office.sync().values()

    assert report.calendar.braked
    made = office.one("SELECT uid FROM event WHERE subject = 'Encore un'")
    assert {(one.action.value, one.uid, one.subject) for one in report.calendar.planned} == {
        ("create_remote", made, "Encore un"),
        ("cancel_crm", "a@client.example", "Point"),
        ("cancel_crm", "b@client.example", "Autre chose"),
    }
    office.release("claire")
    office.settle()
    assert office.rows("SELECT subject FROM event WHERE NOT hidden") == [("Encore un",)]


def test_a_release_does_not_let_go_what_the_brake_did_not_list(office: MemoryWorld) -> None:
    office.desk("claire").add("Encore un")
    office.servers["claire"].remake_calendar(CALENDAR)
    office.sync()
    office.release("claire")
    office.desk("claire").add("Et un de plus")

    (report,) = office.sync().values()

    assert report.calendar.braked
    assert office.one("SELECT count(*) FROM event WHERE hidden") == 0


def test_what_moved_out_of_a_calendar_made_anew_does_not_hide_that_all_the_rest_is_gone(
    office: MemoryWorld,
) -> None:
    office.put("claire", "c", event("c@client.example", "Et cela"))
    office.settle()
    move(office)
    office.servers["claire"].remake_calendar(CALENDAR)

    (report,) = office.sync().values()

    assert report.calendar.braked
    assert office.one("SELECT count(*) FROM event WHERE hidden") == 0


# --- conflicts of an item that was not linked yet -------------------------------------------------


def test_what_waits_for_a_person_from_the_first_look_on_is_told_once_and_can_be_decided(
    office: MemoryWorld,
) -> None:
    office.calendar_section = 'conflict = { default = "manual" }'
    id_ = office.desk("claire").add("Le mien", "2026-11-25T10:00")
    uid = str(office.one("SELECT uid FROM event WHERE id = :id", id=id_))
    ref = office.put("claire", "mine", event(uid, "Le sien", "20261125T100000"))
    office.settle()
    office.change("claire", ref, lambda text: text.replace("END:VEVENT", "LOCATION:Lyon\nEND:VEVENT"))
    office.settle()

    ((conflict, binding),) = office.rows("SELECT id, binding_id FROM conflict WHERE unit = 'subject'")
    assert binding == office.one("SELECT id FROM binding WHERE uid = :uid", uid=uid)
    done = console(office.config, "conflicts", "take", str(conflict), "crm")
    assert done.code == 0, done
    office.settle()

    assert "SUMMARY:Le mien\n" in office.text("claire")
    assert office.one("SELECT subject FROM event WHERE id = :id", id=id_) == "Le mien"


# --- a colleague who takes part no more -----------------------------------------------------------


def test_a_colleague_who_takes_part_no_more_loses_the_copy_that_was_written(office: MemoryWorld) -> None:
    office.add_user("denis", auto_schedule=False)
    office.sync()
    office.desk("claire").edit(id_of(office), participants=("denis@acme.example",))
    office.settle()
    assert "UID:a@client.example" in office.text("denis")
    office.desk("claire").edit(id_of(office), remove_participants=("denis@acme.example",))

    office.settle()

    assert office.text("denis") == ""
    assert office.rows("SELECT hidden FROM event WHERE uid = 'a@client.example'") == [(0,)]
    assert len(states(office, "a@client.example")) == 1


# --- a write without an answer, at a server that changes what it is given -------------------------


def test_what_lost_by_a_write_without_an_answer_is_kept_though_the_server_rewrote_it(
    office: MemoryWorld,
) -> None:
    office.calendar_section = 'conflict = { default = "crm" }'
    server = office.servers["claire"]
    alarm = b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT10M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
    server.rewrite = lambda source: source.replace(b"END:VEVENT", alarm)
    office.desk("claire").edit(id_of(office), subject="Le mien")
    change(office, CALENDAR, "SUMMARY:Point", "SUMMARY:Le sien")
    server.fail("update", after=True)

    office.settle()

    assert "SUMMARY:Le mien\n" in office.text("claire")
    assert office.rows("SELECT remote_value, winner FROM conflict") == [('"Le sien"', "CRM")]


# --- an item that moved to where nobody can look --------------------------------------------------


def test_what_may_have_moved_to_a_calendar_out_of_reach_is_not_made_again(office: MemoryWorld) -> None:
    server = office.servers["claire"]
    office.desk("claire").edit(id_of(office), location="Lyon")
    move(office)
    server.refuse_calendar(SECOND)
    for _ in range(3):
        office.sync()
    assert list(server.sources(CALENDAR)) == [f"{CALENDAR}b.ics"]
    server.refuse_calendar(SECOND, refused=False)

    office.settle()

    assert list(server.sources(CALENDAR)) == [f"{CALENDAR}b.ics"]
    (source,) = server.sources(SECOND).values()
    assert b"LOCATION:Lyon" in source


# --- writes that do not arrive --------------------------------------------------------------------


def test_what_could_not_be_made_again_is_made_in_the_next_cycle(office: MemoryWorld) -> None:
    server = office.servers["claire"]
    server.remove(f"{CALENDAR}a.ics")
    office.desk("claire").edit(id_of(office), location="Lyon")
    server.fail("create")

    office.settle()

    assert "LOCATION:Lyon" in office.text("claire")
    assert office.rows("SELECT * FROM pending") == []
    assert office.rows("SELECT * FROM quarantine") == []


# --- one direction --------------------------------------------------------------------------------


def test_what_is_cancelled_towards_the_server_keeps_what_a_client_changed_there(
    office: MemoryWorld,
) -> None:
    office.mailbox_keys["claire"] = 'direction = "to-remote"'
    change(office, CALENDAR, "SUMMARY:Point", "SUMMARY:Le sien")
    office.desk("claire").cancel(id_of(office))

    office.settle()

    assert list(office.servers["claire"].sources(CALENDAR)) == [f"{CALENDAR}b.ics"]
    ((lost,),) = office.rows("SELECT remote_value FROM conflict")
    assert "Le sien" in str(lost)


def test_what_a_client_deletes_towards_the_crm_keeps_what_was_changed_there(office: MemoryWorld) -> None:
    office.mailbox_keys["claire"] = 'direction = "to-crm"'
    office.desk("claire").edit(id_of(office), location="Lyon")
    office.settle()
    office.servers["claire"].remove(f"{CALENDAR}a.ics")

    office.settle()

    assert office.rows("SELECT hidden, location FROM event WHERE uid = 'a@client.example'") == [(1, "Lyon")]


def test_a_server_that_rewrites_what_a_one_way_calendar_gives_it_is_no_second_writer(
    office: MemoryWorld,
) -> None:
    office.mailbox_keys["claire"] = 'direction = "to-remote"'
    alarm = b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT10M\r\nDESCRIPTION:x\r\nEND:VALARM\r\nEND:VEVENT"
    office.servers["claire"].rewrite = lambda source: (
        source if b"VALARM" in source else source.replace(b"END:VEVENT", alarm)
    )
    office.desk("claire").edit(id_of(office), location="Lyon")

    office.settle()

    assert states(office, "a@client.example") == [("BOUND", f"{CALENDAR}a.ics")]
    assert "LOCATION:Lyon" in office.text("claire")
    assert office.rows("SELECT location, alarms FROM event WHERE uid = 'a@client.example'") == [
        ("Lyon", "[]")
    ]


# --- a calendar that nothing is written to --------------------------------------------------------


def test_what_the_crm_alone_said_of_an_event_is_not_lost_when_its_calendar_loses_it_and_gives_it_back(
    office: MemoryWorld,
) -> None:
    office.mailbox_keys["claire"] = 'direction = "to-crm"'
    office.desk("claire").edit(id_of(office), notes="Apporter les plans")
    office.settle()
    server, ref = office.servers["claire"], f"{CALENDAR}a.ics"
    source = server.sources(CALENDAR)[ref]
    server.remove(ref)
    office.settle()

    server.put(CALENDAR, source, ref)
    office.settle()

    assert office.rows("SELECT notes, hidden FROM event WHERE uid = 'a@client.example'") == [("", 0)]
    assert office.rows("SELECT unit, base, crm_value, winner FROM conflict") == [
        ("notes", '""', '"Apporter les plans"', "REMOTE")
    ]
    id_ = office.one("SELECT id FROM conflict")
    assert console(office.config, "conflicts", "take", str(id_), "crm").code == 0
    office.settle()
    assert office.rows("SELECT notes, hidden FROM event WHERE uid = 'a@client.example'") == [
        ("Apporter les plans", 0)
    ]
