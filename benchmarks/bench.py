"""One benchmark run: its Dovecot, its mailboxes and its scratch space, all removed at the end.

Repetitions leave their files where they are until then; `benchmarks.mbsync` says why.
"""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.corpus import Corpus, generate
from benchmarks.harness import Usage, empty_files
from benchmarks.installation import Box, Installation, install
from benchmarks.mbsync import Source
from benchmarks.phrases import Person
from tests.servers.dovecot import Account, DovecotServer

SEED = 7
OUT = Path(__file__).with_name("out")


@dataclass(frozen=True, slots=True)
class HeldCorpus:
    """A generated mailbox, and the user of the server that it belongs to."""

    corpus: Corpus
    account: Account


class Bench:
    """A context manager: entering starts the server, leaving ends it and removes everything."""

    def __init__(self, *, messages: int = 20_000, repetitions: int = 3) -> None:
        self.messages = messages
        self.repetitions = repetitions
        self.server = DovecotServer()
        OUT.mkdir(exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=OUT))
        self._held: dict[int, HeldCorpus] = {}
        self._installations = 0

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def corpus(self, messages: int) -> HeldCorpus:
        """The mailbox of that many messages, generated once."""
        if messages not in self._held:
            account = self.server.add_user(f"claire.{messages}@acme.example")
            maildir = self.empty_maildir(account)
            corpus = generate(maildir, messages=messages, seed=SEED, user=account.username)
            self.hand_over(account)
            self._held[messages] = HeldCorpus(corpus, account)
        return self._held[messages]

    def empty_maildir(self, account: Account) -> Path:
        """Where the user's maildir goes; nothing is there any more."""
        maildir = self.server.maildir(account)
        shutil.rmtree(maildir)
        return maildir

    def hand_over(self, account: Account) -> None:
        """Makes the server the owner of what was put into the user's maildir."""
        maildir = self.server.maildir(account)
        owner = maildir.parent.stat()
        for path in (maildir, *maildir.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)

    def source(self, account: Account, *, tls: bool = False) -> Source:
        """How to reach the user's mailbox."""
        if tls:
            return Source(self.server.tls_port, account.username, account.password, self.server.ca_file)
        return Source(self.server.port, account.username, account.password)

    def install(self, source: Source, people: list[Person]) -> Installation:
        """A fresh installation for the mailbox, with those contacts, that has not seen any mail yet."""
        box = Box(source.username.partition("@")[0], source.username, source.password)
        installation = install(self._directory(), [box], port=source.port, ca_file=source.ca_file)
        installation.run("db", "upgrade")
        installation.import_people(people)
        return installation

    def first_log(self, template: Installation, *, seen: int, logged: int) -> Usage:
        """The cost of the first cycle of a copy of `template`.

        Raises WrongResult unless it saw and logged that many messages.
        """
        fresh = template.copy_to(self._directory())
        usage = fresh.run("sync")
        found = fresh.count("verdict"), fresh.count("email_message")
        if found != (seen, logged):
            raise WrongResult(f"{found[0]} verdicts and {found[1]} e-mails instead of {seen} and {logged}")
        empty_files(fresh.directory)
        return usage

    def _directory(self) -> Path:
        self._installations += 1
        return self.scratch / f"installation-{self._installations}"


class WrongResult(Exception):
    """The product was measured while doing something else than it should."""
