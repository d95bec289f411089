"""From what Exchange says (`Native`) to an Item. Pure."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from connectors.block import clean, find, strip
from connectors.calendar import (
    UTC_ZONE,
    Attendee,
    Component,
    Hints,
    Item,
    Kind,
    Privacy,
    Response,
    Status,
    Timing,
    When,
    zone_info,
)
from connectors.ews.calendar.body import same_lines, text_in
from connectors.ews.calendar.names import global_id, is_made_by_exchange
from connectors.ews.calendar.native import Guest, Native, Unreadable
from connectors.ews.calendar.parsing import MOST_MINUTES
from connectors.ews.calendar.recurrence import Inexpressible
from connectors.ews.calendar.shadow import Shadow, shadow_of
from connectors.ews.calendar.times import days_of, place_of, timing_of
from connectors.ical.reading import LONGEST_NAME
from connectors.ical.values import write_duration, write_when
from connectors.meetings import without_link

UNNAMED = "ews:"  # begins the UID of what has none of its own: the rest is Exchange's id
LONGEST_IDENTITY = 320  # characters, as of an address (RFC 3696)
ANSWERS = {
    "Accept": Response.ACCEPTED,
    "Organizer": Response.ACCEPTED,
    "Tentative": Response.TENTATIVE,
    "Decline": Response.DECLINED,
}
PRIVACY = {"Normal": Privacy.PUBLIC, "Confidential": Privacy.CONFIDENTIAL}
FREE = frozenset({"Free", "NoData"})
_AT_MINUTE = re.compile(r"-P(?:([0-9]+)W)?(?:([0-9]+)D)?(?:T(?:([0-9]+)H)?(?:([0-9]+)M)?)?\Z")
_FACTORS = (10080, 1440, 60, 1)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose mailbox it is."""

    emails: frozenset[str]  # lower-cased
    zone: str = UTC_ZONE  # IANA name: where whole days begin at midnight


def item_of(natives: Sequence[Native], owner: Owner) -> Item:
    """The item that a master (or single item) and its exceptions are. Raises Unreadable."""
    first = natives[0]
    main = component_of(first, owner)
    overrides = [component_of(one, owner, first) for one in natives[1:]]
    kept = [
        one
        for one, native in zip(overrides, natives[1:], strict=True)
        if not (shadow_of(native.own.get("state", "")).natural and one == natural(main, one.recurrence_id))
    ]
    kept.sort(key=lambda one: one.key)
    if len({one.key for one in kept}) < len(kept):
        raise Unreadable("the same occurrence twice in one item")
    uid = uid_of(first)
    if len(uid) > LONGEST_NAME:
        raise Unreadable(f"the UID has {len(uid)} characters; {LONGEST_NAME} are accepted")
    return Item(
        uid=uid,
        kind=first.kind,
        components=(main, *kept),
        sequence=first.sequence,
        crm_id=first.own.get("crm-id", ""),
        companion=not is_copy(first) and any("companion" in one.own for one in natives),
        zones=tuple(sorted({(name, text) for one in natives for name, text in one.clocks.items()})),
        modified=max((one.modified for one in natives if one.modified is not None), default=None),
        dressed=any(_dressed(one) for one in natives),
    )


def uid_of(native: Native) -> str:
    """The UID: the item's own, else one that is made of its id."""
    ours = "" if is_copy(native) else native.own.get("uid", "")
    return clean(ours or native.uid).strip() or UNNAMED + native.id


def is_copy(native: Native) -> bool:
    """Whether it is an event that a person copied from one of ours: all properties go along with a copy but
    what Exchange makes its UID of (MS-OXOCAL, "Copying a Calendar Object"). A copied task cannot be told."""
    ours = native.own.get("uid", "")
    if native.kind is Kind.TASK or not ours:
        return False
    return is_made_by_exchange(native.uid) and global_id(ours) != global_id(native.uid)


def rest_in(native: Native) -> str:
    """What a write that was cut off still has to do (`connectors.ews.calendar.planning.Rest`); nothing in a
    copy of what it was to do that to."""
    return "" if is_copy(native) else native.own.get("rest", "")


def _dressed(native: Native) -> bool:
    named = "account" in native.own or "opportunity" in native.own
    return named or bool(find(text_in(native.body, html=native.html)))


def component_of(native: Native, owner: Owner, master: Native | None = None) -> Component:
    """One component; of an exception, `master` is its series. Raises Unreadable."""
    shadow = shadow_of(native.own.get("state", ""))
    event = native.kind is Kind.EVENT
    try:
        timing = timing_of(native, shadow, owner.zone) if event else days_of(native, shadow)
        place_at = place_of(native, shadow, master, owner.zone)
    except Inexpressible as error:
        raise Unreadable(str(error)) from error
    status, completed = _event_status(native, shadow) if event else _task_status(native, shadow)
    organizer = _organizer(native, shadow) if event else ""
    link = link_of(native, shadow)
    return Component(
        timing=timing,
        recurrence_id=place_at,
        subject=clean(native.subject),
        location=without_link(clean(native.location), link),
        notes=notes_of(native, shadow),
        status=status,
        privacy=PRIVACY.get(native.sensitivity, Privacy.PRIVATE),
        busy=event and native.free_busy not in FREE,
        alarms=alarms_of(native, shadow, timing, owner),
        categories=frozenset(name for each in native.categories if (name := clean(each).strip())),
        organizer=organizer,
        attendees=attendees_of(native, shadow, organizer, owner),
        video_url=link,
        completed=completed,
        hints=Hints(online=native.online),
    )


