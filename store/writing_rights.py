"""Whether somebody may write the records that come in, one or many (R156; reading 15)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase
from config.words import noun_word
from store import visible
from store.accounts import Account
from store.actors import Actor
from store.deals import Project
from store.errors import Forbidden
from store.fields import Kind
from store.import_rows import Record
from store.ledger import chunked
from store.pipeline import OpportunityAccount
from store.rights import TRUSTED, Verb
from store.users import UserRole

Accounts = tuple[int, ...]  # those that a record belongs to, the main one first


def check(session: Session, kind: Kind, found: Sequence[Record], actor: Actor) -> None:
    """Raises Forbidden at the first record that the actor may not make or change so; call it when the records
    that they name are resolved."""
    for _, error in refusals(session, kind, found, actor):
        raise error


def refusals(
    session: Session, kind: Kind, found: Sequence[Record], actor: Actor
) -> Iterator[tuple[int, Exception]]:
    """The lines of the records that the actor may not make or change so, each with its error. A record is
    changed by right of its owner or of the owners of its accounts; it is made on, or moved to, accounts that
    the actor may read, by right of the main one's owner."""
    if actor.role is UserRole.WORKSPACE_ADMIN or not found or kind.entity == "sales_order_line":
        return  # lines: whoever may change their order, see selling_rules
    if kind.entity == "product":
        yield from _products(found, actor)
        return
    before, after = _accounts(session, kind, found)
    known = {id_ for accounts in (*before.values(), *after.values()) for id_ in accounts}
    known |= {one for record in found if isinstance(one := record.values.get("parent_id"), int)}
    owners = _owners(session, known)
    readable = _readable(session, known, actor)
    fresh = {one.id for one in found if one.before is None} if kind.entity == "account" else set()
    for record in found:
        new, old = after.get(record.id, ()), before.get(record.id, ())
        error = _refusal(kind, record, (new, old), owners, actor)
        parent = record.values.get("parent_id")
        named = {*new, parent} if isinstance(parent, int) else set(new)
        hidden = named - set(old) - readable - {record.id}
        if error is None and hidden - fresh:
            error = _said(record, actor, "name an account that is not to be seen", "account", Verb.READ)
        if error is not None:
            yield record.line, error


def _refusal(
    kind: Kind,
    record: Record,
    accounts: tuple[Accounts, Accounts],
    owners: Mapping[int, int | None],
    actor: Actor,
) -> Exception | None:
    """Why the actor may not write it on these accounts, the new ones and the old."""
    new, old = accounts
    if record.before is None:
        mine = [record.values.get("owner_id")] if kind.entity == "account" else []
        main = [owners.get(id_) for id_ in new[:1]]
        if not actor.may(kind.entity, Verb.CREATE, _ids([*mine, *main])):
            return _said(record, actor, f"create {kind.name}", kind.entity, Verb.CREATE)
        return None
    own = record.before.get("owner_id")
    if not actor.may(kind.entity, Verb.UPDATE, _ids([own, *(owners.get(id_) for id_ in old)])):
        return _said(
            record,
            actor,
            Phrase("change {entity} {id}", entity=noun_word(kind.entity), id=record.id),
            kind.entity,
            Verb.UPDATE,
        )
    if new[:1] != old[:1] and not actor.may(kind.entity, Verb.CREATE, _ids(map(owners.get, new[:1]))):
        return _said(
            record,
            actor,
            Phrase("move {entity} {id} there", entity=noun_word(kind.entity), id=record.id),
            kind.entity,
            Verb.CREATE,
        )
    return None


def _products(found: Sequence[Record], actor: Actor) -> Iterator[tuple[int, Exception]]:
    """The catalogue is nobody's own: everybody adds to it, and advanced users and admins change it."""
    for record in found:
        if record.before is not None and actor.role not in TRUSTED:
            yield (
                record.line,
                Forbidden(
                    Phrase(
                        "line {line}: {login} may not change product {id}: that needs the role "
                        "advanced or admin",
                        line=record.line,
                        login=actor.login,
                        id=record.id,
                    )
                ),
            )


def _said(record: Record, actor: Actor, what: str, entity: str, verb: Verb) -> Exception:
    error = actor.refuse(what, entity, verb)
    return type(error)(Phrase("line {line}: {message}", line=record.line, message=error))


def _ids(values: Iterable[object]) -> list[int | None]:
    return [one if isinstance(one, int) else None for one in values]


def _accounts(
    session: Session, kind: Kind, found: Sequence[Record]
) -> tuple[Mapping[int, Accounts], Mapping[int, Accounts]]:
    """The accounts that each record belongs to, as it is and as it will be."""
    if kind.entity == "account":
        same = {record.id: (record.id,) for record in found if record.before is not None}
        return same, same
    there = [record for record in found if record.before is not None]
    if kind.entity == "opportunity":
        before: dict[int, Accounts] = {}
        for part in chunked(record.id for record in there):
            query = select(OpportunityAccount.opportunity_id, OpportunityAccount.account_id)
            query = query.where(OpportunityAccount.opportunity_id.in_(part))
            for id_, account in session.execute(query.order_by(OpportunityAccount.main.desc())):
                before[id_] = (*before.get(id_, ()), account)
        return before, {r.id: before.get(r.id, ()) if r.links is None else tuple(r.links) for r in found}
    account_of: Callable[[object], Accounts] = lambda one: (one,) if isinstance(one, int) else ()  # noqa: E731
    column = "account_id"
    if kind.entity == "deal":
        column = "project_id"
        places = {one for r in found for one in ((r.before or {}).get(column), r.after(column))}
        of_projects: dict[int, int] = {}
        for part in chunked(one for one in places if isinstance(one, int)):
            query = select(Project.id, Project.account_id).where(Project.id.in_(part))
            of_projects.update((id_, account) for id_, account in session.execute(query))
        account_of = lambda one: (of_projects[one],) if isinstance(one, int) and one in of_projects else ()  # noqa: E731
    return (
        {record.id: account_of((record.before or {}).get(column)) for record in there},
        {record.id: account_of(record.after(column)) for record in found},
    )


def _owners(session: Session, ids: Iterable[int]) -> dict[int, int | None]:
    owners: dict[int, int | None] = {}
    for part in chunked(ids):
        query = select(Account.id, Account.owner_id).where(Account.id.in_(part))
        owners.update((id_, owner) for id_, owner in session.execute(query))
    return owners


def _readable(session: Session, ids: Iterable[int], actor: Actor) -> set[int]:
    found: set[int] = set()
    for part in chunked(ids):
        query = select(Account.id).where(Account.id.in_(part), visible.accounts(actor))
        found.update(session.scalars(query))
    return found
