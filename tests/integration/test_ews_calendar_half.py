"""A change to a series of Exchange takes several requests: what a person does between two of them stays, and
what the server refuses of one occurrence costs none of the others.

The server's own state is what is asserted, and what left it as mail.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from connectors.calendar import Attendee, Component, Item, RemoteItem, Timing
from connectors.errors import ItemError, OutcomeUnknown
from tests.integration.test_ews_calendar import (
    DRESS,
    OWNER,
    Desk,
    at,
    weekly,
    with_override,
    without,
)
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import attendees
from tests.servers.ews.server import EwsServer

BOB, NEW = "bob@else.example", "new@else.example"


@pytest.fixture
def desk(ews: EwsServer) -> Iterator[Desk]:
    made = Desk(ews)
    with made.connector:
        made.open()
        yield made


def meeting() -> Item:
    """Every week with Bob, on the 8th at another place, not on the 15th."""
    item = weekly(organizer=OWNER, attendees=(Attendee(BOB),), location="Lyon", notes="Un")
    return without(with_override(item, 8, location="Nice"), 15)


def cut(desk: Desk, item: Item, operation: str = "UpdateItem") -> str:
    """Makes the series, and the connection breaks before that operation. Returns its id."""
    desk.server.faults.plan(Fault.RESET_BEFORE, operation, times=1)
    with pytest.raises(OutcomeUnknown):
        desk.create(item)
    desk.server.faults.clear()
    (target,) = desk.other.events()
    return desk.other.id_of(target.item)


def looked_up(desk: Desk, item: Item) -> RemoteItem:
    found = desk.connector_anew().find(desk.calendar, item.uid)
    assert found is not None
    assert not [path for path in desk.other.extended(found.ref) if path.name == "rest"]
    return found


def moment(day: int) -> datetime:
    """Where the series has its occurrence of that day."""
    return datetime(2026, 12, day, 9, tzinfo=UTC)


def invite(desk: Desk, ref: str, *addresses: str) -> None:
    """Another client says who takes part."""
    desk.other.edit(ref, RequiredAttendees=attendees("RequiredAttendees", *addresses))


# --- what a person does in between ----------------------------------------------------------------


def test_what_a_person_changes_in_a_half_made_series_stays_and_no_guest_is_told_of_less(desk: Desk) -> None:
    item = meeting()
    ref = cut(desk, item)
    invite(desk, ref, BOB, NEW)
    desk.other.edit(ref, Subject="Leur titre", Location="Salle 5")
    told = len(desk.server.counts.sent)
    found = looked_up(desk, item)
    (target,) = desk.other.events()
    assert (target.text("Subject"), target.text("Location")) == ("Leur titre", "Salle 5")
    assert [one.email for one in found.item.main.attendees] == [BOB, NEW]
    single = found.item.components[1]
    assert (single.subject, single.location) == ("Leur titre", "Nice")
    assert [one.email for one in single.attendees] == [BOB, NEW]
    assert found.item.main.timing.exdates == (at(15, 10),)
    assert "cancellation" not in {one.kind for one in desk.server.counts.sent[told:]}


def test_a_guest_who_was_taken_out_of_a_half_made_series_is_not_invited_to_one_occurrence(desk: Desk) -> None:
    item = meeting()
    item = replace(
        item,
        components=tuple(replace(one, attendees=(Attendee(BOB), Attendee(NEW))) for one in item.components),
    )
    ref = cut(desk, item)
    invite(desk, ref, BOB)
    told = len(desk.server.counts.sent)
    found = looked_up(desk, item)
    assert [[one.email for one in each.attendees] for each in found.item.components] == [[BOB], [BOB]]
    assert NEW not in {one.recipient for one in desk.server.counts.sent[told:]}


def test_an_occurrence_that_a_person_changes_or_deletes_in_a_half_made_series_stays_so(desk: Desk) -> None:
    item = with_override(with_override(weekly(), 8, location="Nice"), 22, location="Metz")
    cut(desk, item)
    (target,) = desk.other.events()
    eighth, twenty_second, other = (
        desk.other.occurrence_id(desk.other.id_of(target.item), when)
        for when in (moment(8), moment(22), moment(29))
    )
    desk.other.edit(eighth, Subject="Leur occurrence")
    desk.other.edit(other, Subject="Une autre")
    desk.other.delete(twenty_second)
    found = looked_up(desk, item)
    shown = {one.key: (one.subject, one.location) for one in found.item.components[1:]}
    assert shown == {at(8, 10).key(): ("Leur occurrence", ""), at(29, 10).key(): ("Une autre", "")}
    assert found.item.main.timing.exdates == (at(22, 10),)


@pytest.mark.parametrize("done", [0, 1], ids=["recurrence off", "recurrence on again"])
def test_what_a_person_changes_while_a_deleted_occurrence_comes_back_stays(desk: Desk, done: int) -> None:
    """Exchange brings no deleted occurrence back: the recurrence is taken off and set anew."""
    made = desk.create(meeting())
    wanted = without(made.item)
    wanted = replace(wanted, components=tuple(replace(one, notes="Deux") for one in wanted.components))
    desk.server.faults.plan(Fault.RESET_AFTER, "UpdateItem", skip=done)
    with pytest.raises(OutcomeUnknown):
        desk.connector.update(made, wanted, DRESS, notify=True)
    desk.server.faults.clear()
    desk.other.edit(made.ref, Subject="Leur titre")
    invite(desk, made.ref, BOB, NEW)
    found = looked_up(desk, made.item)
    assert found.item.main.timing == wanted.main.timing
    assert [(one.subject, one.notes) for one in found.item.components] == [("Leur titre", "Deux")] * 2
    assert [one.location for one in found.item.components] == ["Lyon", "Nice"]
    assert [[one.email for one in each.attendees] for each in found.item.components] == [[BOB, NEW]] * 2
    assert "cancellation" not in {one.kind for one in desk.server.counts.sent if one.recipient == NEW}


# --- what the server refuses ----------------------------------------------------------------------


def daily() -> Item:
    """Every day, with the 3rd and the 5th changed."""
    timing = Timing(at(1, 10), at(1, 11), rrule="FREQ=DAILY;COUNT=10")
    item = weekly("d@crm.example")
    item = replace(item, components=(replace(item.main, timing=timing),))
    return with_override(with_override(item, 3, subject="Trois"), 5, subject="Cinq")


def moved(item: Item) -> Item:
    """At 14:00, with the third one after the fourth."""
    main = replace(item.main, timing=Timing(at(1, 14), at(1, 15), rrule="FREQ=DAILY;COUNT=10"))

    def one(known: Component, day: int, timing: Timing) -> Component:
        return replace(known, timing=timing, recurrence_id=at(day, 14))

    first, second = item.components[1:]
    overrides = (one(first, 3, Timing(at(4, 15), at(4, 16))), one(second, 5, Timing(at(5, 14), at(5, 15))))
    return replace(item, components=(main, *overrides))


def shown(item: Item) -> dict[str, str]:
    return {one.key: one.subject for one in item.components[1:]}


def test_one_occurrence_that_the_server_refuses_costs_none_of_the_others(desk: Desk) -> None:
    """Exchange takes no occurrence past its neighbour (ErrorOccurrenceCrossingBoundary)."""
    made = desk.create(daily())
    wanted = moved(made.item)
    # The series has moved: it is no refusal of the whole, which would mean that nothing happened.
    with pytest.raises(OutcomeUnknown):
        desk.connector.update(made, wanted, DRESS, notify=False)
    found = looked_up(desk, made.item)
    assert found.item.main.timing == wanted.main.timing
    assert shown(found.item) == {at(5, 14).key(): "Cinq"}
    with pytest.raises(ItemError, match="refuses"):
        desk.connector.update(found, wanted, DRESS, notify=False)
    assert desk.read(made.ref) == found


def test_a_refused_occurrence_of_a_write_that_was_cut_off_costs_none_of_the_others(desk: Desk) -> None:
    made = desk.create(daily())
    desk.server.faults.plan(Fault.RESET_AFTER, "UpdateItem")
    with pytest.raises(OutcomeUnknown):
        desk.connector.update(made, moved(made.item), DRESS, notify=False)
    desk.server.faults.clear()
    assert shown(looked_up(desk, made.item).item) == {at(5, 14).key(): "Cinq"}


def test_a_series_made_with_an_occurrence_that_the_server_refuses_is_looked_up(desk: Desk) -> None:
    item = daily()
    third = replace(item.components[1], timing=Timing(at(4, 15), at(4, 16)))
    item = replace(item, components=(item.main, third, item.components[2]))
    with pytest.raises(OutcomeUnknown):
        desk.create(item)
    assert shown(looked_up(desk, item).item) == {at(5, 10).key(): "Cinq"}


def test_a_look_up_that_is_cut_off_itself_is_an_item_for_another_time(desk: Desk) -> None:
    item = with_override(with_override(weekly(), 8, location="Nice"), 22, location="Metz")
    cut(desk, item)
    desk.server.faults.plan(Fault.RESET_AFTER, "UpdateItem", skip=1)
    with pytest.raises(ItemError):
        desk.connector_anew().find(desk.calendar, item.uid)
    desk.server.faults.clear()
    assert looked_up(desk, item).item == item
