"""Attendance reports that are dropped into a folder: put to their meetings, kept as evidence, on both
databases."""

import io
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from store import attendance_rows
from syncd.daemon import logs
from syncd.engine.meetings import dropping
from syncd.engine.meetings.attending import Attending
from syncd.engine.meetings.dropping import Enough
from tests.reports import ZOOM, teams, utf16
from tests.servers.calendar_world import event
from tests.servers.meeting_world import ANNE, LINK, MEETING, OVER, MeetingWorld, video
from tests.servers.memory_world import CALENDAR

TITLE = "Visio"
FOLDER = "attendance"
BOB = ("11/23/26, 10:04:00 AM", "11/23/26, 10:30:00 AM", "11/23/26, 10:36:00 AM", "11/23/26, 10:50:00 AM")


def report(title: str = TITLE, *, guest: str = "Bob Martin", **more: object) -> bytes:
    """Claire from 10:02 to 10:51, a guest from 10:04 to 10:50."""
    times = {"start": "11/23/26, 10:02:00 AM", "end": "11/23/26, 10:51:00 AM", "bob": BOB} | more
    lines = teams("en", title=title, **times)  # type: ignore[arg-type]  # strings, as it wants them
    return utf16(*(line.replace("Bob Martin", guest) for line in lines))


def alone() -> bytes:
    """Claire waited, and nobody came."""
    return utf16(*(line for line in teams("en", title=TITLE, start="11/23/26, 10:02:00 AM",
                                          end="11/23/26, 10:20:00 AM") if "Bob" not in line))  # fmt: skip


def held(world: MeetingWorld) -> list[bool | None]:
    """Whether the meeting took place, by each of its reports."""
    with world.session() as session:
        return [roll.held for roll in attendance_rows.rolls(session, "m@client.example")]


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url, more=f'[video]\nattendance = "{FOLDER}"\n')
    made.begin()
    made.put("claire", "m", video("m@client.example"))
    made.settle()
    (made.folder / FOLDER).mkdir()
    yield made
    made.close()


def test_a_report_gives_the_activity_the_time_that_two_people_were_there(world: MeetingWorld) -> None:
    world.follow_up(OVER)
    world.drop(FOLDER, "présence.csv", report())
    assert world.take_in().taken == 1
    columns = "duration_min, duration_source, occurred_at, state"
    at = datetime(2026, 11, 23, 9, 4, tzinfo=UTC)
    assert world.activities(columns) == [(46, "ACTUAL", at, "PENDING_REPORT")]
    assert world.lying(FOLDER) == ["done/présence.csv"]
    assert not world.later(minutes=1).wrote
    assert world.rows("SELECT grade FROM meeting_evidence") == [("ATTENDANCE",)]


def test_a_report_that_comes_before_the_activity_is_made_counts_when_it_is(world: MeetingWorld) -> None:
    world.drop(FOLDER, "a.csv", report())
    assert world.take_in(OVER - timedelta(minutes=5)).taken == 1
    world.follow_up(OVER)
    assert world.activities("duration_min, duration_source") == [(46, "ACTUAL")]


