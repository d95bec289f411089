"""The project's own EWS server in a process of its own, so that its time and its memory are not the client's.

It is plain HTTP on this machine, and it checks no message against Microsoft's schema while it is measured:
the tests do that. Everything it holds is in its memory.
"""

import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from benchmarks.corpus import INBOX, Corpus
from benchmarks.ews import events
from benchmarks.harness import WrongResult
from tests.servers.dovecot import Account
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer

_LONG = 60.0  # seconds that the process may take to end


class _Command(Protocol):
    def perform(self, server: EwsServer) -> str: ...


@dataclass(frozen=True, slots=True)
class _Where:
    def perform(self, server: EwsServer) -> str:
        return str(server.port)


@dataclass(frozen=True, slots=True)
class _AddMailbox:
    address: str

    def perform(self, server: EwsServer) -> str:
        return server.add_mailbox(self.address)


@dataclass(frozen=True, slots=True)
class _Deliver:
    """Files of messages, each with its distinguished folder; the file's time is when it was received."""

    address: str
    files: Sequence[tuple[str, Path]]

    def perform(self, server: EwsServer) -> str:
        other = OtherClient(server, self.address)
        for folder, file in self.files:
            received = datetime.fromtimestamp(int(file.stat().st_mtime), UTC)
            content = file.read_bytes().replace(b"\n", b"\r\n")  # as it was when it was on its way
            other.add_mail(content, folder=folder, received=received, read=True)
        return ""


@dataclass(frozen=True, slots=True)
class _FillCalendar:
    address: str
    count: int
    seed: int

    def perform(self, server: EwsServer) -> str:
        events.fill(OtherClient(server, self.address), self.address, self.count, self.seed)
        return ""


class Exchange:
    """The running server, without mailboxes."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self.port = int(self._ask(_Where()))

    def close(self) -> None:
        """Ends it; raises WrongResult if anything failed inside."""
        try:
            self._ask(None)
        finally:
            self._process.join(_LONG)
            self._pipe.close()

    def new_mailbox(self, address: str) -> Account:
        """A new, empty mailbox."""
        return Account(address, self._ask(_AddMailbox(address)))

    def deliver(self, account: Account, corpus: Corpus) -> None:
        """Puts the corpus into the mailbox."""
        files = [("inbox" if mail.folder == INBOX else "sentitems", mail.path) for mail in corpus.mails]
        self._ask(_Deliver(account.username, files))

    def fill_calendar(self, account: Account, count: int, seed: int) -> None:
        """Puts so many events into the mailbox's calendar."""
        self._ask(_FillCalendar(account.username, count, seed))

    def _ask(self, command: _Command | None) -> str:
        self._pipe.send(command)
        try:
            done, said = self._pipe.recv()
        except EOFError:
            raise WrongResult("the EWS server ended") from None
        if not done:
            raise WrongResult(f"the EWS server failed: {said}")
        return str(said)


def _serve(pipe: Connection) -> None:
    """What the process does until it is told to end, or until nobody is there to tell it."""
    try:
        with EwsServer(checked=False) as server:
            while (command := pipe.recv()) is not None:
                pipe.send((True, command.perform(server)))
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - told to whoever measures, which ends the run
        pipe.send((False, f"{type(error).__name__}: {error}"))
    else:
        pipe.send((True, ""))
