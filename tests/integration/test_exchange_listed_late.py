"""An item that Exchange made late, and that somebody changed, answered or deleted before it was looked up."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.integration.test_exchange_late import CREATED, PAUL, created
from tests.servers.console import console
from tests.servers.ews.faults import Fault
from tests.servers.ews.mail import mailbox
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed
from tests.servers.exchange_office import Office


@pytest.fixture
def office(ews: EwsServer, tmp_path: Path, sqlite_url: str) -> Office:
    """Claire, whose mailbox was looked at once."""
    made = Office(ews, tmp_path / "syncd", sqlite_url)
    made.add_user("claire")
    made.sync()
    return made


def late_and_listed(office: Office, desk_id: int, *, cancel: bool = False, **changed: str) -> None:
    """The server makes the item at last, a client changes it, and a cycle lists it in that moment."""
    client = office.client("claire")

    def come() -> None:
        office.ews.catch_up()
        (target,) = office.events("claire")
        if changed:
            client.edit(client.id_of(target.item), **changed)

    if cancel:
        office.desk("claire").cancel(desk_id)
    office.ews.before["SyncFolderItems"] = come
    office.sync()
    office.ews.before.pop("SyncFolderItems", None)


def test_one_that_changed_before_it_was_found_and_was_cancelled_meanwhile_is_known_all_the_same(
    office: Office,
) -> None:
    """A change beats a deletion, as in every calendar (T4, row 9): it is back, and that is told."""
    desk = office.desk("claire")
    id_ = desk.add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    late_and_listed(office, id_, cancel=True, Location="Lyon")
    office.settle()
    assert [one.text("Location") for one in office.events("claire")] == ["Lyon"]
    assert office.rows("SELECT subject, location FROM event WHERE NOT hidden") == [("Une fois", "Lyon")]
    assert office.rows("SELECT winner FROM conflict") == [("REMOTE",)]
    assert office.rows(CREATED) == []
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL)]
    desk.cancel(id_)
    office.settle()
    assert office.events("claire") == []
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL), ("cancellation", PAUL)]


def test_one_that_a_guest_answered_before_it_was_found_and_was_cancelled_meanwhile_is_taken_back(
    office: Office,
) -> None:
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    office.desk("claire").cancel(id_)

    def come() -> None:
        office.ews.catch_up()
        (target,) = office.events("claire")
        said = typed("Attendee", [mailbox("", PAUL), typed("ResponseType", "Accept")])
        client = office.client("claire")
        client.edit(client.id_of(target.item), RequiredAttendees=typed("RequiredAttendees", [said]))

    office.ews.before["SyncFolderItems"] = come
    office.sync()
    office.ews.before.pop("SyncFolderItems", None)
    office.settle()
    assert office.events("claire") == []
    assert office.subjects() == []
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL), ("cancellation", PAUL)]


def test_one_that_changed_on_both_sides_before_it_was_found_has_both_changes(office: Office) -> None:
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    office.desk("claire").edit(id_, notes="Apporter le devis")
    late_and_listed(office, id_, Location="Lyon")
    office.settle()
    ((subject, place, notes),) = office.rows("SELECT subject, location, notes FROM event")
    assert (subject, place, notes) == ("Une fois", "Lyon", "Apporter le devis")
    (target,) = office.events("claire")
    assert target.text("Location") == "Lyon"
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL), ("update", PAUL)]


def test_a_change_by_a_client_before_it_was_found_is_mailed_to_nobody(office: Office) -> None:
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    late_and_listed(office, id_, Location="Lyon")
    office.settle()
    assert office.rows("SELECT subject, location FROM event") == [("Une fois", "Lyon")]
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL)]


def test_one_that_a_person_deletes_before_it_was_found_is_deleted(office: Office) -> None:
    id_ = office.desk("claire").add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    late_and_listed(office, id_)
    client = office.client("claire")
    (target,) = office.events("claire")
    client.delete(client.id_of(target.item))
    office.settle()
    office.now += timedelta(minutes=11)
    office.settle()
    assert office.events("claire") == []
    assert office.subjects() == []
    assert [(one.kind, one.recipient) for one in office.mailed] == [("request", PAUL)]


def test_one_whose_calendar_is_not_selected_any_more_is_looked_up_there(office: Office) -> None:
    desk, client = office.desk("claire"), office.client("claire")
    id_ = desk.add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.LATE, "CreateItem")
    office.sync()
    client.add_folder("Autre", folder_class="IPF.Appointment")
    office.mailbox_keys["claire"] = 'calendars = ["Autre"]'
    office.sync()
    office.ews.catch_up()
    office.now += timedelta(minutes=30)
    office.settle()
    assert office.rows(CREATED) == []
    assert [len(client.items(name)) for name in ("calendar", "Autre")] == [1, 0]
    assert [one.recipient for one in office.mailed] == [PAUL]
    assert office.subjects() == ["Une fois"]
    assert "not confirmed" not in console(office.config, "explain", f"event:{id_}").out


@pytest.mark.parametrize("gone", [False, True])
def test_one_that_never_came_into_a_calendar_left_out_goes_into_the_one_that_is_selected(
    office: Office, *, gone: bool
) -> None:
    desk, client = office.desk("claire"), office.client("claire")
    client.add_folder("Ancien", folder_class="IPF.Appointment")
    client.add_folder("Autre", folder_class="IPF.Appointment")
    office.mailbox_keys["claire"] = 'calendars = ["Ancien"]'
    office.sync()
    desk.add("Une fois", participants=(PAUL,))
    office.ews.faults.plan(Fault.RESET_BEFORE, "CreateItem")
    office.sync()
    assert len(office.rows(CREATED)) == 1
    office.mailbox_keys["claire"] = 'calendars = ["Autre"]'
    if gone:
        client.remove_folder("Ancien")
    office.sync()
    assert client.items("Autre") == []
    office.now += timedelta(minutes=11)
    office.settle()
    assert office.rows(CREATED) == []
    assert [one.text("Subject") for one in client.items("Autre")] == ["Une fois"]
    assert [one.recipient for one in office.mailed] == [PAUL]


def test_a_server_that_answers_no_write_is_not_asked_for_all_of_them(office: Office) -> None:
    for number in range(8):
        office.desk("claire").add(f"Réunion {number}")
    office.ews.faults.plan(Fault.RESET_BEFORE, "CreateItem", times=8)
    before = created(office)
    report = office.sync()["claire"]
    assert report.error is not None
    assert created(office) - before <= 3
    office.ews.faults.clear()
    office.now += timedelta(minutes=11)
    office.settle()
    assert len(office.events("claire")) == 8
