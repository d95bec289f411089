"""The brake, the invitation firewall and the freeze."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.calendar import Attendee, Component, Item, Kind, Response, Status, Timing, When
from syncd.core.guards import (
    Cause,
    Limits,
    Mailing,
    Policy,
    brake,
    enough,
    everything_gone,
    firewall,
    oscillates,
)
from syncd.core.guards import Kind as Effect

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
CLAIRE, ANNA, BOB = "claire@acme.example", "anna@client.example", "bob@client.example"


def at(day: int, hour: int = 10) -> When:
    return When(datetime(2026, 11, day, hour), "Europe/Paris")  # noqa: DTZ001 - the zone stands beside it


# --- the brake ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("planned", "mapped", "stops"),
    [(9, 10, False), (10, 10, True), (10, 33, True), (10, 34, False), (300, 1000, False), (301, 1000, True)],
)
def test_the_brake_wants_both_the_number_and_the_share(planned: int, mapped: int, stops: bool) -> None:
    for kind in Effect:
        assert bool(brake({kind: planned}, mapped, Limits(10, 30))) is stops


@pytest.mark.parametrize("percent", [0, 0.5, 30, 100])
@pytest.mark.parametrize("mapped", [0, 1, 33, 34, 39, 40, 1000, 100_000])
def test_counting_no_further_than_is_enough_tells_the_brake_the_same(mapped: int, percent: float) -> None:
    limits = Limits(10, percent, {Effect.INVITATIONS: Limits(2, 20)})
    for planned in (
        {},
        {Effect.UPDATES: 9},
        {Effect.UPDATES: 10},
        {Effect.UPDATES: 12, Effect.INVITATIONS: 8},
    ):
        most = enough(planned, limits)
        counted = mapped if most is None else min(mapped, most)
        assert brake(planned, counted, limits) == brake(planned, mapped, limits)


def test_each_kind_has_limits_of_its_own() -> None:
    limits = Limits(10, 30, {Effect.INVITATIONS: Limits(2, 0)})
    found = brake({Effect.INVITATIONS: 2, Effect.DELETIONS: 2}, 100, limits)
    assert [(one.kind, one.planned, one.mapped) for one in found] == [(Effect.INVITATIONS, 2, 100)]


def test_a_first_sync_may_fill_the_crm_but_neither_a_calendar_nor_letter_boxes() -> None:
    planned = dict.fromkeys(Effect, 5000)
    found = brake(planned, 0, Limits(), first_sync=True)
    assert Effect.CREATIONS_CRM not in {one.kind for one in found}
    assert {Effect.CREATIONS, Effect.INVITATIONS} <= {one.kind for one in found}
    assert Effect.CREATIONS_CRM in {one.kind for one in brake(planned, 100, Limits())}, "thread 16679"


@pytest.mark.parametrize(
    ("gone", "mapped", "stops"), [(2, 2, True), (1, 1, False), (1, 2, False), (0, 0, False)]
)
def test_a_calendar_that_is_empty_all_at_once_stops_whatever_the_number(
    gone: int, mapped: int, stops: bool
) -> None:
    assert (everything_gone(gone, mapped) is not None) is stops


# --- the firewall ---------------------------------------------------------------------------------


def meeting(**values: object) -> Item:
    whole = Component(
        Timing(at(24), at(24, 11)),
        organizer=CLAIRE,
        attendees=(Attendee(ANNA), Attendee(CLAIRE)),
        subject="Visite",
    )
    return Item("u", Kind.EVENT, (replace(whole, **values),))  # type: ignore[arg-type]


def ask(before: Item | None, after: Item | None, **values: object) -> Mailing:
    asked: dict[str, object] = {
        "cause": Cause.PERSON_EDIT, "policy": Policy.SEND, "auto_schedule": True, "before": before,
        "after": after, "own": frozenset({CLAIRE}), "now": NOW, "floating": PARIS,
    }  # fmt: skip
    return firewall(**(asked | values))  # type: ignore[arg-type]


def test_guests_are_told_of_a_change_that_a_person_made() -> None:
    found = ask(meeting(), meeting(subject="Audit"))
    assert (found.notify, found.recipients) == (True, (ANNA,))
    assert ask(None, meeting()).recipients == (ANNA,)
    assert ask(meeting(), None).recipients == (ANNA,)


def test_those_who_are_taken_off_are_told_too() -> None:
    assert ask(meeting(), meeting(attendees=(Attendee(BOB),))).recipients == (ANNA, BOB)


@pytest.mark.parametrize("cause", [one for one in Cause if one not in {Cause.PERSON_EDIT, Cause.MERGE}])
def test_nobody_is_mailed_for_what_no_person_did(cause: Cause) -> None:
    for before, after in ((meeting(), meeting(subject="Audit")), (None, meeting()), (meeting(), None)):
        assert ask(before, after, cause=cause) == replace(
            ask(before, after, cause=cause), notify=False, recipients=()
        )


def test_nobody_is_mailed_by_a_mailbox_that_never_sends_nor_by_a_server_that_cannot() -> None:
    assert not ask(meeting(), None, policy=Policy.NEVER).notify
    assert not ask(meeting(), None, auto_schedule=False).notify


def test_nobody_is_mailed_for_what_somebody_else_organizes() -> None:
    assert not ask(meeting(organizer=BOB), meeting(organizer=BOB, subject="Audit")).notify
    assert not ask(meeting(organizer=""), None).notify


@pytest.mark.parametrize(
    "change",
    [
        {"alarms": frozenset({"-PT5M"})}, {"categories": frozenset({"Visite"})}, {"busy": False},
        {"attendees": (Attendee(ANNA, Response.ACCEPTED), Attendee(CLAIRE))},
    ],
)  # fmt: skip
def test_nobody_is_mailed_for_what_does_not_concern_guests(change: dict[str, object]) -> None:
    assert not ask(meeting(), meeting(**change)).notify


@pytest.mark.parametrize(
    "change",
    [
        {"timing": Timing(at(25), at(25, 11))}, {"location": "Lyon"}, {"notes": "x"}, {"subject": "y"},
        {"status": Status.CANCELLED}, {"attendees": ()}, {"video_url": "https://meet.example/1"},
    ],
)  # fmt: skip
def test_guests_are_told_of_whatever_concerns_them(change: dict[str, object]) -> None:
    assert ask(meeting(), meeting(**change)).notify


def test_nobody_is_mailed_for_what_is_over() -> None:
    past = {"timing": Timing(at(20), at(20, 11))}
    assert not ask(meeting(**past), meeting(**past, subject="Audit")).notify
    assert not ask(meeting(**past), None).notify
    assert ask(meeting(**past), meeting()).notify, "moved to where it is not over"


def test_a_series_is_over_with_its_last_occurrence_and_a_past_one_of_it_concerns_nobody() -> None:
    running = {"timing": Timing(at(2), at(2, 11), "FREQ=WEEKLY;COUNT=9")}
    over = {"timing": Timing(at(2), at(2, 11), "FREQ=WEEKLY;COUNT=2")}
    assert ask(meeting(**running), meeting(**running, subject="Audit")).notify
    assert not ask(meeting(**over), meeting(**over, subject="Audit")).notify
    series = meeting(**running)
    for day, told in ((9, False), (30, True)):
        changed = replace(series.main, timing=Timing(at(day, 14), at(day, 15)), recurrence_id=at(day))
        after = replace(series, components=(series.main, changed))
        assert ask(series, after).notify is told


def test_a_cancelled_meeting_that_nobody_knew_of_is_told_to_nobody() -> None:
    assert not ask(None, meeting(status=Status.CANCELLED)).notify


def test_nobody_is_mailed_where_nobody_else_takes_part() -> None:
    alone = meeting(attendees=(Attendee(CLAIRE),))
    assert not ask(alone, None).notify


# --- to and fro -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "frozen"),
    [("ababab", True), ("xyababab", True), ("bababa", True), ("abab", False), ("aaaaaa", False),
     ("abcabc", False), ("ababac", False), ("", False)],
)  # fmt: skip
def test_an_item_that_goes_to_and_fro_three_times_is_frozen(history: str, frozen: bool) -> None:
    assert oscillates(list(history)) is frozen


def test_a_moment_ago_is_over_and_in_a_moment_is_not() -> None:
    end = meeting().main.timing.end
    assert end is not None
    moment = end.instant(PARIS)
    assert not ask(meeting(), None, now=moment).notify
    assert ask(meeting(), None, now=moment - timedelta(seconds=1)).notify
