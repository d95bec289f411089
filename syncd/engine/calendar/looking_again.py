"""Looks again at the events that are stored already, whether they are video meetings: those that came in
before the service knew how to tell, or before an admin added a host to the table.

Only the columns that tell of the meeting change; nothing of it is written to a calendar, and nobody is told.
"""

from dataclasses import replace
from datetime import datetime

from store import calendar_rows, entries
from store.database import Transaction
from syncd.engine.calendar.items import Setting, draft_of, item_of
from syncd.engine.calendar.words import types_of

PAGE = 200  # events at a time


def look_again(
    session: Transaction, setting: Setting, now: datetime, *, since: datetime, after: int = 0
) -> tuple[int, int | None]:
    """One page of the events that end later than `since`, in the caller's transaction. Returns how many of
    them changed, and the id to go on after; None: that was the last page. Raises Stale on a change meanwhile.
    """
    setting = replace(setting, types=types_of(session))
    ids = entries.with_links(session, since, after=after, at_most=PAGE)
    changed = 0
    for record in calendar_rows.events(session, ids).values():
        draft = draft_of(item_of(record), setting, record)
        changed += calendar_rows.replace_event(session, record, draft, now, by=None)
    return changed, ids[-1] if len(ids) == PAGE else None
