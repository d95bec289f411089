"""Another client of an Exchange server, that is told in the lines of iCalendar what a person does with it.

What a person cannot do in a client of Exchange does nothing here:

- an event is confirmed or called off, and nothing between ("tentative" is a kind of busy time);
- an item has one reminder: another one takes its place, and to take one out is to have none;
- a changed occurrence is never again as its series says: it can only be changed further, or deleted;
- an occurrence stays between its neighbours (ErrorOccurrenceCrossingBoundary);
- a task has no place, no link and no guests.
"""

from datetime import UTC, date, datetime, time, timedelta
from xml.etree.ElementTree import Element

from connectors.ews.calendar.xml import PROPERTY_SET
from tests.property.agenda_client import Part, Resource, name_of, start_of, unescaped, value, values
from tests.property.exchange_text import LINK, PARIS, UNNAMED, VENDOR, minutes_in
from tests.servers.ews.errors import EwsError
from tests.servers.ews.mail import mailbox
from tests.servers.ews.other_client import OtherClient, Value, categories, extended_uri, recurrence
from tests.servers.ews.updates import Kept
from tests.servers.ews.xmlwork import stamp, t, text_of, typed

ROMANCE = "Romance Standard Time"
SENSITIVITY = {"PRIVATE": "Private", "CONFIDENTIAL": "Confidential", "": "Normal", "PUBLIC": "Normal"}
SAID = {"ACCEPTED": "Accept", "DECLINED": "Decline", "TENTATIVE": "Tentative"}
TEXTS = {"SUMMARY": "Subject", "LOCATION": "Location", "DESCRIPTION": "Body"}


def moment(local: datetime) -> str:
    """A time in Paris."""
    return stamp(local.replace(tzinfo=PARIS))


class Hand:
    """One person's client."""

    def __init__(self, client: OtherClient, address: str) -> None:
        self.client = client
        self.address = address

    def make(self, source: bytes, event_folder: str, task_folder: str) -> str:
        """A new item; returns its id."""
        (part,) = Resource(source).parts
        task = part[0] == "BEGIN:VTODO"
        fields: dict[str, Value] = {"ReminderIsSet": "false"}
        if task:
            fields["DueDate"] = _day(value(part, "DUE"))
            ref = self.client.add_task(unescaped(value(part, "SUMMARY")), folder=task_folder, **fields)
            if value(part, "UID").startswith(("crm-", UNNAMED)):  # it came from the CRM, with what that adds
                self.client.set_extended(ref, extended_uri(PROPERTY_SET, "uid"), value(part, "UID"))
        else:
            start, end = start_of(part), _end(part)
            assert start is not None
            if value(part, "RRULE"):
                count = int(value(part, "RRULE").rpartition("COUNT=")[2])
                fields["Recurrence"] = recurrence("DailyRecurrence", start.date(), count=count, Interval="1")
            ref = self.client.add_event(
                unescaped(value(part, "SUMMARY")),
                start.replace(tzinfo=PARIS),
                end.replace(tzinfo=PARIS),
                zone=ROMANCE,
                folder=event_folder,
                UID=value(part, "UID"),
                **fields,
            )
        bare = [line for line in part if name_of(line) in {"DTSTART", "DTEND", "DUE", "RRULE", "SUMMARY"}]
        self._changed(ref, [part[0], *bare, part[-1]], part)
        return ref

    def edit(self, ref: str, before: bytes, after: bytes) -> None:
        """What differs between two texts of the item is done to it."""
        old, new = Resource(before), Resource(after)
        was = {value(part, "RECURRENCE-ID"): part for part in old.parts}
        now = {value(part, "RECURRENCE-ID"): part for part in new.parts}
        series = now[""]
        self._changed(ref, was[""], series)
        gone = {line.split(":")[1] for line in values(series, "EXDATE")} - {
            line.split(":")[1] for line in values(was[""], "EXDATE")
        }
        moved = [value(was[""], name) for name in ("DTSTART", "DTEND")] != [
            value(series, name) for name in ("DTSTART", "DTEND")
        ]
        if moved:
            return  # Exchange has dropped what was changed and deleted: there is nothing else to do it to
        for at in gone:
            self.client.delete(self._occurrence(ref, at))
        for at in now.keys() - {""} - gone:
            self._changed(self._occurrence(ref, at), was.get(at) or _natural(series, at), now[at])

    def _occurrence(self, ref: str, at: str) -> str:
        return self.client.occurrence_id(ref, _local(at).replace(tzinfo=PARIS))

    def _changed(self, ref: str, old: Part, new: Part) -> None:
        """One event, occurrence or task, line by line. A time that the server refuses stays as it was."""
        task = new[0] == "BEGIN:VTODO"
        fields: dict[str, Value | None] = {}
        for name, tag in TEXTS.items():
            if value(old, name) != value(new, name) and not (task and name == "LOCATION"):
                fields[tag] = unescaped(value(new, name))
        if value(old, "CLASS") != value(new, "CLASS"):
            fields["Sensitivity"] = SENSITIVITY.get(value(new, "CLASS"), "Personal")
        if values(old, "CATEGORIES") != values(new, "CATEGORIES"):
            names = [unescaped(line.split(":", 1)[1]) for line in values(new, "CATEGORIES")]
            fields["Categories"] = categories(*names) if names else None
        fields |= self._task(old, new) if task else self._event(ref, old, new)
        fields |= _reminder(old, new, task=task)
        if fields:
            self.client.edit(ref, **fields)
        self._times(ref, old, new, task=task)
        for line in new:
            if line.startswith(VENDOR) and "ALARM" not in line and line not in old:
                self._set(ref, name_of(line), line.encode().hex())
        link = value(new, "CONFERENCE")
        if link and link != value(old, "CONFERENCE") and not task:
            self._set(ref, LINK, link)

    def _set(self, ref: str, name: str, text: str) -> None:
        uri = Element(t("ExtendedFieldURI"), {
            "DistinguishedPropertySetId": "PublicStrings", "PropertyName": name, "PropertyType": "String",
        })  # fmt: skip
        self.client.set_extended(ref, uri, text)

    def _times(self, ref: str, old: Part, new: Part, *, task: bool) -> None:
        if task:
            if value(old, "DUE") != value(new, "DUE"):
                self.client.edit(ref, DueDate=_day(value(new, "DUE")))
            return
        start, end = start_of(new), _end(new)
        assert start is not None
        if (start, end) == (start_of(old), _end(old)):
            return
        kept = Kept.of(self.client.target(ref).item)
        try:
            self.client.edit(ref, Start=moment(start), End=moment(end))
        except EwsError:
            kept.restore()

    def _event(self, ref: str, old: Part, new: Part) -> dict[str, Value | None]:
        fields: dict[str, Value | None] = {}
        if value(old, "TRANSP") != value(new, "TRANSP"):
            fields["LegacyFreeBusyStatus"] = "Free" if value(new, "TRANSP") == "TRANSPARENT" else "Busy"
        organizer = value(new, "ORGANIZER").removeprefix("mailto:")
        if values(old, "ATTENDEE") != values(new, "ATTENDEE"):
            fields["RequiredAttendees"] = self._guests(ref, old, new)
            mine = next(
                (one for one in values(new, "ATTENDEE") if one.endswith(f":mailto:{self.address}")), ""
            )
            if mine and organizer != self.address and mine not in values(old, "ATTENDEE"):
                fields["MyResponseType"] = SAID.get(_partstat(mine), "NoResponseReceived")
        if organizer not in {"", self.address} and not value(old, "ORGANIZER"):
            fields["Organizer"] = typed("Organizer", [mailbox("", organizer)])
        return fields

    def _guests(self, ref: str, old: Part, new: Part) -> Element:
        """Those who were there stay as they are, but for an answer that came."""
        there = self.client.target(ref).field("RequiredAttendees")
        kept = {
            text_of(one.find(t("Mailbox")), "EmailAddress"): one for one in (() if there is None else there)
        }
        guests = []
        for line in values(new, "ATTENDEE"):
            email, said = line.rpartition("mailto:")[2], SAID.get(_partstat(line), "Unknown")
            if email in kept and line in values(old, "ATTENDEE"):
                guests.append(kept[email])
            else:
                guests.append(typed("Attendee", [mailbox("", email), typed("ResponseType", said)]))
        return typed("RequiredAttendees", guests)

    def _task(self, old: Part, new: Part) -> dict[str, Value | None]:
        if value(old, "STATUS") == value(new, "STATUS"):
            return {}
        if value(new, "STATUS") == "COMPLETED":
            return {"Status": "Completed", "CompleteDate": "2026-11-21T00:00:00Z"}
        return {"Status": "NotStarted"}


