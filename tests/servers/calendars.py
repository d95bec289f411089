"""Calendars of the tests, seen from behind and through a connector: in memory, on Radicale, on Xandikos."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

from connectors.calendar import Component, Item, Kind, Timing, When
from connectors.dav.access import DavAccess, Password
from connectors.dav.client import DavConnector
from connectors.protocol import CalendarConnector
from connectors.testing_calendar import MemoryCalendar, MemoryCalendarConnector
from tests.servers.dovecot import Account
from tests.servers.plain_dav import PlainDav
from tests.servers.radicale import RadicaleServer
from tests.servers.xandikos import XandikosServer

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def ics(uid: str, subject: str = "Visite", *extra: str, kind: str = "VEVENT") -> bytes:
    """A resource as another client would write it; `extra` are further lines."""
    start = "DTSTART;TZID=Europe/Paris:20261201T100000" if kind == "VEVENT" else "DUE;VALUE=DATE:20261202"
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Other//Client//EN"),
        *("BEGIN:VTIMEZONE", "TZID:Europe/Paris", "BEGIN:STANDARD", "DTSTART:19701025T030000"),
        *("TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD", "END:VTIMEZONE"),
        *(f"BEGIN:{kind}", f"UID:{uid}", "DTSTAMP:20261101T080000Z", start, f"SUMMARY:{subject}"),
        *extra,
        *(f"END:{kind}", "END:VCALENDAR", ""),
    ]
    return "\r\n".join(lines).encode()


def event(uid: str, subject: str = "Visite", *, hour: int = 10) -> Item:
    """An event of an hour in Paris."""
    start = When(datetime(2026, 12, 1, hour), "Europe/Paris")  # noqa: DTZ001 - wall-clock time
    end = When(datetime(2026, 12, 1, hour + 1), "Europe/Paris")  # noqa: DTZ001
    return Item(uid, Kind.EVENT, (Component(Timing(start, end), subject=subject),))


class World(ABC):
    """A server with one mailbox and an empty calendar in it, and how to connect to it."""

    calendar: str  # its ref
    kinds: tuple[str, ...] = ("VEVENT", "VTODO")  # what that calendar takes
    by_path = True  # a ref is a path below the calendar's, and what a server holds are the bytes of iCalendar

    def home_of(self, kind: str) -> str:
        """The ref of the calendar for that kind."""
        return self.calendar

    def name_of(self, ref: str) -> str:
        """The name under which `put` writes that resource again."""
        return ref.rsplit("/", 1)[1]

    @abstractmethod
    def connector(self) -> CalendarConnector: ...

    @abstractmethod
    def add_calendar(self, name: str, kinds: tuple[str, ...] = ("VEVENT", "VTODO")) -> str:
        """Another one; returns its ref."""

    @abstractmethod
    def put(self, name: str, source: bytes) -> str:
        """Another client writes the resource of that file name, new or changed. Returns its ref."""

    @abstractmethod
    def get(self, ref: str) -> bytes | None: ...

    @abstractmethod
    def remove(self, ref: str) -> None:
        """Another client deletes a resource, or a calendar."""

    @abstractmethod
    def refs(self) -> set[str]:
        """Everything in the calendar."""

    @abstractmethod
    def close(self) -> None:
        """Removes what the test made."""


@dataclass
class DavWorld(World):
    """On a real server."""

    url: str
    account: Account
    other: PlainDav
    home: str
    use_sync: bool = True

    def __post_init__(self) -> None:
        self.calendar = self.add_calendar("Agenda")

    def connector(self) -> CalendarConnector:
        return DavConnector(self.access(), clock=lambda: NOW)

    def access(self, password: str | None = None) -> DavAccess:
        secret = self.account.password if password is None else password
        return DavAccess(
            self.url,
            self.account.username,
            Password(lambda: secret),
            timeout=timedelta(seconds=10),
            use_sync=self.use_sync,
        )

    def add_calendar(self, name: str, kinds: tuple[str, ...] = ("VEVENT", "VTODO")) -> str:
        return self.other.make_calendar(self.home, name, kinds)

    def put(self, name: str, source: bytes) -> str:
        self.other.put(self.calendar + name, source)
        return self.calendar + name

    def get(self, ref: str) -> bytes | None:
        return self.other.get(ref)

    def remove(self, ref: str) -> None:
        self.other.delete(ref)

    def refs(self) -> set[str]:
        return {unquote(href) for href in self.other.members(self.calendar)}

    def close(self) -> None:
        self.other.request("DELETE", self.calendar)


class MemoryWorld(World):
    """In memory."""

    def __init__(self, *, use_sync: bool = True) -> None:
        self.server = MemoryCalendar()
        self.server.syncs = use_sync
        self.calendar = "/calendar/"

    def connector(self) -> CalendarConnector:
        return MemoryCalendarConnector(self.server, clock=lambda: NOW)

    def add_calendar(self, name: str, kinds: tuple[str, ...] = ("VEVENT", "VTODO")) -> str:
        ref = f"/{name}/"
        self.server.add_calendar(ref, name, kinds=frozenset(Kind(kind) for kind in kinds))
        return ref

    def put(self, name: str, source: bytes) -> str:
        return self.server.put(self.calendar, source, self.calendar + name)

    def get(self, ref: str) -> bytes | None:
        return self.server.sources(self.calendar).get(ref)

    def remove(self, ref: str) -> None:
        if ref.endswith("/"):
            self.server.remove_calendar(ref)
        else:
            self.server.remove(ref)

    def refs(self) -> set[str]:
        return set(self.server.sources(self.calendar))

    def close(self) -> None:
        """Memory forgets by itself."""


def radicale_world(server: RadicaleServer, *, use_sync: bool) -> DavWorld:
    """A new user of a Radicale."""
    account = server.add_user()
    return DavWorld(server.url, account, server.as_other_client(account), server.home(account), use_sync)


def xandikos_world(server: XandikosServer, *, use_sync: bool) -> DavWorld:
    """A new calendar of the user of a Xandikos, which asks for no password."""
    return DavWorld(server.url, Account("user", "unused"), server.as_other_client(), server.home, use_sync)
