"""A cycle with nothing new: one large mailbox, reconnecting each time."""

from benchmarks.bench import Bench
from benchmarks.corpus import contacts_for
from benchmarks.cycles import Cycles
from benchmarks.harness import Figure, Usage, interleaved
from benchmarks.installation import Installation
from benchmarks.wire import Listener

LIMIT = 15  # milliseconds of wall time


def measure(bench: Bench) -> list[Figure]:
    """Cost of a cycle in the daemon's process, what it wrote, and what it asked the server."""
    held = bench.corpus(bench.scale.messages)
    people = [held.corpus.people[address] for address in contacts_for(held.corpus, 0.1)]
    installation = bench.install(held.account, people=people)
    installation.run("sync")
    before = installation.fingerprint()
    clear, secure = (_cycles(bench, installation, tls=tls) for tls in (False, True))
    commands, listings = _asked(installation, bench.server.port)
    written = sum(before.get(name) != print_ for name, print_ in installation.fingerprint().items())
    name = f"nothing new, mailbox of {bench.scale.messages:,} messages, reconnecting"
    return [
        Figure(name, clear.wall * 1000, "ms", LIMIT, cpu=clear.cpu * 1000),
        Figure(f"{name}, TLS", secure.wall * 1000, "ms", LIMIT, cpu=secure.cpu * 1000),
        Figure("nothing new: files of the database that changed", written, "", 0),
        Figure("nothing new: commands sent in the first cycle of a process and the next", commands, ""),
        Figure("nothing new: of these, lists of all messages", listings, "", 0),
    ]


def _cycles(bench: Bench, installation: Installation, *, tls: bool) -> Usage:
    port, ca_file = bench.reach(tls=tls)
    installation.configure(port=port, ca_file=ca_file)
    with Cycles(installation.config, keep=False) as cycles:
        return interleaved({"": cycles.one}, repetitions=bench.scale.cycles)[""]


def _asked(installation: Installation, port: int) -> tuple[int, int]:
    """How many commands two cycles sent, and how many of these ask for all of a folder."""
    with Listener(port) as listener:
        installation.configure(port=listener.port, ca_file=None)
        with Cycles(installation.config, keep=False) as cycles:
            cycles.one()
            cycles.one()
        return len(listener.commands), len(listener.full_listings())
