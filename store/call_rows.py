"""Calls made outside the CRM: whose numbers they are with, and the activities that they become (R046)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store.accounts import Account
from store.activities import Activity, ActivityContact, ActivityState, ActivityType
from store.contacts import Contact
from store.database import bulk, reserve_ids
from store.ledger import chunked
from store.users import User


@dataclass(frozen=True, slots=True)
class Numbers:
    """The telephone numbers of a contact or an account."""

    account_id: int
    contact_id: int | None  # None: the account's own
    name: str
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CallDraft:
    """An activity to be made; columns by name."""

    ext_id: str  # what makes the call unique
    values: Mapping[str, Any]
    state: ActivityState
    contact_id: int | None


def numbers(session: Session) -> list[Numbers]:
    """Every number of the CRM, those of deleted records left out; contacts first."""
    found = []
    columns = (Contact.account_id, Contact.id, Contact.first_name, Contact.last_name, Contact.phone_landline,
               Contact.phone_mobile)  # fmt: skip
    for account, contact, first, last, *phones in session.execute(
        select(*columns).where(Contact.deleted_at.is_(None)).order_by(Contact.id)
    ):
        if given := tuple(one for one in phones if one):
            found.append(Numbers(account, contact, f"{first} {last}".strip(), given))
    for account, name, *phones in session.execute(
        select(Account.id, Account.name, Account.phone, Account.phone2)
        .where(Account.deleted_at.is_(None))
        .order_by(Account.id)
    ):
        if given := tuple(one for one in phones if one):
            found.append(Numbers(account, None, name, given))
    return found


def active_users(session: Session) -> dict[str, int]:
    """The ids of active users by login."""
    rows = session.execute(select(User.login, User.id).where(User.active))
    return {row.login: row.id for row in rows}


def known(session: Session, ext_ids: Iterable[str]) -> set[str]:
    """Which of these calls are recorded, those included that a person deleted since."""
    found: set[str] = set()
    for part in chunked(ext_ids):
        query = select(Activity.ext_id).where(Activity.ext_id.in_(part))
        found.update(one for one in session.scalars(query) if one is not None)
    return found


def insert(session: Session, drafts: Sequence[CallDraft], now: datetime) -> list[int]:
    """Makes the activities; returns their ids, in the order of the drafts."""
    ids = list(reserve_ids(session, Activity, len(drafts)))
    fresh = {"type": ActivityType.CALL, "created_at": now, "updated_at": now, "version": 1, "automatic": True,
             "comments": ""}  # fmt: skip
    rows = [
        {**one.values, **fresh, "id": id_, "ext_id": one.ext_id, "state": one.state}
        for id_, one in zip(ids, drafts, strict=True)
    ]
    bulk(session, Activity, rows)
    links = [
        {"activity_id": id_, "contact_id": one.contact_id}
        for id_, one in zip(ids, drafts, strict=True)
        if one.contact_id is not None
    ]
    bulk(session, ActivityContact, links)
    return ids


# --- forgetting -----------------------------------------------------------------------------------


def numbers_of(session: Session, contact_id: int) -> tuple[str, ...]:
    """The numbers of a contact, deleted or not."""
    found = session.get(Contact, contact_id)
    return () if found is None else tuple(n for n in (found.phone_landline, found.phone_mobile) if n)


def of_contact(session: Session, contact_id: int) -> list[int]:
    """The activities of recorded calls with a contact."""
    mine = select(ActivityContact.activity_id).where(ActivityContact.contact_id == contact_id)
    return list(session.scalars(select(Activity.id).where(_RECORDED, Activity.id.in_(mine))))


def with_numbers(session: Session, numbers: Iterable[str]) -> list[int]:
    """The activities of recorded calls with one of these numbers, spelled as they are stored."""
    return [
        id_
        for part in chunked(numbers)
        for id_ in session.scalars(select(Activity.id).where(_RECORDED, Activity.call_number.in_(part)))
    ]


def drop(session: Session, activities: Iterable[int]) -> None:
    """Removes activities, with their reports and the messages of their forms."""
    for part in chunked(activities):
        session.execute(
            delete(Activity).where(Activity.id.in_(part)).execution_options(synchronize_session=False)
        )


_RECORDED = (Activity.type == ActivityType.CALL) & Activity.ext_id.like("call:%")
