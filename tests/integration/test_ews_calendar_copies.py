"""A copy that a person makes of an event of ours in Outlook is an event of its own, though all properties go
along.

The server's own state is what is asserted.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.errors import OutcomeUnknown
from connectors.ews.calendar.names import global_id
from tests.integration.test_ews_calendar import (
    DRESS,
    Desk,
    changed,
    event,
    weekly,
    with_override,
)
from tests.servers.ews.faults import Fault
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import stamp
from tests.servers.exchange_office import Office, paris


@pytest.fixture
def desk(ews: EwsServer) -> Iterator[Desk]:
    made = Desk(ews)
    with made.connector:
        made.open()
        yield made


def test_a_copy_has_the_uid_that_exchange_gave_it_and_is_found_by_it(desk: Desk) -> None:
    made = desk.create(replace(event(), companion=True))
    ref = desk.other.copy_event(made.ref)
    copy = desk.read(ref)
    (_, target) = desk.other.events()
    assert copy.item.uid == target.text("UID") != made.item.uid
    assert not copy.item.companion
    assert desk.connector.find(desk.calendar, copy.item.uid) == copy
    assert desk.connector.find(desk.calendar, made.item.uid) == made


def test_a_copy_is_written_under_its_own_uid_and_its_original_stays(desk: Desk) -> None:
    made = desk.create(event())
    copy = desk.read(desk.other.copy_event(made.ref))
    wanted = changed(copy.item, subject="Une autre visite")
    again = desk.connector.update(copy, wanted, replace(DRESS, crm_id="acme/2"), notify=False)
    assert (again.item, again.item.crm_id) == (wanted, "acme/2")
    assert desk.read(made.ref) == made
    named = {path.name: value for path, value in desk.other.extended(copy.ref).items()}
    assert (named["uid"], named["crm-id"]) == (copy.item.uid, "acme/2")
    assert copy.item.uid != made.item.uid


def test_a_copy_of_a_half_made_series_is_read_as_it_is_and_nothing_is_done_to_it(desk: Desk) -> None:
    item = with_override(weekly(), 8, location="Nice")
    desk.server.faults.plan(Fault.RESET_BEFORE, "UpdateItem")
    with pytest.raises(OutcomeUnknown):
        desk.create(item)
    desk.server.faults.clear()
    (target,) = desk.other.events()
    ref = desk.other.copy_event(desk.other.id_of(target.item))
    desk.connector_anew()
    copy = desk.read(ref)
    assert len(copy.item.components) == 1
    found = desk.connector.find(desk.calendar, item.uid)
    assert found is not None
    assert (found.item, found.ref != ref) == (item, True)
    assert desk.read(ref) == copy


@pytest.mark.parametrize("uid", ["AB12-CD@crm.example", "04000000-no-hex", "à l'été@crm.example"])
def test_what_we_wrote_is_no_copy_however_the_server_spells_its_uid(desk: Desk, uid: str) -> None:
    made = desk.create(event(uid))
    spelled = global_id(uid).hex().upper()
    desk.other.edit(made.ref, UID=spelled)
    found = desk.connector.find(desk.calendar, uid)
    assert found is not None
    assert found.item.uid == uid


def test_a_copy_becomes_an_event_of_the_crm_and_never_takes_the_place_of_its_original(
    ews: EwsServer, tmp_path: Path, sqlite_url: str
) -> None:
    office = Office(ews, tmp_path / "syncd", sqlite_url)
    office.add_user("claire")
    office.sync()
    office.desk("claire").add("Original")
    office.settle()
    client = office.client("claire")
    (target,) = office.events("claire")
    original = client.id_of(target.item)
    ref = client.copy_event(original)
    client.edit(ref, Subject="Copie", Start=stamp(paris(30, 9)), End=stamp(paris(30, 10)))
    office.settle()
    assert set(office.subjects()) == {"Copie", "Original"}
    client.delete(original)
    office.settle()
    assert office.subjects() == ["Copie"]
    assert [one.text("Subject") for one in office.events("claire")] == ["Copie"]
