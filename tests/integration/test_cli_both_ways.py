"""What is made on the command line arrives in the calendars as it was said, and comes back unchanged."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.console import Outcome, console
from tests.servers.radicale import RadicaleServer

DAY = (datetime.now(UTC) + timedelta(days=7)).date()
LATER = [DAY + timedelta(weeks=number) for number in range(5)]


@pytest.fixture
def office(radicale: RadicaleServer, database_url: str, tmp_path: Path) -> CalendarWorld:
    """Claire and Marc, each with a calendar; once on SQLite and once on PostgreSQL."""
    world = CalendarWorld(radicale, tmp_path / "syncd", database_url)
    world.add_user("claire")
    world.add_user("marc")
    world.write_config()
    return world


def done(world: CalendarWorld, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments)
    assert outcome.code == 0, outcome.err + outcome.out
    return outcome


def quiet(world: CalendarWorld) -> None:
    """One more cycle of each mailbox finds nothing to do."""
    for report in done(world, "sync", "--json").json:
        assert (report["calendar"]["actions"], report["error"]) == ({}, None)


def only(world: CalendarWorld, login: str) -> str:
    """The only item of that calendar."""
    (text,) = world.items(login).values()
    return text


def test_every_field_of_an_event_arrives_and_nothing_comes_back(office: CalendarWorld) -> None:
    done(
        office, "event", "add", "--as", "claire", "--subject", "Revue, détails", "--start", f"{DAY} 14:30",
        "--end", f"{DAY} 15:15", "--tz", "America/New_York", "--location", "Salle B", "--notes", "Un\nDeux",
        "--internal-notes", "SECRET", "--type", "visit", "--category", "Interne", "--alarm", "90",
        "--status", "tentative", "--free", "--rrule", "FREQ=WEEKLY;COUNT=5", "--participant", "marc",
    )  # fmt: skip
    done(office, "sync")
    done(office, "sync")
    quiet(office)
    text = only(office, "claire")
    for line in (
        "SUMMARY:Revue\\, détails", f"DTSTART;TZID=America/New_York:{DAY:%Y%m%d}T143000", "LOCATION:Salle B",
        "DESCRIPTION:Un\\nDeux", "CATEGORIES:", "Visite", "Interne", "STATUS:TENTATIVE", "TRANSP:TRANSPARENT",
        "RRULE:FREQ=WEEKLY;COUNT=5", "mailto:marc@acme.example", "ORGANIZER", "TRIGGER:-PT1H30M",
    ):  # fmt: skip
        assert line in text, line
    assert "SECRET" not in "".join([*office.items("claire").values(), *office.items("marc").values()])
    (uid,) = office.rows("SELECT uid FROM event WHERE series_id IS NULL")
    assert f"UID:{uid[0]}" in text


def test_one_occurrence_is_changed_and_another_cancelled_in_the_client_too(office: CalendarWorld) -> None:
    done(office, "event", "add", "--as", "claire", "--subject", "Point", "--start", f"{DAY} 09:00",
         "--rrule", "FREQ=WEEKLY;COUNT=5")  # fmt: skip
    done(office, "sync", "claire")
    done(office, "event", "edit", "1", "--occurrence", f"{LATER[1]}", "--start", f"{LATER[1]} 11:00")
    done(office, "event", "cancel", "1", "--occurrence", f"{LATER[2]}")
    done(office, "sync", "claire")
    text = only(office, "claire")
    assert f"RECURRENCE-ID;TZID=Europe/Paris:{LATER[1]:%Y%m%d}T090000" in text
    assert f"DTSTART;TZID=Europe/Paris:{LATER[1]:%Y%m%d}T110000" in text
    assert f"EXDATE;TZID=Europe/Paris:{LATER[2]:%Y%m%d}T090000" in text
    done(office, "event", "edit", "1", "--start", f"{DAY} 10:00")
    done(office, "sync", "claire")
    quiet(office)
    text = only(office, "claire")
    assert f"RECURRENCE-ID;TZID=Europe/Paris:{LATER[1]:%Y%m%d}T100000" in text
    assert f"EXDATE;TZID=Europe/Paris:{LATER[2]:%Y%m%d}T100000" in text
    for day in LATER[1:3]:
        done(office, "event", "restore", "1", "--occurrence", f"{day}")
    done(office, "sync", "claire")
    assert "RECURRENCE-ID" not in only(office, "claire")
    assert "EXDATE" not in only(office, "claire")


def test_a_cancelled_event_leaves_the_calendar_and_comes_back(office: CalendarWorld) -> None:
    done(office, "event", "add", "--as", "claire", "--subject", "Point", "--start", f"{DAY}")
    done(office, "sync", "claire")
    done(office, "event", "cancel", "1")
    done(office, "sync", "claire")
    assert office.items("claire") == {}
    done(office, "event", "restore", "1")
    done(office, "sync", "claire")
    assert f"DTSTART;VALUE=DATE:{DAY:%Y%m%d}" in only(office, "claire")
    quiet(office)


def test_an_event_given_to_another_user_moves_to_that_calendar(office: CalendarWorld) -> None:
    done(office, "event", "add", "--owner", "claire", "--subject", "Point", "--start", f"{DAY} 09:00")
    done(office, "sync")
    done(office, "event", "edit", "1", "--owner", "marc")
    for _ in range(3):
        done(office, "sync")
    assert office.items("claire") == {}
    assert "SUMMARY:Point" in only(office, "marc")
    quiet(office)


def test_a_task_is_done_on_both_sides(office: CalendarWorld) -> None:
    done(office, "task", "add", "--as", "claire", "--subject", "Rappeler", "--due", f"{DAY}")
    done(office, "sync", "claire")
    assert f"DUE;VALUE=DATE:{DAY:%Y%m%d}" in only(office, "claire")
    done(office, "task", "done", "1")
    done(office, "sync", "claire")
    assert "STATUS:COMPLETED" in only(office, "claire")
    done(office, "task", "reopen", "1")
    done(office, "sync", "claire")
    assert "COMPLETED" not in only(office, "claire")
    done(office, "task", "cancel", "1")
    done(office, "sync", "claire")
    assert office.items("claire") == {}


def test_what_somebody_else_organises_takes_only_what_the_crm_adds(office: CalendarWorld) -> None:
    more = ("ORGANIZER:mailto:boss@far.example", "ATTENDEE:mailto:claire@acme.example",
            "ATTENDEE:mailto:boss@far.example")  # fmt: skip
    path = office.put("claire", "a", event("far@far.example", "Loin", f"{DAY:%Y%m%d}T090000", more=more))
    before = office.get(path)
    done(office, "sync", "claire")
    office.add_account("Garage", address1="1 rue Haute")
    for options in (("--subject", "x"), ("--start", f"{DAY} 10:00"), ("--participant", "marc")):
        outcome = console(office.config, "event", "edit", "1", *options)
        assert (outcome.code, "is organised by boss@far.example" in outcome.err) == (1, True), outcome.err
    done(office, "event", "edit", "1", "--account", "Garage", "--internal-notes", "x")
    done(office, "sync", "claire")
    assert office.rows("SELECT account_id, internal_notes, location FROM event") == [(1, "x", "")]
    assert office.get(path) == before


def test_a_private_event_is_not_edited_here(office: CalendarWorld) -> None:
    office.put(
        "claire", "a", event("p@x.example", "Médecin", f"{DAY:%Y%m%d}T090000", more=("CLASS:PRIVATE",))
    )
    done(office, "sync", "claire")
    for arguments in (("edit", "1", "--notes", "x"), ("cancel", "1")):
        outcome = console(office.config, "event", *arguments)
        assert (outcome.code, "is private" in outcome.err) == (1, True)
    assert "Médecin" not in done(office, "show", "event", "1").out


def test_tasks_stand_in_the_calendar_of_who_wants_them_there(office: CalendarWorld) -> None:
    done(office, "task", "add", "--as", "claire", "--subject", "Rappeler", "--due", f"{DAY}")
    done(office, "sync", "claire")
    assert len(office.items("claire")) == 1
    config = office.config.read_text()
    office.config.write_text(config.replace('login = "claire"', 'login = "claire"\nshow_reminders = true'))
    done(office, "sync", "claire")
    assert sorted(text.count("BEGIN:VEVENT") for text in office.items("claire").values()) == [0, 1]
    office.config.write_text(config)
    done(office, "sync", "claire")
    assert len(office.items("claire")) == 1
