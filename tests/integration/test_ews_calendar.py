"""Calendars and tasks of an Exchange server through the connector: what it reads, and what it leaves behind.

The server's own state is what is asserted, and what left it as mail.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from connectors.calendar import (
    Attendee,
    Component,
    Dress,
    Item,
    Kind,
    Missing,
    Privacy,
    RemoteItem,
    Response,
    Status,
    Timing,
    When,
)
from connectors.errors import (
    CollectionError,
    Conflict,
    ItemError,
    OutcomeUnknown,
    ProtocolViolation,
    RateLimited,
    Unreachable,
)
from connectors.ews.access import Entry, EwsAccess, Password
from connectors.ews.calendar.client import EwsCalendarConnector
from tests.servers.ews.faults import Fault
from tests.servers.ews.mail import mailbox
from tests.servers.ews.other_client import OtherClient, attendees
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OWNER = "claire@acme.example"
DRESS = Dress("acme/1", "Acme", "Offre", "Compte : Acme")
PARIS = "Europe/Paris"


class Desk:
    """A mailbox, seen through the connector and from behind."""

    def __init__(self, server: EwsServer) -> None:
        self.server = server
        password = server.add_mailbox(OWNER)
        self.other = OtherClient(server, OWNER)
        self.access = EwsAccess(
            OWNER,
            Password(OWNER, lambda: password, "basic"),
            url=server.url,
            ca_file=server.ca_file,
            timeout=timedelta(seconds=10),
        )
        self.connector = EwsCalendarConnector(self.access, zone=PARIS, clock=lambda: NOW)

    def open(self) -> None:
        """Finds the folders."""
        infos = {one.name: one.ref for one in self.connector.calendars()}
        self.calendar, self.tasks = infos["Calendar"], infos["Tasks"]

    def connector_anew(self) -> EwsCalendarConnector:
        """The connector, after it was left because of an error."""
        self.connector.__exit__(None, None, None)
        return self.connector.__enter__()

    def create(self, item: Item, dress: Dress = DRESS, *, notify: bool = True) -> RemoteItem:
        calendar = self.calendar if item.kind is Kind.EVENT else self.tasks
        return self.connector.create(calendar, item, dress, notify=notify)

    def everything(self) -> dict[str, RemoteItem | Missing | ItemError]:
        listed = self.connector.changes(self.calendar, "").listed
        found = self.connector.read(self.calendar, [one.ref for one in listed])
        return {one.ref if not isinstance(one, ItemError) else one.locator: one for one in found}

    def read(self, ref: str, calendar: str = "") -> RemoteItem:
        (found,) = self.connector.read(calendar or self.calendar, [ref])
        assert isinstance(found, RemoteItem), found
        return found

    def request(self, operation: str) -> int:
        return self.server.counts.operations[operation]


@pytest.fixture
def desk(ews: EwsServer) -> Iterator[Desk]:
    made = Desk(ews)
    with made.connector:
        made.open()
        yield made


def at(day: int, hour: int, zone: str = PARIS) -> When:
    return When(datetime(2026, 12, day, hour), zone)  # noqa: DTZ001 - wall-clock time


def event(uid: str = "1@crm.example", **values: object) -> Item:
    main = Component(Timing(at(1, 10), at(1, 11)), subject="Visite")
    return Item(uid, Kind.EVENT, (replace(main, **values),))  # type: ignore[arg-type]


def weekly(uid: str = "w@crm.example", count: int = 10, **values: object) -> Item:
    timing = Timing(at(1, 10), at(1, 11), rrule=f"FREQ=WEEKLY;BYDAY=TU;COUNT={count}")
    return event(uid, timing=timing, subject="Point hebdo", **values)


def with_override(item: Item, day: int, **values: object) -> Item:
    main = item.main
    start = at(day, 10)
    one = replace(
        main,
        timing=Timing(start, at(day, 11)),
        recurrence_id=start,
        **values,  # type: ignore[arg-type]
    )
    return replace(item, components=(*item.components, one))


def without(item: Item, *days: int) -> Item:
    timing = replace(item.main.timing, exdates=tuple(at(day, 10) for day in days))
    return replace(item, components=(replace(item.main, timing=timing), *item.components[1:]))


def changed(item: Item, **values: object) -> Item:
    return replace(item, components=(replace(item.main, **values), *item.components[1:]))  # type: ignore[arg-type]


# --- one event ------------------------------------------------------------------------------------


def test_what_is_written_is_what_is_read_and_what_the_server_has(desk: Desk) -> None:
    item = event(
        location="Lyon",
        notes="Un\nDeux",
        alarms=frozenset({"-PT30M"}),
        categories=frozenset({"Visite", "Client"}),
        privacy=Privacy.CONFIDENTIAL,
    )
    made = desk.create(item)
    assert made.item == item
    assert made.item.crm_id == "acme/1"
    assert desk.read(made.ref) == made
    (target,) = desk.other.events()
    assert target.text("Subject") == "Visite"
    assert target.text("UID") == "1@crm.example"
    assert target.start == datetime(2026, 12, 1, 9, tzinfo=UTC)
    assert target.text("StartTimeZoneId") == "Romance Standard Time"
    assert target.text("ReminderMinutesBeforeStart") == "30"
    assert target.text("Body") == "Un\nDeux\n\n--- CRM ---\nCompte : Acme\n--- fin CRM ---"
    assert desk.server.counts.sent == []


def test_an_update_sends_only_what_changed(desk: Desk) -> None:
    made = desk.create(event(notes="Notes"))
    again = desk.connector.update(made, changed(made.item, location="Nice"), DRESS, notify=True)
    assert again.item.main.location == "Nice"
    assert again.version not in {"", made.version}
    before = desk.request("UpdateItem")
    assert desk.connector.update(again, again.item, DRESS, notify=True).version == again.version
    assert desk.request("UpdateItem") == before


def test_a_change_by_somebody_else_is_a_conflict_and_stays(desk: Desk) -> None:
    made = desk.create(event())
    desk.other.edit(made.ref, Subject="Leur titre")
    with pytest.raises(Conflict):
        desk.connector.update(made, changed(made.item, subject="Notre titre"), DRESS, notify=True)
    with pytest.raises(Conflict):
        desk.connector.delete(made, notify=True)
    assert [one.text("Subject") for one in desk.other.events()] == ["Leur titre"]


def test_a_taken_uid_is_a_conflict_whoever_took_it(desk: Desk) -> None:
    desk.create(event())
    desk.other.add_event(
        "Autre",
        datetime(2026, 12, 3, 9, tzinfo=UTC),
        datetime(2026, 12, 3, 10, tzinfo=UTC),
        UID="2@other.example",
    )
    for uid in ("1@crm.example", "2@other.example"):
        with pytest.raises(Conflict):
            desk.create(event(uid))
    assert len(desk.other.events()) == 2
    found = desk.connector.find(desk.calendar, "2@other.example")
    assert found is not None
    assert found.item.main.subject == "Autre"
    assert desk.connector.find(desk.calendar, "3@other.example") is None


def test_a_create_without_an_answer_is_looked_up_by_its_uid(desk: Desk) -> None:
    desk.server.faults.plan(Fault.RESET_AFTER, "CreateItem")
    with pytest.raises(OutcomeUnknown):
        desk.create(event())
    assert len(desk.other.events()) == 1
    with EwsCalendarConnector(desk.access, zone=PARIS, clock=lambda: NOW) as fresh:
        found = fresh.find(desk.calendar, "1@crm.example")
    assert found is not None
    assert found.item == event()


def test_a_deleted_event_lies_in_deleted_items(desk: Desk) -> None:
    made = desk.create(event())
    desk.connector.delete(made, notify=True)
    desk.connector.delete(made, notify=True)
    assert desk.other.events() == []
    assert len(desk.other.items("deleteditems")) == 1


@pytest.mark.parametrize(
    "zone", ["Europe/Brussels", "Europe/Paris", "America/New_York", "Asia/Kolkata", "UTC"]
)
def test_a_zone_comes_back_under_its_own_name(desk: Desk, zone: str) -> None:
    item = event(timing=Timing(at(1, 10, zone), at(1, 11, zone)))
    made = desk.create(item)
    assert made.item == item
    moved = changed(made.item, timing=Timing(at(2, 10, zone), at(2, 11, zone)))
    assert desk.connector.update(made, moved, DRESS, notify=False).item == moved


def test_a_zone_that_exchange_does_not_have_is_refused(desk: Desk) -> None:
    for zone in ("", "Europe/Nowhere", "Custom zone"):
        with pytest.raises(ItemError, match="zone"):
            desk.create(event(timing=Timing(at(1, 10, zone), at(1, 11, zone))))
    assert desk.other.events() == []


def test_a_whole_day_stays_the_day_that_it_is(desk: Desk) -> None:
    """Odoo issue 8267: all-day events one day early."""
    timing = Timing(When(date(2026, 12, 24)), When(date(2026, 12, 27)))
    made = desk.create(event(timing=timing))
    assert made.item.main.timing == timing
    (target,) = desk.other.events()
    assert target.text("IsAllDayEvent") == "true"
    assert (target.start, target.end) == (
        datetime(2026, 12, 23, 23, tzinfo=UTC),
        datetime(2026, 12, 26, 23, tzinfo=UTC),
    )
    ref = desk.other.add_event(
        "Leur jour",
        datetime(2026, 12, 24, 5, tzinfo=UTC),
        datetime(2026, 12, 25, 5, tzinfo=UTC),
        zone="Eastern Standard Time",
        IsAllDayEvent="true",
    )
    assert desk.read(ref).item.main.timing == Timing(When(date(2026, 12, 24)), When(date(2026, 12, 25)))


def test_html_notes_stay_html_and_only_the_changed_line_changes(desk: Desk) -> None:
    html = '<html><body><p class="a">Un <b>gras</b></p><p>Deux</p></body></html>'
    ref = desk.other.add_event(
        "Visite",
        datetime(2026, 12, 1, 9, tzinfo=UTC),
        datetime(2026, 12, 1, 10, tzinfo=UTC),
        Body=typed("Body", html, BodyType="HTML"),
    )
    current = desk.read(ref)
    assert current.item.main.notes == "Un gras\n\nDeux"
    moved = desk.connector.update(current, changed(current.item, location="Lyon"), Dress(), notify=False)
    assert desk.other.target(ref).text("Body") == html
    dressed = desk.connector.update(moved, moved.item, DRESS, notify=False)
    assert desk.other.target(ref).text("Body").startswith(html.removesuffix("</body></html>"))
    assert dressed.item == moved.item
    edited = desk.connector.update(
        dressed, changed(dressed.item, notes="Un gras\n\nTrois"), DRESS, notify=False
    )
    assert edited.item.main.notes == "Un gras\n\nTrois"
    assert '<p class="a">Un <b>gras</b></p><p>Trois</p>' in desk.other.target(ref).text("Body")
    bare = desk.connector.update(edited, edited.item, Dress(), notify=False)
    assert "CRM" not in desk.other.target(ref).text("Body")
    assert bare.item.main.notes == "Un gras\n\nTrois"


def test_what_kind_of_busy_it_is_stays_while_it_is_busy(desk: Desk) -> None:
    ref = desk.other.add_event(
        "Congé",
        datetime(2026, 12, 1, 9, tzinfo=UTC),
        datetime(2026, 12, 1, 10, tzinfo=UTC),
        LegacyFreeBusyStatus="OOF",
    )
    current = desk.read(ref)
    assert current.item.main.busy
    kept = desk.connector.update(current, changed(current.item, subject="Congés"), Dress(), notify=False)
    assert desk.other.target(ref).text("LegacyFreeBusyStatus") == "OOF"
    desk.connector.update(kept, changed(kept.item, busy=False), Dress(), notify=False)
    assert desk.other.target(ref).text("LegacyFreeBusyStatus") == "Free"


def test_alarms_that_exchange_cannot_have_come_back_while_its_own_stays(desk: Desk) -> None:
    alarms = frozenset({"-P1D", "-PT15M", "20261122T080000Z", "EMAIL:-PT1H"})
    made = desk.create(event(alarms=alarms, status=Status.TENTATIVE, video_url="https://meet.google.com/abc"))
    assert made.item.main.alarms == alarms
    desk.other.edit(made.ref, ReminderMinutesBeforeStart="5")
    found = desk.read(made.ref).item.main
    assert (set(found.alarms), found.status) == ({"-PT5M"}, Status.TENTATIVE)
    assert found.video_url == "https://meet.google.com/abc"


# --- meetings -------------------------------------------------------------------------------------


def test_guests_are_mailed_only_where_that_is_allowed(desk: Desk) -> None:
    guests = (Attendee("anna@client.example"), Attendee("bob@acme.example"))
    meeting = event(organizer=OWNER, attendees=guests)
    quiet = desk.create(meeting, Dress("1"), notify=False)
    assert quiet.item == meeting
    assert desk.server.counts.sent == []
    moved = desk.connector.update(quiet, changed(quiet.item, location="Lyon"), Dress("1"), notify=True)
    told = desk.server.counts.sent
    assert sorted(one.recipient for one in told) == ["anna@client.example", "bob@acme.example"]
    personal = changed(moved.item, alarms=frozenset({"-PT5M"}), categories=frozenset({"A"}))
    own = desk.connector.update(moved, personal, Dress("1"), notify=True)
    assert len(told) == 2
    more = (*guests, Attendee("carl@client.example"))
    joined = desk.connector.update(own, changed(own.item, attendees=more), Dress("1"), notify=True)
    assert [one.recipient for one in told[2:]] == ["carl@client.example"]
    desk.connector.delete(joined, notify=False)
    assert desk.server.counts.cancellations == 0


def test_answers_that_the_crm_knows_are_kept_beside_those_of_exchange(desk: Desk) -> None:
    guests = (Attendee("anna@client.example"), Attendee("bob@acme.example"))
    made = desk.create(event(organizer=OWNER, attendees=guests), Dress("1"), notify=False)
    told = (guests[0], replace(guests[1], response=Response.ACCEPTED))
    again = desk.connector.update(made, changed(made.item, attendees=told), Dress("1"), notify=True)
    assert again.item.main.attendees == told
    assert desk.server.counts.sent == []


def test_only_its_organizer_says_who_takes_part(desk: Desk) -> None:
    foreign = event(organizer="boss@client.example", attendees=(Attendee(OWNER),))
    with pytest.raises(ItemError, match="organizer"):
        desk.create(foreign)
    assert desk.other.events() == []


# --- series ---------------------------------------------------------------------------------------


def test_a_series_with_changed_and_deleted_occurrences_is_written_and_read(desk: Desk) -> None:
    item = without(with_override(weekly(), 8, subject="Autre sujet"), 15)
    made = desk.create(item)
    assert made.item == item
    (target,) = desk.other.events()
    assert target.item.series is not None
    assert set(target.item.series.changed) == {datetime(2026, 12, 8, 9, tzinfo=UTC)}
    assert target.item.series.deleted == {datetime(2026, 12, 15, 9, tzinfo=UTC)}
    assert not [path for path in desk.other.extended(made.ref) if path.name == "rest"]
    assert desk.read(made.ref) == made


def test_a_changed_occurrence_changes_the_version_of_its_series(desk: Desk) -> None:
    made = desk.create(weekly())
    cursor = desk.connector.changes(desk.calendar, "").cursor
    occurrence = desk.other.occurrence_id(made.ref, datetime(2026, 12, 8, 9, tzinfo=UTC))
    desk.other.edit(occurrence, Subject="Leur occurrence")
    (listed,) = desk.connector.changes(desk.calendar, cursor).listed
    assert listed.ref == made.ref
    found = desk.read(made.ref)
    assert found.version == listed.version != made.version
    assert found.item == with_override(made.item, 8, subject="Leur occurrence")


def test_a_series_that_moves_keeps_its_changed_and_deleted_occurrences(desk: Desk) -> None:
    """Exchange drops them when the time or the pattern changes."""
    made = desk.create(without(with_override(weekly(), 8, subject="Autre sujet"), 15))
    timing = Timing(at(1, 14), at(1, 15), rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=10", exdates=(at(15, 14),))
    main = replace(made.item.main, timing=timing)
    moved = replace(made.item.components[1], timing=Timing(at(8, 14), at(8, 15)), recurrence_id=at(8, 14))
    wanted = replace(made.item, components=(main, moved))
    assert desk.connector.update(made, wanted, DRESS, notify=False).item == wanted


def test_a_deleted_occurrence_can_take_place_again(desk: Desk) -> None:
    made = desk.create(without(with_override(weekly(), 8, subject="Autre sujet"), 15))
    wanted = without(made.item)
    assert desk.connector.update(made, wanted, DRESS, notify=False).item == wanted
    (target,) = desk.other.events()
    assert target.item.series is not None
    assert target.item.series.deleted == set()


def test_a_changed_occurrence_can_be_as_its_series_again(desk: Desk) -> None:
    made = desk.create(with_override(weekly(), 8, subject="Autre sujet", location="Lyon"))
    wanted = replace(made.item, components=made.item.components[:1])
    back = desk.connector.update(made, wanted, DRESS, notify=False)
    assert back.item == wanted
    shown = [one.text("Subject") for one in desk.other.occurrences(back.ref)]
    assert set(shown) == {"Point hebdo"}
    again = with_override(wanted, 8, subject="Encore")
    assert desk.connector.update(back, again, DRESS, notify=False).item == again


def test_what_exchange_cannot_say_is_refused_before_anything_is_written(desk: Desk) -> None:
    timing = Timing(at(1, 10), at(1, 11), rrule="FREQ=MONTHLY;BYMONTHDAY=1,15")
    dates = Timing(at(1, 10), at(1, 11), rrule="FREQ=WEEKLY;BYDAY=TU", rdates=(at(3, 10),))
    for odd in (timing, dates):
        with pytest.raises(ItemError, match="cannot be written"):
            desk.create(event(timing=odd))
    with pytest.raises(ItemError, match="occurrence"):
        desk.create(with_override(weekly(), 9))
    assert desk.other.events() == []


@pytest.mark.parametrize("operation", ["CreateItem", "UpdateItem", "DeleteItem"])
@pytest.mark.parametrize("skip", [0, 1, 2])
@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.RESET_AFTER])
def test_a_series_half_written_is_made_whole_by_whoever_looks(
    desk: Desk, fault: Fault, operation: str, skip: int
) -> None:
    item = without(
        with_override(weekly(organizer=OWNER, attendees=(Attendee("a@b.example"),)), 8, subject="Autre"), 15
    )
    desk.server.faults.plan(fault, operation, skip=skip)
    happened = True
    try:
        desk.create(item, Dress("1"), notify=True)
    except OutcomeUnknown:
        happened = fault is Fault.RESET_AFTER or operation != "CreateItem"
    desk.server.faults.clear()
    with EwsCalendarConnector(desk.access, zone=PARIS, clock=lambda: NOW) as fresh:
        found = fresh.find(desk.calendar, item.uid)
    assert (found is not None) == happened
    if found is not None:
        assert found.item == item
        assert len(desk.other.events()) == 1
        assert desk.server.counts.invitations == 1
        assert desk.server.counts.cancellations == 1
        assert not [path for path in desk.other.extended(found.ref) if path.name == "rest"]


# --- tasks ----------------------------------------------------------------------------------------


def task(uid: str = "t@crm.example", **values: object) -> Item:
    main = Component(Timing(end=When(date(2026, 12, 4))), subject="Appeler", status=Status.OPEN, busy=False)
    return Item(uid, Kind.TASK, (replace(main, **values),))  # type: ignore[arg-type]


def test_a_task_is_written_read_found_done_and_deleted(desk: Desk) -> None:
    item = task(notes="Demain", alarms=frozenset({"20261203T080000Z"}))
    made = desk.create(item)
    assert made.item == item
    found = desk.connector.find(desk.tasks, "t@crm.example")
    assert found == made
    done = changed(item, status=Status.DONE, completed=NOW)
    again = desk.connector.update(made, done, DRESS, notify=False)
    assert again.item == done
    (target,) = desk.other.tasks()
    assert (target.text("Status"), target.text("DueDate")) == ("Completed", "2026-12-04T00:00:00Z")
    desk.connector.delete(again, notify=False)
    assert desk.other.tasks() == []


def test_a_task_that_recurs_is_written_and_its_single_occurrences_are_refused(desk: Desk) -> None:
    start = When(date(2026, 12, 4))
    timing = Timing(start, start, rrule="FREQ=WEEKLY;COUNT=4")
    made = desk.create(task(timing=timing))
    assert made.item.main.timing == timing
    with pytest.raises(ItemError, match="single occurrences of a task"):
        desk.create(task("u@crm.example", timing=replace(timing, exdates=(When(date(2026, 12, 11)),))))
    assert len(desk.other.tasks()) == 1


def test_a_task_of_another_client_has_a_name_that_finds_it(desk: Desk) -> None:
    ref = desk.other.add_task("Leur tâche", DueDate="2026-12-04T00:00:00Z")
    (found,) = desk.connector.read(desk.tasks, [ref])
    assert isinstance(found, RemoteItem)
    assert found.item.main.timing == Timing(end=When(date(2026, 12, 4)))
    assert desk.connector.find(desk.tasks, found.item.uid) == found


# --- reading --------------------------------------------------------------------------------------


def test_a_forgotten_sync_state_lists_everything_and_deletes_nothing(desk: Desk) -> None:
    made = desk.create(event())
    cursor = desk.connector.changes(desk.calendar, "").cursor
    desk.server.expire_sync_states()
    found = desk.connector.changes(desk.calendar, cursor)
    assert (found.complete, found.reset, found.removed) == (True, True, ())
    assert [one.ref for one in found.listed] == [made.ref]


def test_many_items_come_in_pages_and_batches(desk: Desk) -> None:
    start = datetime(2026, 12, 1, 9, tzinfo=UTC)
    for number in range(600):
        desk.other.add_event(f"Numéro {number}", start, start + timedelta(hours=1))
    listed = desk.connector.changes(desk.calendar, "")
    assert len(listed.listed) == 600
    assert desk.request("SyncFolderItems") == 2
    found = list(desk.connector.read(desk.calendar, [one.ref for one in listed.listed]))
    assert all(isinstance(one, RemoteItem) for one in found)
    assert desk.request("GetItem") == 12


# --- answers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "answer"),
    [(Response.ACCEPTED, "Accept"), (Response.TENTATIVE, "Tentative"), (Response.DECLINED, "Decline")],
)
@pytest.mark.parametrize("notify", [True, False])
def test_the_owners_answer_is_a_response_object_and_is_sent_only_where_allowed(
    desk: Desk, response: Response, answer: str, notify: bool
) -> None:
    boss = "boss@acme.example"
    desk.server.add_mailbox(boss)
    ref = desk.other.add_event(
        "Réunion",
        datetime(2026, 12, 1, 9, tzinfo=UTC),
        datetime(2026, 12, 1, 10, tzinfo=UTC),
        zone="Romance Standard Time",
        RequiredAttendees=attendees("RequiredAttendees", OWNER, "anna@client.example"),
    )
    desk.other.edit(
        ref, Organizer=typed("Organizer", [mailbox("", boss)]), MyResponseType="NoResponseReceived"
    )
    current = desk.read(ref)
    assert current.item.main.attendee(frozenset({OWNER})) == Attendee(OWNER)
    people = tuple(
        replace(one, response=response) if one.email == OWNER else one for one in current.item.main.attendees
    )
    said = desk.connector.update(current, changed(current.item, attendees=people), Dress(), notify=notify)
    own = said.item.main.attendee(frozenset({OWNER}))
    assert own is not None
    assert own.response is response
    assert [(one.kind, one.recipient, one.answer) for one in desk.server.counts.sent] == (
        [("response", boss, answer)] if notify else []
    )
    assert len(desk.other.events()) == (0 if answer == "Decline" else 1)


def test_an_invitation_that_is_deleted_is_declined_only_where_that_may_be_sent(desk: Desk) -> None:
    boss = "boss@acme.example"
    for notify, told in ((False, 0), (True, 1)):
        ref = desk.other.add_event(
            "Réunion",
            datetime(2026, 12, 1, 9, tzinfo=UTC),
            datetime(2026, 12, 1, 10, tzinfo=UTC),
            RequiredAttendees=attendees("RequiredAttendees", OWNER),
        )
        desk.other.edit(ref, Organizer=typed("Organizer", [mailbox("", boss)]), MyResponseType="Accept")
        desk.connector.delete(desk.read(ref), notify=notify)
        assert desk.other.events() == []
        assert desk.server.counts.responses == told


# --- when the server has trouble ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "fault", "error"),
    [
        ("SyncFolderItems", Fault.BUSY, RateLimited),
        ("SyncFolderItems", Fault.TOO_MANY_OPEN, RateLimited),
        ("SyncFolderItems", Fault.INTERNAL, Unreachable),
        ("SyncFolderItems", Fault.RESET_BEFORE, Unreachable),
        ("SyncFolderItems", Fault.TRUNCATED, ProtocolViolation),
        ("SyncFolderItems", Fault.GARBAGE, ProtocolViolation),
        ("GetItem", Fault.BUSY, RateLimited),
        ("GetItem", Fault.TOO_MANY_OPEN, RateLimited),
    ],
)
def test_a_listing_that_goes_wrong_is_an_error_and_never_a_shorter_one(
    desk: Desk, operation: str, fault: Fault, error: type[Exception]
) -> None:
    made = desk.create(event())
    desk.server.faults.plan(fault, operation)

    def look() -> None:
        desk.connector.changes(desk.calendar, "")
        list(desk.connector.read(desk.calendar, [made.ref]))

    with pytest.raises(error):
        look()


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.UNAVAILABLE_BEFORE])
def test_a_write_that_the_server_did_not_begin_is_no_unknown_outcome(desk: Desk, fault: Fault) -> None:
    desk.server.faults.plan(fault, "CreateItem")
    with pytest.raises((RateLimited, Unreachable, OutcomeUnknown)):
        desk.create(event())
    assert desk.other.events() == []


def test_a_delegate_reads_and_a_reviewer_does_not_write(ews: EwsServer) -> None:
    ews.add_mailbox(OWNER)
    password = ews.add_mailbox("assistant@acme.example")
    ews.delegate(OWNER, "assistant@acme.example", "Reviewer")
    access = EwsAccess(
        OWNER,
        Password("assistant@acme.example", lambda: password, "basic"),
        url=ews.url,
        ca_file=ews.ca_file,
        entry=Entry.DELEGATE,
    )
    OtherClient(ews, OWNER).add_event(
        "Visite", datetime(2026, 12, 1, 9, tzinfo=UTC), datetime(2026, 12, 1, 10, tzinfo=UTC)
    )
    with EwsCalendarConnector(access, zone=PARIS) as connector:
        (info,) = (one for one in connector.calendars() if one.name == "Calendar")
        assert not info.writable
        assert len(connector.changes(info.ref, "").listed) == 1
        with pytest.raises((ItemError, CollectionError)):
            connector.create(info.ref, event(), DRESS, notify=False)
    assert len(OtherClient(ews, OWNER).events()) == 1


def test_calendars_in_deleted_items_are_none(desk: Desk) -> None:
    desk.other.add_folder("Projets", "calendar", "IPF.Appointment")
    desk.other.add_folder("Vieux", "deleteditems", "IPF.Appointment")
    names = {one.name: one for one in desk.connector.calendars()}
    assert set(names) == {"Calendar", "Tasks", "Projets"}
    assert all(one.writable and one.auto_schedule for one in names.values())


# --- cut off half way -----------------------------------------------------------------------------


def moved_series(item: Item) -> Item:
    timing = Timing(at(1, 14), at(1, 15), rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=10", exdates=(at(15, 14),))
    one = replace(item.components[1], timing=Timing(at(8, 14), at(8, 15)), recurrence_id=at(8, 14))
    return replace(item, components=(replace(item.main, timing=timing), one))


def all_back(item: Item) -> Item:
    """No occurrence is cancelled and none is changed any more."""
    return replace(without(item), components=without(item).components[:1])


@pytest.mark.parametrize("change", [moved_series, without, all_back], ids=["moved", "restored", "all back"])
@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE, Fault.RESET_AFTER])
@pytest.mark.parametrize(("operation", "skip"), [*(("UpdateItem", at) for at in range(4)), ("DeleteItem", 0)])
def test_a_series_whose_change_was_cut_off_is_as_before_or_made_whole(
    desk: Desk, change: Callable[[Item], Item], fault: Fault, operation: str, skip: int
) -> None:
    made = desk.create(without(with_override(weekly(), 8, subject="Autre sujet"), 15))
    wanted = change(made.item)
    desk.server.faults.plan(fault, operation, skip=skip)
    try:
        desk.connector.update(made, wanted, DRESS, notify=False)
        cut = False
    except OutcomeUnknown:
        cut = True
    reached = bool(desk.server.faults.done)
    desk.server.faults.clear()
    assert cut == reached
    with EwsCalendarConnector(desk.access, zone=PARIS, clock=lambda: NOW) as fresh:
        found = fresh.find(desk.calendar, made.item.uid)
    assert found is not None
    untouched = cut and fault is Fault.RESET_BEFORE and (operation, skip) == ("UpdateItem", 0)
    assert found.item == (made.item if untouched else wanted)
    assert not [path for path in desk.other.extended(found.ref) if path.name == "rest"]


def test_a_series_that_somebody_moved_after_a_write_was_cut_off_stays_where_it_was_put(desk: Desk) -> None:
    made = desk.create(without(with_override(weekly(), 8, subject="Autre sujet"), 15))
    desk.server.faults.plan(Fault.RESET_AFTER, "UpdateItem")
    with pytest.raises(OutcomeUnknown):
        desk.connector.update(made, moved_series(made.item), DRESS, notify=False)
    (unread,) = desk.connector_anew().read(desk.calendar, [made.ref])
    assert isinstance(unread, ItemError)
    desk.other.edit(made.ref, Start="2026-12-01T16:00:00Z", End="2026-12-01T17:00:00Z")
    found = desk.connector_anew().find(desk.calendar, made.item.uid)
    assert found is not None
    assert found.item.main.timing.start == at(1, 17)
    assert len(found.item.components) == 1
