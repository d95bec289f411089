"""Meetings at the EWS test server: what is mailed, what arrives, what answers do."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from exchangelib import Account, Attendee, CalendarItem, EWSDateTime, EWSTimeZone, Mailbox, Message
from exchangelib.errors import ErrorCalendarIsOrganizerForAccept
from exchangelib.items import (
    AcceptItem,
    MeetingRequest,
)
from exchangelib.properties import ReferenceItemId

from tests.servers.ews.exchange_client import account, trusting
from tests.servers.ews.other_client import OtherClient, recurrence
from tests.servers.ews.server import EwsServer

CLAIRE, MARC, GUEST = "claire@acme.example", "marc@acme.example", "guest@else.example"
PARIS = EWSTimeZone("Europe/Paris")
START = EWSDateTime(2026, 10, 12, 9, tzinfo=PARIS)


@pytest.fixture
def pair(ews: EwsServer) -> Iterator[tuple[Account, Account]]:
    """Claire, who organizes, and Marc."""
    passwords = [ews.add_mailbox(CLAIRE, "Claire Dupont"), ews.add_mailbox(MARC, "Marc Martin")]
    with trusting(ews.ca_file):
        yield account(ews, CLAIRE, passwords[0]), account(ews, MARC, passwords[1])


def invite(claire: Account, mode: str = "SendToAllAndSaveCopy", **fields: object) -> CalendarItem:
    meeting = CalendarItem(
        account=claire,
        folder=claire.calendar,
        subject="Review",
        start=START,
        end=START + timedelta(hours=1),
        required_attendees=[
            Attendee(mailbox=Mailbox(email_address=address), response_type="Unknown")
            for address in (MARC, GUEST)
        ],
        **fields,
    )
    meeting.save(send_meeting_invitations=mode)
    meeting.refresh()
    return meeting


def test_invitations_are_mailed_and_booked_as_tentative(
    ews: EwsServer, pair: tuple[Account, Account]
) -> None:
    claire, marc = pair
    meeting = invite(claire)

    assert [(mail.kind, mail.recipient) for mail in ews.counts.sent] == [
        ("request", MARC),
        ("request", GUEST),
    ]
    assert meeting.meeting_request_was_sent
    assert meeting.is_meeting
    [request] = marc.inbox.all()
    assert isinstance(request, MeetingRequest)
    assert request.subject == "Review"
    [booked] = marc.calendar.all()
    assert booked.uid == meeting.uid
    assert booked.my_response_type == "NoResponseReceived"
    assert booked.legacy_free_busy_status == "Tentative"
    assert booked.organizer.email_address == CLAIRE
    assert booked.appointment_state == ("Meeting", "Received")
    assert request.associated_calendar_item_id.id == booked.id
    assert [item.subject for item in claire.sent.all()] == ["Review"]


def test_nobody_is_told_where_the_client_says_so(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, marc = pair
    meeting = invite(claire, "SendToNone")
    meeting.location = "Room 1"
    meeting.save(update_fields=["location"], send_meeting_invitations="SendToNone")
    meeting.delete(send_meeting_cancellations="SendToNone")
    assert ews.counts.sent == []
    assert marc.inbox.all().count() == marc.calendar.all().count() == 0


def test_an_answer_reaches_the_organizer(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, marc = pair
    meeting = invite(claire)
    [request] = marc.inbox.all()
    request.accept(message_disposition="SendAndSaveCopy")

    meeting.refresh()
    answers = {each.mailbox.email_address: each.response_type for each in meeting.required_attendees}
    assert answers == {MARC: "Accept", GUEST: "Unknown"}
    assert ews.counts.responses == 1
    [booked] = marc.calendar.all()
    assert (booked.my_response_type, booked.legacy_free_busy_status) == ("Accept", "Busy")
    [told] = claire.inbox.all()
    assert (told.subject, told.response_type) == ("Accepted: Review", "Accept")
    assert marc.inbox.all().count() == 0


def test_a_declined_meeting_leaves_the_calendar(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, marc = pair
    meeting = invite(claire)
    [booked] = marc.calendar.all()
    booked.decline(message_disposition="SendAndSaveCopy")
    meeting.refresh()
    assert meeting.required_attendees[0].response_type == "Decline"
    assert marc.calendar.all().count() == 0


def test_a_moved_meeting_asks_again_and_a_removed_guest_is_told(
    ews: EwsServer, pair: tuple[Account, Account]
) -> None:
    claire, marc = pair
    meeting = invite(claire)
    [booked] = marc.calendar.all()
    booked.accept(message_disposition="SendAndSaveCopy")
    ews.counts.sent.clear()
    meeting.refresh()
    meeting.start += timedelta(days=1)
    meeting.end += timedelta(days=1)
    meeting.required_attendees = meeting.required_attendees[:1]
    meeting.save(
        update_fields=["start", "end", "required_attendees"],
        send_meeting_invitations="SendToAllAndSaveCopy",
    )
    assert (ews.counts.invitations, ews.counts.updates, ews.counts.cancellations) == (0, 1, 1)
    assert ews.counts.of("cancellation")[0].recipient == GUEST
    [booked] = marc.calendar.all()
    assert booked.start == START + timedelta(days=1)
    assert booked.my_response_type == "NoResponseReceived"
    assert booked.appointment_sequence_number == 1


def test_only_changed_attendees_are_told_where_asked(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, _ = pair
    meeting = invite(claire)
    ews.counts.sent.clear()
    new = Attendee(mailbox=Mailbox(email_address="third@else.example"), response_type="Unknown")
    meeting.required_attendees = [*meeting.required_attendees, new]
    meeting.save(update_fields=["required_attendees"], send_meeting_invitations="SendToChangedAndSaveCopy")
    assert [(mail.kind, mail.recipient) for mail in ews.counts.sent] == [("request", "third@else.example")]


def test_a_cancelled_meeting_stays_marked_at_the_attendee(
    ews: EwsServer, pair: tuple[Account, Account]
) -> None:
    claire, marc = pair
    invite(claire).delete(send_meeting_cancellations="SendToAllAndSaveCopy")
    assert ews.counts.cancellations == 2
    [booked] = marc.calendar.all()
    assert booked.is_cancelled
    assert "Cancelled" in booked.appointment_state or "Canceled" in booked.appointment_state
    assert {type(item).__name__ for item in marc.inbox.all()} == {"MeetingRequest", "MeetingCancellation"}


def test_cancel_item_tells_all_attendees(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, _ = pair
    invite(claire).cancel()
    assert ews.counts.cancellations == 2
    assert claire.calendar.all().count() == 0


def test_the_organizer_cannot_answer(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, _ = pair
    meeting = invite(claire)
    with pytest.raises(ErrorCalendarIsOrganizerForAccept):
        AcceptItem(
            account=claire, folder=claire.calendar, reference_item_id=ReferenceItemId(id=meeting.id)
        ).send(message_disposition="SendAndSaveCopy")


def test_one_occurrence_of_a_meeting_is_cancelled(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, marc = pair
    meeting = invite(claire)
    weekly = recurrence("WeeklyRecurrence", START.date(), count=3, Interval="1", DaysOfWeek="Monday")
    OtherClient(ews, CLAIRE).edit(meeting.id, Recurrence=weekly)
    meeting.refresh()
    meeting.location = "Room 1"
    meeting.save(update_fields=["location"], send_meeting_invitations="SendToAllAndSaveCopy")
    ews.counts.sent.clear()
    second = meeting.occurrence(index=2)
    second.refresh()
    second.delete(send_meeting_cancellations="SendToAllAndSaveCopy")
    assert [(m.kind, m.occurrence) for m in ews.counts.of("cancellation")] == [
        ("cancellation", "2026-10-19T07:00:00Z")
    ] * 2
    found = marc.calendar.view(start=START - timedelta(days=1), end=START + timedelta(days=30))
    assert [item.is_cancelled for item in found] == [False, True, False]


def test_a_mail_reaches_a_mailbox_here_and_is_counted(ews: EwsServer, pair: tuple[Account, Account]) -> None:
    claire, marc = pair
    draft = Message(
        account=claire, folder=claire.sent, subject="Hello", body="Hi", to_recipients=[MARC, GUEST]
    )
    draft.send_and_save()
    [arrived] = marc.inbox.all()
    assert (arrived.subject, arrived.sender.email_address, arrived.is_read) == ("Hello", CLAIRE, False)
    assert [mail.recipient for mail in ews.counts.of("mail")] == [MARC, GUEST]
    assert claire.sent.all().count() == 1
