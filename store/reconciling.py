"""What the reconciliation asks of its tables, and what it writes there: collections, bindings, intents,
decisions, conflicts. Nothing here decides anything."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from store import brakes
from store.bindings import (
    Binding,
    BindingState,
    BoundEntity,
    Conflict,
    ConflictState,
    CopyRole,
    Decision,
    Intent,
)
from store.calendar import Event, Task
from store.database import bulk, reserve_ids, table
from store.ledger import chunked
from store.sync_state import Collection, CollectionKind, Mailbox, Quarantine
from store.updates import Updates

CALENDARS = (CollectionKind.CALENDAR, CollectionKind.TASKS)


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """A selected calendar or task list of a mailbox."""

    id: int
    ref: str
    name: str
    direction: str  # empty: the mailbox's
    token: str  # empty: never looked at
    error: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What tells whether an item of a listing is news."""

    id: int
    ref: str
    version: str
    state: BindingState
    absent: bool


@dataclass(frozen=True, slots=True)
class BindingRow:
    """One binding, whole."""

    id: int
    collection_id: int
    remote_ref: str
    uid: str
    version: str
    state: BindingState
    entity: BoundEntity
    entity_id: int | None
    role: CopyRole
    supplies: bool
    ours: bool
    base_crm: str | None
    base_remote: str
    dress: str
    last_block: str
    absent: bool
    enters_on: date | None
    history: str

    @property
    def base_of_crm(self) -> str:
        """What the CRM held when both sides last agreed."""
        return self.base_remote if self.base_crm is None else self.base_crm


BINDING_COLUMNS = tuple(BindingRow.__dataclass_fields__)


# --- calendars ------------------------------------------------------------------------------------


def calendars(session: Session, mailbox_id: int, *, selected: bool = True) -> list[CalendarRow]:
    """The selected calendars and task lists, in the order in which they came to be known; or those that are
    known and not selected any more."""
    query = (
        select(
            Collection.id,
            Collection.remote_ref,
            Collection.name,
            Collection.direction,
            Collection.token,
            Collection.error,
        )
        .where(Collection.mailbox_id == mailbox_id, Collection.kind.in_(CALENDARS))
        .where(Collection.selected == selected)
        .order_by(Collection.id)
    )
    return [CalendarRow(*row) for row in session.execute(query)]


def select_calendars(
    session: Session, mailbox_id: int, wanted: Sequence[tuple[str, str, CollectionKind, str]]
) -> None:
    """Makes exactly these (ref, name, kind, direction) the selected ones. The others keep what they know."""
    known = {
        one.remote_ref: one
        for one in session.scalars(
            select(Collection).where(Collection.mailbox_id == mailbox_id, Collection.kind.in_(CALENDARS))
        )
    }
    for ref, name, kind, direction in wanted:
        found = known.pop(ref, None)
        if found is None:
            session.add(
                Collection(
                    mailbox_id=mailbox_id,
                    kind=kind,
                    remote_ref=ref,
                    role="",
                    selected=True,
                    epoch="",
                    cursor=0,
                    name=name,
                    direction=direction,
                )
            )
        else:
            found.selected, found.name, found.direction = True, name, direction
    for other in known.values():
        other.selected, other.error, other.error_at = False, None, None


def set_token(session: Session, collection_id: int, token: str) -> None:
    """Everything that the server tells up to `token` is known."""
    session.execute(update(Collection).where(Collection.id == collection_id).values(token=token))


# --- bindings -------------------------------------------------------------------------------------


def known(session: Session, collection_id: int, refs: Iterable[str] | None) -> dict[str, Known]:
    """What is known of the items with these refs; of all of the calendar where `refs` is None."""
    query = select(Binding.id, Binding.remote_ref, Binding.version, Binding.state, Binding.absent).where(
        Binding.collection_id == collection_id
    )
    if refs is None:
        return {row[1]: Known(*row) for row in session.execute(query)}
    found = {}
    for part in chunked(refs):
        found.update(
            {row[1]: Known(*row) for row in session.execute(query.where(Binding.remote_ref.in_(part)))}
        )
    return found


