"""What must stay bounded whatever the mailbox: peak memory, and the ledger's octets a message."""

from benchmarks import extremes
from benchmarks.bench import CONTACT, Bench
from benchmarks.harness import Figure


def measure(bench: Bench) -> list[Figure]:
    """Peak memory on a mailbox of extremes; database octets a message where nobody is a contact."""
    return [_memory(bench), *_ledger(bench)]


def _memory(bench: Bench) -> Figure:
    user = "extremes@acme.example"
    messages = list(extremes.extremes(user, CONTACT.email, much=bench.scale.much))
    account = bench.mailbox("extremes", messages)
    template = bench.install(account, people=[CONTACT])
    usage = bench.first_log(template, seen=len(messages), logged=len(messages))
    return Figure("peak memory, messages of 50 MB and 10,000 recipients", usage.peak / 1e6, "MB", 200)


def _ledger(bench: Bench) -> list[Figure]:
    held = bench.corpus(bench.scale.messages)
    installation = bench.install(held.account, people=[])
    before = installation.compact_size()
    installation.run("sync")
    grown = installation.compact_size() - before
    return [Figure("ledger, strangers only", grown / len(held.corpus.mails), "octets/message", 200)]
