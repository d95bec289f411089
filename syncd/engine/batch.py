"""One group of messages: bodies read, attachments put in place, everything committed at once."""

from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from connectors.errors import CollectionError, ItemError
from connectors.model import RawMessage
from connectors.protocol import MailConnector
from store import directory as store_directory
from store import ledger, mail_log, meeting_rows
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
from syncd.engine.aside import HERE, Reader
from syncd.engine.content import Limits
from syncd.engine.kept_out import without_erased
from syncd.engine.meetings.replies import Replies, Reply, Said, in_sent, said_in
from syncd.engine.reader import Outcome
from syncd.engine.reading import Judged, mail_row
from syncd.engine.report import CycleReport

LARGEST_ASIDE = 1024 * 1024  # octets; larger messages are not sent to another process
ASIDE_AT_ONCE = 256 * 1024  # octets of smaller ones that are sent together
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
    replies: Replies | None = None  # None: nobody answers forms by mail


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
    """Stores one group: `begin` has it read, `commit` stores all of it or nothing, `close` ends it.

    Where the reader works aside, another batch may begin before this one is committed.
    """

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
        reader: Reader,
    ) -> None:
        self.desk = desk
        self.view = view
        self.folder = folder
        self.connector = connector
        self.directory = directory
        self.now = now
        self.report = report
        self.reader = reader
        self._blobs: BlobBatch | None = None
        self._work: Future[_Work] = Future()
        self._work.cancel()  # until there is any
        self._work.set_running_or_notify_cancel()
        self._asked: list[tuple[list[int], Future[list[Outcome]]]] = []  # uids, their contents
        self._replies: dict[int, Reply] = {}  # by uid: what may be an answer to a form
        self._said: list[Said] = []
        self._copies: dict[int, int] = {}  # uid -> that of another copy, which is read

    def begin(self, judged: Sequence[Judged], failures: Sequence[Failure]) -> None:
        """Fetches what is to be logged and gives it to the reader. Raises MailboxError, CollectionError."""
        self.asked, self.asked_failures = judged, failures
        self._failures = list(failures)
        self._blobs = self.desk.blobs.batch().__enter__()
        logged = [one for one in judged if one.decision.verdict is Verdict.LOGGED]
        self._prints = {one.uid: one.fingerprint for one in logged if one.fingerprint is not None}
        with self.desk.database.read() as session:
            known = mail_log.find(session, set(self._prints.values()))
        self._need = {
            one.uid: one for one in logged if one.fingerprint is None or one.fingerprint not in known
        }
        if self.desk.replies is not None:
            self._find_replies(self.desk.replies, judged)
        wanted = self._need.keys() | self._replies.keys()
        self._gone = self._withheld(wanted - self._fetch(sorted(wanted))) if wanted else set()
        self._work = self.reader.then(self._published)

    def commit(self, *, cursor: int | None) -> None:
        """Stores what was read. Raises Stale where the state that was judged by is gone."""
        blobs = self._open_blobs()
        work = self._work.result()
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

    def close(self) -> None:
        """Lets go of the attachments' folder; what was not committed is removed from it."""
        wait([future for _, future in self._asked])
        wait([self._work])
        blobs, self._blobs = self._blobs, None
        if blobs is not None:
            blobs.__exit__(None, None, None)

    # --- reading --------------------------------------------------------------------------------

    def _open_blobs(self) -> BlobBatch:
        if self._blobs is None:
            raise AssertionError("begin comes first, close last")
        return self._blobs

    def _published(self) -> _Work:
        """Waits for the reader, and puts the attachments in place."""
        blobs = self._open_blobs()
        work = self._read(blobs)
        blobs.publish()
        return work

    def _fetch(self, wanted: Sequence[int]) -> set[int]:
        """Has everything read that is needed; returns the messages that the server answered for."""
        answered: set[int] = set()
        first: dict[str, int] = {}  # fingerprint -> the copy that is read
        uids: list[int] = []
        held: list[bytes] = []
        for raw in self.connector.bodies(self.folder.ref, wanted):
            if isinstance(raw, ItemError):
                answered.add(int(raw.locator))
                self._failures.append(Failure(int(raw.locator), str(raw)))
                continue
            answered.add(raw.uid)
            if raw.uid in self._replies and not self._heard(raw):
                continue
            print_ = self._need[raw.uid].fingerprint
            if print_ is not None and first.setdefault(print_, raw.uid) != raw.uid:
                self._copies[raw.uid] = first[print_]
            elif self.reader is HERE or len(raw.content) > LARGEST_ASIDE:
                self._ask(HERE, [raw.uid], [raw.content])  # valid until the next one comes
            else:
                uids.append(raw.uid)
                held.append(bytes(raw.content))
                if sum(map(len, held)) > ASIDE_AT_ONCE:
                    self._ask(self.reader, uids, held)
                    uids, held = [], []
        if uids:
            self._ask(self.reader, uids, held)
        return answered

    def _find_replies(self, replies: Replies, judged: Sequence[Judged]) -> None:
        """Which messages may be answers to forms. Those of which that cannot be told now come again later."""
        for uid, one in replies.among(self.view, self.folder, judged, self.directory, self.now).items():
            try:
                if in_sent(one, self.folder, self.connector):
                    self._replies[uid] = one
            except CollectionError as error:
                self._failures.append(Failure(uid, str(error)))
                self._need.pop(uid, None)

    def _heard(self, raw: RawMessage) -> bool:
        """Reads an answer to a form; returns whether it is to be logged as well."""
        try:
            self._said.append(said_in(self._replies[raw.uid], raw.content))
        except ItemError as error:
            self._failures.append(Failure(raw.uid, str(error)))
            return False
        return raw.uid in self._need

    def _ask(self, reader: Reader, uids: list[int], messages: Sequence[memoryview | bytes]) -> None:
        with self.desk.blobs.writing():
            self._asked.append((uids, reader.read(messages, self.desk.blobs.parts, self.desk.limits)))

    def _withheld(self, lost: set[int]) -> set[int]:
        """Of the messages without an answer those deleted meanwhile; the others are failures."""
        if not lost:
            return set()
        listed = set(self.connector.uids(self.folder.ref, above=min(lost) - 1))
        self._failures += [Failure(uid, WITHHELD) for uid in sorted(lost & listed)]
        return lost - listed

    def _read(self, blobs: BlobBatch) -> _Work:
        """Waits for the reader."""
        mails: dict[str, MailRow] = {}
        unreadable: dict[int, str] = {}
        wasted = False
        for uids, future in self._asked:
            with self.desk.blobs.writing():
                outcomes = future.result()
            for uid, outcome in zip(uids, outcomes, strict=True):
                if isinstance(outcome, str):
                    unreadable[uid] = outcome
                    continue
                mail = mail_row(self._need[uid], outcome, blobs)
                wasted |= mails.setdefault(mail.fingerprint, mail) is not mail
                self._prints[uid] = mail.fingerprint
        unreadable |= {uid: unreadable[first] for uid, first in self._copies.items() if first in unreadable}
        failures = [*self._failures, *(Failure(uid, error) for uid, error in unreadable.items())]
        failed = {failure.uid for failure in failures}
        for uid in failed | self._gone:
            self._prints.pop(uid, None)
        rest = [one for one in self.asked if one.uid not in failed]
        late = {one.uid for one in rest if one.fingerprint is None and one.uid in self._prints}
        if late:  # only now is it known which messages these are
            named = [
                replace(one, fingerprint=self._prints[one.uid]) if one.uid in late else one for one in rest
            ]
            rest = without_erased(self.desk.database, self.desk.hashed, named)
            for one in rest:
                if one.decision.verdict is Verdict.ERASED and one.uid in late:
                    mails.pop(self._prints.pop(one.uid), None)
                    wasted = True
        return _Work(rest, failures, mails, self._prints, self._gone, wasted or bool(unreadable))

    # --- writing --------------------------------------------------------------------------------

    def _write(self, session: Transaction, work: _Work, cursor: int | None) -> tuple[int, int]:
        """Everything in the caller's transaction; returns how many e-mails and activities are new."""
        follow = self.desk.follow_threads
        if self._said:
            meeting_rows.alone(session)  # before any other lock: who follows meetings up begins with it too
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
        if self.desk.replies is not None and self._said:
            self.desk.replies.take(session, (self.view, self.folder), self._said, self.directory, self.now)
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
                keys=()
                if one.decision.verdict is Verdict.ERASED
                else ledger_keys(one.seen.envelope, one.decision.counterparts, self.desk.hashed),
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
