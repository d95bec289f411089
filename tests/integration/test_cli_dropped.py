"""What was dropped, on the command line: who came, could be a contact, is forgotten; calls by hand."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import removing
from store.actors import admin_at_machine
from syncd.daemon.doctor import house
from tests.integration.test_dropped_reports import report
from tests.reports import MASTER
from tests.servers.console import Outcome, console
from tests.servers.meeting_world import OVER, MeetingWorld, video

STRANGER = "bob@globex.example"
CONFIG = """
[video]
attendance = "attendance"
[calls]
directory = "calls"
prefix = "0"
[[calls.lines]]
number = "201"
user = "claire"
"""


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    """A meeting with Anne is over; Bob came in her place."""
    made = MeetingWorld(tmp_path / "syncd", database_url, more=CONFIG)
    made.begin()
    made.put("claire", "m", video("m@client.example"))
    made.settle()
    made.follow_up(OVER)
    lines = [with_address(line) for line in report().decode("utf-16").splitlines()]
    made.drop("attendance", "a.csv", "\r\n".join(lines).encode("utf-16"))
    assert made.take_in().taken == 1
    yield made
    made.close()


def with_address(line: str) -> str:
    """Teams tells the address of guests who have signed in."""
    cells = line.split("\t")
    if cells[0].startswith("Bob"):
        cells[4] = STRANGER
    return "\t".join(cells)


def run(world: MeetingWorld, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments, at=world.now)
    assert "Traceback" not in outcome.err
    return outcome


def detail(world: MeetingWorld) -> str:
    return str(world.one("SELECT detail FROM meeting_evidence"))


def test_an_activity_and_its_event_show_who_came_who_did_not_and_who_was_not_planned(
    world: MeetingWorld,
) -> None:
    shown = run(world, "show", "activity", "1")
    lines = {line.split("  ")[0].strip(): line for line in shown.out.splitlines()}
    assert "came" in lines["Claire"]
    assert "did not come" in lines["anne"]
    assert "not planned" in lines["Bob Martin"]
    assert STRANGER in lines["Bob Martin"]
    assert "held: yes" in shown.out
    event = run(world, "show", "event", "1")
    assert f"`syncd contact from-email {STRANGER} --event 1`" in event.out
    rows = run(world, "show", "event", "1", "--json").json["event"]["attendance"][0]["rows"]
    assert [(one["attendance"], one["minutes"]) for one in rows] == [
        ("came", 49),
        ("did not come", None),
        ("not planned", 40),
    ]


def test_who_came_unplanned_is_offered_as_a_contact_and_is_one_then(world: MeetingWorld) -> None:
    status = run(world, "status")
    assert f"Came to meetings unplanned: {STRANGER} (event 1)." in status.out
    assert run(world, "status", "--json").json["unplanned_people"][0]["email"] == STRANGER
    nobody = run(world, "contact", "from-email", "else@globex.example", "--event", "1", "--account", "1")
    assert (nobody.code, "or came to it" in nobody.err) == (1, True)
    made = run(world, "contact", "from-email", STRANGER, "--event", "1", "--account", "Client SA", "--json")
    assert (made.code, made.json["last_name"]) == (0, "Martin"), made.err
    assert STRANGER not in detail(world)
    rows = run(world, "show", "activity", "1", "--json").json["attendance"]
    assert [one["contact_id"] for one in rows if one["attendance"] == "not planned"] == [2]
    assert "unplanned" not in run(world, "status").out


def test_a_stranger_and_a_deleted_contact_are_forgotten_in_reports_too(world: MeetingWorld) -> None:
    kept = run(world, "forget", "--address", "anne@client.example", "--yes")
    assert "is an address of contact 1" in kept.out
    preview = run(world, "forget", "--address", STRANGER)
    assert "1 attendance report would name them no more" in preview.out
    assert STRANGER in detail(world)
    assert (
        "1 attendance report names them no more" in run(world, "forget", "--address", STRANGER, "--yes").out
    )
    assert "Bob" not in detail(world)
    report_again = world.folder / "attendance" / "done" / "a.csv"
    world.drop("attendance", "again.csv", report_again.read_bytes())
    world.take_in()
    assert "Bob" not in detail(world), "what is forgotten does not come back with the same file"
    assert "contact:1" in detail(world)
    with world.session() as session:
        removing.delete_contact(session, 1, actor=admin_at_machine("root"), now=world.now)
    assert run(world, "forget", "--contact", "1", "--yes", "--json").json["forgotten"]["reports"] == 1
    assert "contact:1" not in detail(world)
    assert "Nothing to forget" in run(world, "forget", "--contact", "1", "--yes").out


def test_the_doctor_looks_at_the_folders(world: MeetingWorld) -> None:
    def checks() -> dict[str, tuple[bool, str]]:
        return {one.what: (one.good, one.says) for one in house(world.config)}

    assert checks()["folder of attendance reports"] == (True, str(world.folder / "attendance"))
    missing = world.folder / "calls"
    told = (False, f"there is no folder {missing}: make it (docs/install.md)")
    assert checks()["folder of call records"] == told
    missing.write_text("a file")
    assert checks()["folder of call records"] == told
    failed = world.folder / "attendance" / "failed"
    failed.write_text("nothing can be put into a file")
    good, says = checks()["folder of attendance reports"]
    assert (good, f"cannot be read and moved in {failed}" in says) == (False, True)


def test_who_has_no_address_is_forgotten_by_name(world: MeetingWorld) -> None:
    world.drop("attendance", "b.csv", report())
    assert world.take_in().taken == 1
    nameless = world.rows("SELECT detail FROM meeting_evidence ORDER BY id")[1][0]
    assert "Bob Martin" in str(nameless)
    assert "1 attendance report names them" in run(world, "forget", "--name", "bob  MARTIN", "--yes").out
    nameless = world.rows("SELECT detail FROM meeting_evidence ORDER BY id")[1][0]
    assert "Bob Martin" not in str(nameless)
    assert STRANGER in str(world.rows("SELECT detail FROM meeting_evidence ORDER BY id")[0][0])


def test_what_waits_in_failed_needs_a_person(world: MeetingWorld) -> None:
    world.settle()
    assert run(world, "status").code == 0
    world.drop("calls", "x.csv", "Name,Age\nZoé,41\n")
    world.take_in()
    status = run(world, "status")
    assert (status.code, "1 file in" in status.out) == (1, True)
    assert list(run(world, "status", "--json").json["files_refused"].values()) == [1]


def test_files_that_lie_there_are_taken_in_by_one_sync(world: MeetingWorld) -> None:
    world.restart()
    world.drop("attendance", "b.csv", report("Autre", guest="Personne"))
    done = run(world, "sync")
    assert "1 file put into failed/ with the reason" in done.out
    assert run(world, "sync", "--dry-run").out.count("dropped files") == 0


def test_calls_are_imported_by_hand(world: MeetingWorld, tmp_path: Path) -> None:
    world.add_contact(world.account, "zoe@client.example", phone_mobile="0145678901")
    world.now = datetime(2026, 11, 22, 14, tzinfo=UTC) + timedelta(days=1)
    file = tmp_path / "Master.csv"
    file.write_text(MASTER)
    count = "SELECT count(*) FROM activity WHERE type = 'CALL'"
    dry = run(world, "import", "calls", str(file), "--dry-run")
    assert "2 would be recorded (2 with a form), 0 known" in dry.out
    assert "1 call without a number, in line 5" in dry.err
    assert (world.one(count), world.one("SELECT count(*) FROM task")) == (0, 1)
    assert run(world, "import", "calls", str(file), "--json").json["created"] == 2
    assert run(world, "import", "calls", str(file), "--json").json["known"] == 2
    assert world.one(count) == 2
    file.write_text(MASTER.replace("2026-11-22 14:20:00", "hier"))
    wrong = run(world, "import", "calls", str(file))
    assert (wrong.code, "line 4" in wrong.err) == (2, True), wrong.err
