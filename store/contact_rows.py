"""What of all contacts is looked at together, a row at a time."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import visible
from store.accounts import Account
from store.actors import Actor
from store.contacts import Contact
from store.ledger import chunked

PAGE = 5000  # rows fetched at a time


@dataclass(frozen=True, slots=True)
class ContactKeys:
    """What tells that two contacts are the same person."""

    id: int
    account_id: int
    first_name: str
    last_name: str
    emails: tuple[str, ...]
    numbers: tuple[str, ...]  # in the international form, the landline first
    landline: bool  # whether it is among them


def keys(session: Session, reader: Actor | None = None) -> Iterator[ContactKeys]:
    """Those of all contacts that the reader may read, by id. The forms of their numbers must be there
    (`store.phones`)."""
    c = Contact
    query = (
        select(c.id, c.account_id, c.first_name, c.last_name, c.email, c.email2, c.email3,
               c.phone_landline_e164, c.phone_mobile_e164)
        .where(c.deleted_at.is_(None), visible.contacts(reader))
        .order_by(c.id)
    )  # fmt: skip
    for id_, account, first, last, *values in session.execute(query.execution_options(yield_per=PAGE)):
        emails, (landline, mobile) = values[:3], values[3:]
        yield ContactKeys(
            id_,
            account,
            first,
            last,
            tuple(one for one in emails if one),
            tuple(one for one in (landline, mobile) if one),
            bool(landline),
        )


def names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """What some contacts are called, with their account, for people."""
    found: dict[int, str] = {}
    for part in chunked(dict.fromkeys(ids)):
        query = (
            select(Contact.id, Contact.first_name, Contact.last_name, Account.name)
            .join(Account, Account.id == Contact.account_id)
            .where(Contact.id.in_(part))
        )
        for id_, first, last, account in session.execute(query):
            found[id_] = f"{first} {last}".strip() + f" ({account})"
    return found
