"""Which TZID a zone is written as, and the VTIMEZONEs that a resource lacks for it."""

from collections.abc import Iterator

from connectors.calendar import UTC_ZONE, Item, When, zone_info
from connectors.ical.lines import Document, Line, Node, Unreadable, parameters, parse
from connectors.ical.vtimezone import timezone
from connectors.ical.zones import Zones


class Clocks:
    """The zones of a resource that is being written."""

    def __init__(self, document: Document, zones: Zones) -> None:
        self.zones = zones
        self._spelled: dict[str, str] = {}  # zone -> TZID, as the resource has it
        self._defined = zones.tzids
        self._used: dict[str, When] = {}  # zone -> the earliest time in it
        for node in document.root.children:
            if node.name in {"VEVENT", "VTODO"}:
                for line in node.lines:
                    if "TZID" in line.params.upper():
                        self._spelled.setdefault(zones.zone(line), parameters(line.params).get("TZID", ""))

    def tzid(self, when: When) -> str:
        """What to write in TZID; empty for a date, UTC and floating times."""
        if when.is_date or when.zone in {"", UTC_ZONE}:
            return ""
        known = self._used.get(when.zone)
        if known is None or when.local < known.local:
            self._used[when.zone] = when
        return self._spelled.get(when.zone, when.zone)

    def define(self, root: Node, end: bytes, item: Item) -> None:
        """Adds the VTIMEZONEs that are needed and not there, before the first event or task."""
        nodes = list(self._missing(end, dict(item.zones)))
        at = next(
            (i for i, entry in enumerate(root.entries) if not isinstance(entry, Line)), len(root.entries)
        )
        root.entries[at:at] = nodes

    def _missing(self, end: bytes, given: dict[str, str]) -> Iterator[Node]:
        for zone, first in self._used.items():
            tzid = self._spelled.get(zone, zone)
            if tzid in self._defined or zone in self._spelled:
                continue
            if zone_info(zone) is not None:
                yield timezone(zone, first.local.year, end)
            elif zone in given:
                try:
                    wrapped = parse(f"BEGIN:VCALENDAR\n{given[zone].strip()}\nEND:VCALENDAR\n".encode())
                except (Unreadable, UnicodeEncodeError):
                    continue
                for child in wrapped.root.children:
                    if child.name == "VTIMEZONE":
                        yield child
