"""What was decided of events and tasks, for who asks afterwards: decisions, conflicts, copies, intents."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.bindings import (
    Binding,
    BindingState,
    BoundEntity,
    Conflict,
    ConflictState,
    CopyRole,
    Decision,
    Intent,
    IntentKind,
    Side,
)
from store.errors import NotFound
from store.ledger import chunked
from store.sync_state import Collection, Mailbox


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """What was done with one item in one run."""

    id: int
    run: str
    mailbox: str
    mailbox_id: int
    calendar: str | None
    at: datetime
    uid: str
    entity: BoundEntity
    entity_id: int | None
    action: str
    row: int  # of table T4
    side: Side
    reason: str
    crm_before: str | None
    remote_before: str | None
    version: str
    mailed: str
    undone: bool


@dataclass(frozen=True, slots=True)
class ConflictRow:
    """Both sides changed the same. Values are JSON, as `core.canonical` writes it."""

    id: int
    binding_id: int | None
    mailbox: str
    entity: BoundEntity
    entity_id: int | None
    component: str
    unit: str
    base: str
    crm_value: str
    remote_value: str
    winner: Side
    at: datetime
    run: str
    state: ConflictState


@dataclass(frozen=True, slots=True)
class CopyRow:
    """One copy of a record in a calendar."""

    binding_id: int
    mailbox: str
    calendar: str
    ref: str
    version: str
    state: BindingState
    role: CopyRole
    supplies: bool
    ours: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class IntentRow:
    """A write to a server whose outcome is not known yet."""

    id: int
    mailbox: str
    kind: IntentKind
    reason: str
    run: str
    at: datetime


def decisions(
    session: Session,
    *,
    run: str | None = None,
    id_: int | None = None,
    record: tuple[BoundEntity, int] | None = None,
    uid: str | None = None,
) -> list[DecisionRow]:
    """The decisions of a run, of a record or of a UID, or that one; newest first."""
    columns: list[InstrumentedAttribute[Any]] = [
        Decision.id, Decision.run_ref, Mailbox.name, Decision.mailbox_id, Collection.name, Decision.at,
        Decision.uid, Decision.entity, Decision.entity_id, Decision.action, Decision.row, Decision.side,
        Decision.reason, Decision.crm_before, Decision.remote_before, Decision.version, Decision.mailed,
        Decision.undone,
    ]  # fmt: skip
    query = (
        select(*columns)
        .join(Mailbox, Mailbox.id == Decision.mailbox_id)
        .outerjoin(Collection, Collection.id == Decision.collection_id)
        .order_by(Decision.id.desc())
    )
    if run is not None:
        query = query.where(Decision.run_ref == run)
    if id_ is not None:
        query = query.where(Decision.id == id_)
    if record is not None:
        query = query.where(Decision.entity == record[0], Decision.entity_id == record[1])
    if uid is not None:
        query = query.where(Decision.uid == uid)
    return [DecisionRow(*row) for row in session.execute(query)]


def mark_undone(session: Session, ids: Iterable[int]) -> None:
    """These were put back."""
    for part in chunked(ids):
        session.execute(update(Decision).where(Decision.id.in_(part)).values(undone=True))


def conflicts(
    session: Session, *, every: bool = False, record: tuple[BoundEntity, int] | None = None
) -> list[ConflictRow]:
    """Those that a person can do something about: open ones, and losers that were not taken back. With
    `every` also those that are settled. The newest first."""
    query = _conflicts().order_by(Conflict.id.desc())
    if not every:
        query = query.where(Conflict.state.in_([ConflictState.OPEN, ConflictState.DECIDED]))
    if record is not None:
        query = query.where(Conflict.entity == record[0], Conflict.entity_id == record[1])
    return [ConflictRow(*row) for row in session.execute(query)]


def conflict(session: Session, id_: int) -> ConflictRow:
    """The conflict of that id. Raises NotFound."""
    row = session.execute(_conflicts().where(Conflict.id == id_)).first()
    if row is None:
        raise NotFound(f"there is no conflict {id_}: `syncd conflicts --all` lists them")
    return ConflictRow(*row)


def _conflicts() -> Select[*tuple[Any, ...]]:
    columns: list[InstrumentedAttribute[Any]] = [
        Conflict.id, Conflict.binding_id, Mailbox.name, Conflict.entity, Conflict.entity_id,
        Conflict.component, Conflict.unit, Conflict.base, Conflict.crm_value, Conflict.remote_value,
        Conflict.winner, Conflict.at, Conflict.run_ref, Conflict.state,
    ]  # fmt: skip
    return select(*columns).join(Mailbox, Mailbox.id == Conflict.mailbox_id)


def settle_conflict(session: Session, id_: int, state: ConflictState) -> None:
    """A person decided."""
    session.execute(update(Conflict).where(Conflict.id == id_).values(state=state))


def copies(session: Session, entity: BoundEntity, id_: int, uid: str | None = None) -> list[CopyRow]:
    """Where the record lies; given its UID, also what else has that and is left alone."""
    columns: list[InstrumentedAttribute[Any]] = [
        Binding.id, Mailbox.name, Collection.name, Binding.remote_ref, Binding.version, Binding.state,
        Binding.role, Binding.supplies, Binding.ours, Binding.changed_at,
    ]  # fmt: skip
    query = (
        select(*columns)
        .join(Collection, Collection.id == Binding.collection_id)
        .join(Mailbox, Mailbox.id == Collection.mailbox_id)
        .where(
            or_(
                and_(Binding.entity == entity, Binding.entity_id == id_),
                and_(
                    Binding.uid == uid,
                    Binding.entity == entity,
                    Binding.entity_id.is_(None),
                    Binding.state == BindingState.IGNORED,
                ),
            )
        )
        .order_by(Binding.id)
    )
    return [CopyRow(*row) for row in session.execute(query)]


def leave_alone(session: Session, mailbox_id: int, entity: BoundEntity, id_: int) -> None:
    """What this mailbox holds of the record stays there as it is, and is not looked at any more."""
    session.execute(
        update(Binding)
        .where(
            Binding.collection_id.in_(select(Collection.id).where(Collection.mailbox_id == mailbox_id)),
            Binding.entity == entity,
            Binding.entity_id == id_,
        )
        .values(state=BindingState.IGNORED)
    )


def intents(session: Session, entity: BoundEntity, id_: int) -> list[IntentRow]:
    """Writes of the record that were announced and not confirmed."""
    query = (
        select(Intent.id, Mailbox.name, Intent.kind, Intent.reason, Intent.run_ref, Intent.at)
        .join(Mailbox, Mailbox.id == Intent.mailbox_id)
        .where(Intent.entity == entity, Intent.entity_id == id_)
        .order_by(Intent.id)
    )
    return [IntentRow(*row) for row in session.execute(query)]
