"""Calendars on an Exchange server and the CRM kept in step, by the installed service: what is at the server
and what left it as mail is asserted. Those with a thread's number replay what users elsewhere suffer."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

import pytest

from store.sync_state import MailboxState
from syncd.core.recurrence import occurrences
from syncd.engine.calendar.items import item_of
from tests.servers.calendar_world import event
from tests.servers.databases import NewDatabase
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import recurrence
from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import PARIS, Office, paris
from tests.servers.radicale import RadicaleServer

PAUL = "paul@client.example"
CLAIRE = "claire@acme.example"


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    """Claire and Denis, both on Exchange."""
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    made.add_user("denis")
    return made


def only(office: Office) -> int:
    return int(str(office.one("SELECT id FROM event WHERE series_id IS NULL")))


# --- both ways ------------------------------------------------------------------------------------


def test_what_a_client_makes_changes_and_deletes_arrives_in_the_crm(office: Office) -> None:
    client = office.client("claire")
    ref = client.add_event(
        "Réunion", paris(24, 9), paris(24, 10), zone="Romance Standard Time", Location="Lyon"
    )
    office.settle()
    assert office.rows("SELECT subject, location, tz FROM event") == [("Réunion", "Lyon", "Europe/Paris")]
    client.edit(ref, Subject="Réunion bis")
    office.settle()
    assert office.subjects() == ["Réunion bis"]
    client.delete(ref)
    office.settle()
    assert office.subjects() == []


def test_what_a_person_makes_changes_and_cancels_in_the_crm_arrives_at_the_server(office: Office) -> None:
    office.sync()
    id_ = office.desk("claire").add("Depuis le CRM")
    office.settle()
    (target,) = office.events("claire")
    assert (target.text("Subject"), target.text("StartTimeZoneId")) == (
        "Depuis le CRM",
        "Romance Standard Time",
    )
    office.desk("claire").edit(id_, subject="Changé", location="Nice")
    office.settle()
    (target,) = office.events("claire")
    assert (target.text("Subject"), target.text("Location")) == ("Changé", "Nice")
    office.desk("claire").cancel(id_)
    office.settle()
    assert office.events("claire") == []
    assert len(office.client("claire").items("deleteditems")) == 1
    assert office.mailed == []


def test_changes_of_different_fields_are_merged_and_a_cycle_without_news_writes_nothing(
    office: Office,
) -> None:
    client = office.client("claire")
    ref = client.add_event("Avant", paris(24, 9), paris(24, 10), UID="1@client.example", Importance="High")
    office.settle()
    client.edit(ref, Location="Lyon")
    office.desk("claire").edit(office.id_of("1@client.example"), subject="Après")
    office.settle()
    (target,) = office.events("claire")
    assert [target.text(name) for name in ("Subject", "Location", "Importance")] == ["Après", "Lyon", "High"]
    assert office.rows("SELECT subject, location FROM event") == [("Après", "Lyon")]
    before = dict(office.ews.counts.operations)
    office.sync("claire")
    after = office.ews.counts.operations
    told = {
        name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)
    }
    assert told == {"GetFolder": 3, "FindFolder": 1, "SyncFolderItems": 2}


def test_what_the_crm_made_and_a_client_deleted_at_once_is_gone_in_the_crm(office: Office) -> None:
    """A listing says nothing of what came and went since the last one (SyncFolderItems; RFC 6578 3.5.2)."""
    office.sync()
    office.desk("claire").add("Aussitôt supprimé")
    office.sync("claire")
    (target,) = office.events("claire")
    office.client("claire").delete(office.client("claire").id_of(target.item))
    office.settle()
    assert office.subjects() == []
    assert office.events("claire") == []


def test_tasks_go_both_ways(office: Office) -> None:
    client = office.client("claire")
    ref = client.add_task("Rappeler Paul", DueDate="2026-11-26T00:00:00Z")
    office.settle()
    assert office.rows("SELECT subject, due_date, state FROM task") in (
        [("Rappeler Paul", "2026-11-26", "OPEN")],
        [("Rappeler Paul", date(2026, 11, 26), "OPEN")],
    )
    client.edit(ref, Status="Completed")
    office.settle()
    assert office.one("SELECT state FROM task") == "DONE"


def test_a_private_event_is_busy_time_only(office: Office) -> None:
    office.client("claire").add_event(
        "Clandestin", paris(24, 9), paris(24, 10), Location="Cachette", Sensitivity="Private"
    )
    office.settle()
    assert office.rows("SELECT subject, location, privacy FROM event") == [("", "", "PRIVATE")]
    for name in ("event", "binding", "decision", "intent"):
        assert "Clandestin" not in repr(office.rows(f'SELECT * FROM "{name}"'))


def test_a_sync_state_that_expired_deletes_nothing_and_doubles_nothing(office: Office) -> None:
    for number in range(3):
        office.client("claire").add_event(f"Numéro {number}", paris(24, 9), paris(24, 10))
    office.settle()
    office.ews.expire_sync_states()
    office.settle()
    assert office.subjects() == ["Numéro 0", "Numéro 1", "Numéro 2"]
    assert len(office.events("claire")) == 3


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.UNAVAILABLE_AFTER, Fault.RESET_BEFORE])
def test_a_write_without_an_answer_is_made_once(office: Office, fault: Fault) -> None:
    office.sync()
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(fault, "CreateItem")
    for _ in range(4):
        office.now += timedelta(minutes=10)
        office.sync()
    assert [one.text("Subject") for one in office.events("claire")] == ["Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]


def test_an_item_that_cannot_be_read_waits_and_the_others_go_on(office: Office) -> None:
    """A library's model would read the day as none: a task without a due date."""
    client = office.client("claire")
    odd = client.add_task("Illisible", DueDate="2026-11-26T00:00:00Z")
    client.target(odd).item.put("DueDate", "2026-11-26T09:30:00Z")
    client.add_task("Lisible")
    office.settle()
    assert office.rows("SELECT subject FROM task") == [("Lisible",)]
    ((error,),) = office.rows("SELECT error FROM quarantine")
    assert "DueDate has a time of day" in str(error)
    client.edit(odd, DueDate="2026-11-27T00:00:00Z")
    office.settle()
    assert office.rows("SELECT subject FROM task ORDER BY subject") == [("Illisible",), ("Lisible",)]


