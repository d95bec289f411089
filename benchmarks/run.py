"""`make bench`: every mail scenario in one run, a table of figures against their limits, and a picture.

Exits 1 if a limit does not hold. Figures go to `benchmarks/out/mail.json`; nothing leaves this machine.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks import mbsync
from benchmarks.bench import OUT, Bench
from benchmarks.harness import Figure, machine
from benchmarks.scenarios import bounds, first_log
from tests.servers.dovecot import DovecotServer

SCENARIOS: dict[str, Callable[[Bench], list[Figure]]] = {
    "first-log": first_log.measure,
    "bounds": bounds.measure,
}
PLOT = Path(__file__).parent.parent / "docs" / "mail-scaling.svg"
SIZES = (2_500, 5_000, 10_000, 20_000)


def main() -> int:
    """Runs the scenarios of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument("--messages", type=int, default=20_000, help="in the large mailbox")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--plot", action="store_true", help=f"also draw {PLOT.name}")
    chosen = parser.parse_args()
    if not DovecotServer.available() or not mbsync.available():
        print("The benchmark needs Dovecot and mbsync: apt-get install dovecot-imapd isync", file=sys.stderr)
        return 2
    start = time.monotonic()
    figures: dict[str, list[Figure]] = {}
    with Bench(messages=chosen.messages, repetitions=chosen.repetitions) as bench:
        for name in chosen.only:
            print(f"{time.monotonic() - start:5.0f} s  {name}", file=sys.stderr)
            figures[name] = SCENARIOS[name](bench)
        if chosen.plot:
            _draw(bench)
    facts = machine()
    (OUT / "mail.json").write_text(json.dumps(_report(facts, figures), indent=2) + "\n", encoding="utf-8")
    _show(facts, [figure for group in figures.values() for figure in group])
    return 0 if all(figure.passed for group in figures.values() for figure in group) else 1


def _report(facts: Mapping[str, str], figures: Mapping[str, Sequence[Figure]]) -> dict[str, object]:
    return {
        "machine": facts,
        "scenarios": {
            name: [
                {
                    "name": figure.name,
                    "value": figure.value,
                    "unit": figure.unit,
                    "limit": figure.limit,
                    "stretch": figure.stretch,
                    "passed": figure.passed,
                }
                for figure in group
            ]
            for name, group in figures.items()
        },
    }


def _show(facts: Mapping[str, str], figures: Sequence[Figure]) -> None:
    console = Console()
    console.print(", ".join(f"{name} {value}" for name, value in facts.items()))
    table = Table("figure", "measured", "limit", "stretch", "")
    for figure in figures:
        verdict = "" if figure.limit is None else "pass" if figure.passed else "FAIL"
        table.add_row(
            figure.name,
            f"{figure.value:.3g} {figure.unit}",
            "" if figure.limit is None else f"{figure.limit:g}",
            "" if figure.stretch is None else f"{figure.stretch:g}",
            verdict,
        )
    console.print(table)


def _draw(bench: Bench) -> None:
    from benchmarks import plot  # matplotlib is slow to load, and only this needs it

    costs = [first_log.compare(bench, bench.corpus(size)) for size in SIZES]
    seconds = {
        label: [cost[key].wall for cost in costs]
        for label, key in (
            ("mbsync, copying it", "mbsync"),
            ("syncd, every message matching", "100%"),
            ("syncd, one in ten matching", "10%"),
        )
    }
    plot.draw(seconds, SIZES, PLOT)


if __name__ == "__main__":
    sys.exit(main())
