"""Records put into another state without anybody being mailed: what was taken back, what was undone."""

from dataclasses import replace

from connectors.calendar import Attendee, Component, Item, Status
from store import calendar_rows, outbox, scheduling
from store.bindings import BoundEntity
from store.calendar_rows import EventRecord
from store.database import Transaction
from store.errors import Forbidden, Immutable, NotFound
from syncd.engine.calendar.gathering import Record, whole_of
from syncd.engine.calendar.items import (
    draft_of,
    settled,
    settled_task,
    task_values,
)
from syncd.engine.calendar.occasion import Occasion
from syncd.engine.calendar.words import types_of


def record_of(session: Transaction, entity: BoundEntity, id_: int | None) -> Record:
    """The event or task, hidden or not. Raises NotFound."""
    found: Record | None = None
    if id_ is not None and entity is BoundEntity.EVENT:
        found = calendar_rows.events(session, [id_]).get(id_)
    elif id_ is not None and entity is BoundEntity.TASK:
        found = calendar_rows.tasks(session, [id_]).get(id_)
    if found is None:
        raise NotFound(f"the {entity.value} is not in the CRM any more")
    return found


def owner_of(record: Record) -> int:
    """Whose record it is."""
    if isinstance(record, EventRecord):
        return int(record.main.values["owner_id"])
    return int(record.values["assignee_id"])


def hidden(record: Record) -> bool:
    """Whether the CRM keeps it as history only."""
    return bool((record.main.values if isinstance(record, EventRecord) else record.values)["hidden"])


def require_rights(record: Record, occasion: Occasion) -> None:
    """Raises Forbidden unless whoever acts may put it into another state."""
    if not occasion.actor.may_edit(owner_of(record)):
        raise Forbidden(
            f"{occasion.actor.login} may not change it: "
            "only its owner and users with the role advanced or admin may"
        )


def require_ours(record: Record) -> None:
    """Raises Immutable where another content could not last."""
    if isinstance(record, EventRecord) and not record.main.values["editable"]:
        private = record.main.values["privacy"].name != "PUBLIC"
        why = "it is private" if private else "somebody else organises it"
        raise Immutable(f"{why}: what the server says would come back in the next cycle")


def put(session: Transaction, record: Record, wanted: Item | None, occasion: Occasion, why: str) -> None:
    """Makes the record that; None takes it out of sight. The calendars follow in the next cycle."""
    now, by = occasion.now, occasion.actor.user_id
    entity = BoundEntity.EVENT if isinstance(record, EventRecord) else BoundEntity.TASK
    if wanted is None:
        if not hidden(record):
            calendar_rows.hide(session, record, now, by=by)
    else:
        wanted = _own(record, wanted)
        setting = occasion.setting(owner_of(record))
        if isinstance(record, EventRecord):
            draft = draft_of(settled(wanted), replace(setting, types=types_of(session)), record)
            calendar_rows.replace_event(session, record, draft, now, by=by)
        else:
            values = task_values(settled_task(wanted), setting, record)
            calendar_rows.replace_task(session, record, values, now, by=by)
    outbox.announce(session, entity, [record.id], now, by_person=False)
    scheduling.log(session, (occasion.actor, occasion.channel), (entity.value, record.id), {why: True}, now)


def _own(record: Record, wanted: Item) -> Item:
    """With the record's own UID, and with the names of participants that are known."""
    here = whole_of(record)
    names = {one.email: one.name for part in here.components for one in part.attendees if one.name}
    components = tuple(named(one, names) for one in wanted.components)
    return replace(wanted, uid=here.uid, kind=here.kind, components=components, sequence=here.sequence)


def named(component: Component, names: dict[str, str]) -> Component:
    """The component with the names of its participants, where it has none."""
    attendees = tuple(
        one if one.name else Attendee(one.email, one.response, names.get(one.email, ""))
        for one in component.attendees
    )
    return replace(component, attendees=attendees)


def awake(whole: Item) -> Item:
    """The item of a record that was cancelled, as it takes place again."""
    if whole.main.status is not Status.CANCELLED:
        return whole
    components = tuple(
        replace(one, status=Status.CONFIRMED) if one.status is Status.CANCELLED else one
        for one in whole.components
    )
    return replace(whole, components=components)
