"""What an update has to send, worked out before anything is sent: what cannot be said is refused here."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from connectors.calendar import Attendee, Component, Dress, Item, Kind, Response, When, zone_info
from connectors.ews.calendar import composing
from connectors.ews.calendar.applying import CLOCK, applied, dressed
from connectors.ews.calendar.native import Native
from connectors.ews.calendar.reading import Owner, component_of
from connectors.ews.calendar.recurrence import Inexpressible
from connectors.ews.calendar.times import is_place
from connectors.ews.calendar.zones import iana_of
from connectors.ical import reading as ical
from connectors.ical import writing as ical_writing
from connectors.ical.reading import ordered

PERSONAL = frozenset({
    "item:Categories", "item:ReminderIsSet", "item:ReminderMinutesBeforeStart", "item:ReminderDueBy",
    "item:Sensitivity", "calendar:LegacyFreeBusyStatus",
})  # fmt: skip
PEOPLE = frozenset({"calendar:RequiredAttendees", "calendar:OptionalAttendees", "calendar:Resources"})
_LONGEST_REST = 4 * 1024 * 1024  # characters; no item that can be read makes as many
_FIELDS = (
    "subject", "location", "notes", "status", "privacy", "busy", "alarms", "categories", "organizer",
    "video_url", "completed",
)  # fmt: skip
_RESPONSES = {
    Response.ACCEPTED: "AcceptItem",
    Response.TENTATIVE: "TentativelyAcceptItem",
    Response.DECLINED: "DeclineItem",
}


@dataclass(frozen=True, slots=True)
class Rest:
    """What is still to be done after the first of several requests: kept in the item itself, so that whoever
    finds it half made can make it whole."""

    item: Item
    dress: Dress
    notify: bool
    before: Component | None = None  # the series as it was, where the first request says nothing of it yet

    def text(self, stamp: datetime) -> str:
        """For the property."""
        source = ical_writing.new(self.item, Dress(), stamp=stamp, quiet=True).decode()
        dress = [self.dress.crm_id, self.dress.account, self.dress.opportunity, self.dress.block]
        kept: dict[str, object] = {"item": source, "dress": dress, "notify": self.notify}
        if self.before is not None:
            was = replace(self.item, components=(self.before,))
            kept["before"] = ical_writing.new(was, Dress(), stamp=stamp, quiet=True).decode()
        return json.dumps(kept, ensure_ascii=False)


def rest_of(text: str, uid: str, kind: Kind) -> Rest | None:
    """What was kept; None where the text is not one of ours, or about another item than this one."""
    if len(text) > _LONGEST_REST:
        return None
    try:
        data: object = json.loads(text)
        match data:
            case {
                "item": str(source),
                "dress": [str(a), str(b), str(c), str(d)],
                "notify": bool(notify),
                **more,
            }:
                was = more.get("before")
                before = ical.read(was.encode()).main if isinstance(was, str) else None
                item = ical.read(source.encode())
                if (item.uid, item.kind) == (uid, kind):
                    return Rest(item, Dress(a, b, c, d), notify, before)
    except (ValueError, RecursionError):
        pass
    return None


@dataclass(frozen=True, slots=True)
class Update:
    """The requests for a master or single item; occurrences follow one by one."""

    before: Native
    after: Native
    again: bool  # the recurrence must be set anew, since Exchange brings no deleted occurrence back
    drops: bool  # one request alone leaves it half made: changed and deleted occurrences go with it
    occurrences: bool  # there are any, or are to be

    def changes(self, rest: str = "") -> list[Element]:
        """What UpdateItem sets and deletes."""
        own = {**self.after.own, "rest": rest} if rest else dict(self.after.own)
        before = replace(self.before, series=None) if self.again else self.before
        return composing.changes(before, replace(self.after, own=own))


def answers_for(current: Item, item: Item, owner: Owner) -> list[tuple[When | None, str]]:
    """The response objects that say the owner's new answers, of the whole (None) and of single occurrences;
    none where there is no other answer, or nobody asked."""
    main, found = item.main, list[tuple[When | None, str]]()
    if not main.organizer or main.organizer in owner.emails:
        return found
    for one in item.components:
        before = current.by_key.get(one.key, main)  # an occurrence was answered with its series so far
        was, now = before.attendee(owner.emails), one.attendee(owner.emails)
        if was is None or now is None or was.response is now.response:
            continue
        if now.response in _RESPONSES:
            found.append((None if one is main else one.recurrence_id, _RESPONSES[now.response]))
    return found


def without(item: Item, places: Sequence[When]) -> Item:
    """The item with its occurrences there deleted."""
    if not places:
        return item
    main, keys = item.main, {one.key() for one in places}
    timing = replace(main.timing, exdates=ordered([*main.timing.exdates, *places]))
    overrides = [one for one in item.components[1:] if one.key not in keys]
    return replace(item, components=(replace(main, timing=timing), *overrides))


def planned(natives: Sequence[Native], item: Item, dress: Dress, owner: Owner) -> Update:
    """The update that makes `item` of what the server has. Raises Inexpressible and Unreadable."""
    master = natives[0]
    after = dressed(applied(master, item.main, owner), item, dress, item.main, fresh=False)
    check_occurrences(after, item, owner)
    recurs = master.series is not None and after.series is not None
    moved = any(getattr(master, name) != getattr(after, name) for name in CLOCK)
    timing = component_of(after, owner).timing
    wanted = {one.key() for one in item.main.timing.exdates}
    back = recurs and any(one.key() not in wanted for one in timing.exdates)
    many = len(item.components) > 1 or any(is_place(after, timing, one) for one in item.main.timing.exdates)
    return Update(
        before=master,
        after=after,
        again=back and not moved,
        drops=recurs and (back or (moved and many)),
        occurrences=after.series is not None and (many or bool(master.changed or master.deleted)),
    )


def check_occurrences(master: Native, item: Item, owner: Owner) -> None:
    """Raises Inexpressible where an occurrence cannot be what it is to be."""
    if item.kind is Kind.TASK and len(item.components) > 1:
        raise Inexpressible("Exchange has no single occurrences of a task")
    for one in item.components[1:]:
        applied(occurrence(master, one, owner), one, owner, master=master)


def occurrence(master: Native, target: Component, owner: Owner) -> Native:
    """An occurrence as its series has it, good enough to see what can be changed in it."""
    at = target.recurrence_id
    timing = component_of(master, owner).timing
    if at is None or master.series is None or not is_place(master, timing, at):
        raise Inexpressible("a changed occurrence that is none of its series")
    return replace(
        master, type="Occurrence", series=None, changed=(), deleted=(), original=moment_of(at, master)
    )


def moment_of(at: When, master: Native) -> datetime:
    """The start of an occurrence in UTC."""
    local = at.local if isinstance(at.local, datetime) else datetime.combine(at.local, time())
    name = at.zone if isinstance(at.local, datetime) else iana_of(master.start_zone) or "UTC"
    return local.replace(tzinfo=zone_info(name) or ZoneInfo("UTC")).astimezone(UTC)


def sending(changes: Sequence[Element], *, notify: bool) -> str:
    """Whom Exchange tells of an update (CalendarItemUpdateOperationType)."""
    uris = {one[0].get("FieldURI", "") for one in changes} - PERSONAL - {""}
    if not notify or not uris:
        return "SendToNone"
    return "SendToChangedAndSaveCopy" if uris <= PEOPLE else "SendToAllAndSaveCopy"


def same_clock(master: Native, rest: Rest, owner: Owner) -> bool:
    """Whether the series is still at the time that the rest was meant for."""
    target = applied(master, replace(component_of(master, owner), timing=rest.item.main.timing), owner)
    names = [name for name in CLOCK if name != "series" or master.series is not None]
    return all(getattr(master, name) == getattr(target, name) for name in names)


def remaining(master: Native, rest: Rest, owner: Owner) -> Rest:
    """What is left to do of `rest` now. The series has had its fields: what it says otherwise, somebody has
    changed since, and its occurrences follow it wherever they were to be as their series."""
    now, meant = component_of(master, owner), rest.item.main
    if master.series is None and rest.before is not None:
        main = _merged(rest.before, meant, now, both=now)
    else:
        main = replace(now, timing=meant.timing)
    overrides = [_merged(meant, one, main, both=one) for one in rest.item.components[1:]]
    return replace(rest, item=replace(rest.item, components=(main, *overrides)), before=None)


def _merged(base: Component, ours: Component, now: Component, *, both: Component) -> Component:
    """`ours`, with what differs in `now` from the base; `both` has the word where both differ from it."""
    values: dict[str, object] = {}
    for name in _FIELDS:
        was, wanted, there = getattr(base, name), getattr(ours, name), getattr(now, name)
        if wanted == was:
            values[name] = there
        elif there != was:
            values[name] = getattr(both, name)
    people = _people(base.attendees, ours.attendees, now.attendees)
    return replace(ours, **values, attendees=people)  # type: ignore[arg-type]  # of the same fields


def _people(
    base: Sequence[Attendee], ours: Sequence[Attendee], now: Sequence[Attendee]
) -> tuple[Attendee, ...]:
    was, wanted, there = ({one.email: one for one in each} for each in (base, ours, now))
    stay = {
        email
        for email in wanted.keys() | there.keys()
        if email not in was or email in wanted.keys() & there.keys()
    }
    return tuple(
        there[email] if email in there and wanted.get(email) in {None, was.get(email)} else wanted[email]
        for email in sorted(stay)
    )


def needs_more(made: Native, item: Item, owner: Owner) -> bool:
    """Whether a new item takes more than one request."""
    timing = component_of(made, owner).timing
    return len(item.components) > 1 or any(is_place(made, timing, at) for at in item.main.timing.exdates)
