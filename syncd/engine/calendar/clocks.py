"""Times as a person writes them: days and wall-clock times, in a zone that has a name."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from config.language import Phrase
from connectors.calendar import Timing, When, zone_info
from connectors.ical.values import FIRST_YEAR, LAST_YEAR, add
from store.errors import Invalid
from syncd.core.recurrence import exists

DEFAULT_LENGTH = timedelta(minutes=60)  # R078
WRITTEN = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
FORMS = Phrase('write 2026-12-01, "2026-12-01 14:30" or 2026-12-01T14:30')


def read_when(field: str, text: str, zone: str) -> When:
    """A day, or a time in `zone`; one with an offset of its own is put on the clocks of `zone`.

    Raises Invalid, also for a time that the clocks of the zone leave out.
    """
    found = WRITTEN.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError  # noqa: TRY301 - one message for all of them
        day, clock, offset = found.groups()
        if clock is None:
            local: date = date.fromisoformat(day)
        else:
            local = datetime.fromisoformat(f"{day}T{clock}")
            if offset:
                moment = datetime.fromisoformat(f"{day}T{clock}{offset.replace('Z', '+00:00')}")
                local = moment.astimezone(zone_info(zone) or UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Invalid(
            Phrase(
                '{field}: "{text}" is no day and no time: {forms}', field=field, text=text[:40], forms=FORMS
            )
        ) from None
    if not FIRST_YEAR < local.year < LAST_YEAR:
        raise Invalid(
            Phrase(
                "{field}: the year must be between {first_year} and {last_year}",
                field=field,
                first_year=FIRST_YEAR,
                last_year=LAST_YEAR,
            )
        )
    when = When(local, zone if isinstance(local, datetime) else "")
    if not exists(when):
        raise Invalid(
            Phrase(
                "{field}: there is no {text} in {zone}: the clocks go forward then",
                field=field,
                text=text.strip(),
                zone=zone,
            )
        )
    return when


def read_day(field: str, text: str) -> date:
    """A day. Raises Invalid."""
    when = read_when(field, text, "")
    if isinstance(when.local, datetime):
        raise Invalid(Phrase("{field}: a day without a time is expected, such as 2026-12-01", field=field))
    return when.local


def read_zone(text: str) -> str:
    """The name of a zone that this machine knows. Raises Invalid."""
    if not text or zone_info(text) is None:
        raise Invalid(
            Phrase('tz: "{text}" is no time zone: write an IANA name such as Europe/Paris', text=text[:40])
        )
    return text


def as_day(when: When) -> When:
    """The day alone."""
    return When(when.local.date()) if isinstance(when.local, datetime) else when


def default_end(start: When) -> When:
    """An hour later, or the next day (R078, R091)."""
    if start.is_date:
        return When(start.local + timedelta(days=1))
    return add(start, 0, round(DEFAULT_LENGTH.total_seconds()))


def moved(start: When, old: Timing) -> When:
    """The end that goes with another start: what lasted stays as long as it was, on the clock."""
    first, last = old.start, old.end
    if first is None or last is None or start.is_date != first.is_date or first.is_date != last.is_date:
        return default_end(start)
    if first.zone == last.zone:
        return When(start.local + (last.local - first.local), start.zone)
    floating = ZoneInfo("UTC")
    return add(start, 0, round((last.instant(floating) - first.instant(floating)).total_seconds()))


def check(timing: Timing, floating: ZoneInfo) -> None:
    """Raises Invalid unless it ends after it begins, and both are days or both are times."""
    start, end = timing.start, timing.end
    if start is None or end is None:
        raise Invalid(Phrase("start: a day is needed, such as 2026-12-01"))
    if start.is_date != end.is_date:
        raise Invalid(Phrase("end: start and end are both days, or both have a time"))
    if end.instant(floating) <= start.instant(floating):
        hint = Phrase(": of whole days, end is the day after the last one") if start.is_date else ""
        raise Invalid(Phrase("end: must be after start{hint}", hint=hint))


def in_zone(when: When, zone: str) -> When:
    """The same clock in another zone; days have none."""
    return when if when.is_date else replace(when, zone=zone)
