"""Installations of the product whose only mailbox is on the benchmark's EWS server."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.ews.recorder import Asked, Recorder
from benchmarks.installation import SINCE, Installation
from benchmarks.phrases import Person
from tests.servers.dovecot import Account

LOGIN = "claire"
_SECTIONS = """\
[workspace]
name = "Acme"
timezone = "Europe/Paris"
language = "fr"

[store]
url = "sqlite:///{database}"

[mail]
since = "{since}"
max_attachment = "100MiB"

[calendar]
window = {{ past = "3650d", future = "3650d" }}
brake = {{ count = 1000000 }}

[servers.bench.ews]
url = "http://127.0.0.1:{port}/EWS/Exchange.asmx"
auth = "basic"
timeout = "5m"

[[users]]
login = "claire"
name = "Claire"
email = "{username}"

[[mailboxes]]
name = "claire"
user = "claire"
server = "bench"
username = "{username}"
password = {{ file = "claire.secret" }}
sync = ["{what}"]
"""


@dataclass(frozen=True, slots=True)
class Office:
    """A user of the server, and an installation that knows some people and has not seen the mailbox yet."""

    account: Account
    what: str  # "mail" or "calendar"
    port: int
    known: Installation

    @classmethod
    def open(
        cls, account: Account, what: str, port: int, directory: Path, people: Sequence[Person]
    ) -> "Office":
        """Makes the installation in a new directory; the people become contacts."""
        directory.mkdir()
        office = cls(account, what, port, Installation(directory))
        office.configure(office.known, port)
        office.known.run("db", "upgrade")
        office.known.import_people(people)
        return office

    def install(self, directory: Path) -> Installation:
        """A copy of it as it was at first, in a new directory."""
        shutil.copytree(self.known.directory, directory)
        installation = Installation(directory)
        self.configure(installation, self.port)
        return installation

    def configure(self, installation: Installation, port: int) -> None:
        """Writes config and secret, with the server at that port."""
        secret = installation.directory / "claire.secret"
        secret.touch(mode=0o600)
        secret.write_text(self.account.password)
        installation.config.write_text(
            _SECTIONS.format(
                database=installation.database,
                since=SINCE,
                port=port,
                username=self.account.username,
                what=self.what,
            )
        )

    def first_cycle(self, directory: Path) -> tuple[Installation, Asked]:
        """An installation that has seen the mailbox, and what it asked of the server for that."""
        installation = self.install(directory)
        with Recorder(self.port) as recorder:
            self.configure(installation, recorder.port)
            installation.run("sync", seconds=900)
            self.configure(installation, self.port)
            return installation, recorder.asked()
