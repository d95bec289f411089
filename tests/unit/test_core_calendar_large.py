"""A series with many changed occurrences: what a merge costs grows with their number, not with its square.

Counted, not timed: how often the key of a component is worked out, which every lookup needs.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from connectors.calendar import Component, Item, Kind, Timing, When
from syncd.core.canonical import Unit
from syncd.core.conflicts import Rules, Winner
from syncd.core.merge import bases_after, merge
from syncd.core.plan import Pair, decide

SOME, MANY = 100, 800
PER_OVERRIDE = 25  # lookups; three sides, eleven units and a few passes
FIRST = datetime(2026, 1, 1, 10)  # noqa: DTZ001 - the zone stands beside it


def series(overrides: int, subject: str, *, rrule: str = "FREQ=DAILY") -> Item:
    def at(day: int) -> When:
        return When(FIRST + timedelta(days=day), "Europe/Paris")

    def timing(day: int) -> Timing:
        return Timing(at(day), When(at(day).local + timedelta(hours=1), "Europe/Paris"))

    main = Component(replace(timing(0), rrule=rrule), subject=subject)
    changed = (
        Component(timing(day), recurrence_id=at(day), subject=f"{subject} {day}")
        for day in range(1, overrides + 1)
    )
    return Item("u", Kind.EVENT, (main, *sorted(changed, key=lambda one: one.key)))


def both_changed(number: int) -> None:
    """Every occurrence on both sides, by a rule that leaves each of them open."""
    base = series(number, "Avant")
    found = merge(
        base_crm=base,
        base_remote=base,
        crm=series(number, "CRM"),
        remote=series(number, "Client"),
        rules=Rules(Winner.MANUAL),
    )
    assert len(found.held) == number + 1
    bases_after(found, base, base)


def unlinked(number: int) -> None:
    """Both sides have it, and were never in step: half of the occurrences are changed on one side only."""
    found = decide(Pair(None, None, series(number, "CRM"), series(number // 2, "Client")), Rules())
    assert found.conflicts


def removed(number: int) -> None:
    """The client takes the rule away, the CRM has changed every occurrence: each goes to the log."""
    base = series(0, "Avant")
    found = merge(
        base_crm=base,
        base_remote=base,
        crm=series(number, "Avant"),
        remote=series(0, "Avant", rrule=""),
        rules=Rules(),
    )
    assert [one.unit for one in found.conflicts] == [None] * number
    assert Unit.TIMING not in {unit for _, unit in found.held}


@pytest.mark.parametrize("work", [both_changed, unlinked, removed])
def test_a_merge_looks_each_changed_occurrence_up_a_bounded_number_of_times(
    work: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_up = 0
    key = When.key

    def counted(self: When) -> str:
        nonlocal looked_up
        looked_up += 1
        return key(self)

    monkeypatch.setattr(When, "key", counted)
    costs = []
    for number in (SOME, MANY):
        looked_up = 0
        work(number)
        costs.append(looked_up / number)
    assert max(costs) < PER_OVERRIDE, costs
