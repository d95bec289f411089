"""`Native` to XML of Exchange: a whole new item, or the fields in which two differ. Pure.

The elements of a new item stand in the order of the schema (types.xsd, ItemType, CalendarItemType, TaskType).
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from xml.etree.ElementTree import Element

from connectors.calendar import Kind
from connectors.ews.calendar.native import Guest, Native
from connectors.ews.calendar.parsing import DAY_NAMES, GROUPS, INDEXES, MONTHS, ROLES
from connectors.ews.calendar.recurrence import DAYS, Pattern, Series, Shape
from connectors.ews.calendar.xml import T, field_uri, own_property, own_value, t

_TAGS = {Kind.EVENT: "CalendarItem", Kind.TASK: "Task"}
_INDEX_NAMES = {number: name for name, number in INDEXES.items()}
_Maker = Callable[[Native], Element | None]


def moment(when: datetime) -> str:
    """A moment as xs:dateTime, in UTC."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _midnight(day: date | None, name: str) -> Element | None:
    return None if day is None else t(name, f"{day:%Y-%m-%d}T00:00:00Z")


# --- fields, in the order of the schema ------------------------------------------------------------


def _text(name: str, value: str) -> Element | None:
    return t(name, value) if value else None


def _body(native: Native) -> Element | None:
    return t("Body", native.body, BodyType="HTML" if native.html else "Text") if native.body else None


def _categories(native: Native) -> Element | None:
    names = [t("String", name) for name in native.categories]
    return t("Categories", None, *names) if names else None


def _guests(native: Native, role: str) -> Element | None:
    found = [_attendee(one) for one in native.guests if one.role == role]
    return t(role, None, *found) if found else None


def _attendee(guest: Guest) -> Element:
    texts = {
        "Name": guest.name, "EmailAddress": guest.email,
        "RoutingType": guest.routing, "MailboxType": guest.type,
    }  # fmt: skip
    parts = [t(name, value) for name, value in texts.items() if value]
    id_, key = guest.entry
    if id_:
        parts.append(t("ItemId", None, Id=id_, **({"ChangeKey": key} if key else {})))
    return t("Attendee", None, t("Mailbox", None, *parts))


def _zone(name: str, zone: str) -> Element | None:
    return t(name, None, Id=zone) if zone else None


def _when(name: str, value: datetime | None) -> Element | None:
    return None if value is None else t(name, moment(value))


def _flag(name: str, value: bool) -> Element:
    return t(name, "true" if value else "false")


def _minutes(native: Native) -> Element | None:
    return None if native.reminder is None else t("ReminderMinutesBeforeStart", str(native.reminder))


_EVENT: dict[str, _Maker] = {
    "item:Subject": lambda one: _text("Subject", one.subject),
    "item:Sensitivity": lambda one: t("Sensitivity", one.sensitivity),
    "item:Body": _body,
    "item:Categories": _categories,
    "item:ReminderIsSet": lambda one: _flag("ReminderIsSet", one.reminder is not None),
    "item:ReminderMinutesBeforeStart": _minutes,
    "calendar:UID": lambda one: _text("UID", one.uid),
    "calendar:Start": lambda one: _when("Start", one.start),
    "calendar:End": lambda one: _when("End", one.end),
    "calendar:IsAllDayEvent": lambda one: _flag("IsAllDayEvent", one.all_day),
    "calendar:LegacyFreeBusyStatus": lambda one: t("LegacyFreeBusyStatus", one.free_busy),
    "calendar:Location": lambda one: _text("Location", one.location),
    "calendar:RequiredAttendees": lambda one: _guests(one, ROLES[0]),
    "calendar:OptionalAttendees": lambda one: _guests(one, ROLES[1]),
    "calendar:Resources": lambda one: _guests(one, ROLES[2]),
    "calendar:Recurrence": lambda one: None if one.series is None else recurrence(one.series),
    "calendar:StartTimeZone": lambda one: _zone("StartTimeZone", one.start_zone),
    "calendar:EndTimeZone": lambda one: _zone("EndTimeZone", one.end_zone),
}
_TASK: dict[str, _Maker] = {
    "item:Subject": _EVENT["item:Subject"],
    "item:Sensitivity": _EVENT["item:Sensitivity"],
    "item:Body": _body,
    "item:Categories": _categories,
    "item:ReminderDueBy": lambda one: _when("ReminderDueBy", one.reminder_at),
    "item:ReminderIsSet": lambda one: _flag("ReminderIsSet", one.reminder_at is not None),
    "task:CompleteDate": lambda one: _midnight(one.done_day, "CompleteDate"),
    "task:DueDate": lambda one: _midnight(one.due_day, "DueDate"),
    "task:Recurrence": _EVENT["calendar:Recurrence"],
    "task:StartDate": lambda one: _midnight(one.first_day, "StartDate"),
    "task:Status": lambda one: t("Status", one.status),
}
_FIELDS = {Kind.EVENT: _EVENT, Kind.TASK: _TASK}
_AFTER_REMINDERS = ("item:ReminderMinutesBeforeStart", "item:ReminderIsSet")
# A start without its zone, or a zone without its start, is a request for another moment.
_TIMES = (
    "calendar:Start",
    "calendar:End",
    "calendar:IsAllDayEvent",
    "calendar:StartTimeZone",
    "calendar:EndTimeZone",
)
_UNCHANGING = frozenset({"calendar:UID"})
# The server takes these off when the flag or the status beside them says so, and may refuse to be told.
_NEVER_DELETED = frozenset({"item:ReminderMinutesBeforeStart", "item:ReminderDueBy", "task:CompleteDate"})