# --- one meeting, many calendars ------------------------------------------------------------------


@pytest.mark.parametrize("first", ["claire", "denis"])
def test_a_meeting_of_a_user_on_exchange_and_one_on_caldav_is_one_event(
    ews: EwsServer, radicale: RadicaleServer, tmp_path: Path, sqlite_url: str, first: str
) -> None:
    office = Office(ews, tmp_path / "syncd", sqlite_url, radicale)
    office.add_user("claire")
    client = office.add_dav_user("denis")
    office.meet("claire", "Point", paris(24, 9), uid="m@acme.example", guests=("denis@acme.example", PAUL))
    people = ["ORGANIZER:mailto:claire@acme.example", *(
        f"ATTENDEE;PARTSTAT={answer}:mailto:{email}"
        for email, answer in (("denis@acme.example", "ACCEPTED"), (PAUL, "NEEDS-ACTION"))
    )]  # fmt: skip
    home = radicale.home(office.dav_users["denis"])
    (calendar,) = (one for one in client.members(home) if one != home)
    client.put(f"{calendar}m.ics", event("m@acme.example", "Point", more=people))
    office.sync(first)
    office.settle()
    assert office.subjects() == ["Point"]
    assert office.rows("SELECT email, response FROM event_participant ORDER BY email") == [
        (CLAIRE, "ACCEPTED"),
        ("denis@acme.example", "ACCEPTED"),
        (PAUL, "NO_RESPONSE"),
    ]
    assert [one.text("Subject") for one in office.events("claire")] == ["Point"]
    (copy,) = office.dav_items("denis")
    assert copy.count("BEGIN:VEVENT") == 1
    assert office.mailed == []
    office.desk("claire").edit(only(office), location="Salle 3")
    office.settle()
    (target,) = office.events("claire")
    assert target.text("Location") == "Salle 3"
    assert sorted(one.recipient for one in office.mailed) == ["denis@acme.example", PAUL]
    assert len(office.dav_items("denis")) == 1


