"""Ten new messages in mailboxes that have seen very different numbers: the cost must not depend on it.

The server has deleted what was seen before, and the ledger is filled through the product's own store: so
what is measured is the product, and not how the server copes with a folder of 200,000 files.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import CONTACT, Bench
from benchmarks.cycles import Cycles
from benchmarks.harness import Figure, Usage, interleaved
from benchmarks.wire import append
from tests.servers.dovecot import Account

NEW = 10
INDEPENDENT = 1.5  # × the cost with the smallest ledger; a cost that grew with it would be 100 ×
CURVE = "ten new messages"


def measure(bench: Bench) -> list[Figure]:
    """Cost of a cycle that logs ten messages, for each number of verdicts before it."""
    runs: dict[int, Callable[[], Usage]] = {}
    with ExitStack() as stack:
        for size in bench.scale.ledgers:
            account = bench.mailbox(f"news.{size}", (), next_uid=size + 1)
            installation = bench.install(account, people=[CONTACT])
            cycles = stack.enter_context(Cycles(installation.config, keep=False))
            cycles.fill(account.username.partition("@")[0], size)
            runs[size] = partial(_ten_new, bench, account, cycles, _letters(account))
        costs = interleaved(runs, repetitions=bench.scale.news)
    smallest, *_ = bench.scale.ledgers
    figures = []
    for size, cost in costs.items():
        bench.curves[CURVE][size] = cost.wall
        name = f"{NEW} new messages after {size:,}"
        figures.append(Figure(name, cost.wall * 1000, "ms", cpu=cost.cpu * 1000))
        if size != smallest:
            least, title = costs[smallest], f"{name}, against after {smallest:,}"
            figures += [
                Figure(f"{title}, wall", cost.wall / least.wall, "×", INDEPENDENT),
                Figure(f"{title}, CPU", cost.cpu / least.cpu, "×", INDEPENDENT),
            ]
    return figures


def _ten_new(bench: Bench, account: Account, cycles: Cycles, letters: Iterator[bytes]) -> Usage:
    append(bench.source(account), "INBOX", [next(letters) for _ in range(NEW)])
    return cycles.one(pulled=NEW, logged=NEW)


def _letters(account: Account) -> Iterator[bytes]:
    number = 0
    while True:
        number += 1
        yield (
            f"From: Paul Constant <{CONTACT.email}>\r\nTo: {account.username}\r\n"
            f"Date: Mon, 06 Jul 2026 08:{number // 60 % 60:02}:{number % 60:02} +0200\r\n"
            f"Message-ID: <news-{number}@customer.example>\r\nSubject: Commande {number}\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nMIME-Version: 1.0\r\n\r\n"
            + "Bonjour, voici notre commande. Cordialement, Paul.\r\n"
            * 40
        ).encode()
