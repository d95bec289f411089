"""Ten new messages in mailboxes that have seen very different numbers: what does the cost depend on?

Twice. With a filled ledger: the server has deleted what was seen before, and the verdicts are written
through the product's own store, so that the size of the ledger is all that differs; the limit is held
against this. And in real folders, where the server has its own work with the new messages: beside the
product, a bare client that asks for as little as one can shows how much of the time that is.
"""

import imaplib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial

from benchmarks.bench import CONTACT, Bench
from benchmarks.cycles import Cycles
from benchmarks.extremes import small
from benchmarks.harness import Figure, Usage, interleaved, timed
from benchmarks.mbsync import Source
from benchmarks.wire import append
from tests.servers.dovecot import Account

NEW = 10
INDEPENDENT = 1.5  # × the cost with the smallest ledger; a cost that grew with it would be 100 ×
CURVE = "ten new messages"

Runs = dict[tuple[str, int], Callable[[], Usage]]
LEDGER, FOLDER, BARE = "ledger", "folder", "bare"


def measure(bench: Bench) -> list[Figure]:
    """Cost of a cycle that logs ten messages, by the verdicts and by the messages before it."""
    runs: Runs = {}
    with ExitStack() as stack:
        for size in bench.scale.ledgers:
            account = bench.mailbox(f"ledger.{size}", (), next_uid=size + 1)
            cycles = _cycles(bench, account, stack)
            cycles.fill(account.username.partition("@")[0], size)
            runs[LEDGER, size] = partial(_ten_new, bench, account, cycles, _letters(account))
        for size in bench.scale.folders:
            account = bench.mailbox(f"folder.{size}", small(size, f"folder.{size}@acme.example"))
            cycles, letters = _cycles(bench, account, stack), _letters(account)
            cycles.one(pulled=size)
            runs[FOLDER, size] = partial(_ten_new, bench, account, cycles, letters)
            runs[BARE, size] = partial(_bare, bench, account, cycles, letters)
        costs = interleaved(runs, repetitions=bench.scale.news)
    for size in bench.scale.ledgers:
        bench.curves[CURVE][size] = costs[LEDGER, size].wall
    return [
        *_figures(
            f"{NEW} new messages, verdicts before", bench.scale.ledgers, costs, LEDGER, limit=INDEPENDENT
        ),
        *_figures(f"{NEW} new messages, messages in the folder", bench.scale.folders, costs, FOLDER),
        *_figures(
            f"{NEW} new messages, a bare client, messages in the folder", bench.scale.folders, costs, BARE
        ),
    ]


def _figures(
    title: str,
    sizes: Sequence[int],
    costs: dict[tuple[str, int], Usage],
    kind: str,
    *,
    limit: float | None = None,
) -> Iterator[Figure]:
    smallest, *larger = sizes
    least = costs[kind, smallest]
    for size in sizes:
        cost = costs[kind, size]
        yield Figure(f"{title}: {size:,}", cost.wall * 1000, "ms", cpu=cost.cpu * 1000)
        if size in larger:
            against = f"{title}: {size:,} against {smallest:,}"
            yield Figure(f"{against}, wall", cost.wall / least.wall, "×", limit)
            yield Figure(f"{against}, CPU", cost.cpu / least.cpu, "×", limit)


def _cycles(bench: Bench, account: Account, stack: ExitStack) -> Cycles:
    installation = bench.install(account, people=[CONTACT])
    return stack.enter_context(Cycles(installation.config, keep=False))


def _ten_new(bench: Bench, account: Account, cycles: Cycles, letters: Iterator[bytes]) -> Usage:
    append(bench.source(account), "INBOX", [next(letters) for _ in range(NEW)])
    return cycles.one(pulled=NEW, logged=NEW)


def _bare(bench: Bench, account: Account, cycles: Cycles, letters: Iterator[bytes]) -> Usage:
    """Asks for the state of the folder and opens it, by imaplib; the product catches up unmeasured."""
    source = bench.source(account)
    append(source, "INBOX", [next(letters) for _ in range(NEW)])
    usage = timed(lambda: _look(source))
    cycles.one(pulled=NEW, logged=NEW)
    return usage


def _look(source: Source) -> None:
    with imaplib.IMAP4("127.0.0.1", source.port) as connection:
        connection.login(source.username, source.password)
        connection.status("INBOX", "(MESSAGES UIDNEXT UIDVALIDITY)")
        connection.select("INBOX", readonly=True)


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
