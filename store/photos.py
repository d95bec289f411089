"""Photos of contacts (R036): one a contact, in a table of its own, so that no list reads it.

They are in the database and not among the attachments: a photo is replaced and erased in the transaction
that says so, with nothing left over to be swept, and belongs to one person, where a file of the attachments
belongs to whatever has the same content. What comes in here was drawn anew before (`connectors.pictures`).
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.language import Phrase
from config.words import changed_meanwhile
from store import visible
from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base
from store.contacts import Contact
from store.errors import NotFound, Stale
from store.rights import Verb


class ContactPhoto(Base):
    """Photo de profil."""

    __tablename__ = "contact_photo"

    contact_id: Mapped[int] = mapped_column(
        ForeignKey("contact.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    mime: Mapped[str] = mapped_column(String(20))  # image/jpeg or image/png
    size: Mapped[int]  # octets
    sha256: Mapped[str] = mapped_column(String(64))
    width: Mapped[int]  # points
    height: Mapped[int]
    updated_at: Mapped[datetime]
    content: Mapped[bytes] = mapped_column(LargeBinary)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as it is stored."""

    mime: str
    width: int
    height: int
    sha256: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PictureRow:
    """What is told of a picture."""

    mime: str
    size: int  # octets
    width: int  # points
    height: int
    sha256: str

    def __str__(self) -> str:
        return f"{self.mime}, {self.width} × {self.height}, {self.size} octets, sha256 {self.sha256}"


def row(session: Session, contact_id: int) -> PictureRow | None:
    """What is told of a contact's photo; None where there is none."""
    p = ContactPhoto
    query = select(p.mime, p.size, p.width, p.height, p.sha256).where(p.contact_id == contact_id)
    found = session.execute(query).one_or_none()
    return None if found is None else PictureRow(*found)


def content(session: Session, contact_id: int, reader: Actor | None = None) -> Drawn:
    """The photo. Raises NotFound, also for what the reader may not see; None reads as an admin."""
    visible.require(session, reader, "contact", contact_id)
    found = session.get(ContactPhoto, contact_id)
    if found is None:
        contact = session.get(Contact, contact_id)
        if contact is None:
            raise NotFound(Phrase("contact {id} does not exist", id=contact_id))
        raise NotFound(Phrase("contact {id} has no photo", id=contact_id))
    return Drawn(found.mime, found.width, found.height, found.sha256, found.content)


def put(
    session: Session,
    contact_id: int,
    photo: Drawn | None,
    *,
    actor: Actor,
    now: datetime,
    channel: Channel = Channel.CLI,
    expected: int | None = None,
) -> bool:
    """Gives a contact this photo in place of the one it has; None takes it away. Returns whether anything
    changed. Raises NotFound, Forbidden, and Stale where the contact is not at the expected version."""
    contact = _editable(session, contact_id, actor, deleted=photo is None)
    if expected is not None and contact.version != expected:
        raise Stale(changed_meanwhile("contact", contact_id, contact.version, expected))
    there = row(session, contact_id)
    if (there and there.sha256) == (photo and photo.sha256):
        return False
    erase(session, contact_id)
    if photo is not None:
        add(session, contact_id, photo, now)
    contact.updated_at, contact.updated_by = now, actor.user_id
    contact.version += 1
    session.add(
        AuditLog(at=now, actor=actor.login, entity="contact", entity_id=contact_id,
                 change={"photo": "removed" if photo is None else "replaced" if there else "added"},
                 channel=channel)
    )  # fmt: skip
    session.flush()
    return True


def add(session: Session, contact_id: int, photo: Drawn, now: datetime) -> None:
    """Gives a photo to a contact without one: for `put`, and for a contact that was made a moment ago."""
    session.add(
        ContactPhoto(
            contact_id=contact_id, mime=photo.mime, size=len(photo.content), sha256=photo.sha256,
            width=photo.width, height=photo.height, content=photo.content, updated_at=now,
        )
    )  # fmt: skip
    session.flush()


def erase(session: Session, contact_id: int) -> bool:
    """Deletes the photo itself, and says nothing in the audit log: for `put`, and for the erasure of a
    person. Returns whether there was one."""
    gone = session.execute(
        delete(ContactPhoto).where(ContactPhoto.contact_id == contact_id).returning(ContactPhoto.contact_id)
    )
    return bool(gone.all())


def move(session: Session, from_: int, to: int) -> str | None:
    """Has a photo be another contact's, which has none. Returns its hash; None where nothing was moved."""
    photo = session.get(ContactPhoto, from_)
    if photo is None or row(session, to) is not None:
        return None
    session.add(
        ContactPhoto(
            contact_id=to, mime=photo.mime, size=photo.size, sha256=photo.sha256, width=photo.width,
            height=photo.height, content=photo.content, updated_at=photo.updated_at,
        )
    )  # fmt: skip
    session.delete(photo)
    session.flush()
    return photo.sha256


def _editable(session: Session, contact_id: int, actor: Actor, *, deleted: bool) -> Contact:
    """`deleted`: also one that is deleted, whose photo can still be taken away."""
    visible.require(session, actor, "contact", contact_id)
    contact = session.get(Contact, contact_id, with_for_update=True)
    if contact is None or (contact.deleted_at is not None and not deleted):
        raise NotFound(Phrase("there is no contact {id}", id=contact_id))
    account = session.get_one(Account, contact.account_id)
    if not actor.may("contact", Verb.UPDATE, [contact.owner_id, account.owner_id]):
        raise actor.refuse(Phrase("change contact {id}", id=contact_id), "contact", Verb.UPDATE)
    return contact
