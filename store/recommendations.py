"""Recommendations (recommandations): the one text that whoever opens an account, or orders for it, must see.

An account has one active row at most; what is replaced or cleared stays as an inactive row. Writing is for
people on the command line and pages, and for rules: nothing that a mailbox brings comes here (R007). The
account's events that are not over are announced in the same transaction, so that their calendars show it too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Boolean, ForeignKey, Index, String, Text, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from store import changeable, outbox, visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base, Entity, EnumText
from store.errors import Invalid
from store.readers import lines

LONGEST = 2000  # characters of a message
ACTIVE = text("active")


class Category(Enum):
    """What it is about; selects the label before the text and nothing else (R004)."""

    PAYMENT_DELAY = "payment_delay"  # Retard de paiement
    PAYMENT_NOTICE = "payment_notice"  # Avis de règlement
    ACCOUNT_INFO = "account_info"
    OTHER = "other"


class Severity(Enum):
    """How loud it is."""

    INFO = "info"
    WARNING = "warning"


class Source(Enum):
    """Who wrote it."""

    MANUAL = "manual"
    FILE = "file"
    FIELD = "field"


class AccountRecommendation(Entity, Base):
    """Recommandation. `updated_*` tell who replaced it, `deleted_*` who cleared it."""

    __tablename__ = "account_recommendation"
    __table_args__ = (
        Index(
            "uq_account_recommendation_active",
            "account_id",
            unique=True,
            sqlite_where=ACTIVE,
            postgresql_where=ACTIVE,
        ),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    message: Mapped[str] = mapped_column(Text)
    category: Mapped[Category] = mapped_column(EnumText(Category))
    severity: Mapped[Severity] = mapped_column(EnumText(Severity))
    source: Mapped[Source] = mapped_column(EnumText(Source))
    author: Mapped[str] = mapped_column(String(80))  # a login, or the rule's name
    rule: Mapped[str | None] = mapped_column(String(80))  # its name in the config
    clears: Mapped[bool] = mapped_column(Boolean, default=True)  # the rule's clear_when_false
    active: Mapped[bool] = mapped_column(Boolean)
    deleted_by: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class RecommendationDeclined(Base):
    """A text that a person deleted, or that stood ready when one did: rules do not write it again until they
    say something else. At most a few rows an account."""

    __tablename__ = "recommendation_declined"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    message: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One text, as it is shown."""

    message: str
    category: Category
    severity: Severity
    source: Source
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderWarning:
    """Something that whoever orders for an account must see."""

    type: str
    recommendation: Recommendation


@dataclass(frozen=True, slots=True)
class Former:
    """One that stands no more."""

    message: str
    category: Category
    source: Source
    author: str
    at: datetime
    until: datetime
    cleared: bool  # False: another one took its place


@dataclass(frozen=True, slots=True)
class RecommendationRow:
    """One in a list."""

    account_id: int
    account: str
    category: Category
    severity: Severity
    source: Source
    author: str
    at: datetime
    message: str


@dataclass(frozen=True, slots=True)
class Advice:
    """What is to be written."""

    message: str
    category: Category = Category.OTHER
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class By:
    """Who writes, through which door, when."""

    actor: Actor
    channel: Channel
    now: datetime


def checked(message: str) -> str:
    """The message as it is kept: plain text, its line breaks as they are. Raises Invalid."""
    plain = message.replace("\r\n", "\n").strip()
    if not plain:
        raise Invalid(Phrase("the message is empty: `syncd recommendation clear` takes one away"))
    if len(plain) > LONGEST:
        raise Invalid(
            Phrase(
                "the message has {count} characters, at most {longest} are kept",
                count=len(plain),
                longest=LONGEST,
            )
        )
    try:
        return lines(plain)
    except ValueError as error:
        raise Invalid(Phrase("the message {error}: plain text is expected", error=error)) from None


def put(session: Session, account_id: int, wanted: Advice, by: By) -> bool:
    """Makes this the account's text, written by a person. Returns whether that changed anything.

    Raises Invalid, NotFound, and Forbidden unless the actor may change the account (R008).
    """
    account = changeable.account(session, account_id, by.actor)
    wanted = Advice(checked(wanted.message), wanted.category, wanted.severity)
    before = current(session, account.id)
    if before is not None and _says(before) == (Source.MANUAL, wanted):
        return False
    write(session, account.id, wanted, by, before=before)
    return True


