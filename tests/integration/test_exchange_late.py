"""Exchange may make an item after the service gave up waiting for the answer. Nothing in a request makes that
impossible, so what cannot be found yet is not made anew before the server can have no more to do with it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.console import console
from tests.servers.ews.faults import Fault
from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import Office, paris

PAUL = "paul@client.example"
CREATED = "SELECT kind FROM intent"


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    """Claire, whose mailbox was looked at once."""
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    made.sync()
    return made


def created(office: Office) -> int:
    return office.ews.counts.operations["CreateItem"]


def test_what_the_server_makes_after_the_service_gave_up_is_made_once(office: Office) -> None:
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    for _ in range(3):
        office.sync()
    assert office.events("claire") == []
    office.ews.catch_up()
    office.settle()
    assert [one.text("Subject") for one in office.events("claire")] == ["Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]
    assert office.subjects() == ["Une fois"]
    assert office.rows(CREATED) == []


def test_what_the_server_never_makes_is_made_ten_minutes_later(office: Office) -> None:
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.RESET_BEFORE, "CreateItem")
    for _ in range(8):
        office.sync()
        assert office.events("claire") == []
    assert not office.sync()["claire"].wrote  # an idle cycle, but for the question
    assert len(office.rows(CREATED)) == 1
    office.now += timedelta(minutes=2)
    office.settle()
    assert [one.text("Subject") for one in office.events("claire")] == ["Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]
    assert office.rows(CREATED) == []


def test_meanwhile_the_others_go_on_and_a_change_of_it_waits(office: Office) -> None:
    desk = office.desk("claire")
    id_ = desk.add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    desk.edit(id_, location="Nice")
    desk.add("Un autre")
    office.client("claire").add_event("Du client", paris(24, 9), paris(24, 10))
    office.sync()
    assert sorted(one.text("Subject") for one in office.events("claire")) == ["Du client", "Un autre"]
    assert office.subjects() == ["Du client", "Un autre", "Une fois"]
    office.ews.catch_up()
    office.settle()
    found = {one.text("Subject"): one.text("Location") for one in office.events("claire")}
    assert found == {"Une fois": "Nice", "Un autre": "", "Du client": ""}
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL), ("update", PAUL)]


def test_one_that_is_cancelled_before_it_is_made_is_taken_back(office: Office) -> None:
    desk = office.desk("claire")
    id_ = desk.add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    desk.cancel(id_)
    office.sync()
    office.ews.catch_up()
    office.settle()
    assert office.events("claire") == []
    assert office.subjects() == []
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL), ("cancellation", PAUL)]


def test_a_second_mailbox_of_the_same_user_does_not_take_it_over(
    ews: EwsServer, tmp_path: Path, sqlite_url: str
) -> None:
    office = Office(ews, tmp_path / "syncd", sqlite_url)
    office.add_user("claire")
    office.add_mailbox("claire-2", "claire")
    office.sync()
    office.desk("claire").add("Une fois", participants=(PAUL,))
    ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync("claire")
    office.sync("claire-2")
    assert office.events("claire-2") == []
    ews.catch_up()
    office.settle()
    assert [len(office.events(name)) for name in office.owners] == [1, 0]
    assert [one.recipient for one in office.mailed] == [PAUL]


def test_what_a_client_deleted_and_the_crm_puts_back_is_put_back_once(office: Office) -> None:
    """A change beats a deletion: the item is made anew, which the server does late."""
    desk, client = office.desk("claire"), office.client("claire")
    id_ = desk.add("Une fois")
    office.settle()
    (target,) = office.events("claire")
    client.delete(client.id_of(target.item))
    desk.edit(id_, subject="Encore")
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    for _ in range(3):
        office.sync()
    assert office.ews.late
    office.ews.catch_up()
    office.settle()
    assert [one.text("Subject") for one in office.events("claire")] == ["Encore"]
    assert office.subjects() == ["Encore"]


def test_what_the_crm_writes_beside_a_meeting_is_made_once_too(office: Office) -> None:
    office.add_account("Client SA")
    id_ = office.desk("claire").add("Chez Paul", participants=(PAUL,), account="Client SA")
    office.ews.faults.plan(Fault.LATE, "CreateItem", skip=1)
    for _ in range(3):
        office.sync()
    assert len(office.ews.late) == 1
    assert len(office.events("claire")) == 1
    office.ews.catch_up()
    office.settle()
    assert len(office.events("claire")) == 2
    assert office.subjects() == ["Chez Paul"]
    assert office.rows("SELECT entity_id FROM binding WHERE entity = 'COMPANION'") == [(id_,)]
    office.desk("claire").cancel(id_)
    office.settle()
    assert office.events("claire") == []


def test_a_task_is_made_once_too(office: Office) -> None:
    said = ("--as", "claire", "--subject", "Rappeler", "--due", "2026-11-26")
    assert console(office.config, "task", "add", *said, at=office.now).code == 0
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    for _ in range(3):
        office.sync()
    assert office.client("claire").tasks() == []
    office.ews.catch_up()
    office.settle()
    assert [one.text("Subject") for one in office.client("claire").tasks()] == ["Rappeler"]
    assert office.rows("SELECT subject FROM task") == [("Rappeler",)]


class WithAdmin(Office):
    """Denis may give events to anybody."""

    def write_config(self) -> Path:
        path, login = super().write_config(), 'login = "denis"\n'
        path.write_text(path.read_text().replace(login, f'{login}role = "admin"\n'))
        return path


def test_one_that_is_given_to_somebody_else_meanwhile_is_not_made_there_as_well(
    ews: EwsServer, tmp_path: Path, sqlite_url: str
) -> None:
    office = WithAdmin(ews, tmp_path / "syncd", sqlite_url)
    office.add_user("claire")
    office.add_user("denis")
    office.sync()
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync("claire")
    office.desk("denis").edit(id_, owner="denis")
    office.sync("denis")
    office.sync()
    assert office.events("denis") == []
    office.ews.catch_up()
    office.settle(8)
    assert [len(office.events(name)) for name in ("claire", "denis")] == [0, 1]
    assert office.subjects() == ["Une fois"]


def test_one_of_a_mailbox_that_is_paused_is_waited_for_as_long_as_the_pause(
    ews: EwsServer, tmp_path: Path, sqlite_url: str
) -> None:
    """It lies there, and is found when the mailbox goes on: by then it must not be elsewhere as well."""
    office = WithAdmin(ews, tmp_path / "syncd", sqlite_url)
    office.add_user("claire")
    office.add_user("denis")
    office.sync()
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync("claire")
    ews.catch_up()
    console(office.config, "pause", "claire", at=office.now)
    office.desk("denis").edit(id_, owner="denis")
    office.now += timedelta(minutes=20)
    office.sync()
    office.sync()
    assert [len(office.events(name)) for name in ("claire", "denis")] == [1, 0]
    console(office.config, "resume", "claire", at=office.now)
    office.settle(8)
    assert [len(office.events(name)) for name in ("claire", "denis")] == [0, 1]


def test_the_minutes_count_from_the_request_however_long_its_cycle_took(office: Office) -> None:
    for number in range(4):
        office.desk("claire").add(f"Numéro {number}")
    office.ews.faults.plan(Fault.LATE, "CreateItem", skip=3)

    def slowly() -> datetime:
        office.now += timedelta(minutes=5)
        return office.now

    installation = office.open()
    installation.supervisor.run("claire", slowly)
    installation.close()
    office.sync()
    office.ews.catch_up()
    office.settle()
    assert len(office.events("claire")) == 4


def test_a_person_is_told_that_it_is_waited_for(office: Office) -> None:
    id_ = office.desk("claire").add("Une fois")
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    told = console(office.config, "explain", f"event:{id_}")
    assert told.code == 0
    line = " ".join(told.out.split())
    assert "a write (create)" in line
    assert "is not confirmed yet" in line
    assert "not made again in the first 10 minutes" in line
    told = console(office.config, "status")
    assert "1 write to its calendars without an answer so far" in " ".join(told.out.split())
    plain = console(office.config, "status", "--json").json
    assert plain["mailboxes"][0]["writes_without_an_answer"] == 1


def test_what_is_made_while_a_cycle_looks_is_taken_for_what_it_is(office: Office) -> None:
    """Found by no search at the beginning of the cycle, and listed a moment later."""
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    office.ews.before["SyncFolderItems"] = office.ews.catch_up
    office.sync()
    office.settle()
    assert [one.text("Subject") for one in office.events("claire")] == ["Une fois"]
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL)]
    assert office.rows(CREATED) == []
    ((mailed,),) = office.rows("SELECT mailed FROM decision WHERE uid <> ''")
    assert mailed == PAUL


def test_one_that_comes_later_than_any_server_works_is_left_where_it_is_and_told(office: Office) -> None:
    """A copy in Outlook looks the same: deleting what a person made would be worse than a second item."""
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    office.now += timedelta(minutes=30)
    office.settle()
    assert len(office.events("claire")) == 1
    office.ews.catch_up()
    office.settle()
    assert len(office.events("claire")) == 2
    assert office.subjects() == ["Une fois"]
    assert "cancellation" not in {one.kind for one in office.mailed}
    copies = console(office.config, "explain", f"event:{id_}", "--json").json["copies"]
    assert [one["state"] for one in copies] == ["bound", "ignored"]
    assert "left alone: another one" in " ".join(
        console(office.config, "explain", f"event:{id_}").out.split()
    )
    office.desk("claire").edit(id_, location="Nice")
    office.settle()
    assert sorted(one.text("Location") for one in office.events("claire")) == ["", "Nice"]


def test_a_clock_that_is_put_back_makes_nothing_twice(office: Office) -> None:
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    office.now -= timedelta(minutes=30)
    office.sync()
    office.sync()
    assert office.events("claire") == []
    office.ews.catch_up()
    office.settle()
    assert [one.text("Subject") for one in office.events("claire")] == ["Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]


def test_after_a_clock_was_put_back_nobody_waits_longer_than_ten_minutes(office: Office) -> None:
    office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.RESET_BEFORE, "CreateItem")
    office.sync()
    office.now -= timedelta(hours=5)
    office.sync()
    assert office.events("claire") == []
    office.now += timedelta(minutes=11)
    office.settle()
    assert [one.text("Subject") for one in office.events("claire")] == ["Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]
