"""Erasing who takes part in events: calendars keep what they hold, and nothing of it comes back."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from store.actors import admin_at_machine
from store.errors import Invalid
from syncd.daemon import offers
from syncd.engine.erasing import Receipt
from tests.leftovers import Needles, in_files, in_tables
from tests.servers.calendar_world import event
from tests.servers.memory_world import MemoryWorld

ANNELISE = "annelise@quevreux.example"
NEEDLES = Needles(("annelise", "quevreux", "quévreux"), ("698765432",))
GUESTS = (
    "ORGANIZER;CN=Claire:mailto:claire@acme.example",
    f"ATTENDEE;CN=Annelise Quévreux;PARTSTAT=ACCEPTED:mailto:{ANNELISE}",
    "ATTENDEE;CN=Luc;PARTSTAT=ACCEPTED:mailto:luc@client.example",
    "DESCRIPTION:Avec Annelise Quévreux 06.98.76.54.32",
)


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MemoryWorld]:
    """Claire's calendar holds a meeting with Annelise and Luc, one about her, and one of others."""
    made = MemoryWorld(tmp_path / "syncd", database_url)
    for login in ("claire", "marc"):
        made.add_user(login)
    made.settle()
    account = made.add_account("Client SA")
    made.add_contact(account, ANNELISE, phone_mobile="+33698765432")
    made.add_contact(account, "luc@client.example")
    database = made.database()
    with database.write() as session:
        session.execute(
            text("UPDATE contact SET first_name = 'Annelise', last_name = 'Quévreux' WHERE id = 1")
        )
    database.close()
    made.put("claire", "hers", event("hers", "Point", more=GUESTS))
    made.put("claire", "about", event("about", "Préparer Quévreux Annelise", start="20261125T090000"))
    made.put("claire", "others", event("others", "Réunion", start="20261126T090000"))
    made.settle()
    made.desk("claire").add(
        "Visite", "2026-12-02T10:00", account=str(account), participants=(ANNELISE, "marc")
    )
    made.settle()
    yield made
    made.close()


def erase(world: MemoryWorld) -> Receipt:
    means = offers.erasing(world.open())
    return means.carry_out("1", admin_at_machine("root"), world.now, id_="0011223344556677")


def left(world: MemoryWorld) -> list[str]:
    found = list(in_tables(world.database_url, NEEDLES))
    if world.database_url.startswith("sqlite"):
        world.restart()
        found += in_files([Path(world.database_url.removeprefix("sqlite:///")).parent], NEEDLES)
    return found


def sources(world: MemoryWorld) -> dict[str, str]:
    return {login: world.text(login) for login in world.servers}


def test_events_stay_for_the_others_and_in_the_calendars_and_nobody_is_mailed(world: MemoryWorld) -> None:
    assert {"event", "event_participant", "binding", "decision"} <= {
        one.partition(".")[0] for one in left(world)
    }
    calendars, mailed = sources(world), len(world.mailed())

    receipt = erase(world)

    assert left(world) == []
    assert receipt.copies >= 3
    world.settle()
    assert left(world) == []
    assert sources(world) == calendars
    assert len(world.mailed()) == mailed
    assert world.rows("SELECT email FROM event_participant p JOIN event e ON e.id = p.event_id "
                      "WHERE e.uid = 'hers' ORDER BY email") == [
        ("claire@acme.example",), ("luc@client.example",)
    ]  # fmt: skip
    assert world.rows("SELECT subject FROM event WHERE uid = 'about'") == [("Préparer [erased]",)]


def test_what_clients_and_users_do_later_brings_nobody_back(world: MemoryWorld) -> None:
    erase(world)
    world.now += timedelta(minutes=5)
    world.change("claire", "/calendar/hers.ics", lambda ics: ics.replace("SUMMARY:Point", "SUMMARY:Point 2"))
    world.put("claire", "moved", event("about", "Préparer Quévreux Annelise", start="20261125T100000"))
    world.settle()
    assert left(world) == []
    mailed, calendars = len(world.mailed()), sources(world)
    (id_,) = (int(str(one)) for (one,) in world.rows("SELECT id FROM event WHERE subject = 'Visite'"))
    world.desk("claire").edit(id_, location="Lyon")
    world.settle()
    world.settle()
    assert left(world) == []
    assert (len(world.mailed()), sources(world)) == (mailed, calendars)
    world.change("claire", "/calendar/others.ics", lambda ics: ics.replace("Réunion", "Autre"))
    world.settle()
    assert ("Autre",) in world.rows("SELECT subject FROM event"), "other events are synchronised as before"


def test_a_write_that_is_not_confirmed_is_waited_for(world: MemoryWorld) -> None:
    database = world.database()
    columns = (
        "collection_id, kind, uid, entity, entity_id, precondition, payload, crm_before, crm, dress, block, "
        "held, conflicts, ours, supplies, role, action, notify, row, reason, before, mailed, run_ref, at, "
        "came_as"
    )
    with database.write() as session:
        session.execute(
            text(
                f"INSERT INTO intent (mailbox_id, {columns}) SELECT c.mailbox_id, c.id, 'UPDATE', 'x', "
                "'EVENT', NULL, '', :payload, '', '', '', '', '', '', true, true, 'ORGANIZER', 'x', false, "
                "1, "
                "'', '', '', 'x', '2026-11-22 10:00:00', '' FROM collection c LIMIT 1"
            ),
            {"payload": f'{{"email":"{ANNELISE}"}}'},
        )
    database.close()
    with pytest.raises(Invalid, match="is not confirmed yet: run `syncd sync "):
        erase(world)
    assert world.rows("SELECT count(*) FROM contact") == [(2,)]


def test_a_name_that_a_calendar_gives_the_address_and_that_is_somebody_elses_stays(
    world: MemoryWorld,
) -> None:
    account = "Garage du Port"
    world.add_account(account)
    world.add_contact(1, "paul@client.example")
    database = world.database()
    with database.write() as session:
        session.execute(text("UPDATE contact SET first_name = 'Paul', last_name = 'Durand' WHERE id = 3"))
    database.close()
    for uid, name in (
        ("port", account),
        ("paul", "Paul Durand"),
        ("sold", "Service Achats"),
        ("none", ", ,"),
    ):
        hers = ("ORGANIZER:mailto:claire@acme.example", f'ATTENDEE;CN="{name}":mailto:{ANNELISE}')
        world.put("claire", uid, event(uid, "Point", start="20261127T090000", more=hers))
    others = ("ORGANIZER:mailto:claire@acme.example", 'ATTENDEE;CN="Service Achats":mailto:x@else.example')
    world.put("claire", "theirs", event("theirs", "Commande", start="20261127T110000", more=others))
    for uid, name in (("p1", account), ("p2", "Paul Durand"), ("p3", "Service Achats")):
        world.put("claire", uid, event(uid, f"Appeler {name}", start="20261128T090000"))
    world.settle()

    erase(world)

    assert left(world) == []
    kept = {one for (one,) in world.rows("SELECT subject FROM event WHERE subject LIKE 'Appeler%'")}
    assert kept == {"Appeler Garage du Port", "Appeler Paul Durand", "Appeler Service Achats"}
    world.change("claire", "/calendar/p2.ics", lambda ics: ics.replace("Appeler", "Rappeler"))
    world.settle()
    assert ("Rappeler Paul Durand",) in world.rows("SELECT subject FROM event"), "and is kept in step"
