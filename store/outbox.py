"""Which mailboxes must be told of a record that changed in the CRM: written together with the change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from store.bindings import Binding, BindingState, BoundEntity, Pending
from store.calendar import Event, EventParticipant, Task
from store.ledger import chunked
from store.sync_state import Collection, Mailbox, Quarantine
from store.users import User

EXTRAS = {BoundEntity.EVENT: BoundEntity.COMPANION, BoundEntity.TASK: BoundEntity.MIRROR}
TICK = timedelta(microseconds=1)  # the least difference between two times in the database


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits to be looked at for a mailbox."""

    id: int
    entity: BoundEntity
    entity_id: int
    by_person: bool
    at: datetime  # of the last change


def announce(
    session: Session,
    entity: BoundEntity,
    ids: Sequence[int],
    now: datetime,
    *,
    by_person: bool,
    except_mailbox: int | None = None,
    extras: bool = True,
) -> None:
    """Puts the records into the outbox of every mailbox that holds a copy, or ought to.

    `extras`: also what the CRM writes beside them, for their owners only.
    """
    wanted: set[tuple[int, int]] = set()
    for part in chunked(ids):
        wanted |= _bound(session, entity, part)
        wanted |= _homes(session, entity, part)
    wanted = {(mailbox, id_) for mailbox, id_ in wanted if mailbox != except_mailbox}
    _put(session, entity, wanted, now, by_person=by_person)
    extra = EXTRAS.get(entity)
    if extra is not None and extras:
        _announce_extras(session, extra, ids, now)


def announce_account(session: Session, account_id: int, now: datetime) -> None:
    """What calendars show of an account is something else now: its events that are not over are looked at
    again where the copy lies that says what they are, and what stands beside them. What is new and waits to
    be written is told again, so that it is not taken for done too early."""
    _look_again(session, session.scalars(_coming(now).where(Event.account_id == account_id)), now)


def announce_places(session: Session, account_ids: Iterable[int], now: datetime) -> None:
    """The same of accounts that are somewhere else now, for those whose calendars tell how far it is."""
    told = select(User.id).where(User.show_distance)
    if session.scalar(told.limit(1)) is None:
        return
    for part in chunked(account_ids):
        mine = _coming(now).where(Event.account_id.in_(part), Event.owner_id.in_(told))
        _look_again(session, session.scalars(mine), now)


def announce_user(session: Session, user_id: int, now: datetime) -> None:
    """The same of a user who sets out from somewhere else, or wants to read distances, or no longer."""
    mine = _coming(now).where(Event.owner_id == user_id, Event.account_id.is_not(None))
    _look_again(session, session.scalars(mine), now)


def _coming(now: datetime) -> Select[int]:
    return select(Event.id).where(
        Event.series_id.is_(None),
        Event.hidden.is_(False),
        or_(Event.end > now, Event.series_rrule.is_not(None)),
    )


def _look_again(session: Session, events: Iterable[int], now: datetime) -> None:
    wanted: set[tuple[int, int]] = set()
    for part in chunked(list(events)):
        bound = (
            select(Collection.mailbox_id, Binding.entity_id)
            .join(Collection, Collection.id == Binding.collection_id)
            .where(Binding.entity == BoundEntity.EVENT, Binding.entity_id.in_(part))
            .where(Binding.state == BindingState.BOUND, Binding.supplies)
        )
        waits = select(Pending.mailbox_id, Pending.entity_id).where(
            Pending.entity == BoundEntity.EVENT, Pending.entity_id.in_(part)
        )
        for query in (bound, waits):
            wanted |= {(mailbox, id_) for mailbox, id_ in session.execute(query) if id_ is not None}
    if wanted:
        _put(session, BoundEntity.EVENT, wanted, now, by_person=False)
        _announce_extras(session, BoundEntity.COMPANION, sorted({id_ for _, id_ in wanted}), now)


def _put(
    session: Session, entity: BoundEntity, wanted: set[tuple[int, int]], now: datetime, *, by_person: bool
) -> None:
    for part in chunked({id_ for _, id_ in wanted}):
        known = {
            (row.mailbox_id, row.entity_id): row
            for row in session.scalars(
                select(Pending).where(Pending.entity == entity, Pending.entity_id.in_(part))
            )
        }
        here = set(part)
        for mailbox, id_ in sorted(one for one in wanted if one[1] in here):
            row = known.get((mailbox, id_))
            if row is None:
                session.add(
                    Pending(mailbox_id=mailbox, entity=entity, entity_id=id_, by_person=by_person, at=now)
                )
            else:
                # Never the same time twice: by it `settle` knows a change that came after its look.
                row.by_person, row.at = row.by_person or by_person, max(now, row.at + TICK)
    session.flush()


