"""The one form of an item that reading gives: what is written and read again is equal to it."""

from dataclasses import replace
from datetime import UTC, datetime

from connectors.block import clean, strip
from connectors.calendar import Attendee, Component, Item, Kind, Status, Timing, When
from connectors.ical.reading import default_end, ordered
from connectors.ical.values import align, read_rule
from connectors.meetings import without_link


def canonical(item: Item) -> Item:
    """The item with its dates in the form of its series' start, its lists sorted, its text clean. One that
    is in that form already, as everything that was read, is given back itself.

    Raises ValueError for a recurrence rule that is none.
    """
    start = next((each.timing.start for each in item.components if each.recurrence_id is None), None)
    components = [_component(each, item.kind, start) for each in item.components]
    if len(components) > 1:
        components.sort(key=lambda each: each.key)
    uid = clean(item.uid).strip()
    same = all(new is old for new, old in zip(components, item.components, strict=True))
    return item if same and uid == item.uid else replace(item, uid=uid, components=tuple(components))


def _component(component: Component, kind: Kind, start: When | None) -> Component:
    done = kind is Kind.TASK and component.status is Status.DONE
    completed = component.completed if done else None
    video = clean(component.video_url).strip()
    made = Component(
        timing=_timing(component.timing, kind),
        recurrence_id=align(component.recurrence_id, start) if component.recurrence_id else None,
        this_and_future=component.this_and_future,
        subject=clean(component.subject),
        location=without_link(clean(component.location), video),
        notes=strip(clean(component.notes)),
        status=component.status,
        privacy=component.privacy,
        busy=component.busy and kind is Kind.EVENT,
        alarms=component.alarms,
        categories=frozenset(name for each in component.categories if (name := clean(each).strip())),
        organizer=component.organizer,
        attendees=_attendees(component.attendees),
        video_url=video,
        completed=completed.astimezone(UTC).replace(microsecond=0) if completed else None,
        hints=component.hints,
    )
    return component if made == component else made


def _timing(timing: Timing, kind: Kind) -> Timing:
    start = _whole(timing.start)
    end = _whole(timing.end)
    if end is None and start is not None and kind is Kind.EVENT:
        end = default_end(start)
    return Timing(
        start=start,
        end=end,
        rrule="\n".join(sorted({read_rule(rule, start) for rule in timing.rrule.split("\n") if rule})),
        rdates=ordered([align(when, start) for when in timing.rdates]),
        exdates=ordered([align(when, start) for when in timing.exdates]),
    )


def _whole(when: When | None) -> When | None:
    """To the second: iCalendar knows nothing finer."""
    if when is None or not isinstance(when.local, datetime) or not when.local.microsecond:
        return when
    return replace(when, local=when.local.replace(microsecond=0))


def _attendees(attendees: tuple[Attendee, ...]) -> tuple[Attendee, ...]:
    found: dict[str, Attendee] = {}
    for each in attendees:
        email = each.email.strip().lower()
        found.setdefault(email, each if each.email == email else replace(each, email=email))
    return tuple(found[email] for email in sorted(found))
