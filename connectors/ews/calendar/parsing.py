"""XML of Exchange to `Native`: an element that cannot be understood makes the item Unreadable, nothing is
guessed and nothing is silently left out.

A library's model would give None for a time with a fraction of a second, and for a date with a time: an event
without a start then looks like any other. So the elements are read here.
"""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from connectors.calendar import Kind
from connectors.ews.calendar.definitions import definition_of
from connectors.ews.calendar.native import Changed, Guest, Native, Unreadable
from connectors.ews.calendar.recurrence import DAYS, LAST, WEEKEND, WORKDAYS, Pattern, Series, Shape
from connectors.ews.calendar.xml import PROPERTY_SET, T, local, t, text_of
from connectors.ews.calendar.zones import iana_of
from connectors.ical.values import FIRST_YEAR, LAST_YEAR

KINDS = {"CalendarItem": Kind.EVENT, "Task": Kind.TASK}
ROLES = ("RequiredAttendees", "OptionalAttendees", "Resources")
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
GROUPS = {"Day": DAYS, "Weekday": WORKDAYS, "WeekendDay": WEEKEND}
INDEXES = {"First": 1, "Second": 2, "Third": 3, "Fourth": 4, "Last": LAST}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
MOST_MINUTES = 2_629_800  # of a reminder before the start: five years (types.xsd)
SKYPE_OR_TEAMS = "SkypeTeamsMeetingUrl"

_MOMENT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})?\Z"
)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?\Z")
_SOURCE = "items"
_MOST_INTERVAL = 999  # days; of weeks and months Exchange takes fewer
_LONGEST_MONTH = 31


def source_of(elements: list[Element]) -> bytes:
    """The bytes that stand for an item and its exceptions as the server gave them."""
    return ET.tostring(t(_SOURCE, None, *elements))


def natives_of(source: bytes) -> list[Native]:
    """The items in a source, the series first. Raises Unreadable."""
    return [native_of(element) for element in ET.fromstring(source)]  # noqa: S314 - of `source_of`


def native_of(element: Element) -> Native:
    """The item that an element says. Raises Unreadable."""
    kind = KINDS.get(local(element))
    if kind is None:
        raise Unreadable(f"it is a {local(element)[:40]}, neither an event nor a task")
    body = element.find(f"{T}Body")
    identity = element.find(f"{T}ItemId")
    own, public = _properties(element)
    common = Native(
        kind=kind,
        id="" if identity is None else identity.get("Id", ""),
        change_key="" if identity is None else identity.get("ChangeKey", ""),
        subject=text_of(element, "Subject"),
        sensitivity=text_of(element, "Sensitivity") or "Normal",
        body="" if body is None else body.text or "",
        html=body is not None and body.get("BodyType") == "HTML",
        categories=tuple(one.text or "" for one in element.findall(f"{T}Categories/{T}String")),
        modified=_moment(element, "LastModifiedTime", exact=False),
        own=own,
    )
    return _event(element, common, public) if kind is Kind.EVENT else _task(element, common)


def _event(element: Element, common: Native, public: str) -> Native:
    return replace(
        common,
        uid=text_of(element, "UID"),
        type=text_of(element, "CalendarItemType") or "Single",
        reminder=_reminder(element),
        start=_needed(_moment(element, "Start"), "Start"),
        end=_needed(_moment(element, "End"), "End"),
        start_zone=_zone(element, "StartTimeZone"),
        end_zone=_zone(element, "EndTimeZone"),
        clocks=_clocks(element),
        all_day=_flag(element, "IsAllDayEvent"),
        free_busy=text_of(element, "LegacyFreeBusyStatus") or "Busy",
        location=text_of(element, "Location"),
        series=_series(element),
        original=_original(element),
        changed=tuple(_changed(one) for one in element.findall(f"{T}ModifiedOccurrences/{T}Occurrence")),
        deleted=tuple(
            _needed(_moment(one, "Start"), "DeletedOccurrence")
            for one in element.findall(f"{T}DeletedOccurrences/{T}DeletedOccurrence")
        ),
        meeting=_flag(element, "IsMeeting"),
        cancelled=_flag(element, "IsCancelled"),
        answer=text_of(element, "MyResponseType"),
        organizer=text_of(element, "Organizer", "Mailbox", "EmailAddress"),
        guests=tuple(
            _guest(one, role) for role in ROLES for one in element.findall(f"{T}{role}/{T}Attendee")
        ),
        video=text_of(element, "JoinOnlineMeetingUrl") or public,
        online=_flag(element, "IsOnlineMeeting"),
        sequence=_number(element, "AppointmentSequenceNumber"),
    )


