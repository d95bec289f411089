"""`make bench`: every scenario in one run, a table of figures against their limits, and a picture.

Exits 1 if a limit does not hold. Figures go to `benchmarks/out/figures.json`; nothing leaves this machine.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks import mbsync
from benchmarks.bench import OUT, QUICK, Bench, Scale
from benchmarks.harness import Figure, machine
from benchmarks.scenarios import (
    bounds,
    calendar_plan,
    calendar_push,
    calendar_sync,
    erasing,
    exchange_calendar,
    exchange_mail,
    first_log,
    idle,
    importing,
    listing,
    many,
    meetings,
    news,
    statuses,
    timeline,
)
from tests.servers.dovecot import DovecotServer

# What creates many files comes first, on a file system where nothing was removed lately.
SCENARIOS: dict[str, Callable[[Bench], list[Figure]]] = {
    "first-log": first_log.measure,
    "idle": idle.measure,
    "bounds": bounds.measure,
    "many": many.measure,
    "news": news.measure,
    "calendar-sync": calendar_sync.measure,
    "calendar-push": calendar_push.measure,
    "calendar-plan": calendar_plan.measure,
    "meetings": meetings.measure,
    "statuses": statuses.measure,
    "timeline": timeline.measure,
    "import": importing.measure,
    "listing": listing.measure,
    "erasing": erasing.measure,
    "exchange-mail": exchange_mail.measure,
    "exchange-calendar": exchange_calendar.measure,
}
SELF_CONTAINED = (
    "calendar-",
    "exchange-",
    "meetings",
    "statuses",
    "timeline",
    "import",
    "listing",
    "erasing",
)  # how the names begin of those that need only the venv
RESULT = OUT / "figures.json"
PLOT = Path(__file__).parent.parent / "docs" / "mail-scaling.svg"


def main() -> int:
    """Runs the scenarios of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS), metavar="SCENARIO")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that it works, measures nothing"
    )
    parser.add_argument("--messages", type=int, help="in the large mailbox, instead of 20,000")
    parser.add_argument("--events", type=int, help="in the calendar, instead of 5,000")
    parser.add_argument("--repetitions", type=int, help="of what takes seconds, instead of 3")
    parser.add_argument("--out", type=Path, default=RESULT, help="where the figures go, as JSON")
    parser.add_argument(
        "--plot", type=Path, nargs="?", const=PLOT, help=f"also draw docs/{PLOT.name}, or FILE"
    )
    chosen = parser.parse_args()
    mail = any(not name.startswith(SELF_CONTAINED) for name in chosen.only)
    if mail and not (DovecotServer.available() and mbsync.available()):
        print("The benchmark needs Dovecot and mbsync: apt-get install dovecot-imapd isync", file=sys.stderr)
        return 2
    scale = QUICK if chosen.quick else Scale()
    scale = replace(
        scale,
        messages=chosen.messages or scale.messages,
        events=chosen.events or scale.events,
        repetitions=chosen.repetitions or scale.repetitions,
    )
    # A thousand connections, at both ends: more than many systems allow a process unless asked.
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    # As after an installation: compiling the product at each start is not what is to be measured.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["SYNCD_LANGUAGE"] = "en"  # what is printed is looked at
    start = time.monotonic()
    figures: dict[str, list[Figure]] = {}
    with Bench(scale) as bench:
        for name in chosen.only:
            print(f"{time.monotonic() - start:5.0f} s  {name}", file=sys.stderr)
            figures[name] = SCENARIOS[name](bench)
            # After each, so that a run that is ended early leaves what it has.
            _write(chosen.out, scale, figures, bench.curves)
        print(*markdown(machine(), [figure for group in figures.values() for figure in group]), sep="\n")
        if chosen.plot is not None:
            from benchmarks import plot  # matplotlib is slow to load, and only this needs it

            plot.draw(bench.curves, chosen.plot)
        print(f"{time.monotonic() - start:5.0f} s  removing what was made", file=sys.stderr)
    print(f"{time.monotonic() - start:5.0f} s  done: {chosen.out}", file=sys.stderr)
    held = chosen.quick or all(figure.passed for group in figures.values() for figure in group)
    return 0 if held else 1


def _write(
    path: Path,
    scale: Scale,
    figures: Mapping[str, Sequence[Figure]],
    curves: Mapping[str, Mapping[int, float]],
) -> None:
    scenarios = {
        name: [{**asdict(figure), "passed": figure.passed} for figure in group]
        for name, group in figures.items()
    }
    report = {"machine": machine(), "scale": asdict(scale), "scenarios": scenarios, "curves": curves}
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def markdown(facts: Mapping[str, str], figures: Sequence[Figure]) -> Iterator[str]:
    """The figures as a table, line by line. The second column is wall time where it is a time."""
    yield ", ".join(f"{name} {value}" for name, value in facts.items())
    yield ""
    yield "| | measured | by CPU time | limit | stretch | |"
    yield "|---|--:|--:|--:|--:|---|"
    for figure in figures:
        cells = (
            figure.name,
            f"{_number(figure.value)} {figure.unit}".rstrip(),
            "" if figure.cpu is None else f"{_number(figure.cpu)} {figure.unit}",
            "" if figure.limit is None else f"{figure.limit:g}",
            "" if figure.stretch is None else f"{figure.stretch:g}",
            "" if figure.limit is None else "holds" if figure.passed else "**fails**",
        )
        yield f"| {' | '.join(cells)} |"


def _number(value: float) -> str:
    return (
        f"{value:.0f}"
        if value >= 100 or value == int(value)
        else f"{value:.2g}"
        if value < 1
        else f"{value:.3g}"
    )


if __name__ == "__main__":
    sys.exit(main())
