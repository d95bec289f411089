"""Time zones: what a TZID stands for, the VTIMEZONE of a zone, the clocks of a zone that only its VTIMEZONE
describes (RFC 5545 sections 3.2.19 and 3.6.5)."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import available_timezones

from connectors.calendar import UTC_ZONE, zone_info
from connectors.ical.lines import Line, Node, Unreadable, parameters, parse
from connectors.ical.values import unescape

_UTC_NAMES = frozenset(
    {"UTC", "ETC/UTC", "GMT", "ETC/GMT", "Z", "ZULU", "ETC/ZULU", "UNIVERSAL", "ETC/UNIVERSAL", "UCT"}
    | {"ETC/UCT", "TZONE://MICROSOFT/UTC", "(UTC) COORDINATED UNIVERSAL TIME", "COORDINATED UNIVERSAL TIME"}
)
_MAX_NAME = 255
_MAX_DEFINITION = 100_000
_MAX_LINES = 2000
_MAX_GUESSES = 3  # in one item: each takes a quarter of a second, once

# Such as: (UTC+01:00) Brussels, Copenhagen, Madrid, Paris
_DISPLAYED = re.compile(r"\((?:UTC|GMT)(?:([+-][0-9]{1,2})[:.]?([0-9]{2}))?\) ?(.*)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def zone_named(tzid: str) -> str | None:
    """The zone that a TZID names: IANA, Windows, or a client's spelling of either; None for any other."""
    name = tzid.strip().strip('"')
    if not name:
        return None
    upper = name.upper()
    if upper in _UTC_NAMES:
        return UTC_ZONE
    if zone_info(name) is not None:
        return name
    if upper in _windows():
        return _windows()[upper]
    if name.startswith("/"):
        return _by_path([part for part in name.split("/") if part])
    shown = _DISPLAYED.match(name)
    return _by_city(shown) if shown is not None else _spelled().get(upper)


def _by_path(parts: list[str]) -> str | None:
    """libical and Mozilla put their own directory before the name: /mozilla.org/20050126_1/Europe/Paris."""
    tails = ("/".join(parts[-count:]) for count in (3, 2, 1) if count < len(parts))
    return next((known for tail in tails if (known := zone_named(tail))), None)


@lru_cache(maxsize=1)
def _windows() -> Mapping[str, str]:
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON  # takes long to load, and few need it

    return {name.upper(): zone for name, zone in WINDOWS_TO_OLSON.items()}


@lru_cache(maxsize=1)
def _spelled() -> Mapping[str, str]:
    return {name.upper(): name for name in available_timezones() if not name.startswith(("posix", "right"))}


@lru_cache(maxsize=1)
def _cities() -> Mapping[str, str]:
    return {name.rpartition("/")[2].replace("_", " "): name for name in sorted(_spelled().values())}


def _by_city(shown: re.Match[str]) -> str | None:
    hours, minutes = int(shown[1] or 0), int(shown[2] or 0)
    offset = timedelta(hours=abs(hours), minutes=minutes) * (-1 if hours < 0 else 1)
    for city in shown[3].split(","):
        name = _cities().get(city.strip())
        zone = zone_info(name) if name else None
        if zone is not None:
            for month in (1, 7):  # winter is on one side of the equator or the other
                at = datetime(2026, month, 1, tzinfo=zone)
                if (at.utcoffset() or timedelta()) - (at.dst() or timedelta()) == offset:
                    return name
    return None


