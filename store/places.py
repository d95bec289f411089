"""Where accounts are and users set out from, as latitude and longitude."""

from collections.abc import Iterable
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.accounts import Account
from store.ledger import chunked
from store.users import User

Place = tuple[Decimal, Decimal]  # degrees of WGS 84, north and east positive


def of_accounts(session: Session, ids: Iterable[int]) -> dict[int, Place]:
    """Where these accounts are; those of which nobody knows are left out."""
    found: dict[int, Place] = {}
    for part in chunked(ids):
        rows = session.execute(
            select(Account.id, Account.latitude, Account.longitude).where(Account.id.in_(part))
        )
        found.update(
            (id_, (north, east)) for id_, north, east in rows if north is not None and east is not None
        )
    return found


def base_of(session: Session, user_id: int) -> Place | None:
    """Where a user sets out from, as the config tells."""
    row = session.execute(select(User.base_lat, User.base_lon).where(User.id == user_id)).one_or_none()
    return None if row is None or row[0] is None or row[1] is None else (row[0], row[1])
