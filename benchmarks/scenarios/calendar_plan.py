"""What a plan for 100 changes costs, by the number of bindings that did not change.

The smallest calendar is synchronised; for the larger ones its rows are copied within the database. What
has changed comes read and parsed, so that the plan alone is measured: a dry run, which ends where the
writing would begin.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from benchmarks.bench import Bench
from benchmarks.dav.agenda import Agenda
from benchmarks.dav.workplace import LOGIN
from benchmarks.harness import Figure, Usage, WrongResult, interleaved, timed
from benchmarks.installation import Installation
from connectors.calendar import CalendarInfo, ChangeSet, Dress, Item, Kind, Listed, Missing, RemoteItem
from connectors.errors import ItemError
from connectors.ical.reading import read
from store import mailboxes
from syncd.daemon import logs, wiring
from syncd.daemon.calendars import calendars_of
from syncd.daemon.clock import now
from syncd.engine.calendar.report import CalendarReport
from syncd.engine.report import CycleReport

CHANGES = 100
LIMIT, INDEPENDENT = 200, 1.5  # milliseconds; × the cost with the fewest bindings
CALENDAR = "/claire/agenda/"
COPIED = {  # what tells the copy of a row apart, as SQL; {n} is its number, {ids} the ids there are
    "event": {"id": "id + {n} * {ids}", "series_id": "series_id + {n} * {ids}", "uid": "uid || '-{n}'"},
    "event_participant": {"id": "id + {n} * {ids}", "event_id": "event_id + {n} * {events}"},
    "binding": {
        "id": "id + {n} * {ids}",
        "remote_ref": "remote_ref || '-{n}'",
        "uid": "uid || '-{n}'",
        "entity_id": "entity_id + {n} * {events}",
    },
}


class Told:
    """A calendar that tells what it was told to tell, and takes no writes."""

    def __init__(self) -> None:
        self._items: dict[str, RemoteItem] = {}
        self._cursor = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""

    def tell(self, items: Sequence[RemoteItem]) -> None:
        """From now on these are what changed last."""
        self._items = {one.ref: one for one in items}
        self._cursor += 1

    def calendars(self) -> Sequence[CalendarInfo]:
        """The one there is."""
        return [CalendarInfo(CALENDAR, "Agenda", frozenset({Kind.EVENT}), writable=True, auto_schedule=False)]

    def changes(self, _calendar: str, _cursor: str) -> ChangeSet:
        """What was told last."""
        listed = tuple(Listed(one.ref, one.version) for one in self._items.values())
        return ChangeSet(listed, (), complete=False, reset=False, cursor=str(self._cursor))

    def read(self, _calendar: str, refs: Sequence[str]) -> Iterator[RemoteItem | Missing | ItemError]:
        """These."""
        return iter([self._items[ref] for ref in refs])

    def find(self, _calendar: str, _uid: str) -> RemoteItem | None:
        """Nothing."""
        return None

    def create(self, _calendar: str, _item: Item, _dress: Dress, *, notify: bool) -> RemoteItem:
        """Never."""
        raise WrongResult(f"a plan was carried out, {notify=}")

    def update(self, _current: RemoteItem, _item: Item, _dress: Dress, *, notify: bool) -> RemoteItem:
        """Never."""
        raise WrongResult(f"a plan was carried out, {notify=}")

    def delete(self, _current: RemoteItem, *, notify: bool) -> None:
        """Never."""
        raise WrongResult(f"a plan was carried out, {notify=}")


class Planner:
    """An installation with so many bindings, of whose items some have changed. A context manager."""

    def __init__(self, bench: Bench, size: int) -> None:
        self._told = Told()
        smallest = bench.scale.bindings[0]
        prepared = bench.workplace.install(None, bench.new_directory())
        self._installation = wiring.Installation.open(prepared.config)
        self._told.tell([_item(bench.agenda, number, 0) for number in range(smallest)])
        self._cycle(dry_run=False)
        _multiply(prepared, size // smallest)
        found = prepared.count("binding")
        if found != size:
            raise WrongResult(f"{found} bindings instead of {size}")
        step = max(1, smallest // CHANGES)
        changed = [_item(bench.agenda, number, 1) for number in range(0, smallest, step)]
        self._changes = len(changed)
        self._told.tell(changed)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._installation.close()

    def plan(self) -> Usage:
        """The cost of a plan. Raises WrongResult unless it is one for every change."""
        reports: list[CalendarReport] = []
        usage = timed(lambda: reports.append(self._cycle(dry_run=True)))
        planned = len(reports[0].planned)
        if planned != self._changes:
            raise WrongResult(f"{planned} changes planned instead of {self._changes}")
        return usage

    def _cycle(self, *, dry_run: bool) -> CalendarReport:
        installation, report = self._installation, CycleReport(LOGIN, "bench")
        with installation.database.read() as session:
            view = mailboxes.view(session, LOGIN)
        rules = calendars_of(installation.settings.mailbox(LOGIN))
        if rules is None:
            raise WrongResult("the mailbox has no calendars")
        installation.calendars.cycle(view, self._told, now(), report, mailbox=rules, dry_run=dry_run)
        return report.calendar


def measure(bench: Bench) -> list[Figure]:
    """The cost of each plan, in a process that goes on."""
    logs.configure("error", "json")
    with ExitStack() as stack:
        planners = {size: stack.enter_context(Planner(bench, size)) for size in bench.scale.bindings}
        costs = interleaved(
            {size: planner.plan for size, planner in planners.items()}, repetitions=bench.scale.plans
        )
    smallest, figures = bench.scale.bindings[0], []
    for size, cost in costs.items():
        title = f"plan for {min(CHANGES, smallest)} changes, {size:,} bindings"
        figures.append(Figure(title, cost.wall * 1000, "ms", LIMIT, cpu=cost.cpu * 1000))
        if size != smallest:
            least = costs[smallest]
            name, ratio = f"{title}, against {smallest:,}", cost.wall / least.wall
            figures.append(Figure(name, ratio, "×", INDEPENDENT, cpu=cost.cpu / least.cpu))
    return figures


def _multiply(installation: Installation, times: int) -> None:
    """Copies what a sync left until there is that many times as much of it."""
    with sqlite3.connect(installation.database) as connection:
        most = {name: _max_id(connection, name) for name in COPIED}
        for name, changed in COPIED.items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            for copy in range(1, times):
                values = {"n": copy, "ids": most[name], "events": most["event"]}
                chosen = [changed.get(column, f'"{column}"').format(**values) for column in columns]
                connection.execute(
                    f"INSERT INTO {name} SELECT {', '.join(chosen)} FROM {name} WHERE id <= {most[name]}"
                )
    connection.close()


def _max_id(connection: sqlite3.Connection, name: str) -> int:
    return int(connection.execute(f"SELECT max(id) FROM {name}").fetchone()[0])


def _item(agenda: Agenda, number: int, edits: int) -> RemoteItem:
    event = agenda.event(number, edits=edits)
    return RemoteItem(f"{CALENDAR}{event.name}", f'"{number}-{edits}"', read(event.text), event.text)
