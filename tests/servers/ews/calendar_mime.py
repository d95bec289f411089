"""MimeContent of calendar items: one event as iCalendar, in and out, for clients that work so (DavMail).

Single events and plain fields only: a series, its exceptions and attendees are not converted here, and a
client that sends a series this way is refused.
"""

from datetime import UTC, date, datetime, time, timedelta
from xml.etree.ElementTree import Element

import icalendar

from tests.servers.ews.errors import EwsError
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import stamp, typed, yes_no
from tests.servers.ews.zones import known, zone_of

_SENSITIVITY = {"PRIVATE": "Private", "CONFIDENTIAL": "Confidential"}


def read(content: bytes) -> list[Element]:
    """The properties that the one VEVENT of a MimeContent writes."""
    try:
        found = icalendar.Calendar.from_ical(content).walk("VEVENT")
    except ValueError as error:
        raise EwsError("ErrorMimeContentInvalid", f"MimeContent is no iCalendar: {error}") from error
    if len(found) != 1 or "RRULE" in found[0]:
        raise EwsError("ErrorUnsupportedMimeConversion", "Only single events are converted here.")
    event = found[0]
    start = event.decoded("DTSTART")
    end = event.decoded("DTEND", start + timedelta(days=1 if not isinstance(start, datetime) else 0))
    zone = str(event["DTSTART"].params.get("TZID", ""))
    values = [typed("StartTimeZone", (), Id=zone)] if known(zone) else []
    values += [
        typed("Start", stamp(_moment(start))),
        typed("End", stamp(_moment(end))),
        typed("IsAllDayEvent", yes_no(not isinstance(start, datetime))),
        typed("Subject", str(event.get("SUMMARY", ""))),
        typed("Sensitivity", _SENSITIVITY.get(str(event.get("CLASS", "")).upper(), "Normal")),
    ]
    for name, element in {"LOCATION": "Location", "UID": "UID"}.items():
        if name in event:
            values.append(typed(element, str(event[name])))
    if "DESCRIPTION" in event:
        values.append(typed("Body", str(event["DESCRIPTION"]), BodyType="Text"))
    return values


def _moment(value: date) -> datetime:
    if not isinstance(value, datetime):
        return datetime.combine(value, time(), UTC)
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value


def write(target: Target) -> bytes:
    """The item as iCalendar; a series as its first occurrence."""
    event = icalendar.Event()
    event.add("UID", target.text("UID"))
    event.add("DTSTAMP", target.item.modified)
    event.add("SUMMARY", target.text("Subject"))
    name_of_zone = target.item.text("StartTimeZoneId")
    zone = zone_of(name_of_zone)
    all_day = target.text("IsAllDayEvent") == "true"
    for name, moment in {"DTSTART": target.start, "DTEND": target.end}.items():
        local = moment.astimezone(zone)
        if all_day or zone is UTC:
            event.add(name, local.date() if all_day else local)
        else:
            event.add(name, local.replace(tzinfo=None), parameters={"TZID": name_of_zone})
    for name, element in {"LOCATION": "Location", "DESCRIPTION": "Body"}.items():
        if target.text(element):
            event.add(name, target.text(element))
    told = {kind: word for word, kind in _SENSITIVITY.items()}
    event.add("CLASS", told.get(target.text("Sensitivity"), "PUBLIC"))
    calendar = icalendar.Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", "Microsoft Exchange Server 2010")
    calendar.add("METHOD", "PUBLISH")
    if zone is not UTC:
        year = target.start.year
        rules = icalendar.Timezone.from_tzinfo(zone, name_of_zone, date(year, 1, 1), date(year + 1, 1, 1))
        calendar.add_component(rules)
    calendar.add_component(event)
    content: bytes = calendar.to_ical()
    return content
