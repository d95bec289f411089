"""Putting mail into the CRM: e-mails, attachments, activities and their links, in bulk.

All functions run in the caller's transaction. A mail that is already there is never stored again: it
gains users, links and activities only.
"""

from collections.abc import Iterable, Sequence
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
    """The threads that a batch touches, while the batch is being put in."""

    key_of: dict[str, str] = field(default_factory=dict)  # message id -> thread key
    roots: set[str] = field(default_factory=set)  # thread keys in use
    links: dict[tuple[str, int], tuple[int | None, int | None]] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)  # thread key -> the one it became

    def resolve(self, mail: MailRow) -> str:
        """The thread of a mail: that of the oldest message it answers to. Threads it joins become one."""
        known = list(dict.fromkeys(self.key_of[one] for one in mail.thread_ids if one in self.key_of))
        if known:
            key = known[0]
        elif mail.thread_ids:
            key = mail.thread_ids[0]
        else:
            key = mail.message_id or mail.fingerprint
        joined = known[1:]
        if mail.message_id is not None and mail.message_id in self.roots and mail.message_id != key:
            joined.append(mail.message_id)  # answers to it came first, and took its id for their root
        for other in joined:
            self._merge(other, key)
        self.roots.add(key)
        if mail.message_id is not None:
            self.key_of[mail.message_id] = key
        return key

    def final(self, key: str) -> str:
        """What a thread key became when threads were joined."""
        while key in self.merged:
            key = self.merged[key]
        return key

    def _merge(self, other: str, key: str) -> None:
        self.merged.pop(key, None)  # it lives on: no circle
        self.merged[other] = key
        self.roots.discard(other)
        for message_id, current in self.key_of.items():
            if current == other:
                self.key_of[message_id] = key
        for (thread, account), link in list(self.links.items()):
            if thread == other:
                self.links.setdefault((key, account), link)


def find(session: Session, fingerprints: Iterable[str]) -> dict[str, int]:
    """Which of the mails are there already: fingerprint -> id."""
    found: dict[str, int] = {}
    for part in chunked(fingerprints):
        query = select(EmailMessage.fingerprint, EmailMessage.id).where(EmailMessage.fingerprint.in_(part))
        found.update((fingerprint, id_) for fingerprint, id_ in session.execute(query))
    return found


def thread_accounts(session: Session, message_ids: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """For each message id whose thread is logged, the accounts at which it is."""
    key_of: dict[str, str] = {}
    for part in chunked(set(message_ids)):
        query = select(EmailMessage.message_id, EmailMessage.thread_key).where(
            EmailMessage.message_id.in_(part)
        )
        key_of.update((mid, key) for mid, key in session.execute(query) if mid is not None)
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


def load_threads(session: Session, mails: Sequence[MailRow]) -> Threads:
    """What the database knows of the threads that these mails belong to."""
    threads = Threads()
    ids = {one for mail in mails for one in mail.thread_ids}
    own = {mail.message_id for mail in mails if mail.message_id is not None}
    for part in chunked(ids | own):
        query = select(EmailMessage.message_id, EmailMessage.thread_key).where(
            EmailMessage.message_id.in_(part)
        )
        threads.key_of.update((mid, key) for mid, key in session.execute(query) if mid is not None)
    for part in chunked(own):
        roots = select(EmailMessage.thread_key).where(EmailMessage.thread_key.in_(part)).distinct()
        threads.roots.update(session.scalars(roots))
    for part in chunked(set(threads.key_of.values()) | threads.roots | ids):
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
        for key, account, opportunity, case in session.execute(links):
            if account is None:
                continue
            before = threads.links.get((key, account), (None, None))
            threads.links[key, account] = (
                opportunity or before[0],
                case or before[1],
            )  # the newest that has one
    return threads


def referenced(session: Session, hashes: Iterable[str]) -> set[str]:
    """Which of some contents any attachment refers to."""
    found: set[str] = set()
    for part in chunked(hashes):
        query = select(EmailAttachment.sha256).where(
            EmailAttachment.sha256.in_(part), EmailAttachment.path.is_not(None)
        )
        found.update(session.scalars(query.distinct()))
    return found


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
