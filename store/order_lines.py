"""Taking lines out of orders."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import directory, rules
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.errors import Invalid, NotFound
from store.rights import Verb
from store.selling import OrderState, SalesOrder, SalesOrderLine


def drop(session: Session, order_id: int, position: int, *, actor: Actor, now: datetime) -> None:
    """Deletes a line of a draft. Raises NotFound, Invalid or Forbidden."""
    directory.state(session, lock=True)
    order = session.get(SalesOrder, order_id)
    if order is None or order.deleted_at is not None:
        raise NotFound(Phrase("there is no order {order_id}", order_id=order_id))
    of_account = session.scalar(select(Account.owner_id).where(Account.id == order.account_id))
    if not actor.may("sales_order", Verb.UPDATE, (order.owner_id, of_account)):
        raise actor.refuse(Phrase("change order {id}", id=order_id), "sales_order", Verb.UPDATE)
    if order.state is not OrderState.DRAFT:
        raise Invalid(
            Phrase("order {order_id} is {state}: its lines stay", order_id=order_id, state=order.state.name)
        )
    line = session.scalar(
        select(SalesOrderLine).where(
            SalesOrderLine.order_id == order_id,
            SalesOrderLine.position == position,
            SalesOrderLine.deleted_at.is_(None),
        )
    )
    if line is None:
        raise NotFound(
            Phrase("order {order_id} has no line {position}", order_id=order_id, position=position)
        )
    line.deleted_at = line.updated_at = now
    line.updated_by = actor.user_id
    line.version += 1
    change = {"dropped": position, "order": order_id}
    session.add(
        AuditLog(at=now, actor=actor.login, entity="sales_order_line", entity_id=line.id, change=change,
                 channel=Channel.CLI)
    )  # fmt: skip
    session.flush()
    rules.add_up(session, {order_id}, now=now, by=actor.user_id)


def at(session: Session, order_id: int, position: int) -> int | None:
    """The id of the line of an order at that position."""
    return session.scalar(
        select(SalesOrderLine.id).where(
            SalesOrderLine.order_id == order_id,
            SalesOrderLine.position == position,
            SalesOrderLine.deleted_at.is_(None),
        )
    )
