"""The laws of the merge: no edit is lost, nothing that nobody changed moves, and once is enough."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from connectors.calendar import Component, Item
from syncd.core.canonical import (
    Json,
    People,
    Unit,
    component_json,
    digest,
    dump,
    load,
    redacted,
    value_from_json,
    value_json,
    value_of,
)
from syncd.core.merge import Merged, Rules, UnitConflict, Winner, bases_after, merge
from syncd.core.notes import matching, merge_text
from syncd.core.plan import Action, Direction, Pair, Role, bases, decide
from tests.property.calendar_sides import LINES, edited, items, moments, notes

SETS = {Unit.ALARMS, Unit.CATEGORIES, Unit.ATTENDEES}
calm = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
rules = st.builds(
    Rules, st.sampled_from(Winner), st.dictionaries(st.sampled_from(Unit), st.sampled_from(Winner))
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[Item, Item, Item, Item]:
    """Both bases (the server may have rewritten what it was given), and both sides after their edits."""
    base = draw(items())
    base_remote = draw(edited(base, most=1)) if draw(st.booleans()) else base
    return base, base_remote, draw(edited(base)), draw(edited(base_remote))


def merged(found: tuple[Item, Item, Item, Item], rules: Rules, times: tuple[datetime | None, ...]) -> Merged:
    base_crm, base_remote, crm, remote = found
    return merge(
        base_crm=base_crm,
        base_remote=base_remote,
        crm=crm,
        remote=remote,
        rules=rules,
        crm_changed_at=times[0],
        remote_changed_at=times[1],
    )


def edits(before: Item, after: Item) -> Iterator[tuple[str, Unit | None]]:
    """What was changed: units of components, or whole components (None)."""
    old, new = before.by_key, after.by_key
    for key in sorted({*old, *new}):
        if key not in old or key not in new:
            yield key, None
        else:
            yield from ((key, unit) for unit in Unit if value_of(old[key], unit) != value_of(new[key], unit))


def told(conflicts: tuple[UnitConflict, ...], key: str, unit: Unit | None) -> bool:
    return any(one.key == key and one.unit in {unit, None} for one in conflicts)


@calm
@given(pairs(), rules, st.tuples(moments, moments))
def test_every_edit_is_in_the_result_or_in_a_conflict(
    found: tuple[Item, Item, Item, Item], rules: Rules, times: tuple[datetime | None, ...]
) -> None:
    base_crm, base_remote, crm, remote = found
    result = merged(found, rules, times)
    for before, after, to in ((base_crm, crm, result.remote), (base_remote, remote, result.crm)):
        for key, unit in edits(before, after):
            wanted, there = after.by_key.get(key), to.by_key.get(key)
            if told(result.conflicts, key, unit):
                event("told in a conflict")
            elif wanted is None:
                assert there is None, key
            elif there is None:
                raise AssertionError(f"the edit of {key} is nowhere")
            elif unit is not None and unit not in SETS | {Unit.NOTES, Unit.TIMING}:
                assert value_of(there, unit) == value_of(wanted, unit)
            elif unit in SETS:
                assert_members(before.by_key[key], wanted, there, unit)


def members(component: Component, unit: Unit) -> frozenset[str]:
    value = value_of(component, unit)
    if isinstance(value, People):
        return frozenset(one.email for one in value.attendees)
    assert isinstance(value, frozenset)
    return value


def assert_members(before: Component, after: Component, there: Component, unit: Unit) -> None:
    old, new, now = (members(one, unit) for one in (before, after, there))
    assert new - old <= now
    assert not (old - new) & now


@calm
@given(pairs(), rules)
def test_what_nobody_changed_stays_as_it_is_on_each_side(
    found: tuple[Item, Item, Item, Item], rules: Rules
) -> None:
    base_crm, base_remote, crm, remote = found
    result = merged(found, rules, (None, None))
    changed = {*edits(base_crm, crm), *edits(base_remote, remote)}
    for before, to in ((crm, result.crm), (remote, result.remote)):
        for key, component in before.by_key.items():
            if key in to.by_key and (key, None) not in changed:
                for unit in Unit:
                    if (key, unit) not in changed and (unit is not Unit.TIMING or key):
                        assert value_of(to.by_key[key], unit) == value_of(component, unit)


@calm
@given(pairs(), rules, st.tuples(moments, moments))
def test_once_is_enough(
    found: tuple[Item, Item, Item, Item], rules: Rules, times: tuple[datetime | None, ...]
) -> None:
    base_crm, base_remote, _, _ = found
    first = merged(found, rules, times)
    again = merged((*bases_after(first, base_crm, base_remote), first.crm, first.remote), rules, times)
    assert (again.crm, again.remote) == (first.crm, first.remote)
    assert {one.winner for one in again.conflicts} <= {Winner.MANUAL}
    assert again.held == first.held


@calm
@given(pairs(), rules, st.booleans())
def test_a_change_on_one_side_only_never_conflicts(
    found: tuple[Item, Item, Item, Item], rules: Rules, in_crm: bool
) -> None:
    base_crm, base_remote, crm, remote = found
    sides = (base_crm, base_remote, crm, base_remote) if in_crm else (base_crm, base_remote, base_crm, remote)
    result = merged(sides, rules, (None, None))
    assert result.conflicts == ()
    assert (result.crm if in_crm else result.remote) == (crm if in_crm else remote)


@calm
@given(items(), items(), rules)
def test_a_first_link_loses_nothing_and_settles(crm: Item, remote: Item, rules: Rules) -> None:
    result = merge(base_crm=None, base_remote=None, crm=crm, remote=remote, rules=rules)
    after = bases_after(result, None, None)
    again = merged((*after, result.crm, result.remote), rules, (None, None))
    assert (again.crm, again.remote, again.held) == (result.crm, result.remote, result.held)
    for side, own, to in ((crm, result.crm, result.remote), (remote, result.remote, result.crm)):
        for key, component in side.by_key.items():
            if key not in to.by_key and ("", Unit.TIMING) in result.held:
                # A person is to decide which series it is, and it has its place in one of them only.
                assert own.by_key[key] == component
                continue
            for text in (Unit.SUBJECT, Unit.LOCATION, Unit.NOTES, Unit.VIDEO):
                if value_of(component, text) and not told(result.conflicts, key, text):
                    assert value_of(to.by_key[key], text) == value_of(component, text)


@calm
@given(notes, notes, notes)
def test_notes_changed_on_one_side_are_that_side_s(base: str, crm: str, remote: str) -> None:
    assert merge_text(base, base, remote) == remote
    assert merge_text(base, crm, base) == crm
    assert merge_text(base, crm, crm) == crm


@st.composite
def rewritten(draw: st.DrawFn, author: str) -> tuple[frozenset[int], dict[int, str]]:
    """Which of twelve lines the author takes out, and what they write behind which."""
    places = st.integers(0, 11)
    removed = draw(st.frozensets(places, max_size=3))
    return removed, draw(st.dictionaries(places, st.just(author), max_size=3))


def write(removed: frozenset[int], added: dict[int, str]) -> str:
    lines = []
    for number in range(12):
        lines += [] if number in removed else [f"line {number}"]
        lines += [f"{added[number]} {number}"] if number in added else []
    return "\n".join(lines)


@settings(max_examples=300, deadline=None)
@given(rewritten("crm"), rewritten("remote"))
def test_merged_notes_hold_what_each_side_wrote_and_nothing_that_either_took_out(
    ours: tuple[frozenset[int], dict[int, str]], theirs: tuple[frozenset[int], dict[int, str]]
) -> None:
    found = merge_text(write(frozenset(), {}), write(*ours), write(*theirs))
    event("conflict" if found is None else "merged")
    if found is not None:
        kept = {f"line {number}" for number in range(12) if number not in ours[0] | theirs[0]}
        written = {f"{author} {number}" for side in (ours, theirs) for number, author in side[1].items()}
        assert set(found.split("\n")) - {""} == kept | written


@calm
@given(st.lists(st.sampled_from("abcdefgh"), max_size=90), st.lists(st.sampled_from("abcdefgh"), max_size=90))
def test_matching_lines_are_equal_and_in_order(before: list[str], after: list[str]) -> None:
    found = matching(before, after)
    assert all(before[one] == after[other] for one, other in found)
    assert all(one < two and three < four for (one, three), (two, four) in pairwise(found))


@calm
@given(items(private=True))
def test_what_is_dumped_is_loaded(item: Item) -> None:
    loaded = load(dump(item))
    assert asdict(loaded) == asdict(item)
    assert digest(loaded) == digest(item)
    for component in item.components:
        for unit in Unit:
            value = value_of(component, unit)
            assert value_from_json(unit, value_json(value)) == value


@calm
@given(items(), items())
def test_digests_are_equal_where_the_items_are(one: Item, other: Item) -> None:
    assert (one == other) == (digest(one) == digest(other))


def strings(data: Json) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for name, value in data.items():
            yield name
            yield from strings(value)
    elif isinstance(data, list):
        for value in data:
            yield from strings(value)


@calm
@given(items(private=True))
def test_a_redacted_item_has_no_text(item: Item) -> None:
    bare = redacted(item)
    if bare is item:
        return
    event("redacted")
    for component in bare.components:
        text = " ".join(strings(component_json(component)))
        assert "@client.example" not in text
        assert not any(line in text for line in (*LINES, "Visite", "Audit", "Liège", "Anna", "-PT") if line)
    assert redacted(bare) == bare


@calm
@given(
    pairs(),
    st.sampled_from(Role),
    st.sampled_from(Direction),
    rules,
    st.tuples(*[st.booleans()] * 5),
)
def test_nothing_is_pushed_where_the_crm_may_not_write_and_a_second_look_finds_peace(
    found: tuple[Item, Item, Item, Item],
    role: Role,
    direction: Direction,
    rules: Rules,
    there: tuple[bool, ...],
) -> None:
    kept = [one if is_there else None for one, is_there in zip(found, there, strict=False)]
    pair = Pair(kept[0], kept[1], kept[2], kept[3], role, direction, dress_changed=there[4])
    decision = decide(pair, rules)
    event(decision.action)
    if role is Role.ATTENDEE or direction is Direction.TO_CRM:
        assert decision.remote is None
        assert decision.action not in {Action.DELETE_REMOTE, Action.CREATE_REMOTE, Action.RECREATE_REMOTE}
    crm = decision.crm or (None if decision.action is Action.HIDE else pair.crm)
    remote = decision.remote or (None if decision.action is Action.DELETE_REMOTE else pair.remote)
    base_crm, base_remote = bases(pair, decision, crm=crm, remote=remote)
    if decision.action is Action.NOTHING:
        base_crm, base_remote = pair.base_crm, pair.base_remote
    second = decide(Pair(base_crm, base_remote, crm, remote, role, direction), rules)
    assert (second.crm, second.remote) == (None, None), (decision, second)
    assert {one.winner for one in second.conflicts} <= {Winner.MANUAL}
