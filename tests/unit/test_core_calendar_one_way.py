"""Table T4 for calendars of one direction, and for private items."""

from dataclasses import replace

from connectors.calendar import Component, Item, Kind, Privacy, Status, Timing
from syncd.core.canonical import Unit, dump, redacted
from syncd.core.merge import Rules, Winner
from syncd.core.plan import Action, Direction, Pair, bases, decide
from tests.unit.test_core_calendar_plan import (
    AUDIT,
    BASE,
    DAILY,
    LYON,
    OVERRIDE,
    REMOTE,
    at,
    is_,
    item,
    new,
    pair,
    told,
)


def test_to_crm_takes_everything_and_writes_nothing() -> None:
    sides = pair(
        crm=item(subject="Audit", location="Lyon"), remote=item(subject="Dîner"), direction=Direction.TO_CRM
    )
    found = decide(sides, Rules(Winner.CRM))
    kept = item(subject="Dîner", location="Lyon")
    assert is_(found, Action.MERGE, 6, kept, None)
    assert told(found) == [(Unit.SUBJECT, "Visite", "Audit", "Dîner", Winner.REMOTE)]
    base_crm, base_remote = bases(sides, found, crm=kept, remote=sides.remote)
    assert (base_crm, base_remote) == (sides.remote, sides.remote)
    later = decide(Pair(base_crm, base_remote, kept, sides.remote), REMOTE)
    assert is_(later, Action.PUSH, 2, None, kept), (
        "a calendar that is two-way later gets what the CRM changed"
    )


def test_to_crm_never_deletes_nor_creates_at_the_server() -> None:
    assert decide(pair(crm=None, direction=Direction.TO_CRM), REMOTE).action is Action.HIDE
    assert decide(new(BASE, None, direction=Direction.TO_CRM), REMOTE).action is Action.NOTHING
    found = decide(pair(crm=AUDIT, remote=None, direction=Direction.TO_CRM), REMOTE)
    assert is_(found, Action.CANCEL_CRM, 8, item(subject="Audit", status=Status.CANCELLED), None)


def test_to_remote_puts_back_what_the_server_changed() -> None:
    found = decide(pair(crm=LYON, remote=AUDIT, direction=Direction.TO_REMOTE), REMOTE)
    assert is_(found, Action.MERGE, 6, None, LYON)
    assert told(found) == [(Unit.SUBJECT, "Visite", "Visite", "Audit", Winner.CRM)]
    assert is_(decide(pair(remote=AUDIT, direction=Direction.TO_REMOTE), REMOTE), Action.PUSH, 3, None, BASE)


def test_to_remote_recreates_what_was_deleted_and_ignores_what_is_new() -> None:
    found = decide(pair(remote=None, direction=Direction.TO_REMOTE), REMOTE)
    assert is_(found, Action.RECREATE_REMOTE, 8, None, BASE)
    assert decide(new(None, BASE, direction=Direction.TO_REMOTE), REMOTE).action is Action.NOTHING
    gone = decide(pair(crm=None, remote=AUDIT, direction=Direction.TO_REMOTE), REMOTE)
    assert gone.action is Action.DELETE_REMOTE
    assert gone.conflicts[0].winner is Winner.CRM


def test_to_remote_keeps_each_occurrence_that_was_changed_in_what_it_deletes() -> None:
    base, changed = item(**DAILY), item(OVERRIDE, **DAILY)
    found = decide(Pair(base, base, None, changed, direction=Direction.TO_REMOTE), REMOTE)
    assert found.action is Action.DELETE_REMOTE
    assert [(one.key, one.unit, one.winner) for one in found.conflicts] == [
        ("", None, Winner.CRM),
        (OVERRIDE.key, None, Winner.CRM),
    ]
    assert [one.crm for one in found.conflicts] == [None, None]
    assert "Plus tard" in str(found.conflicts[1].remote)


# --- private items --------------------------------------------------------------------------------

SECRET = item(subject="Médecin", notes="résultats", privacy=Privacy.PRIVATE)
BUSY = Item(SECRET.uid, Kind.EVENT, (Component(Timing(at(10), at(11)), privacy=Privacy.PRIVATE),))