def test_the_same_report_twice_and_one_more_of_the_same_meeting_are_counted_together(
    world: MeetingWorld,
) -> None:
    world.follow_up(OVER)
    world.drop(FOLDER, "a.csv", report())
    world.drop(FOLDER, "b.csv", report())
    again = (
        "11/23/26, 10:56:00 AM",
        "11/23/26, 10:57:00 AM",
        "11/23/26, 10:57:30 AM",
        "11/23/26, 10:59:00 AM",
    )
    more = report(start="11/23/26, 10:55:00 AM", end="11/23/26, 11:00:00 AM", bob=again)
    world.drop(FOLDER, "c.csv", more)
    assert world.take_in().taken == 3
    assert world.one("SELECT count(*) FROM meeting_evidence") == 2
    assert world.activities("duration_min") == [(55,)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (report("Autre", start="11/23/26, 6:02:00 AM", end="11/23/26, 6:51:00 AM",
                bob=tuple(one.replace(" 10:", " 6:") for one in BOB)), "no meeting was planned at that time"),
        (report("Autre", guest="Personne"), "neither their titles nor their people fit"),
        (report(start="11/27/26, 10:02:00 AM", end="11/27/26, 10:51:00 AM",
                bob=tuple(one.replace("/23/", "/27/") for one in BOB)), "still to come"),
        (b"Name,Age\nAnne,41\n", "is no attendance report that is known"),
        (b"", "is empty"),
        (b"\x00\xff" * 5000, "mauvais.csv: "),
        (b"%PDF-1.7\n" + bytes(range(256)) * 40, "mauvais.csv: "),
        (report()[:-301], "mauvais.csv: "),
    ],
)  # fmt: skip
def test_what_is_put_to_no_meeting_goes_to_failed_with_the_reason(
    world: MeetingWorld, content: bytes, says: str
) -> None:
    world.follow_up(OVER)
    world.drop(FOLDER, "mauvais.csv", content)
    world.drop(FOLDER, "z.csv", report())
    done = world.take_in()
    assert (done.taken, done.refused) == (1, 1)
    assert says in world.reason(FOLDER, "mauvais.csv")
    assert world.lying(FOLDER) == ["done/z.csv", "failed/mauvais.csv", "failed/mauvais.csv.txt"]
    assert world.activities("duration_min") == [(46,)]
    assert not world.take_in().wrote


def test_two_meetings_that_fit_are_named_and_neither_gets_the_report(world: MeetingWorld) -> None:
    world.put("claire", "n", video("n@client.example"))
    world.settle()
    world.follow_up(OVER)
    world.drop(FOLDER, "a.csv", report())
    assert world.take_in().refused == 1
    why = world.reason(FOLDER, "a.csv")
    assert "several meetings fit: event 1 on 2026-11-23 10:00, event 2 on 2026-11-23 10:00" in why
    assert world.activities("duration_source") == [("SCHEDULED",), ("SCHEDULED",)]


def test_a_date_that_is_a_meeting_s_either_way_is_left_to_a_person_unless_one_is_still_to_come(
    world: MeetingWorld,
) -> None:
    for name, day in (("november", "20261112"), ("december", "20261211")):
        world.put("claire", name, video(f"{name}@client.example", "Point", f"{day}T100000"))
    world.settle()
    times = tuple(one.replace("11/23/26", "11/12/26").removesuffix(" AM") for one in BOB)
    content = report("Point", start="11/12/26, 10:02:00", end="11/12/26, 10:51:00", bob=times)
    world.drop(FOLDER, "late.csv", content)
    assert world.take_in(datetime(2026, 12, 12, tzinfo=UTC)).refused == 1
    assert "day and month can be read in two ways" in world.reason(FOLDER, "late.csv")
    world.drop(FOLDER, "early.csv", content)
    assert world.take_in(OVER).taken == 1
    assert world.rows("SELECT uid FROM meeting_evidence") == [("november@client.example",)]


def test_a_private_meeting_and_one_of_strangers_take_no_attendance(world: MeetingWorld) -> None:
    world.put("claire", "p", video("p", "Privé", "20261123T140000", more="CLASS:PRIVATE"))
    stranger = [f"CONFERENCE;VALUE=URI:{LINK}", "ATTENDEE:mailto:x@far.example"]
    world.put("claire", "s", event("s", "Externe", "20261123T160000", more=stranger))
    world.settle()
    made = world.desk("claire").add("Privé", "2026-11-23T14:00", video_url=LINK, participants=(ANNE,))
    world.desk("claire").edit(made, privacy="private")
    for name, title, hour in (("p.csv", "Privé", "2"), ("s.csv", "Externe", "4")):
        bob = tuple(one.replace(" 10:", f" {hour}:").replace("AM", "PM") for one in BOB)
        start, end = f"11/23/26, {hour}:02:00 PM", f"11/23/26, {hour}:51:00 PM"
        world.drop(FOLDER, name, report(title, start=start, end=end, bob=bob))
    assert world.take_in(OVER + timedelta(hours=8)).refused == 2
    assert "no meeting was planned at that time" in world.reason(FOLDER, "p.csv")
    assert "concerns no account, contact or opportunity" in world.reason(FOLDER, "s.csv")
    assert world.rows("SELECT id FROM meeting_evidence") == []


