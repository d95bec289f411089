"""What must hold for products, orders and their lines (§5.3 of the domain)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase, said
from store.accounts import Account
from store.actors import Actor
from store.contacts import Contact
from store.discounts import MOST, line_total, order_total
from store.import_rows import Record
from store.import_rules import Context, belongs, unique
from store.ledger import chunked
from store.pipeline import OpportunityAccount
from store.readers import Value
from store.rights import Verb
from store.selling import DISCOUNTS, OrderState, Product, SalesOrder, SalesOrderLine

FORWARD = {
    OrderState.DRAFT: {OrderState.DRAFT, OrderState.CONFIRMED, OrderState.CANCELLED},
    OrderState.CONFIRMED: {OrderState.CONFIRMED, OrderState.CANCELLED},
    OrderState.CANCELLED: {OrderState.CANCELLED},
}
# What may change though an order is confirmed: nothing that its customer was told.
LATE = frozenset({"state", "comment", "internal_comment", "expected_date", "owner_id", "ext_id", "status_id"})
REMARKS = frozenset({"comment", "internal_comment", "ext_id"})


@dataclass(frozen=True, slots=True)
class Head:
    """The order that a line belongs to."""

    id: int
    state: OrderState
    owners: tuple[int | None, int | None]  # its own, and its account's
    currency: str | None


def products(records: Sequence[Record], context: Context) -> None:
    """A product has a code of its own."""
    unique(records, Product, "product", context, column="code")


def orders(records: Sequence[Record], context: Context) -> None:
    """An order has an account, a number of its own in its year, and goes forward only."""
    summed = line_sums(context.session, [record.id for record in records if record.before is not None])
    for record in records:
        belongs(record, "account", "an order belongs to an account", context)
        if record.before is None:
            record.values["date"] = record.values.get("date") or context.today
            record.values["currency"] = record.values.get("currency") or context.currency
        elif record.after("date") is None:
            context.findings.fault(record.line, "date", Phrase("must not be empty"))
        _state(record, context)
        _total(record, summed.get(record.id), context)
    _number(records, context)
    _partners(records, context)


def _state(record: Record, context: Context) -> None:
    now = record.after("state")
    if record.before is None or not isinstance(now, OrderState):
        return
    before = record.before["state"]
    if not isinstance(before, OrderState):
        return
    if now not in FORWARD[before]:
        message = Phrase("is {before}: it does not become {now} any more", before=before.name, now=now.name)
        context.findings.fault(record.line, "state", message)
    allowed = {OrderState.DRAFT: None, OrderState.CONFIRMED: LATE, OrderState.CANCELLED: REMARKS}[before]
    for column in record.changes():
        if allowed is not None and column not in allowed and column != "state":
            message = Phrase("stays as it is: order {id} is {before}", id=record.id, before=before.name)
            context.findings.fault(record.line, column, message)


def _total(record: Record, summed: Sequence[Decimal] | None, context: Context) -> None:
    """The total is that of the lines where there are any; else what is written."""
    if summed:
        found = order_total(summed, discounts(record))
        given = record.values.get("total")
        if given is not None and given != found:
            message = Phrase("is worked out from the lines: it is {found}", found=found)
            context.findings.fault(record.line, "total", message)
        record.values["total"] = found
    elif record.after("state") is OrderState.CONFIRMED and record.after("total") is None:
        context.findings.fault(record.line, "total", Phrase("is required to confirm an order without lines"))


def discounts(record: Record) -> list[Decimal | None]:
    """Those of an order or a line, as they will be."""
    found = [record.after(one) for one in DISCOUNTS]
    return [one if isinstance(one, Decimal) else None for one in found]


def _number(records: Sequence[Record], context: Context) -> None:
    """Each new order gets the next number of its year, unless it brings one."""
    rewritten = {record.id for record in records}
    for record in records:
        day = record.after("date")
        if record.after("year") is None and isinstance(day, date):
            record.values["year"] = day.year
    years = {year for record in records if isinstance(year := record.after("year"), int)}
    known: dict[tuple[Value, Value], int] = {}
    last: dict[Value, int] = {}
    for year in years:
        rows = context.session.execute(
            select(SalesOrder.id, SalesOrder.number).where(SalesOrder.year == year)
        ).all()
        last[year] = max((number for _, number in rows), default=0)
        known.update(((year, number), id_) for id_, number in rows if id_ not in rewritten)
    for record in records:
        number = record.after("number")
        if isinstance(number, int):
            year = record.after("year")
            last[year] = max(last.get(year, 0), number)
            if known.setdefault((year, number), record.id) != record.id:
                message = Phrase(
                    "{number} of {year} is that of order {known} already",
                    number=number,
                    year=year,
                    known=known[year, number],
                )
                context.findings.fault(record.line, "number", message)
    for record in records:
        if record.after("number") is None:
            year = record.after("year")
            last[year] = last.get(year, 0) + 1
            record.values["number"] = last[year]


def _partners(records: Sequence[Record], context: Context) -> None:
    """The contact and the opportunity of an order are its account's."""
    looked = [
        record
        for record in records
        if record.before is None or {"account_id", "contact_id", "opportunity_id"} & set(record.changes())
    ]
    contacts = _ids(record.after("contact_id") for record in looked)
    accounts: dict[int, int] = {}
    for part in chunked(contacts):
        rows = context.session.execute(select(Contact.id, Contact.account_id).where(Contact.id.in_(part)))
        accounts.update((id_, account) for id_, account in rows)
    links: set[tuple[Value, Value]] = set()
    for part in chunked(_ids(record.after("opportunity_id") for record in looked)):
        link = OpportunityAccount
        rows = context.session.execute(
            select(link.opportunity_id, link.account_id).where(link.opportunity_id.in_(part))
        )
        links.update((opportunity, account) for opportunity, account in rows)
    for record in looked:
        account, contact = record.after("account_id"), record.after("contact_id")
        opportunity = record.after("opportunity_id")
        if account is None:
            continue
        if isinstance(contact, int) and accounts.get(contact) != account:
            context.findings.fault(
                record.line,
                "contact",
                Phrase("contact {contact} is not one of that account", contact=contact),
            )
        if opportunity is not None and (opportunity, account) not in links:
            message = Phrase("opportunity {opportunity} is not one of that account", opportunity=opportunity)
            context.findings.fault(record.line, "opportunity", message)


