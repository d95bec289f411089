"""Who reports on meetings and calls, and whom they were with."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.contacts import Contact
from store.ledger import chunked
from store.sync_state import Mailbox
from store.users import User


@dataclass(frozen=True, slots=True)
class UserFacts:
    """A user, as far as a form needs it."""

    id: int
    login: str
    language: str | None
    timezone: str | None


def users_of(session: Session, ids: Iterable[int]) -> dict[int, UserFacts]:
    """These users."""
    return {
        one.id: UserFacts(one.id, one.login, one.language, one.timezone)
        for part in chunked(ids)
        for one in session.scalars(select(User).where(User.id.in_(part)))
    }


def active_users(session: Session) -> frozenset[int]:
    """Who can be asked for anything."""
    return frozenset(session.scalars(select(User.id).where(User.active)))


def reachable(session: Session, users: Collection[int]) -> frozenset[int]:
    """Those of the users who can be asked: not where the task list is kept in step one way only, so that it
    takes no form, or gives no answer back. Who has no list has the tasks of the CRM."""
    homes: dict[int, str] = {}
    for part in chunked(users):
        boxes = select(Mailbox.user_id, Mailbox.direction).where(
            Mailbox.user_id.in_(part), Mailbox.sync_calendar, Mailbox.configured
        )
        homes.update(iter(session.execute(boxes.order_by(Mailbox.id.desc()))))
    return frozenset(user for user in users if homes.get(user, "BOTH").upper() == "BOTH")


def contact_names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """What these contacts are called."""
    return {
        one.id: f"{one.first_name} {one.last_name}".strip()
        for part in chunked(ids)
        for one in session.scalars(select(Contact).where(Contact.id.in_(part)))
    }
