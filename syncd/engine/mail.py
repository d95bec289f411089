"""One cycle of one mailbox's mail: observe, judge, read what matches, commit.

A batch of messages gets its verdicts, e-mails, activities and the folder's cursor in one transaction, so
that a kill at any moment loses nothing and repeats nothing. Nothing is written to a mailbox but the messages
of forms (`syncd.engine.meetings.messages`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog

from connectors.errors import CollectionError, CollectionGone
from connectors.model import FolderState
from connectors.protocol import MailConnector
from store import kept_contents, ledger, mailboxes
from store.blobs import BlobStore
from store.database import Database
from store.directory import Marks
from store.mailboxes import FolderRow, MailboxView
from syncd.core.directory import Directory
from syncd.core.identity import KeyedHash
from syncd.core.matching import Policy, Verdict
from syncd.engine.aside import AsideOrNot
from syncd.engine.batch import WITHHELD, Desk, Failure
from syncd.engine.committing import Committing, Halted, grouped
from syncd.engine.content import Limits
from syncd.engine.drafting import Drafting
from syncd.engine.folders import choose
from syncd.engine.judging import Judge
from syncd.engine.known import Known
from syncd.engine.meetings.messages import Messages
from syncd.engine.meetings.replies import Replies
from syncd.engine.reading import Judged
from syncd.engine.report import CycleReport, Rehearsed, is_news

HEADS = 500  # messages whose headers are judged together
GROUP = 500  # messages committed together
GROUP_OCTETS = 8 * 1024 * 1024  # of matching bodies committed together
LISTING_LASTS = timedelta(minutes=10)  # a folder that is gone says so at once; a new one may wait
RETRY_AFTER = timedelta(hours=6)  # of what lies in quarantine

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True)
class MailRules:
    """What the config says of mail, as the engine needs it."""

    policy: Callable[[datetime], Policy]  # by now, since an age limit moves
    policy_hash: str  # of everything that a verdict depends on
    limits: Limits


class MailSync:
    """The mail of one installation. One object serves all mailboxes and threads."""

    def __init__(self, database: Database, blobs: BlobStore, hashed: KeyedHash, rules: MailRules) -> None:
        self.database = database
        self.blobs = blobs
        self.hashed = hashed
        self.rules = rules
        self.known = Known(database, hashed)
        self.asides = AsideOrNot()
        self.messages: Messages | None = None  # set by the daemon: the messages of forms, where there are any
        self.drafting: Drafting | None = None  # and the drafts of mails
        self.replies: Replies | None = None  # and the answers to them
        self.halted: Callable[[], bool] = lambda: False  # set by the daemon: whether it has been told to stop
        self._listed: dict[str, datetime] = {}

    def prepare(self, marks: Marks, now: datetime) -> bool:
        """Before a cycle: finishes what a killed process left, searches the ledger for new addresses.

        Returns whether it searched: the folders may have messages in their queues now.
        """
        self.tidy()
        if marks.version and marks.version == marks.matched and marks.policy == self.rules.policy_hash:
            return False
        queued = self.known.catch_up(self.rules.policy_hash, domains=self.rules.policy(now).match_domains)
        if queued:
            log.info("older messages found for new addresses", action="late-match", messages=queued)
        return True

    def tidy(self) -> None:
        """Removes what killed or repeated batches left of attachments, unless a batch is at work now."""
        self.blobs.recover(self._referenced)

    def listed_lately(self, view: MailboxView, now: datetime) -> bool:
        """Whether this process got the list of folders a short while ago, and all was well."""
        at = self._listed.get(view.name)
        calm = bool(view.folders) and not any(folder.error for folder in view.folders)
        return calm and at is not None and timedelta() <= now - at < LISTING_LASTS

    def note_listing(self, view: MailboxView, now: datetime) -> None:
        """Remembers that the list of folders was asked for."""
        self._listed[view.name] = now

    def _referenced(self, hashes: Iterable[str]) -> set[str]:
        with self.database.read() as session:
            return kept_contents.referenced(session, hashes)

    def cycle(
        self,
        view: MailboxView,
        connector: MailConnector,
        now: datetime,
        report: CycleReport,
        *,
        wanted: Sequence[str] | None,
        dry_run: bool = False,
    ) -> None:
        """One look at every folder. `wanted` are the configured folders, None the usual ones.

        The connector is entered already. Raises MailboxError; a folder's error ends in the report.
        """
        _Cycle(
            sync=self,
            view=view,
            connector=connector,
            now=now,
            report=report,
            wanted=wanted,
            dry_run=dry_run,
        ).run()


class _Cycle:
    def __init__(
        self,
        *,
        sync: MailSync,
        view: MailboxView,
        connector: MailConnector,
        now: datetime,
        report: CycleReport,
        wanted: Sequence[str] | None,
        dry_run: bool,
    ) -> None:
        self.sync = sync
        self.view = view
        self.connector = connector
        self.now = now
        self.report = report
        self.wanted = wanted
        self.dry_run = dry_run
        policy = sync.rules.policy(now)
        self.judge = Judge(database=sync.database, known=sync.known, hashed=sync.hashed, policy=policy)
        self.desk = Desk(
            sync.database,
            sync.blobs,
            sync.hashed,
            sync.rules.limits,
            sync.rules.policy_hash,
            follow_threads=policy.follow_threads,
            replies=sync.replies,
        )

    def run(self) -> None:
        with self.sync.asides.lent() as readers:
            self.committing = Committing(
                desk=self.desk,
                view=self.view,
                connector=self.connector,
                judge=self.judge,
                now=self.now,
                report=self.report,
                readers=readers,
                go_on=self._go_on,
            )
            try:
                self._run()
            except Halted:
                log.info("ended early: paused, stopped, or the service ends", action="cycle")
            finally:
                self.committing.drop()
        if self.report.wrote and not self.dry_run:
            self.sync.tidy()

    def _run(self) -> None:
        folders = self._folders()
        states = self.connector.states([folder.ref for folder in folders])
        for folder in folders:
            self._guarded(folder, partial(self._new, told=states[folder.ref]))
        # Logging a message can bring others of its thread in, in any folder: until nothing waits.
        while self.report.wrote and not self.dry_run:
            waiting = [folder for folder in self._reload() if folder.queued and not folder.error]
            if not waiting:
                break
            for folder in waiting:
                self._guarded(folder, self._again)
        if self.view.letters and self.sync.messages is not None:
            self._forms(self.sync.messages)
        if self.view.drafts and self.sync.drafting is not None:
            self._drafts(self.sync.drafting)

    def _forms(self, messages: Messages) -> None:
        """The messages of forms; last, since an answer that does not come ends the cycle."""
        if self.dry_run:
            self.report.forms = messages.due(self.view.id)
            return
        self.report.wrote = True
        for _ in messages.put(self.view.id, self.connector, self.now):
            self.report.forms += 1
            self._go_on()

    def _drafts(self, drafting: Drafting) -> None:
        """Drafts of mails; last as well, for the same reason."""
        if self.dry_run:
            self.report.drafts = drafting.due(self.view.id)
            return
        self.report.wrote = True
        for _ in drafting.put(self.view.id, self.connector, self.now):
            self.report.drafts += 1
            self._go_on()

    # --- folders --------------------------------------------------------------------------------

    def _folders(self) -> Sequence[FolderRow]:
        """The folders to look at; asks the server for its list and remembers what is chosen."""
        if self.sync.listed_lately(self.view, self.now) and not self.dry_run:
            return self.view.folders
        choice = choose(self.connector.folders(), self.wanted, [(f.ref, f.role) for f in self.view.folders])
        current = {(folder.ref, folder.role) for folder in self.view.folders}
        if set(choice.folders) != current:
            if self.dry_run:
                return self._unwritten(choice.folders)
            with self.sync.database.write() as session:
                mailboxes.select_folders(session, self.view.id, choice.folders)
            self.report.wrote = True
        rows = self._reload() if self.report.wrote else self.view.folders
        for folder in rows:
            if folder.ref in choice.missing:
                gone = CollectionGone(
                    f"folder {folder.ref!r} is not on the server any more: was it renamed or deleted? "
                    "Name the folders to read in mail_folders, or bring it back",
                    collection=folder.ref,
                )
                self._fail(folder, gone)
        for name in choice.unknown:
            self.report.folder_errors[name] = (
                f"folder {name!r} is not on the server: `syncd doctor {self.view.name}` lists those that are"
            )
        for name in choice.never:
            self.report.folder_errors[name] = (
                f"folder {name!r} of mail_folders holds drafts, junk or trash: such a folder is never read; "
                "take it out of mail_folders"
            )
        if not (choice.missing or choice.unknown or choice.never):
            self.sync.note_listing(self.view, self.now)
        return [folder for folder in rows if folder.ref not in choice.missing]

    def _unwritten(self, wanted: Sequence[tuple[str, str]]) -> list[FolderRow]:
        known = {folder.ref: folder for folder in self.view.folders}
        return [known.get(ref, FolderRow(0, ref, role, "", 0, None)) for ref, role in wanted]

    def _reload(self) -> Sequence[FolderRow]:
        with self.sync.database.read() as session:
            return mailboxes.view(session, self.view.name).folders

    def _guarded(self, folder: FolderRow, work: Callable[[FolderRow], None]) -> None:
        """A folder in an error state is reported, and the others go on."""
        try:
            work(folder)
        except CollectionError as error:
            self._fail(folder, error)

    def _fail(self, folder: FolderRow, error: CollectionError) -> None:
        self.report.folder_errors[folder.ref] = str(error)
        if self.dry_run or not is_news(str(error), folder.error):
            return
        log.warning("folder cannot be read", action="folder", folder=folder.ref, error=str(error))
        with self.sync.database.write() as session:
            mailboxes.set_folder_error(session, folder.id, str(error), self.now)
        self.report.wrote = True

    # --- messages -------------------------------------------------------------------------------

    def _new(self, folder: FolderRow, told: FolderState | CollectionError) -> None:
        """What came since the last cycle, and what waits to be judged again."""
        if isinstance(told, CollectionError):
            raise told
        if folder.epoch != told.epoch:
            folder = self._begin_epoch(folder, told.epoch)
        if told.next_uid == 0 or told.next_uid - 1 > folder.cursor or folder.error is not None:
            uids = self.connector.uids(folder.ref, above=folder.cursor)
            with self.committing.all():
                for start in range(0, len(uids), HEADS):
                    folder = self._chunk(folder, uids[start : start + HEADS], fresh=True)
        if folder.quarantined and not self.dry_run:
            with self.sync.database.write() as session:
                ledger.enqueue_quarantined(session, [folder.id], before=self.now - RETRY_AFTER)
        if folder.queued or folder.quarantined:
            self._again(folder)
        if folder.error is not None and not self.dry_run:
            with self.sync.database.write() as session:
                mailboxes.set_folder_error(session, folder.id, None, self.now)
            log.info("folder can be read again", action="folder", folder=folder.ref)
            self.report.wrote = True

    def _begin_epoch(self, folder: FolderRow, epoch: str) -> FolderRow:
        if folder.epoch:
            log.warning(
                "the server numbered the folder anew: every message is matched again",
                action="rematch",
                folder=folder.ref,
            )
        if not self.dry_run:
            with self.sync.database.write() as session:
                ledger.begin_epoch(session, folder.id, epoch)
            self.report.wrote = True
        return replace(folder, epoch=epoch, cursor=0, queued=False)

    def _again(self, folder: FolderRow) -> None:
        """Judges again what waits in the queue."""
        while not self.dry_run:
            with self.sync.database.read() as session:
                uids = ledger.queued(session, folder.id, HEADS)
            if not uids:
                return
            with self.committing.all():
                self._chunk(folder, uids, fresh=False)

    def _chunk(self, folder: FolderRow, uids: Sequence[int], *, fresh: bool) -> FolderRow:
        self._go_on()
        heads = {head.uid: head for head in self.connector.heads(folder.ref, uids, self.judge.fields)}
        present = [uid for uid in uids if uid in heads]
        vanished, failures = self._missing(folder, [uid for uid in uids if uid not in heads])
        judged, unreadable, directory = self.judge.judge(folder, [heads[uid] for uid in present])
        failures += unreadable
        groups = grouped(judged, failures, most=GROUP, octets=GROUP_OCTETS)
        for number, (part, bad) in enumerate(groups):
            last = number == len(groups) - 1
            upto = uids[-1] if last else max([j.uid for j in part] + [f.uid for f in bad])
            folder = self._commit(folder, part, bad, directory, cursor=upto if fresh else None)
        if vanished and not fresh and not self.dry_run:
            with self.sync.database.write() as session:
                ledger.settle(session, folder.id, vanished)
        return folder

    def _go_on(self) -> None:
        """Between two batches: a person may have paused the mailbox, the service may be told to stop."""
        if self.sync.halted():
            raise Halted
        if self.dry_run:
            return
        with self.sync.database.read() as session:
            if not mailboxes.running(session, self.view.name):
                raise Halted

    def _missing(self, folder: FolderRow, uids: Sequence[int]) -> tuple[list[int], list[Failure]]:
        """Messages that the server did not return: deleted meanwhile, or listed and withheld."""
        if not uids:
            return [], []
        listed = set(self.connector.uids(folder.ref, above=min(uids) - 1))
        failures = [Failure(uid, WITHHELD) for uid in uids if uid in listed]
        return [uid for uid in uids if uid not in listed], failures

    def _commit(
        self,
        folder: FolderRow,
        judged: Sequence[Judged],
        failures: Sequence[Failure],
        directory: Directory,
        *,
        cursor: int | None,
    ) -> FolderRow:
        """Logs a group; returns the folder as it is once the group is committed."""
        if self.dry_run:
            self._rehearse(folder, judged)
            return folder
        self.committing.put(folder, judged, failures, directory, cursor=cursor)
        return folder if cursor is None else replace(folder, cursor=cursor)

    def _rehearse(self, folder: FolderRow, judged: Sequence[Judged]) -> None:
        for one in judged:
            self.report.verdicts[one.decision.verdict] += 1
            if one.decision.verdict is Verdict.LOGGED:
                accounts = tuple(dict.fromkeys(link.account_id for link in one.decision.links))
                envelope = one.seen.envelope
                self.report.rehearsed.append(
                    Rehearsed(folder.ref, one.uid, envelope.date, envelope.subject, accounts)
                )
