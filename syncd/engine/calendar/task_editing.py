"""How a person makes and changes tasks in the CRM (R058), as `editing` does with events."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from config.language import Phrase
from config.words import changed_meanwhile
from connectors.calendar import Component, Item, Kind, Privacy, Status, Timing, When
from connectors.ical.canonical import canonical
from store import calendar_rows, outbox, scheduling, visible
from store.actors import Actor
from store.bindings import BoundEntity
from store.calendar import Origin, Task
from store.calendar_rows import TaskRecord
from store.database import Transaction
from store.errors import Forbidden, Immutable, Invalid, NotFound, Stale
from syncd.engine.calendar import belongings, clocks, content
from syncd.engine.calendar.belongings import Said
from syncd.engine.calendar.editing import PLACEHOLDER, STAMPS
from syncd.engine.calendar.items import item_of_task, settled_task, task_values
from syncd.engine.calendar.occasion import Occasion, Saved, TaskFields
from syncd.engine.calendar.rights import owner_of

LONGEST_ID = 9  # digits


def add_task(session: Transaction, said: TaskFields, occasion: Occasion) -> Saved:
    """A new task, open. Only a subject is needed."""
    if not said.subject:
        raise Invalid(Phrase("subject: is needed"))
    assignee = owner_of(session, said.assignee, occasion, field="assignee")
    main = _written(Component(Timing(), status=Status.OPEN, busy=False), said)
    item = settled_task(canonical(Item(PLACEHOLDER, Kind.TASK, (main,))))
    values = task_values(item, occasion.setting(assignee.id), None)
    values |= {"origin": Origin.CRM, **_columns(session, said, {}, occasion.actor)}
    by = occasion.actor.user_id
    (id_,) = calendar_rows.insert_tasks(session, [values], occasion.now, by=by)
    scheduling.set_columns(session, Task, id_, {"uid": occasion.uid(id_)})
    _told(session, id_, occasion, {"created": True})
    return Saved(id_, 1, changed=True, created=True)


def edit_task(
    session: Transaction, id_: int, said: TaskFields, occasion: Occasion, *, expected: int | None = None
) -> Saved:
    """Changes a task: only what was said."""
    record = _editable(session, id_, occasion, expected)
    before = item_of_task(record)
    main = _written(before.main, said)
    columns = _columns(session, said, record.values, occasion.actor)
    if said.assignee is not None:
        columns["assignee_id"] = owner_of(session, said.assignee, occasion, field="assignee").id
    return _save(
        session, record, replace(before, components=(main, *before.components[1:])), columns, occasion
    )


def finish_task(session: Transaction, id_: int, occasion: Occasion, *, expected: int | None = None) -> Saved:
    """Done, now."""
    record = _editable(session, id_, occasion, expected)
    if item_of_task(record).main.status is Status.DONE:
        return Saved(id_, record.version, changed=False)
    done = occasion.now.replace(microsecond=0)
    return _save(session, record, _with(record, Status.DONE, done), {}, occasion)


def reopen_task(session: Transaction, id_: int, occasion: Occasion, *, expected: int | None = None) -> Saved:
    """Open again: done before, or cancelled."""
    record = _record(session, id_, occasion, expected)
    _public(record)
    return _save(session, record, _with(record, Status.OPEN), {"hidden": False}, occasion)


def cancel_task(session: Transaction, id_: int, occasion: Occasion, *, expected: int | None = None) -> Saved:
    """Not to be done any more: taken out of all calendars, kept as history."""
    record = _editable(session, id_, occasion, expected)
    calendar_rows.hide(session, record, occasion.now, by=occasion.actor.user_id)
    _told(session, id_, occasion, {"cancelled": True})
    return Saved(id_, record.version + 1, changed=True)


# --- who may --------------------------------------------------------------------------------------


def _record(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> TaskRecord:
    record = calendar_rows.tasks(session, [id_]).get(id_)
    if record is None or record.values["deleted_at"] is not None:
        raise NotFound(Phrase("there is no task {id}", id=id_))
    if not occasion.actor.may_edit(record.values["assignee_id"]):
        raise Forbidden(
            Phrase(
                "{login} may not change task {id}: only whom it is for and users with the role "
                "advanced or admin may",
                login=occasion.actor.login,
                id=id_,
            )
        )
    if expected is not None and expected != record.version:
        raise Stale(changed_meanwhile("task", id_, record.version, expected))
    return record


def _editable(session: Transaction, id_: int, occasion: Occasion, expected: int | None) -> TaskRecord:
    record = _record(session, id_, occasion, expected)
    if record.values["hidden"]:
        raise Immutable(Phrase("task {id} is cancelled: `syncd task reopen {id}` brings it back", id=id_))
    _public(record)
    return record


def _public(record: TaskRecord) -> None:
    if record.values["privacy"].name != Privacy.PUBLIC.name:
        raise Immutable(
            Phrase("task {id} is private: it is changed in its owner's calendar client only", id=record.id)
        )


# --- what was said --------------------------------------------------------------------------------


def _written(main: Component, said: TaskFields) -> Component:
    if said.subject is not None:
        main = replace(main, subject=content.subject(said.subject))
    if said.notes is not None:
        main = replace(main, notes=content.several_lines("notes", said.notes))
    if said.location is not None:
        main = replace(main, location=content.one_line("location", said.location))
    if said.privacy is not None:
        main = replace(main, privacy=content.privacy(said.privacy))
    if said.categories is not None:
        main = replace(main, categories=content.categories(said.categories))
    main = replace(main, alarms=content.alarms(main.alarms, said.alarm))
    return main if said.due is None else replace(main, timing=_timing(main.timing, said.due))


def _timing(before: Timing, due: str) -> Timing:
    """The day it is due. A series of tasks keeps its beginning, which must not come later."""
    if not due.strip():
        if before.recurs:
            raise Invalid(Phrase("due: a task that recurs needs a day"))
        return replace(before, end=None)
    end = When(clocks.read_day("due", due))
    start = before.start
    if start is not None and (not start.is_date or start.local > end.local):
        if before.recurs:
            raise Invalid(
                Phrase("due: the task recurs from a later day or a time of day: change it in the client")
            )
        start = None
    return replace(before, start=start, end=end)


def _columns(
    session: Transaction, said: TaskFields, known: Mapping[str, Any], reader: Actor
) -> dict[str, Any]:
    columns: dict[str, Any] = dict(
        belongings.linked(session, Said(said.account, said.opportunity), known, reader)
    )
    if said.contact is not None:
        columns["contact_id"] = _contact(session, said.contact, reader)
    if said.event is not None:
        columns["event_id"] = _event(session, said.event)
    return columns


def _contact(session: Transaction, text: str, reader: Actor) -> int | None:
    if not text:
        return None
    found = None
    if "@" in text:
        found = scheduling.contact_by_address(session, text.strip().lower())
    elif (id_ := _number(text)) is not None:
        try:
            found = scheduling.contact(session, id_)
        except NotFound as error:
            raise Invalid(Phrase("contact: {error}", error=error)) from None
    if found is None:
        raise Invalid(
            Phrase('contact: "{text}" is no contact: name the id or an e-mail address of one', text=text[:60])
        )
    try:
        visible.require(session, reader, "contact", found.id)
    except NotFound as error:
        raise Invalid(Phrase("contact: {error}", error=error)) from None
    return found.id


def _event(session: Transaction, text: str) -> int | None:
    if not text:
        return None
    id_ = _number(text)
    if id_ is None or not scheduling.event_exists(session, id_):
        raise Invalid(Phrase('event: there is no event "{text}"', text=text[:40]))
    return id_


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= LONGEST_ID else None


# --- writing --------------------------------------------------------------------------------------


def _with(record: TaskRecord, status: Status, completed: datetime | None = None) -> Item:
    item = item_of_task(record)
    main = replace(item.main, status=status, completed=completed)
    return replace(item, components=(main, *item.components[1:]))


def _save(
    session: Transaction, record: TaskRecord, after: Item, columns: Mapping[str, Any], occasion: Occasion
) -> Saved:
    try:
        item = settled_task(canonical(after))
    except ValueError as error:
        raise Invalid(Phrase("due: {error}", error=error)) from None
    values = task_values(item, occasion.setting(record.values["assignee_id"]), record) | dict(columns)
    names = {name for name, value in values.items() if record.values[name] != value} - STAMPS
    if not calendar_rows.replace_task(session, record, values, occasion.now, by=occasion.actor.user_id):
        return Saved(record.id, record.version, changed=False)
    _told(session, record.id, occasion, {"changed": sorted(names)})
    return Saved(record.id, record.version + 1, changed=True)


def _told(session: Transaction, id_: int, occasion: Occasion, change: Mapping[str, object]) -> None:
    outbox.announce(session, BoundEntity.TASK, [id_], occasion.now, by_person=True)
    scheduling.log(session, (occasion.actor, occasion.channel), ("task", id_), change, occasion.now)
