"""Putting mail into the CRM: e-mails, attachments, activities and their links, in bulk.

All functions run in the caller's transaction. A mail that is already there is never stored again: it
gains users, links and activities only.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.blobs import Blob
from store.database import bulk, reserve_ids
from store.ledger import chunked, upsert
from store.mail import (
    EmailAttachment,
    EmailDirection,
    EmailMatch,
    EmailMessage,
    EmailUser,
    MatchRule,
)
from store.sync_state import Verdict, VerdictKey

SUBJECT_LENGTH = 255  # of an activity; the e-mail keeps its own whole


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """One attachment, its content already in the blob store."""

    name: str
    mime: str
    inline: bool
    blob: Blob


@dataclass(frozen=True, slots=True)
class MailRow:
    """The content of one e-mail."""

    fingerprint: str
    message_id: str | None
    thread_ids: tuple[str, ...]  # what it answers to, oldest first
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    direction: EmailDirection
    from_: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    reply_to: tuple[str, ...]
    date: datetime
    subject: str
    body_text: str
    body_html: str
    size: int
    defects: tuple[str, ...]
    attachments: tuple[AttachmentRow, ...]


@dataclass(frozen=True, slots=True)
class MatchRow:
    """One reason why a mail stands at an account."""

    account_id: int
    contact_id: int | None
    rule: MatchRule
    address: str


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """The activity of one mail at one account."""

    account_id: int
    user_id: int
    occurred_at: datetime
    subject: str
    opportunity_id: int | None
    case_file_id: int | None


@dataclass(frozen=True, slots=True)
class Filing:
    """Where one mail belongs: the users who hold it, the reasons, the activities."""

    email_id: int
    user_id: int
    matches: tuple[MatchRow, ...]
    activities: tuple[ActivityRow, ...]


@dataclass(slots=True)
class Threads:
    """The threads that a batch touches, while the batch is being put in.

    A thread is held together by its messages and by what they name: two answers to a message that was
    never logged are of one thread.
    """

    key_of: dict[str, str] = field(default_factory=dict)  # message id -> thread key
    of_email: dict[int, str] = field(default_factory=dict)  # e-mail that is there already -> thread key
    links: dict[tuple[str, int], tuple[int | None, int | None]] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)  # thread key -> the one it became

    def resolve(self, mail: MailRow) -> str:
        """The thread of a mail: that of the oldest message it answers to. Threads it joins become one."""
        named = mail.thread_ids if mail.message_id is None else (*mail.thread_ids, mail.message_id)
        known = list(dict.fromkeys(self.final(self.key_of[one]) for one in named if one in self.key_of))
        key = next(iter((*known, *named)), mail.fingerprint)
        for other in known[1:]:
            self._merge(other, key)
        for one in named:
            self.key_of.setdefault(one, key)
        return key

    def note(self, message_id: str, key: str) -> None:
        """A message of this id, or one that names it, is in the thread."""
        known, key = self.final(self.key_of.setdefault(message_id, key)), self.final(key)
        if known != key:
            self._merge(key, known)

    def final(self, key: str) -> str:
        """What a thread key became when threads were joined."""
        while key in self.merged:
            key = self.merged[key]
        return key

    def _merge(self, other: str, key: str) -> None:
        """Both are keys in use, and different: so there is never a circle."""
        self.merged[other] = key
        for (thread, account), link in list(self.links.items()):
            if thread == other:
                self.links.setdefault((key, account), link)


def find(session: Session, fingerprints: Iterable[str], *, user_id: int | None = None) -> dict[str, int]:
    """Which of the mails are there already, or are this user's already: fingerprint -> id."""
    found: dict[str, int] = {}
    for part in chunked(fingerprints):
        query = select(EmailMessage.fingerprint, EmailMessage.id).where(EmailMessage.fingerprint.in_(part))
        if user_id is not None:
            query = query.join(
                EmailUser, (EmailUser.email_id == EmailMessage.id) & (EmailUser.user_id == user_id)
            )
        found.update((fingerprint, id_) for fingerprint, id_ in session.execute(query))
    return found


