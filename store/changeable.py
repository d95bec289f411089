"""Records that somebody is about to change: held, and refused to who may not."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import visible
from store.accounts import Account
from store.actors import Actor
from store.errors import NotFound
from store.rights import Verb


def account(session: Session, account_id: int, actor: Actor) -> Account:
    """The account, kept from others who would write it at the same time. Raises NotFound, Forbidden."""
    visible.require(session, actor, "account", account_id)
    query = select(Account).where(Account.id == account_id, Account.deleted_at.is_(None))
    found = session.scalar(query.with_for_update())
    if found is None:
        raise NotFound(Phrase("there is no account {id}", id=account_id))
    if not actor.may("account", Verb.UPDATE, [found.owner_id]):
        raise actor.refuse(Phrase("change account {id}", id=account_id), "account", Verb.UPDATE)
    return found
