"""Calendars of a real server and the CRM, kept in step: on Radicale and on Xandikos."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from store.sync_state import MailboxState
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.databases import NewDatabase

UNIQUE = "SELECT subject, location, notes FROM event WHERE uid = :uid AND series_id IS NULL"


@pytest.fixture(params=["radicale", "xandikos"])
def company(
    request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path
) -> Iterator[CalendarWorld]:
    """One user, whose calendar is empty."""
    server = request.getfixturevalue(request.param)
    world = CalendarWorld(server, tmp_path / "syncd", new_database("sqlite"))
    world.add_user("claire")
    yield world
    world.close()


def subject(world: CalendarWorld, uid: str) -> object:
    return world.one("SELECT subject FROM event WHERE uid = :uid AND series_id IS NULL", uid=uid)


def shown(world: CalendarWorld) -> list[str]:
    return sorted(
        str(one) for (one,) in world.rows("SELECT subject FROM event WHERE NOT hidden AND series_id IS NULL")
    )


def at_rest(world: CalendarWorld) -> None:
    """One cycle hears of the last one's own writes and changes nothing; the next one writes nothing."""
    for login, report in world.sync().items():
        assert (report.error, report.folder_errors) == (None, {})
        assert (report.calendar.pulled, report.calendar.pushed) == (0, 0), login
    for report in world.sync().values():
        assert (report.error, report.folder_errors, report.wrote) == (None, {}, False)


def test_what_a_client_makes_changes_and_deletes_arrives_in_the_crm(company: CalendarWorld) -> None:
    path = company.put("claire", "1", event("1@client.example", "Réunion", more=["LOCATION:Lyon"]))
    company.sync()
    assert company.rows(UNIQUE, uid="1@client.example") == [("Réunion", "Lyon", "")]
    company.put("claire", "1", event("1@client.example", "Réunion bis", more=["LOCATION:Lyon"]))
    company.sync()
    assert subject(company, "1@client.example") == "Réunion bis"
    company.client("claire").delete(path)
    company.sync()
    assert company.rows("SELECT status, hidden FROM event") == [("CANCELLED", True)] or company.rows(
        "SELECT status, hidden FROM event"
    ) == [("CANCELLED", 1)]
    at_rest(company)


def test_what_a_person_makes_changes_and_cancels_in_the_crm_arrives_at_the_server(
    company: CalendarWorld,
) -> None:
    company.sync()
    id_ = company.desk("claire").add("Depuis le CRM")
    company.sync()
    ((path, text),) = company.items("claire").items()
    assert "SUMMARY:Depuis le CRM\n" in text
    company.desk("claire").edit(id_, subject="Changé", location="Nice")
    company.sync()
    text = company.get(path)
    assert "SUMMARY:Changé\n" in text
    assert "LOCATION:Nice\n" in text
    at_rest(company)
    company.desk("claire").cancel(id_)
    company.sync()
    assert company.items("claire") == {}
    at_rest(company)


def test_changes_of_different_fields_are_merged_and_unknown_lines_stay(company: CalendarWorld) -> None:
    vendor = 'X-VENDOR-THING;X-A="b:c":kept\\, as it is'
    path = company.put("claire", "1", event("1@client.example", "Avant", more=[vendor]))
    company.sync()
    company.put("claire", "1", event("1@client.example", "Avant", more=[vendor, "LOCATION:Lyon"]))
    company.desk("claire").edit(company.id_of("1@client.example"), subject="Après")
    company.sync()
    text = company.get(path)
    assert [line in text.split("\n") for line in ("SUMMARY:Après", "LOCATION:Lyon", vendor)] == [True] * 3
    assert company.rows(UNIQUE, uid="1@client.example") == [("Après", "Lyon", "")]
    assert company.rows("SELECT * FROM conflict") == []
    at_rest(company)


@pytest.mark.parametrize(
    ("rule", "left", "winner"),
    [
        ("remote", ("Client", "Client"), "REMOTE"),
        ("crm", ("CRM", "CRM"), "CRM"),
        ("manual", ("CRM", "Client"), "NONE"),
    ],
)
def test_a_conflict_is_decided_by_its_rule_and_told(
    company: CalendarWorld, rule: str, left: tuple[str, str], winner: str
) -> None:
    company.calendar_section = f'conflict = {{ default = "{rule}" }}'
    path = company.put("claire", "1", event("1@client.example", "Avant"))
    company.sync()
    company.put("claire", "1", event("1@client.example", "Client"))
    company.desk("claire").edit(company.id_of("1@client.example"), subject="CRM")
    company.sync()
    assert subject(company, "1@client.example") == left[0]
    assert f"SUMMARY:{left[1]}\n" in company.get(path)
    assert company.rows("SELECT unit, base, crm_value, remote_value, winner FROM conflict") == [
        ("subject", '"Avant"', '"CRM"', '"Client"', winner)
    ]
    at_rest(company)


