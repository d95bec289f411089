"""A made-up calendar in an Exchange mailbox, of the same kinds and shares as `benchmarks.dav.agenda`."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from benchmarks import phrases
from benchmarks.dav.agenda import (
    ALARM,
    ALL_DAY,
    DAYS,
    EXCEPTIONS,
    MEETING,
    RECURRING,
    START,
    Agenda,
    number,
)
from benchmarks.phrases import PLACE, Language, Library
from tests.servers.ews.mail import mailbox
from tests.servers.ews.other_client import OtherClient, Value, attendees, categories, recurrence
from tests.servers.ews.xmlwork import typed

ZONE, WINDOWS_ZONE = ZoneInfo("Europe/Paris"), "Romance Standard Time"
OWN = 0.6  # of the meetings


def fill(other: OtherClient, owner: str, count: int, seed: int) -> None:
    """Puts so many items into the calendar: a series counts as one."""
    agenda, library = Agenda(owner, seed), Library(random.Random(seed), size=300)
    for one in range(count):
        _add(other, agenda, library, random.Random(seed * 1_000_003 + one))


def _add(other: OtherClient, agenda: Agenda, library: Library, rng: random.Random) -> None:
    language = rng.choice(list(Language))
    day = START + timedelta(days=rng.randrange(DAYS))
    whole = rng.random() < ALL_DAY
    begin = day if whole else day + timedelta(minutes=15 * rng.randrange(32, 72))
    length = timedelta(days=1) if whole else timedelta(minutes=rng.choice((30, 45, 60, 60, 90, 120)))
    fields: dict[str, Value] = {
        "Body": typed("Body", _page(library.paragraphs(language, rng.randint(1, 2))), BodyType="HTML"),
        "Location": f"{rng.choice(PLACE)}, salle {number(rng)}",
        "Categories": categories(rng.choice(("Client", "Chantier", "Interne", "Sales"))),
        "LegacyFreeBusyStatus": rng.choice(("Busy", "Busy", "Free")),
        "ReminderIsSet": "true" if rng.random() < ALARM else "false",
        "ReminderMinutesBeforeStart": str(rng.choice((5, 15, 30, 60))),
        "IsAllDayEvent": "true" if whole else "false",
    }
    guests = [one.email for one in agenda.guests(rng)] if rng.random() < MEETING else []
    if guests:
        fields["RequiredAttendees"] = attendees("RequiredAttendees", *guests)
    step = _recurrence(rng, begin, fields) if rng.random() < RECURRING else None
    subject, start, end = phrases.subject(rng, language), _utc(begin), _utc(begin + length)
    item = other.add_event(subject, start, end, zone=WINDOWS_ZONE, folder="calendar", **fields)
    if guests and rng.random() > OWN:
        organizer = typed("Organizer", [mailbox("", guests[0])])
        other.edit(item, Organizer=organizer, MyResponseType=rng.choice(("Accept", "NoResponseReceived")))
    if step is not None and not whole and rng.random() < EXCEPTIONS:
        moved = begin + step
        times = {"Start": moved + timedelta(hours=2), "End": moved + timedelta(hours=2) + length}
        later = {name: _utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ") for name, moment in times.items()}
        other.edit(other.occurrence_id(item, _utc(moved)), **later)
        other.delete(other.occurrence_id(item, _utc(begin + 2 * step)))


def _recurrence(rng: random.Random, begin: datetime, fields: dict[str, Value]) -> timedelta:
    """Makes it a series, and returns how far its occurrences are from each other."""
    day = begin.strftime("%A")
    if rng.random() < 1 / 3:
        step = timedelta(days=1)
        rule = recurrence("DailyRecurrence", begin.date(), count=5, Interval="1")
    else:
        interval = rng.choice((1, 2))
        step = timedelta(weeks=interval)
        count = 20 if interval > 1 else None
        rule = recurrence(
            "WeeklyRecurrence", begin.date(), count=count, Interval=str(interval), DaysOfWeek=day
        )
    fields["Recurrence"] = rule
    return step


def _utc(wall: datetime) -> datetime:
    return wall.replace(tzinfo=ZONE).astimezone(UTC)


def _page(paragraphs: Iterable[str]) -> str:
    """Notes as Outlook writes them."""
    lines = "".join(f'<p class="MsoNormal">{text}</p>\r\n' for text in paragraphs)
    return f"<html>\r\n<body>\r\n{lines}</body>\r\n</html>\r\n"
