"""Conflicts, undo, the brake and explanations on the command line, with calendars on a real server."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.console import Outcome, console
from tests.servers.radicale import RadicaleServer

SOON = datetime.now(UTC) + timedelta(days=3)
START = SOON.strftime("%Y%m%dT090000")
UID = "chantier@client.example"


@pytest.fixture
def office(radicale: RadicaleServer, sqlite_url: str, tmp_path: Path) -> CalendarWorld:
    """Claire and Marc, each with a calendar."""
    world = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.add_user("marc")
    world.write_config()
    return world


def run(world: CalendarWorld, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments)
    assert "Traceback" not in outcome.err
    assert "defect" not in outcome.err
    return outcome


def done(world: CalendarWorld, *arguments: str) -> Outcome:
    outcome = run(world, *arguments)
    assert outcome.code == 0, outcome.err + outcome.out
    return outcome


def sync(world: CalendarWorld) -> None:
    """Cycles until nothing is left to do."""
    for _ in range(2):
        done(world, "sync", "claire")


def subject(ics: str) -> str:
    found = re.search(r"^SUMMARY:(.*)$", ics, re.MULTILINE)
    return found[1].strip() if found else ""


def crm(world: CalendarWorld, id_: int = 1) -> dict[str, Any]:
    record: dict[str, Any] = done(world, "show", "event", str(id_), "--json").json["event"]
    return record


def both_changed(world: CalendarWorld) -> str:
    """One event on both sides, whose subject both change; the calendar's wins. Returns its path."""
    path = world.put("claire", "a", event(UID, "Avant", START))
    sync(world)
    done(world, "event", "edit", "1", "--subject", "Bureau")
    world.put("claire", "a", event(UID, "Client", START))
    sync(world)
    return path


# --- conflicts ------------------------------------------------------------------------------------


def test_a_loser_is_taken_back_on_both_sides(office: CalendarWorld) -> None:
    path = both_changed(office)
    assert subject(office.get(path)) == crm(office)["subject"] == "Client"
    (conflict,) = done(office, "conflicts", "--json").json
    assert (conflict["unit"], conflict["crm"], conflict["remote"], conflict["winner"]) == (
        "subject", "Bureau", "Client", "remote",
    )  # fmt: skip
    assert "Bureau" in done(office, "conflicts").out

    assert "remote won already" in run(office, "conflicts", "take", "1", "remote").err
    done(office, "conflicts", "take", "1", "crm")
    assert crm(office)["subject"] == "Bureau"
    sync(office)
    assert subject(office.get(path)) == "Bureau"
    assert done(office, "conflicts").out == "No conflicts.\n"
    assert done(office, "conflicts", "--all", "--json").json[0]["state"] == "taken_back"
    assert "settled already" in run(office, "conflicts", "take", "1", "crm").err
    assert run(office, "conflicts", "take", "9", "crm").code == 1


@pytest.mark.parametrize(("side", "value"), [("crm", "Bureau"), ("remote", "Client")])
def test_an_open_conflict_waits_until_a_person_chooses(office: CalendarWorld, side: str, value: str) -> None:
    office.calendar_section = 'conflict = { subject = "manual" }'
    office.write_config()
    path = both_changed(office)
    assert (subject(office.get(path)), crm(office)["subject"]) == ("Client", "Bureau")
    waiting = run(office, "conflicts", "--json")
    assert (waiting.code, [one["state"] for one in waiting.json]) == (1, ["open"])
    done(office, "conflicts", "take", "1", side)
    (report,) = done(office, "sync", "claire", "--json").json
    assert report["calendar"]["pushed"] == (1 if side == "crm" else 0)
    assert subject(office.get(path)) == crm(office)["subject"] == value
    assert run(office, "conflicts").code == 0
    sync(office)
    assert office.rows("SELECT state FROM conflict") == [("CLOSED",)]


# --- undo -----------------------------------------------------------------------------------------


def last_run(world: CalendarWorld, item: str = "event:1") -> str:
    return str(done(world, "explain", item, "--json").json["decisions"][0]["run"])


def test_a_pull_is_undone_on_both_sides(office: CalendarWorld) -> None:
    path = office.put("claire", "a", event(UID, "Avant", START))
    sync(office)
    office.put("claire", "a", event(UID, "Après", START))
    sync(office)
    assert crm(office)["subject"] == "Après"
    run_ = last_run(office)
    dry = done(office, "undo", run_, "--dry-run", "--json").json
    assert [step["does"] for step in dry["steps"]] == ["as the CRM had it"]
    assert crm(office)["subject"] == "Après"
    done(office, "undo", run_)
    sync(office)
    assert subject(office.get(path)) == crm(office)["subject"] == "Avant"


