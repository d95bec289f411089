"""One benchmark run: its servers, its mailboxes and its scratch space, all removed at the end.

Repetitions leave their files where they are until then; `benchmarks.mbsync` says why.
"""

import os
import secrets
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks import extremes
from benchmarks.corpus import Corpus, generate
from benchmarks.dav.agenda import Agenda
from benchmarks.dav.servers import KINDS, Server
from benchmarks.dav.workplace import Workplace
from benchmarks.ews.server import Exchange
from benchmarks.harness import Usage, WrongResult, empty_files
from benchmarks.installation import Box, Installation
from benchmarks.mbsync import Source
from benchmarks.phrases import Language, Person
from tests.servers.dovecot import Account, DovecotServer

SEED = 7
CONTACT = Person("Paul", "Constant", "paul@customer.example", "Customer", Language.FRENCH)
OUT = Path(__file__).with_name("out")


@dataclass(frozen=True, slots=True)
class Scale:
    """How large everything is, and how often it is measured."""

    messages: int = 20_000  # in the large mailbox
    smaller: tuple[int, ...] = (1_000, 5_000)  # messages in the others that the first log is measured with
    ledgers: tuple[int, ...] = (2_000, 20_000, 200_000)  # verdicts before ten new messages come
    folders: tuple[int, ...] = (2_000, 20_000)  # messages on the server before ten new ones come
    mailboxes: int = 1_000
    much: float = 1  # of the largest messages: 1 is 50 MB
    repetitions: int = 3  # of what takes seconds
    cycles: int = 50  # with nothing new
    news: int = 9  # cycles with ten new messages
    events: int = 5_000  # in the calendar
    written: int = 500  # events of the CRM
    bindings: tuple[int, ...] = (1_000, 10_000, 100_000)  # multiples of the first
    plans: int = 15
    exchange_mail: tuple[int, ...] = (5_000, 20_000)  # messages in mailboxes on the EWS server
    exchange_events: int = 4_000  # in the calendar there
    meetings: int = 10_000  # that end in one minute
    accounts: int = 100_000  # of the nightly look at statuses
    entries: int = 10_000  # in a contact's timeline
    pages: int = 20  # of it
    contacts: int = 100_000  # in lists
    imported: int = 50_000  # contacts in a file
    warm_up: bool = True


# For a test that every scenario works: nothing of it is a measurement.
QUICK = Scale(
    messages=300,
    smaller=(),
    ledgers=(20, 40),
    folders=(20, 40),
    mailboxes=6,
    much=0.01,
    repetitions=1,
    cycles=2,
    news=1,
    events=40,
    written=5,
    bindings=(20, 40),
    plans=1,
    exchange_mail=(100, 300),
    exchange_events=40,
    meetings=40,
    accounts=200,
    entries=400,
    pages=2,
    contacts=2_000,
    imported=300,
    warm_up=False,
)


@dataclass(frozen=True, slots=True)
class HeldCorpus:
    """A generated mailbox, and the user of the server that it belongs to."""

    corpus: Corpus
    account: Account


