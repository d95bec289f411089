"""Records on their way out: rows under the headers that an import reads, a page of them at a time."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from config.language import Phrase
from config.words import noun_word
from store import custom_fields, own_kinds, tags, value_lists, visible
from store.accounts import Account, AccountStatus
from store.actors import Actor
from store.base import Base
from store.cells import as_text
from store.contacts import Contact
from store.custom_fields import PREFIX
from store.deals import Deal, Project
from store.errors import Invalid
from store.fields import Kind
from store.pipeline import Opportunity, OpportunityAccount
from store.readers import Value
from store.selling import Product, SalesOrder
from store.users import User

PAGE = 1000  # rows fetched at a time
SEARCHED = ("name", "title", "code", "last_name", "first_name", "email", "email2", "email3", "reference",
            "city", "description", "ext_id")  # fmt: skip
LINKED = ("account", "account2", "account3")  # of an opportunity, the main one first
# The word that `store.visible` has for each.
VISIBLE = {
    **{one: one for one in ("account", "contact", "project", "deal", "opportunity")},
    "sales_order": "order",
}
# What an import finds each by: the first of these columns that is filled.
NAMED: dict[str, tuple[type[Base], tuple[str, ...]]] = {
    "account": (Account, ("name",)),
    "parent": (Account, ("name",)),
    "project": (Project, ("name",)),
    "owner": (User, ("login",)),
    "contact": (Contact, ("email",)),
    "opportunity": (Opportunity, ("reference", "title")),
    "converted_deal": (Deal, ("reference", "title")),
    "product": (Product, ("code",)),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records leave. What is deleted never does."""

    text: str | None = None  # part of a name, an address or a reference; case ignored
    account: int | None = None
    owner: int | None = None
    status: str | None = None
    changed_since: datetime | None = None
    reader: Actor | None = None  # who reads; None: an admin


def whole(session: Session, kind: Kind) -> Kind:
    """The kind with the fields of the company's own."""
    return own_kinds.whole(session, kind, custom_fields.of_entity(session, kind.entity))


def headers(kind: Kind) -> tuple[str, ...]:
    """The columns of an export: what an import takes, each reference by its id and by its name."""
    return ("id", "ext_id", *(one.header for one in kind.fields if one.column), *kind.references)


def count(session: Session, kind: Kind, wanted: Wanted) -> int:
    """How many records there are to leave."""
    return session.scalar(select(func.count()).select_from(_chosen(session, kind, wanted).subquery())) or 0


def rows(session: Session, kind: Kind, wanted: Wanted) -> Generator[list[Value], None, None]:
    """The records by id, each with the values of `headers`. To be closed where not all are taken."""
    own = custom_fields.of_entity(session, kind.entity)
    codes = value_lists.codes(session, kind)
    columns = ["id", "ext_id", *(one.column for one in kind.fields if one.column)]
    found = session.execute(
        _chosen(session, kind, wanted).order_by(kind.model.__table__.c.id).execution_options(yield_per=PAGE)
    ).mappings()
    try:
        for page in found.partitions(PAGE):
            named = _named(session, kind, page)
            more = custom_fields.values(session, own, [row["id"] for row in page])
            for row in page:
                mine = more.get(row["id"], {})
                cells = [
                    mine.get(name) if name.startswith(PREFIX) else _cell(row[name], codes.get(name))
                    for name in columns
                ]
                yield cells + [named[one].get(row["id"]) for one in kind.references]
    finally:
        found.close()


def _cell(value: Value, codes: Mapping[int, str] | None) -> Value:
    """The value; of an item of a list its code."""
    return value if codes is None or not isinstance(value, int) else codes.get(value)


def _chosen(session: Session, kind: Kind, wanted: Wanted) -> Select[Any]:
    table = kind.model.__table__
    query = select(table).where(table.c.deleted_at.is_(None))
    if not visible.reads_all(wanted.reader):
        query = query.where(*_visible(kind, wanted.reader))
    if wanted.text:
        escaped = wanted.text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        columns = [table.c[name] for name in SEARCHED if name in table.c]
        query = query.where(or_(*(func.lower(one).like(f"%{escaped}%", escape="\\") for one in columns)))
    if wanted.account is not None:
        query = query.where(_of_account(kind, wanted.account))
    if wanted.owner is not None:
        query = query.where(_column(kind, "owner_id", "--owner") == wanted.owner)
    if wanted.status is not None:
        query = query.where(_status(session, kind, wanted.status))
    if wanted.changed_since is not None:
        query = query.where(table.c.updated_at >= wanted.changed_since)
    return query


