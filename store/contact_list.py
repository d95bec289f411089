"""The list of contacts, a page at a time, quick with a hundred thousand of them.

The ids of a page come first, from indexes only; its rows afterwards. A text is looked for in one column that
the database fills by itself (`Contact.search`), and in the names of accounts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from store import own_filters, phones, visible
from store.accounts import Account
from store.activities import Activity, ActivityContact
from store.contacts import Contact
from store.narrowing import conditions, order
from store.paging import page, total
from store.report_rows import ContactRow, Page, Query

FEW = 1000  # hits of a text that are sorted here; of more, the first ones are found soon


def contacts(session: Session, query: Query) -> Page[ContactRow]:
    """By name, or as asked for."""
    c = Contact
    wanted = select(c.id).where(c.deleted_at.is_(None), visible.contacts(query.reader))
    wanted = wanted.where(*conditions(c, query))
    wanted = wanted.where(*own_filters.conditions(session, "contact", c.id, query.where))
    if query.mine is not None:
        wanted = wanted.where(c.account_id.in_(select(Account.id).where(Account.owner_id == query.mine)))
    if query.account is not None:
        wanted = wanted.where(c.account_id == query.account)
    if query.contact is not None:
        wanted = wanted.where(c.id == query.contact)
    sorted_by = order(c, query, c.last_name, c.first_name, c.id)
    if query.text:
        ids, number = _found(session, wanted, query, sorted_by)
    else:
        ids, number = session.scalars(page(wanted, query, *sorted_by)).all(), total(session, wanted)
    return Page(_rows(session, ids), number, query.offset)


def _holding(query: Query) -> ColumnElement[bool]:
    """Whether a contact holds the text, case ignored, or its account's name does; or it has the number."""
    c, text = Contact, (query.text or "").lower()
    of_account = select(Account.id).where(func.lower(Account.name).contains(text, autoescape=True))
    held = or_(c.search.contains(text, autoescape=True), c.account_id.in_(of_account))
    return or_(held, phones.like(query.digits)) if query.digits else held


def _found(
    session: Session, wanted: Select[int], query: Query, sorted_by: tuple[Any, ...]
) -> tuple[Sequence[int], int]:
    """The ids of a page of those that hold a text, and the number of all."""
    wanted = wanted.where(_holding(query))
    looked = wanted
    if query.account is None and query.contact is None and not query.digits:
        # SQLite would read the whole table, which is six times as large as this index.
        looked = wanted.with_hint(Contact, "INDEXED BY ix_contact_search", "sqlite")
    hits = session.scalars(looked.limit(FEW + 1)).all()
    if len(hits) <= FEW:
        wanted, number = select(Contact.id).where(Contact.id.in_(hits)), len(hits)
    else:  # in the order that is asked for the first ones are found soon
        number = total(session, looked)
    return session.scalars(page(wanted, query, *sorted_by)).all(), number


def _rows(session: Session, ids: Sequence[int]) -> tuple[ContactRow, ...]:
    c = Contact
    there = select(c, Account.name).join(Account, Account.id == c.account_id).where(c.id.in_(ids))
    found = {one.id: (one, name) for one, name in session.execute(there)}
    mine = (
        select(ActivityContact.contact_id, func.max(Activity.occurred_at))
        .join(Activity, Activity.id == ActivityContact.activity_id)
        .where(ActivityContact.contact_id.in_(ids))
        .group_by(ActivityContact.contact_id)
    )
    last: dict[int, datetime | None] = {row[0]: row[1] for row in session.execute(mine)}
    return tuple(
        ContactRow(
            one.id, one.ext_id, one.account_id, name, one.last_name, one.first_name, one.position,
            one.addresses(), one.phones(), last.get(one.id), one.created_at,
        )
        for one, name in (found[id_] for id_ in ids)
    )  # fmt: skip
