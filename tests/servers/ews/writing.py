"""Takes what clients write into an item or an occurrence, checked and made canonical.

Moments are kept in UTC, zones by name. It changes nothing outside the item; the caller tells the store and
sends what is to be sent.
"""

import base64
import binascii
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from xml.etree.ElementTree import Element

from tests.servers.ews import calendar_mime, mapi, occasions, recurrence
from tests.servers.ews.errors import EwsError
from tests.servers.ews.fields import READ_ONLY, Kind
from tests.servers.ews.model import Change, ExtendedPath, Item, Series
from tests.servers.ews.requests import Request
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import boolean, local, read_date, stamp, t, typed, yes_no
from tests.servers.ews.zones import read_zone, zone_of

_MOMENTS = {"Start", "End", "ReminderDueBy", "DueDate", "StartDate", "CompleteDate", "DateTimeReceived"}
_DAYS_ONLY = {
    "DueDate",
    "StartDate",
    "CompleteDate",
}  # of tasks: midnight, no time of day ([MS-OXWSTASK])
_ZONES = {
    "StartTimeZone": "StartTimeZoneId",
    "EndTimeZone": "EndTimeZoneId",
    "MeetingTimeZone": "StartTimeZoneId",
}
TIMING = {"Start", "End", "StartTimeZoneId", "IsAllDayEvent", "Recurrence", "StartTimeZone"}
_BOOLEANS = {
    "ReminderIsSet", "IsAllDayEvent", "IsResponseRequested", "AllowNewTimeProposal", "IsReadReceiptRequested",
    "IsDeliveryReceiptRequested", "IsAssociated",
}  # fmt: skip
_NOT_FOR_OCCURRENCES = {"Recurrence", "UID"}


def new_uid() -> str:
    """A UID as Exchange makes them: a GlobalObjectId in hexadecimal."""
    return "040000008200E00074C5B7101A82E008" + "0" * 40 + "10000000" + secrets.token_hex(16).upper()


def fill(request: Request, item: Item, properties: Iterable[Element]) -> None:
    """A new item takes the properties of a CreateItem request."""
    for element in properties:
        name = local(element)
        if name in {"ItemId", "ParentFolderId"}:
            continue
        if name in READ_ONLY:
            raise EwsError("ErrorInvalidPropertySet", f"Set action is invalid for the property {name}.")
        put(request, Target(item), element)
    if item.kind is Kind.CALENDAR:
        _complete_event(request, item)
    if item.kind is Kind.TASK:
        complete_task(item, set())


def put(request: Request, target: Target, element: Element) -> set[str]:
    """Sets one property. Returns the names of what it changed."""
    name = local(element)
    item = target.item
    if name == "ExtendedProperty":
        return _put_extended(request, target, element)
    if name == "MimeContent":
        return _put_mime(request, target, _base64(element.text or ""))
    if name == "IsRead":
        item.is_read = boolean(element.text)
        return {name}
    if target.original is not None and name in _NOT_FOR_OCCURRENCES:
        raise EwsError("ErrorInvalidPropertySet", f"Set action is invalid for {name} of an occurrence.")
    if name in _BOOLEANS:
        element = typed(name, yes_no(boolean(element.text)))
    if name in _ZONES:
        _zone(target, name, element)
        return {name, "StartTimeZoneId"}
    if name == "Recurrence":
        recurrence.check(element)
    value = element
    if name in _MOMENTS:
        moment = request.moment(element.text or "")
        if name in _DAYS_ONLY:
            moment = datetime.combine(read_date(element.text or ""), time(), UTC)
        value = typed(name, stamp(moment))
    sheet = _sheet(target)
    sheet.fields[name] = value
    if isinstance(sheet, Change):
        sheet.deleted_fields.discard(name)
    return {name}


def _put_extended(request: Request, target: Target, element: Element) -> set[str]:
    uri = element.find(t("ExtendedFieldURI"))
    if uri is None:
        raise EwsError("ErrorInvalidExtendedProperty", "The extended property has no path.")
    path = ExtendedPath.of(uri)
    if path.name in mapi.ALIASES and not path.set_name:
        return put(request, target, _aliased(mapi.ALIASES[path.name], element))
    _sheet(target).extended[path] = element
    return {f"{path.set_name}/{path.name}"}


def _aliased(name: str, element: Element) -> Element:
    value = element[-1].text or ""
    return typed(name, value, BodyType="Text") if name == "Body" else typed(name, value)


def _put_mime(request: Request, target: Target, content: bytes) -> set[str]:
    """The bytes of a message are kept; those of an event are read for its properties."""
    if target.kind is not Kind.CALENDAR:
        target.item.mime = content
        return {"MimeContent"}
    return {name for value in calendar_mime.read(content) for name in put(request, target, value)}


def _zone(target: Target, name: str, element: Element) -> None:
    zone = read_zone(element)
    sheet = _sheet(target)
    # MeetingTimeZone is the older of the two ways; both at once: StartTimeZone counts.
    if name == "MeetingTimeZone" and "StartTimeZoneId" in sheet.fields:
        return
    sheet.fields[_ZONES[name]] = typed(_ZONES[name], zone)


