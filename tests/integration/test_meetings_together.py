"""One video meeting in the calendars of several people, on servers of several kinds, is one activity with one
form (thread 12 of the complaints)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path

import pytest

from syncd.engine.report import CycleReport
from tests.servers.dovecot import Account, DovecotServer
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


@dataclass
class WithPost(Office):
    """Denis has his mail on an IMAP server."""

    imap: DovecotServer | None = None
    post: Account | None = None

    def write_config(self) -> Path:
        path = super().write_config()
        if self.imap is not None and self.post is not None:
            more = self.imap.table(self.imap.port).replace("servers.corp", "servers.post")
            box = self._mailbox("post", "denis", "post", self.post.username, self.post.password)
            box = box.replace('sync = ["calendar"]', 'sync = ["mail"]')
            path.write_text(f"{path.read_text()}\n{more}\n{box}")
        return path

    def sync(self, *names: str, dry_run: bool = False) -> dict[str, CycleReport]:
        every = [*self.owners, *self.dav_users, *(["post"] if self.post else [])]
        return super().sync(*(names or every), dry_run=dry_run)


def invitation(copy: bytes) -> bytes:
    """The mail by which Claire invited Denis and Anne (RFC 6047)."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"] = CLAIRE, f"denis@acme.example, {ANNE}"
    message["Subject"], message["Message-ID"] = "Invitation : Visio", "<invitation@acme.example>"
    message["Date"] = format_datetime(OVER - timedelta(days=2))
    message.set_content(f"Visio : {LINK}")
    request = copy.decode().replace("BEGIN:VEVENT", "METHOD:REQUEST\r\nBEGIN:VEVENT", 1)
    message.add_alternative(request, subtype="calendar", params={"method": "REQUEST"})
    return message.as_bytes()


@pytest.fixture
def office(ews: EwsServer, radicale: RadicaleServer, tmp_path: Path, sqlite_url: str) -> WithPost:
    """Claire on Exchange, Denis on CalDAV, in one meeting with a client."""
    made = WithPost(ews, tmp_path / "syncd", sqlite_url, dav=radicale)
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


@pytest.mark.parametrize("first", ["post", "claire", "denis"])
def test_a_meeting_that_came_as_an_invitation_by_mail_too_is_one_event_and_one_activity(
    office: WithPost, dovecot: DovecotServer, first: str
) -> None:
    made = office
    made.imap, made.post = dovecot, dovecot.add_user()
    copy = video("m@acme.example", more="\n".join(INVITED[1:3]))
    dovecot.deliver(made.post, "INBOX", invitation(copy))
    made.sync(first)
    made.settle()
    assert made.rows("SELECT count(*) FROM event") == [(1,)]
    assert made.rows("SELECT subject FROM email_message") == [("Invitation : Visio",)]
    for minutes in range(3):
        follow_up(made, OVER + timedelta(minutes=minutes))
        made.settle()
    assert made.rows("SELECT type, subject FROM activity ORDER BY type") == [
        ("EMAIL", "Invitation : Visio"),
        ("VIDEO_CALL", "Visio"),
    ]
    assert made.rows("SELECT state FROM meeting_report") == [("OFFERED",)]
    assert len(made.client("claire").tasks()) == 1
    assert not [item for item in made.dav_items("denis") if "VTODO" in item]
    assert made.mailed == []


def follow_up(made: Office, at: datetime) -> None:
    made.now = at
    installation = made.open()
    try:
        assert not installation.meetings.run(at).failed
    finally:
        installation.close()