def test_a_private_item_is_busy_time_in_the_crm_and_never_written_back() -> None:
    assert is_(decide(new(None, SECRET), REMOTE), Action.CREATE_CRM, 13, BUSY, None)
    settled = Pair(BUSY, BUSY, BUSY, SECRET)
    assert is_(decide(settled, REMOTE), Action.NOTHING, 1, None, None)
    assert decide(replace(settled, dress_changed=True), REMOTE).remote is None
    edited = replace(BUSY, components=(replace(BUSY.main, subject="Audit"),))
    found = decide(replace(settled, crm=edited), Rules(Winner.CRM))
    assert is_(found, Action.PULL, 14, BUSY, None)
    assert told(found) == [(Unit.SUBJECT, None, "Audit", "", Winner.REMOTE)]
    assert decide(replace(settled, crm=None), REMOTE).action is Action.DELETE_REMOTE


def test_an_item_made_private_loses_its_text_in_the_crm_and_in_the_bases() -> None:
    sides = pair(remote=replace(SECRET))
    found = decide(sides, REMOTE)
    assert is_(found, Action.PULL, 3, BUSY, None)
    stored = bases(sides, found, crm=found.crm, remote=sides.remote)
    assert stored == (BUSY, BUSY)
    assert "Médecin" not in dump(BUSY)


def test_an_item_that_the_crm_makes_private_is_written_whole_and_kept_as_busy_time() -> None:
    private = item(privacy=Privacy.PRIVATE)
    sides = pair(crm=private)
    found = decide(sides, REMOTE)
    assert is_(found, Action.PUSH, 2, BUSY, private)
    base_crm, base_remote = bases(sides, found, crm=found.crm, remote=private)
    assert is_(decide(Pair(base_crm, base_remote, BUSY, private), REMOTE), Action.NOTHING, 1, None, None)


def test_an_item_that_is_public_again_comes_whole() -> None:
    assert is_(decide(Pair(BUSY, BUSY, BUSY, BASE), REMOTE), Action.PULL, 3, BASE, None)


# --- private items, in a calendar that nothing is taken from --------------------------------------


def to_remote(crm: Item, remote: Item, before: Item = BUSY) -> Pair:
    """A pair that was busy time when both sides were last looked at."""
    return Pair(before, before, crm, remote, direction=Direction.TO_REMOTE, version_changed=True)


def test_to_remote_leaves_alone_what_is_private_at_the_server() -> None:
    assert decide(to_remote(BASE, SECRET), REMOTE).action is Action.NOTHING
    assert decide(to_remote(BUSY, SECRET), REMOTE).action is Action.NOTHING


def test_to_remote_makes_private_again_what_the_crm_made_private_and_keeps_its_text_at_the_server() -> None:
    public = replace(SECRET, components=(replace(SECRET.main, privacy=Privacy.PUBLIC),))
    sides = to_remote(BUSY, public)
    found = decide(sides, REMOTE)
    assert is_(found, Action.PUSH, 3, None, SECRET)
    assert [(one.unit, one.crm, one.remote, one.winner) for one in found.conflicts] == [
        (Unit.PRIVACY, "private", "public", Winner.CRM)
    ]
    assert bases(sides, found, crm=BUSY, remote=SECRET) == (BUSY, BUSY)


def test_to_remote_makes_every_occurrence_private_again() -> None:
    private = item(OVERRIDE, **DAILY)
    private = replace(
        private, components=tuple(replace(one, privacy=Privacy.PRIVATE) for one in private.components)
    )
    public = item(OVERRIDE, **DAILY)
    bare = redacted(item(privacy=Privacy.PRIVATE, **DAILY))
    assert decide(to_remote(bare, public, bare), REMOTE).remote == private


def test_to_remote_puts_back_all_that_a_client_changed_while_it_was_private_there() -> None:
    remote = item(subject="Médecin", location="Lyon", timing=Timing(at(15), at(16)))
    sides = to_remote(
        BASE, remote, replace(BUSY, components=(replace(BUSY.main, timing=remote.main.timing),))
    )
    found = decide(sides, REMOTE)
    assert is_(found, Action.PUSH, 3, None, BASE)
    assert {(one.unit, one.winner) for one in found.conflicts} == {
        (Unit.SUBJECT, Winner.CRM),
        (Unit.LOCATION, Winner.CRM),
        (Unit.TIMING, Winner.CRM),
    }
    assert bases(sides, found, crm=BASE, remote=BASE) == (BASE, BASE)
    assert decide(to_remote(BASE, BASE), REMOTE).remote is None
