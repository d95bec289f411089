"""Mails that the CRM prepares for a user (R155, R048): drafts on their way into the folder Drafts of the
user's own mailbox. Nothing here is ever sent: that is for the user to do, in the own client.

A row goes when its draft lies there, or never will; what was sent then comes back through the folder Sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from config.language import Phrase
from config.words import field_word, value_word
from store import visible
from store.accounts import Account
from store.audit_log import AuditLog
from store.contacts import Contact
from store.errors import Invalid, NotFound
from store.mail import OutboundMessage
from store.recommendations import By
from store.report_mail import READ_ONLY, rank
from store.sync_state import Mailbox, MailboxState
from store.users import User

LONGEST_SUBJECT, LONGEST_BODY = 255, 20_000  # characters
WORKING = (MailboxState.RUNNING, MailboxState.PAUSED, MailboxState.BRAKED)  # its mail is in order


@dataclass(frozen=True, slots=True)
class Mail:
    """What a draft says, and to whom: the contact, else the account's own address or its first contact's."""

    subject: str
    body: str
    account_id: int | None = None
    contact_id: int | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A draft that is to be put into its mailbox."""

    id: int
    announced: int
    made_at: datetime
    sender: str  # the mailbox's own address, where it is one of the user's; else the user's
    sender_name: str
    to: str  # empty: nobody's address is known
    to_name: str
    subject: str
    body: str
    error: str = ""  # why it was held back


@dataclass(frozen=True, slots=True)
class Held:
    """Drafts of a mailbox that wait, since nobody can tell whether they are there."""

    count: int
    error: str
    since: datetime  # when that was found last


def want(session: Session, login: str, mail: Mail, now: datetime) -> int | None:
    """Has the draft put into the user's own mailbox with its next cycle; its id. None where the user has none
    whose mail is synchronised and into which something may be written."""
    home = _home(session, login)
    if home is None:
        return None
    row = OutboundMessage(
        mailbox_id=home.id,
        account_id=mail.account_id,
        contact_id=mail.contact_id,
        subject=mail.subject[:LONGEST_SUBJECT],
        body=mail.body,
        made_at=now,
    )
    session.add(row)
    session.flush()
    return row.id


def to_contact(session: Session, contact_id: int, mail: Mail, by: By) -> str:
    """R048: a draft to that contact in the mailbox of whoever acts; returns the contact's address.

    Raises NotFound for a contact that may not be read, and Invalid where there is no address, nothing to say,
    or no mailbox of that user that works.
    """
    actor = by.actor
    visible.require(session, actor, "contact", contact_id)
    contact = session.scalar(select(Contact).where(Contact.id == contact_id, Contact.deleted_at.is_(None)))
    if contact is None:
        raise NotFound(Phrase("there is no contact {id}", id=contact_id))
    if not contact.email:
        raise Invalid(Phrase("contact {id} has no e-mail address", id=contact_id))
    if actor.user_id is None:
        raise Invalid(Phrase("whose mail is it? Say it with `--as LOGIN`"))
    subject = " ".join(mail.subject.split())
    if not subject:
        raise Invalid(Phrase("the subject is empty"))
    for name, text, most in (("subject", subject, LONGEST_SUBJECT), ("body", mail.body, LONGEST_BODY)):
        if len(text) > most:
            raise Invalid(
                Phrase(
                    "the {name} has {count} characters, at most {most} are taken",
                    name=field_word(name),
                    count=len(text),
                    most=most,
                )
            )
    home = _home(session, actor.login)
    if home is None:
        raise Invalid(
            Phrase(
                "{login} has no mailbox of the own address whose mail is synchronised and written to: see "
                "`sync` and `direction` of its [[mailboxes]] in the config",
                login=actor.login,
            )
        )
    if home.state not in WORKING or home.attention:
        said = home.attention or Phrase("it is {state}", state=value_word(home.state))
        raise Invalid(
            Phrase(
                "the mailbox {name} is not in order: {said}. See `syncd status`", name=home.name, said=said
            )
        )
    id_ = want(session, actor.login, Mail(subject, mail.body, contact.account_id, contact.id), by.now)
    session.add(
        AuditLog(at=by.now, actor=actor.login, entity="contact", entity_id=contact.id,
                 change={"draft": id_}, channel=by.channel)
    )  # fmt: skip
    return contact.email


