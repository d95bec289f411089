"""Deleting projects, deals, opportunities, products and orders, and bringing them back.

Like accounts and contacts they stay in the tables with a date; what hangs on one must go first, and what one
hangs on must be there when it comes back.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase, together
from config.words import changed_meanwhile, noun_word
from store import directory, statuses, visible
from store.accounts import Account
from store.actors import Actor
from store.base import Entity
from store.deals import Deal, Project
from store.errors import Forbidden, Invalid, NotFound, Stale
from store.pipeline import Opportunity, OpportunityAccount
from store.removing import Removed, write
from store.rights import TRUSTED, Verb
from store.selling import OrderState, Product, SalesOrder, SalesOrderLine

MODELS: dict[str, type[Entity]] = {
    "project": Project,
    "deal": Deal,
    "opportunity": Opportunity,
    "product": Product,
    "order": SalesOrder,
}
ENTITIES = {"order": "sales_order"}
NAMED = 5  # records of a list in a message


def delete(
    session: Session, id_: int, kind: str, *, actor: Actor, now: datetime, expected: int | None = None
) -> Removed:
    """`kind` is one of MODELS. Raises NotFound, Forbidden, Stale where it is not at the expected version, and
    Invalid where something hangs on it."""
    record = _found(session, kind, id_, actor)
    if record.deleted_at is not None:
        raise NotFound(Phrase("there is no {kind} {id}", kind=noun_word(kind), id=id_))
    _may(session, kind, record, "delete", actor)
    _at(kind, record, expected)
    if reason := _holding(session, record):
        raise Invalid(Phrase("{kind} {id} {reason}", kind=noun_word(kind), id=id_, reason=reason))
    return _written(session, kind, record, actor, now, deleted=True)


def restore(
    session: Session, id_: int, kind: str, *, actor: Actor, now: datetime, expected: int | None = None
) -> Removed:
    """`kind` is one of MODELS. Raises NotFound, Forbidden, Stale where it is not at the expected version, and
    Invalid where it is not deleted, or something that it belongs to is."""
    record = _found(session, kind, id_, actor)
    _may(session, kind, record, "restore", actor)
    if record.deleted_at is None:
        raise Invalid(Phrase("{kind} {id} is not deleted", kind=noun_word(kind), id=id_))
    _at(kind, record, expected)
    if missing := _missing(session, record):
        raise Invalid(Phrase("{missing} is deleted: restore that first", missing=missing))
    return _written(session, kind, record, actor, now, deleted=False)


def _found(session: Session, kind: str, id_: int, actor: Actor) -> Entity:
    directory.state(session, lock=True)
    if kind in visible.READ:  # products are everybody's
        visible.require(session, actor, kind, id_)
    record = session.get(MODELS[kind], id_)
    if record is None:
        raise NotFound(Phrase("there is no {kind} {id}", kind=noun_word(kind), id=id_))
    return record


def _may(session: Session, kind: str, record: Entity, verb: str, actor: Actor) -> None:
    """Raises Forbidden. The catalogue is nobody's own: whoever may change a product may delete it."""
    entity, noun = ENTITIES.get(kind, kind), noun_word(kind)
    what = (
        Phrase("delete {kind} {id}", kind=noun, id=record.id)
        if verb == "delete"
        else Phrase("restore {kind} {id}", kind=noun, id=record.id)
    )
    if isinstance(record, Product):
        if actor.role not in TRUSTED:
            raise Forbidden(
                Phrase(
                    "{login} may not {what}: that needs the role {needed}",
                    login=actor.login,
                    what=what,
                    needed=Phrase("advanced or admin"),
                )
            )
    elif not actor.may(entity, Verb.DELETE, _owners(session, record)):
        raise actor.refuse(what, entity, Verb.DELETE)


def _owners(session: Session, record: Entity) -> list[int | None]:
    """The record's own owner, and those of its accounts."""
    mine = [record.owner_id] if isinstance(record, Deal | Opportunity | SalesOrder) else []
    owners = select(Account.owner_id).where(Account.id.in_(_accounts(session, record)))
    return [*mine, *session.scalars(owners)]


