"""Deleting accounts and contacts. They stay in the tables with a date, so that what was logged keeps its
names; `syncd forget` removes what stood there only because of them.

Whoever deletes or restores keeps others from writing meanwhile, so that nothing comes to hang on what goes.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.language import Phrase
from config.words import noun_word
from store import directory, statuses, visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Entity
from store.contacts import Contact
from store.deals import Project
from store.errors import Invalid, NotFound
from store.pipeline import Opportunity, OpportunityAccount
from store.references import addresses_in_use
from store.rights import Verb
from store.selling import SalesOrder


@dataclass(frozen=True, slots=True)
class Removed:
    """What follows from a record that was deleted or brought back."""

    freed: tuple[str, ...] = ()  # addresses that no contact and no account has any more
    accounts: frozenset[int] = frozenset()  # whose status may be another now


def delete_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> Removed:
    """Raises NotFound, Forbidden."""
    directory.state(session, lock=True)
    visible.require(session, actor, "contact", contact_id)
    contact = session.get(Contact, contact_id)
    if contact is None or contact.deleted_at is not None:
        raise NotFound(Phrase("there is no contact {contact_id}", contact_id=contact_id))
    account = session.get_one(Account, contact.account_id)
    if not actor.may("contact", Verb.DELETE, [contact.owner_id, account.owner_id]):
        raise actor.refuse(Phrase("delete contact {id}", id=contact_id), "contact", Verb.DELETE)
    write(session, contact, "contact", actor, now)
    return Removed(_free(session, contact.addresses()))


def delete_account(session: Session, account_id: int, *, actor: Actor, now: datetime) -> Removed:
    """What belongs to it must go first. Raises NotFound, Forbidden, Invalid."""
    directory.state(session, lock=True)
    visible.require(session, actor, "account", account_id)
    account = session.get(Account, account_id)
    if account is None or account.deleted_at is not None:
        raise NotFound(Phrase("there is no account {account_id}", account_id=account_id))
    if not actor.may("account", Verb.DELETE, [account.owner_id]):
        raise actor.refuse(Phrase("delete account {id}", id=account_id), "account", Verb.DELETE)
    for model, column, noun in (
        (Contact, Contact.account_id, "contacts"),
        (Project, Project.account_id, "projects"),
        (SalesOrder, SalesOrder.account_id, "orders"),
        (Account, Account.parent_id, "accounts below it"),
    ):
        query = (
            select(func.count()).select_from(model).where(column == account_id, model.deleted_at.is_(None))
        )
        if found := session.scalar(query):
            raise _still_has(account_id, found, noun)
    linked = (
        select(func.count())
        .select_from(OpportunityAccount)
        .join(Opportunity, Opportunity.id == OpportunityAccount.opportunity_id)
        .where(OpportunityAccount.account_id == account_id, Opportunity.deleted_at.is_(None))
    )
    if found := session.scalar(linked):
        raise _still_has(account_id, found, "opportunities")
    write(session, account, "account", actor, now)
    return Removed(
        _free(session, (account.email,) if account.email else ()),
        frozenset(statuses.concerned(session, "account", [account_id])),
    )


def restore_account(session: Session, account_id: int, *, actor: Actor, now: datetime) -> Removed:
    """Brings a deleted account back. Raises NotFound, Forbidden, Invalid."""
    directory.state(session, lock=True)
    visible.require(session, actor, "account", account_id)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(Phrase("there is no account {account_id}", account_id=account_id))
    if not actor.may("account", Verb.DELETE, [account.owner_id]):
        raise actor.refuse(Phrase("restore account {id}", id=account_id), "account", Verb.DELETE)
    if account.deleted_at is None:
        raise Invalid(Phrase("account {account_id} is not deleted", account_id=account_id))
    parent = None if account.parent_id is None else session.get_one(Account, account.parent_id)
    if parent is not None and parent.deleted_at is not None:
        raise Invalid(Phrase("its parent, account {id}, is deleted: restore that first", id=parent.id))
    write(session, account, "account", actor, now, deleted=False)
    return Removed(accounts=frozenset(statuses.concerned(session, "account", [account_id])))


def restore_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> Removed:
    """Brings a deleted contact back. Raises NotFound, Forbidden, Invalid."""
    directory.state(session, lock=True)
    visible.require(session, actor, "contact", contact_id)
    contact = session.get(Contact, contact_id)
    if contact is None:
        raise NotFound(Phrase("there is no contact {contact_id}", contact_id=contact_id))
    account = session.get_one(Account, contact.account_id)
    if not actor.may("contact", Verb.DELETE, [contact.owner_id, account.owner_id]):
        raise actor.refuse(Phrase("restore contact {id}", id=contact_id), "contact", Verb.DELETE)
    if contact.deleted_at is None:
        raise Invalid(Phrase("contact {contact_id} is not deleted", contact_id=contact_id))
    if account.deleted_at is not None:
        raise Invalid(Phrase("its account {id} is deleted: restore that first", id=account.id))
    write(session, contact, "contact", actor, now, deleted=False)
    return Removed()


def write(
    session: Session,
    record: Entity,
    entity: str,
    actor: Actor,
    now: datetime,
    *,
    deleted: bool = True,
) -> None:
    """Deletes the record or brings it back. Call `directory.state` with `lock` before."""
    record.deleted_at, record.updated_at = now if deleted else None, now
    record.updated_by = actor.user_id
    record.version += 1
    session.add(
        AuditLog(
            at=now,
            actor=actor.login,
            entity=entity,
            entity_id=record.id,
            change={"deleted" if deleted else "restored": True},
            channel=Channel.CLI,
        )
    )
    session.flush()
    directory.bump(session)


def _free(session: Session, addresses: tuple[str, ...]) -> tuple[str, ...]:
    used = addresses_in_use(session, addresses)
    return tuple(address for address in dict.fromkeys(addresses) if address not in used)


def _still_has(account_id: int, number: int, noun: str) -> Invalid:
    return Invalid(
        Phrase(
            "account {account_id} still has {found} {noun}: move or delete them first",
            account_id=account_id,
            found=number,
            noun=noun_word(noun),
        )
    )
