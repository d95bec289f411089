"""Call records become activities with their form (R046, R047), on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.activities import delete_activity
from store.actors import admin_at_machine
from store.audit_log import Channel
from syncd.engine.meetings import dropping
from tests.reports import FREEPBX, MASTER
from tests.servers.meeting_world import MeetingWorld

FOLDER = "calls"
CONFIG = """
[calls]
directory = "calls"
numbers = ["0123456700"]
{more}
[[calls.lines]]
number = "201"
user = "claire"
"""
AFTER = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)  # 15:00 in Paris
HEADINGS = "Call Time,Call ID,From,To,Direction,Status,Ringing,Talking,Cost\n"


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url, more=CONFIG.format(more=""))
    made.begin()
    made.add_contact(made.account, "zoe@client.example", phone_mobile="+33 (0)1 45 67 89 01")
    made.now = AFTER
    yield made
    made.close()


def call(number: str, at: str = "2026-11-22T14:00:00", *, id_: str = "1", status: str = "Answered",
         talk: str = "00:05:00", line: str = "201") -> str:  # fmt: skip
    """A row of 3CX: Claire called that number."""
    return f'{at},{id_},"Dupont, Claire ({line})",{number},Outbound,{status},00:00:07,{talk},0.00\n'


def recorded(world: MeetingWorld, *rows: str) -> list[tuple[object, ...]]:
    world.drop(FOLDER, "calls.csv", HEADINGS + "".join(rows))
    assert world.take_in().taken == 1
    return world.activities("subject, duration_min, state")


def test_calls_with_a_contact_are_recorded_once_and_the_one_who_talked_is_asked(world: MeetingWorld) -> None:
    world.more = CONFIG.format(more='prefix = "0"')
    world.drop(FOLDER, "Master.csv", MASTER)
    assert world.take_in().taken == 1
    columns = "type, subject, account_id, user_id, duration_min, duration_source, call_direction, call_number"
    assert world.activities(columns + ", state, occurred_at") == [
        ("CALL", "Appel à zoe", world.account, 1, 5, "ACTUAL", "OUT", "+33145678901", "PENDING_REPORT",
         datetime(2026, 11, 22, 13, 0, tzinfo=UTC)),
        ("CALL", "Appel de zoe", world.account, 1, 2, "ACTUAL", "IN", "+33145678901", "PENDING_REPORT",
         datetime(2026, 11, 22, 13, 10, tzinfo=UTC)),
    ]  # fmt: skip
    assert world.rows("SELECT contact_id FROM activity_contact") == [(2,), (2,)]
    assert world.forms() == [("OFFERED",), ("OFFERED",)]
    world.drop(FOLDER, "Master.csv", MASTER)
    world.drop(FOLDER, "again.csv", FREEPBX)  # the first of them once more, in another file
    assert world.take_in().taken == 2
    assert len(world.activities()) == 2
    assert world.lying(FOLDER) == ["done/Master (2).csv", "done/Master.csv", "done/again.csv"]


def test_the_form_of_a_call_is_answered_in_the_task_list(world: MeetingWorld) -> None:
    recorded(world, call("0145678901"))
    world.settle()
    _, task = world.task()
    assert "SUMMARY:Compte rendu d'appel : Appel à zoe" in task
    assert "DUE;VALUE=DATE:20261123" in task
    assert "Numéro : +33145678901" in task
    assert "Avec : zoe" in task
    assert world.one("SELECT purpose FROM task") == "CALL_FORM"
    world.answer("Rappeler vendredi.")
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("state, comments") == [("VALIDATED", "Rappeler vendredi.")]


def test_a_call_is_reminded_of_once_and_waived_by_deleting_its_task(world: MeetingWorld) -> None:
    recorded(world, call("0145678901"))
    world.settle()
    assert world.follow_up(datetime(2026, 11, 24, 8, 1, tzinfo=UTC)).reminded == 1
    assert world.later(days=1).reminded == 0
    world.settle()
    ref, _ = world.task()
    world.servers["claire"].remove(ref)
    world.settle()
    assert world.later(minutes=1).waived == 1
    assert world.activities("state") == [("PENDING_REPORT",)]


@pytest.mark.parametrize("finished", [False, True])
def test_the_form_of_a_call_that_a_person_deletes_is_withdrawn(
    world: MeetingWorld, *, finished: bool
) -> None:
    recorded(world, call("0145678901"))
    world.settle()
    if finished:
        world.answer("Fait.")
    with world.session() as session:
        delete_activity(session, 1, actor=admin_at_machine("root"), now=world.now, channel=Channel.CLI)
    world.settle()
    assert world.later(minutes=1).withdrawn == 1
    assert world.forms() == [("WITHDRAWN",)]
    world.settle()
    assert "VTODO" not in world.text("claire")
    assert recorded(world, call("0145678901")) == []
    assert not world.later(minutes=1).wrote


@pytest.mark.parametrize(
    ("row", "expected", "forms"),
    [
        (call("0199999999"), [], 0),  # of nobody
        (call("0145678901", status="Unanswered", talk="00:00:00"),
         [("Appel sans réponse à zoe", 0, "VALIDATED")], 0),
        (call("0145678901", line="205"), [("Appel à zoe", 5, "PENDING_REPORT")], 0),  # a line of nobody
        (call("0145678901", at="2026-11-18T14:00:00"), [("Appel à zoe", 5, "PENDING_REPORT")], 0),  # long ago
        (call("0145678901", talk="00:00:20"), [("Appel à zoe", 1, "PENDING_REPORT")], 1),
        (call("0145678901", id_="x" * 900), [("Appel à zoe", 5, "PENDING_REPORT")], 1),
    ],
)  # fmt: skip
def test_which_calls_are_recorded_and_who_is_asked(
    world: MeetingWorld, row: str, expected: list[tuple[object, ...]], forms: int
) -> None:
    assert recorded(world, row) == expected
    assert len(world.forms()) == forms
    recorded(world, row)
    assert len(world.activities()) == len(expected)


def test_numbers_of_nobody_are_recorded_where_the_config_says_so(world: MeetingWorld) -> None:
    world.more = CONFIG.format(more="record_unlinked = true")
    assert recorded(world, call("0199999999")) == [("Appel à +33199999999", 5, "PENDING_REPORT")]
    assert world.forms() == []


def test_a_number_that_several_share_names_the_account_only_where_it_is_one(world: MeetingWorld) -> None:
    world.add_contact(world.account, "marc@client.example", phone_landline="0145678902")
    world.add_contact(world.account, "lea@client.example", phone_mobile="0145678902")
    other = world.add_account("Autre", phone="01 45 67 89 01")
    house = world.add_account("Maison", phone="01 45 67 89 03")
    found = recorded(world, call("0145678902", id_="2"), call("0145678901", id_="3"),
                     call("0145678903", id_="4", at="2026-11-22T14:01:00"))  # fmt: skip
    assert found == [("Appel à marc, lea", 5, "PENDING_REPORT"), ("Appel à Maison", 5, "PENDING_REPORT")]
    assert world.activities("account_id") == [(world.account,), (house,)]
    assert world.rows("SELECT contact_id FROM activity_contact") == []
    assert other != house


def test_a_call_that_is_still_to_come_and_a_file_that_is_cut_off_are_refused_whole(
    world: MeetingWorld,
) -> None:
    good = call("0145678901")
    world.drop(FOLDER, "to-come.csv", HEADINGS + good + call("0145678901", "2026-11-22T18:00:00", id_="2"))
    world.drop(FOLDER, "cut.csv", HEADINGS + good + "2026-11-22T14:10:00,0000-2")
    world.drop(FOLDER, "other.csv", "Name,Age\nZoé,41\n")
    assert world.take_in().refused == 3
    assert "still to come, at 2026-11-22 18:00" in world.reason(FOLDER, "to-come.csv")
    assert "cut.csv: line 3:" in world.reason(FOLDER, "cut.csv")
    assert "no file of call records" in world.reason(FOLDER, "other.csv")
    assert world.activities() == []


def test_a_thousand_calls_are_recorded_in_several_transactions(world: MeetingWorld) -> None:
    start = datetime(2026, 11, 22, 1, 0)  # noqa: DTZ001 - the switchboard's clock
    rows = [call("0145678901", f"{start + timedelta(seconds=n * 30):%Y-%m-%dT%H:%M:%S}", id_=str(n))
            for n in range(1200)]  # fmt: skip
    assert len(recorded(world, *rows)) == 1200
    assert len(world.forms()) == 1200


def test_a_long_file_leaves_time_for_the_meetings_and_is_taken_whole_all_the_same(
    world: MeetingWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dropping, "BUDGET", 0.0)
    start = datetime(2026, 11, 22, 1, 0)  # noqa: DTZ001 - the switchboard's clock
    rows = [call("0145678901", f"{start + timedelta(seconds=n * 30):%Y-%m-%dT%H:%M:%S}", id_=str(n))
            for n in range(1200)]  # fmt: skip
    rows += [call("0199999999", id_="x")]  # nobody's: never recorded
    world.drop(FOLDER, "calls.csv", HEADINGS + "".join(rows))
    done = []
    for _ in range(3):
        report = world.take_in()
        done.append((len(world.activities()), report.taken, report.left))
    assert done == [(500, 0, 1), (1000, 0, 1), (1200, 1, 0)]
    assert world.lying(FOLDER) == ["done/calls.csv"]


def test_the_end_of_the_service_does_not_wait_for_a_long_file(world: MeetingWorld) -> None:
    rows = [call("0145678901", f"2026-11-22T{1 + n // 60:02}:{n % 60:02}:00", id_=str(n)) for n in range(700)]
    world.drop(FOLDER, "calls.csv", HEADINGS + "".join(rows))
    taking = world.open().dropping
    taking.look()
    asked = iter([False, True])
    taking.halted = lambda: next(asked, True)
    assert taking.run(world.now).left == 1
    assert len(world.activities()) == 500
    taking.halted = lambda: False
    assert world.take_in().taken == 1
    assert len(world.activities()) == 700