def test_a_meeting_made_in_the_crm_is_delivered_answered_moved_and_stays_one_event(office: Office) -> None:
    office.sync()
    id_ = office.desk("claire").add("Revue", participants=("denis", PAUL))
    office.settle()
    assert office.subjects() == ["Revue"]
    (copy,) = office.events("denis")
    assert sorted(one.recipient for one in office.mailed) == ["denis@acme.example", PAUL]
    client = office.client("denis")
    client.edit(client.id_of(copy.item), MyResponseType="Accept")
    office.settle()
    answers = "SELECT email, response FROM event_participant WHERE email LIKE 'd%'"
    assert office.rows(answers) == [("denis@acme.example", "ACCEPTED")]
    office.desk("claire").edit(id_, location="Salle 3")
    office.settle()
    assert office.rows(answers) == [("denis@acme.example", "ACCEPTED")]
    assert {one.text("Location") for name in office.owners for one in office.events(name)} == {"Salle 3"}
    assert [len(office.events(name)) for name in office.owners] == [1, 1]
    assert len(office.mailed) == 4
    assert office.subjects() == ["Revue"]


@pytest.mark.parametrize("first", ["claire", "denis"])
def test_thread_12_a_meeting_in_every_participants_calendar_is_one_event(office: Office, first: str) -> None:
    office.add_user("emma")
    people = tuple(f"{login}@acme.example" for login in office.owners)
    for login in office.owners:
        office.meet(
            login, "Point Teams", paris(24, 9), uid="teams-1", organizer="boss@client.example", guests=people,
            answer="Accept",
        )  # fmt: skip
    office.sync(first)
    office.settle()
    assert office.subjects() == ["Point Teams"]
    assert office.one("SELECT count(*) FROM event_participant WHERE response = 'ACCEPTED'") == 4
    assert {login: len(office.events(login)) for login in office.owners} == dict.fromkeys(office.owners, 1)
    assert office.mailed == []


def test_thread_13_the_second_users_first_sync_mails_nobody(office: Office) -> None:
    office.sync("claire")
    office.desk("claire").add("Revue", participants=(PAUL, "denis"))
    office.sync("claire")
    told = office.mailed
    assert sorted(one.recipient for one in told) == ["denis@acme.example", PAUL]
    (original,) = office.events("claire")
    people = ("denis@acme.example", PAUL)
    if not office.events("denis"):
        office.meet(
            "denis", "Revue", original.start, uid=original.text("UID"), organizer=CLAIRE, guests=people
        )
    for number in range(8):
        guest = f"guest{number}@client.example"
        office.meet("denis", f"Réunion {number}", paris(24, 9), uid=f"own-{number}", guests=(guest,))
    office.settle()
    assert len(office.subjects()) == 9
    assert office.mailed == told


def populated(office: Office) -> list[tuple[str, str]]:
    """Claire's calendar with meetings from both sides, in step; returns what is in it."""
    for number in range(6):
        office.meet("claire", f"Client {number}", paris(24, 9), uid=f"c{number}", guests=(PAUL,))
    office.settle()
    for number in range(6):
        office.desk("claire").add(f"CRM {number}", participants=(PAUL,))
    office.settle()
    office.ews.counts.sent.clear()
    return held(office)


def held(office: Office) -> list[tuple[str, str]]:
    """Ids and change keys."""
    client = office.client("claire")
    return sorted((client.id_of(one.item), office.ews.store.change_key(one.item)) for one in client.events())


