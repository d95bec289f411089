"""The table `[video]`: which links lead into a video meeting, the rooms of the company's own people, and what
becomes of meetings that are over.

The text below a field is its description in the JSON Schema and in messages.
"""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, field_validator

from config import rules
from config.types import Duration, LocalPath, Period, Section, Text

LOGIN = "{login}"


def _meeting_host(value: str) -> str:
    """A host, maybe "*." before it and a path behind. Raises ValueError."""
    host, _, path = value.partition("/")
    if not host or "://" in value:
        raise ValueError("write the host without https://, such as meet.acme.example or acme.example/visio")
    rules.host_name(host.removeprefix("*."))
    if any(char in path for char in " ?#*\\"):
        raise ValueError("behind the host only the beginning of a path may stand, such as acme.example/visio")
    return value


def _room(value: str) -> str:
    """A link of the web with {login} in it or not. Raises ValueError."""
    plain = value.replace(LOGIN, "login")
    if "{" in plain or "}" in plain:
        raise ValueError("only {login} may stand in braces")
    if not plain.lower().startswith("https://") or not plain[8:].strip("/") or " " in plain:
        raise ValueError("a link that begins with https:// is expected")
    return value


MeetingHost = Annotated[Text, AfterValidator(_meeting_host)]
RoomLink = Annotated[Text, AfterValidator(_room)]


class VideoProviders(Section):
    """More hosts of the providers that are known."""

    teams: tuple[MeetingHost, ...] = ()
    """Hosts of Microsoft Teams."""
    zoom: tuple[MeetingHost, ...] = ()
    """Hosts of Zoom."""
    meet: tuple[MeetingHost, ...] = ()
    """Hosts of Google Meet."""
    webex: tuple[MeetingHost, ...] = ()
    """Hosts of Webex."""


class Video(Section):
    """Video meetings, and the activities and forms that they become (table T8)."""

    hosts: tuple[MeetingHost, ...] = ()
    """Meeting servers of your own (Jitsi, BigBlueButton, ...); "*." before one for all below it."""
    providers: VideoProviders = VideoProviders()
    """More hosts of the providers that are known, such as a company's own name for Zoom."""
    link: RoomLink | None = None
    """The link of a video call made in the CRM where nobody gives one; {login} is its owner's."""

    grace: Duration = timedelta(minutes=5)
    """A meeting counts as ended so long after its end."""
    lookback: Duration = timedelta(hours=72)
    """Meetings that ended longer ago when they are first seen get an activity, and no form."""
    record_unlinked: bool = False
    """Record meetings that concern no account, contact or opportunity, too."""
    form: bool = True
    """Ask the owner for a report: a task in the owner's task list."""
    form_mail: bool = True
    """Put a message beside the task into the owner's own Inbox, which can be answered. Not where
    `direction = "to-crm"`."""
    due: Duration = timedelta(days=1)
    """The report is due so many whole days after the meeting."""
    remind: bool = True
    """Remind once, in the morning of the day after that."""
    auto_validate: Period | None = None
    """Let activities without a report enter the history after so long; by default they wait."""
    attendance: LocalPath | None = None
    """Where attendance reports are dropped; without it none are read. Relative to the config file."""

    @field_validator("hosts")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({one.lower() for one in value}) < len(value):
            raise ValueError("a host is listed twice")
        return value

    def places(self) -> tuple[tuple[str, str], ...]:
        """Every host with the name of its provider."""
        named = self.providers
        known = {"teams": named.teams, "zoom": named.zoom, "meet": named.meet, "webex": named.webex}
        listed = {**known, "other": self.hosts}
        return tuple((host, name) for name, hosts in listed.items() for host in hosts)
