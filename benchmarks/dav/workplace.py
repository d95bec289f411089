"""Installations of the product whose only mailbox is a calendar on one of the benchmark's servers."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.dav.agenda import Agenda
from benchmarks.dav.servers import Collection
from benchmarks.installation import Installation
from connectors.calendar import Item
from connectors.ical import reading

LOGIN = "claire"
# All of the agenda lies in the window, and filling an empty calendar is what is to be measured.
_SECTIONS = """\
[workspace]
name = "Acme"
timezone = "Europe/Paris"
language = "fr"

[store]
url = "sqlite:///{database}"

[calendar]
window = {{ past = "3650d", future = "3650d" }}
brake = {{ count = 1000000 }}

[servers.bench.caldav]
url = "{url}"
timeout = "5m"

[[users]]
login = "claire"
name = "Claire"
email = "{owner}"

[[mailboxes]]
name = "claire"
user = "claire"
server = "bench"
username = "{username}"
password = {{ file = "claire.secret" }}
sync = ["calendar"]
"""
NOWHERE = "http://127.0.0.1:1/"


class Workplace:
    """Makes installations that know the people of the agenda, and have seen no calendar yet."""

    def __init__(self, agenda: Agenda, directory: Path) -> None:
        self._agenda = agenda
        self._known = Installation(directory)
        directory.mkdir()
        self._configure(self._known, NOWHERE, LOGIN, "")
        self._known.run("db", "upgrade")
        self._known.import_people(agenda.people)

    def install(self, collection: Collection | None, directory: Path) -> Installation:
        """A fresh installation for that calendar; for none, one that is never to be connected."""
        shutil.copytree(self._known.directory, directory)
        installation = Installation(directory)
        if collection is None:
            self._configure(installation, NOWHERE, LOGIN, "")
        else:
            account = collection.account
            self._configure(installation, collection.url, account.username, account.password)
        return installation

    def _configure(self, installation: Installation, url: str, username: str, password: str) -> None:
        secret = installation.directory / "claire.secret"
        secret.touch(mode=0o600)
        secret.write_text(password or "unused")
        installation.config.write_text(
            _SECTIONS.format(
                database=installation.database, url=url, owner=self._agenda.owner, username=username
            )
        )


@contextmanager
def parses_counted() -> Iterator[list[int]]:
    """Gives a list that grows by one for each resource that the product parses within it."""
    sizes: list[int] = []
    usual = reading.read

    def read(data: bytes, last_block: str = "") -> Item:
        sizes.append(len(data))
        return usual(data, last_block)

    reading.read = read
    try:
        yield sizes
    finally:
        reading.read = usual
