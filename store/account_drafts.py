"""Drafts of accounts (R156): asked for by those who may not create them, decided on by those who may."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import JSON, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.rights import Scope
from store import directory, paging
from store.actors import Actor
from store.audit_log import AuditLog, Channel
from store.base import Base, EnumText
from store.errors import Invalid, NotFound
from store.report_rows import Page, Query
from store.rights import Verb
from store.users import User


class DraftState(Enum):
    """What became of a draft."""

    NEW = "new"
    APPROVED = "approved"
    REJECTED = "rejected"


class AccountDraft(Base):
    """An account that is not one yet."""

    __tablename__ = "account_draft"
    __table_args__ = (Index("ix_account_draft_state", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # who asks for it
    cells: Mapped[dict[str, str]] = mapped_column(JSON)  # the fields, as they were written
    state: Mapped[DraftState] = mapped_column(EnumText(DraftState))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None] = mapped_column(String(80))  # a login, or the name of an admin
    reason: Mapped[str | None] = mapped_column(String(255))  # why it was rejected
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id", ondelete="SET NULL"))


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft, for people."""

    id: int
    created_at: datetime
    user: str | None
    name: str
    type: str
    state: DraftState
    decided_by: str | None
    reason: str | None
    account_id: int | None


def page(session: Session, query: Query, state: DraftState | None = DraftState.NEW) -> Page[DraftRow]:
    """Drafts in one state, or all of them, the oldest first: one's own, and everybody's for those who may
    create accounts."""
    rows = select(AccountDraft, User.login).outerjoin(User, User.id == AccountDraft.user_id)
    reader = query.reader
    if reader is not None and reader.scope("account", Verb.CREATE) is Scope.NONE:
        rows = rows.where(AccountDraft.user_id == reader.user_id)
    if state is not None:
        rows = rows.where(AccountDraft.state == state)
    found = session.execute(paging.page(rows, query, AccountDraft.id))
    return Page(
        tuple(
            DraftRow(one.id, one.created_at, login, one.cells.get("name", ""), one.cells.get("type", ""),
                     one.state, one.decided_by, one.reason, one.account_id)
            for one, login in found
        ),
        paging.total(session, rows),
        query.offset,
    )  # fmt: skip


def add(session: Session, cells: Mapping[str, str], actor: Actor, now: datetime) -> int:
    """A new draft; returns its id."""
    draft = AccountDraft(created_at=now, user_id=actor.user_id, cells=dict(cells), state=DraftState.NEW)
    session.add(draft)
    session.flush()
    _audit(session, draft.id, {"created": True}, actor, now)
    return draft.id


def waiting(session: Session, id_: int) -> tuple[Mapping[str, str], str | None]:
    """What a draft says, and the login of whoever asked for it if that user is active. Keeps others from
    deciding meanwhile. Raises NotFound, and Invalid where it is decided already."""
    directory.state(session, lock=True)
    found = session.get(AccountDraft, id_)
    if found is None:
        raise NotFound(f"there is no draft {id_}: `syncd account drafts` lists them")
    if found.state is not DraftState.NEW:
        raise Invalid(f"draft {id_} was {found.state.value} by {found.decided_by} already")
    login = session.scalar(select(User.login).where(User.id == found.user_id, User.active))
    return dict(found.cells), login


def settle(
    session: Session,
    id_: int,
    actor: Actor,
    now: datetime,
    *,
    account_id: int | None = None,
    reason: str | None = None,
) -> None:
    """The decision: approved where there is an account now, else rejected. Call `waiting` before."""
    draft = session.get_one(AccountDraft, id_)
    draft.state = DraftState.REJECTED if account_id is None else DraftState.APPROVED
    draft.decided_at, draft.decided_by = now, actor.login
    draft.reason, draft.account_id = reason, account_id
    change: dict[str, object] = {"rejected": True}
    if account_id is not None:
        change = {"approved": True, "account": account_id}
    _audit(session, id_, change, actor, now)


def _audit(session: Session, id_: int, change: dict[str, object], actor: Actor, now: datetime) -> None:
    session.add(
        AuditLog(
            at=now,
            actor=actor.login,
            entity="account_draft",
            entity_id=id_,
            change=change,
            channel=Channel.CLI,
        )
    )
