"""What the editing of events and tasks asks of the store, and the little it writes beside the rows.

The rules of a calendar are `syncd.engine.calendar.editing`; here are the records that a person names, and
the line of the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from config.language import Phrase
from store import meeting_rows
from store.accounts import Account, AccountType
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.calendar import Event, EventParticipant, ParticipantKind, Task
from store.contacts import Contact
from store.errors import NotFound
from store.pipeline import CaseFile, CaseScope, Opportunity, OpportunityAccount
from store.readers import number_of_record
from store.users import User


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account, as far as an event needs it."""

    id: int
    name: str
    type: AccountType
    address: str  # on one line; empty where it is not known


@dataclass(frozen=True, slots=True)
class OpportunityFacts:
    """An opportunity and its accounts, the main one first."""

    id: int
    name: str
    accounts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """A dossier; `account_id` is None for a general one."""

    id: int
    code: str
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """A user or a contact who can take part."""

    id: int
    name: str
    email: str  # lower-cased; empty for a contact without one
    timezone: str | None = None
    account_id: int | None = None


def account(session: Session, id_: int) -> AccountFacts:
    """The account of that id. Raises NotFound."""
    found = session.get(Account, id_)
    if found is None or found.deleted_at is not None:
        raise NotFound(Phrase("there is no account {id}", id=id_))
    town = " ".join(part for part in (found.postcode, found.city) if part)
    parts = [part for part in (found.address1, found.address2, town) if part]
    return AccountFacts(found.id, found.name, found.type, ", ".join(parts))


def opportunity(session: Session, text: str) -> OpportunityFacts:
    """The opportunity of that reference, else of that id. Raises NotFound."""
    query = select(Opportunity).where(Opportunity.deleted_at.is_(None))
    found = session.scalar(query.where(Opportunity.reference == text))
    if found is None and (id_ := _id(text)) is not None:
        found = session.scalar(query.where(Opportunity.id == id_))
    if found is None:
        raise NotFound(Phrase('there is no opportunity "{text}": name its id or its reference', text=text))
    accounts = session.scalars(
        select(OpportunityAccount.account_id)
        .where(OpportunityAccount.opportunity_id == found.id)
        .order_by(OpportunityAccount.main.desc(), OpportunityAccount.account_id)
    ).all()
    return OpportunityFacts(found.id, found.reference or found.title, tuple(accounts))


def case_file(session: Session, text: str) -> CaseFacts:
    """The dossier of that id, else of that code where only one has it. Raises NotFound."""
    query = select(CaseFile).where(CaseFile.deleted_at.is_(None))
    named = list(session.scalars(query.where(CaseFile.code == text)))
    if len(named) != 1 and (id_ := _id(text)) is not None:
        named = list(session.scalars(query.where(CaseFile.id == id_)))
    if len(named) != 1:
        several = (
            Phrase("several have that code: name its id") if named else Phrase("name its id or its code")
        )
        raise NotFound(Phrase('there is no dossier "{text}": {several}', text=text, several=several))
    (found,) = named
    return CaseFacts(found.id, found.code, found.account_id if found.scope is CaseScope.ACCOUNT else None)


def user(session: Session, login: str) -> Person:
    """The active user of that login. Raises NotFound."""
    found = session.scalar(select(User).where(User.login == login, User.active))
    if found is None:
        logins = ", ".join(session.scalars(select(User.login).where(User.active).order_by(User.login)))
        raise NotFound(
            Phrase(
                'there is no user "{login}"; known: {logins}', login=login, logins=logins or Phrase("none")
            )
        )
    return _user(found)


def user_of(session: Session, id_: int) -> Person:
    """The user of that id, active or not. Raises NotFound."""
    found = session.get(User, id_)
    if found is None:
        raise NotFound(Phrase("there is no user {id}", id=id_))
    return _user(found)


def _user(found: User) -> Person:
    return Person(found.id, f"{found.first_name} {found.last_name}".strip(), found.email, found.timezone)


def contact(session: Session, id_: int) -> Person:
    """The contact of that id. Raises NotFound."""
    found = session.get(Contact, id_)
    if found is None or found.deleted_at is not None:
        raise NotFound(Phrase("there is no contact {id}", id=id_))
    name = f"{found.first_name} {found.last_name}".strip()
    return Person(found.id, name, next(iter(found.addresses()), ""), account_id=found.account_id)


def contact_by_address(session: Session, email: str) -> Person | None:
    """The first contact that has a lower-cased address, if any."""
    query = select(Contact.id).where(
        Contact.deleted_at.is_(None),
        or_(Contact.email == email, Contact.email2 == email, Contact.email3 == email),
    )
    id_ = session.scalar(query.order_by(Contact.id).limit(1))
    return None if id_ is None else contact(session, id_)


def event_exists(session: Session, id_: int) -> bool:
    """Whether there is such an event, other than a changed occurrence."""
    query = select(Event.id).where(Event.id == id_, Event.series_id.is_(None), Event.deleted_at.is_(None))
    return session.scalar(query) is not None


def participant_name(session: Session, event_id: int, email: str) -> str | None:
    """What a participant is called in an event or any of its occurrences; None where nobody has that
    address there."""
    mine = select(Event.id).where((Event.id == event_id) | (Event.series_id == event_id))
    names = session.scalars(
        select(EventParticipant.display_name).where(
            EventParticipant.event_id.in_(mine), EventParticipant.email == email
        )
    ).all()
    return max(names, key=len, default=None)


def relink(session: Session, email: str, contact_id: int) -> int:
    """Participants with that address are that contact from now on; returns how many. Meetings of theirs that
    are over may be recorded now."""
    events = session.scalars(
        update(EventParticipant)
        .where(EventParticipant.email == email, EventParticipant.kind == ParticipantKind.EMAIL)
        .values(kind=ParticipantKind.CONTACT, contact_id=contact_id)
        .returning(EventParticipant.event_id)
    ).all()
    meeting_rows.look_again(session, events)
    return len(events)


def set_columns(session: Session, model: type[Event | Task], id_: int, values: Mapping[str, Any]) -> None:
    """Writes some columns of a row that the same transaction has just made."""
    session.execute(update(model).where(model.id == id_).values(**values))


def log(
    session: Session, who: tuple[Actor, Channel], record: tuple[str, int], change: Mapping[str, object],
    now: datetime,
) -> None:  # fmt: skip
    """One line of the audit log: who, through which door; which entity and id. Names of fields only."""
    session.add(
        AuditLog(
            at=now,
            actor=who[0].login,
            entity=record[0],
            entity_id=record[1],
            change=dict(change),
            channel=who[1],
        )
    )
    session.flush()


def _id(text: str) -> int | None:
    try:
        return number_of_record(text)
    except ValueError:
        return None
