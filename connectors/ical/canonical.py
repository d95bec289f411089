"""The one form of an item that reading gives: what is written and read again is equal to it."""

from dataclasses import replace

from connectors.block import clean
from connectors.calendar import Component, Item, Kind, Status, When
from connectors.ical.reading import ordered
from connectors.ical.values import align


def canonical(item: Item) -> Item:
    """The item with its dates in the form of its series' start, its lists sorted, its text clean."""
    start = next((each.timing.start for each in item.components if each.recurrence_id is None), None)
    components = sorted((_component(each, item.kind, start) for each in item.components), key=lambda c: c.key)
    return replace(item, components=tuple(components))


def _component(component: Component, kind: Kind, start: When | None) -> Component:
    timing = component.timing
    own = timing.start
    return replace(
        component,
        timing=replace(
            timing,
            rdates=ordered([align(when, own) for when in timing.rdates]),
            exdates=ordered([align(when, own) for when in timing.exdates]),
        ),
        recurrence_id=align(component.recurrence_id, start) if component.recurrence_id else None,
        subject=clean(component.subject),
        location=clean(component.location),
        notes=clean(component.notes),
        busy=component.busy and kind is Kind.EVENT,
        categories=frozenset(name for each in component.categories if (name := clean(each).strip())),
        attendees=tuple(sorted({a.email: a for a in component.attendees}.values(), key=lambda a: a.email)),
        video_url=clean(component.video_url).strip(),
        completed=component.completed if component.status is Status.DONE and kind is Kind.TASK else None,
    )