def test_of_a_private_event_the_crm_holds_the_time_only(company: CalendarWorld) -> None:
    company.put(
        "claire", "1",
        event("1@client.example", "Clandestin",
              more=["CLASS:PRIVATE", "LOCATION:Cachette", "DESCRIPTION:Chut"]),
    )  # fmt: skip
    company.sync()
    assert company.rows("SELECT subject, location, notes, privacy FROM event") == [("", "", "", "PRIVATE")]
    for name in ("event", "binding", "decision", "conflict", "intent"):
        held = repr(company.rows(f'SELECT * FROM "{name}"'))
        assert not [word for word in ("Clandestin", "Cachette", "Chut") if word in held]
    at_rest(company)


def test_a_calendar_of_one_direction_takes_nothing_from_the_other_side(company: CalendarWorld) -> None:
    company.mailbox_keys["claire"] = 'direction = "to-crm"'
    path = company.put("claire", "1", event("1@client.example", "Client"))
    company.sync()
    company.desk("claire").edit(company.id_of("1@client.example"), subject="CRM")
    company.desk("claire").add("Nouveau")
    company.sync()
    assert list(company.items("claire")) == [path]
    assert "SUMMARY:Client\n" in company.get(path)
    company.put("claire", "1", event("1@client.example", "Client", more=["LOCATION:Lyon"]))
    company.sync()
    assert company.one("SELECT location FROM event WHERE uid = '1@client.example'") == "Lyon"
    at_rest(company)


def test_a_calendar_towards_the_server_puts_back_what_a_client_changed(company: CalendarWorld) -> None:
    company.mailbox_keys["claire"] = 'direction = "to-remote"'
    company.sync()
    company.desk("claire").add("CRM")
    company.sync()
    ((path, text),) = company.items("claire").items()
    company.client("claire").put(
        path, text.replace("SUMMARY:CRM", "SUMMARY:Client").replace("\n", "\r\n").encode()
    )
    company.put("claire", "other", event("other@client.example", "Client"))
    company.sync()
    assert "SUMMARY:CRM\n" in company.get(path)
    assert shown(company) == ["CRM"]
    at_rest(company)


def test_an_emptied_calendar_stops_the_mailbox_until_a_person_lets_it_go(company: CalendarWorld) -> None:
    paths = [company.put("claire", str(n), event(f"{n}@client.example", f"E{n}")) for n in range(3)]
    company.sync()
    for path in paths:
        company.client("claire").delete(path)
    (report,) = company.sync().values()
    assert report.calendar.braked is not None
    assert shown(company) == ["E0", "E1", "E2"]
    (report,) = company.sync().values()
    assert report.calendar.braked is not None
    assert company.one("SELECT state FROM mailbox") == MailboxState.BRAKED.name
    company.release("claire")
    company.sync()
    assert shown(company) == []
    at_rest(company)


def test_a_calendar_made_anew_under_its_url_deletes_nothing_unasked(company: CalendarWorld) -> None:
    sources = {str(n): event(f"{n}@client.example", f"E{n}") for n in range(3)}
    for name, source in sources.items():
        company.put("claire", name, source)
    company.sync()
    company.make_anew("claire")
    company.sync()
    company.sync()
    assert shown(company) == ["E0", "E1", "E2"]
    for name, source in sources.items():
        company.put("claire", name, source)
    company.order("claire", MailboxState.RUNNING)
    company.sync()
    company.sync()
    assert shown(company) == ["E0", "E1", "E2"]
    assert company.one("SELECT count(*) FROM event") == 3
    at_rest(company)


def test_an_event_moved_to_another_calendar_of_the_user_stays_one_event(company: CalendarWorld) -> None:
    source = event("1@client.example", "Déplacé")
    path = company.put("claire", "1", source)
    other = company.add_calendar("claire", "Autre")
    company.sync()
    id_ = company.id_of("1@client.example")
    company.client("claire").delete(path)
    company.client("claire").put(f"{other}1.ics", source)
    company.sync()
    assert company.rows("SELECT id, hidden FROM event") in ([(id_, False)], [(id_, 0)])
    company.desk("claire").edit(id_, subject="Changé")
    company.sync()
    moved = company.client("claire").get(f"{other}1.ics")
    assert moved is not None
    assert "SUMMARY:Changé\r\n" in moved.decode()
    at_rest(company)


