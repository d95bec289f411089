"""A company whose users are asked for their reports by mail: meetings that are over, and mailboxes on a real
server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime

from connectors.model import RawMessage
from syncd.engine.meetings.sync import MeetingsReport
from tests.servers.desk import Desk
from tests.servers.world import World

MEETING = "2026-11-23T10:00"
OVER = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LINK = "https://meet.google.com/abc-defg-hij"
ANNE = "anne@client.example"


@dataclass
class FormWorld(World):
    """One account with one contact; users whose calendars no server holds."""

    account: int = 0

    def begin(self, *logins: str) -> None:
        """These users with their mailboxes, and the client's account."""
        self.account = self.add_account("Client SA")
        self.add_contact(self.account, ANNE)
        for login in logins or ("claire",):
            self.add_user(login)
            self.mailbox_keys.setdefault(login, 'sync = ["mail"]')

    def hold(self, login: str = "claire", subject: str = "Visio") -> None:
        """A video meeting with Anne, and it is over."""
        Desk(self, login).add(subject, MEETING, video_url=LINK, participants=(ANNE,))
        self.follow_up()

    def follow_up(self) -> MeetingsReport:
        """What the service does each minute."""
        self.now = max(self.now, OVER) + timedelta(minutes=1)
        installation = self.open()
        try:
            return installation.meetings.run(self.now)
        finally:
            installation.close()

    def messages(self, login: str = "claire", folder: str = "INBOX") -> list[EmailMessage]:
        """What lies in a folder of the user's, oldest first."""
        installation = self.open()
        try:
            with installation.connect(login) as connector:
                uids = connector.uids(folder)
                found = {one.uid: bytes(one.content) for one in connector.bodies(folder, uids)
                         if isinstance(one, RawMessage)}  # fmt: skip
        finally:
            installation.close()
        assert len(found) == len(uids)
        return [message_from_bytes(found[uid], policy=policy.default) for uid in sorted(found)]

    def form(self, login: str = "claire") -> EmailMessage:
        """The only message in the user's Inbox that asks for a report."""
        (found,) = [one for one in self.messages(login) if "[CR-" in str(one["Subject"])]
        return found

    def reports(self, columns: str = "state, channel, comments") -> list[tuple[object, ...]]:
        return self.rows(f"SELECT {columns} FROM meeting_report ORDER BY id")


def reply(
    original: EmailMessage,
    text: str,
    *,
    number: int = 1,
    sender: str = "claire@acme.example",
    cc: Sequence[str] = (),
    at: datetime = OVER,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """What a mail client sends as an answer to everybody whom a message names."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = ", ".join(everybody(original))
    if cc:
        message["Cc"] = ", ".join(cc)
    message["Subject"] = (headers or {}).get("Subject", f"Re: {original['Subject']}")
    message["Date"] = format_datetime(at + timedelta(minutes=number))
    message["Message-ID"] = f"<reply-{number}@acme.example>"
    message["In-Reply-To"] = message["References"] = str(original["Message-ID"])
    for name, value in (headers or {}).items():
        if name != "Subject":
            message[name] = value
    quoted = "".join(f"> {line}\n" for line in original.get_content().splitlines())
    intro = "Le 23 nov. 2026 à 14:00, Claire <claire@acme.example> a écrit :"
    message.set_content(f"{text}\n\n{intro}\n\n{quoted}")
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def everybody(message: EmailMessage) -> list[str]:
    """Whom a client's "answer to all" is addressed to."""
    fields = ("Reply-To", "From", "To", "Cc")
    values = [str(value) for name in fields for value in message.get_all(name, [])]
    return sorted({address.strip() for value in values for address in value.split(",")})
