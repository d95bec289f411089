"""The calendars in memory do as they are told: faults on demand, mails noted, bytes kept."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from connectors.calendar import Attendee, Dress, Item, Missing, RemoteItem, Response
from connectors.errors import (
    CollectionError,
    CollectionGone,
    CollectionRefused,
    Conflict,
    ItemError,
    OutcomeUnknown,
    SyncdError,
    Unreachable,
    WouldMail,
)
from connectors.scheduling import Mailed, mails
from connectors.testing_calendar import MemoryCalendar, MemoryCalendarConnector, cut_short
from tests.servers.calendars import NOW, event, ics

CAL = "/calendar/"
DRESS = Dress()
ME = "claire@acme.example"
GUEST, OTHER = "guest@client.example", "other@client.example"


def connected(server: MemoryCalendar) -> MemoryCalendarConnector:
    return MemoryCalendarConnector(server, clock=lambda: NOW).__enter__()


def meeting(*guests: str, organizer: str = ME, answer: Response = Response.NO_RESPONSE) -> Item:
    people = tuple(Attendee(one, answer) for one in sorted(guests))
    plain = event("m@crm.example")
    return replace(plain, components=(replace(plain.main, organizer=organizer, attendees=people),))


def renamed(item: Item, subject: str) -> Item:
    return replace(item, components=(replace(item.main, subject=subject),))


def test_a_time_out_before_the_write_leaves_nothing_and_after_it_leaves_it_all() -> None:
    for after in (False, True):
        server = MemoryCalendar()
        connector = connected(server)
        server.fail("create", after=after)
        with pytest.raises(OutcomeUnknown):
            connector.create(CAL, event("a@crm.example"), DRESS, notify=True)
        assert set(server.items()) == ({"a@crm.example"} if after else set())
        current = connector.find(CAL, "a@crm.example") or connector.create(
            CAL, event("a@crm.example"), DRESS, notify=True
        )
        server.fail("update", after=after)
        with pytest.raises(OutcomeUnknown):
            connector.update(current, event("a@crm.example", "Autre"), DRESS, notify=True)
        assert (server.items()["a@crm.example"].main.subject == "Autre") is after
        found = connector.find(CAL, "a@crm.example")
        assert found is not None
        server.fail("delete", after=after)
        with pytest.raises(OutcomeUnknown):
            connector.delete(found, notify=True)
        assert (server.items() == {}) is after


@pytest.mark.parametrize(
    ("call", "make", "kind"),
    [
        ("changes", cut_short, CollectionError),
        ("changes", None, Unreachable),
        ("read", None, Unreachable),
        ("find", None, Unreachable),
        ("calendars", None, Unreachable),
        ("create", lambda: Conflict("412"), Conflict),
    ],
)
def test_the_nth_call_fails_as_arranged(
    call: str, make: Callable[[], BaseException] | None, kind: type[SyncdError]
) -> None:
    server = MemoryCalendar()
    connector = connected(server)
    calls: dict[str, Callable[[], object]] = {
        "calendars": connector.calendars,
        "changes": lambda: connector.changes(CAL, ""),
        "read": lambda: list(connector.read(CAL, [])),
        "find": lambda: connector.find(CAL, "x"),
        "create": lambda: connector.create(CAL, event(f"{server.calls['create']}@x"), DRESS, notify=True),
    }
    server.fail(call, make, nth=2)
    calls[call]()
    with pytest.raises(kind):
        calls[call]()
    calls[call]()


def test_another_client_can_be_quicker() -> None:
    server = MemoryCalendar()
    connector = connected(server)
    current = connector.create(CAL, event("a@crm.example"), DRESS, notify=True)

    def theirs() -> None:
        server.put(CAL, ics("a@crm.example", "Theirs"), current.ref)

    server.before("update", theirs)
    with pytest.raises(Conflict):
        connector.update(current, event("a@crm.example", "Ours"), DRESS, notify=True)
    assert server.items()["a@crm.example"].main.subject == "Theirs"
    seen: list[tuple[str, str]] = []
    server.before_call = lambda call, ref: seen.append((call, ref))
    connector.find(CAL, "a@crm.example")
    assert seen == [("find", CAL)]


def test_what_is_listed_may_be_withheld_vanished_or_unreadable() -> None:
    server = MemoryCalendar()
    connector = connected(server)
    refs = [server.put(CAL, ics(f"{number}@other.example")) for number in range(3)]
    broken = server.put(CAL, b"BEGIN:VCALENDAR garbage")
    server.withhold(refs[0])
    server.vanish(refs[1])
    assert [one.ref for one in connector.changes(CAL, "").listed] == [*refs, broken]
    withheld, vanished, fine, unreadable = connector.read(CAL, [*refs, broken])
    assert isinstance(withheld, ItemError)
    assert isinstance(vanished, Missing)
    assert isinstance(fine, RemoteItem)
    assert isinstance(unreadable, ItemError)
    assert unreadable.locator == broken


def test_expired_tokens_and_a_calendar_made_anew_reset_the_listing() -> None:
    server = MemoryCalendar()
    connector = connected(server)
    ref = server.put(CAL, ics("a@other.example"))
    cursor = connector.changes(CAL, "").cursor
    server.expire_tokens(CAL)
    found = connector.changes(CAL, cursor)
    assert ([one.ref for one in found.listed], found.reset, found.complete) == ([ref], True, True)
    server.remake_calendar(CAL)
    again = connector.changes(CAL, found.cursor)
    assert (again.listed, again.removed, again.reset) == ((), (), True)
    server.remove_calendar(CAL)
    with pytest.raises(CollectionGone):
        connector.changes(CAL, again.cursor)


def test_versions_may_be_missing_or_flaky() -> None:
    server = MemoryCalendar()
    connector = connected(server)
    server.versions = "flaky"
    made = connector.create(CAL, event("a@crm.example"), DRESS, notify=True)
    assert (made.version, connector.changes(CAL, "").listed[0].version) == ("", '"v1"')
    connector.update(made, event("a@crm.example", "Autre"), DRESS, notify=True)
    with pytest.raises(Conflict):  # the content is another one by now
        connector.delete(made, notify=True)
    server.versions = "never"
    assert connector.changes(CAL, "").listed[0].version == ""


def test_a_server_may_rewrite_what_it_is_given_and_tell_or_not() -> None:
    for tells in (True, False):
        server = MemoryCalendar()
        server.rewrite = lambda source: source.replace(b"SUMMARY:Visite", b"SUMMARY:Rewritten")
        server.tells_rewrites = tells
        made = connected(server).create(CAL, event("a@crm.example"), DRESS, notify=True)
        assert made.item.main.subject == ("Rewritten" if tells else "Visite")
        assert server.items()["a@crm.example"].main.subject == "Rewritten"


def test_a_read_only_or_refused_calendar_takes_nothing() -> None:
    server = MemoryCalendar()
    connector = connected(server)
    server.make_read_only(CAL)
    assert not connector.calendars()[0].writable
    with pytest.raises(CollectionRefused):
        connector.create(CAL, event("a@crm.example"), DRESS, notify=True)
    server.refuse_calendar(CAL)
    with pytest.raises(CollectionRefused):
        connector.changes(CAL, "")


# --- whom a server that schedules would mail ----------------------------------------------------------


def scheduling() -> tuple[MemoryCalendar, MemoryCalendarConnector]:
    server = MemoryCalendar(owner=frozenset({ME}), auto_schedule=True)
    return server, connected(server)


def test_an_organizer_s_writes_are_mailed_to_whom_they_concern() -> None:
    server, connector = scheduling()
    made = connector.create(CAL, meeting(ME, GUEST, OTHER), DRESS, notify=True)
    uid = made.item.uid
    assert server.mailed == [Mailed(GUEST, "REQUEST", uid), Mailed(OTHER, "REQUEST", uid)]
    server.mailed.clear()
    changed = connector.update(made, renamed(made.item, "Autre"), DRESS, notify=True)
    assert [one.method for one in server.mailed] == ["REQUEST", "REQUEST"]
    server.mailed.clear()
    fewer = connector.update(changed, renamed(meeting(ME, GUEST), "Autre"), DRESS, notify=True)
    assert server.mailed == [Mailed(GUEST, "REQUEST", uid), Mailed(OTHER, "CANCEL", uid)]
    server.mailed.clear()
    connector.delete(fewer, notify=True)
    assert server.mailed == [Mailed(GUEST, "CANCEL", uid)]


def test_quiet_writes_mail_nobody() -> None:
    server, connector = scheduling()
    quiet = connector.create(CAL, meeting(ME, GUEST, OTHER), DRESS, notify=False)
    changed = connector.update(quiet, renamed(quiet.item, "Autre"), DRESS, notify=False)
    fewer = connector.update(changed, renamed(meeting(ME, GUEST), "Autre"), DRESS, notify=False)
    connector.delete(fewer, notify=False)
    assert server.mailed == []
    assert server.items() == {}


def test_what_cannot_be_done_in_silence_is_refused_and_left_alone() -> None:
    """RFC 6638 section 3.2.1.2: a guest of the server's that is let go of gets a CANCEL, whatever the way."""
    server, connector = scheduling()
    loud = connector.create(CAL, meeting(ME, GUEST, OTHER), DRESS, notify=True)
    before = server.sources()
    server.mailed.clear()
    for quiet in (
        lambda: connector.update(loud, renamed(loud.item, "Autre"), DRESS, notify=False),
        lambda: connector.update(loud, meeting(ME, GUEST), DRESS, notify=False),
        lambda: connector.delete(loud, notify=False),
    ):
        with pytest.raises(WouldMail):
            quiet()
    assert (server.mailed, server.sources()) == ([], before)


