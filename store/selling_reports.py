"""Lists and details of what is sold: products, orders, and projects, deals and orders one by one."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import details, reports, value_lists, visible
from store.accounts import Account
from store.actors import Actor
from store.contacts import Contact
from store.deals import Deal, Project
from store.details import Detail
from store.narrowing import narrowed, order
from store.own_words import own_words
from store.paging import MOST, like, page, total
from store.pipeline import Opportunity
from store.report_rows import Page, Query
from store.selling import OrderState, Product, SalesOrder, SalesOrderLine


@dataclass(frozen=True, slots=True)
class ProductRow:
    """A product."""

    id: int
    ext_id: str | None
    code: str
    name: str
    price: Decimal | None
    unit: str | None
    active: bool


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order."""

    id: int
    ext_id: str | None
    number: str  # year-number
    account: str
    reference: str | None
    state: OrderState
    status: str | None  # the code of an item of order_status
    date: dt.date
    expected_date: dt.date | None
    total: Decimal | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of an order."""

    position: int
    product: str | None
    description: str | None
    quantity: Decimal
    price: Decimal
    discounts: tuple[Decimal, ...]
    total: Decimal


def products(session: Session, query: Query) -> Page[ProductRow]:
    """By name."""
    rows = select(Product).where(
        Product.deleted_at.is_(None), like(query, Product.code, Product.name, Product.ext_id)
    )
    rows = narrowed(rows, Product, query)
    sorted_by = order(Product, query, Product.name, Product.id)
    found = session.scalars(page(rows, query, *sorted_by))
    made = tuple(
        ProductRow(one.id, one.ext_id, one.code, one.name, one.price, one.unit, one.active) for one in found
    )
    return Page(made, total(session, rows), query.offset)


def orders(session: Session, query: Query) -> Page[OrderRow]:
    """The newest first."""
    o = SalesOrder
    rows = select(o, Account.name).join(Account, Account.id == o.account_id)
    searched = like(query, o.reference, o.ext_id, Account.name)
    rows = rows.where(o.deleted_at.is_(None), visible.orders(query.reader), searched)
    if query.account is not None:
        rows = rows.where(o.account_id == query.account)
    if query.contact is not None:
        rows = rows.where(o.contact_id == query.contact)
    if query.opportunity is not None:
        rows = rows.where(o.opportunity_id == query.opportunity)
    rows = narrowed(rows, o, query)
    newest = order(o, query, o.date.desc(), o.year.desc(), o.number.desc())
    found = session.execute(page(rows, query, *newest)).all()
    codes = value_lists.of_rows(session, (one.status_id for one, _ in found))
    made = tuple(
        OrderRow(one.id, one.ext_id, f"{one.year}-{one.number}", account, one.reference, one.state,
                 codes.get(one.status_id or 0), one.date, one.expected_date, one.total, one.currency)
        for one, account in found
    )  # fmt: skip
    return Page(made, total(session, rows), query.offset)


def order_detail(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """An order with its lines. Raises NotFound, as all here, also for what the reader may not see."""
    visible.require(session, reader, "order", id_)
    record = details.kept(session, SalesOrder, id_, "order")
    line = SalesOrderLine
    found = session.execute(
        select(line, Product.code)
        .outerjoin(Product, Product.id == line.product_id)
        .where(line.order_id == id_, line.deleted_at.is_(None))
        .order_by(line.position)
    )
    lines = tuple(
        LineRow(one.position, code, one.description, one.quantity, one.price, _discounts(one), one.total)
        for one, code in found
    )
    contact = None if record.contact_id is None else session.get(Contact, record.contact_id)
    name = None if contact is None else f"{contact.first_name} {contact.last_name}".strip()
    fields = details.fields_of(session, record) | {"contact": name}
    return Detail("order", fields, {"lines": lines}, words=own_words(session, "sales_order"))


def _discounts(line: SalesOrderLine) -> tuple[Decimal, ...]:
    return tuple(
        one for one in (line.discount1, line.discount2, line.discount3, line.discount4) if one is not None
    )


def product_detail(session: Session, id_: int, _: Actor | None = None) -> Detail:
    """A product; everybody sees what is sold."""
    fields = details.fields_of(session, details.kept(session, Product, id_, "product"))
    return Detail("product", fields, {}, words=own_words(session, "product"))


def project_detail(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """A project with its deals."""
    visible.require(session, reader, "project", id_)
    record = details.kept(session, Project, id_, "project")
    deals = session.scalars(
        select(Deal.id).where(Deal.project_id == id_, Deal.deleted_at.is_(None)).order_by(Deal.id)
    ).all()
    rows = reports.deals(session, Query(account=record.account_id, limit=MOST, reader=reader)).rows
    mine = set(deals)
    return Detail(
        "project",
        details.fields_of(session, record),
        {"deals": tuple(one for one in rows if one.id in mine)},
        words=own_words(session, "project"),
    )


def deal_detail(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """A deal with the opportunities that became it."""
    visible.require(session, reader, "deal", id_)
    record = details.kept(session, Deal, id_, "deal")
    project = session.get(Project, record.project_id)
    extra: dict[str, object] = {}
    if project is not None:
        account = session.get(Account, project.account_id)
        extra = {"project": project.name, "account": None if account is None else account.name}
    won = session.scalars(
        select(Opportunity.title).where(
            Opportunity.converted_deal_id == id_,
            Opportunity.deleted_at.is_(None),
            visible.opportunities(reader),
        )
    ).all()
    fields = details.fields_of(session, record) | extra | {"opportunities": tuple(won)}
    return Detail("deal", fields, {}, words=own_words(session, "deal"))
