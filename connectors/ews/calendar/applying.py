"""From an Item to what Exchange is to say (`Native`), on top of what it says now. Pure.

Only what means something else than before is changed; where Exchange has no place for something, the shadow
keeps it. What then would still not read back as it was meant is refused: nothing is approximated in silence.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from connectors.block import attach, find
from connectors.calendar import (
    Attendee,
    Component,
    Dress,
    Item,
    Kind,
    Privacy,
    Response,
    Status,
    Timing,
    When,
    zone_info,
)
from connectors.ews.calendar.body import edited, text_in
from connectors.ews.calendar.native import Guest, Native, Unreadable
from connectors.ews.calendar.reading import (
    Owner,
    attendees_of,
    component_of,
    identity,
    is_copy,
    notes_of,
    reminder_at,
    reminder_of,
)
from connectors.ews.calendar.recurrence import Inexpressible, Series, series_of, settled
from connectors.ews.calendar.shadow import Shadow, shadow_of
from connectors.ews.calendar.times import is_place
from connectors.ews.calendar.zones import iana_of, windows_of

CLOCK = ("start", "end", "start_zone", "end_zone", "all_day", "series")  # when a series takes place
LONGEST_PLACE = 255  # characters that Exchange keeps of a Location
_SENSITIVITY = {Privacy.PUBLIC: "Normal", Privacy.CONFIDENTIAL: "Confidential"}
_PRIVATE = frozenset({"Private", "Personal"})
_OPEN = frozenset({"NotStarted", "InProgress", "WaitingOnOthers"})


def applied(
    native: Native,
    target: Component,
    owner: Owner,
    *,
    fresh: bool = False,
    master: Native | None = None,
) -> Native:
    """`native` changed so that it says `target`; `fresh`: it is new and says nothing yet.

    Raises Inexpressible where Exchange cannot say it, and Unreadable where `native` cannot be read.
    """
    now = None if fresh else component_of(native, owner, master)
    if now == target:
        return native
    made = native
    if now is None or now.timing != target.timing:
        made = _timed(made, target.timing, owner)
    made = _said(made, now, target, fresh=fresh)
    if now is None or (now.organizer, now.attendees) != (target.organizer, target.attendees):
        made = _invited(made, target, owner)
    if (
        now is None
        or now.alarms != target.alarms
        or (native.kind is Kind.TASK and now.timing != target.timing)
    ):
        made = _reminded(made, target, owner)
    return _shadowed(made, target, owner, master)


def _said(native: Native, now: Component | None, target: Component, *, fresh: bool) -> Native:
    """Text, state, privacy, categories."""
    if now is None or now.subject != target.subject:
        native = replace(native, subject=target.subject)
    if now is None or (now.location, now.video_url) != (target.location, target.video_url):
        if native.kind is Kind.TASK and target.location:
            raise Inexpressible("a task of Exchange has no place")
        native = replace(native, location=_place(native, now, target))
    if now is None or now.notes != target.notes:
        blocks = find(text_in(native.body, html=native.html))
        native = with_text(native, attach(target.notes, blocks[0] if blocks else ""))
    if (now is None or now.privacy != target.privacy) and not (
        target.privacy is Privacy.PRIVATE and native.sensitivity in _PRIVATE
    ):
        native = replace(native, sensitivity=_SENSITIVITY.get(target.privacy, "Private"))
    if now is None or now.categories != target.categories:
        kept = [one for one in native.categories if one.strip() in target.categories]
        there = {one.strip() for one in kept}
        native = replace(native, categories=(*kept, *sorted(target.categories - there)))
    if native.kind is Kind.TASK:
        return _progressed(native, now, target)
    if now is None or now.busy != target.busy:
        tentative = fresh and target.status is Status.TENTATIVE
        free_busy = ("Tentative" if tentative else "Busy") if target.busy else "Free"
        native = replace(native, free_busy=free_busy)
    return native


def _place(native: Native, now: Component | None, target: Component) -> str:
    """The place, and the link to join where people see it (R111), unless Exchange has a button for it."""
    place, link = target.location, "" if native.video else target.video_url
    was = None if now is None else now.video_url
    if native.kind is Kind.TASK or not link or (was == link and link not in native.location):
        return place
    both = f"{place}; {link}" if place else link
    return both if len(both) <= LONGEST_PLACE else place


def with_text(native: Native, text: str) -> Native:
    """The item with that text for its body, the CRM's block included; HTML stays HTML."""
    if native.html:
        return replace(native, body=edited(native.body, text))
    return replace(native, body=text)


def _progressed(native: Native, now: Component | None, target: Component) -> Native:
    if now is not None and (now.status, now.completed) == (target.status, target.completed):
        return native
    if target.status is Status.DONE:
        day = None if target.completed is None else target.completed.astimezone(UTC).date()
        return replace(native, status="Completed", done_day=day or native.done_day)
    if target.status is Status.CANCELLED:
        return replace(native, status="Deferred", done_day=None)
    status = native.status if native.status in _OPEN else "NotStarted"
    return replace(native, status=status, done_day=None)