def test_another_text_of_the_crm_may_be_told_to_guests_and_not_to_colleagues() -> None:
    server, connector = scheduling()
    dressed = Dress(DRESS.crm_id, block="Compte : Client SA")
    colleague = f"denis@{ME.partition('@')[2]}"
    loud = connector.create(CAL, meeting(ME, GUEST, colleague), dressed, notify=True)
    server.mailed.clear()
    connector.update(loud, loud.item, DRESS, notify=False)
    assert server.mailed == [Mailed(GUEST, "REQUEST", loud.item.uid)]
    assert b"Client SA" not in b"".join(server.sources().values())


def test_a_mark_is_as_loud_as_a_removal() -> None:
    line = b"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:"
    loud = ics("m@crm.example", "x", f"ORGANIZER:mailto:{ME}", line.decode() + GUEST)
    marked = loud.replace(b"ATTENDEE;", b"ATTENDEE;SCHEDULE-AGENT=NONE;")
    assert [one.method for one in mails(loud, marked, frozenset({ME}))] == ["CANCEL"]
    assert [one.method for one in mails(marked, loud, frozenset({ME}))] == ["REQUEST"]
    assert mails(marked, marked.replace(b"SUMMARY:x", b"SUMMARY:y"), frozenset({ME})) == []
    assert mails(marked, None, frozenset({ME})) == []