def _visible(kind: Kind, reader: Actor | None) -> Iterator[ColumnElement[bool]]:
    """What narrows the records to those that the reader may read; products are everybody's."""
    table = kind.model.__table__
    if kind.entity in VISIBLE:
        id_, condition = visible.READ[VISIBLE[kind.entity]]
        yield table.c.id.in_(select(id_).where(condition(reader)))
    elif kind.entity == "sales_order_line":
        yield table.c.order_id.in_(select(SalesOrder.id).where(visible.orders(reader)))
    elif kind.entity == "case_file":
        yield or_(table.c.account_id.is_(None), table.c.account_id.in_(visible.account_ids(reader)))


def _column(kind: Kind, name: str, option: str) -> ColumnElement[Any]:
    table = kind.model.__table__
    if name not in table.c:
        raise Invalid(Phrase("{option}: {kind} have none", option=option, kind=noun_word(kind.name)))
    return table.c[name]


def _of_account(kind: Kind, account: int) -> ColumnElement[bool]:
    table = kind.model.__table__
    if "account_id" in table.c:
        return table.c.account_id == account
    if kind.entity == "account":
        return table.c.id == account
    if "project_id" in table.c:
        return table.c.project_id.in_(select(Project.id).where(Project.account_id == account))
    if kind.entity == "opportunity":
        mine = select(OpportunityAccount.opportunity_id).where(OpportunityAccount.account_id == account)
        return table.c.id.in_(mine)
    if kind.entity == "sales_order_line":
        return table.c.order_id.in_(select(SalesOrder.id).where(SalesOrder.account_id == account))
    raise Invalid(Phrase("--account: {kind} have none", kind=noun_word(kind.name)))


def _status(session: Session, kind: Kind, written: str) -> ColumnElement[bool]:
    if kind.entity != "account":
        try:
            name, values = value_lists.status(session, kind, written)
        except ValueError as error:
            raise Invalid(Phrase("--status: {error}", error=error)) from None
        return kind.model.__table__.c[name].in_(values)
    column: ColumnElement[Any] = kind.model.__table__.c.status
    names: dict[str, object] = {one.name.lower(): one for one in AccountStatus}
    if written.lower() not in names:
        raise Invalid(
            Phrase(
                '--status: "{written}" is not known; accepted: {names}',
                written=written[:20],
                names=", ".join(names),
            )
        )
    return column == names[written.lower()]


def _named(session: Session, kind: Kind, page: Sequence[Any]) -> dict[str, dict[int, Value]]:
    """What the reference columns of these rows hold, by the row's id. A name is given only of what an import
    would find by it: nothing that is deleted, nobody who has left."""
    found: dict[str, dict[int, Value]] = {}
    linked = _linked(session, [row["id"] for row in page]) if kind.entity == "opportunity" else {}
    for header in kind.references:
        if header == "tags":
            tagged = tags.of_accounts(session, [row["id"] for row in page])
            found[header] = {id_: ", ".join(names) for id_, names in tagged.items()}
            continue
        noun = header.removesuffix("_id")
        if kind.entity == "opportunity" and noun in LINKED:
            place = LINKED.index(noun)
            ids = {id_: accounts[place] for id_, accounts in linked.items() if len(accounts) > place}
        else:
            ids = {row["id"]: row[f"{noun}_id"] for row in page if row[f"{noun}_id"] is not None}
        if header.endswith("_id"):
            found[header] = dict(ids)
        else:
            names = _names(session, "account" if noun in LINKED else noun, set(ids.values()))
            found[header] = {id_: names.get(other) for id_, other in ids.items()}
    return found


def _linked(session: Session, ids: Sequence[int]) -> dict[int, list[int]]:
    link = OpportunityAccount
    query = (
        select(link.opportunity_id, link.account_id)
        .where(link.opportunity_id.in_(ids))
        .order_by(link.main.desc(), link.account_id)
    )
    found: dict[int, list[int]] = {}
    for opportunity, account in session.execute(query):
        found.setdefault(opportunity, []).append(account)
    return found


def _names(session: Session, noun: str, ids: set[int]) -> dict[int, str]:
    if noun == "order":
        order = SalesOrder
        numbers = select(order.id, order.year, order.number)
        there = (order.id.in_(ids), order.deleted_at.is_(None))
        return {id_: f"{year}-{number}" for id_, year, number in session.execute(numbers.where(*there))}
    model, names = NAMED[noun]
    table = model.__table__
    kept = table.c.active if noun == "owner" else table.c.deleted_at.is_(None)
    name = func.coalesce(*(table.c[one] for one in names)) if len(names) > 1 else table.c[names[0]]
    query = select(table.c.id, name).where(table.c.id.in_(ids), kept)
    return {id_: found for id_, found in session.execute(query) if found}


def texts(values: Sequence[Value]) -> list[str]:
    """The cells of a row as text."""
    return [as_text(value) for value in values]
