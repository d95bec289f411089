"""The first log of a mailbox, against mbsync copying the same mailbox: a ratio, in the same run.

The limits are held against mbsync writing into a new directory while nothing has been removed lately: its
best case. Then everything is measured again with the former result removed right before each repetition,
the product's as mbsync's, as when a person starts over.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import createfiles, harness, mbsync, rawread
from benchmarks.bench import Bench, HeldCorpus
from benchmarks.corpus import contacts_for, matching
from benchmarks.harness import Figure, Usage, interleaved
from benchmarks.installation import Installation

SHARES = {"10 %": (0.1, 0.4, 0.25), "100 %": (1.0, 1.0, 0.65)}  # that match: limit and stretch × mbsync
COPY, READ, FILES = "mbsync", "read", "files"
FILES_CREATED = 5_000  # tells the state of the file system, which decides how fast mbsync is
CURVES = {
    COPY: "mbsync, copying it",
    "100 %": "syncd, every message matching",
    "10 %": "syncd, one in ten matching",
}


@dataclass(frozen=True, slots=True)
class Template:
    """An installation ready for its first cycle, and what that is to log."""

    installation: Installation
    logged: int


def measure(bench: Bench) -> list[Figure]:
    """Wall time of the product over that of mbsync, for each share; TLS for information."""
    held = bench.corpus(bench.scale.messages)
    templates = _templates(bench, held)
    clear = _fresh(bench, held, templates)
    _draw(bench, bench.scale.messages, clear)
    for size in bench.scale.smaller:
        smaller = bench.corpus(size)
        _draw(bench, size, _fresh(bench, smaller, _templates(bench, smaller)))
    secure = _fresh(bench, held, templates, tls=True)
    again = _again(bench, held, templates)  # last: what it removes slows whatever comes after it
    return [
        *_figures(clear, "", limits=True),
        *_figures(secure, ", TLS", limits=False),
        *_figures(again, ", after removing the former result", limits=False),
    ]


def _templates(bench: Bench, held: HeldCorpus) -> dict[str, Template]:
    corpus = held.corpus
    templates = {}
    for name, (share, _, _) in SHARES.items():
        contacts = contacts_for(corpus, share)
        people = [corpus.people[address] for address in contacts]
        templates[name] = Template(
            bench.install(held.account, people=people), len(matching(corpus, contacts))
        )
    return templates


def _fresh(
    bench: Bench, held: HeldCorpus, templates: Mapping[str, Template], *, tls: bool = False
) -> dict[str, Usage]:
    """Median costs of mbsync, of reading all bytes and keeping none, and of the product at each share.

    Every run writes into a new directory; nothing is removed.
    """
    source, total = bench.source(held.account, tls=tls), len(held.corpus.mails)
    raw = [sys.executable, rawread.__file__, str(source.port), source.username, source.password]
    if source.ca_file is not None:
        raw.append(str(source.ca_file))
    runs: dict[str, Callable[[], Usage]] = {
        COPY: lambda: mbsync.copy(source, bench.scratch, messages=total),
        READ: lambda: harness.measure(raw),
    }
    if not tls:
        runs = {FILES: lambda: _create_files(bench), **runs}
    for name, template in templates.items():
        runs[name] = partial(
            bench.first_log, template.installation, seen=total, logged=template.logged, tls=tls
        )
    # By the time TLS has its turn, the server's caches are warm.
    warm_up = bench.scale.warm_up and not tls
    return interleaved(runs, repetitions=bench.scale.repetitions, warm_up=warm_up)


def _again(bench: Bench, held: HeldCorpus, templates: Mapping[str, Template]) -> dict[str, Usage]:
    """The same with the former result removed right before: there is one from the warm-up on."""
    source, total = bench.source(held.account), len(held.corpus.mails)
    runs: dict[str, Callable[[], Usage]] = {
        COPY: partial(mbsync.copy_again, source, bench.new_directory(), messages=total),
    }
    for name, template in templates.items():
        runs[name] = partial(
            bench.first_log_again,
            template.installation,
            bench.new_directory(),
            seen=total,
            logged=template.logged,
        )
    return interleaved(runs, repetitions=bench.scale.repetitions, warm_up=bench.scale.warm_up)


def _create_files(bench: Bench) -> Usage:
    command: list[str | Path] = [sys.executable, "-I", "-S", createfiles.__file__]
    command += [bench.new_directory(), str(FILES_CREATED)]
    return harness.measure(command)


def _figures(costs: Mapping[str, Usage], how: str, *, limits: bool) -> list[Figure]:
    copy = costs[COPY]
    figures = [Figure(f"mbsync{how}", copy.wall, "s", cpu=copy.cpu)]
    for name, title in (
        (READ, "reading all bytes, keeping none"),
        (FILES, f"creating {FILES_CREATED:,} empty files"),
    ):
        if name in costs:
            figures.append(Figure(f"{title}{how}", costs[name].wall, "s", cpu=costs[name].cpu))
    for name, (_, limit, stretch) in SHARES.items():
        usage, title = costs[name], f"first log, {name} matching{how}"
        figures += [
            Figure(title, usage.wall, "s", cpu=usage.cpu),
            Figure(
                f"{title}, against mbsync",
                usage.wall / copy.wall,
                "×",
                limit if limits else None,
                stretch if limits else None,
                cpu=usage.cpu / copy.cpu,
            ),
            Figure(f"{title}, peak memory", usage.peak / 1e6, "MB", 200),
        ]
    return figures


def _draw(bench: Bench, size: int, costs: Mapping[str, Usage]) -> None:
    for key, name in CURVES.items():
        bench.curves[name][size] = costs[key].wall
