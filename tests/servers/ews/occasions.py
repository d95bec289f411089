"""What the server itself says of a calendar item: its place in a series, its part in a meeting, its times."""

import base64
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from xml.etree.ElementTree import Element

from tests.servers.ews import calendar_mime, recurrence
from tests.servers.ews.fields import Kind
from tests.servers.ews.mail import mailbox
from tests.servers.ews.model import Item, Mailbox
from tests.servers.ews.store import Store
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import stamp, t, typed, yes_no
from tests.servers.ews.zones import definition, zone_of

ATTENDEES = ("RequiredAttendees", "OptionalAttendees", "Resources")
MEETING, RECEIVED, CANCELLED = 1, 2, 4  # bits of AppointmentState ([MS-OXOCAL] 2.2.1.10)

DEFAULTS = {
    "LegacyFreeBusyStatus": "Busy", "IsAllDayEvent": "false", "ReminderIsSet": "true",
    "ReminderMinutesBeforeStart": "15",
    "IsCancelled": "false", "MeetingRequestWasSent": "false", "IsResponseRequested": "true",
    "ConflictingMeetingCount": "0", "AdjacentMeetingCount": "0", "AppointmentSequenceNumber": "0",
    "AllowNewTimeProposal": "true", "IsOnlineMeeting": "false", "ConferenceType": "0",
}  # fmt: skip


def is_master(item: Item) -> bool:
    """Whether the item is a recurring calendar item."""
    return item.kind is Kind.CALENDAR and "Recurrence" in item.fields


def original_starts(item: Item) -> Iterator[datetime]:
    """The starts of the master's occurrences by its pattern, the deleted ones among them."""
    zone = zone_of(item.text("StartTimeZoneId"))
    return recurrence.starts(item.fields["Recurrence"], Target(item).start, zone)


def standing(item: Item) -> Iterator[Target]:
    """The occurrences that are not deleted, in the order of the pattern."""
    deleted = set() if item.series is None else item.series.deleted
    return (Target(item, start) for start in original_starts(item) if start not in deleted)


def is_meeting(target: Target) -> bool:
    """Whether somebody is invited."""
    return any(target.field(name) is not None for name in ATTENDEES)


def _calendar_item_type(store: Store, viewer: Mailbox, target: Target) -> Element:
    if target.original is not None:
        kind = "Occurrence" if target.change is None else "Exception"
    else:
        kind = "RecurringMaster" if is_master(target.item) else "Single"
    return typed("CalendarItemType", kind)


def _is_recurring(store: Store, viewer: Mailbox, target: Target) -> Element:
    # True for occurrences and exceptions; for a master the page says only "part of a recurring series".
    return typed("IsRecurring", yes_no(target.original is not None or is_master(target.item)))


