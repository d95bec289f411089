"""Deleting accounts and contacts. They stay in the tables with a date, so that what was logged keeps its
names; `syncd forget` removes what stood there only because of them."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store import directory, visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.contacts import Contact
from store.errors import Invalid, NotFound
from store.references import addresses_in_use
from store.rights import Verb


def delete_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> list[str]:
    """Returns the addresses that no contact and no account has any more."""
    visible.require(session, actor, "contact", contact_id)
    contact = session.get(Contact, contact_id)
    if contact is None or contact.deleted_at is not None:
        raise NotFound(f"there is no contact {contact_id}")
    account = session.get_one(Account, contact.account_id)
    if not actor.may("contact", Verb.DELETE, [contact.owner_id, account.owner_id]):
        raise actor.refuse(f"delete contact {contact_id}", "contact", Verb.DELETE)
    _delete(session, contact, "contact", actor, now)
    return _free(session, contact.addresses())


def delete_account(session: Session, account_id: int, *, actor: Actor, now: datetime) -> list[str]:
    """Returns the addresses that no contact and no account has any more. Its contacts must go first."""
    visible.require(session, actor, "account", account_id)
    account = session.get(Account, account_id)
    if account is None or account.deleted_at is not None:
        raise NotFound(f"there is no account {account_id}")
    if not actor.may("account", Verb.DELETE, [account.owner_id]):
        raise actor.refuse(f"delete account {account_id}", "account", Verb.DELETE)
    contacts = session.scalar(
        select(func.count())
        .select_from(Contact)
        .where(Contact.account_id == account_id, Contact.deleted_at.is_(None))
    )
    if contacts:
        raise Invalid(f"account {account_id} still has {contacts} contacts: move or delete them first")
    _delete(session, account, "account", actor, now)
    return _free(session, (account.email,) if account.email else ())


def _delete(session: Session, record: Account | Contact, entity: str, actor: Actor, now: datetime) -> None:
    directory.state(session, lock=True)
    record.deleted_at = record.updated_at = now
    record.updated_by = actor.user_id
    record.version += 1
    session.add(
        AuditLog(
            at=now,
            actor=actor.login,
            entity=entity,
            entity_id=record.id,
            change={"deleted": True},
            channel=Channel.CLI,
        )
    )
    session.flush()
    directory.bump(session)


def _free(session: Session, addresses: tuple[str, ...]) -> list[str]:
    used = addresses_in_use(session, addresses)
    return [address for address in dict.fromkeys(addresses) if address not in used]