def test_where_nobody_was_there_together_the_activity_stays_as_planned_and_is_told_as_not_held(
    world: MeetingWorld,
) -> None:
    world.follow_up(OVER)
    world.drop(FOLDER, "a.csv", alone())
    assert world.take_in().taken == 1
    assert world.activities("duration_min, duration_source, state") == [(60, "SCHEDULED", "PENDING_REPORT")]
    assert held(world) == [False]


def test_an_end_that_the_report_does_not_know_says_nothing_of_the_duration(world: MeetingWorld) -> None:
    world.follow_up(OVER)
    lines = ["Full Name\tUser Action\tTimestamp", "Claire\tJoined before\t11/23/2026, 10:02:00 AM",
             "Anne Martin\tJoined\t11/23/2026, 10:04:00 AM"]  # fmt: skip
    world.drop(FOLDER, "a.csv", utf16(*lines))
    world.take_in()
    assert world.rows("SELECT ended_at FROM meeting_evidence") == [(None,)]
    assert world.activities("duration_min, duration_source") == [(60, "SCHEDULED")]


def test_a_zoom_report_finds_its_meeting_by_the_number_in_the_link(world: MeetingWorld) -> None:
    source = event("z", "Titre changé", "20261122T140000", more=[
        "CONFERENCE;VALUE=URI:https://us02web.zoom.us/j/81234567890?pwd=x", f"ATTENDEE:mailto:{ANNE}",
        "ORGANIZER:mailto:claire@acme.example"])  # fmt: skip
    world.put("claire", "z", source)
    world.settle()
    world.follow_up(OVER)
    world.drop(FOLDER, "zoom.csv", ZOOM)
    assert world.take_in().taken == 1
    assert ("Titre changé", 55, "ACTUAL") in world.activities("subject, duration_min, duration_source")


def test_a_meeting_that_was_deleted_after_it_was_held_takes_its_report(world: MeetingWorld) -> None:
    world.follow_up(OVER)
    world.settle()
    world.servers["claire"].remove(f"{CALENDAR}m.ics")
    world.settle()
    world.drop(FOLDER, "a.csv", report())
    assert world.take_in().taken == 1
    assert world.activities("duration_min") == [(46,)]


def test_each_occurrence_of_a_series_takes_its_own_report(world: MeetingWorld) -> None:
    world.put("claire", "s", video("s", "Suivi", MEETING.replace("T10", "T15"), more="RRULE:FREQ=DAILY"))
    world.settle()
    for day in (23, 24):
        bob = tuple(one.replace("/23/", f"/{day}/").replace(" 10:", " 3:").replace("AM", "PM") for one in BOB)
        start, end = f"11/{day}/26, 3:02:00 PM", f"11/{day}/26, 3:5{day - 22}:00 PM"
        world.drop(FOLDER, f"{day}.csv", report("Suivi", start=start, end=end, bob=bob))
    world.follow_up(OVER + timedelta(days=1, hours=8))
    assert world.take_in().taken == 2
    found = world.activities("subject, duration_source")
    assert found.count(("Suivi", "ACTUAL")) == 2
    assert len(world.rows("SELECT DISTINCT recurrence_key FROM meeting_evidence")) == 2


