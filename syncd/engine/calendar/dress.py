"""What the CRM adds to an event in its owner's calendar, and to whom it must never show (§4.2).

Nothing is added where anybody from outside takes part: what stands in an event is mailed to its guests.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from connectors.block import strip
from connectors.calendar import Component, Dress, Item, Kind, Privacy, RemoteItem, Timing, When
from store.calendar import TaskState
from store.calendar_rows import EventRecord, TaskRecord
from store.reconciling import BindingRow
from syncd.core.canonical import is_private
from syncd.core.distance import told
from syncd.engine.calendar.advice import Advice, read_by_all, read_by_owner, users_of
from syncd.engine.calendar.items import item_of
from syncd.engine.calendar.people import People
from syncd.engine.occurring import last_end

if TYPE_CHECKING:
    from syncd.engine.calendar.context import Context, Plan

DISTANCE = {"fr": "Distance : {}", "en": "Distance: {}"}


@dataclass(frozen=True, slots=True)
class Names:
    """What accounts and opportunities are called, and what whoever meets an account must know."""

    accounts: Mapping[int, str]
    opportunities: Mapping[int, str]
    advice: Advice = field(default_factory=dict)
    distances: Mapping[int, int] = field(default_factory=dict)  # metres, for the mailbox's user, by account


def dress_of(plan: "Plan", names: Names, context: "Context") -> Dress:
    """What goes with the item on its way out."""
    record = plan.record
    if record is None:
        return Dress()
    plain = Dress(crm_id=mark_of_record(record, context.rules.instance))
    if has_guests(context.setting.people, plan.crm, plan.seen):
        return plain
    if not isinstance(record, EventRecord):
        return Dress(plain.crm_id, block=record.values["block"])
    account, opportunity = _concerns(record, names)
    advice = read_by_all(record, names.advice, context, plan.crm, plan.seen)
    # Where a user sets out from is told to nobody else: the server may copy the event to colleagues.
    me = context.setting.owner_id
    alone = users_of(context.setting.people, plan.crm, plan.seen) <= {me}
    far = _distance(record, names, context) if alone else ""
    return Dress(plain.crm_id, account, opportunity, _joined(advice, facts(record, names), far))


def mark_of_record(record: EventRecord | TaskRecord, instance: str) -> str:
    """X-CRM-ID. With the installation, since such items travel between companies, and the moment when the
    record was made: a database that was put back from a backup gives the same numbers again."""
    values = record.main.values if isinstance(record, EventRecord) else record.values
    return f"{record.id}-{values['created_at']:%Y%m%dT%H%M%S}@{instance}"


def record_named(item: Item, instance: str) -> int | None:
    """The id of the record that wrote the item, as X-CRM-ID tells; None for one of another installation."""
    mark, _, where = item.crm_id.partition("@")
    number = mark.partition("-")[0]
    mine = instance and where == instance and number.isascii() and number.isdecimal()
    return int(number) if mine and len(number) < 10 else None  # noqa: PLR2004 - 32 bits


def records_named(items: Iterable[Item], instance: str) -> dict[Kind, set[int]]:
    """The ids of all records that these items name."""
    found: dict[Kind, set[int]] = {kind: set() for kind in Kind}
    for item in items:
        if (id_ := record_named(item, instance)) is not None:
            found[item.kind].add(id_)
    return found


def _concerns(record: EventRecord, names: Names) -> tuple[str, str]:
    values = record.main.values
    return (
        names.accounts.get(values["account_id"], "") if values["account_id"] else "",
        names.opportunities.get(values["opportunity_id"], "") if values["opportunity_id"] else "",
    )


def facts(record: EventRecord, names: Names) -> str:
    """What the CRM knows of an event that its owner should read before it; empty where it knows nothing."""
    account, opportunity = _concerns(record, names)
    lines = [f"Compte : {account}"] if account else []
    lines += [f"Opportunité : {opportunity}"] if opportunity else []
    return "\n".join(lines)


def _distance(record: EventRecord, names: Names, context: "Context") -> str:
    """How far it is to the account from where the owner of the event sets out (R095); empty for others."""
    values = record.main.values
    far = names.distances.get(values["account_id"] or 0)
    if far is None or values["owner_id"] != context.setting.owner_id:
        return ""
    language = context.rules.language
    return DISTANCE[language].format(told(far, language))


def _joined(*texts: str) -> str:
    return "\n".join(one for one in texts if one)


def beside(record: EventRecord | TaskRecord, names: Names, context: "Context") -> Item | None:
    """The item that the CRM writes beside a record for its owner only, None where there is nothing to write:
    what is known of a meeting with guests (§4.2.3) or stands at an account that a colleague in it may not
    read, an open task on its day (R063)."""
    if isinstance(record, TaskRecord):
        return _mirror(record, context)
    item = item_of(record)
    text = _kept_apart(record, names, item, context)
    over = last_end(item, floating=context.rules.floating)
    if not text or is_private(item):
        return None
    if record.main.values["owner_id"] != context.setting.owner_id or (over and over < context.now):
        return None
    main = item.main
    return Item(
        uid=f"crm-companion-{record.id}-{item.uid}"[:255],
        kind=Kind.EVENT,
        components=(
            Component(
                timing=main.timing,
                subject=f"À lire avant : {main.subject}",
                notes=text,
                privacy=Privacy.PRIVATE,
                busy=False,
            ),
        ),
        companion=True,
    )


def _kept_apart(record: EventRecord, names: Names, item: Item, context: "Context") -> str:
    """What is for the owner and may not stand in the event itself."""
    advice, far = read_by_owner(record, names.advice, context, item), _distance(record, names, context)
    if has_guests(context.setting.people, item):
        return _joined(advice, facts(record, names), far)
    apart = advice and not read_by_all(record, names.advice, context, item)
    return _joined(advice, far) if apart else ""


def _mirror(record: TaskRecord, context: "Context") -> Item | None:
    values = record.values
    mine = values["assignee_id"] == context.setting.owner_id
    due = values["due_date"]
    if due is None or values["state"] is not TaskState.OPEN or not mine or not context.shows_reminders:
        return None
    timing = Timing(start=When(due), end=When(due + timedelta(days=1)))
    main = Component(timing=timing, subject=values["subject"], busy=False)
    return Item(
        uid=f"crm-reminder-{record.id}-{values['uid']}"[:255],
        kind=Kind.EVENT,
        components=(main,),
        companion=True,
    )


def has_guests(people: People, *items: Item | None) -> bool:
    """Whether anybody takes part, in any occurrence and on either side, who is not a user of the CRM."""
    return any(
        people.user(email) is None
        for item in items
        if item is not None
        for component in item.components
        for email in (*(one.email for one in component.attendees), component.organizer)
        if email
    )


def undressed(remote: RemoteItem, binding: BindingRow | None) -> RemoteItem:
    """The item without what is left of the block that the CRM wrote last, where a client spoilt its markers
    (§4.2.1): it is not the user's notes."""
    block = binding.last_block if binding is not None else ""
    notes = [strip(one.notes, block) for one in remote.item.components] if block else []
    if not block or notes == [one.notes for one in remote.item.components]:
        return remote
    parts = zip(remote.item.components, notes, strict=True)
    item = replace(remote.item, components=tuple(replace(one, notes=text) for one, text in parts))
    return replace(remote, item=item)


def mark_of(dress: Dress) -> str:
    """Tells whether what the CRM adds is another one now; empty where it adds nothing."""
    added = (dress.account, dress.opportunity, dress.block)
    return hashlib.sha256("\0".join(added).encode()).hexdigest()[:16] if any(added) else ""