def _threads_of(session: Session, ids: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    """(message id, thread key) for each of the ids that is logged or that a logged mail names.

    `ids` are message ids by their keys in the ledger: it knows the nearest references of each mail.
    """
    for part in chunked(ids.values()):
        own = select(EmailMessage.message_id, EmailMessage.thread_key).where(
            EmailMessage.message_id.in_(part)
        )
        yield from ((one, key) for one, key in session.execute(own).all() if one is not None)
        roots = select(EmailMessage.thread_key).where(EmailMessage.thread_key.in_(part)).distinct()
        yield from ((key, key) for key in session.scalars(roots).all())
    for keys in chunked(ids):
        naming = (
            select(VerdictKey.key, EmailMessage.thread_key)
            .join(
                Verdict, (Verdict.collection_id == VerdictKey.collection_id) & (Verdict.uid == VerdictKey.uid)
            )
            .join(EmailMessage, EmailMessage.id == Verdict.email_id)
            .where(VerdictKey.key.in_(keys))
            .distinct()
        )
        yield from ((ids[hashed], key) for hashed, key in session.execute(naming).all())


def thread_accounts(session: Session, ids: Mapping[int, str]) -> dict[str, tuple[int, ...]]:
    """For each message id that belongs to a logged thread, the accounts at which that is.

    `ids` are message ids by their keys in the ledger.
    """
    key_of = dict(_threads_of(session, ids))
    accounts: dict[str, set[int]] = {}
    for part in chunked(set(key_of.values())):
        pairs = (
            select(EmailMessage.thread_key, EmailMatch.account_id)
            .join(EmailMatch, EmailMatch.email_id == EmailMessage.id)
            .where(EmailMessage.thread_key.in_(part), EmailMatch.rule != MatchRule.THREAD)
            .distinct()
        )
        for key, account in session.execute(pairs):
            accounts.setdefault(key, set()).add(account)
    return {mid: tuple(sorted(accounts[key])) for mid, key in key_of.items() if key in accounts}


def load_threads(session: Session, ids: Mapping[int, str], emails: Iterable[int]) -> Threads:
    """What is known of the threads of some message ids (by their keys in the ledger) and e-mails."""
    threads = Threads()
    for message_id, key in _threads_of(session, ids):
        threads.note(message_id, key)
    for some in chunked(emails):
        query = select(EmailMessage.id, EmailMessage.thread_key).where(EmailMessage.id.in_(some))
        threads.of_email.update((id_, key) for id_, key in session.execute(query))
    for part in chunked({*threads.key_of.values(), *threads.of_email.values(), *threads.merged}):
        links = (
            select(
                EmailMessage.thread_key, Activity.account_id, Activity.opportunity_id, Activity.case_file_id
            )
            .join(Activity, Activity.email_id == EmailMessage.id)
            .where(
                EmailMessage.thread_key.in_(part),
                (Activity.opportunity_id.is_not(None)) | (Activity.case_file_id.is_not(None)),
            )
            .order_by(Activity.occurred_at, Activity.id)
        )
        for thread, account, opportunity, case in session.execute(links):
            if account is None:
                continue
            key = threads.final(thread)
            before = threads.links.get((key, account), (None, None))
            threads.links[key, account] = (
                opportunity or before[0],
                case or before[1],
            )  # the newest that has one
    return threads


def insert_mails(session: Session, mails: Sequence[MailRow], keys: Sequence[str], now: datetime) -> list[int]:
    """Stores the mails with their attachments; `keys` are their threads. Returns their ids."""
    if not mails:
        return []
    ids = list(reserve_ids(session, EmailMessage, len(mails)))
    bulk(
        session,
        EmailMessage,
        [
            {
                "id": id_,
                "created_at": now,
                "updated_at": now,
                "version": 1,
                "message_id": mail.message_id,
                "fingerprint": mail.fingerprint,
                "thread_key": key,
                "direction": mail.direction,
                "from": mail.from_,
                "to": mail.to,
                "cc": mail.cc,
                "bcc": mail.bcc,
                "reply_to": mail.reply_to,
                "in_reply_to": mail.in_reply_to,
                "references": mail.references,
                "date": mail.date,
                "subject": mail.subject,
                "body_text": mail.body_text,
                "body_html": mail.body_html,
                "size": mail.size,
                "defects": mail.defects,
            }
            for id_, mail, key in zip(ids, mails, keys, strict=True)
        ],
    )
    attachments = [
        {
            "email_id": id_,
            "position": position,
            "name": one.name,
            "mime": one.mime,
            "size": one.blob.size,
            "sha256": one.blob.sha256,
            "inline": one.inline,
            "path": one.blob.path,
        }
        for id_, mail in zip(ids, mails, strict=True)
        for position, one in enumerate(mail.attachments)
    ]
    if attachments:
        bulk(session, EmailAttachment, attachments)
    return ids


def merge_threads(session: Session, merged: dict[str, str]) -> None:
    """Threads that turned out to be one: every mail of the former key gets the latter."""
    for other, key in merged.items():
        session.execute(update(EmailMessage).where(EmailMessage.thread_key == other).values(thread_key=key))


def file(session: Session, filings: Sequence[Filing], now: datetime) -> int:
    """Links mails to users, accounts and contacts; what is linked already stays. Returns new activities."""
    if not filings:
        return 0
    session.connection().execute(
        upsert(session, EmailUser, keep=True),
        [{"email_id": filing.email_id, "user_id": filing.user_id} for filing in filings],
    )
    ids = {filing.email_id for filing in filings}
    known: set[tuple[int, int, int | None]] = set()
    activity_of: dict[tuple[int, int], int] = {}
    for part in chunked(ids):
        matches = select(EmailMatch.email_id, EmailMatch.account_id, EmailMatch.contact_id)
        known.update((e, a, c) for e, a, c in session.execute(matches.where(EmailMatch.email_id.in_(part))))
        activities = select(Activity.email_id, Activity.account_id, Activity.id).where(
            Activity.email_id.in_(part)
        )
        activity_of.update(
            ((e, a), i) for e, a, i in session.execute(activities) if e is not None and a is not None
        )
    fresh_matches = []
    fresh_activities: dict[tuple[int, int], ActivityRow] = {}
    for filing in filings:
        for match in filing.matches:
            triple = (filing.email_id, match.account_id, match.contact_id)
            if triple not in known:
                known.add(triple)
                fresh_matches.append((filing.email_id, match))
        for row in filing.activities:
            pair = (filing.email_id, row.account_id)
            if pair not in activity_of:
                fresh_activities.setdefault(pair, row)
    _insert_activities(session, fresh_activities, activity_of, now)
    if fresh_matches:
        bulk(
            session,
            EmailMatch,
            [
                {
                    "email_id": email_id,
                    "account_id": match.account_id,
                    "contact_id": match.contact_id,
                    "rule": match.rule,
                    "address": match.address,
                }
                for email_id, match in fresh_matches
            ],
        )
        people = [
            {"activity_id": activity_of[email_id, match.account_id], "contact_id": match.contact_id}
            for email_id, match in fresh_matches
            if match.contact_id is not None
        ]
        if people:
            session.connection().execute(upsert(session, ActivityContact, keep=True), people)
    return len(fresh_activities)


def _insert_activities(
    session: Session,
    rows: dict[tuple[int, int], ActivityRow],
    activity_of: dict[tuple[int, int], int],
    now: datetime,
) -> None:
    if not rows:
        return
    ids = reserve_ids(session, Activity, len(rows))
    activity_of.update(zip(rows, ids, strict=True))
    bulk(
        session,
        Activity,
        [
            {
                "id": activity_of[email_id, row.account_id],
                "created_at": now,
                "updated_at": now,
                "version": 1,
                "type": ActivityType.EMAIL,
                "account_id": row.account_id,
                "opportunity_id": row.opportunity_id,
                "case_file_id": row.case_file_id,
                "user_id": row.user_id,
                "occurred_at": min(row.occurred_at, now),
                "subject": row.subject[:SUBJECT_LENGTH],
                "comments": "",
                "automatic": True,
                "state": ActivityState.VALIDATED,
                "email_id": email_id,
            }
            for (email_id, _), row in rows.items()
        ],
    )
