"""What a person changes in the CRM, one unit at a time; each number stands for a value of its own."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

from connectors.calendar import (
    Attendee,
    Component,
    Item,
    Kind,
    Privacy,
    Status,
    Timing,
    When,
)
from connectors.ical.canonical import canonical
from connectors.ical.values import write_duration
from syncd.core.series import natural
from tests.property.agenda_client import ZONE, nth_start

Change = Callable[[Component, int], Component]


def _subject(one: Component, number: int) -> Component:
    return replace(one, subject=f"Objet {number}")


def _location(one: Component, number: int) -> Component:
    return replace(one, location=f"Bureau {number}" if number % 7 else "")


def _notes(one: Component, number: int) -> Component:
    lines = [line for line in one.notes.split("\n") if line]
    if number % 3 == 0 or not lines:
        lines.insert(number % (len(lines) + 1), f"remarque {number}: a, b; c")
    elif number % 3 == 1:
        lines[number % len(lines)] = f"remarque {number} autre"
    else:
        del lines[number % len(lines)]
    return replace(one, notes="\n".join(lines))


def _time(one: Component, number: int) -> Component:
    start = nth_start(number)
    if one.timing.start is None:
        return replace(one, timing=replace(one.timing, end=When(start.date())))
    timing = replace(
        one.timing,
        start=When(start, ZONE),
        end=When(start + timedelta(minutes=20 + number % 100), ZONE),
    )
    return replace(one, timing=timing)


def _status(one: Component, number: int) -> Component:
    if one.status in {Status.OPEN, Status.DONE}:
        done = one.status is Status.OPEN
        at = datetime(2026, 11, 21, 9, tzinfo=None)  # noqa: DTZ001 - made aware below
        from datetime import UTC

        return replace(
            one,
            status=Status.DONE if done else Status.OPEN,
            completed=at.replace(tzinfo=UTC) if done else None,
        )
    return replace(one, status=(Status.CONFIRMED, Status.TENTATIVE)[number % 2])


def _busy(one: Component, number: int) -> Component:
    return replace(one, busy=bool(number % 2))


def _alarm(one: Component, number: int) -> Component:
    return replace(one, alarms=one.alarms | {write_duration(-60 * number)})


def _no_alarm(one: Component, number: int) -> Component:
    return replace(one, alarms=frozenset(sorted(one.alarms)[1:]))


def _categories(one: Component, number: int) -> Component:
    kept = frozenset(sorted(one.categories)[number % 2 :])
    return replace(one, categories=kept | {f"Rubrique {number}"})


def _video(one: Component, number: int) -> Component:
    return replace(one, video_url=f"https://video.example/{number}")


SIMPLE: dict[str, Change] = {
    "subject": _subject,
    "location": _location,
    "notes": _notes,
    "time": _time,
    "status": _status,
    "busy": _busy,
    "alarm": _alarm,
    "no alarm": _no_alarm,
    "categories": _categories,
    "video": _video,
}


def changed(item: Item, at: int, kind: str, number: int) -> Item:
    """The item with one unit of one component changed."""
    components = list(item.components)
    at %= len(components)
    if kind == "no alarm" and not components[at].alarms:
        at = next((place for place, each in enumerate(components) if each.alarms), at)
    one = SIMPLE[kind](components[at], number)
    if item.kind is Kind.TASK:
        one = replace(one, busy=False, video_url="")
    components[at] = one
    return canonical(replace(item, components=tuple(components)))


def with_guest(item: Item, number: int, me: str, *, email: str = "") -> Item:
    """Somebody is invited to the whole series."""
    if item.kind is Kind.TASK or item.main.organizer not in {"", me}:
        return item
    guest = Attendee(email or f"invite{number}@guest.example")
    components = tuple(
        replace(one, organizer=me, attendees=tuple(
            sorted({*one.attendees, guest}, key=lambda each: each.email)))
        for one in item.components
    )  # fmt: skip
    return canonical(replace(item, components=components))


def without_guest(item: Item, number: int) -> Item:
    """Somebody is not invited any more."""
    emails = sorted({each.email for one in item.components for each in one.attendees})
    if not emails:
        return item
    gone = emails[number % len(emails)]
    return replace(
        item,
        components=tuple(
            replace(one, attendees=tuple(each for each in one.attendees if each.email != gone))
            for one in item.components
        ),
    )


def with_override(item: Item, number: int) -> Item:
    """One occurrence is another one from now on."""
    start = item.main.timing.start
    if not item.main.timing.rrule or start is None or item.main.key:
        return item
    when = When(start.local + timedelta(days=number % 5), start.zone)
    excluded = {one.key() for one in item.main.timing.exdates}
    if when.key() in item.by_key or when.key() in excluded:
        return item
    one = replace(natural(item.main, when), subject=f"Autrement {number}")
    return canonical(replace(item, components=(*item.components, one)))


def without_override(item: Item, number: int, *, cancel: bool) -> Item:
    """It is as the series says again; or it does not take place."""
    overrides = [one for one in item.components if one.recurrence_id is not None]
    if not overrides or item.main.key:
        return item
    gone = overrides[number % len(overrides)]
    components = [one for one in item.components if one is not gone]
    if cancel and gone.recurrence_id is not None:
        timing = replace(components[0].timing, exdates=(*components[0].timing.exdates, gone.recurrence_id))
        components[0] = replace(components[0], timing=timing)
    return canonical(replace(item, components=tuple(components)))


def with_privacy(item: Item, privacy: Privacy) -> Item:
    """All of it is for fewer people, or for everybody."""
    return replace(item, components=tuple(replace(one, privacy=privacy) for one in item.components))


def new_item(
    uid: str, number: int, me: str, *, series: bool, task: bool, guest: str, past: bool, private: bool
) -> Item:
    """A new event or task; `guest` is invited to it, unless empty."""
    start = nth_start(number, past=past)
    main = Component(
        timing=Timing(
            When(start, ZONE), When(start + timedelta(hours=1), ZONE), "FREQ=DAILY;COUNT=9" * series
        ),
        subject=f"Objet {number}",
        notes=f"remarque {number} une\nremarque {number} deux\nremarque {number} trois",
        privacy=Privacy.PRIVATE if private else Privacy.PUBLIC,
    )
    if task:
        day: date = start.date()
        main = replace(main, timing=Timing(None, When(day)), status=Status.OPEN, busy=False)
    item = canonical(Item(uid, Kind.TASK if task else Kind.EVENT, (main,)))
    return with_guest(item, number, me, email=guest) if guest else item
