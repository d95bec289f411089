"""A cycle with nothing new at an Exchange server, of mail or of a calendar; measured by both scenarios.

The yardstick is the same requests sent again over a kept connection, with nothing made of the answers.
"""

from collections.abc import Iterator

from benchmarks.cycles import Cycles
from benchmarks.ews.office import LOGIN, Office
from benchmarks.ews.recorder import Asked, Recorder
from benchmarks.ews.replay import Replay
from benchmarks.harness import Figure, Usage, WrongResult, interleaved, timed
from benchmarks.installation import Installation

OURS, RAW = "syncd", "raw"
REQUESTS_LIMIT = 1  # a folder


def measure(title: str, office: Office, installation: Installation, *, cycles: int) -> Iterator[Figure]:
    """Figures of cycles of an installation that has seen everything; the connection is kept."""
    asked = _asked(office, installation)
    before = installation.fingerprint()
    replay = Replay(office.port)
    with Cycles(installation.config, keep=True) as product:
        _cycle(product, office)  # connects
        costs = interleaved(
            {
                RAW: lambda: timed(lambda: replay.send(list(asked.requests))),
                OURS: lambda: _cycle(product, office),
            },
            repetitions=cycles,
        )
    replay.close()
    after = installation.fingerprint()
    written = sum(before.get(name) != print_ for name, print_ in after.items())
    ours, raw = costs[OURS], costs[RAW]
    yield Figure(f"{title}, the raw requests", raw.wall * 1000, "ms", cpu=raw.cpu * 1000)
    yield Figure(title, ours.wall * 1000, "ms", cpu=ours.cpu * 1000)
    yield Figure(f"{title}, against the raw requests", ours.wall / raw.wall, "×", cpu=ours.cpu / raw.cpu)
    folders = asked.folders
    yield Figure(f"{title}: requests a folder", len(asked.requests) / folders, "", REQUESTS_LIMIT)
    yield Figure(f"{title}: octets sent a folder", asked.octets / folders, "")
    yield Figure(f"{title}: files of the database that changed", written, "", 0)


def _asked(office: Office, installation: Installation) -> Asked:
    """What the second cycle of a process asks: the first one logs in and looks for folders."""
    with Recorder(office.port) as recorder:
        office.configure(installation, recorder.port)
        with Cycles(installation.config, keep=True) as product:
            _cycle(product, office)
            first = len(recorder.asked().requests)
            _cycle(product, office)
            asked = Asked(recorder.asked().requests[first:])
        office.configure(installation, office.port)
    if not asked.folders:
        raise WrongResult("a cycle asked for the changes of no folder")
    return asked


def _cycle(product: Cycles, office: Office) -> Usage:
    return product.one() if office.what == "mail" else product.calendar(LOGIN)
