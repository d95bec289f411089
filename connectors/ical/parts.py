"""The parts of a component that are not times of its own: alarms, people, categories."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote

from connectors.block import clean
from connectors.calendar import UTC_ZONE, Attendee, Response, When, zone_info
from connectors.ical.lines import Line, Node, parameters
from connectors.ical.values import (
    read_duration,
    read_when,
    split_list,
    unescape,
    write_duration,
    write_when,
)
from connectors.ical.zones import Zones

Fields = dict[str, list[Line]]

NONE: list[Line] = []
LONGEST_IDENTITY = 320  # characters, as of an address (RFC 3696)
_RESPONSES = {
    "ACCEPTED": Response.ACCEPTED,
    "TENTATIVE": Response.TENTATIVE,
    "DECLINED": Response.DECLINED,
}
_FOUND = zone_info(UTC_ZONE)
assert _FOUND is not None  # noqa: S101 - tzdata is a dependency
UTC_INFO = _FOUND


def gather(node: Node) -> Fields:
    """The lines of a component by name."""
    fields: Fields = {}
    for line in node.entries:
        if isinstance(line, Line):
            if line.name in fields:
                fields[line.name].append(line)
            else:
                fields[line.name] = [line]
    return fields


def text_of(fields: Fields, name: str) -> str:
    """The first TEXT of that name; empty without one."""
    lines = fields.get(name)
    return unescape(lines[0].value) if lines else ""


def token_of(fields: Fields, name: str) -> str:
    """The first value of that name as an upper-case word; empty without one."""
    lines = fields.get(name)
    return lines[0].value.strip().upper() if lines else ""


# --- alarms ---------------------------------------------------------------------------------------


def read_alarm(node: Node, zones: Zones) -> str:
    """An alarm by its trigger; empty for what is none, or none that a person set."""
    fields = gather(node)
    action = token_of(fields, "ACTION")
    if node.name != "VALARM" or "TRIGGER" not in fields or action == "NONE":
        return ""
    if any("SNOOZE" in line.params.upper() for line in fields.get("RELATED-TO", NONE)):
        return ""  # RFC 9074 section 7.2: made by a client that was told to wait
    line = fields["TRIGGER"][0]
    try:
        trigger = _trigger(line, zones)
    except ValueError:
        return ""  # no client rings for it: kept in the resource, unknown here
    return trigger if action in {"DISPLAY", "AUDIO", ""} else f"{clean(action)}:{trigger}"


def _trigger(line: Line, zones: Zones) -> str:
    value = line.value.strip()
    if value[:1].isdigit():
        when = read_when(value, zones.zone(line))
        if not when.is_date and zone_info(when.zone) is not None:
            when = When(when.instant(UTC_INFO).replace(tzinfo=None), UTC_ZONE)
        return write_when(when)
    days, seconds = read_duration(value)
    text = write_duration(days * 86_400 + seconds)
    return f"{text};END" if parameters(line.params).get("RELATED", "").upper() == "END" else text


# --- people ---------------------------------------------------------------------------------------


def address_of(line: Line) -> str:
    """The address of an ORGANIZER or ATTENDEE, lower-cased; empty where it has none. What no address can be
    as long as (RFC 3696) is cut: the database has no room for it."""
    value = line.value.strip()
    scheme, colon, rest = value.partition(":")
    if colon and scheme.strip().lower() == "mailto":
        address = unquote(rest) if "%" in rest else rest
    elif "EMAIL" in line.params.upper():
        address = parameters(line.params).get("EMAIL", "")
    else:
        address = value if ":" not in value and "/" not in value else ""
    address = clean(address).strip(" <>\t").lower()
    return address[:LONGEST_IDENTITY] if "@" in address else ""


def identity_of(line: Line) -> str:
    """What tells an ATTENDEE apart: the address, else the URI (a principal's, "invalid:nomail"), lower-cased.

    Somebody whom no address tells takes part all the same.
    """
    return address_of(line) or clean(line.value).strip().lower()[:LONGEST_IDENTITY]


def response_of(params: Mapping[str, str]) -> Response:
    """The answer that an ATTENDEE line's parameters tell (table T6)."""
    return _RESPONSES.get(params.get("PARTSTAT", "").upper(), Response.NO_RESPONSE)


def attendees_of(lines: list[Line]) -> tuple[Attendee, ...]:
    """Who takes part, by address, each once: the first answer counts."""
    found: dict[str, Attendee] = {}
    for line in lines:
        email = identity_of(line)
        if not email:
            continue
        params = parameters(line.params)
        response = response_of(params)
        known = found.get(email)
        if known is None or (known.response is Response.NO_RESPONSE and response is not known.response):
            name = clean(params.get("CN", "")).strip()
            found[email] = Attendee(email, response, name or (known.name if known else ""))
    return tuple(found[email] for email in sorted(found))


# --- the rest -------------------------------------------------------------------------------------


def read_categories(line: Line) -> list[str]:
    """The categories in a line."""
    return [name for part in split_list(line.value) if (name := unescape(part).strip())]


def as_utc(when: datetime) -> str:
    """A moment as a UTC DATE-TIME value."""
    return when.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
