"""The form of a meeting that is over: answered, waived, reminded of, withdrawn; on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.activities import delete_activity
from store.actors import admin_at_machine
from store.audit_log import Channel
from tests.servers.console import console
from tests.servers.meeting_world import ANNE, OVER, MeetingWorld, video
from tests.servers.memory_world import CALENDAR


@pytest.fixture
def world(tmp_path: Path, database_url: str) -> Iterator[MeetingWorld]:
    made = MeetingWorld(tmp_path / "syncd", database_url)
    made.begin()
    yield made
    made.close()


def test_finishing_the_task_with_text_answers_the_form(world: MeetingWorld) -> None:
    world.put("claire", "m", video("m@client.example"))
    world.settle()
    world.follow_up(OVER)
    world.settle()
    world.answer("Très intéressée.\nRappeler en mars.")
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("state, comments") == [("VALIDATED", "Très intéressée.\nRappeler en mars.")]
    assert world.forms("state, channel, submitted_by") == [("ANSWERED", "TASK", 1)]
    assert not world.later(minutes=1).wrote


@pytest.mark.parametrize("renamed", [False, True])
def test_the_facts_of_the_form_follow_the_meeting_while_nobody_has_answered(
    world: MeetingWorld, *, renamed: bool
) -> None:
    world.held(video("m"))
    world.settle()
    ref, before = world.task()
    assert "Le 23/11/2026 de 10:00 à 11:00 (60 min)" in before

    def begun(task: str) -> str:
        task = task.replace("DESCRIPTION:", "DESCRIPTION:Brouillon.\\n\\n", 1)
        return task.replace("SUMMARY:Compte rendu : Visio", "SUMMARY:À faire") if renamed else task

    world.change("claire", ref, begun)
    more = "ATTENDEE;CN=Zoé Petit:mailto:zoe@client.example"
    world.put("claire", "m", video("m", "Point projet", "20261123T090000", more=more))
    world.settle()
    report = world.later(minutes=1)
    assert (report.changed, report.offered, report.withdrawn) == (1, 0, 0)
    world.settle()
    _, task = world.task()
    assert "Le 23/11/2026 de 09:00 à 10:00 (60 min)" in task
    assert "Zoé Petit" in task
    assert "Brouillon." in task
    assert ("SUMMARY:À faire" if renamed else "SUMMARY:Compte rendu : Point projet") in task
    assert task.count("Compte : Client SA") == 1
    world.settle()
    assert not world.later(minutes=1).wrote
    world.answer("Fait.")
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("subject, comments") == [("Point projet", "Fait.\n\nBrouillon.")]


def test_a_user_is_reminded_once_and_by_the_next_day(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    assert world.follow_up(OVER + timedelta(days=1)).reminded == 0
    assert world.follow_up(datetime(2026, 11, 25, 8, 1, tzinfo=UTC)).reminded == 1
    world.settle()
    _, task = world.task()
    assert "DUE;VALUE=DATE:20261125" in task
    assert "BEGIN:VALARM" in task
    for day in range(5):
        assert world.later(days=day).reminded == 0


def test_a_task_that_is_deleted_waives_the_form_and_keeps_the_activity_for_the_list(
    world: MeetingWorld,
) -> None:
    world.held(video("m"))
    world.settle()
    ref, _ = world.task()
    world.servers["claire"].remove(ref)
    world.settle()
    assert world.later(minutes=1).waived == 1
    assert world.activities("state") == [("PENDING_REPORT",)]
    world.settle()
    assert "VTODO" not in world.text("claire")


def test_without_a_report_it_is_validated_after_the_time_that_the_config_says(world: MeetingWorld) -> None:
    world.more = '[video]\nauto_validate = "3d"\n'
    world.held(video("m"))
    world.settle()
    assert world.later(days=2).validated == 0
    assert world.later(days=1).validated == 1
    assert world.activities("state, comments") == [("VALIDATED", "")]
    assert world.forms() == [("EXPIRED",)]
    world.settle()
    assert "VTODO" not in world.text("claire")


def test_nothing_of_the_form_reaches_a_guest_who_is_put_into_the_task(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    ref, _ = world.task()
    guest = f"ORGANIZER:mailto:claire@acme.example\nATTENDEE:mailto:{ANNE}\nEND:VTODO"
    world.change("claire", ref, lambda text: text.replace("END:VTODO", guest))
    for _ in range(4):
        world.sync()
    _, task = world.task()
    assert "Client SA" not in task
    assert "CRM ---" not in task


def test_an_answer_s_outcome_and_next_step_are_taken_from_its_text(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("D'accord sur le prix.\nRésultat : intéressée\nSuite : appel mardi 14h")
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("state, comments") == [("VALIDATED", "D'accord sur le prix.")]
    assert world.forms("outcome, next_event_id") == [("intéressée", 2)]
    columns = "type, owner_id, account_id, start"
    ((kind, owner, account, start),) = world.rows(f"SELECT {columns} FROM event WHERE id = 2")
    assert (kind, owner, account) == ("CALL", 1, world.account)
    assert str(start).startswith("2026-11-24 13:00")
    world.settle()
    assert world.text("claire").count("BEGIN:VEVENT") == 2


def test_a_next_step_that_is_not_understood_stays_in_the_report(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("Bien.\nSuite : visite le 31/02 #INCONNUE")
    world.settle()
    world.later(minutes=1)
    ((comments,),) = world.activities("comments")
    assert comments == "Bien.\nSuite : visite le 31/02 #INCONNUE"
    assert world.one("SELECT next_event_id FROM meeting_report") is None
    assert "31/02" in str(world.one("SELECT problems FROM meeting_report"))


def test_a_next_step_that_cannot_be_made_stays_in_the_report(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("Bien.\nSuite : visite mardi 14h #INCONNUE")
    world.settle()
    assert world.later(minutes=1).answered == 1
    ((comments,),) = world.activities("comments")
    assert comments == "Bien.\nSuite : visite mardi 14h #INCONNUE"
    assert world.one("SELECT count(*) FROM event") == 1


def test_the_forms_of_many_meetings_at_once_do_not_stop_the_mailbox(world: MeetingWorld) -> None:
    for number in range(14):
        world.put("claire", f"m{number}", video(f"m{number}", f"Visio {number}"))
    world.settle()
    world.follow_up(OVER)
    world.settle()
    assert world.text("claire").count("BEGIN:VTODO") == 14
    assert world.rows("SELECT state FROM mailbox") == [("RUNNING",)]


def test_a_report_that_is_written_once_the_task_is_done_is_taken_too(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("")
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("state, comments") == [("VALIDATED", "")]
    ref, _ = world.task()
    world.change("claire", ref, lambda text: text.replace("DESCRIPTION:", "DESCRIPTION:Après coup.", 1))
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("state, comments") == [("VALIDATED", "Après coup.")]
    assert not world.later(minutes=1).wrote


def test_a_next_step_is_made_once_however_often_the_report_is_changed(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("Bien.\nSuite : appel mardi 14h")
    world.settle()
    world.later(minutes=1)
    ref, _ = world.task()
    world.change("claire", ref, lambda text: text.replace("DESCRIPTION:Bien.", "DESCRIPTION:Très bien."))
    world.settle()
    assert world.later(minutes=1).answered == 1
    assert world.activities("comments") == [("Très bien.",)]
    assert world.one("SELECT count(*) FROM event") == 2
    assert world.one("SELECT next_event_id FROM meeting_report") == 2


def test_a_user_who_puts_the_task_off_is_reminded_when_it_is_due_then(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    ref, _ = world.task()
    mine = "BEGIN:VALARM\nACTION:DISPLAY\nDESCRIPTION:x\nTRIGGER:-PT1H\nEND:VALARM\nEND:VTODO"
    world.change("claire", ref, lambda text: text.replace("DATE:20261124", "DATE:20261201"))
    world.change("claire", ref, lambda text: text.replace("END:VTODO", mine))
    world.settle()
    assert world.follow_up(datetime(2026, 11, 25, 8, 1, tzinfo=UTC)).reminded == 0
    world.settle()
    assert "DATE:20261201" in world.task()[1]
    assert world.follow_up(datetime(2026, 12, 2, 8, 1, tzinfo=UTC)).reminded == 1
    world.settle()
    _, task = world.task()
    assert "DUE;VALUE=DATE:20261202" in task
    assert "TRIGGER:-PT1H" in task


def test_a_task_with_times_of_its_user_keeps_them_when_it_is_reminded_of(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    ref, _ = world.task()
    times = "DTSTART;TZID=Europe/Paris:20261124T090000\nDUE;TZID=Europe/Paris:20261124T100000"
    world.change("claire", ref, lambda text: text.replace("DUE;VALUE=DATE:20261124", times))
    world.settle()
    assert world.follow_up(datetime(2026, 11, 25, 8, 1, tzinfo=UTC)).reminded == 1
    world.settle()
    _, task = world.task()
    assert "20261124T090000" in task
    assert "BEGIN:VALARM" in task
    assert world.rows("SELECT count(*) FROM quarantine") == [(0,)]


def test_the_form_of_an_activity_that_a_person_deletes_is_withdrawn(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    with world.session() as session:
        delete_activity(session, 1, actor=admin_at_machine("root"), now=world.now, channel=Channel.CLI)
    assert world.later(minutes=1).withdrawn == 1
    world.settle()
    assert "VTODO" not in world.text("claire")
    assert not world.later(minutes=1).wrote


def test_a_correction_by_another_door_stays_whatever_becomes_of_the_task(world: MeetingWorld) -> None:
    world.held(video("m"))
    world.settle()
    world.answer("Par la tâche.")
    world.settle()
    world.later(minutes=1)
    corrected = ("meeting", "answer", "1", "--as", "claire", "--text", "Corrigé.")
    assert console(world.config, *corrected, at=world.now).code == 0
    ref, _ = world.task()
    world.change("claire", ref, lambda text: text.replace("END:VTODO", "CATEGORIES:Vu\nEND:VTODO"))
    world.settle()
    world.later(minutes=1)
    assert world.activities("comments") == [("Corrigé.",)]


def test_the_facts_of_a_dozen_forms_follow_their_series_without_anybody_having_to_let_them_go(
    world: MeetingWorld,
) -> None:
    world.held(video("s", "Hebdo", more="RRULE:FREQ=DAILY"), "s")
    for day in range(1, 13):
        world.follow_up(OVER + timedelta(days=day))
    world.settle()
    assert world.text("claire").count("SUMMARY:Compte rendu : Hebdo") == 13
    world.change("claire", f"{CALENDAR}s.ics", lambda text: text.replace("Hebdo", "Revue"))
    world.settle()
    world.later(minutes=1)
    world.settle()
    assert world.text("claire").count("SUMMARY:Compte rendu : Revue") == 13
