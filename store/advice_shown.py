"""Recommendations as they are shown beside what hangs on an account, and who may see them there (R005).

Reads only, and reads no rights where no recommendation stands.
"""

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import actors, visible
from store.accounts import Account
from store.ledger import chunked
from store.recommendations import AccountRecommendation, Recommendation


def standing(session: Session, account_ids: Iterable[int]) -> dict[int, Recommendation]:
    """The text that stands at each of these accounts, where one does."""
    r = AccountRecommendation
    found: dict[int, Recommendation] = {}
    for part in chunked(account_ids):
        query = select(r).join(Account, Account.id == r.account_id)
        query = query.where(r.account_id.in_(part), r.active, Account.deleted_at.is_(None))
        for one in session.scalars(query):
            found[one.account_id] = Recommendation(
                one.message, one.category, one.severity, one.source, one.author, one.created_at
            )
    return found


def readers(
    session: Session, account_ids: Collection[int], user_ids: Iterable[int]
) -> dict[int, frozenset[int]]:
    """Which of these users may read each of these accounts."""
    found: dict[int, set[int]] = {id_: set() for id_ in account_ids}
    for user_id in sorted(set(user_ids)) if account_ids else ():
        reader = actors.of_id(session, user_id)
        for part in chunked(account_ids):
            query = select(Account.id).where(Account.id.in_(part), visible.accounts(reader))
            for id_ in session.scalars(query):
                found[id_].add(user_id)
    return {id_: frozenset(users) for id_, users in found.items()}
