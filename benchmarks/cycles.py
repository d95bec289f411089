"""Cycles of the product in this process, as its daemon runs them.

For costs that the start of a process would hide.
"""

import gc
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.harness import Usage, WrongResult, timed
from connectors.calendar import Item
from store import calendar_rows, ledger, mailboxes, outbox
from store.bindings import BoundEntity
from store.ledger import VerdictRow
from store.sync_state import VerdictKind
from syncd.daemon import logs
from syncd.daemon.clock import now
from syncd.daemon.wiring import Installation
from syncd.engine import garbage
from syncd.engine.calendar.items import Setting, draft_of, settled
from syncd.engine.calendar.people import People
from syncd.engine.report import CycleReport

KEYS = 3  # that a stranger's message is found by: sender, domain, message id


class Cycles:
    """An opened installation; a context manager that closes it. `keep` keeps connections between cycles."""

    def __init__(self, config: Path, *, keep: bool) -> None:
        logs.configure("error", "json")
        self._usual = gc.get_threshold()
        self._installation = Installation.open(config, keep=keep)
        self.names = [mailbox.name for mailbox in self._installation.settings.mailboxes]
        self.workers = self._installation.settings.schedule.workers

    def __enter__(self) -> Self:
        # What the benchmark itself holds, tens of thousands of records, is not the product's garbage.
        gc.collect()
        gc.freeze()
        garbage.look_seldom()  # as in the daemon
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._installation.close()
        gc.set_threshold(*self._usual)
        gc.unfreeze()

    def one(self, *, pulled: int = 0, logged: int = 0) -> Usage:
        """A cycle of the only mailbox; raises WrongResult unless it saw and stored that many messages."""
        reports: list[CycleReport] = []
        usage = timed(lambda: reports.append(self._run(self.names[0])))
        _check(reports, pulled, logged)
        return usage

    def round(self, *, pulled: int = 0) -> Usage:
        """A cycle of every mailbox, with as many threads as the daemon; `pulled` new messages altogether."""
        reports: list[CycleReport] = []
        with ThreadPoolExecutor(self.workers) as pool:
            usage = timed(lambda: reports.extend(pool.map(self._run, self.names)))
        _check(reports, pulled, 0)
        return usage

    def calendar(self, name: str, *, pulled: int = 0, pushed: int = 0, first: bool = False) -> Usage:
        """A cycle of a mailbox that is a calendar; raises WrongResult unless it took in and wrote that much.

        The `first` one may write down what there is.
        """
        reports: list[CycleReport] = []
        usage = timed(lambda: reports.append(self._run(name)))
        _check(reports, 0, 0, wrote=bool(pulled or pushed or first))
        found = reports[0].calendar.pulled, reports[0].calendar.pushed
        if found != (pulled, pushed):
            raise WrongResult(f"{found[0]} taken in and {found[1]} written instead of {pulled} and {pushed}")
        return usage

    def fill_crm(self, name: str, items: Sequence[Item]) -> None:
        """A person makes these events in the CRM."""
        database = self._installation.database
        with database.read() as session:
            owner = mailboxes.view(session, name).user_id
        people = People(self._installation.mail.known.directory())
        setting = Setting(owner, people, self._installation.settings.workspace.timezone)
        drafts = [draft_of(settled(item), setting, None) for item in items]
        with database.write() as session:
            made = calendar_rows.insert_events(session, drafts, now(), by=owner)
            outbox.announce(session, BoundEntity.EVENT, made, now(), by_person=True)

    def fill(self, name: str, size: int) -> None:
        """Gives the mailbox's Inbox verdicts on strangers' messages with the UIDs up to `size`."""
        self._run(name)
        database, rng = self._installation.database, random.Random(size)
        with database.read() as session:
            folder = next(each for each in mailboxes.view(session, name).folders if each.ref == "INBOX")
        for part in ledger.chunked(range(1, size + 1)):
            rows = [
                VerdictRow(uid, VerdictKind.NO_CONTACT, keys=tuple(rng.getrandbits(63) for _ in range(KEYS)))
                for uid in part
            ]
            with database.write() as session:
                ledger.write(session, folder.id, rows)
        with database.write() as session:
            ledger.advance(session, folder.id, epoch=folder.epoch, old=0, new=size)

    def _run(self, name: str) -> CycleReport:
        return self._installation.supervisor.run(name, now)


def _check(reports: list[CycleReport], pulled: int, logged: int, *, wrote: bool = False) -> None:
    for report in reports:
        if report.failed or report.skipped:
            why = report.error or report.skipped or report.folder_errors
            raise WrongResult(f"mailbox {report.mailbox} was not worked on: {why}")
    found = sum(report.pulled for report in reports), sum(report.stored for report in reports)
    if found != (pulled, logged):
        raise WrongResult(f"{found[0]} messages seen and {found[1]} stored instead of {pulled} and {logged}")
    if not pulled and not wrote and any(report.wrote for report in reports):
        raise WrongResult("a cycle with nothing new wrote to the database")