def _announce_extras(session: Session, entity: BoundEntity, ids: Sequence[int], now: datetime) -> None:
    """What the CRM writes beside a record for its owner only: the companion of a meeting, the mirror of a
    task. Looked at again wherever there is one, or may have to be one now."""
    wanted: set[tuple[int, int]] = set()
    for part in chunked(ids):
        wanted |= _bound(session, entity, part)
        if entity is BoundEntity.COMPANION:
            query: Any = select(Event.id, Event.owner_id).where(
                Event.id.in_(part), Event.account_id.is_not(None)
            )
        else:
            query = (
                select(Task.id, Task.assignee_id)
                .join(User, User.id == Task.assignee_id)
                .where(Task.id.in_(part), User.show_reminders)
            )
        owners = {(id_, user) for id_, user in session.execute(query)}
        homes = _first_mailboxes(session, {user for _, user in owners})
        wanted |= {(homes[user], id_) for id_, user in owners if user in homes}
    _put(session, entity, wanted, now, by_person=False)


def _bound(session: Session, entity: BoundEntity, ids: Sequence[int]) -> set[tuple[int, int]]:
    query = (
        select(Collection.mailbox_id, Binding.entity_id)
        .join(Collection, Collection.id == Binding.collection_id)
        .where(Binding.entity == entity, Binding.entity_id.in_(ids), Binding.state == BindingState.BOUND)
    )
    return {(mailbox, id_) for mailbox, id_ in session.execute(query) if id_ is not None}


def _homes(session: Session, entity: BoundEntity, ids: Sequence[int]) -> set[tuple[int, int]]:
    """The mailboxes of owners and of participants who are users: a new record has no copy anywhere yet."""
    if entity is BoundEntity.TASK:
        people: Any = select(Task.id, Task.assignee_id).where(Task.id.in_(ids))
        owners = {(id_, user) for id_, user in session.execute(people)}
    else:
        people = select(Event.id, Event.owner_id).where(Event.id.in_(ids))
        guests = select(EventParticipant.event_id, EventParticipant.user_id).where(
            EventParticipant.event_id.in_(ids), EventParticipant.user_id.is_not(None)
        )
        owners = {(id_, user) for id_, user in session.execute(people)}
        owners |= {(id_, user) for id_, user in session.execute(guests)}
    homes = _first_mailboxes(session, {user for _, user in owners})
    return {(homes[user], id_) for id_, user in owners if user in homes}


def _first_mailboxes(session: Session, users: Iterable[int]) -> dict[int, int]:
    """The mailbox in which a user's new events are put: the first that synchronises calendars."""
    query = (
        select(Mailbox.user_id, Mailbox.id)
        .where(Mailbox.user_id.in_(list(users)), Mailbox.sync_calendar, Mailbox.configured)
        .order_by(Mailbox.id.desc())
    )
    return dict(iter(session.execute(query)))


def waiting(session: Session, mailbox_id: int) -> list[Waiting]:
    """What waits for a mailbox, oldest first."""
    query = select(Pending).where(Pending.mailbox_id == mailbox_id).order_by(Pending.id)
    return [
        Waiting(row.id, row.entity, row.entity_id, row.by_person, row.at) for row in session.scalars(query)
    ]


def refused(session: Session, mailbox_id: int, since: datetime, now: datetime) -> set[int]:
    """The ids of what the server did not take, after `since`, and what has not changed meanwhile.

    What bears a time after `now` is of a clock that was put back: nobody knows how old it is.
    """
    made = or_(
        exists().where(
            Pending.entity == BoundEntity.EVENT,
            Event.id == Pending.entity_id,
            Event.uid == Quarantine.remote_ref,
        ),
        exists().where(
            Pending.entity == BoundEntity.TASK,
            Task.id == Pending.entity_id,
            Task.uid == Quarantine.remote_ref,
        ),
        exists().where(
            Binding.entity == Pending.entity,
            Binding.entity_id == Pending.entity_id,
            Binding.collection_id == Quarantine.collection_id,
            Binding.remote_ref == Quarantine.remote_ref,
        ),
    )
    query = (
        select(Pending.id)
        .join(Collection, Collection.mailbox_id == Pending.mailbox_id)
        .join(Quarantine, Quarantine.collection_id == Collection.id)
        .where(Pending.mailbox_id == mailbox_id, Quarantine.last_at >= Pending.at, Quarantine.last_at > since)
        .where(Quarantine.last_at <= now)
        .where(made)
    )
    return set(session.scalars(query))


def settle(session: Session, seen: Iterable[Waiting]) -> None:
    """Takes out what was looked at, unless it changed again since."""
    alike: dict[datetime, list[int]] = {}
    for one in seen:
        alike.setdefault(one.at, []).append(one.id)
    for at, ids in alike.items():
        for part in chunked(ids):
            session.execute(delete(Pending).where(Pending.id.in_(part), Pending.at == at))


def calm(session: Session, seen: Iterable[Waiting]) -> None:
    """From here on nobody is to be mailed because of these: what a person changed has been told."""
    for part in chunked(one.id for one in seen):
        session.execute(update(Pending).where(Pending.id.in_(part)).values(by_person=False))


def forget(session: Session, mailbox_id: int) -> None:
    """Nothing waits for this mailbox any more."""
    session.execute(delete(Pending).where(Pending.mailbox_id == mailbox_id))
