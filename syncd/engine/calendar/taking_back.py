"""Conflicts that a person settles: the loser's value is taken back, or an open one is decided.

Nobody is mailed. What is taken back is a change of the CRM like any other, which the next cycle carries
into the calendars.
"""

import json
from dataclasses import replace
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item
from store import decisions, reconciling
from store.bindings import ConflictState, Side
from store.database import Transaction
from store.decisions import ConflictRow
from store.errors import Invalid
from syncd.core.canonical import (
    Json,
    Unit,
    component_from_json,
    dump,
    load,
    value_from_json,
    with_value,
)
from syncd.core.conflicts import Winner
from syncd.core.recurrence import is_occurrence
from syncd.core.series import occurrence_at, without_occurrence
from syncd.engine.calendar import places, quiet
from syncd.engine.calendar.gathering import whole_of
from syncd.engine.calendar.occasion import Occasion

SIDES = {Winner.CRM: Side.CRM, Winner.REMOTE: Side.REMOTE}


def take(session: Transaction, id_: int, winner: Winner, occasion: Occasion) -> ConflictState:
    """Gives one side's value to both; returns what became of the conflict. Raises NotFound, Invalid,
    Forbidden, and Immutable where the value could not last."""
    row = decisions.conflict(session, id_)
    if row.state not in (ConflictState.OPEN, ConflictState.DECIDED):
        raise Invalid(f"conflict {id_} is settled already ({row.state.value})")
    if row.winner is SIDES[winner]:
        raise Invalid(f"conflict {id_}: {winner.value} won already, both sides hold that value")
    record = quiet.record_of(session, row.entity, row.entity_id)
    quiet.require_rights(record, occasion)
    quiet.require_ours(record)
    if row.state is ConflictState.OPEN:
        _agree(session, row, winner)
    if not (row.state is ConflictState.OPEN and winner is Winner.CRM):
        text = row.crm_value if winner is Winner.CRM else row.remote_value
        wanted = _with(quiet.awake(whole_of(record)), row, json.loads(text))
        quiet.put(session, record, wanted, occasion, "conflict taken back")
    else:
        quiet.put(session, record, whole_of(record), occasion, "conflict decided")
    state = ConflictState.CLOSED if row.state is ConflictState.OPEN else ConflictState.TAKEN_BACK
    decisions.settle_conflict(session, id_, state)
    return state


def _agree(session: Transaction, row: ConflictRow, winner: Winner) -> None:
    """An open conflict: from now on it counts as seen what the server has, so that only the CRM changed;
    where the server's value was chosen, neither did."""
    if row.binding_id is None:
        return
    binding = reconciling.bindings(session, [row.binding_id]).get(row.binding_id)
    if binding is None or not binding.base_remote:
        return
    value = json.loads(row.remote_value)
    base_remote = dump(_with(load(binding.base_remote), row, value) or load(binding.base_remote))
    base_crm = load(binding.base_of_crm)
    if winner is Winner.REMOTE:
        base_crm = _with(base_crm, row, value) or base_crm
    text = dump(base_crm)
    values = {"base_remote": base_remote, "base_crm": None if text == base_remote else text}
    reconciling.update_binding(session, binding.id, values)


def _with(item: Item, row: ConflictRow, value: Json) -> Item | None:
    """The item with that value where the conflict was; None: it is not to be there."""
    if not row.unit:
        return _whole(item, row.component, value)
    unit = Unit(row.unit)
    component = _component(item, row.component)
    return _replaced(item, with_value(component, unit, value_from_json(unit, value)))


def _whole(item: Item, key: str, value: Json) -> Item | None:
    if value is not None:
        return _replaced(item, _in_place(item, component_from_json(value)))
    if not key or key == item.main.key:
        return None
    places.recurring(item)
    place = _component(item, key).recurrence_id
    return item if place is None else without_occurrence(item, place)


def _in_place(item: Item, component: Component) -> Component:
    """The occurrence, which has a place in the series, cancelled or not. Raises Invalid where it has none."""
    place = component.recurrence_id
    if place is None or item.main.key:
        return component
    bare = replace(item.main, timing=replace(item.main.timing, exdates=()))
    alone = replace(item, components=(bare,))
    if not bare.timing.recurs or is_occurrence(alone, component.key, floating=ZoneInfo("UTC")) is False:
        raise Invalid(
            f"the event does not happen on {str(place.local)[:16]} any more: change its rule first "
            "(`syncd event edit ID --rrule RULE`), or make an event of its own"
        )
    return component


def _component(item: Item, key: str) -> Component:
    found = item.by_key.get(key)
    if found is not None:
        return found
    place = places.place_of_key(item, key)
    return _in_place(item, occurrence_at(item, place))


def _replaced(item: Item, component: Component) -> Item:
    others = [one for one in item.components if one.key != component.key]
    series = others and others[0].key == "" and component.recurrence_id is not None
    if series:
        main = others[0]
        key = component.key
        exdates = tuple(one for one in main.timing.exdates if one.key() != key)
        others[0] = replace(main, timing=replace(main.timing, exdates=exdates))
    return replace(item, components=tuple(sorted([*others, component], key=lambda one: one.key)))
