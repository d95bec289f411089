"""Mail between mailboxes of this server: what arrives, and what it does in the calendar it arrives at.

Exchange's calendar attendant books a request at once as a tentative item without an answer, before the user
has seen it, and takes answers into the organizer's item.
"""

from datetime import datetime
from xml.etree.ElementTree import Element

from tests.servers.ews.fields import Kind
from tests.servers.ews.mail import mailbox
from tests.servers.ews.model import Change, Folder, Item, Mailbox, Series
from tests.servers.ews.occasions import ATTENDEES, is_organizer
from tests.servers.ews.store import Store
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, stamp, t, text_of, typed

# What an attendee's copy takes from the organizer's item; categories and reminders are everybody's own.
_SHARED = (
    "Subject", "Body", "Location", "EnhancedLocation", "Start", "End", "StartTimeZoneId", "EndTimeZoneId",
    "Recurrence", "IsAllDayEvent", "Sensitivity", "Importance", "UID", "IsResponseRequested",
    "AllowNewTimeProposal", "AppointmentSequenceNumber", "IsOnlineMeeting", "JoinOnlineMeetingUrl",
)  # fmt: skip
_ON_MESSAGES = {
    Kind.REQUEST: ("Start", "End", "Location", "IsAllDayEvent", "Recurrence", "UID", "IsResponseRequested"),
    Kind.RESPONSE: ("Start", "End", "Location", "UID"),
    Kind.CANCELLATION: ("Start", "End", "Location", "UID"),
}


def meeting_item(box: Mailbox, uid: str) -> Item | None:
    """The calendar item of a meeting in a mailbox."""
    for item in box.folder("calendar").items.values():
        if item.kind is Kind.CALENDAR and item.text("UID") == uid:
            return item
    return None


def book(store: Store, box: Mailbox, target: Target, *, reset: bool) -> Item:
    """Puts the meeting with its exceptions into an attendee's calendar; `reset` takes the answer back."""
    organizer = target.item.folder.mailbox
    item = meeting_item(box, target.text("UID"))
    new = item is None
    if item is None:
        item = store.add(box.folder("calendar"), Kind.CALENDAR, organizer.name)
    source = target.item
    for name in _SHARED:
        if name in source.fields:
            item.fields[name] = source.fields[name]
        elif name in item.fields:
            del item.fields[name]
    for name in ATTENDEES:
        item.fields.pop(name, None)
        if name in source.fields:
            item.fields[name] = typed(name, [_unanswered(one) for one in source.fields[name]])
    item.fields["Organizer"] = typed("Organizer", [mailbox(organizer.name, organizer.address)])
    item.series = _copied(source.series)
    item.put("MeetingRequestWasSent", "true")
    if new or reset:
        item.put("MyResponseType", "NoResponseReceived")
        item.put("LegacyFreeBusyStatus", "Tentative")
    item.fields.pop("IsCancelled", None)
    if new:
        store.announce("Created", item)
    else:
        store.changed(item, organizer.name, set(_SHARED))
    return item


def _unanswered(attendee: Element) -> Element:
    box = attendee.find(t("Mailbox"))
    return typed("Attendee", [] if box is None else [box])


def _copied(series: Series | None) -> Series | None:
    if series is None:
        return None
    changed = {
        when: Change(when, dict(one.fields), {}, set(one.deleted_fields), one.modified)
        for when, one in series.changed.items()
    }
    return Series(changed, set(series.deleted))


def call_off(store: Store, box: Mailbox, target: Target) -> Item | None:
    """Marks the meeting, or one occurrence, as cancelled in an attendee's calendar, where it stays."""
    item = meeting_item(box, target.text("UID"))
    if item is None:
        return None
    subject = typed("Subject", f"Canceled: {target.text('Subject')}")
    told = {
        "Subject": subject,
        "IsCancelled": typed("IsCancelled", "true"),
        "LegacyFreeBusyStatus": typed("LegacyFreeBusyStatus", "Free"),
    }
    if target.original is None:
        item.fields |= told
    else:
        item.series = item.series or Series()
        change = item.series.changed.setdefault(target.original, Change(target.original))
        change.fields |= told
    store.changed(item, target.item.folder.mailbox.name, set(told))
    return item


def message(
    store: Store, folder: Folder, kind: Kind, target: Target, item: Item | None, **fields: str
) -> Item:
    """A meeting message in a folder, about a calendar item of the same mailbox."""
    sender = fields.pop("sender_name"), fields.pop("sender")
    made = store.add(folder, kind, sender[0])
    for name in _ON_MESSAGES[kind]:
        found = target.field(name)
        if found is not None:
            made.fields[name] = found
    made.fields["Start"] = typed("Start", stamp(target.start))
    made.fields["End"] = typed("End", stamp(target.end))
    if target.original is not None:
        made.put("RecurrenceId", stamp(target.original))
    made.fields["From"] = typed("From", [mailbox(*sender)])
    made.fields["Sender"] = typed("Sender", [mailbox(*sender)])
    made.put("DateTimeSent", stamp(store.now()))
    made.fields["ToRecipients"] = typed(
        "ToRecipients", [mailbox(folder.mailbox.name, folder.mailbox.address)]
    )
    for name, value in fields.items():
        made.put(name, value)
    made.associated = None if item is None else item.number
    made.is_read = False
    store.announce("NewMail" if folder.distinguished == "inbox" else "Created", made)
    return made


def take_answer(
    store: Store, box: Mailbox, uid: str, address: str, answer: str, original: datetime | None
) -> Item | None:
    """An attendee's answer arrives at the organizer's item. Returns the item, None where there is none."""
    item = meeting_item(box, uid)
    if item is None or not is_organizer(item):
        return None
    target = Target(item, original)
    fields = item.fields
    if original is not None:
        item.series = item.series or Series()
        fields = item.series.changed.setdefault(original, Change(original)).fields
    names = set()
    for name in ATTENDEES:
        listed = target.field(name)
        if listed is None or address not in _addresses(listed):
            continue
        fields[name] = typed(name, [_answered(store, each, address, answer) for each in listed])
        names.add(name)
    store.changed(item, address, names)
    return item


def _addresses(attendees: Element) -> list[str]:
    return [text_of(each.find(t("Mailbox")), "EmailAddress").lower() for each in children(attendees)]


def _answered(store: Store, attendee: Element, address: str, answer: str) -> Element:
    box = attendee.find(t("Mailbox"))
    if box is None or text_of(box, "EmailAddress").lower() != address:
        return attendee
    return typed(
        "Attendee", [box, typed("ResponseType", answer), typed("LastResponseTime", stamp(store.now()))]
    )
