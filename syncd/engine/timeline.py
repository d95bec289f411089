"""What is planned with a contact, the next first: occurrences of its events, and its tasks (R051)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import Enum
from zoneinfo import ZoneInfo

from connectors.calendar import Status
from store import entries, visible
from store.actors import Actor
from store.database import Transaction
from syncd.engine.calendar.items import item_of
from syncd.engine.occurring import occurrences

AHEAD = timedelta(days=365)  # a series may have no end
MOST = 2000  # items of each kind


class Kind(Enum):
    """What is planned."""

    EVENT = "event"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Planned:
    """An occurrence of an event, or a task. A task is due on a day: `at` is its midnight here."""

    kind: Kind
    id: int
    at: datetime
    until: datetime | None  # None for a task
    subject: str
    occurrence: str  # of an event; empty for a single one
    all_day: bool


def planned(
    session: Transaction, contact_id: int, now: datetime, zone: ZoneInfo, reader: Actor | None = None
) -> tuple[list[Planned], bool]:
    """What begins or is due from now on, within a year, as far as the reader may read it; and whether there
    was too much to tell all. Raises NotFound."""
    visible.require(session, reader, "contact", contact_id)
    wanted = entries.Wanted(now, now + AHEAD, contact_id=contact_id, reader=reader)
    records = entries.events_between(session, wanted, at_most=MOST)
    cut = len(records) == MOST
    found = []
    for record in records.values():
        item = item_of(record)
        several = occurrences(item, wanted.start, wanted.end, floating=zone, cap=MOST)
        cut |= several.truncated
        found += [
            Planned(Kind.EVENT, record.id, one.start, one.end, one.component.subject, one.key,
                    all_day=bool(record.main.values["all_day"]))
            for one in several.found
            if one.start >= now and one.component.status is not Status.CANCELLED
        ]  # fmt: skip
    today = now.astimezone(zone).date()
    lines = entries.tasks_of(session, wanted, every=False, limit=MOST, offset=0)
    cut |= len(lines) == MOST
    for line in lines:
        due = line.due
        if due is not None and today <= due <= wanted.end.astimezone(zone).date():
            at = datetime.combine(due, time(), tzinfo=zone).astimezone(UTC)
            found.append(Planned(Kind.TASK, line.id, at, None, line.subject, "", all_day=True))
    found.sort(key=lambda one: (one.at, one.kind.value, one.id, one.occurrence))
    return found, cut