# --- time -----------------------------------------------------------------------------------------


def _timed(native: Native, timing: Timing, owner: Owner) -> Native:
    if timing.rdates:
        raise Inexpressible("Exchange has no single dates beside a recurrence rule (RDATE)")
    if native.kind is Kind.TASK:
        return _planned(native, timing)
    start, end = timing.start, timing.end
    if start is None or end is None:
        raise Inexpressible("an event without a start")
    whole = start.is_date
    series = series_of(timing.rrule, start) if timing.rrule else None
    if series is not None and native.series is not None and series == settled(native.series):
        series = native.series  # as the server spells it
    made = replace(
        native,
        start=_moment(start, owner),
        end=_moment(end, owner),
        start_zone=_windows(start, owner, native.start_zone),
        end_zone=_windows(end, owner, native.end_zone),
        all_day=whole,
        series=series,
    )
    if made.end is not None and made.start is not None and made.end < made.start:
        raise Inexpressible("it ends before it begins")
    if any(getattr(made, name) != getattr(native, name) for name in CLOCK):
        made = replace(made, changed=(), deleted=())  # Exchange drops them
    if native.type in {"Single", "RecurringMaster"}:
        made = replace(made, type="RecurringMaster" if series is not None else "Single")
    elif series is not None:
        raise Inexpressible("a changed occurrence has no recurrence of its own")
    return made


def _moment(when: When, owner: Owner) -> datetime:
    local = when.local
    if not isinstance(local, datetime):
        zone = zone_info(owner.zone) or ZoneInfo("UTC")
        return datetime.combine(local, time(), tzinfo=zone).astimezone(UTC)
    found = zone_info(when.zone) if when.zone else None
    if found is None:
        raise Inexpressible(
            "a time in no zone" if not when.zone else f"Exchange has no time zone {when.zone[:60]!r}"
        )
    return local.replace(tzinfo=found).astimezone(UTC)


def _windows(when: When, owner: Owner, there: str) -> str:
    zone = when.zone if isinstance(when.local, datetime) else owner.zone
    name = windows_of(zone, when.local.year)
    if name is None:
        raise Inexpressible(f"Exchange has no time zone {zone[:60]!r}")
    return there if there and iana_of(there) == iana_of(name) else name


def _planned(native: Native, timing: Timing) -> Native:
    if timing.exdates:
        raise Inexpressible("Exchange has no single occurrences of a task")
    first = timing.start or timing.end
    series: Series | None = None
    if timing.rrule:
        if first is None:
            raise Inexpressible("a recurrence without a day to begin with")
        series = series_of(timing.rrule, When(_day(first)))
    return replace(
        native,
        first_day=None if timing.start is None else _day(timing.start),
        due_day=None if timing.end is None else _day(timing.end),
        series=series,
        type="RecurringMaster" if series is not None else "Single",
    )


def _day(when: When) -> date:
    return when.local.date() if isinstance(when.local, datetime) else when.local


# --- people ---------------------------------------------------------------------------------------


def _invited(native: Native, target: Component, owner: Owner) -> Native:
    """The guests, those who stay as the server has them. Only its organizer can say whom a meeting has."""
    wanted = [one for one in target.attendees if one.email != target.organizer or _known(native, one.email)]
    if {one.email for one in wanted} == {identity(one) for one in native.guests}:
        return native
    if target.organizer and target.organizer not in owner.emails:
        raise Inexpressible("Exchange lets only its organizer say who takes part in a meeting")
    emails = {one.email for one in wanted}
    guests = [one for one in native.guests if identity(one) in emails]
    guests += [_guest(one) for one in wanted if not _known(native, one.email)]
    return replace(native, guests=tuple(guests), meeting=bool(guests))  # as the server will say then


def _known(native: Native, email: str) -> bool:
    return any(identity(one) == email for one in native.guests)


def _guest(attendee: Attendee) -> Guest:
    if "@" not in attendee.email:
        raise Inexpressible("a participant without an address")
    return Guest(attendee.email, attendee.name, "Unknown")


# --- reminders ------------------------------------------------------------------------------------


def _reminded(native: Native, target: Component, owner: Owner) -> Native:
    if native.kind is Kind.TASK:
        return replace(native, reminder_at=reminder_at(target.alarms, target.timing, owner))
    return replace(native, reminder=reminder_of(target.alarms))


# --- the shadow -----------------------------------------------------------------------------------


def _shadowed(native: Native, target: Component, owner: Owner, master: Native | None) -> Native:
    """With all that the bare item would not read back as it was meant."""
    # Of a task the server says by itself when it was done: what was meant is always kept beside it.
    kept = _believable(native, owner, master) if native.kind is Kind.EVENT else None
    if kept is not None and _comparable(kept, native) == _comparable(target, native):
        return native
    inherits = master is not None and "state" in native.own  # what its series keeps, an occurrence has too
    own = {name: value for name, value in native.own.items() if name != "state"}
    bare = replace(native, own=own)
    plain = _believable(bare, owner, master)
    shadow = _of_event(bare, plain, target, owner) if native.kind is Kind.EVENT else _of_task(target)
    if plain is None or plain.alarms != target.alarms:
        shadow = replace(shadow, alarms=target.alarms)
    if plain is None or plain.notes != target.notes:
        shadow = replace(shadow, notes=target.notes)
    text = shadow.text() or ("{}" if inherits else "")
    made = replace(bare, own={**own, "state": text} if text else own)
    _require(made, target, owner, master)
    return made


