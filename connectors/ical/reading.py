"""iCalendar to an Item (RFC 5545): bytes of one resource to what the CRM knows of it.

Anything that is one event, task or series is read, however its client spells it; everything else is
Unreadable, with the line and the reason and nothing of the content. Time and memory are linear.
"""

from datetime import UTC, datetime, timedelta

from connectors.block import find, strip
from connectors.calendar import Component, Item, Kind, Privacy, Status, Timing, When, zone_info
from connectors.ical.lines import Document, Line, Node, Unreadable, parse
from connectors.ical.parts import (
    NONE,
    UTC_INFO,
    Fields,
    address_of,
    attendees_of,
    gather,
    read_alarm,
    read_categories,
    text_of,
    token_of,
)
from connectors.ical.values import add, align, read_duration, read_rule, read_when
from connectors.ical.video import hints_of, link_of, place_of
from connectors.ical.zones import Zones

__all__ = ["Unreadable", "read"]

_KINDS = {"VEVENT": Kind.EVENT, "VTODO": Kind.TASK}
LONGEST_NAME = 600  # characters of a UID or an address
_OTHERS = frozenset({"VJOURNAL", "VFREEBUSY", "VAVAILABILITY"})
_EVENT_STATUS = {"TENTATIVE": Status.TENTATIVE, "CANCELLED": Status.CANCELLED, "CANCELED": Status.CANCELLED}
_PRIVACY = {"": Privacy.PUBLIC, "PUBLIC": Privacy.PUBLIC, "CONFIDENTIAL": Privacy.CONFIDENTIAL}
_DIGITS = 9  # of a number that is taken at its word


def read(data: bytes, last_block: str = "") -> Item:
    """The item that `data` is. `last_block` is what the CRM last wrote into its description.

    Raises Unreadable.
    """
    document = parse(data)
    return read_document(document, last_block)


def read_document(document: Document, last_block: str = "") -> Item:
    """The item of a parsed resource. Raises Unreadable."""
    zones = zones_of(document)
    found = read_components(document, zones, last_block)
    fields = [gather(node) for node, _ in found]
    node, main = found[0]
    _bounded(text_of(fields[0], "UID"), [component for _, component in found])
    return Item(
        uid=text_of(fields[0], "UID").strip(),
        kind=_KINDS[node.name],
        components=(main, *(component for _, component in found[1:])),
        sequence=read_sequence(fields[0]),
        crm_id=next((text_of(each, "X-CRM-ID") for each in fields if "X-CRM-ID" in each), ""),
        companion=any("X-CRM-COMPANION" in each for each in fields),
        dressed=any(_dressed(each) for each in fields),
        zones=zones.definitions(),
        modified=max((at for each in fields if (at := _modified(each)) is not None), default=None),
    )


def _bounded(uid: str, components: list[Component]) -> None:
    """Raises Unreadable where a name is longer than the index of a database takes."""
    if len(uid) > LONGEST_NAME:
        raise Unreadable(f"the UID has {len(uid)} characters; {LONGEST_NAME} are accepted")
    for one in components:
        longest = max((len(each.email) for each in one.attendees), default=0)
        if max(longest, len(one.organizer)) > LONGEST_NAME:
            raise Unreadable(f"an address has more than {LONGEST_NAME} characters")


def _modified(fields: Fields) -> datetime | None:
    """LAST-MODIFIED, else DTSTAMP; both are in UTC (RFC 5545 sections 3.8.7.2 and 3.8.7.3)."""
    text = token_of(fields, "LAST-MODIFIED") or token_of(fields, "DTSTAMP")
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _dressed(fields: Fields) -> bool:
    """Whether the CRM's names or block are on it."""
    named = "X-CRM-ACCOUNT" in fields or "X-CRM-OPPORTUNITY" in fields
    return named or bool(find(text_of(fields, "DESCRIPTION")))


