"""Windows and IANA names of time zones, both ways, by the table of Unicode's CLDR that exchangelib brings.

Many IANA zones share one Windows zone. So the way there and back may end at a neighbour: whoever writes
keeps the IANA name beside it (`connectors.ews.calendar.shadow`). A zone that is in no table has no name
here: it is never taken for one that looks like it.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from exchangelib.winzone import IANA_TO_MS_TIMEZONE_MAP, MS_TIMEZONE_TO_IANA_MAP

from connectors.calendar import UTC_ZONE, zone_info

_WINDOWS: Mapping[str, tuple[str, str]] = IANA_TO_MS_TIMEZONE_MAP
_IANA: Mapping[str, str] = MS_TIMEZONE_TO_IANA_MAP
_BY_NAME = {name.upper(): zone for name, zone in _IANA.items()}
_UTC_NAMES = frozenset(
    {"UTC", "COORDINATED UNIVERSAL TIME", "TZONE://MICROSOFT/UTC", "ETC/UTC", "GMT", "ETC/GMT"}
)
_STEP = timedelta(hours=6)
_STEPS = 2 * 366 * 4  # for so long two zones must agree


@lru_cache(maxsize=1024)
def iana_of(name: str) -> str | None:
    """The IANA zone that Exchange's `Id` of a zone stands for; None for one that is in no table. Exchange
    gives IANA names too, where a client wrote them."""
    bare = name.strip()
    upper = bare.upper()
    if upper in _UTC_NAMES:
        return UTC_ZONE
    known = _BY_NAME.get(upper)
    if known is not None:
        return known if zone_info(known) is not None else None
    return bare if "/" in bare and zone_info(bare) is not None else None


@lru_cache(maxsize=1024)
def windows_of(zone: str, year: int) -> str | None:
    """The Windows zone with the same clocks as the IANA zone in that year and the next; None without one."""
    if zone == UTC_ZONE:
        return UTC_ZONE
    found = _WINDOWS.get(zone)
    if found is None:
        return None
    name = found[0]
    back = iana_of(name)
    return name if back is not None and _agree(zone, back, year) else None


def _agree(zone: str, other: str, year: int) -> bool:
    one, two = zone_info(zone), zone_info(other)
    if one is None or two is None:
        return False
    if zone == other:
        return True
    first = datetime(year, 1, 1, tzinfo=UTC)
    moments = (first + number * _STEP for number in range(_STEPS))
    return all(at.astimezone(one).utcoffset() == at.astimezone(two).utcoffset() for at in moments)
