"""What an event says of its video meetings: those that are over, those to come, and when to look again."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.calendar import Item, When
from store.calendar import EventStatus, ResponseKind
from store.calendar_rows import EventRecord, EventRow
from store.entries import is_video
from store.errors import Invalid
from syncd.core.canonical import is_private
from syncd.core.meetings.ended import Held, Rules, is_over
from syncd.core.recurrence import Occurrence, lacks
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.places import place_of_key
from syncd.engine.occurring import occurrences

AHEAD = timedelta(days=370)  # a little more than a yearly meeting needs
PATIENCE = timedelta(days=300)  # a series whose next meeting is further off is looked at again then
NEXT = 64  # occurrences among which the next meeting is looked for
MOST = 1000  # ended ones of one event that are looked at
A_DAY = 6  # meetings of one series
INSTANT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Meeting:
    """One occurrence of a video meeting, and the row that says what it is like."""

    held: Held
    row: EventRow
    reporter: int | None  # the user who reports on it; None where every active user declined


@dataclass(frozen=True, slots=True)
class Looked:
    """What an event has to do with video meetings now."""

    ended: tuple[Meeting, ...]
    coming: tuple[Meeting, ...]  # the next ones
    due: datetime | None


NOTHING = Looked((), (), None)
NOBODY: frozenset[int] = frozenset()  # is asked


@dataclass(frozen=True, slots=True)
class Looking:
    """How events are looked at."""

    past: timedelta
    rules: Rules
    floating: ZoneInfo
    active: frozenset[int]  # users who can be asked


def look(record: EventRecord, now: datetime, how: Looking, *, known: bool) -> Looked:
    """The meetings of the event that were over at most so long ago, and the next ones (aware `now`). `known`:
    something was recorded of it, so those that are held otherwise by now are told as well."""
    item, rules, floating, past = item_of(record), how.rules, how.floating, how.past
    if record.main.values["hidden"] or record.main.values["deleted_at"] is not None:
        return NOTHING
    rows = {row.key: row for row in record.rows}
    concerned = any(is_video(row.values) for row in rows.values()) and not is_private(item)
    if not concerned and not known:
        return NOTHING
    over = occurrences(item, now - past, now - rules.grace, floating=floating, cap=MOST)
    ended = [one for one in over.found if is_over(one.end, now, rules)]
    a_day = Counter(one.start.date() for one in ended)
    if item.main.timing.recurs and (over.truncated or max(a_day.values(), default=0) > A_DAY):
        return NOTHING  # whoever invites to something of every minute does not meet so often
    later = occurrences(item, now - rules.grace, now + AHEAD, floating=floating, cap=NEXT)
    coming = [one for one in later.found if not is_over(one.end, now, rules)]
    private = is_private(item)
    next_ones = [_meeting(one, rows[one.component.key], how.active, private=private) for one in coming]
    ends = [one.held.end + rules.grace for one in next_ones if one.held.video and not one.held.all_day]
    due = min(ends, default=None)
    if not concerned:
        due = None
    elif due is None and later.truncated and coming:
        due = coming[-1].end + rules.grace  # none of many: look on from there
    elif due is None and item.main.timing.recurs:
        due = now + PATIENCE
    over_ones = [_meeting(one, rows[one.component.key], how.active, private=private) for one in ended]
    kept = [[one for one in some if known or one.held.video] for some in (over_ones, next_ones)]
    return Looked(tuple(kept[0]), tuple(kept[1]), due)


def around(record: EventRecord, start: datetime, end: datetime, floating: ZoneInfo) -> list[Meeting]:
    """The event's video meetings in that stretch, whatever became of them; none where it is private."""
    item = item_of(record)
    if is_private(item):
        return []
    rows = {row.key: row for row in record.rows}
    found = occurrences(item, start, end, floating=floating, cap=MOST).found
    meetings = [_meeting(one, rows[one.component.key], NOBODY, private=False) for one in found]
    return [one for one in meetings if one.held.video]


def holds(record: EventRecord, start: datetime, end: datetime, floating: ZoneInfo) -> bool:
    """Whether the event has an occurrence from `start` to `end`, of whatever kind."""
    if record.main.values["hidden"] or record.main.values["deleted_at"] is not None:
        return False
    item = item_of(record)
    first, last = min(start, end) - INSTANT, max(start, end) + INSTANT
    found = occurrences(item, first, last, floating=floating, cap=MOST).found
    return any((one.start, one.end) == (start, end) for one in found)


def _meeting(one: Occurrence, row: EventRow, active: frozenset[int], *, private: bool) -> Meeting:
    values = row.values
    answers = {who.user_id: who.response for who in row.participants if who.user_id is not None}
    willing = [user for user, answer in sorted(answers.items()) if answer is not ResponseKind.DECLINED]
    owner: int = values["owner_id"]
    if answers.get(owner) is not ResponseKind.DECLINED:
        willing.insert(0, owner)
    held = Held(
        one.key,
        one.start,
        one.end,
        all_day=one.when.all_day,
        cancelled=values["status"] is EventStatus.CANCELLED,
        declined=not willing,
        linked=values["account_id"] is not None
        or values["opportunity_id"] is not None
        or any(who.contact_id is not None for who in row.participants),
        video=is_video(values),
        private=private,
    )
    return Meeting(held, row, next((user for user in willing if user in active), None))


def lost(item: Item, keys: frozenset[str], floating: ZoneInfo) -> frozenset[str]:
    """Which of these keys of records the event has no place for, not even one that was taken out of its
    series: it was moved as a whole, it begins to recur, or it recurs no more."""
    gone = set(keys - {key for key in keys if key})
    places: dict[str, When] = {}
    for key in keys - gone - item.by_key.keys():
        try:
            places[key] = place_of_key(item, key)
        except Invalid:
            gone.add(key)
    return frozenset(gone) | lacks(_unbroken(item), places, floating=floating)


def _unbroken(item: Item) -> Item:
    main = item.main
    whole = replace(main, timing=replace(main.timing, exdates=()))
    return replace(item, components=(whole, *item.components[1:]))