def test_what_is_outside_the_window_waits_until_it_comes_into_it(company: CalendarWorld) -> None:
    company.calendar_section = 'window = { past = "30d", future = "60d" }'
    company.put("claire", "old", event("old@client.example", "Vieux", "20260901T090000"))
    company.put("claire", "far", event("far@client.example", "Loin", "20270301T090000"))
    company.put("claire", "now", event("now@client.example", "Bientôt"))
    company.sync()
    assert shown(company) == ["Bientôt"]
    at_rest(company)
    company.now += timedelta(days=45)
    company.sync()
    assert "Loin" in shown(company)


def test_a_task_travels_both_ways(company: CalendarWorld) -> None:
    task = event("t@client.example", "Rappeler").replace(b"VEVENT", b"VTODO")
    task = task.replace(b"DTSTART;TZID=Europe/Paris:20261124T090000\r\n", b"")
    task = task.replace(b"DTEND;TZID=Europe/Paris:20261124T100000", b"DUE;VALUE=DATE:20261124")
    path = company.put("claire", "t", task)
    company.sync()
    assert company.rows("SELECT subject, due_date, state FROM task") in (
        [("Rappeler", "2026-11-24", "OPEN")],
        [("Rappeler", "2026-11-24", "open")],
    )
    company.put(
        "claire",
        "t",
        task.replace(b"\r\nEND:VTODO", b"\r\nSTATUS:COMPLETED\r\nCOMPLETED:20261121T100000Z\r\nEND:VTODO"),
    )
    company.sync()
    assert company.one("SELECT state FROM task") == "DONE"
    company.client("claire").delete(path)
    company.sync()
    assert bool(company.one("SELECT hidden FROM task"))
    at_rest(company)


@pytest.fixture
def radicale_company(
    request: pytest.FixtureRequest, new_database: NewDatabase, tmp_path: Path
) -> CalendarWorld:
    world = CalendarWorld(request.getfixturevalue("radicale"), tmp_path / "syncd", new_database("sqlite"))
    world.add_user("claire")
    return world


def test_one_that_does_not_parse_stops_no_other(company: CalendarWorld) -> None:
    """The same occurrence twice in one resource: neither server minds."""
    twice = event("2@client.example", "Mauvais", more=["RRULE:FREQ=DAILY;COUNT=5"])
    override = event("2@client.example", more=["RECURRENCE-ID;TZID=Europe/Paris:20261125T090000"])
    lines = override[override.index(b"BEGIN:VEVENT") : override.index(b"END:VCALENDAR")]
    company.put("claire", "1", event("1@client.example", "Bon"))
    company.put("claire", "2", twice.replace(b"END:VCALENDAR", lines * 2 + b"END:VCALENDAR"))
    company.put("claire", "3", event("3@client.example", "Aussi"))
    company.sync()
    assert shown(company) == ["Aussi", "Bon"]
    assert len(company.rows("SELECT * FROM quarantine")) == 1
    at_rest(company)
    company.put("claire", "2", event("2@client.example", "Guéri"))
    company.sync()
    assert shown(company) == ["Aussi", "Bon", "Guéri"]
    assert company.rows("SELECT * FROM quarantine") == []


def test_two_users_of_one_meeting_share_one_event(radicale_company: CalendarWorld) -> None:
    """The colleague gets a copy, and what the colleague answers there comes back to the organizer."""
    world = radicale_company
    world.add_user("denis")
    world.put(
        "claire", "m",
        event("m@client.example", "À deux", more=[
            "ORGANIZER:mailto:claire@acme.example",
            "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:denis@acme.example"]),
    )  # fmt: skip
    world.sync()
    world.sync()
    ((path, text),) = world.items("denis").items()
    assert "SUMMARY:À deux\n" in text
    answered = text.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED")
    assert answered != text
    world.client("denis").put(path, answered.replace("\n", "\r\n").encode())
    world.sync()
    world.sync()
    assert world.one("SELECT count(*) FROM event") == 1
    assert (
        world.one("SELECT response FROM event_participant WHERE email = 'denis@acme.example'") == "ACCEPTED"
    )
    (organizers,) = [text for text in world.items("claire").values() if "X-CRM-COMPANION" not in text]
    assert "ACCEPTED" in organizers
    at_rest(world)
