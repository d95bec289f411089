"""Ten new messages in mailboxes of very different size: the cost must not depend on what was seen before."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import CONTACT, Bench
from benchmarks.cycles import Cycles
from benchmarks.extremes import small
from benchmarks.harness import Figure, Usage, interleaved
from benchmarks.wire import append
from tests.servers.dovecot import Account

NEW = 10
INDEPENDENT = 1.5  # × the cost with the smallest ledger; a cost that grew with it would be 100 ×
LEDGER_LIMIT = 200  # octets a message
CURVE = "ten new messages"


def measure(bench: Bench) -> list[Figure]:
    """Cost of a cycle that logs ten messages, for each number of verdicts before it."""
    figures = []
    runs: dict[str, Callable[[], Usage]] = {}
    with ExitStack() as stack:
        for size in bench.scale.ledgers:
            account = bench.mailbox(f"news.{size}", small(size, f"news.{size}@acme.example"))
            installation = bench.install(account, people=[CONTACT])
            empty = installation.compact_size()
            usage = installation.run("sync", seconds=600)
            grown = installation.compact_size() - empty
            figures += [
                Figure(f"first log of {size:,} tiny messages of strangers", usage.wall, "s", cpu=usage.cpu),
                Figure(f"peak memory, {size:,} tiny messages", usage.peak / 1e6, "MB", 200),
                Figure(f"ledger, {size:,} tiny messages", grown / size, "octets/message", LEDGER_LIMIT),
            ]
            cycles = stack.enter_context(Cycles(installation.config, keep=False))
            runs[str(size)] = partial(_ten_new, bench, account, cycles, _letters(account))
        costs = interleaved(runs, repetitions=bench.scale.news)
    least = costs[str(bench.scale.ledgers[0])]
    for size in bench.scale.ledgers:
        cost = costs[str(size)]
        bench.curves[CURVE][size] = cost.wall
        name = f"{NEW} new messages after {size:,}"
        figures.append(Figure(name, cost.wall * 1000, "ms", cpu=cost.cpu * 1000))
        if cost is not least:
            limit = INDEPENDENT if bench.scale.warm_up else None
            figures += [
                Figure(
                    f"{name}, wall, against {bench.scale.ledgers[0]:,}", cost.wall / least.wall, "×", limit
                ),
                Figure(f"{name}, CPU, against {bench.scale.ledgers[0]:,}", cost.cpu / least.cpu, "×", limit),
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
