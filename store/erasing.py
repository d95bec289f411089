"""Taking a person out of the tables, row by row: what goes whole, what stays without the person.

Which mails, calls and events those are is for the caller; texts are `store.traces`. All functions run in the
caller's transaction, and return how many rows they took or changed.
"""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import (
    CursorResult,
    Delete,
    Text,
    Update,
    cast,
    delete,
    func,
    or_,
    select,
    text,
    update,
)  # fmt: skip
from sqlalchemy.orm import InstrumentedAttribute, Session

from store import custom_fields, photos
from store.activities import Activity, ActivityContact
from store.audit_log import AuditLog
from store.contacts import Contact
from store.database import Database
from store.drafts import ContactDraft
from store.import_runs import ImportRow, ImportRun
from store.ledger import chunked
from store.mail import EmailAttachment, EmailMatch, EmailMessage
from store.meetings import MeetingRecord, MeetingReport
from store.merging import ContactMerge
from store.persons import Person
from store.selling import SalesOrder
from store.sync_state import KnownKey, Quarantine, Rematch, Verdict, VerdictKey, VerdictKind
from store.traces import Traces

CONTACTS = ("contact", "contacts")  # what runs of the import call them
Place = tuple[int, int]  # collection, UID


def changed(session: Session, statement: Update | Delete) -> int:
    """Runs it; how many rows it was about."""
    result = session.execute(statement.execution_options(synchronize_session=False))
    if not isinstance(result, CursorResult):
        raise TypeError("an UPDATE or a DELETE counts its rows")
    return int(result.rowcount)


# --- mail -----------------------------------------------------------------------------------------


def mails_of(session: Session, person: Person) -> list[int]:
    """The e-mails that the person wrote or got, or that stand somewhere because of the person."""
    found: set[int] = set()
    for part in chunked(person.contacts):
        found.update(session.scalars(select(EmailMatch.email_id).where(EmailMatch.contact_id.in_(part))))
    for some in chunked(person.addresses):
        found.update(session.scalars(select(EmailMatch.email_id).where(EmailMatch.address.in_(some))))
    e = EmailMessage
    fields: tuple[InstrumentedAttribute[list[str]], ...] = (e.from_, e.to, e.cc, e.bcc, e.reply_to)
    likes = Traces(person.addresses, (), ()).likes()
    if likes:
        either = or_(*(cast(one, Text).ilike(like) for one in fields for like in likes))
        for id_, *several in session.execute(select(e.id, *fields).where(either)):
            if any(address in person.addresses for one in several for address in one):
                found.add(id_)
    return sorted(found)


def fingerprints(session: Session, mails: Iterable[int]) -> list[str]:
    """Those of the e-mails."""
    return [
        one
        for part in chunked(mails)
        for one in session.scalars(select(EmailMessage.fingerprint).where(EmailMessage.id.in_(part)))
    ]


def places(session: Session, mails: Iterable[int], keys: Iterable[int]) -> dict[int, set[int]]:
    """Where the e-mails lie, and all that the ledger finds under one of the keys: UIDs by folder."""
    found: dict[int, set[int]] = {}
    for part in chunked(mails):
        for folder, uid in session.execute(
            select(Verdict.collection_id, Verdict.uid).where(Verdict.email_id.in_(part))
        ):
            found.setdefault(folder, set()).add(uid)
    for part in chunked(keys):
        for folder, uid in session.execute(
            select(VerdictKey.collection_id, VerdictKey.uid).where(VerdictKey.key.in_(part))
        ):
            found.setdefault(folder, set()).add(uid)
    return found


def close_ledger(session: Session, found: dict[int, set[int]], known: Iterable[int]) -> dict[str, int]:
    """The messages have been seen, and that is all that is known of them: nothing finds them again. `known`
    are the keys of the person's addresses as those of the person's contacts."""
    done = {"verdict": 0, "verdict_key": 0}
    for folder, uids in found.items():
        for part in chunked(sorted(uids)):
            v, k = Verdict, VerdictKey
            done["verdict"] += changed(
                session,
                update(v).where(v.collection_id == folder, v.uid.in_(part))
                .values(verdict=VerdictKind.ERASED, reason=None, email_id=None),
            )  # fmt: skip
            done["verdict_key"] += changed(
                session, delete(k).where(k.collection_id == folder, k.uid.in_(part))
            )
            changed(session, delete(Rematch).where(Rematch.collection_id == folder, Rematch.uid.in_(part)))
            refs = [str(uid) for uid in part]
            q = Quarantine
            changed(session, delete(q).where(q.collection_id == folder, q.remote_ref.in_(refs)))
    for part in chunked(known):
        changed(session, delete(KnownKey).where(KnownKey.key.in_(part)))
    return done


def drop_mails(session: Session, mails: Collection[int]) -> dict[str, int]:
    """The e-mails, with attachments, reasons and activities."""
    done = {"email_message": 0, "email_attachment": 0, "activity": 0}
    for part in chunked(mails):
        for name, model, column in (
            ("email_attachment", EmailAttachment, EmailAttachment.email_id),
            ("activity", Activity, Activity.email_id),
        ):
            query = select(func.count()).select_from(model).where(column.in_(part))
            done[name] += session.scalar(query) or 0
        done["email_message"] += changed(session, delete(EmailMessage).where(EmailMessage.id.in_(part)))
    return done


