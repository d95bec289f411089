"""One group of messages: bodies read, attachments put in place, everything committed at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from connectors.errors import CollectionError, ItemError
from connectors.protocol import MailConnector
from store import directory as store_directory
from store import ledger, mail_log
from store.blobs import BlobBatch, BlobStore
from store.database import Database, Transaction
from store.errors import Stale
from store.ledger import VerdictRow
from store.mail import MatchRule
from store.mail_log import ActivityRow, Filing, MailRow, MatchRow, Threads
from store.mailboxes import FolderRow, MailboxView
from store.sync_state import VerdictKind
from syncd.core.directory import Directory
from syncd.core.identity import KeyedHash, ledger_keys, thread_names
from syncd.core.matching import Verdict, case_for, opportunity_for
from syncd.engine.reading import Judged, Limits, read
from syncd.engine.report import CycleReport

WITHHELD = "the server lists this message but does not return it"
KINDS = {verdict: VerdictKind[verdict.name] for verdict in Verdict}

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Failure:
    """One message that could not be read."""

    uid: int
    error: str


@dataclass(frozen=True)
class Desk:
    """What every batch of an installation works with."""

    database: Database
    blobs: BlobStore
    hashed: KeyedHash
    limits: Limits
    policy_hash: str
    follow_threads: bool


@dataclass(slots=True)
class _Work:
    """A group on its way into the database."""

    judged: Sequence[Judged]
    failures: list[Failure]
    mails: dict[str, MailRow]  # to be stored, by fingerprint
    prints: dict[int, str]  # uid -> fingerprint of what is logged, and of nothing else
    gone: set[int]  # deleted on the server before its body was read
    wasted: bool  # attachments were put down of messages that are not stored


class Batch:
    """Stores one group; `store` either commits all of it or nothing."""

    def __init__(
        self,
        *,
        desk: Desk,
        view: MailboxView,
        folder: FolderRow,
        connector: MailConnector,
        directory: Directory,
        now: datetime,
        report: CycleReport,
    ) -> None:
        self.desk = desk
        self.view = view
        self.folder = folder
        self.connector = connector
        self.directory = directory
        self.now = now
        self.report = report

    def store(self, judged: Sequence[Judged], failures: Sequence[Failure], *, cursor: int | None) -> None:
        """Reads, then commits. Raises Stale where the state that was judged by is gone."""
        with self.desk.blobs.batch() as blobs:
            work = self._read(judged, list(failures), blobs)
            blobs.publish()
            with self.desk.database.write() as session:
                fresh, activities = self._write(session, work, cursor)
            if not work.wasted and fresh == len(work.mails):
                blobs.done()  # else the next recovery removes what no row refers to
        for one in work.judged:
            if one.uid not in work.gone:
                self.report.verdicts[one.decision.verdict] += 1
        self.report.verdicts[Verdict.QUARANTINED] += len(work.failures)
        self.report.stored += fresh
        self.report.activities += activities
        self.report.wrote = True
        for failure in work.failures:
            log.warning(
                "message cannot be read: put in quarantine",
                action="quarantine",
                folder=self.folder.ref,
                uid=failure.uid,
                error=failure.error,
            )

    # --- reading --------------------------------------------------------------------------------

    def _read(self, judged: Sequence[Judged], failures: list[Failure], blobs: BlobBatch) -> _Work:
        logged = [one for one in judged if one.decision.verdict is Verdict.LOGGED]
        prints = {one.uid: one.fingerprint for one in logged if one.fingerprint is not None}
        with self.desk.database.read() as session:
            known = mail_log.find(session, set(prints.values()))
        need = {one.uid: one for one in logged if one.fingerprint is None or one.fingerprint not in known}
        mails: dict[str, MailRow] = {}
        lost: set[int] = set()
        wasted = False
        if need:
            wasted = self._fetch(need, blobs, mails, prints, failures)
            failed = {failure.uid for failure in failures}
            lost = {uid for uid, one in need.items() if uid not in failed and prints.get(uid) not in mails}
        gone = self._gone(lost, failures)
        failed = {failure.uid for failure in failures}
        for uid in failed | gone:
            prints.pop(uid, None)
        rest = [one for one in judged if one.uid not in failed]
        return _Work(rest, failures, mails, prints, gone, wasted)

    def _fetch(
        self,
        need: dict[int, Judged],
        blobs: BlobBatch,
        mails: dict[str, MailRow],
        prints: dict[int, str],
        failures: list[Failure],
    ) -> bool:
        """Reads what is needed; returns whether attachments were put down that belong to nothing."""
        wasted = False
        for raw in self.connector.bodies(self.folder.ref, sorted(need)):
            if isinstance(raw, ItemError):
                failures.append(Failure(int(raw.locator), str(raw)))
                continue
            if need[raw.uid].fingerprint in mails:
                continue  # another copy of it was just read
            try:
                mail = read(need[raw.uid], raw, blobs, self.desk.limits)
            except ItemError as error:
                failures.append(Failure(raw.uid, str(error)))
                wasted = True
                continue
            wasted |= mails.setdefault(mail.fingerprint, mail) is not mail
            prints[raw.uid] = mail.fingerprint
        return wasted

    def _gone(self, lost: set[int], failures: list[Failure]) -> set[int]:
        """Of the messages without an answer: deleted meanwhile, or listed and withheld (a failure)."""
        if not lost:
            return set()
        listed = set(self.connector.uids(self.folder.ref, above=min(lost) - 1))
        failures += [Failure(uid, WITHHELD) for uid in sorted(lost & listed)]
        return lost - listed

    # --- writing --------------------------------------------------------------------------------

    def _write(self, session: Transaction, work: _Work, cursor: int | None) -> tuple[int, int]:
        """Everything in the caller's transaction; returns how many e-mails and activities are new."""
        follow = self.desk.follow_threads
        # Two that put mail into one thread at the same time would not see each other's, and tear it apart.
        alone = follow or bool(work.mails)
        state = store_directory.state(session, lock=alone, share=not alone)
        if state.version != self.directory.version:
            raise Stale("the CRM's addresses changed")
        if state.policy != self.desk.policy_hash:
            # Another process has searched the ledger by other rules already: ours must not come after.
            raise CollectionError("the rules of [mail] changed; next cycle", collection=self.folder.ref)
        if follow:
            self._check_threads(session, work.judged)
        ids = mail_log.find(session, set(work.prints.values()))
        if any(print_ not in ids and print_ not in work.mails for print_ in work.prints.values()):
            raise Stale("an e-mail was removed")
        fresh = sorted(
            (m for m in work.mails.values() if m.fingerprint not in ids),
            key=lambda m: (m.date, m.fingerprint),
        )
        named = self._named(fresh)
        threads = mail_log.load_threads(session, named, ids.values())
        keys = [threads.resolve(mail) for mail in fresh]
        keys = [threads.final(key) for key in keys]
        new_ids = mail_log.insert_mails(session, fresh, keys, self.now)
        ids.update(zip((mail.fingerprint for mail in fresh), new_ids, strict=True))
        mail_log.merge_threads(session, threads.merged)
        threads.of_email.update(zip(new_ids, keys, strict=True))
        filings = self._filings(work, ids, threads)
        activities = mail_log.file(session, filings, self.now)
        self._put_verdicts(session, work, ids)
        if follow and named:
            ledger.enqueue_by_keys(session, named, kinds={VerdictKind.NO_CONTACT})
        old = self.folder
        ledger.advance(session, old.id, epoch=old.epoch, old=old.cursor, new=cursor or old.cursor)
        return len(fresh), activities

    def _check_threads(self, session: Transaction, judged: Sequence[Judged]) -> None:
        """Raises Stale where a thread that holds one of these strangers was logged since they were judged."""
        strangers = [
            thread_names(one.seen.envelope)
            for one in judged
            if one.decision.verdict is Verdict.NO_CONTACT and one.decision.counterparts
        ]
        named = {self.desk.hashed.message_id(one): one for names in strangers for one in names}
        if mail_log.thread_accounts(session, named):
            raise Stale("a thread was logged")

    def _named(self, mails: Sequence[MailRow]) -> dict[int, str]:
        """The ids of the mails and of what they answer to, by their keys in the ledger."""
        named = {one for mail in mails for one in (*mail.thread_ids, mail.message_id) if one is not None}
        return {self.desk.hashed.message_id(one): one for one in named}

    def _filings(self, work: _Work, ids: dict[str, int], threads: Threads) -> list[Filing]:
        filings = []
        for one in sorted(work.judged, key=lambda judged: judged.seen.moment):
            if one.uid not in work.prints:
                continue
            email_id = ids[work.prints[one.uid]]
            links = one.decision.links
            matches = tuple(
                MatchRow(k.account_id, k.contact_id, MatchRule[k.rule.name], k.address) for k in links
            )
            accounts = dict.fromkeys(link.account_id for link in links)
            key = threads.final(threads.of_email[email_id])
            activities = tuple(self._activity(one, account, key, threads) for account in accounts)
            filings.append(Filing(email_id, self.view.user_id, matches, activities))
        return filings

    def _activity(self, one: Judged, account: int, key: str, threads: Threads) -> ActivityRow:
        envelope = one.seen.envelope
        known_opportunity, known_case = threads.links.get((key, account), (None, None))
        opportunity = opportunity_for(envelope.subject, account, known_opportunity, self.directory)
        case = case_for(envelope.subject, account, known_case, self.directory)
        if (opportunity, case) != (None, None):
            threads.links[key, account] = (opportunity, case)  # the next reply of this group takes it over
        author = next(
            (self.directory.own[a.email] for a in envelope.sender if a.email in self.directory.own), None
        )
        return ActivityRow(
            account_id=account,
            user_id=author if author is not None else self.view.user_id,
            occurred_at=one.seen.moment,
            subject=envelope.subject,
            opportunity_id=opportunity,
            case_file_id=case,
        )

    def _put_verdicts(self, session: Transaction, work: _Work, ids: dict[str, int]) -> None:
        # What was logged of this user stays, though rules keep it out now: its place is known all the same.
        kept_out = {one.fingerprint for one in work.judged if one.uid not in work.prints and one.fingerprint}
        held = mail_log.find(session, kept_out, user_id=self.view.user_id)
        rows = [
            VerdictRow(
                uid=one.uid,
                kind=KINDS[one.decision.verdict],
                reason=one.decision.reason,
                keys=ledger_keys(one.seen.envelope, one.decision.counterparts, self.desk.hashed),
                email_id=ids[work.prints[one.uid]]
                if one.uid in work.prints
                else held.get(one.fingerprint or ""),
            )
            for one in work.judged
            if one.uid not in work.gone
        ]
        rows += [
            VerdictRow(failure.uid, VerdictKind.QUARANTINED, "see quarantine") for failure in work.failures
        ]
        ledger.write(session, self.folder.id, rows)
        ledger.settle(session, self.folder.id, [one.uid for one in work.judged])
        for failure in work.failures:
            ledger.quarantine(session, self.folder.id, failure.uid, failure.error, self.now)
        ledger.unqueue(session, self.folder.id, [failure.uid for failure in work.failures])