def absent(session: Session, collection_id: int) -> list[Known]:
    """Those that were missing from a listing which proved nothing."""
    query = select(Binding.id, Binding.remote_ref, Binding.version, Binding.state, Binding.absent).where(
        Binding.collection_id == collection_id, Binding.absent
    )
    return [Known(*row) for row in session.execute(query)]


def seen(session: Session, collection_id: int, refs: Iterable[str], *, but: Iterable[int]) -> None:
    """These are there, whatever a listing says; those with the ids `but` are asked for all the same."""
    kept = set(but)
    found = [
        id_
        for part in chunked(refs)
        for (id_,) in session.execute(
            select(Binding.id).where(
                Binding.collection_id == collection_id, Binding.absent, Binding.remote_ref.in_(part)
            )
        )
        if id_ not in kept
    ]
    for ids in chunked(found):
        session.execute(update(Binding).where(Binding.id.in_(ids)).values(absent=False))


def entering(session: Session, collection_ids: Sequence[int], today: date) -> list[Known]:
    """Those that come into the window now."""
    query = select(Binding.id, Binding.remote_ref, Binding.version, Binding.state, Binding.absent).where(
        Binding.collection_id.in_(collection_ids),
        Binding.state == BindingState.OUTSIDE,
        Binding.enters_on <= today,
    )
    return [Known(*row) for row in session.execute(query)]


def mapped(session: Session, collection_ids: Sequence[int], *, at_most: int | None = None) -> int:
    """How many items of these calendars are kept in step. With `at_most` no more are counted than these."""
    query = select(Binding.id).where(
        Binding.collection_id.in_(collection_ids), Binding.state == BindingState.BOUND
    )
    return session.scalar(select(func.count()).select_from(query.limit(at_most).subquery())) or 0


def bindings(session: Session, ids: Iterable[int]) -> dict[int, BindingRow]:
    """The bindings with these ids."""
    columns = [table(Binding).c[name] for name in BINDING_COLUMNS]
    found = {}
    for part in chunked(ids):
        for row in session.execute(select(*columns).where(Binding.id.in_(part))):
            found[row[0]] = BindingRow(*row)
    return found


def of_records(session: Session, entity: BoundEntity, ids: Iterable[int]) -> list[BindingRow]:
    """Every binding of these records, in whatever mailbox."""
    columns = [table(Binding).c[name] for name in BINDING_COLUMNS]
    found: list[BindingRow] = []
    for part in chunked(ids):
        query = select(*columns).where(Binding.entity == entity, Binding.entity_id.in_(part))
        found += [BindingRow(*row) for row in session.execute(query.order_by(Binding.id))]
    return found


def of_uids(session: Session, collection_ids: Sequence[int], uids: Iterable[str]) -> list[BindingRow]:
    """The bindings of these UIDs in some calendars."""
    columns = [table(Binding).c[name] for name in BINDING_COLUMNS]
    found: list[BindingRow] = []
    for part in chunked(uids):
        query = select(*columns).where(Binding.uid.in_(part), Binding.collection_id.in_(collection_ids))
        found += [BindingRow(*row) for row in session.execute(query.order_by(Binding.id))]
    return found