def test_a_push_is_undone_to_what_the_calendar_had(office: CalendarWorld) -> None:
    path = office.put("claire", "a", event(UID, "Avant", START))
    sync(office)
    done(office, "event", "edit", "1", "--subject", "Après")
    sync(office)
    assert subject(office.get(path)) == "Après"
    done(office, "undo", last_run(office))
    sync(office)
    assert subject(office.get(path)) == crm(office)["subject"] == "Avant"


def test_what_came_in_is_taken_out_and_left_alone_in_its_calendar(office: CalendarWorld) -> None:
    path = office.put("claire", "a", event(UID, "Perso", START))
    sync(office)
    done(office, "undo", last_run(office))
    sync(office)
    assert crm(office)["hidden"] is True
    assert subject(office.get(path)) == "Perso"
    office.put("claire", "a", event(UID, "Perso encore", START))
    sync(office)
    assert crm(office)["hidden"] is True


def test_what_was_written_into_a_calendar_leaves_it_again(office: CalendarWorld) -> None:
    done(office, "event", "add", "--as", "claire", "--subject", "Neuf", "--start", SOON.strftime("%Y-%m-%d"))
    sync(office)
    assert len(office.items("claire")) == 1
    done(office, "undo", last_run(office))
    sync(office)
    assert office.items("claire") == {}
    done(office, "event", "restore", "1")
    sync(office)
    assert [subject(ics) for ics in office.items("claire").values()] == ["Neuf"]


def test_a_deletion_in_a_client_is_undone(office: CalendarWorld) -> None:
    path = office.put("claire", "a", event(UID, "Avant", START))
    sync(office)
    office.client("claire").delete(path)
    sync(office)
    assert crm(office)["hidden"] is True
    done(office, "undo", last_run(office))
    sync(office)
    assert [subject(ics) for ics in office.items("claire").values()] == ["Avant"]
    assert crm(office)["hidden"] is False


def test_what_changed_again_since_is_refused_and_named(office: CalendarWorld) -> None:
    office.put("claire", "a", event(UID, "Un", START))
    sync(office)
    office.put("claire", "a", event(UID, "Deux", START))
    sync(office)
    second = last_run(office)
    first = done(office, "explain", "event:1", "--json").json["decisions"][-1]
    early = run(office, "undo", f"decision:{first['id']}")
    assert early.code == 1
    assert "changed again" in early.err
    done(office, "event", "edit", "1", "--notes", "x")
    late = run(office, "undo", second)
    assert (late.code, "it changed again in the CRM" in late.err) == (1, True)
    assert crm(office)["subject"] == "Deux"


def test_undo_names_what_it_does_not_know(office: CalendarWorld) -> None:
    assert 'there is no decision of "nosuchrun"' in run(office, "undo", "nosuchrun").err
    assert "names no decision" in run(office, "undo", "decision:x").err
    assert run(office, "undo", "decision:7").code == 1


def test_what_was_undone_is_not_undone_twice(office: CalendarWorld) -> None:
    office.put("claire", "a", event(UID, "Un", START))
    sync(office)
    office.put("claire", "a", event(UID, "Deux", START))
    sync(office)
    run_ = last_run(office)
    done(office, "undo", run_)
    assert "undone already" in run(office, "undo", run_).err


# --- the brake ------------------------------------------------------------------------------------


def test_a_release_lets_go_exactly_what_waits(office: CalendarWorld) -> None:
    office.calendar_section = "brake = { count = 2, percent = 0 }"
    office.write_config()
    paths = [office.put("claire", f"e{n}", event(f"e{n}@x.example", f"E{n}", START)) for n in range(4)]
    run(office, "sync", "claire")
    run(office, "release", "claire")  # a first look may be held by so low a brake
    sync(office)
    assert office.one("SELECT count(*) FROM event") == 4
    for path in paths[:3]:
        office.client("claire").delete(path)
    assert run(office, "sync", "claire").code == 1
    assert office.one("SELECT count(*) FROM event WHERE hidden") == 0
    status = run(office, "status")
    assert status.code == 1
    assert "syncd release claire" in status.out
    (waiting,) = done(office, "release", "claire", "--dry-run", "--json").json
    assert "delet" in waiting["reason"]
    assert len(waiting["waiting"]) == 3
    assert "cancel_crm" in done(office, "release", "claire", "--dry-run").out
    released = done(office, "release", "claire", "--json").json
    assert [line["action"] for line in released[0]["released"]] == ["cancel_crm"] * 3
    sync(office)
    assert office.one("SELECT count(*) FROM event WHERE hidden") == 3
    assert "there is nothing to release" in run(office, "release", "claire").err
    assert run(office, "release", "nobody").code == 2


