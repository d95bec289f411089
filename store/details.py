"""One record with what hangs on it, for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from config.language import Phrase
from config.words import noun_word
from store import (
    attendance_rows,
    contact_list,
    linkedin,
    logos,
    photos,
    recommendations,
    report_forms,
    reports,
    statuses,
    tags,
    visible,
)
from store.accounts import Account, AccountType, account_kind
from store.activities import Activity
from store.actors import Actor
from store.base import Base, Entity
from store.contacts import Contact
from store.custom_fields import ValueListItem
from store.deals import Deal, Project
from store.discounts import weighted
from store.errors import NotFound
from store.mail import EmailAttachment, EmailMatch, EmailMessage
from store.own_words import Words, own_values, own_words
from store.pipeline import CaseFile, Opportunity, chance
from store.recommendations import Recommendation
from store.report_rows import Query
from store.sync_state import Collection, Mailbox, Verdict
from store.users import User

HIDDEN = frozenset({"created_by", "updated_by", "body_html", "search"})
FIRST = frozenset({"id", "ext_id"})
LAST = frozenset({"created_at", "updated_at", "deleted_at", "version"})

Record = TypeVar("Record", bound=Base)
Lasting = TypeVar("Lasting", bound=Entity)


@dataclass(frozen=True, slots=True)
class Detail:
    """A record: its fields by name, and lists of what belongs to it (the newest ones of many)."""

    kind: str
    fields: Mapping[str, object]
    lists: Mapping[str, tuple[object, ...]]
    recommendation: Recommendation | None = None  # of an account: shown before everything else (R012)
    words: Words = field(default_factory=Words)  # what people call its fields and their values


@dataclass(frozen=True, slots=True)
class AncestorRow:
    """An account above another."""

    id: int
    name: str
    type: AccountType


@dataclass(frozen=True, slots=True)
class MatchRow:
    """Why an e-mail stands at an account."""

    rule: str
    address: str
    account_id: int
    account: str
    contact_id: int | None
    contact: str | None


@dataclass(frozen=True, slots=True)
class AttachmentRow:
    """An attachment. `kept` is where its content lies in the attachments folder; None = over the limit."""

    name: str
    mime: str
    size: int
    inline: bool
    sha256: str
    kept: str | None


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where a message lies."""

    mailbox: str
    folder: str
    uid: int


