"""What must be known before a cycle can pair both sides: bindings, records, copies, names. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from connectors.calendar import Item, Kind, RemoteItem
from store import announcements, calendar_rows, erased, reconciling
from store.bindings import BindingState, BoundEntity, IntentKind
from store.calendar_rows import EventRecord, TaskRecord
from store.database import Transaction
from store.outbox import Waiting
from store.reconciling import BindingRow, Known
from store.reports import account_names, opportunity_names
from syncd.engine.calendar import advice
from syncd.engine.calendar.context import Context
from syncd.engine.calendar.deciding import Key
from syncd.engine.calendar.dress import Names, records_named
from syncd.engine.calendar.intents import WORKED_ON
from syncd.engine.calendar.items import item_of, item_of_task
from syncd.engine.calendar.observe import Observed
from syncd.engine.distances import from_base

Record = EventRecord | TaskRecord

EXTRAS = frozenset({BoundEntity.COMPANION, BoundEntity.MIRROR})  # what the CRM writes for its owner only
ENTITIES = {Kind.EVENT: BoundEntity.EVENT, Kind.TASK: BoundEntity.TASK}
RECORDS = {BoundEntity.COMPANION: BoundEntity.EVENT, BoundEntity.MIRROR: BoundEntity.TASK}


@dataclass
class Gathered:
    """What is known of everything that one cycle has to do with."""

    refs: dict[int, dict[str, BindingRow]] = field(default_factory=dict)  # by collection, of what was read
    bindings: dict[int, BindingRow] = field(default_factory=dict)
    records: dict[Key, Record] = field(default_factory=dict)
    by_uid: dict[tuple[BoundEntity, str], int] = field(default_factory=dict)
    copies: dict[Key, list[BindingRow]] = field(default_factory=dict)
    own: frozenset[int] = frozenset()  # the calendars of all mailboxes of the user
    away: set[int] = field(default_factory=set)  # calendars of this mailbox that are out of reach
    under_way: set[Key] = field(default_factory=set)  # records with a write whose outcome is not known
    coming: dict[tuple[int, str], int] = field(default_factory=dict)  # intents of creations: calendar, UID
    elsewhere: set[Key] = field(default_factory=set)  # records with such a creation in another mailbox
    lost: dict[str, BindingRow] = field(default_factory=dict)  # by UID: what is not where it was any more
    twins: dict[str, int] = field(default_factory=dict)  # by UID: items that were known to be copies by hand
    detached: set[Key] = field(default_factory=set)  # records that calendars have no part in any more
    names: Names = field(default_factory=lambda: Names({}, {}))

    def copies_of(self, key: Key) -> Sequence[BindingRow]:
        """The bindings of a record, in whatever mailbox."""
        return self.copies.get(key, ())


def gather(
    session: Transaction,
    context: Context,
    *,
    observations: Sequence[Observed],
    found: Mapping[int, Sequence[RemoteItem]],
    gone: Mapping[int, Sequence[Known]],
    waiting: Sequence[Waiting],
) -> Gathered:
    """All of it. `found` and `gone` are by the id of their collection."""
    known = Gathered()
    calendars = [one.calendar.row.id for one in observations]
    _bindings(session, known, calendars, found, gone)
    unproven = {one.id for seen in observations for one in seen.unproven}
    if unproven:
        _rematch(session, known, calendars, found, unproven)
    uids = [one.item.uid for items in found.values() for one in items]
    known.by_uid |= {(BoundEntity.EVENT, uid): id_ for uid, id_ in _events(session, uids)}
    known.by_uid |= {(BoundEntity.TASK, uid): id_ for uid, id_ in _tasks(session, uids)}
    wanted = {(RECORDS.get(one.entity, one.entity), one.entity_id) for one in waiting}
    wanted |= {(entity, id_) for (entity, _), id_ in known.by_uid.items()}
    wanted |= {(one.entity, one.entity_id) for one in known.bindings.values() if one.entity_id is not None}
    named = records_named((one.item for items in found.values() for one in items), context.rules.instance)
    wanted |= {(ENTITIES[kind], id_) for kind, ids in named.items() for id_ in ids}
    _records(session, known, wanted, context, [one.item for items in found.values() for one in items])
    known.detached = erased.detached(session, wanted)
    for kind in EXTRAS:
        _copies(session, known, kind, [one.entity_id for one in waiting if one.entity is kind])
    known.own = reconciling.calendars_of_user(session, context.setting.owner_id)
    known.away = {one.id for one in reconciling.calendars(session, context.mailbox_id)} - set(calendars)
    intents = announcements.open_intents(session, context.mailbox_id)
    known.under_way = {(one.entity, one.entity_id) for one in intents if one.entity_id is not None}
    known.elsewhere = announcements.coming_elsewhere(session, context.mailbox_id, context.clock() - WORKED_ON)
    known.coming = {(one.collection_id, one.uid): one.id for one in intents if one.kind is IntentKind.CREATE}
    return known


def _bindings(
    session: Transaction,
    known: Gathered,
    calendars: Sequence[int],
    found: Mapping[int, Sequence[RemoteItem]],
    gone: Mapping[int, Sequence[Known]],
) -> None:
    of_refs = {
        collection: reconciling.known(session, collection, [one.ref for one in items])
        for collection, items in found.items()
    }
    going = {one.id for ones in gone.values() for one in ones}
    ids = {one.id for ones in of_refs.values() for one in ones.values()} | going
    known.bindings = reconciling.bindings(session, ids)
    known.refs = {
        collection: {ref: known.bindings[one.id] for ref, one in ones.items()}
        for collection, ones in of_refs.items()
    }
    lost = [known.bindings[id_] for id_ in going]
    known.lost = {one.uid: one for one in lost if one.state is BindingState.BOUND}
    for twin in reconciling.of_uids(session, calendars, [one.uid for one in lost]):
        if twin.state is BindingState.IGNORED and twin.id not in going:
            known.twins[twin.uid] = twin.id


def _rematch(
    session: Transaction,
    known: Gathered,
    calendars: Sequence[int],
    found: Mapping[int, Sequence[RemoteItem]],
    unproven: set[int],
) -> None:
    """What a server that forgot its tokens does not list any more has moved, if it stands somewhere else:
    that it is gone altogether would have to be proven first."""
    fresh = [
        one.item.uid
        for collection, items in found.items()
        for one in items
        if one.ref not in known.refs[collection]
    ]
    for binding in reconciling.of_uids(session, calendars, fresh):
        if binding.id in unproven and binding.state is BindingState.BOUND:
            known.lost.setdefault(binding.uid, binding)
            known.bindings[binding.id] = binding


def _events(session: Transaction, uids: Sequence[str]) -> Iterable[tuple[str, int]]:
    return calendar_rows.event_ids(session, uids).items()


def _tasks(session: Transaction, uids: Sequence[str]) -> Iterable[tuple[str, int]]:
    return calendar_rows.task_ids(session, uids).items()


def _records(
    session: Transaction, known: Gathered, wanted: set[Key], context: Context, found: Sequence[Item]
) -> None:
    events = [id_ for kind, id_ in wanted if kind is BoundEntity.EVENT]
    tasks = [id_ for kind, id_ in wanted if kind is BoundEntity.TASK]
    rows = calendar_rows.events(session, events)
    known.records |= {(BoundEntity.EVENT, id_): row for id_, row in rows.items()}
    known.records |= {
        (BoundEntity.TASK, id_): row for id_, row in calendar_rows.tasks(session, tasks).items()
    }
    _copies(session, known, BoundEntity.EVENT, events)
    _copies(session, known, BoundEntity.TASK, tasks)
    values = [one.main.values for one in rows.values()]
    known.names = Names(
        account_names(session, {one["account_id"] for one in values if one["account_id"]}),
        opportunity_names(session, {one["opportunity_id"] for one in values if one["opportunity_id"]}),
        advice.gather(session, context, rows.values(), found),
        _distances(session, context, rows.values()),
    )


def _distances(session: Transaction, context: Context, records: Iterable[EventRecord]) -> Mapping[int, int]:
    """How far it is for the mailbox's user to the accounts of that user's events."""
    me = context.setting.owner_id
    mine = [one.main.values for one in records if one.main.values["owner_id"] == me]
    accounts = {one["account_id"] for one in mine if one["account_id"]}
    return from_base(session, accounts, me) if context.shows_distance and accounts else {}


def _copies(session: Transaction, known: Gathered, entity: BoundEntity, ids: Sequence[int]) -> None:
    for binding in reconciling.of_records(session, entity, ids):
        if binding.entity_id is not None:
            known.copies.setdefault((entity, binding.entity_id), []).append(binding)


def record_hidden(record: Record) -> bool:
    """Whether the CRM took it out: cancelled or deleted, kept as history only."""
    values = record.main.values if isinstance(record, EventRecord) else record.values
    return bool(values["hidden"]) or values["deleted_at"] is not None


def whole_of(record: Record) -> Item:
    """What both sides have in common of the record, though it be history."""
    return item_of(record) if isinstance(record, EventRecord) else item_of_task(record)


def content_of(record: Record | None) -> Item | None:
    """What both sides have in common of the record; None where the CRM has none, or took it out."""
    return None if record is None or record_hidden(record) else whole_of(record)