def test_a_defect_that_one_file_meets_keeps_no_other_from_being_taken(
    world: MeetingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Attending.take

    def broken(taker: Attending, content: bytes, file: str, now: datetime, enough: Enough) -> str:
        return fail() if file == "a.csv" else real(taker, content, file, now, enough)

    def fail() -> NoReturn:
        raise ZeroDivisionError

    monkeypatch.setattr(Attending, "take", broken)
    world.follow_up(OVER)
    world.drop(FOLDER, "a.csv", report("x"))
    world.drop(FOLDER, "b.csv", report())
    done = world.take_in()
    assert (done.taken, done.refused) == (1, 1)
    assert "a defect of syncd" in world.reason(FOLDER, "a.csv")


def test_a_folder_that_is_not_there_stops_nothing_and_is_taken_up_when_it_comes(world: MeetingWorld) -> None:
    (world.folder / FOLDER).rmdir()
    world.follow_up(OVER)
    assert not world.take_in().wrote
    world.drop(FOLDER, "a.csv", report())
    assert world.take_in().taken == 1


def test_the_log_tells_neither_titles_nor_people_nor_names_of_files(
    world: MeetingWorld,
) -> None:
    world.follow_up(OVER)
    out = io.StringIO()
    logs.configure("debug", "json", out)
    world.drop(FOLDER, "Visio avec Bob.csv", report())
    world.drop(FOLDER, "Autre avec Bob.csv", report("Autre", guest="Personne"))
    world.drop(FOLDER, "x.csv", b"Zorro,was,here\n1,2,3\n")
    assert world.take_in().refused == 2
    said = out.getvalue()
    assert said.count('"action": "attendance"') == 3, said
    assert not [word for word in ("Visio", "Bob", "Autre", "Personne", "Zorro", "Claire") if word in said]


def test_a_file_that_takes_the_name_of_one_that_is_being_taken_is_taken_in_its_turn(
    world: MeetingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Attending.take
    later = report(end="11/23/26, 10:52:00 AM")

    def meanwhile(taker: Attending, content: bytes, file: str, now: datetime, enough: Enough) -> str:
        if content != later:
            (world.folder / FOLDER / file).unlink()
            world.drop(FOLDER, file, later)
        return real(taker, content, file, now, enough)

    monkeypatch.setattr(Attending, "take", meanwhile)
    world.follow_up(OVER)
    world.drop(FOLDER, "a.csv", report())
    world.take_in()
    assert world.lying(FOLDER) == ["a.csv"]
    assert world.take_in().taken == 1
    assert world.one("SELECT count(*) FROM meeting_evidence") == 2


def test_a_heap_of_files_is_taken_in_over_several_looks(
    world: MeetingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "BUDGET", -1.0)  # a folder's time is over after its first file
    world.follow_up(OVER)
    for number in range(3):
        world.drop(FOLDER, f"{number}.csv", report(end=f"11/23/26, 10:51:{number:02} AM"))
    found = [world.take_in() for _ in range(4)]
    assert [(one.taken, one.left) for one in found] == [(1, 2), (1, 1), (1, 0), (0, 0)]


def test_what_grows_or_is_no_file_is_left_where_it_is(world: MeetingWorld) -> None:
    world.follow_up(OVER)
    looking = world.open().dropping
    growing = world.drop(FOLDER, "a.csv", report()[:900])
    (world.folder / FOLDER / "link.csv").symlink_to(growing)
    os.mkfifo(world.folder / FOLDER / "pipe.csv")
    looking.look()
    with growing.open("ab") as file:
        file.write(report()[900:])
    assert not looking.run(world.now).wrote
    assert looking.run(world.now).taken == 1
    assert "done/a.csv" in world.lying(FOLDER)
    assert (world.folder / FOLDER / "pipe.csv").is_fifo()


def test_a_report_stays_with_its_occurrence_where_the_series_is_moved_as_a_whole(world: MeetingWorld) -> None:
    daily = video("s", "Suivi", MEETING.replace("T10", "T15"), more="RRULE:FREQ=DAILY;COUNT=3")
    world.put("claire", "s", daily)
    world.settle()
    bob = tuple(one.replace(" 10:", " 3:").replace("AM", "PM") for one in BOB)
    world.drop(
        FOLDER, "a.csv", report("Suivi", start="11/23/26, 3:02:00 PM", end="11/23/26, 3:51:00 PM", bob=bob)
    )
    world.follow_up(OVER + timedelta(hours=8))
    assert world.take_in().taken == 1
    ref = f"{CALENDAR}s.ics"
    world.change(
        "claire", ref, lambda text: text.replace("T150000", "T160000").replace("T160000", "T143000", 1)
    )
    world.settle()
    world.later(minutes=1)
    world.change("claire", ref, lambda text: text.replace("SUMMARY:Suivi", "SUMMARY:Revue"))
    world.settle()
    world.later(minutes=1)
    assert ("Revue", 46, "ACTUAL") in world.activities("subject, duration_min, duration_source")
    key = "SELECT recurrence_key FROM meeting_record WHERE uid = 's'"
    assert world.rows(key) == world.rows("SELECT recurrence_key FROM meeting_evidence")
