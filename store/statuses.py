"""The status of accounts: its history, what it is worked out from, and writing it.

What status an account has is not decided here: `syncd.core.status` does, and the engine joins the two. Days
are those of the workspace's time zone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy import ColumnElement, ForeignKey, Select, SmallInteger, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Mapped, Session, mapped_column

from store import directory, hierarchy
from store.accounts import Account, AccountStatus, AccountType
from store.base import Base, EnumText
from store.database import bulk
from store.deals import Deal, Project
from store.ledger import chunked
from store.pipeline import Opportunity, OpportunityAccount
from store.users import User

ONLY = 1  # the id of the only row of account_status_pass


class AccountStatusHistory(Base):
    """One change of an account's status."""

    __tablename__ = "account_status_history"

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"), index=True)
    from_: Mapped[AccountStatus | None] = mapped_column(
        "from", EnumText(AccountStatus)
    )  # None: the first one
    to: Mapped[AccountStatus] = mapped_column(EnumText(AccountStatus))
    on: Mapped[date]
    reason: Mapped[int] = mapped_column(SmallInteger)  # the row of table T1
    at: Mapped[datetime]


class AccountStatusPass(Base):
    """The day that the statuses of all accounts were computed for last. One row."""

    __tablename__ = "account_status_pass"

    id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date]
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Span:
    """When a deal or an opportunity ended, as it is written down."""

    end_date: date | None
    closed_on: date | None
    changed_at: datetime | None = None  # of opportunities


@dataclass(frozen=True, slots=True)
class Facts:
    """What the status of one account is worked out from. What is deleted is left out."""

    account_id: int
    name: str
    created_on: date
    status: AccountStatus | None  # as it is stored
    deals: tuple[Span, ...]
    opportunities: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class StatusChange:
    """An account that gets another status. `before` is None for the first one it gets."""

    account_id: int
    name: str
    before: AccountStatus | None
    after: AccountStatus
    reason: int  # the row of table T1


@dataclass(frozen=True, slots=True)
class StatusRow:
    """One change in an account's history."""

    on: date
    from_: AccountStatus | None
    to: AccountStatus
    reason: int


Chosen = Callable[[InstrumentedAttribute[int]], ColumnElement[bool]]


def page(session: Session, after: int, at_most: int, *, rollup: bool = False) -> list[Facts]:
    """The next accounts by id; none are left where the list is empty. With `rollup` a group has the deals and
    opportunities of every account below it too."""
    rows = select(Account.id).where(Account.id > after, Account.deleted_at.is_(None))
    ids = session.scalars(rows.order_by(Account.id).limit(at_most)).all()
    if not ids:
        return []
    first, last = ids[0], ids[-1]
    return _facts(session, lambda column: column.between(first, last), rollup=rollup)


def of_accounts(session: Session, ids: Sequence[int], *, rollup: bool = False) -> list[Facts]:
    """These accounts, but those that are deleted; see `page`."""
    return [one for part in chunked(ids) for one in _facts(session, partial(_among, part), rollup=rollup)]