def accounts_of(session: Session, person: Person) -> list[tuple[int, int]]:
    """The contacts of the person, each with its account."""
    return [
        (contact, account)
        for part in chunked(person.contacts)
        for contact, account in session.execute(
            select(Contact.id, Contact.account_id).where(Contact.id.in_(part))
        )
    ]


# --- activities -----------------------------------------------------------------------------------


def activities_of(session: Session, person: Person) -> tuple[list[int], list[int]]:
    """The activities with nobody else: those that go, and those of meetings, which stay as bare facts."""
    mine: set[int] = set()
    for part in chunked(person.contacts):
        query = select(ActivityContact.activity_id).where(ActivityContact.contact_id.in_(part))
        mine.update(session.scalars(query))
    others: set[int] = set()
    facts: set[int] = set()
    for part in chunked(sorted(mine)):
        a = ActivityContact
        query = select(a.activity_id).where(
            a.activity_id.in_(part), a.contact_id.not_in(list(person.contacts))
        )
        others.update(session.scalars(query))
        facts.update(
            session.scalars(select(MeetingRecord.activity_id).where(MeetingRecord.activity_id.in_(part)))
        )
    alone = mine - others
    return sorted(alone - facts), sorted(alone & facts)


def unlink_activities(session: Session, person: Person) -> int:
    """Activities with others are without the person."""
    a = ActivityContact
    return sum(changed(session, delete(a).where(a.contact_id.in_(part))) for part in chunked(person.contacts))


def blank_reports(session: Session, activities: Collection[int]) -> tuple[int, list[int]]:
    """What was reported on meetings with the person alone goes; also returns the tasks of their forms."""
    count = 0
    tasks: set[int | None] = set()
    for part in chunked(activities):
        changed(session, update(Activity).where(Activity.id.in_(part)).values(comments=""))
        r = MeetingReport
        tasks.update(
            session.scalars(select(r.task_id).where(r.activity_id.in_(part), r.task_id.is_not(None)))
        )
        gone: dict[str, Any] = {"comments": "", "outcome": None, "problems": []}
        count += changed(session, update(r).where(r.activity_id.in_(part)).values(gone))
    return count, [one for one in tasks if one is not None]


# --- what is the person's own ---------------------------------------------------------------------


def drop_drafts(session: Session, person: Person, traces: Traces) -> int:
    """Cards of the person that wait to be completed, and what is left of those that were."""
    d = ContactDraft
    gone: set[int] = set()
    for part in chunked(person.contacts):
        gone.update(session.scalars(select(d.id).where(d.contact_id.in_(part))))
    last = 0
    while True:  # what a card held may be in any code, so no query can tell
        query = select(d.id, d.raw, d.parsed, d.problem).where(d.id > last).order_by(d.id).limit(100)
        rows = session.execute(query).all()
        if not rows:
            break
        for id_, raw, parsed, problem in rows:
            last = id_
            texts = (raw.decode("utf-8", "replace"), raw.decode("latin-1"), problem)
            if traces.clean_json(parsed) != parsed or any(traces.inside(one) for one in texts):
                gone.add(id_)
    return sum(changed(session, delete(d).where(d.id.in_(part))) for part in chunked(sorted(gone)))


def drop_contacts(session: Session, person: Person) -> dict[str, int]:
    """The contacts themselves, and what only refers to them."""
    done = {
        "contact": 0,
        "contact_photo": 0,
        "contact_merge": 0,
        "sales_order": 0,
        "import_row": 0,
        "audit_log": 0,
    }
    runs = select(ImportRun.id).where(ImportRun.entity.in_(CONTACTS))
    for part in chunked(person.contacts):
        m, row, log = ContactMerge, ImportRow, AuditLog
        done["contact_merge"] += changed(session, delete(m).where(m.keep_id.in_(part) | m.other_id.in_(part)))
        orders = update(SalesOrder).where(SalesOrder.contact_id.in_(part))
        done["sales_order"] += changed(session, orders.values(contact_id=None))
        changed(session, delete(EmailMatch).where(EmailMatch.contact_id.in_(part)))
        custom_fields.remove(session, "contact", part)
        done["contact_photo"] += sum(photos.erase(session, id_) for id_ in part)
        mine = update(row).where(row.run_id.in_(runs), row.record_id.in_(part))
        done["import_row"] += changed(session, mine.values(record_id=None, message=None))
        for id_, change in session.execute(
            select(log.id, log.change).where(log.entity == "contact", log.entity_id.in_(part))
        ).all():
            what = {"erased": sorted(change)}
            done["audit_log"] += changed(session, update(log).where(log.id == id_).values(change=what))
        done["contact"] += changed(session, delete(Contact).where(Contact.id.in_(part)))
    return done


# --- receipts -------------------------------------------------------------------------------------


def put_receipt(session: Session, receipt: AuditLog) -> None:
    """Writes down that it was done."""
    session.add(receipt)
    session.flush()


def receipts(session: Session) -> list[dict[str, Any]]:
    """What was written down of every erasure, the newest first."""
    query = select(AuditLog.change).where(AuditLog.entity == "person").order_by(AuditLog.id.desc())
    return [dict(one) for one in session.scalars(query)]


def overwrite(session: Session) -> None:
    """What this connection deletes is written over with zeros; PostgreSQL has VACUUM for that."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("PRAGMA secure_delete = ON"))


def empty_log(database: Database) -> None:
    """SQLite's write-ahead log holds what was, until it is begun anew."""
    if database.sqlite:
        with database.engine.connect() as connection:
            raw = connection.connection.driver_connection
            if raw is not None:
                connection.rollback()
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
