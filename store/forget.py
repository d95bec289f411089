"""Taking logged mail out of the CRM again: what stands on which match, and removing it.

Which matches still hold is for the engine to judge; here are the rows. All functions run in the caller's
transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.orm import Session

from store import attendance_rows, ledger, mail_log
from store.accounts import Account
from store.activities import Activity, ActivityContact
from store.audit_log import AuditLog, Channel
from store.contacts import Contact
from store.ledger import VerdictRow, chunked
from store.mail import EmailAttachment, EmailDirection, EmailMatch, EmailMessage, EmailUser, MatchRule
from store.mail_log import ActivityRow, Filing, MatchRow
from store.sync_state import Collection, KnownKey, Verdict, VerdictKind

PAGE = 300  # e-mails looked at together

Condition = ColumnElement[bool]  # for those who may not import SQLAlchemy


@dataclass(frozen=True, slots=True)
class Match:
    """One reason why an e-mail stands at an account."""

    id: int
    account_id: int
    contact_id: int | None
    rule: MatchRule
    address: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message lies."""

    collection_id: int
    uid: int
    folder: str
    role: str


@dataclass(frozen=True, slots=True)
class LoggedMail:
    """A logged e-mail, as far as judging it again needs it."""

    id: int
    message_id: str | None
    thread_key: str
    direction: EmailDirection
    from_: tuple[str, ...]
    to: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    reply_to: tuple[str, ...]
    date: datetime
    subject: str
    matches: tuple[Match, ...]
    places: tuple[Place, ...]
    users: tuple[int, ...]


