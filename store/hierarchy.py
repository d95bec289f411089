"""Which account lies below which (R162): no circles, no more than so many levels, and groups with what lies
below them.

What is deleted carries nothing: an account is deleted only when none lies below it any more.
"""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import CTE, ColumnElement, select
from sqlalchemy.orm import Session, aliased

from store.accounts import Account, AccountType
from store.ledger import chunked

LEVELS = 50  # of accounts, one below the other


def circles(parents: Mapping[int, int], moved: Iterable[int]) -> set[int]:
    """Which of the moved accounts would be their own parent, directly or not. `parents` is what all accounts
    will have, by id."""
    return {one for one in moved if _in_circle(one, parents)}


def _in_circle(start: int, parents: Mapping[int, int]) -> bool:
    seen = {start}
    current = parents.get(start)
    while current is not None:
        if current in seen:
            return current == start
        seen.add(current)
        current = parents.get(current)
    return False


def too_deep(parents: Mapping[int, int], moved: Collection[int]) -> set[int]:
    """Which of the moved accounts would lie in a chain of more than LEVELS accounts."""
    found: set[int] = set()
    wanted = set(moved)
    for start in parents:
        chain = [start]
        while len(chain) <= LEVELS and (above := parents.get(chain[-1])) is not None:
            chain.append(above)
        if len(chain) > LEVELS:  # of a longer one each part is looked at
            found |= wanted.intersection(chain)
    return found


def has_groups(session: Session, among: ColumnElement[bool]) -> bool:
    """Whether there is a group among those accounts: where there is none, nothing needs to be looked for."""
    query = select(Account.id).where(among, Account.type == AccountType.GROUP, Account.deleted_at.is_(None))
    return session.scalar(query.limit(1)) is not None


def below(tops: ColumnElement[bool]) -> CTE:
    """The groups among those accounts, each (`top`) with itself and all that lies below it (`id`)."""
    account = aliased(Account)
    there = (tops, Account.type == AccountType.GROUP, Account.deleted_at.is_(None))
    found = select(Account.id.label("top"), Account.id.label("id")).where(*there).cte("below", recursive=True)
    further = select(found.c.top, account.id).join(found, account.parent_id == found.c.id)
    # UNION keeps each pair once, so that this ends whatever the tables say.
    return found.union(further.where(account.deleted_at.is_(None)))


def groups_above(session: Session, ids: Iterable[int]) -> set[int]:
    """The groups above these accounts, directly or not."""
    groups: set[int] = set()
    for part in chunked(ids):
        start = select(Account.id, Account.parent_id).where(Account.id.in_(part))
        found = start.cte("above", recursive=True)
        account = aliased(Account)
        further = select(account.id, account.parent_id).join(found, account.id == found.c.parent_id)
        above = found.union(further)
        query = select(Account.id).where(Account.id.in_(select(above.c.parent_id)))
        groups.update(
            session.scalars(query.where(Account.type == AccountType.GROUP, Account.deleted_at.is_(None)))
        )
    return groups