def _accounts(session: Session, record: Entity) -> Sequence[int]:
    """The accounts that a record belongs to."""
    match record:
        case Project() | SalesOrder():
            return [record.account_id]
        case Deal():
            return [session.get_one(Project, record.project_id).account_id]
        case Opportunity():
            link = OpportunityAccount
            mine = select(link.account_id).where(link.opportunity_id == record.id)
            return session.scalars(mine.order_by(link.main.desc(), link.account_id)).all()
    return []


def _at(kind: str, record: Entity, expected: int | None) -> None:
    if expected is not None and record.version != expected:
        raise Stale(changed_meanwhile(kind, record.id, record.version, expected))


def _holding(session: Session, record: Entity) -> str | None:
    """What hangs on the record, and what to do about it; None where nothing does."""
    match record:
        case Project():
            deals = select(Deal.id).where(Deal.project_id == record.id, Deal.deleted_at.is_(None))
            if found := session.scalars(deals.order_by(Deal.id)).all():
                return Phrase("still has {those}: move or delete them first", those=_ids("deal", found))
        case Deal():
            won = select(Opportunity.id).where(
                Opportunity.converted_deal_id == record.id, Opportunity.deleted_at.is_(None)
            )
            if found := session.scalars(won.order_by(Opportunity.id)).all():
                return Phrase(
                    "is what became of {those}: empty --converted-deal there first",
                    those=_ids("opportunity", found),
                )
        case Opportunity():
            orders = select(SalesOrder.id).where(
                SalesOrder.opportunity_id == record.id, SalesOrder.deleted_at.is_(None)
            )
            if found := session.scalars(orders.order_by(SalesOrder.id)).all():
                return Phrase(
                    "still has {those}: empty --opportunity there or delete them first",
                    those=_ids("order", found),
                )
        case Product():
            sold = (
                select(SalesOrder.id)
                .join(SalesOrderLine, SalesOrderLine.order_id == SalesOrder.id)
                .where(SalesOrderLine.product_id == record.id, SalesOrderLine.deleted_at.is_(None))
                .where(SalesOrder.deleted_at.is_(None))
                .distinct()
            )
            if found := session.scalars(sold.order_by(SalesOrder.id)).all():
                return Phrase(
                    "is in {those}: `syncd product edit {id} --active no` takes it out of sale",
                    those=_ids("order", found),
                    id=record.id,
                )
        case SalesOrder(state=OrderState.CONFIRMED):
            return Phrase("is CONFIRMED: `syncd order cancel {id}` first", id=record.id)
    return None


def _missing(session: Session, record: Entity) -> str | None:
    """What the record belongs to or names and is deleted."""
    wanted: list[tuple[str, type[Entity], Iterable[int | None]]] = []
    match record:
        case Project():
            wanted = [("account", Account, [record.account_id])]
        case Deal():
            wanted = [("project", Project, [record.project_id])]
        case Opportunity():
            wanted = [
                ("account", Account, _accounts(session, record)),
                ("deal", Deal, [record.converted_deal_id]),
            ]
        case SalesOrder():
            line = SalesOrderLine
            products = select(line.product_id).where(line.order_id == record.id, line.deleted_at.is_(None))
            wanted = [
                ("account", Account, [record.account_id]),
                ("opportunity", Opportunity, [record.opportunity_id]),
                ("product", Product, session.scalars(products).all()),
            ]
    for noun, model, ids in wanted:
        gone = select(model.id).where(model.id.in_([one for one in ids if one is not None]))
        if (found := session.scalar(gone.where(model.deleted_at.is_not(None)).limit(1))) is not None:
            return Phrase("its {noun} {id}", noun=noun_word(noun), id=found)
    return None


def _ids(noun: str, found: Sequence[int]) -> str:
    """ "deal 7", "deals 7, 8": at most a few of them."""
    named = ", ".join(map(str, found[:NAMED])) + (" …" if len(found) > NAMED else "")
    plural = f"{noun.removesuffix('y')}ies" if noun.endswith("y") else f"{noun}s"
    return together([noun_word(noun if len(found) == 1 else plural), named], " ")


def _written(
    session: Session, kind: str, record: Entity, actor: Actor, now: datetime, *, deleted: bool
) -> Removed:
    entity = ENTITIES.get(kind, kind)
    write(session, record, entity, actor, now, deleted=deleted)
    return Removed(accounts=frozenset(statuses.concerned(session, entity, [record.id])))
