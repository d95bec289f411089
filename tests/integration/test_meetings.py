"""Ended video meetings become activities with their form (table T8), on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.activities import delete_activity
from store.actors import admin_at_machine
from store.audit_log import Channel
from tests.servers.calendar_world import event
from tests.servers.console import console
from tests.servers.meeting_world import (
    ANNE,
    LINK,
    MEETING,
    OVER,
    MeetingWorld,
    moment,
    together,
    video,
    whole_day,
)
from tests.servers.memory_world import CALENDAR

CLAIRE = "ORGANIZER:mailto:claire@acme.example"
TYPED = "CATEGORIES:Visioconférence"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url)
    made.begin()
    yield made
    made.close()


def test_a_meeting_that_is_over_becomes_an_activity_once_with_a_form_in_its_owner_s_list(
    world: MeetingWorld,
) -> None:
    world.put("claire", "m", video("m@client.example"))
    world.settle()
    assert world.follow_up(OVER - timedelta(seconds=61)).recorded == 0
    assert world.follow_up(OVER).recorded == 1
    for _ in range(3):
        assert not world.later(minutes=1).wrote

    columns = "type, state, account_id, duration_min, duration_source, automatic, comments"
    assert [tuple(map(str, row[:2])) + row[2:5] for row in world.activities(columns)] == [
        ("VIDEO_CALL", "PENDING_REPORT", world.account, 60, "SCHEDULED")
    ]
    assert world.rows("SELECT contact_id FROM activity_contact") == [(world.contact,)]
    world.settle()
    _, task = world.task()
    assert "SUMMARY:Compte rendu : Visio" in task
    assert "DUE;VALUE=DATE:20261124" in task
    assert "Client SA" in task


@pytest.mark.parametrize(
    ("source", "recorded"),
    [
        (video("m"), True),
        (video("m", more="STATUS:TENTATIVE"), True),
        (video("m", more="STATUS:CANCELLED"), False),
        (event("m", "Sans lien", MEETING, more=[f"ATTENDEE:mailto:{ANNE}", CLAIRE]), False),
        (event("m", "Seul", MEETING, more=[f"CONFERENCE;VALUE=URI:{LINK}"]), False),
        (video("m", more="CLASS:PRIVATE"), False),
        (video("m", more="CLASS:CONFIDENTIAL"), False),
        (
            event("m", "Par type", MEETING, more=[f"ATTENDEE:mailto:{ANNE}", CLAIRE, "CATEGORIES:Visio"]),
            False,
        ),
        (
            event("m", "Par type", MEETING, more=[f"ATTENDEE:mailto:{ANNE}", CLAIRE, TYPED]),
            True,
        ),
        (whole_day("m"), False),
    ],
)
def test_which_meetings_are_recorded(world: MeetingWorld, source: bytes, *, recorded: bool) -> None:
    world.held(source)
    assert len(world.activities()) == recorded
    assert len(world.forms()) == recorded


def test_what_the_owner_declined_is_not_recorded(world: MeetingWorld) -> None:
    people = f"ORGANIZER:mailto:{ANNE}\nATTENDEE;PARTSTAT=DECLINED:mailto:claire@acme.example"
    lines = [f"CONFERENCE;VALUE=URI:{LINK}", *people.split("\n"), f"ATTENDEE:mailto:{ANNE}"]
    world.held(event("m", "Refusée", MEETING, more=lines))
    assert world.activities() == []


def test_what_concerns_nobody_is_recorded_where_the_config_says_so(world: MeetingWorld) -> None:
    world.more = "[video]\nrecord_unlinked = true\n"
    world.held(event("m", "Seul", MEETING, more=[f"CONFERENCE;VALUE=URI:{LINK}"]))
    assert world.activities("subject, account_id") == [("Seul", None)]


def test_a_meeting_of_long_ago_is_recorded_without_a_form(world: MeetingWorld) -> None:
    world.put("claire", "m", video("m", start="20261118T100000"))
    world.settle()
    world.follow_up()
    assert world.activities("state") == [("PENDING_REPORT",)]
    assert world.forms() == []


def test_a_service_that_was_down_for_two_days_offers_the_forms_then(world: MeetingWorld) -> None:
    world.put("claire", "m", video("m"))
    world.settle()
    world.restart()
    world.follow_up(OVER + timedelta(days=2))
    assert world.forms() == [("OFFERED",)]


def test_each_occurrence_of_a_series_is_recorded_once_with_what_changed_in_it(world: MeetingWorld) -> None:
    changed = MEETING.replace("1123", "1125")
    override = video("s", "Autre sujet", changed, 2, f"RECURRENCE-ID;TZID=Europe/Paris:{changed}")
    lines = f"RRULE:FREQ=DAILY;COUNT=5\nEXDATE;TZID=Europe/Paris:{MEETING.replace('1123', '1124')}"
    world.put("claire", "s", together(video("s", "Tous les jours", more=lines), override))
    world.settle()
    for day in range(8):
        world.follow_up(OVER + timedelta(days=day))
        world.later(hours=2)
    assert world.activities("subject, duration_min, occurred_at") == [
        ("Tous les jours", 60, moment(23)),
        ("Autre sujet", 120, moment(25)),
        ("Tous les jours", 60, moment(26)),
        ("Tous les jours", 60, moment(27)),
    ]
    assert len(world.forms()) == 4


def test_a_pending_record_follows_its_event_until_it_is_validated(world: MeetingWorld) -> None:
    world.held(video("m"))
    ref = f"{CALENDAR}m.ics"
    world.change("claire", ref, lambda text: text.replace("SUMMARY:Visio", "SUMMARY:Revue"))
    world.change("claire", ref, lambda text: text.replace("T110000", "T104500"))
    world.settle()
    assert world.later(minutes=1).changed == 1
    assert world.activities("subject, duration_min") == [("Revue", 45)]
    world.answer("Fait.")
    world.settle()
    world.later(minutes=1)
    world.change("claire", ref, lambda text: text.replace("SUMMARY:Revue", "SUMMARY:Encore"))
    world.settle()
    assert not world.later(minutes=1).wrote
    assert world.activities("subject, state") == [("Revue", "VALIDATED")]


def test_a_meeting_that_is_moved_to_a_time_to_come_is_withdrawn_and_recorded_then(
    world: MeetingWorld,
) -> None:
    world.held(video("m"))
    world.settle()
    world.task()
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("20261123", "20261127"))
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    world.settle()
    assert world.activities() == []
    assert "VTODO" not in world.text("claire")
    assert world.follow_up(OVER + timedelta(days=4)).recorded == 1
    assert world.activities("occurred_at, state") == [(moment(27), "PENDING_REPORT")]
    assert world.forms() == [("WITHDRAWN",), ("OFFERED",)]


def test_what_was_validated_stays_where_the_meeting_is_moved(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("Fait.")
    world.settle()
    world.later(minutes=1)
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("20261123", "20261127"))
    world.settle()
    world.later(minutes=1)
    world.follow_up(OVER + timedelta(days=5))
    assert world.activities("occurred_at, state") == [(moment(23), "VALIDATED")]


def test_a_meeting_that_is_deleted_after_it_was_held_keeps_its_record(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.servers["claire"].remove(f"{CALENDAR}m.ics")
    world.settle()
    world.later(minutes=1)
    assert world.activities("state") == [("PENDING_REPORT",)]


def test_a_meeting_that_is_cancelled_afterwards_loses_its_record_as_long_as_nobody_validated_it(
    world: MeetingWorld,
) -> None:
    world.held(video("m"))
    world.settle()
    cancel = "STATUS:CANCELLED\nEND:VEVENT"
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("END:VEVENT", cancel))
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    assert world.activities() == []


def test_a_series_that_is_moved_as_a_whole_is_not_recorded_twice(world: MeetingWorld) -> None:
    world.put("claire", "s", video("s", "Tous les jours", more="RRULE:FREQ=DAILY;COUNT=6"))
    world.settle()
    for day in range(3):
        world.follow_up(OVER + timedelta(days=day))
    world.change(
        "claire",
        f"{CALENDAR}s.ics",
        lambda text: text.replace("T100000", "T140000").replace("T110000", "T150000"),
    )
    world.settle()
    world.follow_up(OVER + timedelta(days=2, hours=1))  # the third one is held again, later that day
    assert len(world.activities()) == 2
    for day in range(2, 8):
        world.follow_up(OVER + timedelta(days=day, hours=4))
    assert world.activities("occurred_at") == [(moment(day, 13),) for day in (23, 24, 25, 26, 27, 28)]


def test_an_event_that_begins_to_recur_after_it_was_held_is_not_recorded_twice(world: MeetingWorld) -> None:
    world.held(video("m"))
    weekly = "RRULE:FREQ=WEEKLY\nEND:VEVENT"
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("END:VEVENT", weekly))
    world.settle()
    world.later(minutes=1)
    assert len(world.activities()) == 1
    world.follow_up(OVER + timedelta(days=7))
    assert len(world.activities()) == 2
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("RRULE:FREQ=WEEKLY\n", ""))
    world.settle()
    world.later(minutes=1)
    assert len(world.activities()) == 2


def test_an_occurrence_that_is_taken_out_afterwards_gives_its_record_to_no_other(world: MeetingWorld) -> None:
    world.put("claire", "s", video("s", "Tous les jours", more="RRULE:FREQ=DAILY;COUNT=3"))
    world.settle()
    world.follow_up(OVER)
    gone = f"EXDATE;TZID=Europe/Paris:{MEETING}\nEND:VEVENT"
    world.change("claire", f"{CALENDAR}s.ics", lambda text: text.replace("END:VEVENT", gone))
    world.settle()
    world.follow_up(OVER + timedelta(days=1))
    assert world.activities("occurred_at") == [(moment(23),), (moment(24),)]


def test_an_hour_that_the_clocks_skip_or_repeat_counts_as_it_passes(world: MeetingWorld) -> None:
    world.now = datetime(2026, 10, 24, 12, tzinfo=UTC)
    world.put(
        "claire", "m", video("m", "De nuit", "20261025T013000", 2)
    )  # until 03:30, after 03:00 became 02:00
    world.settle()
    world.follow_up(datetime(2026, 10, 25, 2, 36, tzinfo=UTC))
    assert world.activities("duration_min") == [(180,)]


def test_a_clock_that_is_put_back_takes_nothing_back(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.follow_up(OVER - timedelta(hours=6))
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("SUMMARY:Visio", "SUMMARY:Revue"))
    world.now -= timedelta(hours=1)
    world.settle()
    world.later(minutes=1)
    assert world.activities("subject, state") == [("Revue", "PENDING_REPORT")]
    assert world.forms() == [("OFFERED",)]
    world.follow_up(OVER + timedelta(days=300))
    assert len(world.activities()) == 1


def test_a_meeting_of_several_users_is_one_activity_with_the_form_for_its_owner(world: MeetingWorld) -> None:
    world.add_user("marc", auto_schedule=False)
    source = video("m", more="ATTENDEE;PARTSTAT=ACCEPTED:mailto:marc@acme.example")
    world.put("claire", "m", source)
    world.put("marc", "m", source)
    world.settle()
    world.follow_up(OVER)
    world.settle()
    assert world.activities("subject, user_id") == [("Visio", 1)]
    assert world.rows('SELECT u.login FROM activity_user a JOIN "user" u ON u.id = a.user_id') == [("marc",)]
    assert "VTODO" in world.text("claire")
    assert "VTODO" not in world.text("marc")


def test_an_activity_that_a_person_deleted_does_not_come_back(world: MeetingWorld) -> None:
    world.held(video("m"))
    with world.session() as session:
        delete_activity(session, 1, actor=admin_at_machine("root"), now=world.now, channel=Channel.CLI)
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("SUMMARY:Visio", "SUMMARY:Revue"))
    world.settle()
    world.later(minutes=1)
    assert world.activities() == []


def test_a_meeting_that_is_put_off_and_held_on_site_loses_its_record(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()

    def on_site(text: str) -> str:
        return text.replace("20261123", "20261201").replace(f"CONFERENCE;VALUE=URI:{LINK}\n", "")

    world.change("claire", f"{CALENDAR}m.ics", on_site)
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    assert world.activities() == []
    assert world.follow_up(datetime(2026, 12, 2, tzinfo=UTC)).recorded == 0


def test_a_link_that_is_taken_out_after_the_meeting_takes_nothing_back(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.change(
        "claire", f"{CALENDAR}m.ics", lambda text: text.replace(f"CONFERENCE;VALUE=URI:{LINK}\n", "")
    )
    world.settle()
    assert world.later(minutes=1).withdrawn == 0
    assert world.activities("state") == [("PENDING_REPORT",)]


def test_of_a_meeting_that_becomes_private_nothing_is_kept_that_nobody_reported_on(
    world: MeetingWorld,
) -> None:
    world.held(video("m", "Secret de la fusion"))
    world.settle()
    private = "CLASS:PRIVATE\nEND:VEVENT"
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("END:VEVENT", private))
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    world.settle()
    for table in ("activity", "task", "meeting_report", "activity_contact", "event"):
        assert "fusion" not in str(world.rows(f"SELECT * FROM {table}"))
    assert world.rows("SELECT * FROM activity_contact") == []
    world.change("claire", f"{CALENDAR}m.ics", lambda text: text.replace("CLASS:PRIVATE\n", ""))
    world.settle()
    world.later(minutes=1)
    assert world.activities("subject, account_id") == [("Secret de la fusion", world.account)]


def test_a_contact_that_is_made_after_the_meeting_lets_it_be_recorded(world: MeetingWorld) -> None:
    world.held(video("m").replace(ANNE.encode(), b"luc@client.example"))
    assert world.activities() == []
    made = ("contact", "from-email", "luc@client.example", "--event", "1", "--account", "Client SA")
    assert console(world.config, *made, at=world.now).code == 0
    assert world.later(minutes=1).recorded == 1
