"""The three-way merge of one item, with a base for each side (design.md section 5; T4 rows 4, 5, 6, 15, 16).

What the CRM changed is told against `base_crm`, what the server changed against `base_remote`: a server may
rewrite what it was given, so a unit that nobody changed stays different where it is different. Every change
of either side is in the result or in a conflict, with its base, both values and the winner. Pure.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.calendar import Component, Item, When
from syncd.core.canonical import Unit, Value, component_json, unsaid, value_json, value_of, with_value
from syncd.core.conflicts import Rules, UnitConflict, Winner
from syncd.core.recurrence import lacks
from syncd.core.series import natural
from syncd.core.unit_merge import Both, merge_unit

ANY_ZONE = ZoneInfo("UTC")  # places are told apart on the clock: which zone stands in for none is the same

__all__ = ["Merged", "Rules", "UnitConflict", "Winner", "bases_after", "merge"]


@dataclass(frozen=True, slots=True)
class Merged:
    """What each side must become."""

    crm: Item
    remote: Item
    conflicts: tuple[UnitConflict, ...] = ()
    held: frozenset[tuple[str, Unit]] = frozenset()  # (key, unit) of open conflicts: bases keep the old value


def merge(
    *,
    base_crm: Item | None,
    base_remote: Item | None,
    crm: Item,
    remote: Item,
    rules: Rules,
    crm_changed_at: datetime | None = None,
    remote_changed_at: datetime | None = None,
) -> Merged:
    """Merges what each side did since its base. Bases are None where the two were never linked: then the
    one that says something wins over the one that says nothing, and the rule decides between two that do.

    The timestamps are for the rule `newest`: the later one wins, the server where they are equal or unknown.
    An override of one side whose place the other side's series gives no more is a conflict, and lost.
    """
    newest = Winner.REMOTE
    if crm_changed_at is not None and remote_changed_at is not None and crm_changed_at > remote_changed_at:
        newest = Winner.CRM
    return _Merge(Both(base_crm, base_remote), Both(crm, remote), rules, newest).run()


def bases_after(merged: Merged, base_crm: Item | None, base_remote: Item | None) -> tuple[Item, Item]:
    """The bases to store once both sides are what `merged` says (replace `merged.remote` by what the server
    made of it): that, but for the units that are held, which keep their old value so that they stay open."""
    return (
        with_old(merged.crm, base_crm, merged.held),
        with_old(merged.remote, base_remote, merged.held),
    )


def with_old(item: Item, base: Item | None, held: frozenset[tuple[str, Unit]]) -> Item:
    """The item with the old value of each held unit."""
    if not held:
        return item
    components, known = [], _by_key(base)
    units: dict[str, list[Unit]] = {}
    for key, unit in sorted(held):
        units.setdefault(key, []).append(unit)
    for component in item.components:
        before = _before(base, component, known)
        kept = component
        for unit in units.get(component.key, ()):
            kept = with_value(kept, unit, value_of(before, unit) if before else unsaid(unit, item.kind))
        components.append(kept)
    return replace(item, components=tuple(components))


def _before(base: Item | None, component: Component, known: Mapping[str, Component]) -> Component | None:
    """What the component was, of those that are `known` of the base. An occurrence that had no override was
    what the series said of it."""
    if base is None:
        return None
    old = known.get(component.key)
    if old is None and component.recurrence_id is not None and not base.main.key:
        return natural(base.main, component.recurrence_id)
    return old


class _Merge:
    """One merge under way."""

    def __init__(self, bases: Both[Item | None], sides: Both[Item], rules: Rules, newest: Winner) -> None:
        self._bases, self._sides = bases, sides
        self._old = Both(_by_key(bases.crm), _by_key(bases.remote))
        self._now = Both(_by_key(sides.crm), _by_key(sides.remote))
        self._rules, self._newest = rules, newest
        self._conflicts: list[UnitConflict] = []
        self._whole: set[str] = set()  # the components that have a conflict as a whole
        self._held: set[tuple[str, Unit]] = set()

    def run(self) -> Merged:
        """Component by component, the series first."""
        left: Both[dict[str, Component]] = Both({}, {})
        for key in sorted({*self._now.crm, *self._now.remote}):
            found = self._component(key)
            if found.crm is not None:
                left.crm[key] = found.crm
            if found.remote is not None:
                left.remote[key] = found.remote
        if not left.crm or not left.remote:  # each side removed what the other one kept
            self._tell("", None, self._sides.crm.main, self._sides.remote.main, Winner.REMOTE)
            left = Both(dict(self._now.remote), dict(self._now.remote))
        self._revive(left)
        self._orphan(left)
        return Merged(
            _item(self._sides.crm, left.crm, self._sides.remote),
            _item(self._sides.remote, left.remote, self._sides.crm),
            tuple(self._conflicts),
            frozenset(self._held),
        )

    def _component(self, key: str) -> Both[Component | None]:
        crm, remote = self._now.crm.get(key), self._now.remote.get(key)
        old_crm, old_remote = self._old.crm.get(key), self._old.remote.get(key)
        if crm is not None and remote is not None:
            return self._both_there(key, crm, remote)
        if crm is not None:
            if crm == old_crm:  # removed by the server's side, or never kept there
                return Both(None if old_remote is not None else crm, None)
            if old_remote is not None:
                self._tell(key, old_crm, crm, None, Winner.CRM)
            return Both(crm, crm)
        if remote == old_remote:
            return Both(None, None if old_crm is not None else remote)
        if old_crm is not None:
            self._tell(key, old_remote, None, remote, Winner.REMOTE)
        return Both(remote, remote)

    def _both_there(self, key: str, crm: Component, remote: Component) -> Both[Component | None]:
        before = Both(
            _before(self._bases.crm, crm, self._old.crm),
            _before(self._bases.remote, remote, self._old.remote),
        )
        to_crm, to_remote = crm, remote
        for unit in Unit:
            was: Both[Value | None] = Both(
                None if before.crm is None else value_of(before.crm, unit),
                None if before.remote is None else value_of(before.remote, unit),
            )
            now = Both(value_of(crm, unit), value_of(remote, unit))
            if now == was:
                continue  # nobody changed it, which is what most units say
            found = merge_unit(unit, was, now, unsaid(unit, self._sides.crm.kind), self._rule(unit))
            if found.winner is not None:
                base = was.remote if was.crm is None else was.crm
                told = None if base is None else value_json(base)
                self._conflicts.append(
                    UnitConflict(key, unit, told, value_json(now.crm), value_json(now.remote), found.winner)
                )
            if found.winner is Winner.MANUAL:
                self._held.add((key, unit))
            if found.crm != now.crm:
                to_crm = with_value(to_crm, unit, found.crm)
            if found.remote != now.remote:
                to_remote = with_value(to_remote, unit, found.remote)
        return Both(to_crm, to_remote)

    def _rule(self, unit: Unit) -> Winner:
        rule = self._rules.of(unit)
        return self._newest if rule is Winner.NEWEST else rule

    def _revive(self, left: Both[dict[str, Component]]) -> None:
        """One side cancelled an occurrence (EXDATE) that the other one changed: the change wins."""
        if ("", Unit.TIMING) in self._held:
            return
        for side, now, old, other_now, other_old in (
            (Winner.CRM, self._now.crm, self._old.crm, self._now.remote, self._old.remote),
            (Winner.REMOTE, self._now.remote, self._old.remote, self._now.crm, self._old.crm),
        ):
            for key in sorted(_excluded(now) - _excluded(old)):
                override = other_now.get(key)
                if override is None or override == other_old.get(key) or key in now:
                    continue
                if side is Winner.CRM:
                    self._tell(key, old.get(key), None, override, Winner.REMOTE)
                else:
                    self._tell(key, old.get(key), override, None, Winner.CRM)
                for components in (left.crm, left.remote):
                    if "" in components:
                        components[""] = _included(components[""], key)

    def _orphan(self, left: Both[dict[str, Component]]) -> None:
        """One side changed an occurrence, the other one the series, so that it does not happen then any more:
        a RECURRENCE-ID must name an occurrence (RFC 5545 section 3.8.4.4). What both have stays as it is, and
        so does what a side wrote beside that very series; while a person is to decide about the series, the
        side whose series has no such place is not given it, and the other one keeps it."""
        held = ("", Unit.TIMING) in self._held
        alone = {key for key in self._now.crm.keys() ^ self._now.remote.keys() if key}
        missing = Both(self._lacking(left.crm, alone), self._lacking(left.remote, alone))
        gone = frozenset() if held else missing.crm | missing.remote
        self._conflicts = [one for one in self._conflicts if one.key not in gone]
        self._whole -= gone
        for key in sorted(missing.crm | missing.remote):
            crm, remote = self._now.crm.get(key), self._now.remote.get(key)
            if held:
                for components, own, lacked in (
                    (left.crm, crm, missing.crm),
                    (left.remote, remote, missing.remote),
                ):
                    if own is None and key in lacked:
                        components.pop(key, None)
                continue
            left.crm.pop(key, None)
            left.remote.pop(key, None)
            old = self._old.crm.get(key) or self._old.remote.get(key)
            self._tell(key, old, crm, remote, Winner.CRM if crm is None else Winner.REMOTE)

    def _lacking(self, components: Mapping[str, Component], keys: Set[str]) -> frozenset[str]:
        """Which of these overrides have no place in the series beside them, as far as can be told."""
        series = components.get("")
        if series is None:
            return frozenset()
        asked: dict[str, When] = {}
        for key in keys & components.keys():
            own = (self._now.crm if key in self._now.crm else self._now.remote).get("")
            place = components[key].recurrence_id
            if place is not None and (own is None or own.timing != series.timing):
                asked[key] = place
        if not series.timing.recurs:
            return frozenset(asked)
        item = Item(self._sides.crm.uid, self._sides.crm.kind, (series,))
        return lacks(item, asked, floating=ANY_ZONE)

    def _tell(
        self,
        key: str,
        base: Component | None,
        crm: Component | None,
        remote: Component | None,
        winner: Winner,
    ) -> None:
        """Notes a conflict about a whole component, once."""
        if key in self._whole:
            return
        self._whole.add(key)
        base_json, crm_json, remote_json = (
            None if one is None else component_json(one) for one in (base, crm, remote)
        )
        self._conflicts.append(UnitConflict(key, None, base_json, crm_json, remote_json, winner))


def _by_key(item: Item | None) -> Mapping[str, Component]:
    return {} if item is None else item.by_key


def _excluded(components: Mapping[str, Component]) -> frozenset[str]:
    series = components.get("")
    return frozenset() if series is None else frozenset(one.key() for one in series.timing.exdates)


def _included(series: Component, key: str) -> Component:
    exdates = tuple(one for one in series.timing.exdates if one.key() != key)
    return replace(series, timing=replace(series.timing, exdates=exdates))


def _item(own: Item, components: Mapping[str, Component], other: Item) -> Item:
    zones = {**dict(other.zones), **dict(own.zones)}
    return replace(
        own,
        components=tuple(components[key] for key in sorted(components)),
        zones=own.zones if zones.keys() == dict(own.zones).keys() else tuple(sorted(zones.items())),
    )
