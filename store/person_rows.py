"""All that is stored of one person, row by row, for whoever has to hand it out (GDPR, articles 15 and 20).

Rows are told as field names and values. Read only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from store import attendance_rows, call_rows, custom_fields, erasing, erasing_events
from store.accounts import Account
from store.activities import Activity, ActivityContact
from store.audit_log import AuditLog
from store.base import Base
from store.calendar import Event, EventParticipant, Task
from store.contacts import Contact
from store.drafts import ContactDraft
from store.ledger import chunked
from store.mail import EmailAttachment, EmailMatch, EmailMessage, OutboundMessage
from store.meetings import MeetingReport
from store.merging import ContactMerge
from store.persons import Person
from store.photos import ContactPhoto
from store.selling import SalesOrder
from store.traces import Traces

PAGE = 50  # e-mails read together: each may be large
WORKINGS = frozenset({"search", "zones", "timing", "recurrence", "digest", "fingerprint", "token_hash"})
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attached:
    """An attachment of an e-mail. `kept`: its content is there."""

    position: int
    name: str
    mime: str
    size: int
    sha256: str
    kept: bool


def contacts(session: Session, person: Person) -> list[Row]:
    """The contact and its duplicates, with the fields of the company's own and the name of the account."""
    fields = custom_fields.of_entity(session, "contact")
    own = custom_fields.values(session, fields, person.contacts)
    found = []
    for part in chunked(person.contacts):
        query = select(Contact, Account.name).join(Account, Account.id == Contact.account_id)
        for contact, account in session.execute(query.where(Contact.id.in_(part)).order_by(Contact.id)):
            found.append({**_row(contact), "account": account, **own.get(contact.id, {})})
    return found


def photos(session: Session, person: Person) -> Iterator[tuple[int, str, bytes]]:
    """The photos, each with the contact whose it is and its type."""
    p = ContactPhoto
    for part in chunked(person.contacts):
        query = select(p.contact_id, p.mime, p.content).where(p.contact_id.in_(part)).order_by(p.contact_id)
        yield from map(tuple, session.execute(query))


def mails(session: Session, person: Person) -> Iterator[tuple[Row, list[Attached]]]:
    """The e-mails, the oldest first as they were logged, each with its attachments."""
    for part in chunked(erasing.mails_of(session, person), PAGE):
        files: dict[int, list[Attached]] = {}
        attached = select(EmailAttachment).where(EmailAttachment.email_id.in_(part))
        for one in session.scalars(attached.order_by(EmailAttachment.email_id, EmailAttachment.position)):
            kept = one.path is not None
            file = Attached(one.position, one.name, one.mime, one.size, one.sha256, kept)
            files.setdefault(one.email_id, []).append(file)
        query = select(EmailMessage).where(EmailMessage.id.in_(part)).order_by(EmailMessage.id)
        for mail in session.scalars(query):
            yield _row(mail), files.get(mail.id, [])
        session.expunge_all()


def activities(session: Session, person: Person) -> Iterator[Row]:
    """Activities with the person and of the person's mail, recorded calls among them, with their reports."""
    ids = set(call_rows.with_numbers(session, person.numbers))
    for part in chunked(person.contacts):
        mine = select(ActivityContact.activity_id).where(ActivityContact.contact_id.in_(part))
        ids.update(session.scalars(mine))
    for part in chunked(erasing.mails_of(session, person)):
        ids.update(session.scalars(select(Activity.id).where(Activity.email_id.in_(part))))
    for part in chunked(sorted(ids)):
        reports: dict[int, list[Row]] = {}
        for one in session.scalars(select(MeetingReport).where(MeetingReport.activity_id.in_(part))):
            reports.setdefault(one.activity_id, []).append(_row(one))
        query = select(Activity).where(Activity.id.in_(part)).order_by(Activity.id)
        for activity in session.scalars(query):
            yield {**_row(activity), "reports": reports.get(activity.id, [])}


def events(session: Session, person: Person) -> Iterator[Row]:
    """Events that the person takes part in, with the person's own part in them; nobody else's."""
    p = EventParticipant
    for part in chunked(sorted(erasing_events.events_of(session, person))):
        mine: dict[int, list[Row]] = {}
        hers = or_(p.contact_id.in_(person.contacts), p.email.in_(person.addresses))
        for one in session.scalars(select(p).where(p.event_id.in_(part), hers)):
            mine.setdefault(one.event_id, []).append(_row(one))
        for event in session.scalars(select(Event).where(Event.id.in_(part)).order_by(Event.id)):
            yield {**_row(event), "participation": mine.get(event.id, [])}


def attendance(session: Session, person: Person) -> list[Row]:
    """What lists of attendance of meetings say of the person."""
    names = {f"contact:{one}" for one in person.contacts} | {f"email:{one}" for one in person.addresses}
    return attendance_rows.of_person(session, names)


def others(session: Session, person: Person) -> dict[str, list[Row]]:
    """Tasks about the person, orders, cards to be completed, merges, and what was done with the contacts."""
    ids = person.contacts
    traces = Traces(person.addresses, person.names, person.numbers)
    drafts = [
        {**_row(one), "raw": one.raw.decode("utf-8", "replace")}
        for one in session.scalars(select(ContactDraft).order_by(ContactDraft.id))
        if one.contact_id in ids or traces.clean_json(one.parsed) != one.parsed
    ]
    log = AuditLog
    return {
        "tasks": _all(session, select(Task).where(Task.contact_id.in_(ids)).order_by(Task.id)),
        "orders": _all(session, select(SalesOrder).where(SalesOrder.contact_id.in_(ids))),
        "matches": _all(session, select(EmailMatch).where(EmailMatch.contact_id.in_(ids))),
        "drafts": drafts,
        "mails_to_be_drafted": _all(
            session, select(OutboundMessage).where(OutboundMessage.contact_id.in_(ids))
        ),
        "merges": _all(
            session,
            select(ContactMerge).where(ContactMerge.keep_id.in_(ids) | ContactMerge.other_id.in_(ids)),
        ),
        "history": _all(session, select(log).where(log.entity == "contact", log.entity_id.in_(ids))),
    }


def _all(session: Session, query: Select[Any]) -> list[Row]:
    return [_row(one) for one in session.scalars(query)]


def _row(record: Base) -> Row:
    """The columns by name, but those that only the program reads."""
    table = record.__table__
    return {
        column.name: getattr(record, attribute.key)
        for attribute, column in _attributes(record)
        if column.name not in WORKINGS and column.table is table
    }


def _attributes(record: Base) -> Iterable[tuple[Any, Any]]:
    return ((one, one.columns[0]) for one in type(record).__mapper__.column_attrs)
