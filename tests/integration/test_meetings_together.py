"""One video meeting in the calendars of several people, on servers of several kinds, is one activity with one
form (thread 12 of the complaints)."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import Office, paris
from tests.servers.meeting_world import ANNE, LINK, OVER, MeetingWorld, video
from tests.servers.radicale import RadicaleServer

CLAIRE = "claire@acme.example"
INVITED = (
    f"ORGANIZER:mailto:{CLAIRE}",
    f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{CLAIRE}",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:denis@acme.example",
    f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ANNE}",
)


@pytest.mark.parametrize("first", ["claire", "denis", "emma"])
def test_thread_12_a_meeting_in_every_participants_calendar_is_recorded_once(
    tmp_path: Path, database_url: str, first: str
) -> None:
    world = MeetingWorld(tmp_path / "syncd", database_url)
    world.begin()
    for login in ("denis", "emma"):
        world.add_user(login, auto_schedule=False)
    people = "\n".join(f"ATTENDEE:mailto:{login}@acme.example" for login in ("denis", "emma"))
    for login in world.servers:
        world.put(login, "teams", video("teams-1", "Point Teams", more=people))
    world.sync(first)
    world.settle()
    world.follow_up(OVER)
    world.settle()
    assert not world.later(minutes=1).wrote
    assert world.activities("subject, user_id") == [("Point Teams", 1)]
    assert len(world.forms()) == 1
    assert ["VTODO" in world.text(login) for login in ("claire", "denis", "emma")] == [True, False, False]
    world.close()


@pytest.fixture
def office(ews: EwsServer, radicale: RadicaleServer, tmp_path: Path, sqlite_url: str) -> Office:
    """Claire on Exchange, Denis on CalDAV, in one meeting with a client."""
    made = Office(ews, tmp_path / "syncd", sqlite_url, dav=radicale)
    made.add_user("claire")
    client = made.add_dav_user("denis")
    made.add_contact(made.add_account("Client SA"), ANNE)
    copy = video("m@acme.example", more="\n".join(INVITED[1:3]))
    account = made.dav_users["denis"]
    (calendar,) = client.members(radicale.home(account))
    client.put(f"{calendar}m.ics", copy)
    ref = made.meet(
        "claire", "Visio", paris(23, 10), uid="m@acme.example", organizer=CLAIRE,
        guests=(ANNE, "denis@acme.example"),
    )  # fmt: skip
    made.client("claire").edit(ref, IsOnlineMeeting="true", JoinOnlineMeetingUrl=LINK)
    return made


def test_a_meeting_on_exchange_and_on_caldav_has_its_form_in_the_organizer_s_task_list(
    office: Office,
) -> None:
    made = office
    made.settle()
    assert made.rows("SELECT count(*) FROM event") == [(1,)]
    follow_up(made, OVER)
    made.settle()
    (task,) = made.client("claire").tasks()
    assert task.text("Subject") == "Compte rendu : Visio"
    assert "Client SA" in task.text("Body")

    client = made.client("claire")
    body = task.text("Body")
    client.edit(client.id_of(task.item), Body=f"Offre à envoyer.\n\n{body}", Status="Completed")
    made.settle()
    follow_up(made, made.now + timedelta(minutes=1))
    assert made.rows("SELECT state, comments FROM activity") == [("VALIDATED", "Offre à envoyer.")]
    assert made.mailed == []


def follow_up(made: Office, at: datetime) -> None:
    made.now = at
    installation = made.open()
    try:
        assert not installation.meetings.run(at).failed
    finally:
        installation.close()
