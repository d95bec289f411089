"""A made-up calendar of any size: events of 1 to 2 KB as common clients write them, the same for a seed.

French and English, a good third of them meetings, some with alarms, some recurring, some of these with
changed and skipped occurrences. The guests of a meeting come from more than one company: beside a meeting
that concerns one account alone the product writes an event of its own, which is not what is measured. All
of it is made up; every domain is a reserved one.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from benchmarks import phrases
from benchmarks.phrases import FIRST, LAST, PLACE, TRADE, Language, Person

START = datetime(2026, 1, 5)  # noqa: DTZ001 - wall-clock times; a Monday
DAYS = 700  # that the events are spread over
COMPANIES = 60
FOLD = 75  # octets of a line (RFC 5545 section 3.1)
RECURRING, EXCEPTIONS, MEETING, ALARM, ALL_DAY = 0.12, 0.5, 0.35, 0.6, 0.08  # shares

ZONE = """\
BEGIN:VTIMEZONE
TZID:Europe/Paris
X-LIC-LOCATION:Europe/Paris
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE"""
RULES = ("FREQ=WEEKLY;BYDAY={day}", "FREQ=WEEKLY;INTERVAL=2;BYDAY={day};COUNT=20", "FREQ=DAILY;COUNT=5")
ANSWERS = ("ACCEPTED", "ACCEPTED", "NEEDS-ACTION", "TENTATIVE", "DECLINED")


@dataclass(frozen=True, slots=True)
class Event:
    """One resource of the calendar."""

    name: str  # of the file
    uid: str
    text: bytes


class Agenda:
    """The calendar of `owner`, an address. Its people are those whom the CRM may know."""

    def __init__(self, owner: str, seed: int) -> None:
        self.owner = owner
        self._seed = seed
        rng = random.Random(seed)
        self._library = phrases.Library(rng, size=300)
        self.people = list(_people(rng))

    def events(self, count: int, *, own: bool = False) -> list[Event]:
        """The first so many. With `own`, all meetings are the owner's."""
        return [self.event(number, own=own) for number in range(count)]

    def event(self, number: int, *, edits: int = 0, own: bool = False) -> Event:
        """One of them, after so many edits of its subject."""
        rng = random.Random(self._seed * 1_000_003 + number)
        uid = str(UUID(int=rng.getrandbits(128), version=4))
        language = rng.choice(list(Language))
        begin = START + timedelta(days=rng.randrange(DAYS), minutes=15 * rng.randrange(32, 72))
        length = timedelta(minutes=rng.choice((30, 45, 60, 60, 90, 120)))
        subject = phrases.subject(rng, language)
        times = _times(begin, length, whole=rng.random() < ALL_DAY)
        common = self._common(rng, language, own=own)
        first = [*times, f"SUMMARY:{_text(subject)}{' (2)' * (edits % 2)}", f"SEQUENCE:{edits}", *common]
        components = [first]
        if rng.random() < RECURRING:
            day = "MO TU WE TH FR SA SU".split()[begin.weekday()]
            first.append(f"RRULE:{rng.choice(RULES).format(day=day)}")
            if rng.random() < EXCEPTIONS and times[0].startswith("DTSTART;TZID"):
                week = begin + timedelta(weeks=2)
                first.append(f"EXDATE;TZID=Europe/Paris:{week:%Y%m%dT%H%M%S}")
                moved = begin + timedelta(weeks=1)
                components.append(
                    [
                        f"RECURRENCE-ID;TZID=Europe/Paris:{moved:%Y%m%dT%H%M%S}",
                        *_times(moved + timedelta(hours=2), length, whole=False),
                        f"SUMMARY:{_text(subject)}",
                        *common,
                    ]
                )
        lines = ["BEGIN:VCALENDAR", "PRODID:-//Example//Calendar 128.0//FR", "VERSION:2.0", *ZONE.split("\n")]
        for component in components:
            lines += ["BEGIN:VEVENT", f"UID:{uid}", "CREATED:20260102T081500Z"]
            lines += ["LAST-MODIFIED:20260102T081530Z", "DTSTAMP:20260102T081530Z", *component, "END:VEVENT"]
        lines.append("END:VCALENDAR")
        return Event(f"{uid}.ics", uid, b"".join(_folded(line) for line in lines))

    def _common(self, rng: random.Random, language: Language, *, own: bool) -> Iterator[str]:
        notes = "\n\n".join(self._library.paragraphs(language, rng.randint(1, 2)))
        lines = [f"DESCRIPTION:{_text(notes)}", f"LOCATION:{_text(rng.choice(PLACE))}\\, salle {number(rng)}"]
        if rng.random() < MEETING:
            guests = self.guests(rng)
            mine = own or rng.random() < 0.6
            organizer = self.owner if mine else guests[0].email
            lines.append(f"ORGANIZER;CN={_name(organizer)}:mailto:{organizer}")
            addresses = [self.owner, *(one.email for one in guests)]
            for address in addresses:
                answer = rng.choice(ANSWERS)
                lines.append(
                    f"ATTENDEE;CN={_name(address)};PARTSTAT={answer};ROLE=REQ-PARTICIPANT;RSVP=TRUE"
                    f":mailto:{address}"
                )
        lines.append(f"TRANSP:{rng.choice(('OPAQUE', 'OPAQUE', 'TRANSPARENT'))}")
        lines.append(f"CATEGORIES:{rng.choice(('Client', 'Chantier', 'Interne', 'Sales'))}")
        lines.append("X-MOZ-GENERATION:3")
        if rng.random() < ALARM:
            minutes = rng.choice((5, 15, 30, 60))
            alarm = f"BEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT{minutes}M\nDESCRIPTION:Reminder\nEND:VALARM"
            lines += alarm.split("\n")
        yield from lines

    def guests(self, rng: random.Random) -> list[Person]:
        """Of one meeting: of more than one company."""
        while True:
            guests = rng.sample(self.people, rng.randint(2, 4))
            if len({one.company for one in guests}) > 1:
                return guests


def number(rng: random.Random) -> int:
    """Of a room."""
    return rng.randrange(1, 40)


def _people(rng: random.Random) -> Iterator[Person]:
    for one in range(COMPANIES):
        language = rng.choice(list(Language))
        company = f"{rng.choice(TRADE)} {rng.choice(PLACE)} {one}"
        for _ in range(3):
            first, last = rng.choice(FIRST[language]), rng.choice(LAST[language])
            address = f"{phrases.slug(first)}.{phrases.slug(last)}@{phrases.slug(company)}.example"
            yield Person(first, last, address, company, language)


def _times(begin: datetime, length: timedelta, *, whole: bool) -> Sequence[str]:
    if whole:
        return f"DTSTART;VALUE=DATE:{begin:%Y%m%d}", f"DTEND;VALUE=DATE:{begin + timedelta(days=1):%Y%m%d}"
    return (
        f"DTSTART;TZID=Europe/Paris:{begin:%Y%m%dT%H%M%S}",
        f"DTEND;TZID=Europe/Paris:{begin + length:%Y%m%dT%H%M%S}",
    )


def _name(address: str) -> str:
    return " ".join(part.title() for part in address.partition("@")[0].split("."))


def _text(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        value = value.replace(plain, escaped)
    return value


def _folded(line: str) -> bytes:
    """The line with its end, broken after at most FOLD octets and never within a character."""
    data, parts, room = line.encode(), [], FOLD
    while len(data) > room:
        cut = room
        while data[cut] & 0xC0 == 0x80:
            cut -= 1
        parts.append(data[:cut])
        data, room = data[cut:], FOLD - 1
    return b"\r\n ".join([*parts, data]) + b"\r\n"
