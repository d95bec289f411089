"""Calendar items with content, and edits of them, for the property tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from connectors.calendar import (
    Attendee,
    Component,
    Item,
    Kind,
    Privacy,
    Response,
    Status,
    Timing,
    When,
)
from syncd.core.canonical import Unit

START = datetime(2026, 11, 24, 10)  # noqa: DTZ001 - the zone stands beside it
PARIS = "Europe/Paris"
LINES = ("Ordre du jour", "Budget", "", "Café ☕", "Suite", "Fin")

texts = st.sampled_from(["", "Visite", "Audit", "Dîner à Liège", "x" * 40])
notes = st.lists(st.sampled_from(LINES), max_size=5).map("\n".join)
addresses = st.sampled_from([f"{name}@client.example" for name in ("anna", "bob", "cleo", "dora")])
responses = st.sampled_from(Response)


def place(number: int) -> When:
    return When(START + timedelta(days=7 * number), PARIS)


@st.composite
def people(draw: st.DrawFn) -> tuple[Attendee, ...]:
    found = draw(st.dictionaries(addresses, responses, max_size=4))
    return tuple(
        Attendee(email, found[email], draw(st.sampled_from(["", "Anna Petit"]))) for email in sorted(found)
    )


def timings(start: When) -> st.SearchStrategy[Timing]:
    whole = st.just(Timing(When(start.local), When(start.local + timedelta(days=1))))

    def moved(hours: int, length: int, zone: str) -> Timing:
        local = START.combine(start.local, START.time()) + timedelta(hours=hours)
        return Timing(When(local, zone), When(local + timedelta(minutes=length), zone))

    timed = st.builds(
        moved,
        st.integers(-2, 2),
        st.sampled_from([30, 60]),
        st.sampled_from([PARIS, "UTC", "", "Acme Standard"]),
    )
    return timed if isinstance(start.local, datetime) else timed | whole


@st.composite
def series_timings(draw: st.DrawFn) -> Timing:
    timing = draw(timings(place(0)))
    if draw(st.booleans()):
        return timing
    dates = [place(number) for number in sorted(draw(st.sets(st.integers(5, 7), max_size=2)))]
    return replace(
        timing, rrule=draw(st.sampled_from(["FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=9"])), exdates=tuple(dates)
    )


def values(unit: Unit, start: When | None = None) -> st.SearchStrategy[dict[str, object]]:
    """Fields of a component that make up that unit."""
    alarms = st.frozensets(st.sampled_from(["-PT15M", "-PT1H", "-P1D"]), max_size=3)
    statuses = st.sampled_from([Status.CONFIRMED, Status.TENTATIVE, Status.CANCELLED])
    found: dict[Unit, st.SearchStrategy[dict[str, object]]] = {
        Unit.TIMING: (series_timings() if start is None else timings(start)).map(lambda one: {"timing": one}),
        Unit.SUBJECT: texts.map(lambda one: {"subject": one}),
        Unit.LOCATION: texts.map(lambda one: {"location": one}),
        Unit.NOTES: notes.map(lambda one: {"notes": one}),
        Unit.STATUS: statuses.map(lambda one: {"status": one}),
        Unit.PRIVACY: st.sampled_from(Privacy).map(lambda one: {"privacy": one}),
        Unit.BUSY: st.booleans().map(lambda one: {"busy": one}),
        Unit.ALARMS: alarms.map(lambda one: {"alarms": one}),
        Unit.CATEGORIES: st.frozensets(texts.filter(bool), max_size=3).map(lambda one: {"categories": one}),
        Unit.ATTENDEES: st.tuples(st.sampled_from(["", "claire@acme.example"]), people()).map(
            lambda one: {"organizer": one[0], "attendees": one[1]}
        ),
        Unit.VIDEO: texts.map(lambda one: {"video_url": one}),
    }
    return found[unit]


@st.composite
def components(draw: st.DrawFn, number: int | None = None, *, private: bool = False) -> Component:
    """The series (no number), or the override of its n-th occurrence."""
    start = None if number is None else place(number)
    component = Component(draw(values(Unit.TIMING, start))["timing"], recurrence_id=start)  # type: ignore[arg-type]
    for unit in Unit:
        if unit is not Unit.TIMING and (unit is not Unit.PRIVACY or private):
            component = replace(component, **draw(values(unit)))  # type: ignore[arg-type]
    return component


@st.composite
def items(draw: st.DrawFn, *, private: bool = False) -> Item:
    """An item with its overrides."""
    numbers = sorted(draw(st.sets(st.integers(1, 3), max_size=2)))
    parts = [draw(components(private=private)), *(draw(components(one, private=private)) for one in numbers)]
    return Item(
        "u1@crm.example",
        Kind.EVENT,
        tuple(parts),
        sequence=draw(st.integers(0, 3)),
        crm_id=draw(st.sampled_from(["", "crm-7"])),
        zones=draw(st.sampled_from([(), (("Acme Standard", "BEGIN:VTIMEZONE\nEND:VTIMEZONE"),)])),
    )


@st.composite
def edited(draw: st.DrawFn, item: Item, *, most: int = 3, private: bool = False) -> Item:
    """The item after some edits: of units, or of whole overrides."""
    parts = dict(item.by_key)
    for _ in range(draw(st.integers(0, most))):
        key = draw(st.sampled_from(sorted(parts)))
        match draw(st.sampled_from(["unit", "unit", "unit", "add", "remove"])):
            case "unit":
                unit = draw(st.sampled_from([one for one in Unit if private or one is not Unit.PRIVACY]))
                changed = draw(values(unit, parts[key].recurrence_id))
                parts[key] = replace(parts[key], **changed)  # type: ignore[arg-type]
            case "add":
                added = draw(st.integers(1, 4).flatmap(components))
                parts[added.key] = added
            case "remove" if key:
                del parts[key]
            case _:
                pass
    return replace(item, components=tuple(parts[key] for key in sorted(parts)))


moments = st.none() | st.integers(0, 3).map(lambda hour: datetime(2026, 11, 22, hour, tzinfo=UTC))
