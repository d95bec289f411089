"""An installation of the product for a benchmark: its config, its secrets, its contacts, its commands.

The product is used as an admin does, through its command line.
"""

import csv
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.harness import Usage, measure
from benchmarks.phrases import Person

SINCE = "2020-01-01"  # before the oldest message of any benchmark
SYNCD = Path(sys.executable).with_name("syncd")


@dataclass(frozen=True, slots=True)
class Box:
    """A mailbox to be synchronised."""

    name: str  # in the config; also its user's login
    username: str  # at the server; also its user's address
    password: str


@dataclass(frozen=True, slots=True)
class Installation:
    """A config file and what stands beside it."""

    directory: Path
    boxes: tuple[Box, ...] = ()

    @property
    def config(self) -> Path:
        """The config file."""
        return self.directory / "syncd.toml"

    @property
    def database(self) -> Path:
        """The SQLite file; its write-ahead log has "-wal" behind the name."""
        return self.directory / "crm.db"

    def command(self, *arguments: str | Path) -> list[str | Path]:
        """The product's command line for this installation."""
        return [SYNCD, "--config", self.config, *arguments]

    def run(self, *arguments: str | Path, seconds: int = 300) -> Usage:
        """Runs the product to its end; raises CommandFailed if it is not content."""
        return measure(self.command(*arguments), seconds=seconds)

    def import_people(self, people: Iterable[Person]) -> None:
        """Makes contacts of them, each at the account named after the company."""
        rows = list(people)
        accounts, contacts = self.directory / "accounts.csv", self.directory / "contacts.csv"
        companies = dict.fromkeys(_account(person) for person in rows)
        _write_csv(accounts, ("name", "type"), [(company, "CUSTOMER") for company in companies])
        _write_csv(
            contacts,
            ("account", "last_name", "first_name", "email"),
            [(_account(person), person.last, person.first, person.email) for person in rows],
        )
        if rows:
            self.run("import", "accounts", accounts)
            self.run("import", "contacts", contacts)

    def copy_to(
        self, directory: Path, *, port: int, ca_file: Path | None, boxes: Sequence[Box] | None = None
    ) -> "Installation":
        """The same installation elsewhere, as it is now; nothing of it may be running.

        With `boxes` it has these mailboxes instead of its own.
        """
        shutil.copytree(self.directory, directory)
        copy = replace(self, directory=directory, boxes=self.boxes if boxes is None else tuple(boxes))
        copy.configure(port=port, ca_file=ca_file)
        return copy

    def configure(self, *, port: int, ca_file: Path | None) -> None:
        """Writes config and secrets: mailboxes at that port, over TLS where there is a `ca_file`."""
        if ca_file is None:
            imap = 'host = "127.0.0.1"\nsecurity = "none"'
        else:
            imap = f'host = "localhost"\nsecurity = "tls"\nca_file = "{ca_file}"'
        parts = [
            '[workspace]\nname = "Acme"\ntimezone = "Europe/Paris"\nlanguage = "fr"',
            f'[store]\nurl = "sqlite:///{self.database}"',
            # A limit that lets the largest message of any benchmark through: it is stored, not only read.
            f'[mail]\nsince = "{SINCE}"\nmax_attachment = "100MiB"',
            f"[servers.bench.imap]\nport = {port}\n{imap}",
        ]
        for box in self.boxes:
            secret = self.directory / f"{box.name}.secret"
            secret.touch(mode=0o600)
            secret.write_text(box.password)
            parts.append(f'[[users]]\nlogin = "{box.name}"\nname = "{box.name}"\nemail = "{box.username}"')
            parts.append(
                f'[[mailboxes]]\nname = "{box.name}"\nuser = "{box.name}"\nserver = "bench"\n'
                f'username = "{box.username}"\npassword = {{ file = "{box.name}.secret" }}\nsync = ["mail"]'
            )
        self.config.write_text("\n\n".join(parts) + "\n")

    def count(self, table: str) -> int:
        """The rows of a table of the product, read past it."""
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])

    def compact_size(self) -> int:
        """The octets of the database without the space that a VACUUM would give back."""
        target = self.directory / "compact.db"
        target.unlink(missing_ok=True)
        with sqlite3.connect(f"file:{self.database}?mode=ro", uri=True) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        size = target.stat().st_size
        target.unlink()
        return size

    def fingerprint(self) -> dict[str, tuple[int, int]]:
        """Size and time of change of the database's files: equal means that nothing was written."""
        return {
            path.name: (path.stat().st_size, path.stat().st_mtime_ns)
            for path in sorted(self.directory.glob("crm.db*"))
            # The index of the write-ahead log is shared memory that readers write to as well.
            if not path.name.endswith("-shm")
        }


def _account(person: Person) -> str:
    return person.company or person.email.rpartition("@")[2]


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