def test_a_write_after_a_quiet_one_may_be_told() -> None:
    server, connector = scheduling()
    quiet = connector.create(CAL, meeting(ME, GUEST), DRESS, notify=False)
    connector.update(quiet, renamed(quiet.item, "Autre"), DRESS, notify=True)
    assert server.mailed == [Mailed(GUEST, "REQUEST", quiet.item.uid)]


def test_an_attendee_s_answer_goes_to_the_organizer() -> None:
    server, connector = scheduling()
    ref = server.put(
        CAL, ics("m@crm.example", "Invited", f"ORGANIZER:mailto:{GUEST}", f"ATTENDEE:mailto:{ME}")
    )
    (current,) = connector.read(CAL, [ref])
    assert isinstance(current, RemoteItem)
    yes = replace(current.item.main, attendees=(Attendee(ME, Response.ACCEPTED),))
    accepted = connector.update(current, replace(current.item, components=(yes,)), DRESS, notify=True)
    assert server.mailed == [Mailed(GUEST, "REPLY", "m@crm.example")]
    server.mailed.clear()
    connector.delete(accepted, notify=False)
    assert server.mailed == []


def test_a_server_that_does_not_schedule_mails_nobody() -> None:
    server = MemoryCalendar(owner=frozenset({ME}))
    connector = connected(server)
    connector.delete(connector.create(CAL, meeting(ME, GUEST), DRESS, notify=True), notify=True)
    assert server.mailed == []


def test_what_is_the_organizer_s_own_changes_quietly_and_what_guests_are_told_does_not() -> None:
    server, connector = scheduling()
    made = connector.create(CAL, meeting(ME, GUEST), DRESS, notify=True)
    server.mailed.clear()
    own = replace(made.item.main, alarms=frozenset({"-PT15M"}), categories=frozenset({"Projet"}), busy=False)
    kept = connector.update(made, replace(made.item, components=(own,)), DRESS, notify=False)
    assert kept.item.main == own
    with pytest.raises(ItemError):
        connector.update(kept, renamed(kept.item, "Autre"), DRESS, notify=False)
    assert server.mailed == []


@pytest.mark.parametrize("tells", [True, False])
def test_what_came_and_went_since_a_listing_may_be_told_or_not(tells: bool) -> None:
    server = MemoryCalendar()
    server.tells_passing = tells
    kept = server.put(CAL, ics("kept"))
    with connected(server) as connector:
        cursor = connector.changes(CAL, "").cursor
        passing = server.put(CAL, ics("passing"))
        server.remove(passing)
        server.put(CAL, ics("kept"), kept)
        server.remove(kept)
        assert set(connector.changes(CAL, cursor).removed) == ({kept, passing} if tells else {kept})
