"""What users of other systems complain about in their calendars, replayed. Each test bears its thread."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import When
from connectors.dav.access import DavAccess, Token
from connectors.dav.client import DavConnector
from syncd.core.recurrence import occurrences
from syncd.engine.calendar.items import item_of
from tests.servers.calendar_world import event
from tests.servers.complaints import asked, only, only_of, populated, subjects
from tests.servers.databases import NewDatabase
from tests.servers.dav_answers import calendar
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded
from tests.servers.scripted_dav import Reply, Request, ScriptedDav

PAUL = "paul@client.example"
PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def company(tmp_path: Path, sqlite_url: str) -> Iterator[MemoryWorld]:
    """Claire and Denis, whose servers mail."""
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.add_user("denis")
    yield world
    world.close()


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