# --- explanations ---------------------------------------------------------------------------------


def test_an_event_is_explained_by_its_id_and_its_uid(office: CalendarWorld) -> None:
    both_changed(office)
    told = done(office, "explain", "event:1").out
    assert "merge (T4 row 6)" in told
    assert "create_crm (T4 row 13)" in told
    assert "wrote: crm; mailed: nobody" in told
    by_uid = done(office, "explain", UID, "--json").json
    assert by_uid["item"] == "event:1"
    (copy,) = by_uid["copies"]
    assert (copy["mailbox"], copy["state"], copy["supplies"]) == ("claire", "bound", True)
    assert copy["version"]
    assert len(by_uid["conflicts"]) == 1


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("event:99", "There is no event 99"),
        ("task:99", "There is no task 99"),
        ("event:99999999999", "There is no event 99999999999"),
        ("binding:1", "binding:1 names nothing that is known"),
        ("decision:1", "decision:1 names nothing that is known"),
    ],
)
def test_what_is_not_there_is_named_as_what_it_is(office: CalendarWorld, item: str, told: str) -> None:
    outcome = run(office, "explain", item)
    assert outcome.code == 1
    assert told in outcome.out
    assert "Message-ID" not in outcome.out.partition(".")[0]
    plain = run(office, "explain", item, "--json").json
    assert plain["known"] is False
    assert told in plain["notes"][0]


def test_a_dry_run_lists_the_plan_of_the_calendars(office: CalendarWorld) -> None:
    office.put("claire", "a", event(UID, "Client", START))
    dry = done(office, "sync", "claire", "--dry-run")
    assert "create_crm" in dry.out
    assert "Client" in dry.out
    assert office.one("SELECT count(*) FROM event") == 0
    (report,) = done(office, "sync", "claire", "--dry-run", "--json").json
    assert report["calendar"]["planned"][0]["action"] == "create_crm"
    (report,) = done(office, "sync", "claire", "--json").json
    assert (report["calendar"]["pulled"], report["calendar"]["pushed"]) == (1, 0)


def test_status_and_doctor_tell_of_calendars(office: CalendarWorld) -> None:
    sync(office)
    status = done(office, "status", "claire", "--json").json["mailboxes"][0]
    assert [(one["name"], one["error"]) for one in status["calendars"]] == [("Agenda", None)]
    told = done(office, "doctor", "claire").out
    assert "Agenda" in told
    diagnosis = done(office, "doctor", "claire", "--json").json["mailboxes"][0]
    (calendar,) = diagnosis["calendars"]
    assert (calendar["name"], calendar["writable"], calendar["schedules"]) == ("Agenda", True, False)
    assert sorted(calendar["kinds"]) == ["event", "task"]


# --- nobody is mailed -----------------------------------------------------------------------------


def waiting(world: CalendarWorld) -> set[bool]:
    """Whether what the calendars are still to be told of may be mailed to guests."""
    return {bool(by_person) for (by_person,) in world.rows("SELECT by_person FROM pending")}


def test_only_what_a_person_changes_may_be_mailed(office: CalendarWorld) -> None:
    both_changed(office)
    done(office, "conflicts", "take", "1", "crm")
    assert waiting(office) == {False}
    sync(office)
    done(office, "undo", last_run(office))
    assert waiting(office) == {False}
    sync(office)
    assert waiting(office) == set()
    done(office, "event", "edit", "1", "--notes", "x")
    assert waiting(office) == {True}


def test_what_somebody_else_organises_can_only_be_taken_out(office: CalendarWorld) -> None:
    more = ("ORGANIZER:mailto:boss@far.example", "ATTENDEE:mailto:claire@acme.example")
    path = office.put("claire", "a", event(UID, "Loin", START, more=more))
    sync(office)
    came_in = last_run(office)
    office.put("claire", "a", event(UID, "Plus loin", START, more=more))
    sync(office)
    outcome = run(office, "undo", last_run(office))
    assert (outcome.code, "somebody else organises it" in outcome.err) == (1, True)
    office.put("claire", "b", event("b@x.example", "Autre", START, more=more))
    sync(office)
    other = last_run(office, "event:2")
    assert other != came_in
    mine = run(office, "undo", other, "--as", "marc")
    assert (mine.code, "marc may not change it" in mine.err) == (1, True)
    assert crm(office, 2)["hidden"] is False
    done(office, "undo", other)
    sync(office)
    assert crm(office, 2)["hidden"] is True
    assert subject(office.get(path)) == "Plus loin"
    assert len(office.items("claire")) == 2