@dataclass(slots=True)
class Removal:
    """What is to go, and what takes its place."""

    matches: list[int] = field(default_factory=list)  # to be deleted
    amended: dict[int, tuple[MatchRule, str]] = field(default_factory=dict)  # stand for another address now
    added: dict[int, tuple[MatchRow, ...]] = field(
        default_factory=dict
    )  # by e-mail: stand for another reason
    mails: dict[int, LoggedMail] = field(default_factory=dict)  # to be deleted whole
    verdicts: dict[Place, tuple[VerdictKind, str | None]] = field(default_factory=dict)
    losing: dict[int, LoggedMail] = field(default_factory=dict)  # stay, at fewer accounts
    addresses: frozenset[str] = frozenset()  # go from attendance reports: nobody has them
    contact_id: int | None = None  # goes from them too: is deleted
    names: frozenset[str] = frozenset()  # go from them too, where the person has no address
    calls: tuple[int, ...] = ()  # activities that go with their forms


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much went."""

    mails: int
    activities: int
    matches: int
    attachments: int  # rows; files that other mail refers to stay
    reports: int = 0  # attendance reports that named them
    calls: int = 0


def all_mails() -> ColumnElement[bool]:
    """Every e-mail."""
    return EmailMessage.id.is_not(None)


def by_addresses(addresses: Sequence[str]) -> ColumnElement[bool]:
    """E-mails that stand somewhere because of one of these addresses."""
    return EmailMessage.id.in_(select(EmailMatch.email_id).where(EmailMatch.address.in_(addresses)))


def by_contact(contact_id: int) -> ColumnElement[bool]:
    """E-mails that stand somewhere because of this contact."""
    return EmailMessage.id.in_(select(EmailMatch.email_id).where(EmailMatch.contact_id == contact_id))


def count(session: Session, addresses: Sequence[str]) -> dict[str, int]:
    """For each address, how many e-mails stand somewhere because of it; without those of none."""
    found: dict[str, int] = {}
    for part in chunked(addresses):
        query = (
            select(EmailMatch.address, func.count(EmailMatch.email_id.distinct()))
            .where(EmailMatch.address.in_(part))
            .group_by(EmailMatch.address)
        )
        found.update((address, number) for address, number in session.execute(query))
    return found


def holder_of(session: Session, address: str) -> Contact | Account | None:
    """A contact or an account, not deleted, that has the address."""
    mine = (Contact.email == address) | (Contact.email2 == address) | (Contact.email3 == address)
    contact = session.scalar(select(Contact).where(Contact.deleted_at.is_(None), mine).limit(1))
    if contact is not None:
        return contact
    return session.scalar(
        select(Account).where(Account.deleted_at.is_(None), Account.email == address).limit(1)
    )


def people_in_reports(
    session: Session, addresses: Sequence[str], contact_id: int | None
) -> tuple[frozenset[str], int | None]:
    """Whom attendance reports are to name no more: of these addresses those that nobody has, and the contact
    with its addresses if it is deleted."""
    wanted = set(addresses)
    contact = None if contact_id is None else session.get(Contact, contact_id)
    gone = contact is not None and contact.deleted_at is not None
    if contact is not None and gone:
        wanted.update(contact.addresses())
    return frozenset(one for one in wanted if holder_of(session, one) is None), contact_id if gone else None


def mails(session: Session, which: ColumnElement[bool]) -> Iterator[list[LoggedMail]]:
    """The e-mails in pages, by id."""
    last = 0
    while True:
        query = select(EmailMessage.id).where(which, EmailMessage.id > last).order_by(EmailMessage.id)
        ids = list(session.scalars(query.limit(PAGE)))
        if not ids:
            return
        yield load(session, ids)
        last = ids[-1]


def load(session: Session, ids: Sequence[int]) -> list[LoggedMail]:
    """These e-mails, with their matches, places and users."""
    found: list[LoggedMail] = []
    for part in chunked(ids):
        matches: dict[int, list[Match]] = {}
        for m in session.scalars(
            select(EmailMatch).where(EmailMatch.email_id.in_(part)).order_by(EmailMatch.id)
        ):
            matches.setdefault(m.email_id, []).append(
                Match(m.id, m.account_id, m.contact_id, m.rule, m.address)
            )
        places: dict[int, list[Place]] = {}
        where = (
            select(
                Verdict.email_id, Verdict.collection_id, Verdict.uid, Collection.remote_ref, Collection.role
            )
            .join(Collection, Collection.id == Verdict.collection_id)
            .where(Verdict.email_id.in_(part))
        )
        for email, collection, uid, ref, role in session.execute(where):
            if email is None:
                continue
            places.setdefault(email, []).append(Place(collection, uid, ref, role))
        users: dict[int, list[int]] = {}
        holders = select(EmailUser.email_id, EmailUser.user_id).where(EmailUser.email_id.in_(part))
        for email, user in session.execute(holders.order_by(EmailUser.user_id)):
            users.setdefault(email, []).append(user)
        e = EmailMessage
        columns = (e.id, e.message_id, e.thread_key, e.direction, e.from_, e.to, e.cc, e.bcc, e.reply_to,
                   e.date, e.subject)  # fmt: skip
        for id_, mid, thread, direction, from_, to, cc, bcc, reply_to, date, subject in session.execute(
            select(*columns).where(e.id.in_(part)).order_by(e.id)
        ):
            found.append(
                LoggedMail(
                    id_,
                    mid,
                    thread,
                    direction,
                    tuple(from_),
                    tuple(to),
                    tuple(cc),
                    tuple(bcc),
                    tuple(reply_to),
                    date,
                    subject,
                    tuple(matches.get(id_, ())),
                    tuple(places.get(id_, ())),
                    tuple(users.get(id_, ())),
                )
            )
    return found


def thread_matches(
    session: Session, thread_keys: Iterable[str]
) -> list[tuple[str, int, int, int, MatchRule]]:
    """Every match in some threads: (thread, e-mail, match, account, rule)."""
    found: list[tuple[str, int, int, int, MatchRule]] = []
    for part in chunked(dict.fromkeys(thread_keys)):
        query = (
            select(
                EmailMessage.thread_key,
                EmailMessage.id,
                EmailMatch.id,
                EmailMatch.account_id,
                EmailMatch.rule,
            )
            .join(EmailMatch, EmailMatch.email_id == EmailMessage.id)
            .where(EmailMessage.thread_key.in_(part))
        )
        found.extend(
            (key, email, match, account, rule) for key, email, match, account, rule in session.execute(query)
        )
    return found


def apply(
    session: Session, removal: Removal, keys: Iterable[int], now: datetime, *, actor: str, because: str
) -> Forgotten:
    """Does it. `keys` are those of the addresses that are forgotten: who gets one of them again is new.

    The ledger keeps the messages' keys, so that a later contact finds them again.
    """
    ids = list(removal.mails)
    before = _activities(session)
    attachments = _amount(session, ids)
    for number, (rule, address) in removal.amended.items():
        session.execute(update(EmailMatch).where(EmailMatch.id == number).values(rule=rule, address=address))
    for part in chunked(removal.matches):
        session.execute(delete(EmailMatch).where(EmailMatch.id.in_(part)))
    filings = [
        _filing(mail, removal.added[mail.id]) for mail in removal.losing.values() if mail.id in removal.added
    ]
    mail_log.file(session, filings, now)
    _drop_activities(session, removal)
    by_folder: dict[int, list[VerdictRow]] = {}
    for place, (kind, reason) in removal.verdicts.items():
        by_folder.setdefault(place.collection_id, []).append(VerdictRow(place.uid, kind, reason))
    for collection_id, rows in by_folder.items():
        ledger.write(session, collection_id, rows)
    for part in chunked(ids):
        session.execute(delete(EmailMessage).where(EmailMessage.id.in_(part)))
    for part in chunked(keys):
        session.execute(delete(KnownKey).where(KnownKey.key.in_(part)))
    session.flush()
    reports = attendance_rows.erase(session, removal.addresses, removal.contact_id, removal.names)
    activities, calls = before - _activities(session), len(removal.calls)
    gone = Forgotten(len(ids), activities, len(removal.matches), attachments, reports, calls)
    session.add(
        AuditLog(
            at=now,
            actor=actor,
            entity="email_message",
            entity_id=None,
            change={
                "forgotten": gone.mails,
                "activities": gone.activities,
                "attachments": gone.attachments,
                "reports": gone.reports,
                "calls": gone.calls,
                "because": because,
            },
            channel=Channel.CLI,
        )
    )
    return gone


def _filing(mail: LoggedMail, matches: tuple[MatchRow, ...]) -> Filing:
    user = mail.users[0]
    activities = tuple(
        ActivityRow(account, user, mail.date, mail.subject, None, None)
        for account in dict.fromkeys(match.account_id for match in matches)
    )
    return Filing(mail.id, user, matches, activities)


def _drop_activities(session: Session, removal: Removal) -> None:
    """Activities at accounts where an e-mail has no match left, and contacts that took no part."""
    for part in chunked(removal.losing):
        held = and_(EmailMatch.email_id == Activity.email_id, EmailMatch.account_id == Activity.account_id)
        session.execute(
            delete(Activity)
            .where(
                Activity.email_id.in_(part), ~select(EmailMatch.id).where(held).correlate(Activity).exists()
            )
            .execution_options(synchronize_session=False)
        )
        took_part = (
            select(EmailMatch.id)
            .join(Activity, Activity.email_id == EmailMatch.email_id)
            .where(
                Activity.id == ActivityContact.activity_id,
                Activity.account_id == EmailMatch.account_id,
                EmailMatch.contact_id == ActivityContact.contact_id,
            )
            .correlate(ActivityContact)
        )
        session.execute(
            delete(ActivityContact)
            .where(
                ActivityContact.activity_id.in_(select(Activity.id).where(Activity.email_id.in_(part))),
                ~took_part.exists(),
            )
            .execution_options(synchronize_session=False)
        )


def _activities(session: Session) -> int:
    return (
        session.scalar(select(func.count()).select_from(Activity).where(Activity.email_id.is_not(None))) or 0
    )


def _amount(session: Session, ids: Iterable[int]) -> int:
    total = 0
    for part in chunked(ids):
        query = select(func.count()).select_from(EmailAttachment).where(EmailAttachment.email_id.in_(part))
        total += session.scalar(query) or 0
    return total
