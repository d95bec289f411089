"""Which records somebody may read, as conditions of queries.

What hangs on an account is read where the account is (R021, R041): an account that is within reach of the
right `account.read`, that is public, or that one owns. Besides, everybody reads what is their own. None as
the reader is an admin, who reads everything.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Select, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.language import Phrase
from config.rights import Scope
from config.words import noun_word
from store.accounts import Account
from store.activities import Activity
from store.actors import Actor
from store.calendar import Event, EventParticipant, Privacy, Task
from store.checkins import CheckIn
from store.contacts import Contact
from store.deals import Deal, Project
from store.errors import NotFound
from store.mail import EmailMatch, EmailMessage, EmailUser
from store.pipeline import Opportunity, OpportunityAccount
from store.rights import Verb
from store.selling import SalesOrder
from store.sync_state import Mailbox
from store.users import UserRole


def reads_all(reader: Actor | None) -> bool:
    """Whether nothing is hidden."""
    return reader is None or reader.scope("account", Verb.READ) is Scope.ALL


def accounts(reader: Actor | None) -> ColumnElement[bool]:
    """Accounts. Those of nobody belong to every branch."""
    if reader is None or reads_all(reader):
        return true()
    scope = reader.scope("account", Verb.READ)
    ways = [Account.public, Account.owner_id.in_(reader.owners(scope) | reader.owners(Scope.OWN))]
    if scope is Scope.BRANCH:
        ways.append(Account.owner_id.is_(None))
    return or_(*ways)


def account_ids(reader: Actor | None) -> Select[int]:
    """The ids of these accounts."""
    return select(Account.id).where(accounts(reader))


def _hanging(
    reader: Actor | None,
    account: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    own: InstrumentedAttribute[int | None] | None = None,
) -> ColumnElement[bool]:
    if reader is None or reads_all(reader):
        return true()
    follows = account.in_(account_ids(reader))
    return follows if own is None else or_(follows, own == reader.user_id)


def contacts(reader: Actor | None) -> ColumnElement[bool]:
    """Contacts."""
    return _hanging(reader, Contact.account_id, Contact.owner_id)


def projects(reader: Actor | None) -> ColumnElement[bool]:
    """Projects."""
    return _hanging(reader, Project.account_id)


def deals(reader: Actor | None) -> ColumnElement[bool]:
    """Deals."""
    if reader is None or reads_all(reader):
        return true()
    mine = select(Project.id).where(projects(reader))
    return or_(Deal.project_id.in_(mine), Deal.owner_id == reader.user_id)


def opportunities(reader: Actor | None) -> ColumnElement[bool]:
    """Opportunities: those of one such account at least."""
    if reader is None or reads_all(reader):
        return true()
    linked = select(OpportunityAccount.opportunity_id).where(_hanging(reader, OpportunityAccount.account_id))
    return or_(Opportunity.id.in_(linked), Opportunity.owner_id == reader.user_id)


def orders(reader: Actor | None) -> ColumnElement[bool]:
    """Orders."""
    return _hanging(reader, SalesOrder.account_id, SalesOrder.owner_id)


def emails(reader: Actor | None) -> ColumnElement[bool]:
    """E-mails: those logged on such an account, and those of one's own mailbox."""
    if reader is None or reads_all(reader):
        return true()
    logged = select(EmailMatch.email_id).where(_hanging(reader, EmailMatch.account_id))
    own = select(EmailUser.email_id).where(EmailUser.user_id == reader.user_id)
    return or_(EmailMessage.id.in_(logged), EmailMessage.id.in_(own))


def activities(reader: Actor | None) -> ColumnElement[bool]:
    """Activities."""
    if reader is None or reads_all(reader):
        return true()
    linked = select(Opportunity.id).where(opportunities(reader))
    return or_(
        Activity.account_id.in_(account_ids(reader)),
        Activity.opportunity_id.in_(linked),
        Activity.user_id == reader.user_id,
    )


def events(reader: Actor | None) -> ColumnElement[bool]:
    """Events: one's own, those one takes part in, and those of such an account that are not private."""
    if reader is None or reader.role is UserRole.WORKSPACE_ADMIN:
        return true()
    part = select(EventParticipant.event_id).where(EventParticipant.user_id == reader.user_id)
    follows = _hanging(reader, Event.account_id) & (Event.privacy == Privacy.PUBLIC)
    return or_(Event.owner_id == reader.user_id, Event.id.in_(part), follows)


def tasks(reader: Actor | None) -> ColumnElement[bool]:
    """Tasks: one's own, and those of such an account that are not private."""
    if reader is None or reader.role is UserRole.WORKSPACE_ADMIN:
        return true()
    follows = _hanging(reader, Task.account_id) & (Task.privacy == Privacy.PUBLIC)
    return or_(Task.assignee_id == reader.user_id, follows)


def checkins(reader: Actor | None) -> ColumnElement[bool]:
    """Check-ins: one's own, and those of whom one leads. Where somebody was concerns nobody else; the visit
    stands among the activities of its account."""
    if reader is None or reader.role is UserRole.WORKSPACE_ADMIN:
        return true()
    return CheckIn.user_id.in_(reader.team | reader.owners(Scope.OWN))


def mailboxes(reader: Actor | None) -> ColumnElement[bool]:
    """Mailboxes and what went on in them: one's own; those of others are for admins only."""
    if reader is None or reader.role is UserRole.WORKSPACE_ADMIN:
        return true()
    return Mailbox.user_id == reader.user_id


def require(session: Session, reader: Actor | None, kind: str, id_: int) -> None:
    """Raises NotFound for what the reader may not read: that it exists is not told either."""
    id_column, condition = READ[kind]
    if reader is None or reader.role is UserRole.WORKSPACE_ADMIN:
        return
    if session.scalar(select(id_column).where(id_column == id_, condition(reader))) is None:
        raise NotFound(Phrase("there is no {kind} {id}", kind=noun_word(kind), id=id_))


READ: dict[str, tuple[InstrumentedAttribute[int], Callable[[Actor | None], ColumnElement[bool]]]] = {
    "account": (Account.id, accounts),
    "contact": (Contact.id, contacts),
    "project": (Project.id, projects),
    "deal": (Deal.id, deals),
    "opportunity": (Opportunity.id, opportunities),
    "order": (SalesOrder.id, orders),
    "email": (EmailMessage.id, emails),
    "activity": (Activity.id, activities),
    "event": (Event.id, events),
    "task": (Task.id, tasks),
    "checkin": (CheckIn.id, checkins),
}