def _original_start(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    return None if target.original is None else typed("OriginalStart", stamp(target.original))


def _recurrence_id(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    return None if target.original is None else typed("RecurrenceId", stamp(target.original))


def _occurrence(store: Store, tag: str, target: Target) -> Element:
    assert target.original is not None
    key = store.change_key(target.item)
    return typed(
        tag,
        [
            typed("ItemId", Id=store.item_id(target.item, target.original), ChangeKey=key),
            typed("Start", stamp(target.start)),
            typed("End", stamp(target.end)),
            typed("OriginalStart", stamp(target.original)),
        ],
    )


def _first(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    if target.original is not None or not is_master(target.item):
        return None
    found = next(standing(target.item), None)
    return None if found is None else _occurrence(store, "FirstOccurrence", found)


def _last(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    if target.original is not None or not is_master(target.item):
        return None
    if recurrence.is_endless(target.item.fields["Recurrence"]):
        return None
    found = list(islice(standing(target.item), recurrence.ENDLESS))
    return _occurrence(store, "LastOccurrence", found[-1]) if found else None


def _modified(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    series = target.item.series
    if target.original is not None or series is None or not series.changed:
        return None
    found = [_occurrence(store, "Occurrence", Target(target.item, when)) for when in sorted(series.changed)]
    return typed("ModifiedOccurrences", found)


def _deleted(store: Store, viewer: Mailbox, target: Target) -> Element | None:
    series = target.item.series
    if target.original is not None or series is None or not series.deleted:
        return None
    found = [typed("DeletedOccurrence", [typed("Start", stamp(when))]) for when in sorted(series.deleted)]
    return typed("DeletedOccurrences", found)


def _organizer(store: Store, viewer: Mailbox, target: Target) -> Element:
    stored = target.field("Organizer")
    owner = target.item.folder.mailbox
    return stored if stored is not None else typed("Organizer", [mailbox(owner.name, owner.address)])


def is_organizer(item: Item) -> bool:
    """Whether the mailbox that holds the item organizes it."""
    return "Organizer" not in item.fields


def _my_response(store: Store, viewer: Mailbox, target: Target) -> Element:
    own = "Organizer" if is_organizer(target.item) else "NoResponseReceived"
    return typed("MyResponseType", target.text("MyResponseType", own))


def state(target: Target) -> int:
    """AppointmentState."""
    bits = MEETING if is_meeting(target) or not is_organizer(target.item) else 0
    bits |= 0 if is_organizer(target.item) else RECEIVED
    return bits | (CANCELLED if target.text("IsCancelled") == "true" else 0)


def _zone(tag: str, target: Target) -> Element | None:
    # The end has a zone of its own only where a client gave it one.
    name = target.text("EndTimeZoneId" if tag == "EndTimeZone" else "StartTimeZoneId")
    return definition(t(tag), name or target.text("StartTimeZoneId") or "UTC")


def _duration(store: Store, viewer: Mailbox, target: Target) -> Element:
    seconds = int((target.end - target.start).total_seconds())
    days, rest = divmod(seconds, 86400)
    clock = f"T{rest // 3600}H{rest % 3600 // 60}M" if rest or not days else ""
    return typed("Duration", f"P{f'{days}D' if days else ''}{clock}")


def _attendees(tag: str) -> Callable[[Store, Mailbox, Target], Element | None]:
    def read(store: Store, viewer: Mailbox, target: Target) -> Element | None:
        stored = target.field(tag)
        if stored is None:
            return None
        return typed(tag, [_with_answer(attendee) for attendee in stored])

    return read


def _with_answer(attendee: Element) -> Element:
    """Exchange always says an attendee's answer: Unknown until there is one."""
    if attendee.find(t("ResponseType")) is not None:
        return attendee
    box = attendee.find(t("Mailbox"))
    told = [] if box is None else [box]
    rest = [child for child in attendee if child is not box]
    return typed("Attendee", [*told, typed("ResponseType", "Unknown"), *rest])


def _recurrence(_store: Store, _viewer: Mailbox, target: Target) -> Element | None:
    stored = target.field("Recurrence")
    if stored is None:
        return None
    return recurrence.with_offsets(stored, zone_of(target.item.text("StartTimeZoneId")))


def _mime(_store: Store, _viewer: Mailbox, target: Target) -> Element:
    content = base64.b64encode(calendar_mime.write(target)).decode()
    return typed("MimeContent", content, CharacterSet="UTF-8")


KEPT: dict[str, Callable[[Store, Mailbox, Target], Element | None]] = {
    "Start": lambda _s, _v, x: typed("Start", stamp(x.start)),
    "End": lambda _s, _v, x: typed("End", stamp(x.end)),
    "OriginalStart": _original_start,
    "RecurrenceId": _recurrence_id,
    "DateTimeStamp": lambda _s, _v, x: typed("DateTimeStamp", stamp(x.item.modified)),
    "CalendarItemType": _calendar_item_type,
    "IsRecurring": _is_recurring,
    "IsMeeting": lambda _s, _v, x: typed("IsMeeting", yes_no(bool(state(x) & MEETING))),
    "FirstOccurrence": _first,
    "LastOccurrence": _last,
    "ModifiedOccurrences": _modified,
    "DeletedOccurrences": _deleted,
    "Organizer": _organizer,
    "IsOrganizer": lambda _s, _v, x: typed("IsOrganizer", yes_no(is_organizer(x.item))),
    "MyResponseType": _my_response,
    "AppointmentState": lambda _s, _v, x: typed("AppointmentState", str(state(x))),
    "StartTimeZone": lambda _s, _v, x: _zone("StartTimeZone", x),
    "EndTimeZone": lambda _s, _v, x: _zone("EndTimeZone", x),
    "StartTimeZoneId": lambda _s, _v, x: typed("StartTimeZoneId", x.text("StartTimeZoneId") or "UTC"),
    "TimeZone": lambda _s, _v, x: typed("TimeZone", x.text("StartTimeZoneId") or "UTC"),
    "Duration": _duration,
    "MimeContent": _mime,
    "Recurrence": _recurrence,
    **{tag: _attendees(tag) for tag in ATTENDEES},
}