def _ids(values: Iterable[Value]) -> set[int]:
    return {one for one in values if isinstance(one, int)}


def line_sums(session: Session, orders_: Iterable[int]) -> dict[int, list[Decimal]]:
    """The totals of the lines of some orders."""
    found: dict[int, list[Decimal]] = {}
    line = SalesOrderLine
    for part in chunked(orders_):
        rows = session.execute(
            select(line.order_id, line.total).where(line.order_id.in_(part), line.deleted_at.is_(None))
        )
        for order, total in rows:
            found.setdefault(order, []).append(total)
    return found


def order_lines(records: Sequence[Record], context: Context) -> None:
    """A line belongs to a draft, has a price and a place of its own; its total is worked out."""
    session = context.session
    wanted = _ids(record.after("order_id") for record in records)
    wanted |= _ids((record.before or {}).get("order_id") for record in records)
    heads: dict[int, Head] = {}
    for part in chunked(wanted):
        order = SalesOrder
        query = select(order.id, order.state, order.owner_id, Account.owner_id, order.currency)
        query = query.join(Account, Account.id == order.account_id).where(order.id.in_(part))
        for number, state, owner, of_account, currency in session.execute(query):
            heads[number] = Head(number, state, (owner, of_account), currency)
    filled = set(line_sums(session, wanted))
    products_ = _products(session, _ids(record.after("product_id") for record in records))
    for record in records:
        belongs(record, "order", "a line belongs to an order", context)
        order_id = record.after("order_id")
        _priced(record, products_, heads.get(order_id) if isinstance(order_id, int) else None, context)
        for id_ in {record.after("order_id"), (record.before or {}).get("order_id")}:
            head = heads.get(id_) if isinstance(id_, int) else None
            if head is not None and (record.before is None or record.changes()):
                _may_change(record, head, context, filled=head.id in filled)
    _positions(records, wanted, context)


