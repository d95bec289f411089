"""500 events of the CRM written to an empty calendar, against as many bare PUTs of the same bytes."""

from collections.abc import Iterator
from datetime import UTC, datetime

from benchmarks.bench import Bench
from benchmarks.cycles import Cycles
from benchmarks.dav.raw import RawDav
from benchmarks.dav.servers import Server
from benchmarks.dav.workplace import LOGIN
from benchmarks.harness import Figure, Usage, WrongResult, interleaved, timed
from connectors.calendar import Dress, Item
from connectors.ical import writing
from connectors.ical.reading import read

RATE = 0.8  # of what bare PUTs reach, at least
OURS, RAW = "syncd", "raw"
STAMP = datetime(2026, 1, 2, tzinfo=UTC)


def measure(bench: Bench) -> list[Figure]:
    """Events a second, and the ratio, for each server."""
    items = [read(one.text) for one in bench.agenda.events(bench.scale.written, own=True)]
    return [figure for server in bench.dav_servers for figure in _of(bench, server, items)]


def _of(bench: Bench, server: Server, items: list[Item]) -> Iterator[Figure]:
    files = [
        (f"{item.uid}.ics", writing.new(item, Dress(str(number)), stamp=STAMP, quiet=True))
        for number, item in enumerate(items, start=1)
    ]
    costs = interleaved(
        {RAW: lambda: _put(server, files), OURS: lambda: _write(bench, server, items)},
        repetitions=bench.scale.repetitions,
        warm_up=False,  # whatever is measured first has the server's cold start: the bare PUTs do
    )
    title, count = f"{server.name}, {len(items)} events written", len(items)
    yield Figure(f"{title}, bare PUTs", count / costs[RAW].wall, "/s")
    yield Figure(title, count / costs[OURS].wall, "/s")
    yield Figure(f"{title}, CPU of ours an event", costs[OURS].cpu / count * 1000, "ms")
    yield Figure(
        f"{title}, time against bare PUTs",
        costs[OURS].wall / costs[RAW].wall,
        "×",
        1 / RATE,
    )


def _put(server: Server, files: list[tuple[str, bytes]]) -> Usage:
    with RawDav(server.new()) as raw:
        return timed(lambda: raw.put(files))


def _write(bench: Bench, server: Server, items: list[Item]) -> Usage:
    collection = server.new()
    installation = bench.workplace.install(collection, bench.new_directory())
    with Cycles(installation.config, keep=True) as cycles:
        cycles.calendar(LOGIN, first=True)  # finds the empty calendar
        cycles.fill_crm(LOGIN, items)
        usage = cycles.calendar(LOGIN, pushed=len(items))
    found = len(collection.client.members(collection.path))
    left = installation.count("intent") + installation.count("pending")
    if found != len(items) or left:
        raise WrongResult(f"{found} events written instead of {len(items)}, {left} left open")
    return usage