class Bench:
    """A context manager: leaving it ends the servers, which start when they are needed, and removes all."""

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        OUT.mkdir(exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=OUT))
        self.curves: dict[str, dict[int, float]] = defaultdict(dict)  # for the picture: name -> size -> value
        self._held: dict[int, HeldCorpus] = {}
        self._prepared: dict[tuple[Person, ...], Installation] = {}
        self._directories = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    @cached_property
    def server(self) -> DovecotServer:
        """The server of mail."""
        server = DovecotServer()
        self._stack.callback(server.close)
        server.start()
        return server

    @cached_property
    def dav_servers(self) -> tuple[Server, ...]:
        """One server of calendars of each kind."""
        return tuple(self._started(kind()) for kind in KINDS)

    @cached_property
    def exchange(self) -> Exchange:
        """The server of Exchange Web Services."""
        server = Exchange()
        self._stack.callback(server.close)
        return server

    def _started(self, server: Server) -> Server:
        self._stack.callback(server.close)
        return server

    @cached_property
    def agenda(self) -> Agenda:
        """The calendar that all calendar benchmarks take their events from."""
        return Agenda("claire@acme.example", SEED)

    @cached_property
    def workplace(self) -> Workplace:
        """Makes installations for calendars."""
        return Workplace(self.agenda, self.new_directory())

    def corpus(self, messages: int) -> HeldCorpus:
        """The mailbox of that many messages, generated once."""
        if messages not in self._held:
            account = self.server.add_user(f"claire.{messages}@acme.example")
            maildir = self._empty_maildir(account)
            corpus = generate(maildir, messages=messages, seed=SEED, user=account.username)
            self._hand_over(account)
            self._held[messages] = HeldCorpus(corpus, account)
        return self._held[messages]

    def mailbox(
        self, name: str, inbox: Iterable[bytes], sent: Iterable[bytes] = (), *, next_uid: int = 1
    ) -> Account:
        """A new user of that name with these messages, the first one's UID in the Inbox being `next_uid`."""
        account = self.server.add_user(f"{name}@acme.example")
        maildir = self._empty_maildir(account)
        extremes.write(maildir, inbox, sent)
        # The first line of Dovecot's own list of UIDs; it makes the rest.
        (maildir / "dovecot-uidlist").write_text(f"3 V1600000000 N{next_uid} G{secrets.token_hex(16)}\n")
        self._hand_over(account)
        return account

    def _empty_maildir(self, account: Account) -> Path:
        maildir = self.server.maildir(account)
        shutil.rmtree(maildir)
        return maildir

    def _hand_over(self, account: Account) -> None:
        """Makes the server the owner of what was put into the user's maildir."""
        maildir = self.server.maildir(account)
        owner = maildir.parent.stat()
        for path in (maildir, *maildir.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid)

    def source(self, account: Account, *, tls: bool = False) -> Source:
        """How to reach the user's mailbox."""
        port, ca_file = self.reach(tls=tls)
        return Source(port, account.username, account.password, ca_file)

    def reach(self, *, tls: bool) -> tuple[int, Path | None]:
        """The server's port, and what to trust there (None: clear text)."""
        return (self.server.tls_port, self.server.ca_file) if tls else (self.server.port, None)

    def install(self, *accounts: Account, people: Sequence[Person], tls: bool = False) -> Installation:
        """A fresh installation for the mailboxes, with those contacts, that has not seen any mail yet."""
        boxes = [Box(each.username.partition("@")[0], each.username, each.password) for each in accounts]
        port, ca_file = self.reach(tls=tls)
        known = self._known(tuple(people))
        return known.copy_to(self.new_directory(), port=port, ca_file=ca_file, boxes=boxes)

    def _known(self, people: tuple[Person, ...]) -> Installation:
        """An installation without mailboxes that knows these contacts, made once."""
        if people in self._prepared:
            return self._prepared[people]
        port, ca_file = self.reach(tls=False)
        if people:
            installation = self._known(()).copy_to(self.new_directory(), port=port, ca_file=ca_file)
            installation.import_people(people)
        else:
            installation = Installation(self.new_directory())
            installation.directory.mkdir()
            installation.configure(port=port, ca_file=ca_file)
            installation.run("db", "upgrade")
        self._prepared[people] = installation
        return installation

    def first_log(self, template: Installation, *, seen: int, logged: int, tls: bool = False) -> Usage:
        """The cost of the first cycle of a copy of `template`, in a new directory.

        Raises WrongResult unless it saw and logged that many messages.
        """
        directory = self.new_directory()
        usage = self._first_log(template, directory, seen, logged, tls=tls)
        empty_files(directory)
        return usage

    def first_log_again(
        self, template: Installation, directory: Path, *, seen: int, logged: int, tls: bool = False
    ) -> Usage:
        """The same in a directory of that name, whose former content is removed right before."""
        if directory.exists():
            shutil.rmtree(directory)
        return self._first_log(template, directory, seen, logged, tls=tls)

    def _first_log(
        self, template: Installation, directory: Path, seen: int, logged: int, *, tls: bool
    ) -> Usage:
        port, ca_file = self.reach(tls=tls)
        fresh = template.copy_to(directory, port=port, ca_file=ca_file)
        usage = fresh.run("sync")
        found = fresh.count("verdict"), fresh.count("email_message")
        if found != (seen, logged):
            raise WrongResult(f"{found[0]} verdicts and {found[1]} e-mails instead of {seen} and {logged}")
        return usage

    def new_directory(self) -> Path:
        """The name of a directory in the scratch space that nothing has used."""
        self._directories += 1
        return self.scratch / f"run-{self._directories}"
