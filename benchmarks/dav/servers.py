"""Calendars on real servers, loaded past HTTP: both servers slow down as a collection grows.

The files are those that the servers would have written themselves.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dulwich import porcelain

from benchmarks.dav.agenda import Event
from tests.servers.dovecot import Account
from tests.servers.plain_dav import PlainDav
from tests.servers.radicale import RadicaleServer
from tests.servers.xandikos import XandikosServer


@dataclass(frozen=True, slots=True)
class Collection:
    """One calendar, and how to get at it."""

    port: int
    path: str
    account: Account
    home: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    @property
    def client(self) -> PlainDav:
        """The owner's own client."""
        return PlainDav(self.port, self.account)


class Server(Protocol):
    """A CalDAV server of this machine."""

    name: str

    def new(self) -> Collection:
        """A new, empty calendar: the only one of its home, where the server has users."""
        ...

    def load(self, collection: Collection, events: Iterable[Event]) -> None:
        """Puts the events into the calendar, over what has the same name."""
        ...

    def close(self) -> None:
        """Ends it and removes everything."""
        ...


class Radicale:
    """A folder of files a calendar."""

    name = "Radicale"

    def __init__(self) -> None:
        self._server = RadicaleServer()
        self._server.start()

    def new(self) -> Collection:
        """A calendar of a new user."""
        account = self._server.add_user()
        home = self._server.home(account)
        path = self._server.as_other_client(account).make_calendar(home, "Agenda", ("VEVENT",))
        return Collection(self._server.port, path, account, home)

    def load(self, collection: Collection, events: Iterable[Event]) -> None:
        """As files."""
        folder = self._server.base / "collections" / "collection-root" / collection.path.strip("/")
        _write(folder, events)

    def close(self) -> None:
        """Ends it and removes everything."""
        self._server.close()


class Xandikos:
    """A git repository a calendar."""

    name = "Xandikos"

    def __init__(self) -> None:
        self._server = XandikosServer()
        self._server.start()

    def new(self) -> Collection:
        """One more calendar of the only user."""
        path = self._server.as_other_client().make_calendar(self._server.home, "Agenda", ("VEVENT",))
        return Collection(self._server.port, path, Account("user", "unused"), self._server.home)

    def load(self, collection: Collection, events: Iterable[Event]) -> None:
        """As one commit."""
        folder = self._server.base / "data" / collection.path.strip("/")
        names = _write(folder, events)
        porcelain.add(str(folder), [str(folder / name) for name in names])
        author = b"Example <client@acme.example>"
        porcelain.commit(str(folder), message=b"Loaded.", author=author, committer=author)

    def close(self) -> None:
        """Ends it and removes everything."""
        self._server.close()


KINDS = (Xandikos, Radicale)


def _write(folder: Path, events: Iterable[Event]) -> list[str]:
    names = []
    for event in events:
        (folder / event.name).write_bytes(event.text)
        names.append(event.name)
    return names