def drop(target: Target, name: str) -> set[str]:
    """Deletes one property."""
    if target.original is None:
        target.item.fields.pop(_ZONES.get(name, name), None)
    else:
        change = _change(target)
        change.fields.pop(name, None)
        change.deleted_fields.add(name)
    return {name}


def drop_extended(target: Target, path: ExtendedPath) -> set[str]:
    """Deletes an extended property."""
    _sheet(target).extended.pop(path, None)
    return {f"{path.set_name}/{path.name}"}


def append(target: Target, element: Element) -> set[str]:
    """Appends to the body, recipients, attendees or categories."""
    name = local(element)
    before = target.field(name)
    if before is None:
        _sheet(target).fields[name] = element
        return {name}
    joined = Element(before.tag, before.attrib)
    if name == "Body":
        joined.text = (before.text or "") + (element.text or "")
    else:
        joined.extend([*before, *element])
    _sheet(target).fields[name] = joined
    return {name}


def _sheet(target: Target) -> Item | Change:
    return target.item if target.original is None else _change(target)


def _change(target: Target) -> Change:
    """The exception's own data; an occurrence that had none becomes an exception."""
    assert target.original is not None
    if target.item.series is None:
        target.item.series = Series()
    return target.item.series.changed.setdefault(target.original, Change(target.original))


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise EwsError("ErrorMimeContentInvalidBase64String", "MimeContent is not base64.") from error


def _complete_event(request: Request, item: Item) -> None:
    if "UID" not in item.fields:
        item.put("UID", new_uid())
    if "StartTimeZoneId" not in item.fields:
        item.put("StartTimeZoneId", request.zone_name)
    now = request.store.now()
    if "Start" not in item.fields:
        # The pages say nothing of an event without a start.
        item.put("Start", stamp(now.replace(minute=0, second=0) + timedelta(hours=1)))
    if "End" not in item.fields:
        item.put("End", stamp(Target(item).start + timedelta(minutes=30)))
    settle_times(Target(item))


def settle_times(target: Target) -> None:
    """All-day events go from midnight to midnight of their zone; a master starts at its first occurrence."""
    item = target.item
    if target.text("IsAllDayEvent") == "true":
        zone = zone_of(item.text("StartTimeZoneId"))
        first = target.start.astimezone(zone)
        last = target.end.astimezone(zone)
        begin = first.date()
        end = last.date() if last.time() == time() else last.date() + timedelta(days=1)
        end = max(end, begin + timedelta(days=1))
        sheet = _sheet(target)
        sheet.fields["Start"] = typed("Start", stamp(datetime.combine(begin, time(), zone)))
        sheet.fields["End"] = typed("End", stamp(datetime.combine(end, time(), zone)))
    if target.end < target.start:
        raise EwsError("ErrorCalendarEndDateIsEarlierThanStartDate", "EndDate is earlier than StartDate.")
    if target.original is not None:
        _stay_between(target)
    elif "Recurrence" in item.fields:
        zone = zone_of(item.text("StartTimeZoneId"))
        length = target.end - target.start
        first_start = next(recurrence.starts(item.fields["Recurrence"], target.start, zone))
        item.put("Start", stamp(first_start))
        item.put("End", stamp(first_start + length))


def _stay_between(target: Target) -> None:
    """An exception may neither cross nor overlap its neighbours (ErrorOccurrenceCrossingBoundary)."""
    before: Target | None = None
    after: Target | None = None
    for each in occasions.standing(target.item):
        assert each.original is not None
        assert target.original is not None
        if each.original < target.original:
            before = each
        elif each.original > target.original:
            after = each
            break
    crosses = (before is not None and target.start < before.end) or (
        after is not None and target.end > after.start
    )
    if crosses:
        text = "Modified occurrence is crossing or overlapping adjacent occurrence."
        raise EwsError("ErrorOccurrenceCrossingBoundary", text)


def times_changed(item: Item, before: dict[str, Element], names: set[str]) -> bool:
    """Whether an update of a master changed when its occurrences are."""
    if not names & (TIMING | {"MeetingTimeZone"}):
        return False
    return any(_same(before.get(name)) != _same(item.fields.get(name)) for name in TIMING)


def _same(element: Element | None) -> object:
    if element is None:
        return None
    return [(local(each), (each.text or "").strip()) for each in element.iter()]


def complete_task(item: Item, names: set[str]) -> None:
    """Status, PercentComplete and CompleteDate follow one another, as the pages of these elements say."""
    if "CompleteDate" in names and "CompleteDate" in item.fields:
        item.put("Status", "Completed")
        item.put("PercentComplete", "100")
    elif "PercentComplete" in names and "Status" not in names:
        percent = float(item.text("PercentComplete", "0"))
        item.put("Status", "Completed" if percent >= 100 else "InProgress" if percent else "NotStarted")
    if item.text("Status") == "Completed":
        item.put("PercentComplete", "100")
        if "CompleteDate" not in item.fields:
            item.put("CompleteDate", stamp(datetime.combine(datetime.now(UTC).date(), time(), UTC)))
        return
    item.fields.pop("CompleteDate", None)
    reopened = float(item.text("PercentComplete", "0")) >= 100
    if "Status" in names and (reopened or item.text("Status") == "NotStarted"):
        item.put("PercentComplete", "0")
