"""What users of other systems complain about in their calendars, replayed. Each test bears its thread."""

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import When
from connectors.dav.access import DavAccess, Token
from connectors.dav.client import DavConnector
from connectors.errors import OutcomeUnknown, Unreachable
from connectors.testing_calendar import cut_short
from store import brakes
from store.sync_state import MailboxState
from syncd.core.recurrence import occurrences
from syncd.engine.calendar.items import item_of
from tests.servers.calendar_world import event
from tests.servers.databases import NewDatabase
from tests.servers.dav_answers import calendar
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded
from tests.servers.scripted_dav import Reply, Request, ScriptedDav

PAUL = "paul@client.example"
PARIS = ZoneInfo("Europe/Paris")
OWN = "ORGANIZER:mailto:claire@acme.example"


def asked(*emails: str) -> tuple[str, ...]:
    """Claire invites them."""
    return OWN, *(f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{email}" for email in emails)


@pytest.fixture
def company(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, whose servers mail."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.add_user("denis")
    yield world
    world.close()


def subjects(world: MemoryWorld) -> list[object]:
    """Of the events that take place."""
    query = "SELECT subject FROM event WHERE series_id IS NULL AND NOT hidden ORDER BY subject"
    return [subject for (subject,) in world.rows(query)]


def only(world: MemoryWorld) -> int:
    """The id of the only event."""
    id_ = world.one("SELECT id FROM event WHERE series_id IS NULL")
    assert isinstance(id_, int)
    return id_


def state(world: MemoryWorld, name: str) -> object:
    return world.one("SELECT state FROM mailbox WHERE name = :n", n=name)


def release(world: MemoryWorld, name: str) -> None:
    """A person lets go what waits."""
    with world.open().database.write() as session:
        brakes.release(session, name, world.now, actor="admin")


# --- tokens ---------------------------------------------------------------------------------------


def test_thread_10_a_token_that_expires_between_two_looks_is_renewed_and_the_sync_goes_on() -> None:
    """A token is good for one look; another one is had for the next."""
    good = ["t1"]

    def answer(request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {good[0]}":
            return Reply(401, headers={"WWW-Authenticate": "Bearer"})
        return calendar()

    class Tokens:
        """Remembers a token until it is told that the token was refused."""

        kept = "t1"

        def token(self, *, instead_of: str | None = None) -> str:
            self.kept = good[0] if instead_of == self.kept else self.kept
            return self.kept

    with ScriptedDav({"PROPFIND /cal/ 0": answer}) as server:
        url = f"http://{server.host}:{server.port}/cal/"
        access = DavAccess(url, "claire", Token(Tokens()), timeout=timedelta(seconds=5))
        with DavConnector(access) as connector:
            for number in range(2, 6):
                assert [one.ref for one in connector.calendars()] == ["/cal/"]
                good[0] = f"t{number}"
        sent = [one.headers.get("authorization") for one in server.requests]
    assert {f"Bearer t{number}" for number in range(1, 5)} <= set(sent)


# --- one meeting, many calendars ------------------------------------------------------------------


@pytest.mark.parametrize("first", ["claire", "denis"])
def test_thread_12_a_meeting_in_every_participants_calendar_is_one_event(
    company: MemoryWorld, first: str
) -> None:
    company.add_user("emma")
    people = ("ORGANIZER:mailto:boss@client.example", *(
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{login}@acme.example" for login in company.servers
    ), "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.microsoft.com/l/meetup-join/1")  # fmt: skip
    for login in company.servers:
        company.put(login, f"copy-of-{login}", event("teams-1", "Point Teams", more=people))
    company.sync(first)
    company.settle()
    assert subjects(company) == ["Point Teams"]
    assert company.one("SELECT count(*) FROM event_participant WHERE response = 'ACCEPTED'") == 4
    assert {login: len(server.items()) for login, server in company.servers.items()} == dict.fromkeys(
        company.servers, 1
    )
    assert company.mailed() == []


def test_thread_13_the_second_users_first_sync_mails_nobody(company: MemoryWorld) -> None:
    company.desk("claire").add("Revue", participants=(PAUL, "denis"))
    company.sync("claire")
    told = list(company.mailed())
    assert {one.recipient for one in told} == {PAUL, "denis@acme.example"}
    source = company.servers["claire"].sources(CALENDAR).values()
    company.put("denis", "delivered", next(iter(source)))
    for number in range(8):
        people = ("ORGANIZER:mailto:denis@acme.example", f"ATTENDEE:mailto:guest{number}@client.example")
        company.put("denis", f"own-{number}", event(f"own-{number}", more=people))
    company.settle()
    assert len(subjects(company)) == 9
    assert company.mailed() == told


def populated(world: MemoryWorld) -> dict[str, bytes]:
    """Claire's calendar with meetings from both sides, in step; returns what is in it."""
    for number in range(6):
        world.put("claire", f"c{number}", event(f"c{number}", f"Client {number}", more=asked(PAUL)))
    for number in range(6):
        world.desk("claire").add(f"CRM {number}", participants=(PAUL,))
    world.settle()
    world.servers["claire"].mailed.clear()
    return world.servers["claire"].sources(CALENDAR)


def test_thread_14_a_reinstallation_on_an_empty_database_doubles_nothing_and_mails_nobody(
    company: MemoryWorld, tmp_path: Path, new_database: NewDatabase
) -> None:
    before = populated(company)
    company.close()
    company.folder, company.database_url = tmp_path / "again", new_database("sqlite")
    company.settle()
    assert company.servers["claire"].sources(CALENDAR) == before
    assert len(subjects(company)) == 12
    assert company.mailed() == []


def test_thread_14_a_mailbox_that_is_taken_out_and_put_back_finds_its_events_again(
    company: MemoryWorld,
) -> None:
    before = populated(company)
    with company.open().database.write() as session:
        for table in ("binding", "pending", "collection"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
    company.restart()
    company.settle()
    assert company.servers["claire"].sources(CALENDAR) == before
    assert len(subjects(company)) == 12
    assert company.mailed() == []


def test_thread_15_an_attendees_sync_does_not_hijack_the_organizers_series(company: MemoryWorld) -> None:
    people = asked("denis@acme.example")
    series = event("series", "Hebdo", more=("RRULE:FREQ=WEEKLY;COUNT=8", *people))
    copy = company.put("denis", "copy", series)
    company.sync("denis")  # before the organizer's was ever seen
    original = company.put("claire", "original", series)
    company.settle()
    owner = 'SELECT u.login FROM event e JOIN "user" u ON u.id = e.owner_id'
    assert company.one(owner) == "claire"
    company.change(
        "denis", copy, lambda text: text.replace("Hebdo", "Détourné").replace("T090000", "T070000")
    )
    company.settle()
    assert subjects(company) == ["Hebdo"]
    assert company.one(owner) == "claire"
    assert company.servers["claire"].sources(CALENDAR)[original] == series
    company.servers["denis"].remove(copy)
    company.settle()
    assert subjects(company) == ["Hebdo"]
    assert company.mailed() == []


def test_thread_16_a_series_that_is_shifted_stays_one_series(company: MemoryWorld) -> None:
    ref = company.put("claire", "s", event("s", "Suivi", more=("RRULE:FREQ=WEEKLY;COUNT=6", *asked(PAUL))))
    company.settle()
    company.desk("claire").edit(only(company), occurrence="2026-12-01", subject="Suivi long")
    company.settle()
    company.desk("claire").edit(only(company), start="2026-11-24T11:00", end="2026-11-24T12:00")
    company.settle()
    company.change("claire", ref, lambda text: text.replace("20261124T110000", "20261124T113000").replace(
        "20261124T120000", "20261124T123000").replace("20261201T110000", "20261201T113000"))  # fmt: skip
    company.settle()
    assert subjects(company) == ["Suivi"]
    assert list(company.servers["claire"].sources(CALENDAR)) == [ref]
    found = occurrences(
        item_of(company.desk("claire").record(only(company))),
        company.now,
        company.now + timedelta(days=90),
        floating=PARIS,
        cap=50,
    ).found
    assert len(found) == 6
    assert {one.when.start.local.strftime("%H:%M") for one in found if one.when.start} >= {"11:30"}


def test_thread_17_two_mailboxes_of_one_user_do_not_multiply_each_others_events(company: MemoryWorld) -> None:
    company.add_mailbox("claire-2", "claire")
    company.put("claire", "a", event("a", "Google"))
    company.put("claire-2", "b", event("b", "Outlook"))
    shared = event("shared", "Des deux côtés", more=("RRULE:FREQ=DAILY;COUNT=3", *asked(PAUL)))
    company.put("claire", "x", shared)
    company.put("claire-2", "y", shared)
    company.desk("claire").add("Du CRM", participants=(PAUL,))
    company.settle()
    counts = [len(server.items()) for server in company.servers.values()]
    for _ in range(5):
        company.restart()
        company.sync()
    assert subjects(company) == ["Des deux côtés", "Du CRM", "Google", "Outlook"]
    assert [len(server.items()) for server in company.servers.values()] == counts
    assert sum(counts) == 5


# --- times ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/Los_Angeles", "Pacific/Kiritimati", "UTC"])
def test_thread_18_an_all_day_event_stays_on_its_day(company: MemoryWorld, zone: str) -> None:
    company.timezone = zone
    source = event("day").replace(
        b"DTSTART;TZID=Europe/Paris:20261124T090000", b"DTSTART;VALUE=DATE:20261124"
    )
    ref = company.put("claire", "day", source.replace(
        b"DTEND;TZID=Europe/Paris:20261124T100000", b"DTEND;VALUE=DATE:20261125"))  # fmt: skip
    mine = company.desk("claire").add("Salon", "2026-12-24", all_day=True)
    company.settle()
    company.desk("claire").edit(only_of(company, "day"), notes="Vu au CRM", location="Lyon")
    company.settle()
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    assert "DTSTART;VALUE=DATE:20261124\n" in text
    assert "DTEND;VALUE=DATE:20261125\n" in text
    assert "Vu au CRM" in text
    assert "DTSTART;VALUE=DATE:20261224\n" in company.text("claire")
    (made,) = (one for uid, one in company.servers["claire"].items().items() if uid != "day")
    assert (made.main.timing.end, made.main.timing.all_day) == (When(date(2026, 12, 25)), True)
    for id_, day in ((only_of(company, "day"), 24), (mine, 24)):
        values = company.desk("claire").record(id_).main.values
        start, end = (values[name].astimezone(ZoneInfo(zone)) for name in ("start", "end"))
        assert values["all_day"]
        assert (start.day, start.hour, end.day, end.hour) == (day, 0, day + 1, 0)


def only_of(world: MemoryWorld, uid: str) -> int:
    id_ = world.one("SELECT id FROM event WHERE uid = :u AND series_id IS NULL", u=uid)
    assert isinstance(id_, int)
    return id_


@pytest.mark.parametrize("utc", [False, True])
def test_thread_23_a_changed_occurrence_after_the_change_of_clocks_keeps_its_hour(
    company: MemoryWorld, utc: bool
) -> None:
    series = event(
        "s", "Point", "20261124T090000", more=("RRULE:FREQ=WEEKLY;UNTIL=20270601T000000Z",)
    ).decode()
    place = "RECURRENCE-ID:20270413T070000Z" if utc else "RECURRENCE-ID;TZID=Europe/Paris:20270413T090000"
    moved = event("s", "Point décalé", "20270413T140000", more=(place,)).decode()
    body = moved[moved.index("BEGIN:VEVENT") : moved.index("END:VCALENDAR")]
    ref = company.put("claire", "s", series.replace("END:VCALENDAR", body + "END:VCALENDAR").encode())
    company.settle()
    id_ = only_of(company, "s")
    company.desk("claire").edit(id_, occurrence="2027-04-20", location="Salle 2")
    company.desk("claire").edit(id_, occurrence="2027-01-05", location="Salle 3")
    company.settle()
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    for day in ("20270420", "20270105"):
        assert f"RECURRENCE-ID;TZID=Europe/Paris:{day}T090000" in text
        assert f"DTSTART;TZID=Europe/Paris:{day}T090000" in text
    starts = company.rows(
        "SELECT subject, location, start FROM event WHERE series_id IS NOT NULL ORDER BY start"
    )
    assert [(str(start)[:16].replace("T", " "), location) for _, location, start in starts] == [
        ("2027-01-05 08:00", "Salle 3"), ("2027-04-13 12:00", ""), ("2027-04-20 07:00", "Salle 2"),
    ]  # fmt: skip


def test_thread_25_a_moved_occurrence_is_there_once(company: MemoryWorld) -> None:
    ref = company.put("claire", "s", event("s", "Point", more=("RRULE:FREQ=DAILY;COUNT=5",)))
    company.settle()
    id_ = only_of(company, "s")
    company.desk("claire").edit(
        id_, occurrence="2026-11-26", start="2026-12-10T15:00", end="2026-12-10T16:00"
    )
    company.settle()
    found = occurrences(
        item_of(company.desk("claire").record(id_)), company.now, company.now + timedelta(days=60),
        floating=PARIS, cap=50,
    ).found  # fmt: skip
    days = sorted(one.when.start.local.strftime("%m-%d") for one in found if one.when.start)
    assert days == ["11-24", "11-25", "11-27", "11-28", "12-10"]
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    assert text.count("BEGIN:VEVENT") == 2
    assert text.count("UID:s\n") == 2


# --- nothing is wiped -----------------------------------------------------------------------------


@pytest.mark.parametrize("call", ["connect", "calendars", "changes", "read", "update", "create", "find"])
@pytest.mark.parametrize("after", [False, True])
def test_thread_21_a_sync_that_is_interrupted_deletes_nothing_on_either_side(
    company: MemoryWorld, call: str, after: bool
) -> None:
    before = populated(company)
    for nth in (1, 2):
        refs = sorted(before)
        company.change("claire", refs[nth], lambda text: text.replace("SUMMARY:", "SUMMARY:Changé "))
        company.put("claire", f"new{nth}", event(f"new{nth}", f"Nouveau {nth}"))
        company.desk("claire").add(f"Encore {nth}")
        company.desk("claire").edit(only_of_subject(company, f"CRM {nth}"), location=f"Salle {nth}")
        company.servers["claire"].fail(call, nth=1, after=after)
        company.servers["claire"].fail("changes", cut_short, nth=2)
        company.restart()
        company.sync("claire")
        company.sync("claire")
    company.servers["claire"]._faults.clear()
    company.settle()
    assert len(subjects(company)) == 16
    assert len(company.servers["claire"].items()) == 16
    assert company.one("SELECT count(*) FROM event WHERE hidden") == 0


def only_of_subject(world: MemoryWorld, subject: str) -> int:
    id_ = world.one("SELECT id FROM event WHERE subject = :s", s=subject)
    assert isinstance(id_, int)
    return id_


@pytest.mark.parametrize("how", ["emptied", "made anew", "removed", "refused", "no calendars at all"])
def test_thread_22_a_calendar_that_loses_everything_wipes_nothing_and_cancels_nobodys_meeting(
    company: MemoryWorld, how: str
) -> None:
    before = populated(company)
    server = company.servers["claire"]
    if how == "emptied":
        for ref in before:
            server.remove(ref)
    elif how == "made anew":
        server.remake_calendar(CALENDAR)
    elif how in {"removed", "no calendars at all"}:
        server.remove_calendar(CALENDAR)
    else:
        server.refuse_calendar(CALENDAR)
    for _ in range(4):
        company.now += timedelta(minutes=30)
        company.restart()
        company.sync()
    assert len(subjects(company)) == 12
    assert company.mailed() == []


def test_thread_22_a_wipe_that_a_person_lets_go_still_tells_no_guest(company: MemoryWorld) -> None:
    for ref in populated(company):
        company.servers["claire"].remove(ref)
    company.sync("claire")
    assert state(company, "claire") == MailboxState.BRAKED.name
    release(company, "claire")
    company.settle()
    assert subjects(company) == []
    assert company.mailed() == []


def test_thread_22_a_wipe_in_the_crm_waits_for_a_person_before_any_guest_hears_of_it(
    company: MemoryWorld,
) -> None:
    before = populated(company)
    for (id_,) in company.rows("SELECT id FROM event"):
        assert isinstance(id_, int)
        company.desk("claire").cancel(id_)
    company.sync()
    assert state(company, "claire") == MailboxState.BRAKED.name
    assert company.servers["claire"].sources(CALENDAR) == before
    assert company.mailed() == []


# --- who is mailed --------------------------------------------------------------------------------


def test_thread_24_a_meeting_of_a_whole_department_is_synchronised_without_a_mail(
    company: MemoryWorld,
) -> None:
    department = tuple(f"person{number}@client.example" for number in range(60))
    ref = company.put("claire", "all", event("all", "Assemblée", more=asked(*department)))
    company.settle()
    id_ = only(company)
    account = company.add_account("Client SA")
    desk = company.desk("claire")
    desk.edit(id_, account="Client SA")
    desk.edit(id_, internal_notes="À surveiller")
    desk.edit(id_, alarm=30)
    desk.edit(id_, categories=("Direction",))
    company.settle()
    company.change("claire", ref, lambda text: text.replace("Assemblée", "Assemblée générale"))
    company.settle()
    assert company.one("SELECT account_id FROM event") == account
    assert "TRIGGER:-PT30M" in company.text("claire")
    assert company.mailed() == []
    desk.edit(id_, start="2026-11-24T14:00", end="2026-11-24T15:00")
    company.sync("claire")
    assert state(company, "claire") == MailboxState.BRAKED.name
    assert company.mailed() == []
    release(company, "claire")
    company.settle()
    assert sorted(one.recipient for one in company.mailed()) == sorted(department)


# --- more -----------------------------------------------------------------------------------------


def test_vdirsyncer_521_changes_of_both_sides_in_different_fields_are_both_kept(company: MemoryWorld) -> None:
    ref = company.put("claire", "one", event("one", "Avant", more=("LOCATION:Ici", "DESCRIPTION:Une\\nDeux")))
    company.settle()
    company.change(
        "claire", ref, lambda text: text.replace("SUMMARY:Avant", "SUMMARY:Après").replace("Une\\n", "Un\\n")
    )
    company.desk("claire").edit(only(company), location="Là", notes="Une\nDeux et demi")
    company.settle()
    values = company.desk("claire").record(only(company)).main.values
    assert (values["subject"], values["location"], values["notes"]) == ("Après", "Là", "Un\nDeux et demi")
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    assert {"SUMMARY:Après", "LOCATION:Là", "DESCRIPTION:Un\\nDeux et demi"} <= set(text.splitlines())
    assert company.one("SELECT count(*) FROM conflict") == 0


@pytest.mark.parametrize("times", [2, 3])
def test_vdirsyncer_1093_and_1140_one_uid_in_several_resources_stops_nothing_else(
    company: MemoryWorld, times: int
) -> None:
    for number in range(times):
        company.put("claire", f"clash{number}", event("clash", f"Double {number}"))
    company.put("claire", "good", event("good", "Bon"))
    before = company.servers["claire"].sources(CALENDAR)
    company.settle()
    assert len([one for one in subjects(company) if str(one).startswith("Double")]) == 1
    assert "Bon" in subjects(company)
    assert company.servers["claire"].sources(CALENDAR) == before
    company.desk("claire").edit(only_of(company, "good"), subject="Meilleur")
    company.settle()
    assert "SUMMARY:Meilleur" in company.text("claire")
    assert len(company.servers["claire"].sources(CALENDAR)) == times + 1


def test_vdirsyncer_1092_another_order_of_time_zones_is_no_change(company: MemoryWorld) -> None:
    def zone(name: str, offset: str) -> str:
        return (
            f"BEGIN:VTIMEZONE\nTZID:{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
            f"TZOFFSETFROM:{offset}\nTZOFFSETTO:{offset}\nEND:STANDARD\nEND:VTIMEZONE\n"
        )

    first, second = zone("Europe/Paris", "+0100"), zone("Custom One", "+0300")
    source = event(
        "one", "Fuseaux", more=("EXDATE;TZID=Custom One:20261125T090000", "RRULE:FREQ=DAILY;COUNT=4")
    )
    plain = source.decode().replace("\r\n", "\n")
    ref = company.put(
        "claire", "one", plain.replace("BEGIN:VEVENT", first + second + "BEGIN:VEVENT").encode()
    )
    company.settle()
    version = company.one("SELECT version FROM event")
    company.desk("claire").edit(only(company), subject="Du CRM")
    company.put("claire", "one", plain.replace("BEGIN:VEVENT", second + first + "BEGIN:VEVENT").encode())
    company.settle()
    assert company.one("SELECT version FROM event") == int(str(version)) + 1
    assert company.one("SELECT count(*) FROM conflict") == 0
    assert "SUMMARY:Du CRM" in unfolded(company.servers["claire"].sources(CALENDAR)[ref])


def test_vdirsyncer_1155_a_server_that_alters_what_it_is_given_stays_in_step(company: MemoryWorld) -> None:
    """Unchanged on both sides, and yet not the same: each later change still travels."""
    server = company.servers["claire"]
    server.rewrite = lambda source: b"\r\n".join(
        line for line in source.split(b"\r\n") if not line.startswith(b"LOCATION")
    )
    server.tells_rewrites = False
    id_ = company.desk("claire").add("Visite", location="Lyon")
    company.settle()
    company.desk("claire").edit(id_, subject="Visite longue")
    company.settle()
    (ref,) = server.sources(CALENDAR)
    assert "SUMMARY:Visite longue" in company.text("claire")
    company.change(
        "claire", ref, lambda text: text.replace("SUMMARY:Visite longue", "SUMMARY:Visite\nLOCATION:Nice")
    )
    company.settle()
    values = company.desk("claire").record(id_).main.values
    assert (values["subject"], values["location"]) == ("Visite", "Nice")
    assert company.one("SELECT count(*) FROM binding WHERE state = 'FROZEN'") == 0


def test_outlookcaldav_485_a_database_put_back_from_a_backup_doubles_nothing(
    company: MemoryWorld, tmp_path: Path
) -> None:
    populated(company)
    company.close()
    database = Path(company.database_url.removeprefix("sqlite:///"))
    backup = Path(shutil.copyfile(database, tmp_path / "backup.db"))
    for number in range(3):
        company.desk("claire").add(f"Perdu {number}")
        company.put("claire", f"late{number}", event(f"late{number}", f"Tardif {number}"))
    company.settle()
    before = company.servers["claire"].sources(CALENDAR)
    company.close()
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        database.with_name(name).unlink(missing_ok=True)
    shutil.copyfile(backup, database)
    company.settle()
    assert company.servers["claire"].sources(CALENDAR).keys() == before.keys()
    assert len(subjects(company)) == 18
    company.desk("claire").add("Après la panne")
    company.desk("claire").add("Et encore")
    company.settle()
    assert len(subjects(company)) == 20
    assert len(company.servers["claire"].items()) == 20
    assert company.mailed() == []


def test_outlookcaldav_485_what_is_made_before_the_lost_items_come_back_is_not_mixed_up_with_them(
    company: MemoryWorld, tmp_path: Path
) -> None:
    """A record made after the restore has the number of one that was lost."""
    company.desk("claire").add("Premier")
    company.settle()
    company.close()
    database = Path(company.database_url.removeprefix("sqlite:///"))
    backup = Path(shutil.copyfile(database, tmp_path / "backup.db"))
    company.desk("claire").add("Perdu")
    company.settle()
    company.close()
    for name in (database.name, f"{database.name}-wal", f"{database.name}-shm"):
        database.with_name(name).unlink(missing_ok=True)
    shutil.copyfile(backup, database)
    company.desk("claire").add("Autre chose", "2026-12-01T10:00")
    company.settle()
    assert subjects(company) == ["Autre chose", "Perdu", "Premier"]
    assert sorted(one.main.subject for one in company.servers["claire"].items().values()) == [
        "Autre chose", "Perdu", "Premier",
    ]  # fmt: skip


def test_outlookcaldav_442_a_client_that_is_quicker_loses_nothing(company: MemoryWorld) -> None:
    ref = company.put("claire", "one", event("one", "Avant"))
    company.settle()
    company.desk("claire").edit(only(company), location="Du CRM")
    company.servers["claire"].before(
        "update", lambda: company.change("claire", ref, lambda text: text.replace("Avant", "Du client"))
    )
    company.settle()
    text = unfolded(company.servers["claire"].sources(CALENDAR)[ref])
    assert {"SUMMARY:Du client", "LOCATION:Du CRM"} <= set(text.splitlines())
    assert subjects(company) == ["Du client"]


def test_outlookcaldav_390_a_server_that_denies_what_it_was_given_deletes_nothing_in_the_crm(
    company: MemoryWorld,
) -> None:
    ids = [company.desk("claire").add(f"CRM {number}") for number in range(5)]
    company.settle()
    for ref in company.servers["claire"].sources(CALENDAR):
        company.servers["claire"].vanish(ref)
        company.change("claire", ref, lambda text: text.replace("SUMMARY:", "SUMMARY:X "))
        company.servers["claire"].vanish(ref)
    for _ in range(3):
        company.sync()
    assert len(subjects(company)) == len(ids)


def test_outlookcaldav_457_an_occurrence_that_is_changed_twice(company: MemoryWorld) -> None:
    series = event(
        "s", "Point", more=("RRULE:FREQ=DAILY;COUNT=5", *asked(PAUL, "marc@other.example"))
    ).decode()
    place = "RECURRENCE-ID;TZID=Europe/Paris:20261126T090000"
    alone = event("s", "Point", "20261126T090000", more=(place, *asked(PAUL))).decode()
    body = alone[alone.index("BEGIN:VEVENT") : alone.index("END:VCALENDAR")]
    company.put("claire", "s", series.encode())
    company.settle()
    company.put("claire", "s", series.replace("END:VCALENDAR", body + "END:VCALENDAR").encode())
    company.settle()
    later = body.replace("20261126T090000\r\nDTEND", "20261126T160000\r\nDTEND").replace("T100000", "T170000")
    company.put("claire", "s", series.replace("END:VCALENDAR", later + "END:VCALENDAR").encode())
    company.settle()
    record = company.desk("claire").record(only(company))
    (changed,) = record.overrides
    assert str(changed.values["start"])[:16] == "2026-11-26 15:00"
    assert [one.email for one in changed.participants if one.attending] == [PAUL]
    assert company.mailed() == []


@pytest.mark.parametrize("fault", ["no answer", "the line breaks"])
def test_odoo_229646_an_insert_whose_answer_never_comes_doubles_nothing(
    company: MemoryWorld, fault: str
) -> None:
    make = None if fault == "no answer" else lambda: OutcomeUnknown("the line broke")
    id_ = company.desk("claire").add("Rendez-vous", participants=(PAUL,))
    for nth in (1, 2):
        company.servers["claire"].fail("create", make, nth=nth, after=True)
    company.servers["claire"].fail("find", lambda: Unreachable("still nothing"))
    for _ in range(3):
        company.restart()
        company.sync()
    company.settle()
    assert subjects(company) == ["Rendez-vous"]
    assert len(company.servers["claire"].items()) == 1
    assert [one.recipient for one in company.mailed()] == [PAUL]
    company.desk("claire").edit(id_, subject="Rendez-vous ferme")
    company.servers["claire"]._faults.clear()
    company.servers["claire"].fail("update", make, after=True)
    company.settle()
    assert [one.recipient for one in company.mailed()] == [PAUL, PAUL]
    assert len(company.servers["claire"].items()) == 1