def write(
    session: Session,
    account_id: int,
    wanted: Advice,
    by: By,
    *,
    before: AccountRecommendation | None,
    source: Source = Source.MANUAL,
    rule: str | None = None,
    clears: bool = True,
) -> None:
    """Puts a text in the place of the one `before`, whoever may. `rule` is the name of the rule it is of."""
    if before is not None:
        _retire(before, by)
        session.flush()  # the index knows one active row an account
    session.add(
        AccountRecommendation(
            account_id=account_id,
            message=wanted.message,
            category=wanted.category,
            severity=wanted.severity,
            source=source,
            author=by.actor.login if rule is None else rule,
            rule=rule,
            clears=clears,
            active=True,
            created_at=by.now,
            created_by=by.actor.user_id,
            updated_at=by.now,
            updated_by=by.actor.user_id,
        )
    )
    forgive(session, account_id)
    word = "set" if before is None else "replaced"
    _audit(session, account_id, {"recommendation": word, "source": source.name}, by)
    outbox.announce_account(session, account_id, by.now)


def clear(session: Session, account_id: int, by: By, *, ready: Sequence[str] = ()) -> bool:
    """Takes the account's text away at a person's word. Returns whether there was one.

    `ready` are texts that rules would put in its place: the deletion holds for them too. Raises NotFound, and
    Forbidden unless the actor may change the account.
    """
    account = changeable.account(session, account_id, by.actor)
    before = current(session, account.id)
    if before is None:
        return False
    remove(session, before, by)
    forgive(session, account.id)
    for message in dict.fromkeys((before.message, *ready)):
        session.add(RecommendationDeclined(account_id=account.id, message=message, at=by.now))
    return True


def remove(session: Session, before: AccountRecommendation, by: By) -> None:
    """Takes a text away, whoever may."""
    _retire(before, by)
    before.deleted_at, before.deleted_by = by.now, by.actor.user_id
    _audit(session, before.account_id, {"recommendation": "cleared", "source": before.source.name}, by)
    outbox.announce_account(session, before.account_id, by.now)


def forgive(session: Session, account_id: int) -> None:
    """Forgets which texts a person deleted: rules have something else to say by now."""
    query = select(RecommendationDeclined).where(RecommendationDeclined.account_id == account_id)
    for row in session.scalars(query):
        session.delete(row)


def current(session: Session, account_id: int) -> AccountRecommendation | None:
    """The row that stands."""
    query = select(AccountRecommendation).where(AccountRecommendation.account_id == account_id)
    return session.scalar(query.where(AccountRecommendation.active))


def of_account(session: Session, account_id: int) -> Recommendation | None:
    """The text that stands: to be shown with the account (R005)."""
    row = current(session, account_id)
    if row is None:
        return None
    return Recommendation(row.message, row.category, row.severity, row.source, row.author, row.created_at)


def order_warnings(session: Session, account_id: int) -> tuple[OrderWarning, ...]:
    """What is shown once the account of a new order is chosen, before anything is saved (R006, R013)."""
    stands = of_account(session, account_id)
    return () if stands is None else (OrderWarning("recommendation", stands),)


def history(session: Session, account_id: int, at_most: int = 50) -> tuple[Former, ...]:
    """What stood before, the newest first."""
    query = (
        select(AccountRecommendation)
        .where(AccountRecommendation.account_id == account_id, AccountRecommendation.active.is_(False))
        .order_by(AccountRecommendation.id.desc())
        .limit(at_most)
    )
    return tuple(
        Former(one.message, one.category, one.source, one.author, one.created_at, one.updated_at,
               one.deleted_at is not None)
        for one in session.scalars(query)
    )  # fmt: skip


def listed(
    session: Session, limit: int, offset: int, reader: Actor | None = None
) -> tuple[tuple[RecommendationRow, ...], int]:
    """Those that stand at accounts that the reader may read, by the account's name, and their number."""
    r = AccountRecommendation
    rows = (
        select(r, Account.name)
        .join(Account, Account.id == r.account_id)
        .where(r.active, Account.deleted_at.is_(None), visible.accounts(reader))
    )
    found = session.execute(rows.order_by(Account.name, r.id).limit(limit).offset(offset))
    made = tuple(
        RecommendationRow(one.account_id, name, one.category, one.severity, one.source, one.author,
                          one.created_at, one.message)
        for one, name in found
    )  # fmt: skip
    return made, session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def _says(row: AccountRecommendation) -> tuple[Source, Advice]:
    return row.source, Advice(row.message, row.category, row.severity)


def _retire(row: AccountRecommendation, by: By) -> None:
    row.active = False
    row.updated_at, row.updated_by = by.now, by.actor.user_id
    row.version += 1


def _audit(session: Session, account_id: int, change: dict[str, object], by: By) -> None:
    """Without the text: what a log keeps cannot be erased."""
    session.add(
        AuditLog(
            at=by.now,
            actor=by.actor.login,
            entity="account",
            entity_id=account_id,
            change=change,
            channel=by.channel,
        )
    )
