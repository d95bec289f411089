"""What the command line prints: tables for people, plain text for pipes, JSON for programs.

Text that came in by mail may hold terminal commands and marks of ours: it is shown, never obeyed.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Protocol
from unicodedata import combining, east_asian_width

from config.language import Phrase, term
from config.words import field_word, value_word
from syncd.cli.language import told

# C0 and C1 control characters, and those that turn the direction of text around.
_COMMANDS = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
LONGEST_CELL = 60


def say(text: str = "") -> None:
    """One line, or several, for whoever asked."""
    sys.stdout.write(told(text) + "\n")


def warn(text: str) -> None:
    """Something to look at; not part of the answer."""
    sys.stderr.write(told(text) + "\n")


def warn_of_more(shown_: int, total: int, first: int) -> None:
    """Where a page does not show everything: which part it is, from the `first` on."""
    if total > shown_:
        warn(
            Phrase(
                "{count} of {total}, from {offset} on (--limit, --offset)",
                count=shown_,
                total=total,
                offset=first,
            )
        )


def as_json(value: object) -> None:
    """The answer for a program: stable keys, dates in UTC."""
    json.dump(plain(value), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


def plain(value: object) -> object:
    """A value in what JSON has: `from_` is "from", an enum its name in lower case."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name.rstrip("_"): plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(key)).rstrip("_"): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, str | bytes):
        return [plain(one) for one in value]
    return _simple(value)


def _simple(value: object) -> object:
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | Path) else value


def clean(text: str) -> str:
    """The text on one line, without anything that a terminal obeys."""
    return _COMMANDS.sub(" ", told(text))


def clean_lines(text: str) -> str:
    """The text with its lines, without anything that a terminal obeys."""
    return "\n".join(clean(line.expandtabs()) for line in told(text).splitlines())


def shown(value: object, zone: tzinfo) -> str:
    """A value in a cell."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return told(term("value", "yes") if value else term("value", "no"))
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, Enum):
        return told(value_word(value))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(shown(one, zone) for one in value) or "-"
    return clean(value if isinstance(value, str) else str(value)) or "-"


def age(moment: datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that tells enough."""
    if moment is None:
        return "never"
    seconds = max(0, round((now - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def octets(number: int) -> str:
    """A size for people."""
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":  # noqa: PLR2004 - IEC 80000-13
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("GiB is the last unit")


def count(number: int, noun: str) -> str:
    """A number with its noun: "1 e-mail", "2 e-mails", "0 activities"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows under their headers: ruled on a terminal, aligned text in a pipe."""
    headers = [told(one) for one in headers]
    cells = [[_short(told(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _ruled(headers, cells)
        return
    every = [list(headers), *cells]
    widths = [max(_width(row[n]) for row in every) for n in range(len(headers))]
    for row in every:
        padded = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        say("  ".join(padded).rstrip())


def heads(*names: str) -> list[str]:
    """Heads of a table by the names of fields, in the reader's language."""
    return [field_word(name) for name in names]


def _ruled(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    ruled = Table(box=None, header_style="bold", pad_edge=False)
    for header in headers:
        ruled.add_column(header, overflow="fold")
    for row in rows:
        ruled.add_row(*(Text(cell) for cell in row))
    Console(highlight=False).print(ruled)


def _short(cell: str) -> str:
    return cell if len(cell) <= LONGEST_CELL else cell[: LONGEST_CELL - 1] + "…"


def _width(text: str) -> int:
    """Columns on a terminal: East Asian letters take two, accents put on a letter none."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


class Step(Protocol):
    """To be called after each step, or after several with their number."""

    def __call__(self, number: int = 1) -> None: ...


def _unwatched(number: int = 1) -> None:
    """Nobody sees it."""


@contextmanager
def progress(what: str, total: int) -> Iterator[Step]:
    """A bar on stderr while a person watches; gives a function to call after each of the `total` steps."""
    if not sys.stderr.isatty() or total == 0:
        yield _unwatched
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(told(what), total=total)
        yield lambda number=1: bar.advance(task, number)
