"""A changed occurrence whose place the series gives no more, because the other side changed its rule: no side
ends with a RECURRENCE-ID that stands for nothing, and the change is in the conflict log."""

from datetime import datetime

from connectors.calendar import Component, Item, Kind, Timing, When
from syncd.core.canonical import Unit, component_json
from syncd.core.merge import Merged, Rules, Winner, merge

DAILY = "FREQ=DAILY;COUNT=5"


def at(day: int, hour: int = 10) -> When:
    return When(datetime(2026, 11, day, hour), "Europe/Paris")  # noqa: DTZ001 - the zone stands beside it


def series(rrule: str = DAILY, *changed: Component) -> Item:
    return Item("u", Kind.EVENT, (Component(Timing(at(23), at(23, 11), rrule), subject="Point"), *changed))


def override(day: int, subject: str = "Autre") -> Component:
    return Component(Timing(at(day), at(day, 11)), recurrence_id=at(day), subject=subject)


def merged(base: Item, crm: Item, remote: Item, rules: Rules | None = None) -> Merged:
    return merge(base_crm=base, base_remote=base, crm=crm, remote=remote, rules=rules or Rules())


def test_a_rule_that_the_client_removes_takes_the_occurrence_along_that_the_crm_changed() -> None:
    changed = override(25)
    found = merged(series(), series(DAILY, changed), series(""))
    assert found.crm == found.remote == series("")
    (lost,) = found.conflicts
    assert (lost.key, lost.unit, lost.winner) == (changed.key, None, Winner.REMOTE)
    assert (lost.crm, lost.remote) == (component_json(changed), None)


def test_a_rule_that_the_crm_removes_takes_the_occurrence_along_that_the_client_changed() -> None:
    changed = override(25)
    found = merged(series(), series(""), series(DAILY, changed))
    assert found.crm == found.remote == series("")
    (lost,) = found.conflicts
    assert (lost.key, lost.winner, lost.crm, lost.remote) == (
        changed.key, Winner.CRM, None, component_json(changed))  # fmt: skip


def test_an_occurrence_that_was_changed_before_tells_what_it_was() -> None:
    before, after = override(25, "Avant"), override(25, "Après")
    found = merged(series(DAILY, before), series(DAILY, after), series(""))
    assert found.crm == found.remote == series("")
    (lost,) = found.conflicts
    assert (lost.base, lost.crm, lost.winner) == (
        component_json(before), component_json(after), Winner.REMOTE)  # fmt: skip


def test_an_occurrence_on_a_day_that_the_new_rule_leaves_out_goes_and_one_that_it_gives_stays() -> None:
    daily, mondays = "FREQ=DAILY;COUNT=9", "FREQ=WEEKLY;COUNT=5;BYDAY=MO"
    found = merged(series(daily), series(daily, override(24), override(30)), series(mondays))
    assert found.crm == found.remote == series(mondays, override(30))
    assert [one.key for one in found.conflicts] == [override(24).key]


def test_what_a_client_wrote_so_itself_is_left_as_it_is() -> None:
    odd = series("", override(25))
    found = merged(series(DAILY, override(25)), series(DAILY, override(25)), odd)
    assert (found.remote, found.conflicts) == (odd, ())


def test_where_a_person_must_decide_about_the_rule_the_occurrence_waits_in_the_log() -> None:
    manual = Rules(Winner.MANUAL)
    changed = override(25)
    crm = series("FREQ=DAILY;COUNT=7", changed)
    found = merged(series(), crm, series(""), manual)
    assert found.crm == series("FREQ=DAILY;COUNT=7")
    assert found.remote == series("")
    assert found.held == {("", Unit.TIMING)}
    assert {(one.key, one.unit) for one in found.conflicts} == {("", Unit.TIMING), (changed.key, None)}
