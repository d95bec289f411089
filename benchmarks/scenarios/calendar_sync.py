"""A calendar of 5,000 events on real servers: the first sync, nothing changed, one in a hundred changed.

vdirsyncer copying the same calendar to files is the yardstick, as a process, which is how it is used. The
product's first sync is measured as a process too, and as the daemon does it, which has started long ago; its
later cycles are the daemon's, on a kept connection. The bare requests, sent by nobody who reads the answers,
tell what no client can go below.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.bench import Bench
from benchmarks.cycles import Cycles
from benchmarks.dav.agenda import Agenda, Event
from benchmarks.dav.raw import RawDav
from benchmarks.dav.servers import Collection, Server
from benchmarks.dav.vdirsyncer import Copy
from benchmarks.dav.workplace import LOGIN, Workplace, parses_counted
from benchmarks.harness import Figure, Usage, WrongResult, empty_files, interleaved, timed
from benchmarks.installation import Installation

OURS, DAEMON, PEER, RAW, NUMBER = "syncd", "daemon", "vdirsyncer", "raw", "changed"
CHANGED = 100  # one in so many
FIRST_LIMIT, IDLE_LIMIT, CHANGED_LIMIT = 1.5, 1.5, 1 / 4
IDLE_PEER_LIMIT = {"Xandikos": 1 / 20, "Radicale": 1 / 3}


@dataclass
class Scene:
    """One server with the calendar, and everybody who looks at it."""

    bench: Bench
    server: Server
    agenda: Agenda
    collection: Collection
    events: int
    workplace: Workplace
    edits: dict[int, int] = field(default_factory=dict)

    def edit(self, numbers: range) -> None:
        """Somebody changes the subjects of these events."""
        changed: list[Event] = []
        for number in numbers:
            self.edits[number] = self.edits.get(number, 0) + 1
            changed.append(self.agenda.event(number, edits=self.edits[number]))
        self.server.load(self.collection, changed)


def measure(bench: Bench) -> list[Figure]:
    """Every figure, for each server."""
    return [figure for server in bench.dav_servers for figure in _of(bench, server)]


def _of(bench: Bench, server: Server) -> Iterator[Figure]:
    agenda = bench.agenda
    count = bench.scale.events
    scene = Scene(bench, server, agenda, server.new(), count, bench.workplace)
    server.load(scene.collection, agenda.events(count))
    with RawDav(scene.collection) as raw:  # the server's own caches are nobody's work here
        raw.etags()
        raw.sync("")
    yield from _first(scene)
    with ExitStack() as stack:
        peer = _copy(scene)
        peer.sync(events=count)
        installation = bench.workplace.install(scene.collection, bench.new_directory())
        installation.run("sync")
        raw = stack.enter_context(RawDav(scene.collection))
        cycles = stack.enter_context(Cycles(installation.config, keep=True))
        cycles.calendar(LOGIN)  # connects
        yield from _idle(scene, installation, cycles, raw, peer)
        yield from _changed(scene, cycles, raw, peer)


def _copy(scene: Scene) -> Copy:
    copy = Copy(scene.bench.new_directory())
    copy.prepare(scene.collection)
    return copy


# --- the first sync -------------------------------------------------------------------------------


def _first(scene: Scene) -> Iterator[Figure]:
    scale = scene.bench.scale
    with RawDav(scene.collection) as raw:
        costs = interleaved(
            {
                PEER: lambda: _first_copy(scene),
                OURS: lambda: _first_sync(scene),
                DAEMON: lambda: _first_cycle(scene),
                RAW: lambda: timed(lambda: raw.read("", items=scene.events)),
            },
            repetitions=scale.repetitions,
            warm_up=scale.warm_up,
        )
    title = f"{scene.server.name}, first sync of {scene.events:,} events"
    for key, name in ((RAW, ", bare requests"), (PEER, ", vdirsyncer"), (OURS, ""), (DAEMON, ", daemon")):
        yield Figure(title + name, costs[key].wall, "s", cpu=costs[key].cpu)
    yield _against(f"{title}, bare requests against vdirsyncer", costs[RAW], costs[PEER], None)
    yield _against(f"{title}, against vdirsyncer", costs[OURS], costs[PEER], FIRST_LIMIT)
    yield _against(f"{title}, daemon, against vdirsyncer", costs[DAEMON], costs[PEER], FIRST_LIMIT)
    yield Figure(f"{title}, peak memory", costs[OURS].peak / 1e6, "MB")


def _first_copy(scene: Scene) -> Usage:
    copy = _copy(scene)
    usage = copy.sync(events=scene.events)
    empty_files(copy.folder)
    return usage


def _first_sync(scene: Scene) -> Usage:
    installation = scene.workplace.install(scene.collection, scene.bench.new_directory())
    usage = installation.run("sync")
    _checked(scene, installation)
    return usage


def _first_cycle(scene: Scene) -> Usage:
    installation = scene.workplace.install(scene.collection, scene.bench.new_directory())
    with Cycles(installation.config, keep=True) as cycles:
        usage = cycles.calendar(LOGIN, pulled=scene.events)
    _checked(scene, installation)
    return usage


def _checked(scene: Scene, installation: Installation) -> None:
    """Raises WrongResult unless the CRM has every event; gives back the space."""
    found = installation.count("event WHERE series_id IS NULL")
    if found != scene.events:
        raise WrongResult(f"{found} events instead of {scene.events}")
    empty_files(installation.directory)


# --- later cycles ---------------------------------------------------------------------------------


def _idle(
    scene: Scene, installation: Installation, cycles: Cycles, raw: RawDav, peer: Copy
) -> Iterator[Figure]:
    scale, token = scene.bench.scale, raw.sync("")
    before = installation.fingerprint()
    with parses_counted() as parsed:
        costs = interleaved(
            {RAW: lambda: timed(lambda: raw.sync(token)), OURS: lambda: cycles.calendar(LOGIN)},
            repetitions=scale.cycles,
        )
    after = installation.fingerprint()
    written = sum(before.get(name) != print_ for name, print_ in after.items())
    costs |= interleaved({PEER: lambda: peer.sync(events=scene.events)}, repetitions=scale.repetitions)
    title = f"{scene.server.name}, nothing changed in {scene.events:,} events"
    for key, name in ((RAW, ", one raw request"), (PEER, ", vdirsyncer"), (OURS, "")):
        yield Figure(title + name, costs[key].wall * 1000, "ms", cpu=costs[key].cpu * 1000)
    yield _against(f"{title}, against one raw request", costs[OURS], costs[RAW], IDLE_LIMIT)
    limit = IDLE_PEER_LIMIT[scene.server.name]
    yield _against(f"{title}, against vdirsyncer", costs[OURS], costs[PEER], limit)
    yield Figure(f"{title}: files of the database that changed", written, "", 0)
    yield Figure(f"{title}: events parsed", len(parsed), "", 0)


def _changed(scene: Scene, cycles: Cycles, raw: RawDav, peer: Copy) -> Iterator[Figure]:
    scale, number = scene.bench.scale, max(1, scene.events // CHANGED)
    rounds = iter(range(scale.repetitions + 1))
    parsed: list[int] = []
    tokens = [raw.sync("")]

    def edit() -> Usage:
        first = next(rounds) * number % scene.events
        scene.edit(range(first, first + number))
        raw.etags()
        return timed(lambda: None)

    def bare() -> Usage:
        return timed(lambda: tokens.append(raw.read(tokens[-1], items=number)))

    def ours() -> Usage:
        with parses_counted() as sizes:
            usage = cycles.calendar(LOGIN, pulled=number)
        parsed.append(len(sizes))
        return usage

    costs = interleaved(
        # The bare requests come last: whoever asks first makes the server note what changed.
        {NUMBER: edit, OURS: ours, PEER: lambda: peer.sync(events=scene.events), RAW: bare},
        repetitions=scale.repetitions,
    )
    title = f"{scene.server.name}, {number} of {scene.events:,} events changed"
    for key, name in ((RAW, ", bare requests"), (PEER, ", vdirsyncer"), (OURS, "")):
        yield Figure(title + name, costs[key].wall * 1000, "ms", cpu=costs[key].cpu * 1000)
    yield _against(f"{title}, bare requests against vdirsyncer", costs[RAW], costs[PEER], None)
    yield _against(f"{title}, against bare requests", costs[OURS], costs[RAW], None)
    yield _against(f"{title}, against vdirsyncer", costs[OURS], costs[PEER], CHANGED_LIMIT)
    yield Figure(f"{title}: events parsed beyond these", max(parsed) - number, "", 0)


def _against(name: str, ours: Usage, other: Usage, limit: float | None) -> Figure:
    """A ratio. By CPU time it leaves the server out, whoever waits for it."""
    return Figure(name, ours.wall / other.wall, "×", limit, cpu=ours.cpu / other.cpu)