def _reminder(old: Part, new: Part, *, task: bool) -> dict[str, Value | None]:
    was, now = triggers(old), triggers(new)
    added = [one for one in now if one not in was]
    if not added:
        return {"ReminderIsSet": "false"} if len(now) < len(was) else {}
    minutes = minutes_in(added[-1])
    if not task:
        return {"ReminderIsSet": "true", "ReminderMinutesBeforeStart": str(minutes)}
    due = datetime.combine(date.fromisoformat(_day(value(new, "DUE"))[:10]), time(), PARIS).astimezone(UTC)
    return {"ReminderIsSet": "true", "ReminderDueBy": stamp(due - timedelta(minutes=minutes))}


def triggers(part: Part) -> list[str]:
    """Of its alarms."""
    return [line.split(":", 1)[1] for line in part if name_of(line) == "TRIGGER"]


def _natural(series: Part, at: str) -> Part:
    """The occurrence as its series has it."""
    start, when = start_of(series), _local(at)
    assert start is not None
    length = _end(series) - start
    lines = [line for line in series if name_of(line) not in {"DTSTART", "DTEND", "RRULE", "EXDATE"}]
    return [*lines[:-1], f"DTSTART:{when:%Y%m%dT%H%M%S}", f"DTEND:{when + length:%Y%m%dT%H%M%S}", lines[-1]]


def _local(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%dT%H%M%S")  # noqa: DTZ007 - wall-clock time


def _end(part: Part) -> datetime:
    return _local(value(part, "DTEND"))


def _day(text: str) -> str:
    return f"{text[:4]}-{text[4:6]}-{text[6:8]}T00:00:00Z"


def _partstat(line: str) -> str:
    found = line.partition("PARTSTAT=")[2]
    return found.replace(":", ";").partition(";")[0]
