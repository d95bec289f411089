"""The first log of a mailbox, against mbsync copying the same mailbox: a ratio, in the same run."""

import sys
from collections.abc import Callable
from functools import partial

from benchmarks import harness, mbsync, rawread
from benchmarks.bench import Bench, HeldCorpus
from benchmarks.corpus import contacts_for, matching
from benchmarks.harness import Figure, Usage, interleaved

SHARES = {0.1: (0.4, 0.25), 1.0: (1.0, 0.65)}  # of the messages that match: limit and stretch × mbsync


def measure(bench: Bench) -> list[Figure]:
    """Wall time of the product over that of mbsync, for each share, clear; TLS for information."""
    held = bench.corpus(bench.messages)
    clear = compare(bench, held)
    figures = [
        Figure("mbsync, clear", clear["mbsync"].wall, "s"),
        Figure(
            "mbsync, clear, share of CPU time in the kernel", clear["mbsync"].system / clear["mbsync"].cpu, ""
        ),
        Figure("reading all bytes, clear", clear["read"].wall, "s"),
    ]
    for share, (limit, stretch) in SHARES.items():
        usage, name = clear[f"{share:.0%}"], f"first log, {share:.0%} matching"
        figures += [
            Figure(name, usage.wall, "s"),
            Figure(f"{name}, CPU", usage.cpu, "s"),
            Figure(f"{name}, against mbsync", usage.wall / clear["mbsync"].wall, "×", limit, stretch),
            Figure(f"{name}, peak memory", usage.peak / 1e6, "MB", 200),
        ]
    secure = compare(bench, held, tls=True)
    figures.append(Figure("mbsync, TLS", secure["mbsync"].wall, "s"))
    for share in SHARES:
        name = f"first log, {share:.0%} matching, TLS"
        figures.append(Figure(name, secure[f"{share:.0%}"].wall, "s"))
    return figures


def compare(bench: Bench, held: HeldCorpus, *, tls: bool = False) -> dict[str, Usage]:
    """Median costs of "mbsync", "read" (all bytes, kept nowhere) and the product at "10%" and "100%"."""
    corpus, source = held.corpus, bench.source(held.account, tls=tls)
    raw = [sys.executable, rawread.__file__, str(source.port), source.username, source.password]
    if source.ca_file:
        raw.append(str(source.ca_file))
    runs: dict[str, Callable[[], Usage]] = {
        "mbsync": lambda: mbsync.copy(source, bench.scratch, messages=len(corpus.mails)),
        "read": lambda: harness.measure(raw),
    }
    for share in SHARES:
        contacts = contacts_for(corpus, share)
        runs[f"{share:.0%}"] = partial(
            bench.first_log,
            bench.install(source, [corpus.people[address] for address in contacts]),
            seen=len(corpus.mails),
            logged=len(matching(corpus, contacts)),
        )
    return interleaved(runs, repetitions=bench.repetitions)
