"""What must stay bounded whatever the mailbox: peak memory, and the ledger's octets a message."""

from benchmarks import extremes
from benchmarks.bench import Bench
from benchmarks.harness import Figure
from benchmarks.phrases import Language, Person

LEDGER_MESSAGES = 20_000


def measure(bench: Bench) -> list[Figure]:
    """Peak memory on a mailbox of extremes; database octets a message where nobody is a contact."""
    return [_memory(bench), *_ledger(bench)]


def _memory(bench: Bench) -> Figure:
    account = bench.server.add_user("extremes@acme.example")
    contact = Person("Paul", "Extreme", "paul@customer.example", "Customer", Language.FRENCH)
    count = extremes.write(bench.empty_maildir(account), extremes.extremes(account.username, contact.email))
    bench.hand_over(account)
    template = bench.install(bench.source(account), [contact])
    usage = bench.first_log(template, seen=count, logged=count)
    return Figure("peak memory, messages of 50 MB and 10,000 recipients", usage.peak / 1e6, "MB", 200)


def _ledger(bench: Bench) -> list[Figure]:
    held = bench.corpus(LEDGER_MESSAGES)
    installation = bench.install(bench.source(held.account), [])
    before = installation.compact_size()
    installation.run("sync")
    grown = installation.compact_size() - before
    return [Figure("ledger, strangers only", grown / len(held.corpus.mails), "octets/message", 200)]