class Zones:
    """The zones of one calendar object: what its TZIDs stand for, with the help of its VTIMEZONEs."""

    def __init__(self, definitions: Iterable[Node]) -> None:
        self._nodes: dict[str, Node] = {}
        for node in definitions:
            line = node.first("TZID")
            if line is not None:
                self._nodes.setdefault(unescape(line.value), node)
        self._read: dict[str, str] = {"": ""}  # by the parameters of a line: most lines share them
        self._found: dict[str, str] = {}
        self._guesses = 0
        self.unknown: dict[str, None] = {}  # TZIDs that were asked for and name no zone

    def zone(self, line: Line) -> str:
        """What the times in that line are in: a zone's name, or the TZID itself; empty without one.

        Raises ValueError for a TZID that is none."""
        known = self._read.get(line.params)
        if known is None:
            known = self._read[line.params] = self._of(parameters(line.params).get("TZID", ""))
        return known

    def _of(self, tzid: str) -> str:
        if len(tzid) > _MAX_NAME:
            raise ValueError("a TZID beyond all length")
        return (zone_named(tzid) or self._found.get(tzid) or self._located(tzid)) if tzid else ""

    def _located(self, tzid: str) -> str:
        known = None
        node = self._nodes.get(tzid)
        if node is not None:
            location = node.first("X-LIC-LOCATION")
            place = unescape(location.value) if location is not None else ""
            known = zone_named(place) if len(place) <= _MAX_NAME else None
            if not known and _DISPLAYED.match(tzid) and self._guesses < _MAX_GUESSES:
                self._guesses += 1
                known = _alike(node.write().decode("utf-8", "replace"))
        if not known:
            self.unknown.setdefault(tzid)
        self._found[tzid] = known or tzid
        return known or tzid

    @property
    def tzids(self) -> frozenset[str]:
        """The TZIDs that are defined."""
        return frozenset(self._nodes)

    def definitions(self) -> tuple[tuple[str, str], ...]:
        """The TZIDs that no zone is known for, each with its VTIMEZONE if there is one."""
        return tuple(
            (tzid, self._nodes[tzid].write().decode("utf-8", "replace"))
            for tzid in self.unknown
            if tzid in self._nodes
        )


def offset_of(definition: str, local: datetime) -> timedelta | None:
    """How far ahead of UTC the clocks are at a wall-clock time in the zone that a VTIMEZONE defines; None
    where the definition says nothing that can be used."""
    zone = _compiled(definition) if len(definition) <= _MAX_DEFINITION else None
    try:
        return local.replace(tzinfo=zone).utcoffset() if zone is not None else None
    except (OverflowError, ValueError, IndexError):
        return None


def offsets(definitions: Iterable[tuple[str, str]]) -> Callable[[str, datetime], timedelta | None]:
    """How far ahead of UTC the clocks of a zone are at a wall-clock time, as an item's definitions tell it;
    None for a zone that they do not define."""
    zones = dict(definitions)

    def offset(zone: str, local: datetime) -> timedelta | None:
        return offset_of(zones[zone], local) if zone in zones else None

    return offset


_COMMON = (
    "Europe/London Europe/Paris Europe/Athens Europe/Moscow Europe/Istanbul Africa/Johannesburg Asia/Dubai"
    " Asia/Kolkata Asia/Shanghai Asia/Tokyo Australia/Sydney Pacific/Auckland America/New_York"
    " America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Sao_Paulo"
).split()


@lru_cache(maxsize=64)
def _alike(definition: str) -> str | None:
    """A common zone whose clocks are those of a definition from 2018 to 2037, every fifth day; for zones
    that Windows only shows a text of, such as "(UTC-05:00) Eastern Time (US & Canada)"."""
    days = [datetime(2018, 1, 1, 12) + timedelta(days=day) for day in range(0, 7300, 5)]  # noqa: DTZ001
    theirs = [offset_of(definition, day) for day in days]
    for name in _COMMON:
        zone = zone_info(name)
        if zone is not None and theirs == [day.replace(tzinfo=zone).utcoffset() for day in days]:
            return name
    return None


@lru_cache(maxsize=64)
def _compiled(definition: str) -> tzinfo | None:
    try:
        body = parse(f"BEGIN:VCALENDAR\n{definition.strip()}\nEND:VCALENDAR\n".encode())
    except (Unreadable, UnicodeEncodeError):
        return None
    node = next((child for child in body.root.children if child.name == "VTIMEZONE"), None)
    if node is None or not _harmless(node):
        return None
    from icalendar import Timezone  # takes long to load, and few need it

    try:
        read = Timezone.from_ical(node.write())
        zone = read.to_tz(lookup_tzid=False) if isinstance(read, Timezone) else None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, NotImplementedError):
        return None
    return zone


def _harmless(node: Node) -> bool:
    """Whether working it out ends soon: a rule a second would not."""
    observances = 0
    for child in node.children:
        for line in child.lines:
            rule = line.value.upper() if line.name == "RRULE" else "FREQ=YEARLY"
            if "FREQ=YEARLY" not in rule or any(part in rule for part in _FINE):
                return False
            observances += 1 + (line.value.count(",") if line.name == "RDATE" else 0)
    return 0 < observances <= _MAX_LINES


_FINE = ("BYSECOND", "BYMINUTE", "BYHOUR", "BYYEARDAY", "BYWEEKNO")
