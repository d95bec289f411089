"""What an Exchange server of the tests holds, in the lines of iCalendar that the state machine speaks.

It shares no code with the connector, so that what that loses is not lost here as well. It knows what the
state machine can bring about and no more: hours in Paris, daily series, tasks without one.
"""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from tests.property.agenda_client import ZONE, escaped, local
from tests.servers.ews.fields import Kind
from tests.servers.ews.model import ExtendedPath, Item
from tests.servers.ews.occasions import ATTENDEES
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import children, t, text_of

PARIS = ZoneInfo(ZONE)
VENDOR = "X-VENDOR-"
LINK = "SkypeTeamsMeetingUrl"
ANSWERS = {"Accept": "ACCEPTED", "Organizer": "ACCEPTED", "Tentative": "TENTATIVE", "Decline": "DECLINED"}
CLASSES = {"Private": "PRIVATE", "Personal": "PRIVATE", "Confidential": "CONFIDENTIAL"}
UNNAMED = "ews:"  # a task has no UID before somebody gives it one: docs/calendars.md
_DURATION = re.compile(r"-?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:\d+S)?)?\Z")


def source_of(item: Item, ref: str) -> bytes:
    """The item and its changed occurrences, as one resource."""
    parts = [_event(Target(item), ref) if item.kind is Kind.CALENDAR else _task(Target(item), ref)]
    if item.series is not None:
        standing = [at for at in sorted(item.series.changed) if at not in item.series.deleted]
        parts += [lines for at in standing if (lines := _changed(Target(item, at), ref))]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Exchange//Tests//EN"]
    return "\r\n".join([*head, *(line for part in parts for line in part), "END:VCALENDAR", ""]).encode()


def _event(target: Target, ref: str) -> list[str]:
    item = target.item
    lines = ["BEGIN:VEVENT", *_head(target, ref)]
    lines += [_hour("DTSTART", target.start), _hour("DTEND", target.end)]
    if target.original is not None:
        lines.append(_hour("RECURRENCE-ID", target.original))
    elif "Recurrence" in item.fields:
        gone = [] if item.series is None else [_hour("EXDATE", at) for at in sorted(item.series.deleted)]
        lines += [_rule(item), *gone, *_idle(target)]
    lines += [
        f"TRANSP:{'TRANSPARENT' if target.text('LegacyFreeBusyStatus', 'Busy') == 'Free' else 'OPAQUE'}"
    ]
    kept = state(target)
    if target.text("IsCancelled") == "true":
        lines.append("STATUS:CANCELLED")
    elif "status" in kept:
        lines.append(f"STATUS:{str(kept['status']).upper()}")
    link = str(kept.get("video", ""))
    if kept.get("shown") and link not in target.text("Location"):
        link = ""  # a person took it out of the place, or an occurrence has another place than its series
    link = own_text(target, LINK) or link
    lines += [f"CONFERENCE;VALUE=URI:{link}"] if link else []
    lines += [*_people(target), *_alarms(target), "END:VEVENT"]
    return lines


def _changed(target: Target, ref: str) -> list[str]:
    """A changed occurrence; nothing where it was changed back, which Exchange cannot say otherwise."""
    lines = _event(target, ref)
    if state(target).get("natural") and _plain(lines) == _plain(as_series(target, ref)):
        return []
    return lines


def _plain(lines: list[str]) -> list[str]:
    return sorted(line for line in lines if not line.startswith(VENDOR))


def as_series(target: Target, ref: str) -> list[str]:
    """What the series alone says of an occurrence."""
    item, at = target.item, target.original
    assert at is not None
    natural = Target(item)
    lines = [
        line for line in _event(natural, ref) if not line.startswith(("RRULE", "EXDATE", "DTSTART", "DTEND"))
    ]
    wall = at.astimezone(PARIS).replace(tzinfo=None)
    length = natural.end.astimezone(PARIS).replace(tzinfo=None) - natural.start.astimezone(PARIS).replace(
        tzinfo=None
    )
    lines += [local("DTSTART", wall), local("DTEND", wall + length), local("RECURRENCE-ID", wall)]
    return lines