def _among(ids: Sequence[int], column: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    return column.in_(ids)


def _facts(session: Session, chosen: Chosen, *, rollup: bool) -> list[Facts]:
    """A few queries, whatever the number of accounts."""
    mine, theirs = Project.account_id, OpportunityAccount.account_id
    reads = [(_deals(mine).where(chosen(mine)), _opportunities(theirs).where(chosen(theirs)))]
    if rollup and hierarchy.has_groups(session, chosen(Account.id)):
        below = hierarchy.below(chosen(Account.id))
        top, carried = below.c.top, below.c.id != below.c.top
        deals = _deals(top).join(below, below.c.id == mine).where(carried)
        reads.append((deals, _opportunities(top).join(below, below.c.id == theirs).where(carried)))
    ends: dict[int, list[Span]] = {}
    closings: dict[int, list[Span]] = {}
    for of_deals, of_opportunities in reads:
        for id_, end_date, closed_on in session.execute(of_deals):
            ends.setdefault(id_, []).append(Span(end_date, closed_on))
        for id_, closed_on, changed_at in session.execute(of_opportunities):
            closings.setdefault(id_, []).append(Span(None, closed_on, changed_at))
    rows = select(Account.id, Account.name, Account.created_on, Account.status).where(
        chosen(Account.id), Account.deleted_at.is_(None)
    )
    return [
        Facts(id_, name, created_on, status, tuple(ends.get(id_, ())), tuple(closings.get(id_, ())))
        for id_, name, created_on, status in session.execute(rows.order_by(Account.id))
    ]


Whose = ColumnElement[int] | InstrumentedAttribute[int]


def _deals(whose: Whose) -> Select[int, date | None, date | None]:
    return (
        select(whose, Deal.end_date, Deal.closed_on)
        .select_from(Deal)
        .join(Project, Project.id == Deal.project_id)
        .where(Deal.deleted_at.is_(None), Project.deleted_at.is_(None))
    )


def _opportunities(whose: Whose) -> Select[int, date | None, datetime]:
    return (
        select(whose, Opportunity.closed_on, Opportunity.updated_at)
        .select_from(OpportunityAccount)
        .join(Opportunity, Opportunity.id == OpportunityAccount.opportunity_id)
        .where(Opportunity.deleted_at.is_(None))
    )


def alone(session: Session) -> None:
    """Until the transaction ends nobody else writes statuses, or what they are worked out from."""
    directory.state(session, lock=True)


def write(session: Session, changes: Sequence[StatusChange], day: date, now: datetime) -> None:
    """Gives the accounts their new statuses as of that day. They are computed, so the rows' versions stay."""
    alike: dict[AccountStatus, list[int]] = {}
    for change in changes:
        alike.setdefault(change.after, []).append(change.account_id)
    for status, ids in alike.items():
        for part in chunked(ids):
            session.execute(
                update(Account)
                .where(Account.id.in_(part))
                .values(status=status, status_since=day)
                .execution_options(synchronize_session=False)
            )
    bulk(
        session,
        AccountStatusHistory,
        [
            {"account_id": one.account_id, "from": one.before, "to": one.after, "on": day,
             "reason": one.reason, "at": now}
            for one in changes
        ],
    )  # fmt: skip


def last_pass(session: Session) -> tuple[date, datetime] | None:
    """The day that all statuses were computed for last, and when; None if they never were."""
    found = session.get(AccountStatusPass, ONLY)
    return None if found is None else (found.day, found.at)


def mark_passed(session: Session, day: date, now: datetime) -> None:
    """All statuses are those of that day. Call `alone` before."""
    values = {"day": day, "at": now}
    found = session.execute(
        update(AccountStatusPass)
        .where(AccountStatusPass.id == ONLY)
        .values(values)
        .returning(AccountStatusPass.id)
    )
    if not found.all():
        session.execute(insert(AccountStatusPass).values(id=ONLY, **values))


def history(session: Session, account_id: int, at_most: int = 50) -> tuple[StatusRow, ...]:
    """The changes of one account, the newest first."""
    query = (
        select(AccountStatusHistory)
        .where(AccountStatusHistory.account_id == account_id)
        .order_by(AccountStatusHistory.id.desc())
        .limit(at_most)
    )
    return tuple(StatusRow(one.on, one.from_, one.to, one.reason) for one in session.scalars(query))


def with_deals(session: Session, account_ids: Sequence[int]) -> set[int]:
    """Which of these accounts ever had a deal."""
    query = (
        select(Project.account_id)
        .join(Deal, Deal.project_id == Project.id)
        .where(Project.account_id.in_(account_ids), Deal.deleted_at.is_(None), Project.deleted_at.is_(None))
        .distinct()
    )
    return set(session.scalars(query))


def sellers(session: Session, ids: Iterable[int]) -> dict[int, tuple[str | None, AccountType]]:
    """The login of each account's owner, if that user is active, and the account's type."""
    found: dict[int, tuple[str | None, AccountType]] = {}
    for part in chunked(ids):
        query = (
            select(Account.id, User.login, Account.type)
            .outerjoin(User, (User.id == Account.owner_id) & User.active)
            .where(Account.id.in_(part))
        )
        found.update((id_, (login, type_)) for id_, login, type_ in session.execute(query))
    return found


def concerned(session: Session, entity: str, ids: Iterable[int]) -> set[int]:
    """The accounts whose status hangs on these records, as they are stored at this moment. That of an account
    may hang on what lies directly below it (see `page`); whoever works them out looks further up."""
    found: set[int] = set()
    for part in chunked(ids):
        if entity == "account":
            found.update(part)
            parents = select(Account.parent_id).where(Account.id.in_(part), Account.parent_id.is_not(None))
            found.update(one for one in session.scalars(parents) if one is not None)
        elif entity == "opportunity":
            query = select(OpportunityAccount.account_id).where(OpportunityAccount.opportunity_id.in_(part))
            found.update(session.scalars(query))
        elif entity == "project":
            found.update(session.scalars(select(Project.account_id).where(Project.id.in_(part))))
        elif entity == "deal":
            joined = select(Project.account_id).join(Deal, Deal.project_id == Project.id)
            found.update(session.scalars(joined.where(Deal.id.in_(part))))
    return found