def read_components(document: Document, zones: Zones, last_block: str = "") -> list[tuple[Node, Component]]:
    """The events or tasks in a resource with what they say, the series first. Raises Unreadable."""
    nodes = item_nodes(document)
    kind = _KINDS[nodes[0].name]
    fields = [gather(node) for node in nodes]
    _check_uid(nodes[0], fields)
    start = next((_start(each, zones) for each in fields if "RECURRENCE-ID" not in each), None)
    found = [
        (node, read_component(node, each, kind, zones, start=start, last_block=last_block))
        for node, each in zip(nodes, fields, strict=True)
    ]
    if len(found) > 1:
        found.sort(key=lambda pair: pair[1].key)
        if len({component.key for _, component in found}) < len(found):
            raise Unreadable("the same occurrence twice in one item")
    return found


def item_nodes(document: Document) -> list[Node]:
    """The events or tasks in a resource, at least one. Raises Unreadable."""
    nodes = [node for node in document.root.children if node.name in _KINDS]
    if not nodes or any(node.name != nodes[0].name for node in nodes):
        raise Unreadable("holds no event and no task" if not nodes else "holds events and tasks")
    for node in document.root.children:
        if node.name in _OTHERS:
            raise Unreadable(f"line {node.begin.number}: holds a {node.name}")
    return nodes


def zones_of(document: Document) -> Zones:
    """The time zones that a resource defines."""
    return Zones(node for node in document.root.children if node.name == "VTIMEZONE")


def _check_uid(node: Node, fields: list[Fields]) -> None:
    uids = {text_of(each, "UID").strip() for each in fields}
    if len(uids) > 1:
        raise Unreadable("UIDs that differ in one item")
    if "" in uids:
        raise Unreadable(f"line {node.begin.number}: no UID")


def read_component(
    node: Node, fields: Fields, kind: Kind, zones: Zones, *, start: When | None = None, last_block: str = ""
) -> Component:
    """One component; `start` is that of its series. Raises Unreadable."""
    event = kind is Kind.EVENT
    identity = fields.get("RECURRENCE-ID", NONE)
    status, completed = _event_status(fields) if event else _task_status(fields, zones)
    link = link_of(fields)
    return Component(
        timing=read_timing(fields, kind, zones, node.begin.number),
        recurrence_id=align(when_of(identity[0], zones), start) if identity else None,
        this_and_future=bool(identity) and "THISANDFUTURE" in identity[0].params.upper(),
        subject=text_of(fields, "SUMMARY"),
        location=place_of(fields, link),
        notes=strip(text_of(fields, "DESCRIPTION"), last_block),
        status=status,
        privacy=_PRIVACY.get(token_of(fields, "CLASS"), Privacy.PRIVATE),
        busy=event and token_of(fields, "TRANSP") != "TRANSPARENT",
        alarms=frozenset(
            [trigger for child in node.children if (trigger := read_alarm(child, zones))]
            if len(node.entries) > 1
            else ()
        ),
        categories=frozenset(
            [name for line in fields.get("CATEGORIES", NONE) for name in read_categories(line)]
        ),
        organizer=next((address_of(line) for line in fields.get("ORGANIZER", NONE)), ""),
        attendees=attendees_of(fields.get("ATTENDEE", NONE)),
        video_url=link,
        completed=completed,
        hints=hints_of(fields),
    )


def read_sequence(fields: Fields) -> int:
    """SEQUENCE; 0 where there is none or it is no number."""
    value = token_of(fields, "SEQUENCE")
    return int(value) if value.isdecimal() and value.isascii() and len(value) <= _DIGITS else 0


# --- state ----------------------------------------------------------------------------------------


def _event_status(fields: Fields) -> tuple[Status, None]:
    return _EVENT_STATUS.get(token_of(fields, "STATUS"), Status.CONFIRMED), None


def _task_status(fields: Fields, zones: Zones) -> tuple[Status, datetime | None]:
    status = token_of(fields, "STATUS")
    if status in {"CANCELLED", "CANCELED"}:
        return Status.CANCELLED, None
    lines = fields.get("COMPLETED")
    if not lines and status != "COMPLETED" and token_of(fields, "PERCENT-COMPLETE") != "100":
        return Status.OPEN, None
    return Status.DONE, when_of(lines[0], zones).instant(UTC_INFO) if lines else None


# --- time -----------------------------------------------------------------------------------------