def _task(target: Target, ref: str) -> list[str]:
    item, kept = target.item, state(target)
    lines = ["BEGIN:VTODO", *_head(target, ref)]
    for name, tag in (("DTSTART", "StartDate"), ("DUE", "DueDate")):
        if item.text(tag):
            lines.append(f"{name};VALUE=DATE:{item.text(tag)[:10].replace('-', '')}")
    if item.text("Status") == "Completed":
        lines += ["STATUS:COMPLETED", *_done(item.text("CompleteDate"), kept.get("completed"))]
    else:
        cancelled = item.text("Status") == "Deferred" and kept.get("status") == "cancelled"
        lines.append("STATUS:CANCELLED" if cancelled else "STATUS:NEEDS-ACTION")
    return [*lines, *_alarms(target), "END:VTODO"]


def _done(day: str, kept: object) -> list[str]:
    if kept == "":
        return []
    there = date.fromisoformat(day[:10])
    at = datetime.combine(there, time(), UTC)
    if isinstance(kept, str) and abs(datetime.fromisoformat(kept).astimezone(UTC).date() - there).days <= 1:
        at = datetime.fromisoformat(kept).astimezone(UTC)
    return [f"COMPLETED:{at:%Y%m%dT%H%M%SZ}"]


def _head(target: Target, ref: str) -> list[str]:
    """What an event and a task have in common, and the lines of other programs."""
    item = target.item
    uid = own_text(target, "uid") if item.kind is Kind.TASK else item.text("UID")
    lines = [f"UID:{uid or UNNAMED + ref}", f"DTSTAMP:{item.modified:%Y%m%dT%H%M%SZ}"]
    lines += [f"LAST-MODIFIED:{item.modified:%Y%m%dT%H%M%SZ}"]
    for name, tag in (("SUMMARY", "Subject"), ("LOCATION", "Location"), ("DESCRIPTION", "Body")):
        if target.text(tag):
            lines.append(f"{name}:{escaped(target.text(tag))}")
    sensitivity = target.text("Sensitivity", "Normal")
    lines += [f"CLASS:{CLASSES[sensitivity]}"] if sensitivity in CLASSES else []
    lines += [f"CATEGORIES:{escaped(one.text or '')}" for one in children(target.field("Categories"))]
    lines += ["X-CRM-COMPANION:TRUE"] if own_text(target, "companion") else []
    change = target.change
    kept = item.extended if target.original is None else {} if change is None else change.extended
    lines += [bytes.fromhex(_value(kept, path)).decode() for path in kept if path.name.startswith(VENDOR)]
    return lines


def _rule(item: Item) -> str:
    (pattern, limits) = item.fields["Recurrence"]
    assert pattern.tag == t("DailyRecurrence"), pattern.tag
    count = text_of(limits, "NumberOfOccurrences")
    every = text_of(pattern, "Interval")
    return f"RRULE:FREQ=DAILY;INTERVAL={every};COUNT={count}"


def _idle(target: Target) -> list[str]:
    """Exclusions of what does not take place anyway."""
    kept = state(target).get("exdates")
    pairs = kept if isinstance(kept, list) else []
    return [local("EXDATE", datetime.fromisoformat(str(at))) for at, zone in pairs if zone == ZONE]


def _hour(name: str, at: datetime) -> str:
    return local(name, at.astimezone(PARIS).replace(tzinfo=None))


# --- people ---------------------------------------------------------------------------------------


