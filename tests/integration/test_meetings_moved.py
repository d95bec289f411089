"""Meetings that are moved, split, cancelled and told of after they were held; clocks that jump; what is no
meeting. On both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.activities import delete_activity
from store.actors import admin_at_machine
from store.audit_log import Channel
from tests.servers.console import console
from tests.servers.meeting_world import ANNE, MEETING, OVER, MeetingWorld, moment, video
from tests.servers.memory_world import CALENDAR


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url)
    made.begin()
    yield made
    made.close()


@pytest.mark.parametrize("reported", [True, False])
def test_a_series_moved_to_another_weekday_is_held_on_that_day_as_well(
    world: MeetingWorld, *, reported: bool
) -> None:
    world.held(video("s", "Hebdo", more="RRULE:FREQ=WEEKLY"), "s")
    world.settle()
    if reported:
        world.answer("Fait.")
        world.settle()
        world.later(minutes=1)
    world.follow_up(OVER + timedelta(days=1))
    world.change("claire", f"{CALENDAR}s.ics", lambda text: text.replace("20261123", "20261125"))
    world.settle()
    world.later(minutes=1)
    assert world.follow_up(OVER + timedelta(days=2, minutes=1)).recorded == 1
    assert world.activities("occurred_at") == [(moment(23),), (moment(25),)]
    assert world.follow_up(OVER + timedelta(days=9, minutes=1)).recorded == 1


def test_what_was_told_of_one_day_is_not_believed_of_another(world: MeetingWorld) -> None:
    world.held(video("m"))
    told = ("meeting", "report", "1", "--start", "2026-11-23 10:04", "--end", "10:51")
    assert console(world.config, *told, at=world.now).code == 0
    assert world.activities("duration_min") == [(47,)]
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("20261123", "20261126"))
    world.settle()
    world.later(minutes=1)
    world.follow_up(OVER + timedelta(days=3))
    assert world.activities("occurred_at, duration_min, duration_source") == [(moment(26), 60, "SCHEDULED")]


def cut_off(world: MeetingWorld) -> None:
    """As clients do for "this and all following": the old series ends before the meeting just held."""
    ends = "RRULE:FREQ=DAILY;UNTIL=20261122T235959Z"
    world.change("claire", f"{CALENDAR}old.ics", lambda text: text.replace("RRULE:FREQ=DAILY", ends))


def test_a_new_series_that_begins_with_the_meeting_just_held_does_not_record_it_again(
    world: MeetingWorld,
) -> None:
    world.held(video("old", "Hebdo", start="20261122T100000", more="RRULE:FREQ=DAILY"), "old")
    cut_off(world)
    world.put("claire", "new", video("new", "Hebdo", more="RRULE:FREQ=DAILY"))
    world.settle()
    assert world.later(minutes=1).recorded == 0
    assert world.follow_up(OVER + timedelta(days=1)).recorded == 1
    assert world.activities("occurred_at") == [(moment(22),), (moment(23),), (moment(24),)]


def test_two_events_that_say_the_same_are_two_meetings_though_one_is_recorded_already(
    world: MeetingWorld,
) -> None:
    world.held(video("one", "Visio"), "one")
    world.put("claire", "other", video("other", "Visio"))
    world.settle()
    assert world.later(minutes=1).recorded == 1
    assert world.activities() == [("Visio", "PENDING_REPORT")] * 2


@pytest.mark.parametrize("hours", [0, 1])
def test_each_of_three_that_say_the_same_keeps_its_record_when_one_is_changed(
    world: MeetingWorld, hours: int
) -> None:
    for name in ("one", "two", "three"):
        world.held(video(name, hours=hours), name)
        world.later(minutes=1)
    world.change("claire", f"{CALENDAR}two.ics", lambda text: text.replace("SUMMARY:Visio", "SUMMARY:Revue"))
    world.settle()
    assert world.later(minutes=1).recorded == 0
    assert [row[0] for row in world.activities()] == ["Visio", "Revue", "Visio"]
    world.servers["claire"].remove(f"{CALENDAR}two.ics")
    world.settle()
    assert not world.later(minutes=1).withdrawn
    assert len(world.activities()) == 3


def test_a_meeting_that_goes_on_under_another_uid_is_followed_there(world: MeetingWorld) -> None:
    world.held(video("old"))
    world.settle()
    world.servers["claire"].remove(f"{CALENDAR}m.ics")
    world.put("claire", "new", video("new"))
    world.settle()
    assert world.later(minutes=1).recorded == 0
    told = ("meeting", "report", "2", "--start", "2026-11-23 10:04", "--end", "10:51")
    assert console(world.config, *told, at=world.now).code == 0
    assert world.activities("event_id, duration_min") == [(2, 47)]
    world.put("claire", "new", video("new", "Revue"))
    world.settle()
    world.later(minutes=1)
    assert world.activities() == [("Revue", "PENDING_REPORT")]
    world.put("claire", "more", video("more", "Revue"))
    world.settle()
    assert world.later(minutes=1).recorded == 1


def test_a_series_that_is_split_while_it_is_looked_at_leaves_one_record_of_the_meeting(
    world: MeetingWorld,
) -> None:
    world.held(video("old", "Hebdo", start="20261122T100000", more="RRULE:FREQ=DAILY"), "old")
    world.put("claire", "new", video("new", "Hebdo", more="RRULE:FREQ=DAILY"))
    world.settle()
    assert world.later(minutes=1).recorded == 1  # the old one has not been cut off yet
    world.settle()
    assert world.text("claire").count("BEGIN:VTODO") == 3
    cut_off(world)
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    world.settle()
    assert world.activities("occurred_at") == [(moment(22),), (moment(23),)]
    assert world.text("claire").count("BEGIN:VTODO") == 2


def test_what_a_person_cancels_in_the_crm_after_it_was_held_is_withdrawn(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.desk("claire").cancel(1)
    assert world.later(minutes=1).withdrawn == 1
    world.settle()
    assert world.activities() == []
    assert "VTODO" not in world.text("claire")
    assert not world.later(minutes=1).wrote


def test_what_is_finished_is_an_answer_though_the_meeting_is_moved_in_the_same_cycle(
    world: MeetingWorld,
) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("Déjà écrit.")
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("20261123", "20261127"))
    world.settle()
    world.later(minutes=1)
    assert world.activities("state, comments") == [("VALIDATED", "Déjà écrit.")]


def test_a_form_that_is_offered_again_in_the_same_second_of_a_clock_that_was_put_back(
    world: MeetingWorld,
) -> None:
    world.held(video("m"))
    begun = world.now
    world.put("claire", "m", video("m", start="20261124T100000"))
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    world.put("claire", "m", video("m"))
    world.settle()
    assert world.follow_up(begun).offered == 1
    assert world.forms() == [("WITHDRAWN",), ("OFFERED",)]


def test_a_clock_that_jumps_a_year_ahead_and_back_leaves_nothing_of_it(world: MeetingWorld) -> None:
    world.held(video("s", "Hebdo", more="RRULE:FREQ=WEEKLY"), "s")
    world.settle()
    now = world.now
    world.follow_up(now + timedelta(days=365))
    assert len(world.activities()) > 1
    world.follow_up(now + timedelta(minutes=1))
    assert world.activities("occurred_at") == [(moment(23),)]
    world.settle()
    assert world.text("claire").count("BEGIN:VTODO") == 1
    assert world.follow_up(OVER + timedelta(days=7)).recorded == 1


@pytest.mark.parametrize("rule", ["FREQ=MINUTELY", "FREQ=SECONDLY", "FREQ=HOURLY"])
def test_an_invitation_to_something_of_every_minute_is_no_meeting(world: MeetingWorld, rule: str) -> None:
    source = video("s", "Spam", start=MEETING.replace("1123", "1120"), more=f"RRULE:{rule}")
    world.held(source.replace(b"T110000", b"T100030"), "s")
    assert world.activities() == []
    assert world.forms() == []


def test_the_colleague_is_asked_where_the_owner_has_left(world: MeetingWorld) -> None:
    world.add_user("marc", auto_schedule=False)
    source = video("m", more="ATTENDEE;PARTSTAT=ACCEPTED:mailto:marc@acme.example")
    world.put("claire", "m", source)
    world.put("marc", "m", source)
    world.settle()
    del world.users["claire"], world.servers["claire"]
    world.settle()
    world.follow_up(OVER)
    world.settle()
    assert world.activities("user_id") == [(2,)]
    assert "Compte rendu" in world.text("marc")


@pytest.mark.parametrize("direction", ["to-crm", "to-remote"])
def test_a_list_that_goes_one_way_gets_no_form_and_the_activity_waits(
    world: MeetingWorld, direction: str
) -> None:
    world.mailbox_keys["claire"] = f'direction = "{direction}"\n'
    world.put("claire", "m", video("m"))
    if direction == "to-remote":
        world.mailbox_keys["claire"] = ""
        world.settle()
        world.mailbox_keys["claire"] = f'direction = "{direction}"\n'
    world.settle()
    world.follow_up(OVER)
    world.settle()
    assert world.activities("state") == [("PENDING_REPORT",)]
    assert world.forms() == []
    assert "VTODO" not in world.text("claire")


def test_a_form_that_cannot_be_followed_up_stops_no_other(world: MeetingWorld) -> None:
    for name in ("a", "b"):
        world.put("claire", name, video(name, name))
    world.settle()
    world.follow_up(OVER)
    world.settle()
    finish = "STATUS:COMPLETED\nCOMPLETED:20261123T120000Z\nEND:VTODO"
    for ref, text in world.servers["claire"].sources().items():
        if b"VTODO" in text:
            world.change(
                "claire", ref,
                lambda task: task.replace("STATUS:NEEDS-ACTION\n", "").replace("END:VTODO", finish),
            )  # fmt: skip
    world.settle()
    with world.session() as session:
        delete_activity(session, 1, actor=admin_at_machine("root"), now=world.now, channel=Channel.CLI)
    report = world.later(minutes=1)
    assert (report.answered, report.withdrawn, report.failed) == (1, 1, 0)
    assert world.activities("subject, state") == [("b", "VALIDATED")]


def test_a_task_that_its_user_made_private_is_no_report(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    ref, _ = world.task()
    world.change("claire", ref, lambda text: text.replace("END:VTODO", "CLASS:PRIVATE\nEND:VTODO"))
    world.settle()
    world.answer("Perdu ?")
    world.settle()
    assert world.later(minutes=1).waived == 1
    assert world.activities("state, comments") == [("PENDING_REPORT", "")]


def test_forms_after_a_downtime_are_due_the_day_after_they_are_there(world: MeetingWorld) -> None:
    world.put("claire", "m", video("m"))
    world.settle()
    world.follow_up(datetime(2026, 11, 25, 3, tzinfo=UTC))
    assert [str(due)[:10] for (due,) in world.forms("due_on")] == ["2026-11-26"]
    assert world.follow_up(datetime(2026, 11, 25, 9, tzinfo=UTC)).reminded == 0
    assert ANNE in world.text("claire")
