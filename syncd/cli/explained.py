"""Why an event or task is as it is: its copies, the decisions about it, its conflicts, and what waits."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from syncd.cli.output import as_json, say, shown, table

if TYPE_CHECKING:
    from store.bindings import BoundEntity
    from store.database import Transaction
    from store.decisions import ConflictRow, CopyRow, DecisionRow, IntentRow


@dataclass(frozen=True)
class Story:
    """What is known of one event or task."""

    item: str
    uid: str
    record: dict[str, object] | None  # None: the CRM has it no more
    copies: "list[CopyRow]"
    decisions: "list[DecisionRow]"
    conflicts: "list[ConflictRow]"
    intents: "list[IntentRow]"


def story(session: "Transaction", item: str) -> Story | None:
    """What is known of "event:12", "task:5" or a UID; None where that is no event and no task."""
    from store import decisions

    found = _named(session, item)
    if found is None:
        rows = [] if ":" in item else decisions.decisions(session, uid=item)
        return Story(item, item, None, [], rows, [], []) if rows else None
    entity, id_, uid, record = found
    return Story(
        f"{entity.value}:{id_}",
        uid,
        record,
        decisions.copies(session, entity, id_, uid),
        decisions.decisions(session, record=(entity, id_)),
        decisions.conflicts(session, every=True, record=(entity, id_)),
        decisions.intents(session, entity, id_),
    )


def _named(session: "Transaction", item: str) -> "tuple[BoundEntity, int, str, dict[str, object]] | None":
    from store import entries
    from store.bindings import BoundEntity
    from store.calendar_rows import event_ids, task_ids
    from store.errors import NotFound

    kind, _, number = item.partition(":")
    entity = {"event": BoundEntity.EVENT, "task": BoundEntity.TASK}.get(kind)
    id_ = int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else None  # noqa: PLR2004
    if entity is None or id_ is None:
        event, task = event_ids(session, [item]).get(item), task_ids(session, [item]).get(item)
        entity = BoundEntity.TASK if event is None else BoundEntity.EVENT
        id_ = task if event is None else event
        if id_ is None:
            return None
    try:
        if entity is BoundEntity.EVENT:
            fields = entries.event_fields(session, entries.event(session, id_))
        else:
            fields = entries.task_fields(session, entries.task(session, id_))
    except NotFound:
        return None
    return entity, id_, str(fields["uid"]), fields


def tell(found: Story, zone: ZoneInfo, *, json: bool) -> None:
    """Prints it."""
    from syncd.cli.reconciled import conflict_table, plain_conflict

    if json:
        as_json(
            {
                "known": True,
                "item": found.item,
                "uid": found.uid,
                "record": found.record,
                "copies": found.copies,
                "decisions": [_plain(row) for row in found.decisions],
                "conflicts": [plain_conflict(row) for row in found.conflicts],
                "intents": found.intents,
            }
        )
        return
    say(f"{found.item}, UID {shown(found.uid, zone)}")
    if found.record is None:
        say("  the CRM has it no more")
    else:
        record = found.record
        state = "cancelled, kept as history" if record["hidden"] else shown(record.get("status"), zone)
        say(f"  {shown(record['subject'], zone)} ({state}), version {record['version']}")
        say(f"  made in the {shown(record['origin'], zone)}, changed {shown(record['updated_at'], zone)}")
    _copies(found, zone)
    _decisions(found, zone)
    if found.conflicts:
        say()
        say("conflicts:")
        conflict_table(found.conflicts, zone)
    for intent in found.intents:
        say()
        say(
            f"{intent.mailbox}: a write ({intent.kind.value}) of run {intent.run}, {shown(intent.at, zone)}, "
            f"is not confirmed yet; the next cycle that can look into the calendar looks whether it arrived"
            f"{_patience(intent)}"
        )


def _patience(intent: "IntentRow") -> str:
    from store.bindings import IntentKind
    from syncd.engine.calendar.intents import WORKED_ON

    if intent.kind is not IntentKind.CREATE:
        return ""
    minutes = round(WORKED_ON.total_seconds() / 60)
    return (
        f". An Exchange server may still make it: there it is not made again in the first {minutes} minutes"
    )


def _plain(row: "DecisionRow") -> dict[str, object]:
    from dataclasses import asdict

    fields = asdict(row)
    return {name: value for name, value in fields.items() if name not in ("crm_before", "remote_before")}


def _copies(found: Story, zone: ZoneInfo) -> None:
    say()
    if not found.copies:
        say("It is in no calendar.")
        return
    say("copies:")
    table(
        ("mailbox", "calendar", "ref", "version", "state", "role", "content"),
        [
            (
                one.mailbox,
                shown(one.calendar, zone),
                shown(one.ref, zone),
                shown(one.version, zone),
                one.state.value,
                one.role.value,
                _part(one),
            )
            for one in found.copies
        ],
    )


def _part(one: "CopyRow") -> str:
    from store.bindings import BindingState

    if one.state is BindingState.IGNORED:
        return "left alone: another one is kept in step"
    return "kept in step" if one.supplies else "follows; gives an answer only"


def _decisions(found: Story, zone: ZoneInfo) -> None:
    if not found.decisions:
        return
    say()
    say("decisions, the newest first:")
    for row in found.decisions:
        undone = ", undone since" if row.undone else ""
        where = f"{row.mailbox}, {shown(row.calendar, zone)}"
        say(f"  decision:{row.id} in run {row.run} on {shown(row.at, zone)} ({where}){undone}")
        say(f"    {row.action} (T4 row {row.row}): {shown(row.reason, zone)}")
        say(f"    wrote: {row.side.value}; mailed: {row.mailed or 'nobody'}")
