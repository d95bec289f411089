"""Items with content, and resources as clients write them, for the property tests of iCalendar."""

from datetime import UTC, date, datetime, timedelta

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
from connectors.ical.canonical import canonical

ZONES = [
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "UTC",
    "",
]
TEXTS = st.one_of(
    st.sampled_from(
        ["", "Point hebdo", "a, b; c\\n \\ d", "\n\n", "é" * 80, "x" * 200, 'CN="q:r"', "--- CRM ---"]
    ),
    st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=120),
)
RULES = st.sampled_from(
    [
        "",
        "",
        "FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=MO,WE",
        "FREQ=MONTHLY;BYDAY=-1FR;COUNT=12",
        "FREQ=YEARLY;INTERVAL=2",
        "FREQ=DAILY;UNTIL=20271231T235959Z",
        "FREQ=WEEKLY;UNTIL=20270601",
        "freq=weekly;byday=tu,mo;wkst=SU",
    ]
)
ALARMS = st.frozensets(
    st.sampled_from(["-PT15M", "-P1D", "PT0S", "-PT5M;END", "20261122T080000Z", "EMAIL:-PT1H", "P1DT2H"]),
    max_size=3,
)
EMAILS = st.sampled_from(
    ["claire@acme.example", "j.o'neil+x@client.test", "é@acme.example", "50%@odd.example"]
)
ATTENDEES = st.lists(
    st.builds(
        Attendee, EMAILS, st.sampled_from(Response), st.sampled_from(["", "Dupont, Jean", 'Q"u:o;te^', "É"])
    ),
    max_size=3,
)
URLS = st.sampled_from(
    ["", "", "https://meet.google.com/abc-defg-hij", "https://video.acme.example/r?a=1;b=2,3"]
)
NAIVE_FIRST, NAIVE_LAST = datetime(2001, 1, 1), datetime(2036, 12, 31)  # noqa: DTZ001
NAIVE = st.datetimes(NAIVE_FIRST, NAIVE_LAST).map(lambda at: at.replace(microsecond=0))
# Around the hours that a zone's clocks skip or show twice.
TURNS = st.sampled_from(
    [(2026, 3, 29), (2026, 10, 25), (2026, 3, 8), (2026, 11, 1), (2026, 4, 5), (2026, 10, 4)]
).flatmap(
    lambda day: st.integers(0, 240).map(lambda minutes: datetime(*day) + timedelta(minutes=minutes))  # noqa: DTZ001
)
LOCALS = st.one_of(NAIVE, TURNS)
DATES = st.dates(date(2001, 1, 1), date(2036, 12, 31))


@st.composite
def moments(draw: st.DrawFn) -> When:
    """A wall-clock time in some zone."""
    return When(draw(LOCALS), draw(st.sampled_from(ZONES)))


@st.composite
def timings(draw: st.DrawFn, kind: Kind, *, series: bool) -> Timing:
    """A time, maybe of a series."""
    whole = draw(st.booleans())
    if whole:
        day = draw(DATES)
        start, end = When(day), When(day + timedelta(days=draw(st.integers(1, 9))))
        others = st.lists(DATES.map(When), max_size=3)
    else:
        start = draw(moments())
        zone = draw(st.sampled_from([start.zone, start.zone, "Asia/Tokyo" if start.zone else ""]))
        later = timedelta(minutes=draw(st.sampled_from([0, 30, 60, 1440, 100_000])))
        assert isinstance(start.local, datetime)
        end = When(start.local + later + (timedelta(days=2) if zone != start.zone else timedelta()), zone)
        others = st.lists(st.one_of(moments(), LOCALS.map(lambda at: When(at, start.zone))), max_size=3)
    lone = st.none() if kind is Kind.TASK else st.nothing()
    return Timing(
        start=draw(st.one_of(st.just(start), lone)),
        end=draw(st.one_of(st.just(end), lone)),
        rrule=draw(RULES) if series else "",
        rdates=tuple(draw(others)) if series else (),
        exdates=tuple(draw(others)) if series else (),
    )


@st.composite
def components(draw: st.DrawFn, kind: Kind, identity: When | None) -> Component:
    """A component with content."""
    if kind is Kind.EVENT:
        status = draw(st.sampled_from([Status.CONFIRMED, Status.TENTATIVE, Status.CANCELLED]))
    else:
        status = draw(st.sampled_from([Status.OPEN, Status.DONE, Status.CANCELLED]))
    return Component(
        timing=draw(timings(kind, series=identity is None)),
        recurrence_id=identity,
        this_and_future=identity is not None and draw(st.booleans()),
        subject=draw(TEXTS),
        location=draw(TEXTS),
        notes=draw(TEXTS),
        status=status,
        privacy=draw(st.sampled_from(Privacy)),
        busy=draw(st.booleans()),
        alarms=draw(ALARMS),
        categories=draw(
            st.frozensets(st.one_of(st.sampled_from(["Visite", "a,b", "\\", "x;y"]), TEXTS), max_size=3)
        ),
        organizer=draw(st.one_of(st.just(""), EMAILS)),
        attendees=tuple(draw(ATTENDEES)),
        video_url=draw(URLS),
        completed=draw(st.one_of(st.none(), st.datetimes(NAIVE_FIRST, NAIVE_LAST, timezones=st.just(UTC)))),
    )


@st.composite
def items(draw: st.DrawFn, uid: str | None = None, kind: Kind | None = None) -> Item:
    """An item in its one form, with up to two overrides, sometimes without its series."""
    kind = kind or draw(st.sampled_from(Kind))
    identities: list[When | None] = [None]
    identities += draw(st.lists(st.one_of(moments(), DATES.map(When)), max_size=2))
    if len(identities) > 1 and draw(st.integers(0, 5)) == 0:
        del identities[0]
    found: dict[str, Component] = {}
    made = [draw(components(kind, identity)) for identity in identities]
    one = canonical(
        Item(uid=uid or draw(st.sampled_from(["1@acme.example", "a,b;c"])), kind=kind, components=tuple(made))
    )
    for each in one.components:
        found.setdefault(each.key, each)
    return Item(
        uid=one.uid,
        kind=kind,
        components=tuple(found.values()),
        sequence=draw(st.integers(0, 9)),
        companion=draw(st.booleans()),
    )
