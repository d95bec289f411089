"""Rounds over very many mailboxes with nothing new, over TLS, with as many threads as the daemon has."""

from benchmarks.bench import Bench
from benchmarks.cycles import Cycles
from benchmarks.extremes import small
from benchmarks.harness import Figure, interleaved

IN_INBOX, IN_SENT = 2, 1  # messages of each mailbox


def measure(bench: Bench) -> list[Figure]:
    """Wall time of a round, reconnecting and on kept connections."""
    count = bench.scale.mailboxes
    accounts = [
        bench.mailbox(f"u{number}", small(IN_INBOX, f"u{number}@acme.example"), small(IN_SENT, "x@y.example"))
        for number in range(count)
    ]
    installation = bench.install(*accounts, people=[], tls=True)
    with Cycles(installation.config, keep=False) as cycles:
        first = cycles.round(pulled=count * (IN_INBOX + IN_SENT))
        before = installation.fingerprint()
        reconnecting = interleaved({"": cycles.round}, repetitions=bench.scale.repetitions)[""]
        written = before != installation.fingerprint()
        workers = cycles.workers
    with Cycles(installation.config, keep=True) as cycles:
        cycles.round()  # connects
        kept = interleaved({"": cycles.round}, repetitions=bench.scale.repetitions)[""]
    name = f"{count:,} mailboxes, TLS, {workers} threads"
    return [
        Figure(f"{name}, first round", first.wall, "s", cpu=first.cpu),
        Figure(f"{name}, nothing new, reconnecting", reconnecting.wall, "s", 5, cpu=reconnecting.cpu),
        Figure(f"{name}, nothing new, connections kept", kept.wall, "s", 2, cpu=kept.cpu),
        Figure(f"{name}, nothing new: writes to the database", int(written), "", 0),
    ]