def test_thread_14_a_reinstallation_on_an_empty_database_doubles_nothing_and_mails_nobody(
    office: Office, tmp_path: Path, new_database: NewDatabase
) -> None:
    before = populated(office)
    office.folder, office.database_url = tmp_path / "again", new_database("sqlite")
    office.settle()
    assert [ref for ref, _ in held(office)] == [ref for ref, _ in before]
    assert len(office.subjects()) == 12
    assert office.mailed == []


def test_thread_14_a_mailbox_that_is_taken_out_and_put_back_finds_its_events_again(office: Office) -> None:
    before = populated(office)
    database = office.database()
    with database.write() as session:
        for table in ("binding", "pending", "collection"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
    database.close()
    office.settle()
    assert held(office) == before
    assert len(office.subjects()) == 12
    assert office.mailed == []


def weekly(count: int) -> Element:
    return recurrence(
        "WeeklyRecurrence", date(2026, 11, 24), count=count, Interval="1", DaysOfWeek="Tuesday",
        FirstDayOfWeek="Monday",
    )  # fmt: skip


def test_thread_15_an_attendees_sync_does_not_hijack_the_organizers_series(office: Office) -> None:
    people = ("denis@acme.example",)
    copy = office.meet(
        "denis", "Hebdo", paris(24, 9), uid="series", organizer=CLAIRE, guests=people, Recurrence=weekly(8)
    )  # fmt: skip
    office.sync("denis")  # before the organizer's was ever seen
    original = office.meet("claire", "Hebdo", paris(24, 9), uid="series", guests=people, Recurrence=weekly(8))
    office.settle()
    owner = 'SELECT u.login FROM event e JOIN "user" u ON u.id = e.owner_id'
    assert office.one(owner) == "claire"
    key = office.ews.store.change_key(office.client("claire").target(original).item)
    office.client("denis").edit(copy, Subject="Détourné")
    office.settle()
    assert office.subjects() == ["Hebdo"]
    assert office.one(owner) == "claire"
    assert office.ews.store.change_key(office.client("claire").target(original).item) == key
    office.client("denis").delete(copy)
    office.settle()
    assert office.subjects() == ["Hebdo"]
    assert office.mailed == []


def test_thread_16_a_series_that_is_shifted_stays_one_series(office: Office) -> None:
    ref = office.meet("claire", "Suivi", paris(24, 9), uid="s", guests=(PAUL,), Recurrence=weekly(6))
    office.settle()
    office.desk("claire").edit(only(office), occurrence="2026-12-01", subject="Suivi long")
    office.settle()
    office.desk("claire").edit(only(office), start="2026-11-24T11:00", end="2026-11-24T12:00")
    office.settle()
    client = office.client("claire")
    assert [one.text("Subject") for one in client.occurrences(ref)][:3] == ["Suivi", "Suivi long", "Suivi"]
    client.edit(ref, Start="2026-11-24T10:30:00Z", End="2026-11-24T11:30:00Z")
    office.settle()
    assert office.subjects() == ["Suivi"]
    assert [client.id_of(one.item) for one in client.events()] == [ref]
    found = occurrences(
        item_of(office.desk("claire").record(only(office))), office.now, office.now + timedelta(days=90),
        floating=PARIS, cap=50,
    ).found  # fmt: skip
    assert len(found) == 6
    assert {f"{one.when.start.local:%H:%M}" for one in found if one.when.start} == {"11:30"}


def test_thread_17_two_mailboxes_of_one_user_do_not_multiply_each_others_events(
    ews: EwsServer, radicale: RadicaleServer, tmp_path: Path, sqlite_url: str
) -> None:
    office = Office(ews, tmp_path / "syncd", sqlite_url)
    office.add_user("claire")
    office.add_mailbox("claire-2", "claire")
    office.client("claire").add_event("Google", paris(24, 9), paris(24, 10))
    office.client("claire-2").add_event("Outlook", paris(24, 9), paris(24, 10))
    for name in office.owners:
        whose = "" if name == "claire" else CLAIRE
        office.meet(name, "Des deux côtés", paris(24, 9), uid="shared", organizer=whose, guests=(PAUL,))
    office.sync()
    office.desk("claire").add("Du CRM", participants=(PAUL,))
    office.settle()
    counts = [len(office.events(name)) for name in office.owners]
    for _ in range(4):
        office.sync()
    assert office.subjects() == ["Des deux côtés", "Du CRM", "Google", "Outlook"]
    assert [len(office.events(name)) for name in office.owners] == counts
    assert sum(counts) == 5


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_thread_18_an_all_day_event_stays_on_its_day(
    ews: EwsServer, tmp_path: Path, sqlite_url: str, zone: str
) -> None:
    office = Office(ews, tmp_path / "syncd", sqlite_url, timezone=zone)
    office.add_user("claire")
    office.sync()
    office.desk("claire").add("Salon", "2026-12-24", all_day=True)
    office.settle()
    (target,) = office.events("claire")
    first, last = (one.astimezone(ZoneInfo(zone)) for one in (target.start, target.end))
    assert target.text("IsAllDayEvent") == "true"
    assert (first.date(), first.hour, last.date(), last.hour) == (
        date(2026, 12, 24),
        0,
        date(2026, 12, 25),
        0,
    )
    office.desk("claire").edit(only(office), location="Lyon")
    office.settle()
    assert office.rows("SELECT tz, all_day FROM event") in ([("", 1)], [("", True)])


# --- nothing is wiped, nobody is mailed -----------------------------------------------------------


@pytest.mark.parametrize("how", ["emptied", "refused"])
def test_thread_22_a_calendar_that_loses_everything_wipes_nothing_and_cancels_nobodys_meeting(
    office: Office, how: str
) -> None:
    before = populated(office)
    if how == "emptied":
        for ref, _ in before:
            office.client("claire").delete(ref)
    else:
        office.ews.faults.plan(Fault.INTERNAL, "SyncFolderItems", times=50)
    for _ in range(4):
        office.now += timedelta(minutes=30)
        office.sync()
    assert len(office.subjects()) == 12
    assert office.mailed == []


def test_thread_22_a_wipe_that_a_person_lets_go_still_tells_no_guest(office: Office) -> None:
    for ref, _ in populated(office):
        office.client("claire").delete(ref)
    office.sync("claire")
    assert office.state("claire") == MailboxState.BRAKED.name
    office.release("claire")
    office.settle()
    assert office.subjects() == []
    assert office.mailed == []


def test_thread_22_a_wipe_in_the_crm_waits_for_a_person_before_any_guest_hears_of_it(office: Office) -> None:
    before = populated(office)
    for (id_,) in office.rows("SELECT id FROM event"):
        office.desk("claire").cancel(int(str(id_)))
    office.sync()
    assert office.state("claire") == MailboxState.BRAKED.name
    assert held(office) == before
    assert office.mailed == []


def test_thread_24_a_meeting_of_a_whole_department_is_synchronised_without_a_mail(office: Office) -> None:
    department = tuple(f"person{number}@client.example" for number in range(60))
    ref = office.meet("claire", "Assemblée", paris(24, 9), uid="all", guests=department)
    office.settle()
    id_ = only(office)
    account = office.add_account("Client SA")
    desk = office.desk("claire")
    desk.edit(id_, account="Client SA")
    desk.edit(id_, internal_notes="À surveiller")
    desk.edit(id_, alarm=30)
    desk.edit(id_, categories=("Direction",))
    office.settle()
    office.client("claire").edit(ref, Subject="Assemblée générale")
    office.settle()
    assert office.one("SELECT account_id FROM event") == account
    target = office.client("claire").target(ref)
    assert target.text("ReminderMinutesBeforeStart") == "30"
    assert office.mailed == []
    desk.edit(id_, start="2026-11-24T14:00", end="2026-11-24T15:00")
    office.sync("claire")
    assert office.state("claire") == MailboxState.BRAKED.name
    assert office.mailed == []
    office.release("claire")
    office.settle()
    assert sorted(one.recipient for one in office.mailed) == sorted(department)
    assert office.client("claire").target(ref).start == datetime(2026, 11, 24, 13, tzinfo=UTC)
