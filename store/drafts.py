"""Contacts to be completed: what a card told of a person, kept until somebody completes or rejects it (R038).

A draft is its user's own. Once it is completed or rejected, what it held of the person is gone from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from store.accounts import Account
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base, EnumText
from store.contacts import Contact
from store.errors import Forbidden, Invalid, NotFound
from store.ledger import chunked
from store.users import User


class DraftSource(Enum):
    """Where a draft comes from."""

    PHONEBOOK = "phonebook"
    CARD_SCAN = "card_scan"
    EMAIL = "email"


class DraftState(Enum):
    """What became of a draft."""

    NEW = "new"
    COMPLETED = "completed"
    REJECTED = "rejected"


class ContactDraft(Base):
    """Contact à compléter. `parsed` has the CRM's field names, and `organisation`."""

    __tablename__ = "contact_draft"
    __table_args__ = (Index("ix_contact_draft_state_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[DraftSource] = mapped_column(EnumText(DraftSource))
    state: Mapped[DraftState] = mapped_column(EnumText(DraftState))
    raw: Mapped[bytes] = mapped_column(LargeBinary)  # of a card what is kept of it; of a scan its text
    digest: Mapped[str] = mapped_column(String(64), index=True)  # SHA-256 of it
    parsed: Mapped[dict[str, Any]] = mapped_column(JSON)
    confidence: Mapped[dict[str, Any]] = mapped_column(JSON)  # 0 to 1, by field
    missing: Mapped[list[str]] = mapped_column(JSON)
    problem: Mapped[str] = mapped_column(Text)  # why it cannot be read; empty for one that can
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)  # to update, or made
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft, for people."""

    id: int
    source: DraftSource
    state: DraftState
    parsed: Mapping[str, Any]
    confidence: Mapping[str, Any]
    missing: tuple[str, ...]
    updates_contact: int | None
    problem: str
    user: str | None
    created_at: datetime


def listed(
    session: Session, actor: Actor, *, every: bool, limit: int, offset: int
) -> tuple[tuple[DraftRow, ...], int]:
    """The drafts that the actor may complete, the oldest first, and how many there are in all."""
    query = select(ContactDraft, User.login).outerjoin(User, User.id == ContactDraft.user_id)
    if not every:
        query = query.where(ContactDraft.state == DraftState.NEW)
    if not actor.may_edit(None):
        query = query.where(ContactDraft.user_id == actor.user_id)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    rows = session.execute(query.order_by(ContactDraft.id).limit(limit).offset(offset))
    return tuple(
        DraftRow(d.id, d.source, d.state, d.parsed, d.confidence, tuple(d.missing), d.contact_id, d.problem,
                 login, d.created_at)
        for d, login in rows
    ), total  # fmt: skip


def waiting(session: Session, id_: int, actor: Actor) -> ContactDraft:
    """A draft that waits for its user. Raises NotFound, Forbidden, Invalid."""
    found = session.get(ContactDraft, id_, with_for_update=True)
    if found is None:
        raise NotFound(f"there is no draft {id_}: `syncd contact drafts` lists them")
    if not actor.may_edit(found.user_id):
        raise Forbidden(f"{actor.login} may not change draft {id_}: it is another user's")
    if found.state is not DraftState.NEW:
        raise Invalid(f"draft {id_} is {found.state.value} already")
    return found


def end(session: Session, draft: ContactDraft, state: DraftState, *, actor: Actor, now: datetime) -> None:
    """Completed or rejected: what it held goes."""
    draft.state, draft.updated_at, draft.version = state, now, draft.version + 1
    draft.raw, draft.parsed, draft.confidence, draft.missing = b"", {}, {}, []
    change = {"state": state.value, "contact": draft.contact_id}
    session.add(
        AuditLog(at=now, actor=actor.login, entity="contact_draft", entity_id=draft.id, change=change,
                 channel=Channel.CLI)
    )  # fmt: skip
    session.flush()


def known(session: Session, digests: Iterable[str], user_id: int | None) -> dict[str, int]:
    """Which of these cards wait as drafts of that user already, by digest."""
    found: dict[str, int] = {}
    for part in chunked(digests):
        query = select(ContactDraft.digest, ContactDraft.id).where(
            ContactDraft.digest.in_(part), ContactDraft.state == DraftState.NEW
        )
        mine = ContactDraft.user_id.is_(None) if user_id is None else ContactDraft.user_id == user_id
        found.update((digest, id_) for digest, id_ in session.execute(query.where(mine)))
    return found


def contacts_of(session: Session, accounts: Sequence[int]) -> list[Contact]:
    """The contacts of some accounts, by id."""
    found: list[Contact] = []
    for part in chunked(dict.fromkeys(accounts)):
        query = select(Contact).where(Contact.account_id.in_(part), Contact.deleted_at.is_(None))
        found.extend(session.scalars(query.order_by(Contact.id)))
    return found


def accounts_named(session: Session, names: Iterable[str]) -> dict[str, list[int]]:
    """The accounts with exactly these names."""
    found: dict[str, list[int]] = {}
    for part in chunked(dict.fromkeys(names)):
        query = select(Account.name, Account.id).where(Account.name.in_(part), Account.deleted_at.is_(None))
        for name, id_ in session.execute(query):
            found.setdefault(name, []).append(id_)
    return found