def when_of(line: Line, zones: Zones) -> When:
    """The time in a line. Raises Unreadable."""
    try:
        return read_when(line.value, zones.zone(line))
    except ValueError as error:
        raise _unreadable(line, error) from error


def _unreadable(line: Line, error: ValueError) -> Unreadable:
    return Unreadable(f"line {line.number}: {line.name}: {error}")


def _start(fields: Fields, zones: Zones) -> When | None:
    lines = fields.get("DTSTART")
    return when_of(lines[0], zones) if lines else None


def read_timing(fields: Fields, kind: Kind, zones: Zones, number: int) -> Timing:
    """When it happens. Raises Unreadable; `number` is the line to tell where DTSTART is missing."""
    start = _start(fields, zones)
    if start is None and kind is Kind.EVENT:
        raise Unreadable(f"line {number}: an event without DTSTART")
    return Timing(
        start=start,
        end=read_end(fields, kind, zones, start),
        rrule="\n".join(sorted({rule_of(line, start) for line in fields.get("RRULE", NONE)})),
        rdates=_dates(fields, "RDATE", zones, start),
        exdates=_dates(fields, "EXDATE", zones, start),
    )


def read_end(fields: Fields, kind: Kind, zones: Zones, start: When | None) -> When | None:
    """DTEND or DUE, else DURATION, else the default. Raises Unreadable."""
    name = "DTEND" if kind is Kind.EVENT else "DUE"
    if name in fields:
        end = when_of(fields[name][0], zones)
        if start is None or kind is Kind.TASK:
            return end
        end = _same_kind(end, start)
        return end if _after(end, start) else default_end(start)
    if start is None:
        return None
    if "DURATION" in fields:
        line = fields["DURATION"][0]
        try:
            days, seconds = read_duration(line.value)
            if days > 0 or seconds > 0:
                end = add(start, days, seconds)
                return end if _after(end, start) else default_end(start)
        except ValueError as error:
            raise _unreadable(line, error) from error
    return default_end(start) if kind is Kind.EVENT else None


def default_end(start: When) -> When:
    """RFC 5545 section 3.6.1: a whole day, or no time at all."""
    return When(start.local + timedelta(days=1)) if start.is_date else start


def _same_kind(end: When, start: When) -> When:
    if end.is_date == start.is_date:
        return end
    if not isinstance(end.local, datetime):
        return When(datetime(end.local.year, end.local.month, end.local.day), start.zone)  # noqa: DTZ001
    midnight = end.local.hour == end.local.minute == end.local.second == 0
    return When(end.local.date() if midnight else end.local.date() + timedelta(days=1))


def _after(end: When, start: When) -> bool:
    if start.is_date:
        return end.local > start.local
    if end.zone == start.zone:
        return end.local >= start.local
    here, there = zone_info(start.zone), zone_info(end.zone)
    if here is None or there is None:
        return True
    return end.instant(UTC_INFO) >= start.instant(UTC_INFO)


def rule_of(line: Line, start: When | None) -> str:
    """The normal form of an RRULE line. Raises Unreadable."""
    try:
        return read_rule(line.value, start)
    except ValueError as error:
        raise _unreadable(line, error) from error


def _dates(fields: Fields, name: str, zones: Zones, start: When | None) -> tuple[When, ...]:
    if name not in fields:
        return ()
    return ordered([when for line in fields[name] for _, when in dates_of(line, zones, start)])


def ordered(dates: list[When]) -> tuple[When, ...]:
    """Sorted by their keys, each moment once, in the first form of it."""
    unique = {when.key(): when for when in reversed(dates)}
    return tuple(unique[key] for key in sorted(unique))


def dates_of(line: Line, zones: Zones, start: When | None) -> list[tuple[str, When]]:
    """The dates in an RDATE or EXDATE line, each with its text; of a period, its start. Raises Unreadable."""
    try:
        zone = zones.zone(line)
        return [
            (text, align(read_when(text.partition("/")[0], zone), start))
            for text in line.value.split(",")
            if text.strip()
        ]
    except ValueError as error:
        raise _unreadable(line, error) from error
