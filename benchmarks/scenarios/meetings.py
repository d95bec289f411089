"""Many video meetings that end in the same minute: what recording them costs, forms included, and what the
look costs every minute while nothing is over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks.bench import Bench
from benchmarks.harness import Figure, WrongResult, median, timed
from connectors.calendar import Attendee, Component, Item, Kind, Timing, When
from connectors.ical.canonical import canonical
from store import calendar_rows
from store.ledger import chunked
from syncd.daemon import logs, wiring
from syncd.engine.calendar.items import Setting, draft_of, settled
from syncd.engine.calendar.people import People
from syncd.engine.meetings.sync import MeetingsReport

LIMIT = 60  # seconds: the next minute
IDLE = "the look of every minute, {:,} meetings to come"
TITLE = "{:,} meetings that end in one minute, recorded with their forms"
WHEN = datetime(2026, 11, 24, 10)  # noqa: DTZ001 - wall-clock
BEFORE = WHEN.replace(tzinfo=UTC) - timedelta(days=1)
AFTER = WHEN.replace(tzinfo=UTC) + timedelta(hours=1)


def measure(bench: Bench) -> list[Figure]:
    """The median of some repetitions, each on a database of its own."""
    logs.configure("error", "json")
    recorded, idle = [], []
    for _ in range(bench.scale.repetitions):
        with _office(bench) as installation:
            run = installation.meetings.run
            run(BEFORE)  # what is new is looked at once
            idle += [timed(partial(run, BEFORE)) for _ in range(bench.scale.plans)]
            reports: list[MeetingsReport] = []
            recorded.append(timed(partial(_note, reports, run)))
        (report,) = reports
        if (report.recorded, report.offered) != (bench.scale.meetings, bench.scale.meetings):
            raise WrongResult(f"{report} instead of {bench.scale.meetings} meetings")
    cost, look = median(recorded), median(idle)
    return [
        Figure(TITLE.format(bench.scale.meetings), cost.wall, "s", LIMIT, cpu=cost.cpu),
        Figure(IDLE.format(bench.scale.meetings), look.wall * 1000, "ms", cpu=look.cpu * 1000),
    ]


def _note(reports: list[MeetingsReport], run: Callable[[datetime], MeetingsReport]) -> None:
    reports.append(run(AFTER))


@contextmanager
def _office(bench: Bench) -> Iterator[wiring.Installation]:
    """An installation with so many meetings of one user, each with a contact."""
    prepared = bench.workplace.install(None, bench.new_directory())
    installation = wiring.Installation.open(prepared.config)
    try:
        people = People(installation.mail.known.directory())
        setting = Setting(1, people, installation.settings.workspace.timezone)
        drafts = [draft_of(_meeting(bench, number), setting, None) for number in range(bench.scale.meetings)]
        with installation.database.write() as session:
            for part in chunked(drafts):
                calendar_rows.insert_events(session, part, WHEN.replace(tzinfo=UTC), by=None)
        yield installation
    finally:
        installation.close()


def _meeting(bench: Bench, number: int) -> Item:
    guest = bench.agenda.people[number % len(bench.agenda.people)].email
    main = Component(
        Timing(When(WHEN, "UTC"), When(WHEN + timedelta(minutes=30), "UTC")),
        subject=f"Visio {number}",
        organizer=bench.agenda.owner,
        attendees=(Attendee(guest),),
        video_url=f"https://meet.google.com/abc-{number}",
    )
    return settled(canonical(Item(f"{number}@bench.example", Kind.EVENT, (main,))))
