"""The rules of every kind of record, and what follows from writing one."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import import_rules, outbox, selling_rules
from store.account_rules import PLACE
from store.discounts import order_total
from store.fields import Kind
from store.import_rows import Record
from store.import_rules import Context
from store.ledger import chunked
from store.selling import DISCOUNTS, SalesOrder

RULES: dict[str, Callable[[Sequence[Record], Context], None]] = {
    "accounts": import_rules.accounts,
    "contacts": import_rules.contacts,
    "projects": import_rules.projects,
    "deals": import_rules.deals,
    "opportunities": import_rules.opportunities,
    "case_files": import_rules.case_files,
    "products": selling_rules.products,
    "orders": selling_rules.orders,
    "order_lines": selling_rules.order_lines,
}


def follow(session: Session, kind: Kind, written: Sequence[Record], *, now: datetime, by: int | None) -> None:
    """What else changes because these records were written."""
    if kind.name == "order_lines":
        orders = {one for r in written for one in (r.after("order_id"), (r.before or {}).get("order_id"))}
        add_up(session, {one for one in orders if isinstance(one, int)}, now=now, by=by)
    if kind.name == "accounts":
        moved = [r.id for r in written if r.before is not None and PLACE & set(r.changes())]
        if moved:
            outbox.announce_places(session, moved, now)


def add_up(session: Session, orders: set[int], *, now: datetime, by: int | None) -> None:
    """Gives orders the totals of their lines."""
    sums = selling_rules.line_sums(session, orders)
    for part in chunked(orders):
        for order in session.scalars(select(SalesOrder).where(SalesOrder.id.in_(part))):
            total = order_total(sums.get(order.id, ()), [getattr(order, one) for one in DISCOUNTS])
            if order.total != total:
                order.total, order.updated_at, order.updated_by = total, now, by
                order.version += 1
    session.flush()
