"""The first log of a mailbox on the project's own EWS server, and a cycle of it with nothing new.

Two sizes and two shares of matching messages show what the time grows with. The yardstick is the same
requests sent again, answers read and thrown away, by a process as the product is one.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import corpus, harness
from benchmarks.bench import SEED, Bench
from benchmarks.corpus import Corpus, contacts_for, matching
from benchmarks.ews import replay
from benchmarks.ews.office import Office
from benchmarks.harness import Figure, Usage, WrongResult, empty_files, interleaved
from benchmarks.installation import Installation
from benchmarks.scenarios import exchange_idle
from tests.servers.dovecot import Account

MANY, FEW = 0.1, 0.01  # of the messages match
OURS, RAW = "syncd", "raw"
MEMORY_LIMIT = 250  # MB
EQUAL = 1.5  # the time a matching message takes, in the large mailbox against the small one, with its noise
SECONDS = 900


@dataclass(frozen=True, slots=True)
class Case:
    """A mailbox and the contacts of its owner; `installation` has logged it."""

    office: Office
    size: int
    logged: int
    installation: Installation
    requests: Path  # as they were sent for that
    contents: int  # messages that were read whole


def measure(bench: Bench) -> list[Figure]:
    """Every figure."""
    cases = {
        (size, share): case
        for size in bench.scale.exchange_mail
        for share, case in _cases(bench, size).items()
    }
    costs = interleaved(_runs(bench, cases), repetitions=bench.scale.repetitions, warm_up=False)
    large = max(bench.scale.exchange_mail)
    case = cases[large, MANY]
    title = f"Exchange, nothing new, mailbox of {large:,} messages"
    return [
        *(figure for key in cases for figure in _first(costs, key, cases[key])),
        *_proportion(costs, cases),
        *exchange_idle.measure(title, case.office, case.installation, cycles=bench.scale.cycles),
    ]


def _cases(bench: Bench, size: int) -> dict[float, Case]:
    account = bench.exchange.new_mailbox(f"claire.{size}@acme.example")
    held = corpus.generate(bench.new_directory(), messages=size, seed=SEED, user=account.username)
    bench.exchange.deliver(account, held)
    return {share: _case(bench, account, held, share) for share in (MANY, FEW)}


def _case(bench: Bench, account: Account, held: Corpus, share: float) -> Case:
    contacts = contacts_for(held, share)
    people = [held.people[address] for address in contacts]
    office = Office.open(account, "mail", bench.exchange.port, bench.new_directory(), people)
    installation, asked = office.first_cycle(bench.new_directory())
    logged = len(matching(held, contacts))
    _check(installation, len(held.mails), logged)
    requests = bench.new_directory()
    requests.write_bytes(b"".join(asked.requests))
    return Case(office, len(held.mails), logged, installation, requests, asked.contents)


def _check(installation: Installation, seen: int, logged: int) -> None:
    found = installation.count("verdict"), installation.count("email_message")
    if found != (seen, logged):
        raise WrongResult(f"{found[0]} verdicts and {found[1]} e-mails instead of {seen} and {logged}")


Key = tuple[int, float]
Costs = Mapping[tuple[Key, str], Usage]


def _runs(bench: Bench, cases: Mapping[Key, Case]) -> dict[tuple[Key, str], Callable[[], Usage]]:
    runs: dict[tuple[Key, str], Callable[[], Usage]] = {}
    for key, case in cases.items():
        command: list[str | Path] = [
            sys.executable,
            "-I",
            replay.__file__,
            str(case.office.port),
            case.requests,
        ]
        runs[key, RAW] = partial(harness.measure, command, seconds=SECONDS)
        runs[key, OURS] = partial(_first_log, bench, case)
    return runs


def _first_log(bench: Bench, case: Case) -> Usage:
    installation = case.office.install(bench.new_directory())
    usage = installation.run("sync", seconds=SECONDS)
    _check(installation, case.size, case.logged)
    empty_files(installation.directory)
    return usage


def _first(costs: Costs, key: Key, case: Case) -> Iterator[Figure]:
    ours, raw = costs[key, OURS], costs[key, RAW]
    title = f"Exchange, first log of {case.size:,} messages, {key[1]:.0%} matching".replace("%", " %")
    yield Figure(f"{title}, the raw requests", raw.wall, "s", cpu=raw.cpu)
    yield Figure(title, ours.wall, "s", cpu=ours.cpu)
    yield Figure(f"{title}, against the raw requests", ours.wall / raw.wall, "×", cpu=ours.cpu / raw.cpu)
    yield Figure(f"{title}, peak memory", ours.peak / 1e6, "MB", MEMORY_LIMIT)
    yield Figure(f"{title}: messages read whole beyond these", case.contents - case.logged, "", 0)


def _proportion(costs: Costs, cases: Mapping[Key, Case]) -> Iterator[Figure]:
    """What one more matching message and one more message costs, and whether that depends on the size."""
    sizes = sorted({size for size, _ in cases})
    each: dict[int, tuple[float, float]] = {}
    for size in sizes:
        many, few = costs[(size, MANY), OURS], costs[(size, FEW), OURS]
        further = cases[size, MANY].logged - cases[size, FEW].logged
        each[size] = (many.wall - few.wall) / further, (many.cpu - few.cpu) / further
        title = f"Exchange, first log of {size:,} messages, a matching one more"
        yield Figure(title, each[size][0] * 1000, "ms", cpu=each[size][1] * 1000)
    small, large = each[sizes[0]], each[sizes[-1]]
    title = f"Exchange, a matching one more, in {sizes[-1]:,} against {sizes[0]:,} messages"
    yield Figure(title, large[0] / small[0], "×", EQUAL, cpu=large[1] / small[1])
    less, more = (costs[(size, FEW), OURS] for size in (sizes[0], sizes[-1]))
    title = f"Exchange, first log with 1 % matching, {sizes[-1]:,} against {sizes[0]:,} messages"
    yield Figure(title, more.wall / less.wall, "×", sizes[-1] / sizes[0], cpu=more.cpu / less.cpu)
