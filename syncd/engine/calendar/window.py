"""Which events are taken into the CRM: those of `calendar.window`. Pure."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from connectors.calendar import Item, Kind, Status, When
from syncd.engine.calendar.context import Context
from syncd.engine.calendar.observe import enters_on
from syncd.engine.occurring import last_end


def outside(seen: Item, context: Context) -> tuple[date | None] | None:
    """None for what is in the window; else the day on which it comes into it, if it ever does."""
    rules, now = context.rules, context.now
    timing = seen.main.timing
    start = timing.start or timing.end
    if start is None:
        return None
    if seen.kind is Kind.TASK:
        done = seen.main.completed
        old = seen.main.status is not Status.OPEN and done is not None and done < now - rules.past
        return (None,) if old else None
    begins = min(_begin(one.timing.start, rules.floating, now) for one in seen.components)
    if begins > now + rules.future:
        return (enters_on(begins, rules.future),)
    if begins >= now - rules.past and len(seen.components) == 1:
        return None  # nothing of it is over earlier: its series need not be followed to the end
    end = last_end(seen, floating=rules.floating)
    return (None,) if end is not None and end < now - rules.past else None


def _begin(start: When | None, floating: ZoneInfo, now: datetime) -> datetime:
    return now if start is None else start.instant(floating)