def _home(session: Session, login: str) -> Mailbox | None:
    """The mailbox of the user whose address is the user's own, as for the messages of forms."""
    query = (
        select(Mailbox, User)
        .join(User, User.id == Mailbox.user_id)
        .where(User.login == login, User.active, Mailbox.configured, Mailbox.sync_mail)
        .where(Mailbox.direction != READ_ONLY)
        .order_by(Mailbox.id)
    )
    found = [
        (known, one.id, one)
        for one, user in session.execute(query)
        if (known := rank(one.address.lower(), user.email, user.aliases)) is not None
    ]
    return min(found, key=lambda one: one[:2])[2] if found else None


def waiting(session: Session, mailbox_id: int, due: datetime | None = None) -> list[Waiting]:
    """What is to be put into the mailbox, the oldest first; without what was held back after `due`."""
    query = (
        select(OutboundMessage, Mailbox.address, User)
        .join(Mailbox, Mailbox.id == OutboundMessage.mailbox_id)
        .join(User, User.id == Mailbox.user_id)
        .where(OutboundMessage.mailbox_id == mailbox_id, Mailbox.direction != READ_ONLY)
        .order_by(OutboundMessage.id)
    )
    if due is not None:
        query = query.where(OutboundMessage.failed_at.is_(None) | (OutboundMessage.failed_at < due))
    found = []
    for one, address, user in session.execute(query).all():
        to, name = _recipient(session, one)
        own = address.lower() if address.lower() in user.aliases else user.email
        sender = " ".join(part for part in (user.first_name, user.last_name) if part)
        found.append(
            Waiting(one.id, one.tries, one.made_at, own, sender, to, name, one.subject, one.body, one.error)
        )
    return found


def _recipient(session: Session, one: OutboundMessage) -> tuple[str, str]:
    """As it is now: an address that was changed or erased meanwhile is not written to any more."""
    if one.contact_id is None and one.account_id is not None:
        account = session.get_one(Account, one.account_id)
        if account.email:
            return account.email, account.name
    query = select(Contact).where(Contact.deleted_at.is_(None), Contact.email.is_not(None))
    if one.contact_id is not None:
        query = query.where(Contact.id == one.contact_id)
    else:
        query = query.where(Contact.account_id == one.account_id)
    contact = session.scalar(query.order_by(Contact.id).limit(1))
    if contact is None or not contact.email:
        return "", ""
    return contact.email, " ".join(part for part in (contact.first_name, contact.last_name) if part)


def announce(session: Session, id_: int) -> None:
    """It is about to be put."""
    later = OutboundMessage.tries + 1
    session.execute(update(OutboundMessage).where(OutboundMessage.id == id_).values(tries=later))


def hold(session: Session, id_: int, error: str, now: datetime) -> None:
    """It is left for later: nobody can tell whether it is there."""
    values = {"error": error, "failed_at": now}
    session.execute(update(OutboundMessage).where(OutboundMessage.id == id_).values(values))


def retry(session: Session, mailbox_id: int) -> None:
    """What was held back is tried in the next cycle."""
    m = OutboundMessage
    session.execute(
        update(m).where(m.mailbox_id == mailbox_id, m.failed_at.is_not(None)).values(failed_at=None)
    )


def held(session: Session) -> dict[str, Held]:
    """What is held back, by the name of its mailbox."""
    m = OutboundMessage
    query = select(Mailbox.name, m.error, m.failed_at).join(m, m.mailbox_id == Mailbox.id)
    found: dict[str, Held] = {}
    for name, error, at in session.execute(query.where(m.failed_at.is_not(None)).order_by(m.failed_at, m.id)):
        before = found.get(name)
        if at is not None:
            found[name] = Held(1 if before is None else before.count + 1, error, at)
    return found


def settle(session: Session, ids: Collection[int]) -> None:
    """They are there, or never will be."""
    session.execute(delete(OutboundMessage).where(OutboundMessage.id.in_(ids)))