def account(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """Raises NotFound, as all here, also for what the reader may not see; None reads as an admin."""
    visible.require(session, reader, "account", id_)
    record = get(session, Account, id_, "account")
    sold = id_ in statuses.with_deals(session, [id_])
    query = Query(account=id_, limit=20, reader=reader)
    return Detail(
        "account",
        fields_of(session, record)
        | {
            "account_kind": account_kind(record.type, record.status, had_deal=sold),
            "tags": tags.of_accounts(session, [id_]).get(id_, ()),
            **logos.of_account(session, id_),
        },
        {
            "ancestors": ancestors(session, id_, reader),
            "children": reports.accounts(session, Query(parent=id_, limit=200, reader=reader)).rows,
            "status_history": statuses.history(session, id_),
            "contacts": contact_list.contacts(session, Query(account=id_, limit=200, reader=reader)).rows,
            "deals": reports.deals(session, query).rows,
            "opportunities": reports.opportunities(session, query).rows,
            "activities": reports.activities(session, query).rows,
        },
        recommendations.of_account(session, id_),
        own_words(session, "account"),
    )


def ancestors(session: Session, id_: int, reader: Actor | None = None) -> tuple[AncestorRow, ...]:
    """What lies above an account, the nearest first, as far as the reader may see it (R162)."""
    found: list[AncestorRow] = []
    current = session.scalar(select(Account.parent_id).where(Account.id == id_))
    while current is not None and all(one.id != current for one in found):
        row = session.execute(
            select(Account.id, Account.name, Account.type, Account.parent_id).where(
                Account.id == current, visible.accounts(reader)
            )
        ).one_or_none()
        if row is None:
            break
        found.append(AncestorRow(row[0], row[1], row[2]))
        current = row[3]
    return tuple(found)


def contact(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """A contact, its newest e-mails and activities."""
    visible.require(session, reader, "contact", id_)
    record = get(session, Contact, id_, "contact")
    query = Query(contact=id_, limit=20, reader=reader)
    page = None if record.linkedin is None else linkedin.address(record.linkedin)
    return Detail(
        "contact",
        fields_of(session, record) | {"linkedin_url": page, "photo": photos.row(session, id_), "sync": ()},
        {
            "emails": reports.emails(session, query).rows,
            "activities": reports.activities(session, query).rows,
        },
        words=own_words(session, "contact"),
    )


def opportunity(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """An opportunity, its accounts, its newest activities."""
    visible.require(session, reader, "opportunity", id_)
    record = kept(session, Opportunity, id_, "opportunity")
    query = Query(opportunity=id_, limit=20, reader=reader)
    row = reports.opportunities(session, query).rows
    fields = fields_of(session, record) | {
        "accounts": row[0].accounts if row else (),
        "weighted": weighted(record.total, chance(record.status, record.probability)),
    }
    activities = reports.activities(session, query).rows
    return Detail("opportunity", fields, {"activities": activities}, words=own_words(session, "opportunity"))


def email(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """An e-mail with its text, its attachments, why it was logged and where it lies."""
    visible.require(session, reader, "email", id_)
    record = get(session, EmailMessage, id_, "email")
    files = select(EmailAttachment).where(EmailAttachment.email_id == id_).order_by(EmailAttachment.position)
    return Detail(
        "email",
        fields_of(session, record),
        {
            "attachments": tuple(
                AttachmentRow(one.name, one.mime, one.size, one.inline, one.sha256, one.path)
                for one in session.scalars(files)
            ),
            "matches": matches(session, id_),
            "activities": reports.activities(session, Query(email=id_, reader=reader)).rows,
            "places": places(session, id_),
        },
    )


def activity(session: Session, id_: int, reader: Actor | None = None) -> Detail:
    """An activity and who took part."""
    visible.require(session, reader, "activity", id_)
    record = get(session, Activity, id_, "activity")
    rows = reports.activities(session, Query(activity=id_, reader=reader)).rows
    extra = {"contacts": rows[0].contacts, "opportunity": rows[0].opportunity} if rows else {}
    fields = fields_of(session, record) | extra | {"outcome": report_forms.outcome(session, id_)}
    if record.type_id is None:
        fields["type"] = record.type.value
    words = own_words(session, "activity", "meeting_report")
    roll = attendance_rows.of_activity(session, id_)
    if roll is None:
        return Detail("activity", fields, {}, words=words)
    told = {"held": roll.told, "further_unplanned": roll.more or None}
    return Detail("activity", fields | told, {"attendance": roll.rows}, words=words)


def matches(session: Session, email_id: int) -> tuple[MatchRow, ...]:
    """Why an e-mail stands where it does."""
    query = (
        select(EmailMatch, Account.name, Contact.first_name, Contact.last_name)
        .join(Account, Account.id == EmailMatch.account_id)
        .outerjoin(Contact, Contact.id == EmailMatch.contact_id)
        .where(EmailMatch.email_id == email_id)
        .order_by(EmailMatch.id)
    )
    return tuple(
        MatchRow(
            one.rule.name.lower(),
            one.address,
            one.account_id,
            name,
            one.contact_id,
            None if one.contact_id is None else f"{first} {last}".strip(),
        )
        for one, name, first, last in session.execute(query)
    )


def places(session: Session, email_id: int) -> tuple[PlaceRow, ...]:
    """In which mailboxes and folders an e-mail lies."""
    query = (
        select(Mailbox.name, Collection.remote_ref, Verdict.uid)
        .join(Collection, Collection.id == Verdict.collection_id)
        .join(Mailbox, Mailbox.id == Collection.mailbox_id)
        .where(Verdict.email_id == email_id)
        .order_by(Mailbox.name, Collection.remote_ref, Verdict.uid)
    )
    return tuple(PlaceRow(name, ref, uid) for name, ref, uid in session.execute(query))


def get(session: Session, model: type[Record], id_: int, kind: str) -> Record:
    """The record. Raises NotFound."""
    found = session.get(model, id_)
    if found is None:
        raise NotFound(Phrase("there is no {kind} {id}", kind=noun_word(kind), id=id_))
    return found


def kept(session: Session, model: type[Lasting], id_: int, kind: str) -> Lasting:
    """The record, if it is not deleted. Raises NotFound."""
    found = session.get(model, id_)
    if found is None:
        raise NotFound(f"there is no {kind} {id_}")
    if found.deleted_at is not None:
        raise NotFound(f"{kind} {id_} is deleted: `syncd {kind} restore {id_}` brings it back")
    return found


def fields_of(session: Session, record: Base) -> dict[str, object]:
    """The columns by name, those that refer to another record with its name beside."""
    fields: dict[str, object] = {}
    names = [column.key for column in record.__mapper__.column_attrs if column.key not in HIDDEN]
    for name in sorted(names, key=lambda one: (one not in FIRST, one in LAST)):
        value = getattr(record, name)
        fields[name] = value
        if name in REFERRED and isinstance(value, int):
            fields[name.removesuffix("_id")] = session.scalar(REFERRED[name](value))
        elif name in LISTED and value is None:
            fields.setdefault(name.removesuffix("_id"), None)
    fields.update(own_values(session, record.__tablename__, fields["id"]))
    return fields


def _item(id_: int) -> Select[str]:
    return select(ValueListItem.code).where(ValueListItem.id == id_)


def _login(id_: int) -> Select[str]:
    return select(User.login).where(User.id == id_)


def _name(id_: int) -> Select[str]:
    return select(Account.name).where(Account.id == id_)


def _title(id_: int) -> Select[str]:
    return select(Opportunity.title).where(Opportunity.id == id_)


def _code(id_: int) -> Select[str]:
    return select(CaseFile.code).where(CaseFile.id == id_)


def _project(id_: int) -> Select[str]:
    return select(Project.name).where(Project.id == id_)


def _deal(id_: int) -> Select[str]:
    return select(Deal.title).where(Deal.id == id_)


LISTED = ("role_id", "segment_id", "type_id", "status_id")
REFERRED: dict[str, Callable[[int], Select[str]]] = {
    "owner_id": _login,
    "user_id": _login,
    "account_id": _name,
    "parent_id": _name,
    "opportunity_id": _title,
    "case_file_id": _code,
    "project_id": _project,
    "converted_deal_id": _deal,
    **dict.fromkeys(LISTED, _item),
}
