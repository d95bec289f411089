"""When an item takes place, on the clocks of the zones that only the item itself defines too.

`syncd.core.recurrence` knows the zones of this machine; here it is told those of the item.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.calendar import Item
from connectors.ical.zones import offsets
from syncd.core import recurrence
from syncd.core.recurrence import CAP, Occurrences


def occurrences(
    item: Item, start: datetime, end: datetime, *, floating: ZoneInfo, cap: int = CAP
) -> Occurrences:
    """What of the item happens between two aware moments, cancelled occurrences included; `floating` is the
    zone of dates and floating times."""
    return recurrence.occurrences(item, start, end, floating=floating, cap=cap, offset_of=offsets(item.zones))


def last_end(item: Item, *, floating: ZoneInfo) -> datetime | None:
    """When the last occurrence is over, in UTC; None: never, or nobody can tell."""
    return recurrence.last_end(item, floating=floating, offset_of=offsets(item.zones))
