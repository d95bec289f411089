"""The quick-add grammar (table T9): `[type] who/subject date [time] [end or duration] [@place] [#opportunity]
[!alarm]`, in any order, accents and case ignored. Which readings were taken is in docs/decisions/020.
"""

import unicodedata
from datetime import date, datetime, time, timedelta

from syncd.core.quick_add.days import Said
from syncd.core.quick_add.errors import QuickAddError, Reason
from syncd.core.quick_add.names import named
from syncd.core.quick_add.reading import Reading
from syncd.core.quick_add.result import Kind, Lookup, QuickAdd, nobody
from syncd.core.quick_add.times import Clock, Length
from syncd.core.quick_add.tokens import read

DEFAULT_LENGTH = timedelta(hours=1)  # R078
LONGEST_NIGHT = timedelta(hours=12)  # an end before the start is the next day's, if no later than this
MIDNIGHT = 24


def parse(text: str, today: datetime, lookup: Lookup = nobody) -> QuickAdd:
    """What the text says. `today` is now on the clock of the user's zone, without a zone.

    Raises QuickAddError, and nothing else.
    """
    reading = Reading(read(text), today.replace(second=0, microsecond=0, tzinfo=None))
    reading.take()
    return _result(reading, lookup)


def _result(reading: Reading, lookup: Lookup) -> QuickAdd:
    """All of it. Raises QuickAddError for what does not go together."""
    said = _one_day(reading)
    start = _start(reading, said)
    end, length = _until_when(reading, start)
    untimed = said is None and start is None
    task = reading.task or (untimed and reading.activity is None)
    if untimed and not task:
        raise QuickAddError(Reason.NO_DAY, place=(len(reading.text.source), len(reading.text.source)))
    rest = reading.text.rest()
    subject = rest if _says_something(rest) else reading.label
    if not subject:
        raise QuickAddError(Reason.NO_SUBJECT, place=(0, len(reading.text.source)))
    links, unlinked = named(reading.text, lookup)
    day = start.date() if start is not None else said.day if said is not None else None
    return QuickAdd(
        kind=Kind.TASK if task else Kind.EVENT,
        activity=None if task else reading.activity,
        subject=subject,
        day=day,
        days=_whole_days(reading, said),
        start=start,
        end=end,
        length=length,
        place=reading.place,
        opportunity=reading.opportunity,
        alarm=None if reading.alarm is None else round(reading.alarm.length.total_seconds()) // 60,
        url=reading.url,
        links=links,
        unlinked=unlinked,
    )


def _one_day(reading: Reading) -> Said | None:
    """The day that all that was said agrees on."""
    if not reading.days:
        return None
    first = next((one for one in reading.days if not one.weekday), reading.days[0])
    for one in reading.days:
        if one.weekday and not first.weekday:
            if one.day.weekday() != first.day.weekday():
                facts = f"{first.day:%d/%m/%Y}"
                raise reading.text.error(Reason.WRONG_WEEKDAY, one.start, one.end, facts)
        elif (one.day, one.days) != (first.day, first.days):
            later, other = (one, first) if one.start > first.start else (first, one)
            raise reading.text.error(Reason.TWO_DAYS, later.start, later.end, reading.typed(other))
    if first.day < reading.now.date():
        raise _past(reading, first, f"{first.day:%d/%m/%Y}")
    return first


def _start(reading: Reading, said: Said | None) -> datetime | None:
    if reading.ahead is not None:
        if said is not None:
            raise reading.text.error(Reason.TWO_DAYS, said.start, said.end, reading.typed(reading.ahead))
        return _added(reading, reading.now, reading.ahead.length, reading.ahead)
    if reading.begin is None:
        return None
    if reading.begin.hour == MIDNIGHT:
        raise reading.text.error(Reason.MIDNIGHT, reading.begin.start, reading.begin.end)
    day: date = reading.now.date() if said is None else said.day
    start = datetime.combine(day, reading.begin.time)
    if start < reading.now:
        raise _past(reading, reading.begin, f"{start:%d/%m/%Y %H:%M}")
    return start


def _until_when(reading: Reading, start: datetime | None) -> tuple[datetime | None, timedelta | None]:
    """The end on the clock, and how long it lasts where no end was said."""
    if start is None:
        known = reading.finish or reading.length
        if known is not None and not (isinstance(known, Length) and known.whole_days):
            raise reading.text.error(Reason.NO_TIME, known.start, known.end)
        return None, None
    several = next((one for one in reading.days if one.days > 1), reading.length)
    if several is not None and (isinstance(several, Said) or several.whole_days):
        known = reading.begin or reading.ahead
        facts = reading.typed(known) if known else ""
        raise reading.text.error(Reason.DAYS_AND_TIME, several.start, several.end, facts)
    if reading.finish is None:
        length = reading.length.length if reading.length else DEFAULT_LENGTH
        return _added(reading, start, length, reading.length or reading.begin or reading.ahead), length
    end = datetime.combine(start.date(), time()) + timedelta(minutes=reading.finish.minutes)
    if end <= start:
        end += timedelta(days=1)
        if end - start > LONGEST_NIGHT:
            raise reading.text.error(Reason.END_BEFORE_START, reading.finish.start, reading.finish.end)
    return end, None


def _whole_days(reading: Reading, said: Said | None) -> int:
    length = reading.length
    if length is None or not length.whole_days:
        return 1 if said is None else said.days
    if said is None:
        raise QuickAddError(Reason.NO_DAY, place=(len(reading.text.source), len(reading.text.source)))
    if said.days > 1:
        raise reading.text.error(Reason.TWO_ENDS, length.start, length.end, reading.typed(said))
    _added(reading, datetime.combine(said.day, time()), length.length, length)
    return length.length.days


def _added(reading: Reading, start: datetime, length: timedelta, said: Clock | Length | None) -> datetime:
    try:
        return start + length
    except OverflowError:
        place = (said.start, said.end) if said is not None else (0, 1)
        raise reading.text.error(Reason.TOO_FAR, *place) from None


def _past(reading: Reading, said: Clock | Said, when: str) -> QuickAddError:
    return reading.text.error(Reason.PAST, said.start, said.end, when)


def _says_something(text: str) -> bool:
    """Whether there is more than punctuation."""
    return any(unicodedata.category(char)[0] not in "PZC" for char in text)
