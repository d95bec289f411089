"""A calendar of an Exchange server for the contract suite: what it holds is told in the lines of iCalendar,
which the suite speaks; it is written and read by the server's own other client, not by the connector."""

from datetime import UTC, date, datetime, time, timedelta
from xml.etree.ElementTree import Element
from zoneinfo import ZoneInfo

from connectors.ews.access import EwsAccess, Password
from connectors.ews.calendar.client import EwsCalendarConnector
from connectors.ews.calendar.xml import PROPERTY_SET
from connectors.protocol import CalendarConnector
from tests.servers.calendars import NOW, World
from tests.servers.ews.errors import EwsError
from tests.servers.ews.other_client import OtherClient, Value, extended_uri
from tests.servers.ews.server import EwsServer

OWNER = "claire@acme.example"
PARIS = "Europe/Paris"
_TEXTS = {"SUMMARY": "Subject", "LOCATION": "Location"}
_STRUCTURE = frozenset(
    "BEGIN END UID DTSTAMP DTSTART DUE TZID VERSION PRODID TRIGGER ACTION DESCRIPTION"
    " TZOFFSETFROM TZOFFSETTO".split()
)


class EwsWorld(World):
    """On the EWS server of the tests, in a folder that can be removed."""

    kinds = ("VEVENT",)
    by_path = False

    def __init__(self, server: EwsServer) -> None:
        self.server = server
        self.password = server.add_mailbox(OWNER)
        self.other = OtherClient(server, OWNER)
        self.calendar = self.add_calendar("Agenda", ("VEVENT",))
        self._named: dict[str, str] = {}
        self._tasks = self.add_calendar("Tâches", ("VTODO",))

    def connector(self) -> CalendarConnector:
        return self.connector_with(self.password)

    def connector_with(self, password: str) -> CalendarConnector:
        """Logging in with that password."""
        access = EwsAccess(
            OWNER,
            Password(OWNER, lambda: password, "basic"),
            url=self.server.url,
            ca_file=self.server.ca_file,
            timeout=timedelta(seconds=10),
        )
        return EwsCalendarConnector(access, zone=PARIS, clock=lambda: NOW)

    def add_calendar(self, name: str, kinds: tuple[str, ...] = ("VEVENT", "VTODO")) -> str:
        folder_class = "IPF.Task" if kinds == ("VTODO",) else "IPF.Appointment"
        return self.other.add_folder(name, "calendar", folder_class)

    def home_of(self, kind: str) -> str:
        return self._tasks if kind == "VTODO" else self.calendar

    def name_of(self, ref: str) -> str:
        return ref

    def put(self, name: str, source: bytes) -> str:
        lines = source.decode().split("\r\n")
        fields = _fields(lines)
        known = self._named.get(name, name)
        if known in self.refs():
            self.other.edit(known, Subject=fields["Subject"])
            return known
        ref = self._named[name] = self._made(lines, fields)
        return ref

    def _made(self, lines: list[str], fields: dict[str, Value]) -> str:
        if "BEGIN:VTODO" in lines:
            uid = fields.pop("UID")
            ref = self.other.add_task(
                str(fields.pop("Subject")), folder="Tâches", DueDate="2026-12-02T00:00:00Z"
            )
            self.other.set_extended(ref, _own("uid"), str(uid))
            return ref
        start = datetime.combine(date(2026, 12, 1), time(10), ZoneInfo(PARIS)).astimezone(UTC)
        subject = str(fields.pop("Subject"))
        ref = self.other.add_event(
            subject, start, start, folder="Agenda", zone="Romance Standard Time", **fields
        )
        for line in lines:
            head, _, value = line.partition(":")
            if head.split(";")[0] not in {*_STRUCTURE, *_TEXTS} and value:
                self.other.set_extended(ref, _public(head), value)
        return ref

    def get(self, ref: str) -> bytes | None:
        try:
            target = self.other.target(ref)
        except EwsError:
            return None
        lines = ["BEGIN:VEVENT", *(f"{name}:{target.text(field)}" for name, field in _TEXTS.items())]
        lines += [f"{path.name}:{value}" for path, value in self.other.extended(ref).items()]
        return "\r\n".join(lines).encode()

    def remove(self, ref: str) -> None:
        if ref == self.calendar:
            self.server.store.remove_folder(self.other.folder("Agenda"))
        else:
            self.other.delete(ref)

    def refs(self) -> set[str]:
        return {self.other.id_of(one.item) for one in self.other.items("Agenda")}

    def close(self) -> None:
        """The server goes as a whole."""


def _fields(lines: list[str]) -> dict[str, Value]:
    found: dict[str, Value] = {"ReminderIsSet": "false"}
    for line in lines:
        head, _, value = line.partition(":")
        if head in _TEXTS:
            found[_TEXTS[head]] = value.replace(r"\;", ";").replace(r"\,", ",")
        elif head == "UID":
            found["UID"] = value
        elif head == "TRIGGER":
            found |= {"ReminderIsSet": "true", "ReminderMinutesBeforeStart": value.removeprefix("-PT")[:-1]}
    return found


def _own(name: str) -> Element:
    return extended_uri(PROPERTY_SET, name)


def _public(name: str) -> Element:
    return extended_uri("00020329-0000-0000-c000-000000000046", name)