def new(native: Native) -> Element:
    """The element of a new item."""
    item = t(_TAGS[native.kind])
    last = _AFTER_REMINDERS[0] if native.kind is Kind.EVENT else _AFTER_REMINDERS[1]
    for uri, make in _FIELDS[native.kind].items():
        made = make(native)
        if made is not None:
            item.append(made)
        if uri == last:
            item.extend(own_value(name, native.own[name]) for name in sorted(native.own) if native.own[name])
    return item


def changes(before: Native, after: Native) -> list[Element]:
    """SetItemField and DeleteItemField for all in which the two differ; empty where that is nothing."""
    fields = _FIELDS[before.kind]
    changed = [uri for uri, make in fields.items() if _differ(make(before), make(after))]
    changed = [uri for uri in changed if uri not in _UNCHANGING]
    changed = [uri for uri in changed if uri not in _NEVER_DELETED or fields[uri](after) is not None]
    if before.kind is Kind.EVENT and set(changed) & {*_TIMES, "calendar:Recurrence"}:
        timed = {*changed, *_TIMES}
        changed = [uri for uri in fields if uri in timed]
    found = [_change(before.kind, uri, fields[uri](after)) for uri in changed]
    for name in sorted({*before.own, *after.own}):
        value = after.own.get(name, "")
        if before.own.get(name, "") == value:
            continue
        if value:
            found.append(
                t("SetItemField", None, own_property(name), _item(before.kind, own_value(name, value)))
            )
        else:
            found.append(t("DeleteItemField", None, own_property(name)))
    return found


def _change(kind: Kind, uri: str, value: Element | None) -> Element:
    if value is None:
        return t("DeleteItemField", None, field_uri(uri))
    return t("SetItemField", None, field_uri(uri), _item(kind, value))


def _item(kind: Kind, value: Element) -> Element:
    return t(_TAGS[kind], None, value)


def _differ(one: Element | None, other: Element | None) -> bool:
    if one is None or other is None:
        return one is not other
    same = one.tag == other.tag and (one.text or "") == (other.text or "") and one.attrib == other.attrib
    return not same or len(one) != len(other) or any(map(_differ, one, other))


# --- recurrence -----------------------------------------------------------------------------------


def recurrence(series: Series) -> Element:
    """RecurrenceType or TaskRecurrenceType: the pattern, then the range."""
    start = t("StartDate", f"{series.start:%Y-%m-%d}")
    if series.count is not None:
        span = t("NumberedRecurrence", None, start, t("NumberOfOccurrences", str(series.count)))
    elif series.end is not None:
        span = t("EndDateRecurrence", None, start, t("EndDate", f"{series.end:%Y-%m-%d}"))
    else:
        span = t("NoEndRecurrence", None, start)
    return t("Recurrence", None, _pattern(series.pattern), span)


def _pattern(pattern: Pattern) -> Element:
    shape = pattern.shape
    element = Element(T + shape.value)
    interval = t("Interval", str(pattern.interval))
    month = [t("Month", MONTHS[pattern.month - 1])] if pattern.month else []
    if shape is Shape.DAILY:
        element.append(interval)
    elif shape is Shape.WEEKLY:
        names = " ".join(DAY_NAMES[DAYS.index(day)] for day in pattern.days)
        first = DAY_NAMES[DAYS.index(pattern.first)]
        element.extend([interval, t("DaysOfWeek", names), t("FirstDayOfWeek", first)])
    elif shape in {Shape.MONTHLY, Shape.YEARLY}:
        if not month:
            element.append(interval)
        element.extend([t("DayOfMonth", str(pattern.day)), *month])
    else:
        if not month:
            element.append(interval)
        index = t("DayOfWeekIndex", _INDEX_NAMES[pattern.index])
        element.extend([t("DaysOfWeek", _group(pattern.days)), index, *month])
    return element


def _group(days: tuple[str, ...]) -> str:
    named = next((name for name, group in GROUPS.items() if group == days), None)
    return named or DAY_NAMES[DAYS.index(days[0])]
