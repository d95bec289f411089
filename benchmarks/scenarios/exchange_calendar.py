"""A calendar on the project's own EWS server: the first synchronisation, and a cycle with nothing changed.

The yardstick is the same requests sent again, answers read and thrown away, by a process as the product is.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks import harness
from benchmarks.bench import SEED, Bench
from benchmarks.ews import replay
from benchmarks.ews.office import Office
from benchmarks.harness import Figure, Usage, WrongResult, empty_files, interleaved
from benchmarks.installation import Installation
from benchmarks.scenarios import exchange_idle

OURS, RAW = "syncd", "raw"
MEMORY_LIMIT = 250  # MB
SECONDS = 900


def measure(bench: Bench) -> list[Figure]:
    """Every figure."""
    account = bench.exchange.new_mailbox(bench.agenda.owner)
    bench.exchange.fill_calendar(account, bench.scale.exchange_events, SEED)
    port = bench.exchange.port
    office = Office.open(account, "calendar", port, bench.new_directory(), bench.agenda.people)
    return list(_of(bench, office))


def _of(bench: Bench, office: Office) -> Iterator[Figure]:
    count = bench.scale.exchange_events
    installation, asked = office.first_cycle(bench.new_directory())
    _check(installation, count)
    requests = bench.new_directory()
    requests.write_bytes(b"".join(asked.requests))
    command: list[str | Path] = [sys.executable, "-I", replay.__file__, str(office.port), requests]
    costs = interleaved(
        {
            RAW: lambda: harness.measure(command, seconds=SECONDS),
            OURS: lambda: _first_sync(bench, office, count),
        },
        repetitions=bench.scale.repetitions,
        warm_up=False,  # what was recorded was one
    )
    ours, raw = costs[OURS], costs[RAW]
    title = f"Exchange, first sync of {count:,} events"
    yield Figure(f"{title}, the raw requests", raw.wall, "s", cpu=raw.cpu)
    yield Figure(title, ours.wall, "s", cpu=ours.cpu)
    yield Figure(f"{title}, against the raw requests", ours.wall / raw.wall, "×", cpu=ours.cpu / raw.cpu)
    yield Figure(f"{title}, peak memory", ours.peak / 1e6, "MB", MEMORY_LIMIT)
    yield Figure(f"{title}: requests", len(asked.requests), "")
    title = f"Exchange, nothing changed in {count:,} events"
    yield from exchange_idle.measure(title, office, installation, cycles=bench.scale.cycles)


def _first_sync(bench: Bench, office: Office, count: int) -> Usage:
    installation = office.install(bench.new_directory())
    usage = installation.run("sync", seconds=SECONDS)
    _check(installation, count)
    empty_files(installation.directory)
    return usage


def _check(installation: Installation, count: int) -> None:
    found = installation.count("event WHERE series_id IS NULL")
    if found != count:
        raise WrongResult(f"{found} events instead of {count}")
