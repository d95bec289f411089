"""Whatever happens to calendars, at the most talkative level: no secret and nothing of an event is logged."""

import io
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from sqlalchemy import event as happening

from connectors.calendar import Dress
from connectors.dav.access import DavAccess, Password
from connectors.dav.client import DavConnector
from connectors.errors import SyncdError
from connectors.ical.reading import read
from syncd.daemon import logs
from syncd.daemon.wiring import Installation
from syncd.engine.calendar import cycle, push
from tests.integration.test_log_privacy import Watched
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.desk import Desk
from tests.servers.dovecot import Account
from tests.servers.memory_world import MemoryWorld
from tests.servers.radicale import RadicaleServer
from tests.servers.scripted_dav import Reply, Request, ScriptedDav

pytestmark = pytest.mark.usefixtures("restored_logging")

PASSWORD = "canary-password-x7"
SUBJECT = "canari-objet"
NOTES = "canari-notes"
PLACE = "canari-lieu"
GUEST = "canari.client@client.example"
NAME = "Canari-Client"
DEAL = "CANARI-DEAL"
CANARIES = {PASSWORD, SUBJECT, NOTES, PLACE, GUEST, "canari.client", "client.example", NAME, DEAL}
LINES = (
    f"DESCRIPTION:{NOTES}", f"LOCATION:{PLACE}", f"CATEGORIES:{NOTES}", f"X-ALT-DESC:{NOTES}",
    "ORGANIZER:mailto:claire@acme.example", f"ATTENDEE;CN={NAME}:mailto:{GUEST}",
)  # fmt: skip


@pytest.fixture(params=["json", "console"])
def watched(
    request: pytest.FixtureRequest, radicale: RadicaleServer, sqlite_url: str, tmp_path: Path
) -> Watched[CalendarWorld]:
    """Claire, her calendar on a Radicale, and canaries all over it."""
    world = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.users["claire"] = radicale.add_user(world.users["claire"].username, PASSWORD)
    account = world.add_account(NAME)
    world.add_contact(account, GUEST)
    world.add_opportunity(account, DEAL)
    made = Watched(world, request.param)
    made.canaries = set(CANARIES)
    return made


def put(watched: Watched[CalendarWorld], name: str, *more: str, subject: str = SUBJECT) -> str:
    return watched.world.put("claire", name, event(name, subject, more=(*LINES, *more)))


def test_events_that_travel_both_ways_are_told_by_numbers(watched: Watched[CalendarWorld]) -> None:
    put(watched, "one")
    put(watched, "series", "RRULE:FREQ=DAILY;COUNT=4")
    put(watched, "private", "CLASS:PRIVATE")
    watched.cycles()
    desk = Desk(watched.world, "claire")
    id_ = desk.add(
        SUBJECT, location=PLACE, notes=NOTES, participants=(GUEST,), account=NAME, internal_notes=NOTES
    )
    watched.cycles()
    desk.edit(id_, subject=f"{SUBJECT} changé")
    watched.cycles(2)
    assert watched.world.one("SELECT count(*) FROM event WHERE subject LIKE 'canari%'") == 3
    # One more is written beside: not after a first look.
    assert watched.world.one("SELECT count(*) FROM binding") == 4 + 1
    watched.check("cycle ended")


BROKEN = (
    f"DTSTART:{SUBJECT}",
    f"RRULE:FREQ={NOTES}",
    f"DTSTART;TZID={PLACE}:{NOTES}",
    f"RECURRENCE-ID:{SUBJECT}",
    f"{SUBJECT} {GUEST}",
    f"END:VALARM\nBEGIN:{SUBJECT}",
)


