"""vdirsyncer copying a calendar to files: the yardstick of the calendar benchmarks.

It runs as it is used, as a process; finding the calendar (`vdirsyncer discover`) is not counted.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dav.servers import Collection
from benchmarks.harness import Usage, WrongResult, measure

PROGRAM = Path(sys.executable).with_name("vdirsyncer")

_CONFIG = """\
[general]
status_path = "{folder}/status/"

[pair copy]
a = "far"
b = "near"
collections = null
conflict_resolution = "a wins"

[storage far]
type = "caldav"
url = "{url}"
username = "{username}"
password = "{password}"
item_types = ["VEVENT"]

[storage near]
type = "filesystem"
path = "{folder}/events/"
fileext = ".ics"
"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a calendar below `folder`, and what it was made of."""

    folder: Path

    @property
    def _command(self) -> list[str | Path]:
        return [PROGRAM, "--verbosity", "WARNING", "--config", self.folder / "config"]

    def prepare(self, collection: Collection) -> None:
        """Writes the config, which holds the password, and finds the calendar."""
        (self.folder / "events").mkdir(parents=True)
        config = self.folder / "config"
        config.touch(mode=0o600)
        config.write_text(
            _CONFIG.format(
                folder=self.folder,
                url=collection.url,
                username=collection.account.username,
                password=collection.account.password,
            )
        )
        measure([*self._command, "discover"])

    def sync(self, *, events: int) -> Usage:
        """One run; raises WrongResult unless there are that many events then."""
        usage = measure([*self._command, "sync"])
        found = sum(1 for _ in (self.folder / "events").glob("*.ics"))
        if found != events:
            raise WrongResult(f"vdirsyncer has {found} events instead of {events}")
        return usage
