"""The owner's answer to one occurrence of somebody else's series is said to Exchange, of that occurrence."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from connectors.calendar import Component, Dress, Item, Response
from tests.integration.test_ews_calendar import OWNER, Desk, at
from tests.servers.ews.mail import mailbox
from tests.servers.ews.other_client import attendees, recurrence
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed

BOSS = "boss@acme.example"


@pytest.fixture
def desk(ews: EwsServer) -> Iterator[Desk]:
    made = Desk(ews)
    with made.connector:
        made.open()
        ews.add_mailbox(BOSS)
        yield made


def invited(desk: Desk) -> str:
    """Every Tuesday of December at ten, with the owner and Anna."""
    weekly = recurrence(
        "WeeklyRecurrence", date(2026, 12, 1), count=4, Interval="1", DaysOfWeek="Tuesday",
        FirstDayOfWeek="Monday",
    )  # fmt: skip
    ref = desk.other.add_event(
        "Revue",
        datetime(2026, 12, 1, 9, tzinfo=UTC),
        datetime(2026, 12, 1, 10, tzinfo=UTC),
        zone="Romance Standard Time",
        RequiredAttendees=attendees("RequiredAttendees", OWNER, "anna@client.example"),
        Recurrence=weekly,
    )
    desk.other.edit(
        ref, Organizer=typed("Organizer", [mailbox("", BOSS)]), MyResponseType="NoResponseReceived"
    )
    return ref


def saying(component: Component, response: Response) -> Component:
    people = tuple(
        replace(one, response=response) if one.email == OWNER else one for one in component.attendees
    )
    return replace(component, attendees=people)


def with_answer(item: Item, day: int, response: Response) -> Item:
    main = item.main
    assert main.timing.end is not None
    timing = replace(main.timing, start=at(day, 10), end=at(day, 11), rrule="")
    one = saying(replace(main, timing=timing, recurrence_id=at(day, 10)), response)
    return replace(item, components=(*item.components, one))


@pytest.mark.parametrize("notify", [True, False])
@pytest.mark.parametrize(
    ("response", "answer"), [(Response.ACCEPTED, "Accept"), (Response.TENTATIVE, "Tentative")]
)
def test_the_answer_to_one_occurrence_stands_there_and_is_sent_where_allowed(
    desk: Desk, response: Response, answer: str, notify: bool
) -> None:
    ref = invited(desk)
    current = desk.read(ref)
    said = desk.connector.update(current, with_answer(current.item, 8, response), Dress(), notify=notify)
    found = {one.original: one.text("MyResponseType") for one in desk.other.occurrences(ref)}
    moment = datetime(2026, 12, 8, 9, tzinfo=UTC)
    assert found.pop(moment) == answer
    assert set(found.values()) == {"NoResponseReceived"}
    assert said.item == with_answer(current.item, 8, response)
    assert [(one.kind, one.recipient, one.answer, one.occurrence) for one in desk.server.counts.sent] == (
        [("response", BOSS, answer, "2026-12-08T09:00:00Z")] if notify else []
    )
    again = desk.connector.update(said, said.item, Dress(), notify=notify)
    assert again == said
    assert len(desk.server.counts.sent) == notify


def test_an_occurrence_that_is_declined_goes_and_the_series_stays(desk: Desk) -> None:
    ref = invited(desk)
    current = desk.read(ref)
    desk.connector.update(current, with_answer(current.item, 8, Response.DECLINED), Dress(), notify=True)
    starts = [one.original for one in desk.other.occurrences(ref)]
    assert [one.day for one in starts if one is not None] == [1, 15, 22]
    assert [(one.answer, one.occurrence) for one in desk.server.counts.sent] == [
        ("Decline", "2026-12-08T09:00:00Z")
    ]
    assert desk.other.items("deleteditems") == []


def test_the_series_and_one_occurrence_are_answered_in_one_write(desk: Desk) -> None:
    ref = invited(desk)
    current = desk.read(ref)
    main = saying(current.item.main, Response.ACCEPTED)
    wanted = with_answer(replace(current.item, components=(main,)), 15, Response.TENTATIVE)
    desk.connector.update(current, wanted, Dress(), notify=True)
    found = [one.text("MyResponseType") for one in desk.other.occurrences(ref)]
    assert found == ["Accept", "Accept", "Tentative", "Accept"]
    assert [one.answer for one in desk.server.counts.sent] == ["Accept", "Tentative"]
