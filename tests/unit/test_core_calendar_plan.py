"""Table T4, row by row."""

from dataclasses import replace
from datetime import UTC, datetime

from connectors.calendar import Component, Item, Kind, Timing, When
from syncd.core.canonical import Unit
from syncd.core.merge import Rules, Winner
from syncd.core.plan import Action, Decision, Pair, decide

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PARIS = "Europe/Paris"
REMOTE = Rules()


def at(hour: int, day: int = 24) -> When:
    return When(datetime(2026, 11, day, hour), PARIS)  # noqa: DTZ001 - the zone stands beside it


def component(**values: object) -> Component:
    return replace(
        Component(Timing(at(10), at(11)), subject="Visite", notes="un\ndeux\ntrois"),
        **values,  # type: ignore[arg-type]
    )


def item(*overrides: Component, **values: object) -> Item:
    return Item("u1@crm.example", Kind.EVENT, (component(**values), *overrides))


BASE = item()


def pair(crm: Item | None = BASE, remote: Item | None = BASE, **values: object) -> Pair:
    return replace(Pair(BASE, BASE, crm, remote), **values)  # type: ignore[arg-type]


def units(decision: Decision) -> list[tuple[Unit | None, Winner]]:
    return [(one.unit, one.winner) for one in decision.conflicts]


def test_row_1_nothing_where_nothing_changed() -> None:
    assert decide(pair(), REMOTE).action is Action.NOTHING


def test_row_2_a_change_in_the_crm_is_pushed() -> None:
    found = decide(pair(crm=item(subject="Audit")), REMOTE)
    assert (found.action, found.row, found.crm, found.remote) == (Action.PUSH, 2, None, item(subject="Audit"))


def test_row_3_a_change_at_the_server_is_pulled() -> None:
    found = decide(pair(remote=item(subject="Audit")), REMOTE)
    assert (found.action, found.row, found.crm, found.remote) == (Action.PULL, 3, item(subject="Audit"), None)


def test_row_4_changes_of_different_fields_are_merged() -> None:
    found = decide(pair(crm=item(subject="Audit"), remote=item(location="Lyon")), REMOTE)
    both = item(subject="Audit", location="Lyon")
    assert (found.action, found.row, found.crm, found.remote) == (Action.MERGE, 4, both, both)
    assert not found.conflicts