def _task(element: Element, common: Native) -> Native:
    recurring = element.find(f"{T}Recurrence") is not None
    return replace(
        common,
        uid=common.own.get("uid", ""),
        type="RecurringMaster" if recurring else "Single",
        reminder_at=_moment(element, "ReminderDueBy") if _flag(element, "ReminderIsSet") else None,
        series=_series(element),
        first_day=_midnight(element, "StartDate"),
        due_day=_midnight(element, "DueDate"),
        status=text_of(element, "Status") or "NotStarted",
        done_day=_day_of(_moment(element, "CompleteDate", exact=False)),
    )


def _original(element: Element) -> datetime | None:
    """Where the series has it. A single item has that too where its owner was invited to one occurrence."""
    if text_of(element, "CalendarItemType") in {"Exception", "Occurrence"}:
        return _moment(element, "OriginalStart") or _moment(element, "RecurrenceId")
    return _moment(element, "RecurrenceId")


# --- parts ----------------------------------------------------------------------------------------


def _properties(element: Element) -> tuple[dict[str, str], str]:
    """The properties of our own set, and the link that Skype and Teams leave in the public one."""
    own: dict[str, str] = {}
    link = ""
    for one in element.findall(f"{T}ExtendedProperty"):
        uri = one.find(f"{T}ExtendedFieldURI")
        if uri is None:
            continue
        name, value = uri.get("PropertyName", ""), text_of(one, "Value")
        if uri.get("PropertySetId", "").lower() == PROPERTY_SET:
            own[name] = value
        elif name == SKYPE_OR_TEAMS:
            link = value
    return own, link


def _guest(element: Element, role: str) -> Guest:
    email, routing = text_of(element, "Mailbox", "EmailAddress"), text_of(element, "Mailbox", "RoutingType")
    plain = bool(email) and routing in {"", "SMTP"}
    entry = element.find(f"{T}Mailbox/{T}ItemId")
    return Guest(
        email=email,
        name=text_of(element, "Mailbox", "Name"),
        answer=text_of(element, "ResponseType"),
        role=role,
        routing="" if plain else routing,
        type="" if plain else text_of(element, "Mailbox", "MailboxType"),
        entry=("", "") if plain or entry is None else (entry.get("Id", ""), entry.get("ChangeKey", "")),
    )


def _changed(element: Element) -> Changed:
    identity = element.find(f"{T}ItemId")
    return Changed(
        id="" if identity is None else identity.get("Id", ""),
        original=_needed(_moment(element, "OriginalStart"), "OriginalStart"),
    )


def _reminder(element: Element) -> int | None:
    """Minutes. More than Exchange takes stand for whatever a client's default is: that is no time."""
    minutes = _number(element, "ReminderMinutesBeforeStart") if _flag(element, "ReminderIsSet") else None
    return minutes if minutes is not None and 0 <= minutes <= MOST_MINUTES else None


def _zone(element: Element, name: str) -> str:
    found = element.find(T + name)
    return "" if found is None else found.get("Id", "")


def _clocks(element: Element) -> dict[str, str]:
    """What Exchange says of the zones that are in no table."""
    zones = [one for name in ("StartTimeZone", "EndTimeZone") if (one := element.find(T + name)) is not None]
    odd = [one for one in zones if one.get("Id", "") and iana_of(one.get("Id", "")) is None]
    return {one.get("Id", ""): definition_of(one) for one in odd}


def _series(element: Element) -> Series | None:
    found = element.find(f"{T}Recurrence")
    if found is None:
        return None
    pattern: Pattern | None = None
    start: date | None = None
    end: date | None = None
    count: int | None = None
    for part in found:
        name = local(part)
        if name.endswith("Regeneration"):
            raise Unreadable("a task that comes again so long after it was done, which no rule can say")
        if name in {"NoEndRecurrence", "EndDateRecurrence", "NumberedRecurrence"}:
            start = _date(text_of(part, "StartDate"))
            end = _date(text_of(part, "EndDate")) if name == "EndDateRecurrence" else None
            count = _number(part, "NumberOfOccurrences") if name == "NumberedRecurrence" else None
        else:
            pattern = _pattern(part)
    if pattern is None or start is None:
        raise Unreadable("a recurrence without a pattern or a range")
    return Series(pattern, start, end, count)


