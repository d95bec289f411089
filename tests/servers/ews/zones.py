"""Time zones as Exchange names them: Windows names, definitions by rule, and what GetServerTimeZones says.

The names are CLDR's, by way of the icalendar package; the rules are those of the tz database for this year.
Exchange keeps many years of rules; one recurring rule is what its definitions hold for a zone that is stable.
"""

import functools
from datetime import UTC, datetime, timedelta, tzinfo
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from tests.servers.ews.errors import EwsError
from tests.servers.ews.xmlwork import MESSAGES, duration, make, t, typed

UTC_ZONE: tzinfo = UTC
_NAMES: dict[str, str] = {str(name): str(zone) for name, zone in WINDOWS_TO_OLSON.items()}
_STANDARD = "trule:Microsoft/Registry/{0}/2026-Standard"
_DAYLIGHT = "trule:Microsoft/Registry/{0}/2026-Daylight"
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@functools.cache
def zone_of(name: str) -> tzinfo:
    """The zone of a Windows name; UTC for the empty name. ErrorTimeZone where there is none."""
    if not name or name in {"UTC", "tzone://Microsoft/Utc"}:
        return UTC
    if name not in _NAMES:
        raise EwsError("ErrorTimeZone", f"The time zone {name!r} is unknown.")
    return ZoneInfo(_NAMES[name])


def known(name: str) -> bool:
    """Whether the server has the zone."""
    return name in _NAMES or name in {"UTC", "tzone://Microsoft/Utc"}


def read_zone(definition: Element | None) -> str:
    """The name of the zone that a TimeZoneDefinition or MeetingTimeZone element means, "" without one.

    A definition whose name is unknown is matched by its standard offset and rule, as Exchange does with
    custom zones; where nothing matches: ErrorTimeZone.
    """
    if definition is None:
        return ""
    name = definition.get("Id") or definition.get("TimeZoneName") or definition.get("Name") or ""
    if known(name):
        return name
    base = definition.find(t("BaseOffset"))
    if base is not None and base.text:
        return _by_offset(-duration(base.text))
    for period in definition.iter(t("Period")):
        if "Daylight" not in period.get("Name", ""):
            return _by_offset(-duration(period.get("Bias", "PT0S")))
    raise EwsError("ErrorTimeZone", f"The time zone {name!r} is unknown.")


def _by_offset(offset: timedelta) -> str:
    winter = datetime(2026, 1, 15, tzinfo=UTC)
    for name, zone in sorted(_NAMES.items()):
        if ZoneInfo(zone).utcoffset(winter) == offset:
            return name
    raise EwsError("ErrorTimeZone", f"No time zone has the offset {offset}.")


@functools.cache
def _definition_parts(name: str) -> tuple[timedelta, timedelta | None, tuple[datetime, ...]]:
    """Standard offset, daylight offset, and this year's two transitions by the clock before them."""
    zone = zone_of(name)
    days = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(366)]
    offsets = [_offset(day, zone) for day in days]
    turned = [days[n] for n in range(1, len(days)) if offsets[n] != offsets[n - 1]]
    if len(turned) != 2:
        return offsets[0], None, ()
    moments = []
    for day in turned:
        before = _offset(day - timedelta(days=1), zone)
        hours = (day - timedelta(hours=n) for n in range(24, -1, -1))
        turn = next(hour for hour in hours if _offset(hour, zone) != before)
        moments.append((turn + before).replace(tzinfo=None))
    return min(offsets), max(offsets), tuple(moments)


def _offset(moment: datetime, zone: tzinfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _bias(offset: timedelta) -> str:
    minutes = -int(offset.total_seconds() // 60)
    return f"{'-' if minutes < 0 else ''}PT{abs(minutes) // 60}H{abs(minutes) % 60}M"


def definition(tag: str, name: str, *, full: bool = True) -> Element:
    """A TimeZoneDefinitionType element."""
    attributes = {"Id": name, "Name": _title(name)}
    if not full:
        return make(tag, (), attributes)
    standard, daylight, turns = _definition_parts(name)
    first = _STANDARD.format(name)
    periods = [typed("Period", Bias=_bias(standard), Name="Standard", Id=first)]
    group = typed("TransitionsGroup", Id="0")
    if daylight is None:
        group.append(typed("Transition", [typed("To", first, Kind="Period")]))
    else:
        second = _DAYLIGHT.format(name)
        periods.append(typed("Period", Bias=_bias(daylight), Name="Daylight", Id=second))
        zone = zone_of(name)
        for turn in turns:
            after = (turn + timedelta(hours=3)).replace(tzinfo=zone).utcoffset()
            group.append(_transition(turn, second if after == daylight else first))
    return make(
        tag,
        [
            typed("Periods", periods),
            typed("TransitionsGroups", [group]),
            typed("Transitions", [typed("Transition", [typed("To", "0", Kind="Group")])]),
        ],
        attributes,
    )


def _transition(turn: datetime, period: str) -> Element:
    last = (turn + timedelta(days=7)).month != turn.month
    return typed(
        "RecurringDayTransition",
        [
            typed("To", period, Kind="Period"),
            typed("TimeOffset", f"PT{turn.hour}H{turn.minute}M"),
            typed("Month", str(turn.month)),
            typed("DayOfWeek", _WEEKDAYS[turn.weekday()]),
            typed("Occurrence", "-1" if last else str((turn.day - 1) // 7 + 1)),
        ],
    )


def _title(name: str) -> str:
    standard = _definition_parts(name)[0]
    minutes = int(standard.total_seconds() // 60)
    return f"(UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}) {name}"


def all_definitions(wanted: list[str], *, full: bool) -> Element:
    """The TimeZoneDefinitions of a GetServerTimeZones response; all zones where none is named."""
    names = [name for name in wanted if known(name)] if wanted else [*sorted(_NAMES), "UTC"]
    return make(
        f"{{{MESSAGES}}}TimeZoneDefinitions",
        [definition(t("TimeZoneDefinition"), name, full=full) for name in dict.fromkeys(names)],
    )
