"""Deleting accounts and contacts. They stay in the tables with a date, so that what was logged keeps its
names; `syncd forget` removes what stood there only because of them."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from config.language import Phrase
from config.words import noun_word
from store import directory, visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.contacts import Contact
from store.deals import Project
from store.errors import Invalid, NotFound
from store.references import addresses_in_use
from store.rights import Verb


def delete_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> list[str]:
    """Returns the addresses that no contact and no account has any more."""
    visible.require(session, actor, "contact", contact_id)
    contact = session.get(Contact, contact_id)
    if contact is None or contact.deleted_at is not None:
        raise NotFound(Phrase("there is no contact {contact_id}", contact_id=contact_id))
    account = session.get_one(Account, contact.account_id)
    if not actor.may("contact", Verb.DELETE, [contact.owner_id, account.owner_id]):
        raise actor.refuse(Phrase("delete contact {id}", id=contact_id), "contact", Verb.DELETE)
    _write(session, contact, "contact", actor, now)
    return _free(session, contact.addresses())


def delete_account(session: Session, account_id: int, *, actor: Actor, now: datetime) -> list[str]:
    """Returns the addresses that no contact and no account has any more. What belongs to it must go first."""
    visible.require(session, actor, "account", account_id)
    account = session.get(Account, account_id)
    if account is None or account.deleted_at is not None:
        raise NotFound(Phrase("there is no account {account_id}", account_id=account_id))
    if not actor.may("account", Verb.DELETE, [account.owner_id]):
        raise actor.refuse(Phrase("delete account {id}", id=account_id), "account", Verb.DELETE)
    for model, column, noun in (
        (Contact, Contact.account_id, "contacts"),
        (Project, Project.account_id, "projects"),
        (Account, Account.parent_id, "accounts below it"),
    ):
        query = (
            select(func.count()).select_from(model).where(column == account_id, model.deleted_at.is_(None))
        )
        if found := session.scalar(query):
            raise Invalid(
                Phrase(
                    "account {account_id} still has {found} {noun}: move or delete them first",
                    account_id=account_id,
                    found=found,
                    noun=noun_word(noun),
                )
            )
    _write(session, account, "account", actor, now)
    return _free(session, (account.email,) if account.email else ())


def restore_account(session: Session, account_id: int, *, actor: Actor, now: datetime) -> None:
    """Brings a deleted account back. Raises NotFound, Forbidden, Invalid."""
    visible.require(session, actor, "account", account_id)
    account = session.get(Account, account_id)
    if account is None:
        raise NotFound(Phrase("there is no account {account_id}", account_id=account_id))
    if not actor.may("account", Verb.DELETE, [account.owner_id]):
        raise actor.refuse(Phrase("restore account {id}", id=account_id), "account", Verb.DELETE)
    if account.deleted_at is None:
        raise Invalid(Phrase("account {account_id} is not deleted", account_id=account_id))
    _write(session, account, "account", actor, now, deleted=False)


def restore_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> None:
    """Brings a deleted contact back. Raises NotFound, Forbidden, Invalid."""
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
    _write(session, contact, "contact", actor, now, deleted=False)


def _write(
    session: Session,
    record: Account | Contact,
    entity: str,
    actor: Actor,
    now: datetime,
    *,
    deleted: bool = True,
) -> None:
    directory.state(session, lock=True)
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


def _free(session: Session, addresses: tuple[str, ...]) -> list[str]:
    used = addresses_in_use(session, addresses)
    return [address for address in dict.fromkeys(addresses) if address not in used]
