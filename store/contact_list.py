"""The list of contacts, a page at a time, quick with a hundred thousand of them.

The ids of a page come first, from indexes only; its rows afterwards. A text is looked for in one column that
the database fills by itself (`Contact.search`), and in the names of accounts.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select, union_all
from sqlalchemy.orm import Session

from store import own_filters, phones, value_lists, visible
from store.accounts import Account
from store.activities import Activity, ActivityContact
from store.contacts import Contact
from store.narrowing import conditions, order
from store.paging import page, total
from store.readers import Value
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
    roles = [value for column, values in query.items if column == "role_id" for value in values]
    if query.text:
        ids, number = _found(session, wanted, query, sorted_by)
    elif len(roles) > 1:
        ids, number = _of_roles(session, wanted, query, sorted_by, roles)
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


def _of_roles(
    session: Session,
    wanted: Select[int],
    query: Query,
    sorted_by: tuple[Any, ...],
    roles: Sequence[Value],
) -> tuple[Sequence[int], int]:
    """The ids of a page of those in one of several roles, and the number of all.

    Each role has its contacts in order in an index, and the first ones of all roles are among the first ones
    of each. Asked for at once, all of them would be sorted, or all contacts looked at for a rare role."""
    each = [wanted.where(Contact.role_id == role) for role in roles]
    first = [
        select(one.order_by(*sorted_by).limit(query.offset + query.limit).subquery().c.id) for one in each
    ]
    chosen = select(Contact.id).where(Contact.id.in_(union_all(*first)))
    ids = session.scalars(page(chosen, query, *sorted_by)).all()
    return ids, sum(total(session, one) for one in each)


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
    codes = value_lists.of_rows(session, (one.role_id for one, _ in found.values()))
    return tuple(
        ContactRow(
            one.id, one.ext_id, one.account_id, name, one.last_name, one.first_name, one.position,
            codes.get(one.role_id or 0), one.addresses(), one.phones(), last.get(one.id), one.created_at,
        )
        for one, name in (found[id_] for id_ in ids)
    )  # fmt: skip