def _pattern(element: Element) -> Pattern:
    try:
        shape = Shape(local(element))
    except ValueError:
        raise Unreadable("a recurrence of a kind that is not known") from None
    month = text_of(element, "Month")
    index = text_of(element, "DayOfWeekIndex")
    if (month and month not in MONTHS) or (index and index not in INDEXES):
        raise Unreadable("a recurrence of a kind that is not known")
    interval, days = _number(element, "Interval") or 1, _days(text_of(element, "DaysOfWeek"))
    # Absent, it is Sunday at Exchange, Monday in an RRULE: that matters where Sunday is one of several days.
    counts = shape is Shape.WEEKLY and interval > 1 and len(days) > 1 and "SU" in days
    absent = "Sunday" if counts else "Monday"
    first = _days(text_of(element, "FirstDayOfWeek") or absent)
    pattern = Pattern(
        shape,
        interval,
        days,
        first[0] if first else "",
        _number(element, "DayOfMonth"),
        INDEXES.get(index, 0),
        MONTHS.index(month) + 1 if month else 0,
    )
    if not _sayable(pattern):
        raise Unreadable("a recurrence with a number, a day or a month that is missing or none")
    return pattern


def _sayable(pattern: Pattern) -> bool:
    """Whether it has all that its shape needs, within what Exchange accepts."""
    shape = pattern.shape
    by_number = shape in {Shape.MONTHLY, Shape.YEARLY}
    by_day = shape in {Shape.MONTHLY_BY_DAY, Shape.YEARLY_BY_DAY}
    return (
        1 <= pattern.interval <= _MOST_INTERVAL
        and bool(pattern.first)
        and (not by_number or 1 <= pattern.day <= _LONGEST_MONTH)
        and (not by_day or pattern.index != 0)
        and (bool(pattern.days) or not (by_day or shape is Shape.WEEKLY))
        and (pattern.month != 0 or shape not in {Shape.YEARLY, Shape.YEARLY_BY_DAY})
    )


def _days(text: str) -> tuple[str, ...]:
    found: set[str] = set()
    for name in text.split():
        if name in GROUPS:
            found.update(GROUPS[name])
        elif name in DAY_NAMES:
            found.add(DAYS[DAY_NAMES.index(name)])
        else:
            raise Unreadable("a recurrence on a day that is none")
    return tuple(day for day in DAYS if day in found)


# --- values ---------------------------------------------------------------------------------------


def _flag(element: Element, name: str) -> bool:
    return text_of(element, name) in {"true", "1"}


def _number(element: Element, name: str) -> int:
    text = text_of(element, name) or "0"
    try:
        return int(text)
    except ValueError:
        raise Unreadable(f"{name} is no number") from None


def _needed(moment: datetime | None, name: str) -> datetime:
    if moment is None:
        raise Unreadable(f"{name} is missing")
    return moment


def _moment(element: Element, name: str, *, exact: bool = True) -> datetime | None:
    """The moment in UTC; None where the element is not there. `exact`: a fraction of a second is refused."""
    text = text_of(element, name)
    if not text:
        return None
    found = _MOMENT.match(text.strip())
    if found is None:
        raise Unreadable(f"{name} is no time")
    *numbers, fraction, offset = found.groups()
    if exact and fraction and fraction.strip("0"):
        raise Unreadable(f"{name} has a fraction of a second, which no calendar can hold")
    if offset is None:
        raise Unreadable(f"{name} does not say in which zone")
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        made = datetime(year, month, day, hour, minute, second, tzinfo=_offset(offset)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unreadable(f"{name} is no time") from None
    if not FIRST_YEAR <= made.year <= LAST_YEAR:
        raise Unreadable(f"{name} is in a year outside of {FIRST_YEAR} to {LAST_YEAR}")
    return made


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    span = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-span if text[0] == "-" else span)


def _date(text: str) -> date:
    found = _DATE.match(text.strip())
    if found is None:
        raise Unreadable("a recurrence with a date that is none")
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise Unreadable("a recurrence with a date that is none") from None


def _midnight(element: Element, name: str) -> date | None:
    """The day of a task, which Exchange gives as its midnight in UTC (MS-OXOTASK section 2.2.2.2.5)."""
    moment = _moment(element, name)
    if moment is not None and moment.time() != datetime.min.time():
        raise Unreadable(f"{name} has a time of day, which a task's day cannot have")
    return _day_of(moment)


def _day_of(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()
