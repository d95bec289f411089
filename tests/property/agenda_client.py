"""Another calendar client: it changes lines of iCalendar text and leaves all the others as they are.

It shares no code with the connectors, so that what they lose is not lost here as well.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

ZONE = "Europe/Paris"
OPENING = "--- CRM ---"
FIRST = datetime(2026, 11, 25, 8, 0)  # noqa: DTZ001 - wall-clock time
PAST = datetime(2026, 11, 5, 8, 0)  # noqa: DTZ001

Part = list[str]  # the logical lines of one component, folded as they came


def nth_start(number: int, *, past: bool = False) -> datetime:
    """A start that no other number has."""
    return (PAST if past else FIRST) + timedelta(minutes=7 * number)


def escaped(text: str) -> str:
    for char, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        text = text.replace(char, written)
    return text


def unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text)


class Resource:
    """One resource as text."""

    def __init__(self, source: bytes) -> None:
        self.head: list[str] = []
        self.parts: list[Part] = []
        self.tail: list[str] = []
        current: Part | None = None
        for line in re.split(r"\r\n(?![ \t])", source.decode()):
            if current is None and line in {"BEGIN:VEVENT", "BEGIN:VTODO"}:
                current = []
                self.parts.append(current)
            if current is not None:
                current.append(line)
                if line in {"END:VEVENT", "END:VTODO"}:
                    current = None
            else:
                (self.tail if self.parts else self.head).append(line)

    @property
    def source(self) -> bytes:
        return "\r\n".join([*self.head, *(line for part in self.parts for line in part), *self.tail]).encode()

    @property
    def task(self) -> bool:
        return self.parts[0][0] == "BEGIN:VTODO"

    @property
    def series(self) -> Part | None:
        """The component that is no changed occurrence."""
        return next((part for part in self.parts if not value(part, "RECURRENCE-ID")), None)

    def own_lines(self) -> set[str]:
        """What no other program knows of: vendors' lines and properties."""
        return {line for part in self.parts for line in _vendors(part)}

    def lines_without(self, occurrences: set[datetime], alarms: set[int]) -> set[str]:
        """Those that go when changed occurrences, or alarms of so many minutes, are taken out."""
        gone = [line for part in self.parts if start_of_id(part) in occurrences for line in _vendors(part)]
        every = {line for part in self.parts for line in _vendors(part)}
        return {*gone, *({f"X-VENDOR-ALARM:{minutes}" for minutes in alarms} & every)}


def _vendors(part: Part) -> list[str]:
    return [line for line in part if line.startswith("X-VENDOR-")]


def name_of(line: str) -> str:
    return re.split("[;:]", line, maxsplit=1)[0]


def own(part: Part) -> Iterator[tuple[int, str]]:
    """The lines of the component itself, without those of its alarms."""
    depth = 0
    for at, line in enumerate(part):
        depth -= line.startswith("END:")
        if depth == 1 and not line.startswith("BEGIN:"):
            yield at, line
        depth += line.startswith("BEGIN:")


def values(part: Part, name: str) -> list[str]:
    found = [line for _, line in own(part) if name_of(line) == name]
    return [re.sub(r"\r\n[ \t]", "", line) for line in found]


def value(part: Part, name: str) -> str:
    """What stands behind the colon; empty where there is no such line."""
    return next((line.split(":", 1)[1] for line in values(part, name)), "")


def put(part: Part, name: str, *lines: str) -> None:
    """These lines in place of all of that name."""
    gone = [at for at, line in own(part) if name_of(line) == name]
    for at in reversed(gone):
        del part[at]
    part[-1:-1] = lines