def _people(target: Target) -> list[str]:
    box, kept = target.item.folder.mailbox, state(target)
    guests = [one for name in ATTENDEES for one in children(target.field(name))]
    named = target.field("Organizer")
    if not guests and named is None:
        organizer = str(kept.get("organizer", ""))
    else:
        organizer = (
            box.address if named is None else text_of(named.find(t("Mailbox")), "EmailAddress").lower()
        )
    if not organizer:
        return []
    answers = kept.get("answers")
    meant = answers if isinstance(answers, dict) else {}
    lines, emails = [f"ORGANIZER:mailto:{organizer}"], set[str]()
    for guest in guests:
        email = text_of(guest.find(t("Mailbox")), "EmailAddress").lower()
        said = ANSWERS.get(text_of(guest, "ResponseType"), "NEEDS-ACTION")
        own = target.text("MyResponseType", "Organizer" if named is None else "")
        if email == box.address and own in ANSWERS:
            said = ANSWERS[own]
        if email in meant and meant[email][1] == _word(said):
            said = _partstat(str(meant[email][0]))
        emails.add(email)
        lines.append(f"ATTENDEE;PARTSTAT={said}:mailto:{email}")
    host = kept.get("host")
    if isinstance(host, str) and organizer not in emails:
        lines.append(f"ATTENDEE;PARTSTAT={_partstat(host)}:mailto:{organizer}")
    return lines


def _word(partstat: str) -> str:
    return "no_response" if partstat == "NEEDS-ACTION" else partstat.lower()


def _partstat(word: str) -> str:
    return "NEEDS-ACTION" if word == "no_response" else word.upper()


# --- reminders ------------------------------------------------------------------------------------


def _alarms(target: Target) -> list[str]:
    kept = state(target).get("alarms")
    alarms = [str(one) for one in kept] if isinstance(kept, list) else []
    is_set = target.text("ReminderIsSet", "true") == "true"
    if target.kind is Kind.CALENDAR:
        there = int(target.text("ReminderMinutesBeforeStart", "15")) if is_set else None
        if not isinstance(kept, list) or there != min(map(minutes_in, alarms), default=None):
            alarms = [] if there is None else [f"-PT{there}M"]
    else:
        is_set = target.text("ReminderIsSet", "false") == "true"
        due = target.item.text("ReminderDueBy") if is_set else ""
        if not isinstance(kept, list) or due != reminder_of_task(target.item, alarms):
            alarms = [re.sub("[-:]", "", due)] if due else []
    return [line for one in sorted(alarms) for line in _alarm(one)]


def _alarm(trigger: str) -> list[str]:
    name = "TRIGGER;VALUE=DATE-TIME" if trigger.endswith("Z") else "TRIGGER"
    return ["BEGIN:VALARM", "ACTION:DISPLAY", f"{name}:{trigger}", "DESCRIPTION:Rappel", "END:VALARM"]


def minutes_in(trigger: str) -> int:
    """How long before the start it is."""
    found = _DURATION.match(trigger)
    assert found is not None, trigger
    factors = (10080, 1440, 60, 1)
    return sum(int(number) * factor for number, factor in zip(found.groups("0"), factors, strict=True))


def reminder_of_task(item: Item, alarms: list[str]) -> str:
    """When Exchange reminds of a task that has these: the first time of all."""
    day = item.text("StartDate") or item.text("DueDate")
    moments = []
    for one in alarms:
        if one.endswith("Z"):
            moments.append(datetime.strptime(one, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
        elif day:
            begins = datetime.combine(date.fromisoformat(day[:10]), time(), PARIS)
            moments.append(begins.astimezone(UTC) - timedelta(minutes=minutes_in(one)))
    return f"{min(moments):%Y-%m-%dT%H:%M:%SZ}" if moments else ""


# --- properties -----------------------------------------------------------------------------------


def own_text(target: Target, name: str) -> str:
    """A named property, of whichever set."""
    stored = target.extended()
    return next((_value(stored, path) for path in stored if path.name == name), "")


def state(target: Target) -> dict[str, object]:
    """What the service keeps beside an item for want of a field of Exchange (docs/calendars.md)."""
    found: object = json.loads(own_text(target, "state") or "{}")
    assert isinstance(found, dict)
    return found


def _value(stored: dict[ExtendedPath, Element], path: ExtendedPath) -> str:
    return "".join(stored[path][-1].itertext())