def insert_bindings(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Writes new bindings and returns their ids."""
    ids = list(reserve_ids(session, Binding, len(rows)))
    bulk(session, Binding, [{**DEFAULTS, **row, "id": id_} for id_, row in zip(ids, rows, strict=True)])
    return ids


DEFAULTS: Mapping[str, Any] = {
    "base_crm": None,
    "dress": "",
    "last_block": "",
    "absent": False,
    "enters_on": None,
    "history": "",
}


def update_binding(
    session: Session, id_: int, values: Mapping[str, Any], *, together: Updates | None = None
) -> None:
    """Changes a binding; given `together`, when that is sent."""
    updates = together or Updates(session)
    updates.set(Binding, id_, values)
    if together is None:
        updates.send()


def drop_bindings(session: Session, ids: Iterable[int]) -> None:
    """The items are gone, or belong to nothing any more."""
    for part in chunked(ids):
        session.execute(update(Conflict).where(Conflict.binding_id.in_(part)).values(binding_id=None))
        session.execute(delete(Binding).where(Binding.id.in_(part)))


# --- what was decided -----------------------------------------------------------------------------


def record(
    session: Session, decisions: Sequence[Mapping[str, Any]], conflicts: Sequence[Mapping[str, Any]]
) -> None:
    """Writes what was done, and what was lost by it."""
    bulk(session, Decision, decisions)
    if conflicts:
        session.execute(insert(table(Conflict)), conflicts)


# --- quarantine -----------------------------------------------------------------------------------


def quarantine(session: Session, collection_id: int, ref: str, error: str, now: datetime) -> bool:
    """An item that cannot be read or written: reported, and looked at again when it changes or is asked for.
    Returns whether that is news."""
    key = (collection_id, short(ref))
    row = session.get(Quarantine, key)
    if row is None:
        session.add(
            Quarantine(
                collection_id=collection_id,
                remote_ref=key[1],
                error=error,
                first_at=now,
                last_at=now,
                tries=1,
            )
        )
        session.flush()
        return True
    news = row.error != error
    row.error, row.last_at, row.tries = error, now, row.tries + 1
    session.flush()
    return news


def release(session: Session, collection_id: int, refs: Iterable[str]) -> None:
    """These can be read again, or are gone."""
    for part in chunked(short(ref) for ref in refs):
        session.execute(
            delete(Quarantine).where(
                Quarantine.collection_id == collection_id, Quarantine.remote_ref.in_(part)
            )
        )


def quarantined(session: Session, collection_id: int) -> dict[str, datetime]:
    """What lies in quarantine, and since when it was not tried."""
    query = select(Quarantine.remote_ref, Quarantine.last_at).where(Quarantine.collection_id == collection_id)
    return dict(iter(session.execute(query)))


def short(ref: str) -> str:
    """The end of a ref, as long as its column: servers let a name be longer."""
    return ref[-255:]


def open_conflicts(session: Session, binding_id: int) -> set[tuple[str, str]]:
    """The (component, unit) of a binding that wait for a person already."""
    query = select(Conflict.component, Conflict.unit).where(
        Conflict.binding_id == binding_id, Conflict.state == ConflictState.OPEN
    )
    return {(component, unit) for component, unit in session.execute(query)}


def forget(session: Session, collection_id: int) -> None:
    """Nothing is known of a calendar any more; what it held stays in the CRM."""
    session.execute(delete(Intent).where(Intent.collection_id == collection_id))
    ids = session.scalars(select(Binding.id).where(Binding.collection_id == collection_id)).all()
    drop_bindings(session, ids)
    set_token(session, collection_id, "")


def thaw(session: Session, mailbox_id: int) -> int:
    """Items that were frozen are kept in step again; returns how many. They are asked for by name in the
    next cycle: a server that tells changes only would not tell of them again."""
    collections = select(Collection.id).where(Collection.mailbox_id == mailbox_id)
    return len(
        session.execute(
            update(Binding)
            .where(Binding.collection_id.in_(collections), Binding.state == BindingState.FROZEN)
            .values(state=BindingState.BOUND, history="", version="", absent=True)
            .returning(Binding.id)
        ).all()
    )


def calendars_of_user(session: Session, user_id: int) -> frozenset[int]:
    """The ids of the calendars of all mailboxes of a user."""
    query = select(Collection.id).join(Mailbox, Mailbox.id == Collection.mailbox_id)
    return frozenset(session.scalars(query.where(Mailbox.user_id == user_id, Collection.kind.in_(CALENDARS))))


def forget_texts(session: Session, entity: BoundEntity, ids: Sequence[int]) -> None:
    """Nothing of what these records said stays in what was decided about them: they are private now, and the
    CRM has no more to put back."""
    for part in chunked(ids):
        session.execute(
            update(Decision)
            .where(Decision.entity == entity, Decision.entity_id.in_(part))
            .values(crm_before=None, remote_before=None, mailed="")
        )
        session.execute(
            update(Conflict)
            .where(Conflict.entity == entity, Conflict.entity_id.in_(part))
            .values(base="null", crm_value="null", remote_value="null", state=ConflictState.CLOSED)
        )
        uids = (
            select(Event.uid).where(Event.id.in_(part))
            if entity is BoundEntity.EVENT
            else select(Task.uid).where(Task.id.in_(part))
        )
        brakes.forget_texts(session, frozenset(session.scalars(uids)))
