"""One meeting under two UIDs: clients that change "this and all following" begin a new series with the
meeting that is just over, and some give an event another UID.

Two events that are both there are two meetings, whatever they say (table T8: one record a UID and
occurrence). Only where an event has its meeting no more, another one that says the same goes on with its
record.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from store import calendar_rows, meeting_rows, meeting_twins
from store.calendar_rows import EventRecord
from store.database import Transaction
from store.meeting_rows import Draft, Recorded
from store.meeting_twins import HeldAt
from syncd.engine.meetings.look import Looked, Meeting, holds

Fresh: TypeAlias = tuple[int, Meeting, Draft, bool]  # event, meeting, what is to be made, whether with a form
_Sign: TypeAlias = tuple[datetime, datetime, int | None, str, str]


class Twins:
    """What was recorded at some moments, under any UID."""

    def __init__(self, session: Transaction, starts: Iterable[datetime], floating: ZoneInfo) -> None:
        self._session = session
        self._floating = floating
        self._by_sign: dict[_Sign, list[HeldAt]] = {}
        for one in meeting_twins.held_at(session, frozenset(starts)):
            self._by_sign.setdefault(_sign(one), []).append(one)
        self._events: dict[str, EventRecord | None] = {}
        self._taken: set[int] = set()  # activities that go on under another UID

    def adopted(self, fresh: Iterable[Fresh]) -> tuple[list[Fresh], set[int]]:
        """What is left to be recorded, and the events that go on with another one's record."""
        left: list[Fresh] = []
        adopting: set[int] = set()
        for one in fresh:
            event_id, meeting, draft, _ = one
            values = draft.values
            sign = (draft.start, draft.end, values["user_id"], values["subject"],
                    meeting.row.values["video_url"])  # fmt: skip
            found = next(
                (
                    other
                    for other in self._by_sign.get(sign, ())
                    if other.uid != draft.uid
                    and other.activity_id not in self._taken
                    and not self._is_there(other)
                ),
                None,
            )
            if found is None:
                left.append(one)
                continue
            self._taken.add(found.activity_id)
            adopting.add(event_id)
            meeting_twins.adopt(self._session, found.activity_id, draft.uid, draft.key)
        return left, adopting

    def superfluous(self, uid: str) -> list[int]:
        """The activities, recorded of this UID, that nobody has reported on: its event has their meetings no
        more, and another one has them, recorded and of the same account."""
        return [
            one.activity_id
            for several in self._by_sign.values()
            for one in several
            if one.uid == uid
            and one.pending
            and not one.deleted
            and one.activity_id not in self._taken
            and any(_same(one, other) and self._is_there(other) for other in several)
            and not self._is_there(one)
        ]

    def _is_there(self, one: HeldAt) -> bool:
        """Whether its event still has the meeting."""
        if one.uid not in self._events:
            ids = calendar_rows.event_ids(self._session, [one.uid])
            found = calendar_rows.events(self._session, ids.values())
            self._events[one.uid] = next(iter(found.values()), None)
        record = self._events[one.uid]
        return record is not None and holds(record, one.start, one.end, self._floating)


def unplaced(looked: Looked, before: Iterable[Recorded]) -> list[Recorded]:
    """The records, of those of an event, that may be of meetings which it has no more."""
    times = {(one.held.start, one.held.end) for one in (*looked.ended, *looked.coming)}
    return [one for one in before if not one.withdrawn and (one.start, one.end) not in times]


def withdraw(session: Transaction, activities: Iterable[int], now: datetime) -> list[int]:
    """Takes these activities back; returns them."""
    gone = list(activities)
    for one in gone:
        meeting_rows.withdraw(session, one, now)
    return gone


def _sign(one: HeldAt) -> _Sign:
    return one.start, one.end, one.user_id, one.subject, one.video_url


def _same(one: HeldAt, other: HeldAt) -> bool:
    about = (one.account_id, one.opportunity_id) == (other.account_id, other.opportunity_id)
    return one.uid != other.uid and not other.deleted and about