def _products(session: Session, ids: Iterable[int]) -> dict[int, Product]:
    return {
        one.id: one
        for part in chunked(ids)
        for one in session.scalars(select(Product).where(Product.id.in_(part)))
    }


def _priced(record: Record, known: dict[int, Product], head: Head | None, context: Context) -> None:
    product_id = record.after("product_id")
    product = known.get(product_id) if isinstance(product_id, int) else None
    moved = record.before is None or "product_id" in record.changes()
    if product is not None and moved:
        if not product.active:
            context.findings.warn(
                record.line, "product", Phrase('"{code}" is not sold any more', code=product.code)
            )
        foreign = head is not None and head.currency not in (None, context.currency)
        if record.values.get("price") is None and not foreign:
            record.values["price"] = product.price
        if record.values.get("description") is None:
            record.values["description"] = product.name
    if product_id is None and record.after("description") is None:
        context.findings.fault(record.line, "description", Phrase("is required for a line without a product"))
    price, quantity = record.after("price"), record.after("quantity")
    if price is None:
        context.findings.fault(
            record.line, "price", Phrase("is required: the product has none in this currency")
        )
    if not isinstance(price, Decimal) or not isinstance(quantity, Decimal):
        return
    found = line_total(quantity, price, discounts(record))
    given = record.values.get("total")
    if given is not None and given != found and given != (record.before or {}).get("total"):
        context.findings.fault(record.line, "total", Phrase("is worked out: it is {found}", found=found))
    if abs(found) > MOST:
        context.findings.fault(record.line, "total", Phrase("is larger than {most}", most=MOST))
    record.values["total"] = found


def _may_change(
    record: Record,
    head: Head,
    context: Context,
    *,
    filled: bool,
) -> None:
    actor: Actor | None = context.actor
    if actor is not None and not actor.may("sales_order", Verb.UPDATE, head.owners):
        error = actor.refuse(Phrase("change order {id}", id=head.id), "sales_order", Verb.UPDATE)
        context.findings.fault(record.line, "order", said(error))
    # One that came in confirmed, with its total, gets its lines afterwards.
    if head.state is not OrderState.DRAFT and (filled or record.before is not None):
        context.findings.fault(
            record.line,
            "order",
            Phrase("order {id} is {state}: its lines stay", id=head.id, state=head.state.name),
        )


def _positions(records: Sequence[Record], orders_: Iterable[int], context: Context) -> None:
    rewritten = {record.id for record in records}
    known: dict[tuple[Value, Value], int] = {}
    last: dict[Value, int] = {}
    line = SalesOrderLine
    for part in chunked(orders_):
        query = select(line.id, line.order_id, line.position).where(line.order_id.in_(part))
        for id_, order_id, place in context.session.execute(query.where(line.deleted_at.is_(None))):
            last[order_id] = max(last.get(order_id, 0), place)
            if id_ not in rewritten:
                known[order_id, place] = id_
    for record in records:
        position, order = record.after("position"), record.after("order_id")
        if position is not None and known.setdefault((order, position), record.id) != record.id:
            context.findings.fault(
                record.line,
                "position",
                Phrase("{position} is that of another line of the order", position=position),
            )
        if isinstance(position, int):
            last[order] = max(last.get(order, 0), position)
    for record in records:
        if record.after("position") is None:
            order = record.after("order_id")
            last[order] = last.get(order, 0) + 1
            record.values["position"] = last[order]