def link_of(native: Native, shadow: Shadow) -> str:
    """The link to join: the provider's, else what was written, as long as it stands where people see it."""
    kept = shadow.video if not shadow.shown or shadow.video in clean(native.location) else ""
    return clean(native.video or kept).strip()


def notes_of(native: Native, shadow: Shadow) -> str:
    """The person's notes, without the CRM's block."""
    notes = strip(text_in(native.body, html=native.html))
    if shadow.notes is not None and same_lines(shadow.notes, notes):
        return shadow.notes
    return notes


def natural(main: Component, at: When | None) -> Component:
    """What the series says of an occurrence."""
    timing = main.timing
    start, end = timing.start, timing.end
    if at is None or start is None or end is None:
        return main
    span = end.local - start.local
    own = Timing(at, When(at.local + span, end.zone if end.zone == start.zone else at.zone))
    return replace(main, timing=own, recurrence_id=at)


# --- state ----------------------------------------------------------------------------------------


def _event_status(native: Native, shadow: Shadow) -> tuple[Status, None]:
    if native.cancelled:
        return Status.CANCELLED, None
    return (shadow.status or Status.CONFIRMED), None


def _task_status(native: Native, shadow: Shadow) -> tuple[Status, datetime | None]:
    if native.status != "Completed":
        cancelled = shadow.status is Status.CANCELLED and native.status == "Deferred"
        return (Status.CANCELLED if cancelled else Status.OPEN), None
    day = native.done_day
    if shadow.completed == "":
        return Status.DONE, None
    if shadow.completed is not None:
        kept = datetime.fromisoformat(shadow.completed).astimezone(UTC)
        if day is None or abs(kept.date() - day) <= timedelta(days=1):
            return Status.DONE, kept
    return Status.DONE, None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


# --- people ---------------------------------------------------------------------------------------


def address(text: str) -> str:
    """An address as it is compared."""
    return clean(text).strip(" <>\t\n").lower()[:LONGEST_IDENTITY]


def identity(guest: Guest) -> str:
    """What a guest is known by: the address; a URI for what has none, such as a list in somebody's contacts.
    Nobody can tell who is on that, so it must be seen, and seen as somebody from outside."""
    known = address(guest.email)
    if known:
        return known
    told = guest.entry[0] or f"{guest.type}:{clean(guest.name).strip()}"
    return "urn:x-exchange-entry:" + hashlib.sha256(told.encode()).hexdigest()[:32]


def _organizer(native: Native, shadow: Shadow) -> str:
    if native.meeting or native.guests:
        return address(native.organizer)
    return shadow.organizer


def attendees_of(native: Native, shadow: Shadow, organizer: str, owner: Owner) -> tuple[Attendee, ...]:
    """Who takes part, by address, each once: the first answer counts."""
    found: dict[str, Attendee] = {}
    for guest in native.guests:
        email = identity(guest)
        response = ANSWERS.get(guest.answer, Response.NO_RESPONSE)
        if email in owner.emails and native.answer in ANSWERS:
            response = ANSWERS[native.answer]
        known = found.get(email)
        if known is None or (known.response is Response.NO_RESPONSE and response is not known.response):
            found[email] = Attendee(
                email, response, clean(guest.name).strip() or (known.name if known else "")
            )
    for email, (meant, was) in shadow.answers.items():
        if email in found and found[email].response is was:
            found[email] = replace(found[email], response=meant)
    if shadow.host is not None and organizer and organizer not in found:
        found[organizer] = Attendee(organizer, shadow.host)
    return tuple(found[email] for email in sorted(found))


# --- alarms ---------------------------------------------------------------------------------------


def alarms_of(native: Native, shadow: Shadow, timing: Timing, owner: Owner) -> frozenset[str]:
    """By trigger; those that were written, while the one reminder of Exchange is what stands for them."""
    if shadow.alarms is not None:
        if native.kind is Kind.EVENT and native.reminder == reminder_of(shadow.alarms):
            return shadow.alarms
        if native.kind is Kind.TASK and native.reminder_at == reminder_at(shadow.alarms, timing, owner):
            return shadow.alarms
    if native.reminder is not None:
        return frozenset({write_duration(-60 * native.reminder)})
    if native.reminder_at is not None:
        return frozenset({write_when(When(native.reminder_at.replace(tzinfo=None), UTC_ZONE))})
    return frozenset()


def reminder_of(alarms: frozenset[str]) -> int | None:
    """The minutes before the start at which Exchange is to remind: of several, the last one; None for none
    that Exchange could have."""
    found = [minutes for one in alarms if (minutes := _minutes(one)) is not None]
    return min((one for one in found if one <= MOST_MINUTES), default=None)


def _minutes(alarm: str) -> int | None:
    if alarm == "PT0S":
        return 0
    found = _AT_MINUTE.match(alarm)
    if found is None:
        return None
    return sum(int(number) * factor for number, factor in zip(found.groups("0"), _FACTORS, strict=True))


def reminder_at(alarms: frozenset[str], timing: Timing, owner: Owner) -> datetime | None:
    """When Exchange is to remind of a task: of several times, the first one."""
    zone = zone_info(owner.zone) or ZoneInfo(UTC_ZONE)
    found: list[datetime] = []
    for alarm in alarms:
        trigger, _, related = alarm.partition(";")
        if re.fullmatch(r"[0-9]{8}T[0-9]{6}Z", trigger):
            found.append(datetime.strptime(trigger, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
            continue
        base = timing.end if related else timing.start or timing.end
        minutes = _minutes(trigger)
        if base is not None and minutes is not None:
            found.append(base.instant(zone) - timedelta(minutes=minutes))
    return min(found, default=None)
