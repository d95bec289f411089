"""An Item to iCalendar (RFC 5545): a whole new resource."""

from datetime import datetime

from connectors.calendar import Dress, Item, Kind
from connectors.ical.editing import edit

_PRODUCT = "-//syncd//EN"


def new(item: Item, dress: Dress, *, stamp: datetime, quiet: bool) -> bytes:
    """The bytes of a new resource for `item`, with a VTIMEZONE for each zone it uses.

    `stamp` is now, aware. `quiet` asks the server to mail no attendee (RFC 6638 section 7.1). Raises
    ValueError for an item that has no UID, or an event without a start.
    """
    frame = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{_PRODUCT}\r\nCALSCALE:GREGORIAN\r\nEND:VCALENDAR\r\n"
    if not item.uid.strip():
        raise ValueError("an item without a UID")
    if item.kind is Kind.EVENT and any(each.timing.start is None for each in item.components):
        raise ValueError("an event without a start")
    return edit(frame.encode(), item, dress, stamp=stamp, quiet=quiet)
