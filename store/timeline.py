"""What happened with a contact, the newest first: its e-mails, calls, meetings and notes (R050).

A page ends with a cursor, the place of its last row; the next page begins behind it, whatever was written
meanwhile. A row is never shown twice, and none is left out that was there before the first page.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from config.language import Phrase
from store import value_lists, visible
from store.accounts import Account
from store.activities import (
    Activity,
    ActivityContact,
    ActivityState,
    ActivityType,
    CallDirection,
)
from store.actors import Actor
from store.contacts import Contact
from store.errors import NotFound
from store.pipeline import Opportunity
from store.users import User

SEPARATOR = "~"
_LARGEST_ID = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands: rows are ordered by their time, then by id."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.at.isoformat()}{SEPARATOR}{self.id}"


@dataclass(frozen=True, slots=True)
class Happened:
    """An activity. An e-mail's text and attachments are those of `email_id`."""

    id: int
    occurred_at: datetime
    type: str  # the code of an item of activity_type
    subject: str
    account: str | None
    opportunity: str | None
    user: str | None
    automatic: bool
    state: ActivityState
    email_id: int | None
    event_id: int | None
    duration_min: int | None
    call_direction: CallDirection | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """One page. `next` is None on the last one."""

    rows: tuple[Happened, ...]
    next: str | None


def place(text: str) -> Place:
    """The place that a cursor tells; ValueError for what is no cursor."""
    moment, separator, number = text.strip().partition(SEPARATOR)
    try:
        at = datetime.fromisoformat(moment)
    except ValueError:
        at = None
    ok = at is not None and at.tzinfo is not None and separator and number.isascii() and number.isdecimal()
    if not ok or at is None or int(number[:12]) > _LARGEST_ID:
        raise ValueError(Phrase("is no place in a timeline: give what the page before printed"))
    return Place(at, int(number))


def page(
    session: Session,
    contact_id: int,
    *,
    limit: int,
    after: Place | None = None,
    pending: bool = False,
    reader: Actor | None = None,
) -> Timeline:
    """The activities of a contact that the reader may read. Raises NotFound.

    Those that wait for a report are in it with `pending` only (R114), but for calls: an unreported call was a
    call (R047).
    """
    if session.scalar(select(Contact.id).where(Contact.id == contact_id)) is None:
        raise NotFound(Phrase("there is no contact {contact_id}", contact_id=contact_id))
    visible.require(session, reader, "contact", contact_id)
    a = Activity
    # The rows of one page are read last: of the others only what they are ordered by.
    which = (
        select(a.id)
        .join(ActivityContact, ActivityContact.activity_id == a.id)
        .where(ActivityContact.contact_id == contact_id, a.deleted_at.is_(None), visible.activities(reader))
        .order_by(a.occurred_at.desc(), a.id.desc())
        .limit(limit + 1)
    )
    if not pending:
        which = which.where(or_(a.state == ActivityState.VALIDATED, a.type == ActivityType.CALL))
    if after is not None:
        behind = or_(a.occurred_at < after.at, and_(a.occurred_at == after.at, a.id < after.id))
        which = which.where(behind)
    ids = session.scalars(which).all()
    query = (
        select(a, Account.name, Opportunity.title, User.login)
        .outerjoin(Account, Account.id == a.account_id)
        .outerjoin(Opportunity, Opportunity.id == a.opportunity_id)
        .outerjoin(User, User.id == a.user_id)
        .where(a.id.in_(ids[:limit]))
        .order_by(a.occurred_at.desc(), a.id.desc())
    )
    found = session.execute(query).all()
    codes = value_lists.of_rows(session, (one.type_id for one, *_ in found))
    rows = tuple(
        Happened(
            one.id, one.occurred_at, codes.get(one.type_id or 0, one.type.value), one.subject, account,
            opportunity, login, one.automatic, one.state, one.email_id, one.event_id, one.duration_min,
            one.call_direction,
        )
        for one, account, opportunity, login in found
    )  # fmt: skip
    more = len(ids) > limit and rows
    return Timeline(rows, str(Place(rows[-1].occurred_at, rows[-1].id)) if more else None)
