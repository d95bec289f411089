"""Table T4, row by row."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.calendar import Attendee, Component, Item, Kind, Privacy, Response, Status, Timing, When
from syncd.core.canonical import Unit, redacted
from syncd.core.merge import Rules, Winner
from syncd.core.plan import Action, Decision, Direction, Pair, Role, bases, decide

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
PARIS = "Europe/Paris"
REMOTE = Rules()
ANNA = "anna@client.example"


def at(hour: int, day: int = 24) -> When:
    return When(datetime(2026, 11, day, hour), PARIS)  # noqa: DTZ001 - the zone stands beside it


def component(**values: object) -> Component:
    whole = Component(Timing(at(10), at(11)), subject="Visite", notes="un\ndeux\ntrois")
    return replace(whole, **values)  # type: ignore[arg-type]


def item(*overrides: Component, **values: object) -> Item:
    return Item("u1@crm.example", Kind.EVENT, (component(**values), *overrides))


BASE = item()
AUDIT = item(subject="Audit")
LYON = item(location="Lyon")


def pair(crm: Item | None = BASE, remote: Item | None = BASE, **values: object) -> Pair:
    return replace(Pair(BASE, BASE, crm, remote), **values)  # type: ignore[arg-type]


def new(crm: Item | None, remote: Item | None, **values: object) -> Pair:
    return pair(crm, remote, base_crm=None, base_remote=None, **values)


def is_(found: Decision, action: Action, row: int, crm: Item | None, remote: Item | None) -> bool:
    assert found.reason.endswith(".")
    return (found.action, found.row, found.crm, found.remote) == (action, row, crm, remote)


def told(found: Decision) -> list[tuple[Unit | None, object, object, object, Winner]]:
    return [(one.unit, one.base, one.crm, one.remote, one.winner) for one in found.conflicts]


def test_row_1_nothing_where_nothing_changed() -> None:
    assert is_(decide(pair(), REMOTE), Action.NOTHING, 1, None, None)
    assert is_(decide(new(None, None), REMOTE), Action.NOTHING, 1, None, None)


def test_row_2_a_change_in_the_crm_is_pushed() -> None:
    assert is_(decide(pair(crm=AUDIT), REMOTE), Action.PUSH, 2, None, AUDIT)


def test_row_2_what_the_crm_adds_is_pushed_though_the_item_is_the_same() -> None:
    assert is_(decide(pair(dress_changed=True), REMOTE), Action.PUSH, 2, None, BASE)
    assert decide(pair(dress_changed=True, role=Role.ATTENDEE), REMOTE).remote is None
    assert decide(pair(dress_changed=True, direction=Direction.TO_CRM), REMOTE).remote is None


def test_row_3_a_change_at_the_server_is_pulled() -> None:
    assert is_(decide(pair(remote=AUDIT), REMOTE), Action.PULL, 3, AUDIT, None)


def test_row_4_changes_of_different_fields_are_merged() -> None:
    found = decide(pair(crm=AUDIT, remote=LYON), REMOTE)
    both = item(subject="Audit", location="Lyon")
    assert is_(found, Action.MERGE, 4, both, both)
    assert not found.conflicts


def test_row_5_the_same_change_on_both_sides_is_adopted() -> None:
    found = decide(pair(crm=AUDIT, remote=AUDIT), REMOTE)
    assert is_(found, Action.ADOPT, 5, None, None)
    assert not found.conflicts


@pytest.mark.parametrize(
    ("rule", "crm_changed_at", "winner"),
    [
        (Winner.REMOTE, None, Winner.REMOTE),
        (Winner.CRM, None, Winner.CRM),
        (Winner.NEWEST, None, Winner.REMOTE),
        (Winner.NEWEST, NOW, Winner.REMOTE),
        (Winner.NEWEST, NOW + timedelta(seconds=1), Winner.CRM),
        (Winner.NEWEST, NOW - timedelta(seconds=1), Winner.REMOTE),
    ],
)
def test_row_6_the_rule_decides_and_the_loser_is_kept(
    rule: Winner, crm_changed_at: datetime | None, winner: Winner
) -> None:
    dinner = item(subject="Dîner")
    sides = pair(crm=AUDIT, remote=dinner, crm_changed_at=crm_changed_at, remote_changed_at=NOW)
    found = decide(sides, Rules(Winner.MANUAL, {Unit.SUBJECT: rule}))
    if winner is Winner.CRM:
        assert is_(found, Action.MERGE, 6, None, AUDIT)
    else:
        assert is_(found, Action.MERGE, 6, dinner, None)
    assert told(found) == [(Unit.SUBJECT, "Visite", "Audit", "Dîner", winner)]


def test_row_6_manual_leaves_both_sides_and_stays_open_until_they_agree() -> None:
    sides = pair(crm=item(subject="Audit", location="Lyon"), remote=item(subject="Dîner"))
    found = decide(sides, Rules(Winner.MANUAL))
    pushed = item(subject="Dîner", location="Lyon")
    assert is_(found, Action.MERGE, 6, None, pushed)
    assert found.held == {("", Unit.SUBJECT)}
    base_crm, base_remote = bases(sides, found, crm=sides.crm, remote=pushed)
    assert base_crm == base_remote == LYON
    again = decide(Pair(base_crm, base_remote, sides.crm, pushed), Rules(Winner.MANUAL))
    assert is_(again, Action.ADOPT, 6, None, None)
    assert told(again) == told(found)
    agreed = decide(Pair(base_crm, base_remote, pushed, pushed), Rules(Winner.MANUAL))
    assert is_(agreed, Action.ADOPT, 5, None, None)
    assert not agreed.conflicts


def test_row_6_notes_are_merged_line_by_line_first() -> None:
    found = decide(
        pair(crm=item(notes="UN\ndeux\ntrois"), remote=item(notes="un\ndeux\ntrois\nquatre")), REMOTE
    )
    both = item(notes="UN\ndeux\ntrois\nquatre")
    assert is_(found, Action.MERGE, 4, both, both)


def test_row_6_notes_changed_in_the_same_line_go_by_the_rule() -> None:
    found = decide(pair(crm=item(notes="UN\ndeux"), remote=item(notes="Un\ndeux")), Rules(Winner.CRM))
    assert is_(found, Action.MERGE, 6, None, item(notes="UN\ndeux"))


def test_row_6_participants_merge_by_address() -> None:
    base = item(attendees=(Attendee(ANNA),))
    crm = item(attendees=(Attendee(ANNA), Attendee("bob@client.example")))
    remote = item(attendees=(Attendee(ANNA, Response.ACCEPTED), Attendee("cleo@client.example")))
    found = decide(Pair(base, base, crm, remote), REMOTE)
    everybody = item(
        attendees=(
            Attendee(ANNA, Response.ACCEPTED), Attendee("bob@client.example"), Attendee("cleo@client.example")
        )
    )  # fmt: skip
    assert is_(found, Action.MERGE, 4, everybody, everybody)


def test_row_7_deleted_in_the_crm_is_deleted_at_the_server_by_its_organizer() -> None:
    assert is_(decide(pair(crm=None), REMOTE), Action.DELETE_REMOTE, 7, None, None)


def test_row_7_deleted_in_the_crm_is_only_hidden_by_a_participant_and_stays_hidden() -> None:
    found = decide(pair(crm=None, role=Role.ATTENDEE), REMOTE)
    assert is_(found, Action.HIDE, 7, None, None)
    hidden = Pair(None, BASE, None, BASE, Role.ATTENDEE)
    assert is_(decide(hidden, REMOTE), Action.NOTHING, 7, None, None)
    assert is_(decide(replace(hidden, remote=AUDIT), REMOTE), Action.RESTORE_CRM, 9, AUDIT, None)


def test_row_8_deleted_at_the_server_is_cancelled_in_the_crm_and_kept() -> None:
    found = decide(pair(remote=None), REMOTE)
    cancelled = item(status=Status.CANCELLED)
    assert is_(found, Action.CANCEL_CRM, 8, cancelled, None)
    after = Pair(cancelled, None, cancelled, None)
    assert is_(decide(after, REMOTE), Action.NOTHING, 8, None, None)
    assert is_(decide(replace(after, crm=BASE), REMOTE), Action.RECREATE_REMOTE, 10, None, BASE)


def test_row_8_a_reminder_that_is_done_stays_done_when_it_is_cleared_away() -> None:
    done = Item("t", Kind.TASK, (component(status=Status.DONE, completed=NOW),))
    assert decide(Pair(done, done, done, None), REMOTE).crm is None


def test_row_10_a_reminder_that_is_done_in_the_crm_and_deleted_at_the_server_is_created_again() -> None:
    open_ = Item("t", Kind.TASK, (component(status=Status.OPEN),))
    done = Item("t", Kind.TASK, (component(status=Status.DONE, completed=NOW),))
    found = decide(Pair(open_, open_, done, None), REMOTE)
    assert is_(found, Action.RECREATE_REMOTE, 10, None, done)
    assert [(one.unit, one.winner) for one in found.conflicts] == [(None, Winner.CRM)]


def test_row_10_what_is_private_in_the_crm_is_created_again_whole_and_kept_there_as_busy_time() -> None:
    private = item(privacy=Privacy.PRIVATE, notes="secret")
    assert is_(
        decide(pair(crm=private, remote=None), REMOTE),
        Action.RECREATE_REMOTE,
        10,
        redacted(private),
        private,
    )


def test_row_12_a_reminder_that_is_done_already_is_created_at_the_server() -> None:
    done = Item("t", Kind.TASK, (component(status=Status.DONE, completed=NOW),))
    assert is_(decide(new(done, None), REMOTE), Action.CREATE_REMOTE, 12, None, done)


def test_row_9_deleted_in_the_crm_and_changed_at_the_server_is_restored() -> None:
    found = decide(pair(crm=None, remote=AUDIT), REMOTE)
    assert is_(found, Action.RESTORE_CRM, 9, AUDIT, None)
    assert [(one.unit, one.crm, one.winner) for one in found.conflicts] == [(None, None, Winner.REMOTE)]


def test_row_9_an_answer_alone_does_not_bring_back_what_was_deleted() -> None:
    base = item(attendees=(Attendee(ANNA),))
    answered = item(attendees=(Attendee(ANNA, Response.DECLINED),))
    assert decide(Pair(base, base, None, answered), REMOTE).action is Action.DELETE_REMOTE


def test_row_10_changed_in_the_crm_and_deleted_at_the_server_is_created_again() -> None:
    found = decide(pair(crm=AUDIT, remote=None), REMOTE)
    assert is_(found, Action.RECREATE_REMOTE, 10, None, AUDIT)
    assert [(one.unit, one.remote, one.winner) for one in found.conflicts] == [(None, None, Winner.CRM)]


def test_row_11_deleted_on_both_sides_is_forgotten() -> None:
    assert is_(decide(pair(crm=None, remote=None), REMOTE), Action.DROP, 11, None, None)


def test_row_12_new_in_the_crm_is_created_at_the_server() -> None:
    assert is_(decide(new(BASE, None), REMOTE), Action.CREATE_REMOTE, 12, None, BASE)
    assert decide(new(item(status=Status.CANCELLED), None), REMOTE).action is Action.NOTHING


def test_row_13_new_at_the_server_is_created_in_the_crm() -> None:
    assert is_(decide(new(None, BASE), REMOTE), Action.CREATE_CRM, 13, BASE, None)
    assert decide(new(None, replace(BASE, companion=True)), REMOTE).action is Action.NOTHING


def test_row_13_what_both_have_is_linked_and_each_side_gets_what_it_lacks() -> None:
    found = decide(new(item(location="Lyon", subject=""), item(notes="")), REMOTE)
    whole = item(location="Lyon")
    assert is_(found, Action.RELINK, 13, whole, whole)
    assert not found.conflicts
    differing = decide(new(AUDIT, BASE), REMOTE)
    assert is_(differing, Action.RELINK, 13, BASE, None)
    assert told(differing) == [(Unit.SUBJECT, None, "Audit", "Visite", Winner.REMOTE)]


def test_row_13_a_cancelled_event_of_the_crm_does_not_cancel_what_the_server_has_again() -> None:
    found = decide(new(item(status=Status.CANCELLED), BASE), REMOTE)
    assert is_(found, Action.RELINK, 13, BASE, None)


def test_row_14_what_somebody_else_organizes_is_taken_and_never_written() -> None:
    assert is_(decide(new(None, BASE, role=Role.ATTENDEE), REMOTE), Action.CREATE_CRM, 14, BASE, None)
    found = decide(pair(crm=LYON, remote=AUDIT, role=Role.ATTENDEE), Rules(Winner.CRM))
    assert is_(found, Action.PULL, 14, AUDIT, None)
    assert told(found) == [(Unit.LOCATION, "", "Lyon", "", Winner.REMOTE)]
    assert decide(new(BASE, None, role=Role.ATTENDEE), REMOTE).action is Action.NOTHING


OVERRIDE = component(timing=Timing(at(15, 25), at(16, 25)), recurrence_id=at(10, 25), subject="Plus tard")
DAILY = {"timing": Timing(at(10), at(11), "FREQ=DAILY")}


def test_row_15_each_occurrence_of_a_series_merges_by_itself() -> None:
    base, other = item(**DAILY), replace(OVERRIDE, recurrence_id=at(10, 27))
    found = decide(Pair(base, base, item(OVERRIDE, **DAILY), item(other, **DAILY)), REMOTE)
    both = item(OVERRIDE, other, **DAILY)
    assert is_(found, Action.MERGE, 4, both, both)


def test_row_15_two_changes_of_one_occurrence_that_had_none_merge_field_by_field() -> None:
    same = component(timing=Timing(at(10, 25), at(11, 25)), recurrence_id=at(10, 25))
    base = item(**DAILY)
    crm, remote = item(replace(same, subject="Audit"), **DAILY), item(replace(same, location="Lyon"), **DAILY)
    found = decide(Pair(base, base, crm, remote), REMOTE)
    both = item(replace(same, subject="Audit", location="Lyon"), **DAILY)
    assert is_(found, Action.MERGE, 4, both, both)


def test_row_15_two_occurrences_cancelled_on_two_sides_are_both_cancelled() -> None:
    base = item(**DAILY)
    crm, remote = (item(timing=replace(base.main.timing, exdates=(at(10, day),))) for day in (25, 26))
    both = item(timing=replace(base.main.timing, exdates=(at(10, 25), at(10, 26))))
    assert is_(decide(Pair(base, base, crm, remote), REMOTE), Action.MERGE, 4, both, both)


@pytest.mark.parametrize("had_one", [False, True])
def test_row_15_an_occurrence_changed_on_one_side_and_cancelled_on_the_other_stays_changed(
    had_one: bool,
) -> None:
    before = replace(OVERRIDE, subject="Avant")
    base = item(*([before] if had_one else []), **DAILY)
    cancelled = item(timing=replace(base.main.timing, exdates=(at(10, 25),)))
    changed = item(OVERRIDE, **DAILY)
    found = decide(Pair(base, base, cancelled, changed), Rules(Winner.CRM))
    assert is_(found, Action.MERGE, 6, changed, None)
    assert [(one.key, one.unit, one.winner) for one in found.conflicts] == [
        (OVERRIDE.key, None, Winner.REMOTE)
    ]
    found = decide(Pair(base, base, changed, cancelled), REMOTE)
    assert is_(found, Action.MERGE, 6, None, changed)


def test_row_16_answers_at_the_server_are_always_adopted() -> None:
    base = item(attendees=(Attendee(ANNA),))
    answered = item(attendees=(Attendee(ANNA, Response.ACCEPTED),))
    for direction in Direction:
        found = decide(Pair(base, base, base, answered, direction=direction), Rules(Winner.CRM))
        assert is_(found, Action.PULL, 16, answered, None), direction


def test_row_19_our_own_write_that_comes_back_is_ignored() -> None:
    assert is_(decide(pair(version_changed=True), REMOTE), Action.ECHO, 19, None, None)


def test_a_server_that_rewrites_what_it_was_given_is_left_alone() -> None:
    rewritten = item(subject="VISITE", categories=frozenset({"Work"}))
    settled = Pair(BASE, rewritten, BASE, rewritten)
    assert is_(decide(settled, REMOTE), Action.NOTHING, 1, None, None)
    pushed = decide(replace(settled, crm=LYON), REMOTE)
    assert is_(
        pushed, Action.PUSH, 2, None, item(subject="VISITE", categories=frozenset({"Work"}), location="Lyon")
    )
