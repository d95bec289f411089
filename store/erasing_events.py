"""Taking a person out of events and tasks. The calendars keep what they hold: from then on these records and
their copies have no part in each other, so that nothing of it comes back, is deleted or mailed to anybody."""

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from store import erased, reconciling
from store.bindings import Binding, BindingState, BoundEntity, Intent, Pending
from store.calendar import Event, EventParticipant, Task
from store.erasing import changed
from store.errors import Invalid
from store.ledger import chunked
from store.meetings import MeetingWatch
from store.persons import Person
from store.sync_state import Collection as Folder
from store.sync_state import Mailbox
from store.traces import Traces

BESIDE = {BoundEntity.EVENT: BoundEntity.COMPANION, BoundEntity.TASK: BoundEntity.MIRROR}


def events_of(session: Session, person: Person) -> set[int]:
    """The events that the person takes part in, each with all of its series."""
    found: set[int] = set()
    p = EventParticipant
    for part in chunked(person.contacts):
        found.update(session.scalars(select(p.event_id).where(p.contact_id.in_(part))))
    for some in chunked(person.addresses):
        found.update(session.scalars(select(p.event_id).where(p.email.in_(some))))
        found.update(session.scalars(select(Event.id).where(Event.organizer.in_(some))))
    return whole(session, found)


def whole(session: Session, ids: Iterable[int]) -> set[int]:
    """These events, and all others of their series."""
    mains: set[int] = set()
    for part in chunked(ids):
        mains.update(
            session.scalars(select(func.coalesce(Event.series_id, Event.id)).where(Event.id.in_(part)))
        )
    found = set(mains)
    for part in chunked(mains):
        found.update(session.scalars(select(Event.id).where(Event.series_id.in_(part))))
    return found


def tasks_of(session: Session, person: Person) -> set[int]:
    """The tasks about the person."""
    found: set[int] = set()
    for part in chunked(person.contacts):
        found.update(session.scalars(select(Task.id).where(Task.contact_id.in_(part))))
    for some in chunked(person.addresses):
        found.update(session.scalars(select(Task.id).where(Task.organizer.in_(some))))
    return found


def leave(session: Session, person: Person) -> dict[str, int]:
    """The person takes part in nothing any more; the events stay for the others."""
    done = {"event_participant": 0, "event": 0, "task": 0}
    p = EventParticipant
    for part in chunked(person.contacts):
        done["event_participant"] += changed(session, delete(p).where(p.contact_id.in_(part)))
        done["task"] += changed(
            session, update(Task).where(Task.contact_id.in_(part)).values(contact_id=None, block="")
        )
    for some in chunked(person.addresses):
        done["event_participant"] += changed(session, delete(p).where(p.email.in_(some)))
        done["event"] += changed(session, update(Event).where(Event.organizer.in_(some)).values(organizer=""))
        done["task"] += changed(session, update(Task).where(Task.organizer.in_(some)).values(organizer=""))
    return done


def detach(session: Session, entity: BoundEntity, ids: Collection[int], now: datetime) -> int:
    """The records and their copies in calendars have no part in each other any more; how many copies that
    is. What was noted of both when they were kept in step goes."""
    erased.detach(session, entity, ids)
    copies = 0
    for kind in (entity, BESIDE[entity]):
        reconciling.forget_texts(session, kind, sorted(ids))
        for part in chunked(sorted(ids)):
            b, waits = Binding, Pending
            blank = {"state": BindingState.IGNORED, "supplies": False, "base_crm": None, "base_remote": "",
                     "dress": "", "last_block": "", "history": "", "changed_at": now}  # fmt: skip
            mine = update(b).where(b.entity == kind, b.entity_id.in_(part))
            copies += changed(session, mine.values(blank))
            changed(session, delete(waits).where(waits.entity == kind, waits.entity_id.in_(part)))
    model = Event if entity is BoundEntity.EVENT else Task
    for part in chunked(sorted(ids)):
        seen = update(model).where(model.id.in_(part))
        changed(session, seen.values(version=model.version + 1, updated_at=now))
        if model is Event:  # nothing that meetings are recorded by has changed
            version = select(Event.version).where(Event.id == MeetingWatch.event_id).scalar_subquery()
            watch = update(MeetingWatch).where(MeetingWatch.event_id.in_(part))
            changed(session, watch.values(version=version))
    return copies


def mailboxes(session: Session, events: Collection[int], tasks: Collection[int]) -> set[str]:
    """The mailboxes with copies of these records."""
    found: set[str] = set()
    for entity, ids in ((BoundEntity.EVENT, events), (BoundEntity.TASK, tasks)):
        for part in chunked(sorted(ids)):
            kinds = (entity, BESIDE[entity])
            query = (
                select(Mailbox.name)
                .join(Folder, Folder.mailbox_id == Mailbox.id)
                .join(Binding, Binding.collection_id == Folder.id)
                .where(Binding.entity.in_(kinds), Binding.entity_id.in_(part))
            )
            found.update(session.scalars(query.distinct()))
    return found


def check_writes(session: Session, events: Collection[int], tasks: Collection[int], traces: Traces) -> None:
    """Raises Invalid while a write to a calendar that names the person, or is about one of these records, is
    not confirmed: what became of it has to be known first."""
    i = Intent
    query = select(i.entity, i.entity_id, Mailbox.name, i.payload, i.before, i.crm, i.crm_before, i.block)
    for entity, id_, mailbox, *texts in session.execute(query.join(Mailbox, Mailbox.id == i.mailbox_id)):
        record = (
            BoundEntity.EVENT if entity in (BoundEntity.EVENT, BoundEntity.COMPANION) else BoundEntity.TASK
        )
        about = id_ in (events if record is BoundEntity.EVENT else tasks)
        if about or any(traces.clean_written(one) != one for one in texts):
            raise Invalid(
                f"a write into a calendar of mailbox {mailbox} is not confirmed yet: "
                f"run `syncd sync {mailbox}`, then do this again"
            )