@pytest.mark.parametrize("style", ["json", "console"])
@pytest.mark.parametrize("broken", BROKEN)
def test_an_item_that_cannot_be_read_is_told_by_its_place(
    tmp_path: Path, sqlite_url: str, broken: str, style: Literal["json", "console"]
) -> None:
    out = io.StringIO()
    logs.configure("debug", style, out)
    world = MemoryWorld(tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.put("claire", "good", event("good", SUBJECT, more=LINES))
    source = event("broken", SUBJECT, more=(*LINES, broken)).replace(
        b"DTSTART;TZID=Europe", b"X-START;TZID=Europe"
    )
    world.put("claire", "broken", source)
    world.sync()
    world.sync()
    world.close()
    assert world.one("SELECT count(*) FROM quarantine") == 1
    log = out.getvalue().casefold()
    assert "an item cannot be read" in log
    assert [canary for canary in CANARIES if canary.casefold() in log] == []


def test_a_conflict_tells_that_there_was_one_and_no_more(watched: Watched[CalendarWorld]) -> None:
    put(watched, "one")
    watched.cycles()
    put(watched, "one", subject=f"{SUBJECT} du client")
    id_ = watched.world.one("SELECT id FROM event")
    assert isinstance(id_, int)
    Desk(watched.world, "claire").edit(id_, subject=f"{SUBJECT} du CRM", location=f"{PLACE} du CRM")
    watched.cycles(2)
    assert watched.world.one("SELECT count(*) FROM conflict") == 1
    watched.check("cycle ended")


def test_a_brake_tells_how_many_and_not_which(watched: Watched[CalendarWorld]) -> None:
    paths = [put(watched, f"e{number}") for number in range(12)]
    watched.cycles()
    for path in paths:
        watched.world.client("claire").delete(path)
    watched.cycles(2)
    assert watched.world.one("SELECT state FROM mailbox") == "BRAKED"
    watched.check("the brake is on")


def test_a_refused_login_tells_no_password(watched: Watched[CalendarWorld]) -> None:
    good = watched.world.users["claire"]
    watched.world.users["claire"] = Account(good.username, f"{PASSWORD}-wrong")
    watched.cycles(2)
    assert watched.world.one("SELECT state FROM mailbox") == "NEEDS_ATTENTION"
    watched.check("mailbox cannot be worked on")


def test_a_calendar_that_is_gone_is_told_by_its_name(watched: Watched[CalendarWorld]) -> None:
    put(watched, "one")
    watched.cycles()
    watched.world.client("claire").delete(watched.world.calendars["claire"])
    watched.cycles(2)
    assert watched.world.one("SELECT count(*) FROM event WHERE hidden") == 0
    watched.check("calendar cannot be read")


@pytest.mark.parametrize("place", ["observe", "read", "carry"])
def test_a_defect_in_a_cycle_is_told_by_its_kind_and_place(
    watched: Watched[CalendarWorld], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    put(watched, "one")

    def defective(*_: object, **__: object) -> None:
        local = {SUBJECT: NOTES}
        raise KeyError(f"{SUBJECT} {GUEST} {PASSWORD} {local}")

    monkeypatch.setattr(cycle, place, defective)
    watched.cycles(2)
    monkeypatch.undo()
    watched.check("a defect of syncd", "KeyError")
    watched.cycles()
    assert watched.world.one("SELECT count(*) FROM event") == 1


def test_a_defect_while_something_is_written(
    watched: Watched[CalendarWorld], monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.cycles()
    Desk(watched.world, "claire").add(SUBJECT, location=PLACE, notes=NOTES, participants=(GUEST,))

    def defective(*_: object, **__: object) -> None:
        try:
            int(f"{NOTES} {GUEST}")
        except ValueError as error:
            raise RuntimeError(SUBJECT) from error

    monkeypatch.setattr(push, "believed", defective)
    watched.cycles()
    monkeypatch.undo()
    watched.cycles(2)
    assert sum("ATTENDEE" in text for text in watched.world.items("claire").values()) == 1
    watched.check("a defect of syncd", "RuntimeError", "a write without an answer was looked up")


@pytest.mark.parametrize("table", ["event", "event_participant", "binding", "decision"])
def test_a_database_that_refuses_a_row_does_not_tell_the_row(
    watched: Watched[CalendarWorld], table: str
) -> None:
    put(watched, "one")

    def harm(installation: Installation) -> None:
        def lock_up(_conn: object, _cursor: object, statement: str, *_: object) -> tuple[str, object]:
            if statement.startswith(f"INSERT INTO {table} "):
                statement = statement.replace(f"INTO {table}", "INTO no_such_table")
            return statement, _[0]

        happening.listen(installation.database.engine, "before_cursor_execute", lock_up, retval=True)

    watched.cycles(2, harm=harm)
    assert watched.world.one("SELECT count(*) FROM event") == 0
    watched.check("mailbox cannot be worked on")


# --- what the server says of an item --------------------------------------------------------------


@pytest.mark.parametrize(
    "status", [400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 423, 429, 500, 503, 507]
)
def test_the_message_of_a_refused_write_repeats_nothing_of_what_the_server_says(status: int) -> None:
    """Such messages go into the log, the report and the quarantine. The server sends the item back."""

    def echo(request: Request) -> Reply:
        head = f"{SUBJECT} {PASSWORD}".encode()
        return Reply(status, head + request.body, headers={"X-Reason": SUBJECT, "Retry-After": "1"})

    item = read(event("one", SUBJECT, more=LINES))
    with ScriptedDav({"(PUT|DELETE|GET|REPORT) .*": echo, "PROPFIND .*": Reply(207, _PRINCIPAL)}) as server:
        url = f"http://{server.host}:{server.port}/cal/"
        access = DavAccess(url, "claire", Password(lambda: PASSWORD), timeout=timedelta(seconds=2))
        said = []
        for work in _writes(item):
            try:
                with DavConnector(access) as connector:
                    work(connector)
            except SyncdError as error:
                said.append(f"{error} {error!r} {getattr(error, 'locator', '')}")
    assert said
    assert [canary for canary in CANARIES if canary in "".join(said)] == []


_PRINCIPAL = (
    b'<?xml version="1.0"?><multistatus xmlns="DAV:"><response><href>/cal/</href><propstat><prop>'
    b"<resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>"
    b"</multistatus>"
)


def _writes(item: object) -> Iterator[Callable[[DavConnector], object]]:
    from connectors.calendar import Item, RemoteItem

    assert isinstance(item, Item)
    current = RemoteItem("/cal/one.ics", '"1"', item, event("one", "Avant"))
    yield lambda one: one.create("/cal/", item, Dress(), notify=False)
    yield lambda one: one.update(current, item, Dress(), notify=False)
    yield lambda one: one.delete(current, notify=False)
    yield lambda one: list(one.read("/cal/", ["/cal/one.ics"]))
    yield lambda one: one.find("/cal/", "one")
    yield lambda one: one.changes("/cal/", "")
