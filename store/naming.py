"""The names that a person may call contacts, accounts and opportunities by, one row at a time.

Comparing without accents and case is the caller's: no two databases do that alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import visible
from store.accounts import Account, AccountType
from store.actors import Actor
from store.contacts import Contact
from store.pipeline import Opportunity

ACCOUNTS = (AccountType.CUSTOMER, AccountType.PARTNER, AccountType.GROUP)  # those that an event may concern
PAGE = 5000  # rows fetched at a time


@dataclass(frozen=True, slots=True)
class ContactName:
    """A contact of an account that an event may concern."""

    id: int
    first: str  # may be empty
    last: str
    account_id: int


def contacts(session: Session, reader: Actor) -> Iterator[ContactName]:
    """The names of all contacts that an event may concern and the reader may see, by id."""
    query = (
        select(Contact.id, Contact.first_name, Contact.last_name, Contact.account_id)
        .join(Account, Account.id == Contact.account_id)
        .where(Contact.deleted_at.is_(None), Account.deleted_at.is_(None), Account.type.in_(ACCOUNTS))
        .where(visible.contacts(reader))
        .order_by(Contact.id)
    )
    for id_, first, last, account in session.execute(query.execution_options(yield_per=PAGE)):
        yield ContactName(id_, first, last, account)


def accounts(session: Session, reader: Actor) -> Iterator[tuple[int, str]]:
    """Id and name of all accounts that an event may concern and the reader may see, by id."""
    query = (
        select(Account.id, Account.name)
        .where(Account.deleted_at.is_(None), Account.type.in_(ACCOUNTS), visible.accounts(reader))
        .order_by(Account.id)
    )
    for row in session.execute(query.execution_options(yield_per=PAGE)):
        yield row.id, row.name


def references(session: Session, reader: Actor) -> Iterator[str]:
    """The references of all opportunities that the reader may see."""
    query = select(Opportunity.reference).where(
        Opportunity.deleted_at.is_(None), Opportunity.reference.is_not(None), visible.opportunities(reader)
    )
    for reference in session.scalars(query.execution_options(yield_per=PAGE)):
        if reference:
            yield reference