def start_of(part: Part) -> datetime | None:
    line = next(iter(values(part, "DTSTART")), "")
    if not line or len(line.split(":")[-1]) < len("20261122T120000"):
        return None
    return datetime.strptime(line.split(":")[-1].rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007


def local(name: str, when: datetime) -> str:
    return f"{name};TZID={ZONE}:{when:%Y%m%dT%H%M%S}"


# --- what the client does with one component --------------------------------------------------------


def change_subject(part: Part, number: int) -> None:
    put(part, "SUMMARY", f"SUMMARY:Sujet {number}" if number % 11 else "SUMMARY:")


def change_location(part: Part, number: int) -> None:
    put(part, "LOCATION", escaped(f"LOCATION:Salle {number}, étage").replace("LOCATION\\:", "LOCATION:"))


def change_notes(part: Part, number: int) -> None:
    """Adds a line, replaces one or takes one out; the CRM's block stays below."""
    text = unescaped(value(part, "DESCRIPTION"))
    notes, mark, block = text.partition(OPENING)
    lines = [line for line in notes.split("\n") if line]
    if number % 3 == 0 or not lines:
        lines.insert(number % (len(lines) + 1), f"note {number}; un, deux")
    elif number % 3 == 1:
        lines[number % len(lines)] = f"note {number} autre"
    else:
        del lines[number % len(lines)]
    notes = "\n".join(lines)
    text = f"{notes}\n\n{mark}{block}" if mark and notes else notes + mark + block
    put(part, "DESCRIPTION", *([f"DESCRIPTION:{escaped(text)}"] if text else []))


def change_time(part: Part, number: int) -> None:
    start = nth_start(number)
    if part[0] == "BEGIN:VTODO":
        put(part, "DTSTART")
        put(part, "DUE", f"DUE;VALUE=DATE:{start:%Y%m%d}")
        return
    put(part, "DURATION")
    put(part, "DTSTART", local("DTSTART", start))
    put(part, "DTEND", local("DTEND", start + timedelta(minutes=30 + number % 90)))


def change_status(part: Part, number: int) -> None:
    if part[0] == "BEGIN:VTODO":
        done = value(part, "STATUS") != "COMPLETED"
        put(part, "STATUS", "STATUS:COMPLETED" if done else "STATUS:NEEDS-ACTION")
        put(part, "COMPLETED", *(["COMPLETED:20261121T100000Z"] if done else []))
        return
    put(part, "STATUS", f"STATUS:{('CONFIRMED', 'TENTATIVE')[number % 2]}")


def change_busy(part: Part, number: int) -> None:
    if part[0] == "BEGIN:VEVENT":
        put(part, "TRANSP", f"TRANSP:{('OPAQUE', 'TRANSPARENT')[number % 2]}")


def add_alarm(part: Part, number: int) -> None:
    part[-1:-1] = [
        "BEGIN:VALARM", "ACTION:DISPLAY", f"TRIGGER:-PT{number}M", "DESCRIPTION:Rappel",
        f"X-VENDOR-ALARM:{number}", "END:VALARM",
    ]  # fmt: skip


def remove_alarm(part: Part, number: int) -> None:
    starts = [at for at, line in enumerate(part) if line == "BEGIN:VALARM"]
    if starts:
        at = starts[number % len(starts)]
        del part[at : part.index("END:VALARM", at) + 1]


def change_categories(part: Part, number: int) -> None:
    if number % 3:
        part[-1:-1] = [f"CATEGORIES:Thème {number}"]
    else:
        put(part, "CATEGORIES")


def change_video(part: Part, number: int) -> None:
    if part[0] == "BEGIN:VEVENT":
        put(part, "CONFERENCE", f"CONFERENCE;VALUE=URI:https://video.example/{number}")


def add_guest(part: Part, number: int, me: str) -> None:
    if part[0] == "BEGIN:VTODO" or value(part, "ORGANIZER") not in {"", f"mailto:{me}"}:
        return
    put(part, "ORGANIZER", f"ORGANIZER:mailto:{me}")
    part[-1:-1] = [f"ATTENDEE;PARTSTAT=NEEDS-ACTION;X-VENDOR=1:mailto:guest{number}@guest.example"]


def answer(part: Part, number: int, me: str) -> None:
    """Somebody's answer arrives; in an invitation, the user answers."""
    lines = values(part, "ATTENDEE")
    if not lines:
        return
    mine = value(part, "ORGANIZER") not in {"", f"mailto:{me}"}
    at = next(
        (at for at, line in enumerate(lines) if mine and line.endswith(f":mailto:{me}")), number % len(lines)
    )
    said = ("ACCEPTED", "DECLINED", "TENTATIVE")[number % 3]
    lines[at] = re.sub(r";PARTSTAT=[A-Z-]+", "", lines[at])
    lines[at] = lines[at].replace("ATTENDEE", f"ATTENDEE;PARTSTAT={said}", 1)
    put(part, "ATTENDEE", *lines)


def add_vendor_line(part: Part, number: int) -> None:
    part[-1:-1] = [f'X-VENDOR-{number};X-P="a;b":Some\r\n  thing\\, folded\r\n\t oddly']


def make_private(part: Part, number: int) -> None:
    put(part, "CLASS", f"CLASS:{('PRIVATE', 'CONFIDENTIAL', 'X-OTHER')[number % 3]}")


def make_public(part: Part, number: int) -> None:
    put(part, "CLASS", *(["CLASS:PUBLIC"] if number % 2 else []))


SIMPLE: dict[str, Callable[[Part, int], None]] = {
    "subject": change_subject,
    "location": change_location,
    "notes": change_notes,
    "time": change_time,
    "status": change_status,
    "busy": change_busy,
    "alarm": add_alarm,
    "no alarm": remove_alarm,
    "categories": change_categories,
    "video": change_video,
    "vendor": add_vendor_line,
}


# --- what it does with a whole resource -------------------------------------------------------------


def occurrence(series: Part, number: int) -> datetime | None:
    start = start_of(series)
    return None if start is None else start + timedelta(days=number % 5)


def written(part: Part) -> str:
    """The occurrence that an override is for, as this client compares them."""
    return value(part, "RECURRENCE-ID")


def add_override(resource: Resource, number: int) -> bool:
    """One occurrence is another one from now on."""
    series = resource.series
    when = occurrence(series, number) if series is not None and value(series, "RRULE") else None
    if series is None or when is None or f"{when:%Y%m%dT%H%M%S}" in value(series, "EXDATE"):
        return False
    if any(start_of_id(part) == when for part in resource.parts):
        return False
    part = [line for line in series if name_of(line) not in {"RRULE", "EXDATE", "RDATE"}]
    part = [line for line in part if not line.startswith("X-VENDOR-")]
    put(part, "DTSTART", local("DTSTART", when + timedelta(hours=number % 2)))
    put(part, "DTEND", local("DTEND", when + timedelta(hours=1 + number % 2)))
    put(part, "SUMMARY", f"SUMMARY:Exception {number}")
    put(part, "RECURRENCE-ID", local("RECURRENCE-ID", when))
    resource.parts.append(part)
    return True


def start_of_id(part: Part) -> datetime | None:
    """RECURRENCE-ID as a time in Paris; that winter is an hour ahead of UTC."""
    text = value(part, "RECURRENCE-ID")
    if not text:
        return None
    found = datetime.strptime(text.rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007
    return found + timedelta(hours=1) if text.endswith("Z") else found


def remove_override(resource: Resource, number: int, *, cancel: bool) -> bool:
    """It is as the series says again; or it does not take place."""
    overrides = [part for part in resource.parts if value(part, "RECURRENCE-ID")]
    series = resource.series
    if not overrides or series is None:
        return False
    gone = overrides[number % len(overrides)]
    resource.parts.remove(gone)
    when = start_of_id(gone)
    if cancel and when is not None:
        series[-1:-1] = [local("EXDATE", when)]
    return True


def new_resource(
    uid: str, number: int, me: str, *, series: bool, task: bool, guests: str, past: bool, private: bool
) -> bytes:
    """A new item. `guests`: "" nobody's meeting, "mine" or "theirs"."""
    start = nth_start(number, past=past)
    kind = "VTODO" if task else "VEVENT"
    lines = [f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20261101T080000Z", f"SUMMARY:Sujet {number}"]
    if task:
        lines += [f"DUE;VALUE=DATE:{start:%Y%m%d}", "STATUS:NEEDS-ACTION"]
    else:
        lines += [local("DTSTART", start), local("DTEND", start + timedelta(hours=1))]
        lines += ["RRULE:FREQ=DAILY;COUNT=9"] if series else []
    if guests == "mine" and not task:
        lines += [f"ORGANIZER:mailto:{me}", f"ATTENDEE;CN=G:mailto:guest{number}@guest.example"]
    if guests == "theirs" and not task:
        lines += ["ORGANIZER:mailto:boss@other.example"]
        lines += [f"ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:{me}"]
    lines += [f"DESCRIPTION:note {number} une\\nnote {number} deux\\nnote {number} trois"]
    lines += ["CLASS:PRIVATE"] if private else []
    lines += [f'X-VENDOR-{number};X-P="a:b":kept\r\n  as it is\\;', f"END:{kind}"]
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Other//Client//EN", f"X-VENDOR-C{number}:1"]
    return "\r\n".join([*head, *lines, "END:VCALENDAR", ""]).encode()