def _believable(native: Native, owner: Owner, master: Native | None) -> Component | None:
    try:
        return component_of(native, owner, master)
    except Unreadable:
        return None


def _of_event(native: Native, plain: Component | None, target: Component, owner: Owner) -> Shadow:
    timing = target.timing
    start, end = timing.start, timing.end
    zones = (start.zone if start else "", end.zone if end else "")
    shadow = Shadow(
        zones=zones if plain is None or plain.timing != timing else ("", ""),
        rrule=timing.rrule if plain is None or plain.timing.rrule != timing.rrule else "",
        exdates=tuple(one for one in timing.exdates if not is_place(native, timing, one)),
        status=target.status if target.status is not Status.CONFIRMED and not native.cancelled else None,
        video=target.video_url if not native.video else "",
        shown=not native.video and target.video_url != "" and target.video_url in native.location,
        organizer=target.organizer if not native.guests and not native.meeting else "",
    )
    host = next((one for one in target.attendees if one.email == target.organizer), None)
    if host is not None and not _known(native, host.email):
        shadow = replace(shadow, host=host.response)
    there = {one.email: one.response for one in attendees_of(native, shadow, target.organizer, owner)}
    answers: dict[str, tuple[Response, Response]] = {
        one.email: (one.response, there[one.email])
        for one in target.attendees
        if one.email in there and one.response is not there[one.email]
    }
    return replace(shadow, answers=answers)


def _of_task(target: Component) -> Shadow:
    timing = target.timing
    timed = any(one is not None and not one.is_date for one in (timing.start, timing.end))
    completed = None
    if target.status is Status.DONE:
        completed = "" if target.completed is None else target.completed.isoformat()
    return Shadow(
        times=(timing.start, timing.end) if timed else None,
        rrule=timing.rrule,
        status=Status.CANCELLED if target.status is Status.CANCELLED else None,
        completed=completed,
    )


def _require(native: Native, target: Component, owner: Owner, master: Native | None) -> None:
    """Raises Inexpressible where it would read back as something else. What the server does by itself is
    left out: deletions of occurrences, the organizer of a meeting."""
    if native.kind is Kind.TASK and target.attendees:
        raise Inexpressible("Exchange has no place for this: attendees of a task")
    try:
        found = component_of(native, owner, master)
    except Unreadable as error:
        raise Inexpressible(str(error)) from error
    if _comparable(found, native) != _comparable(target, native):
        raise Inexpressible(f"Exchange has no place for {_difference(found, target)}")


def _comparable(component: Component, native: Native) -> Component:
    timing = component.timing
    odd = tuple(one for one in timing.exdates if not is_place(native, timing, one))
    return replace(
        component,
        timing=replace(timing, exdates=odd),
        recurrence_id=None,
        this_and_future=False,
        organizer="" if native.guests or native.meeting else component.organizer,
    )


def _difference(found: Component, target: Component) -> str:
    """What it is that would be lost; never its content."""
    names = (
        "timing", "subject", "location", "notes", "status", "privacy", "busy", "alarms", "categories",
        "attendees", "video_url", "completed",
    )  # fmt: skip
    lost: Iterable[str] = [name for name in names if getattr(found, name) != getattr(target, name)]
    return "this: " + (", ".join(lost) or "attendees")


# --- what the CRM adds ----------------------------------------------------------------------------


def dressed(native: Native, item: Item, dress: Dress, target: Component, *, fresh: bool) -> Native:
    """With the names and the block that the CRM adds."""
    main = target is item.main
    own = dict(native.own)
    for name, value in (("account", dress.account), ("opportunity", dress.opportunity)):
        if main or fresh or name in own:
            own[name] = value
    if dress.crm_id and (main or fresh or "crm-id" in own):
        own["crm-id"] = dress.crm_id
    if main:
        own["companion"] = "T" if item.companion else ""
        copy = is_copy(native)
        if fresh or copy or native.kind is Kind.TASK:
            own["uid"] = item.uid
        if copy:
            own.pop("rest", None)
    own = {name: value for name, value in own.items() if value}
    text = text_in(native.body, html=native.html)
    blocks = find(text)
    wanted = [dress.block] if dress.block and (main or fresh or blocks) else []
    inside = find(attach("", wanted[0])) if wanted else []
    if own != dict(native.own):
        native = replace(native, own=own)
    if blocks == inside:
        return native
    notes = notes_of(native, shadow_of(native.own.get("state", "")))
    return with_text(native, attach(notes, wanted[0] if wanted else ""))
