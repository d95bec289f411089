"""Fixtures that give a `World`."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from tests.servers.databases import NewDatabase
from tests.servers.mailserver import MailServer
from tests.servers.prepared import Prepared
from tests.servers.world import World


@pytest.fixture
def mail_server(request: pytest.FixtureRequest) -> MailServer:
    """Dovecot; for what is marked `on_both`, Exchange too."""
    server: MailServer = request.getfixturevalue(getattr(request, "param", "dovecot"))
    return server


on_both = pytest.mark.parametrize("mail_server", ["dovecot", "exchange"], indirect=True)
"""For tests that must hold whatever a mailbox speaks."""
on_exchange = pytest.mark.parametrize("mail_server", ["exchange"], indirect=True)
"""For tests of what only Exchange has."""


@pytest.fixture
def world(mail_server: MailServer, database_url: str, tmp_path: Path) -> World:
    """An empty company, once on SQLite and once on PostgreSQL."""
    return World(mail_server, tmp_path / "syncd", database_url)


@pytest.fixture
def lite_world(mail_server: MailServer, sqlite_url: str, tmp_path: Path) -> World:
    """An empty company on SQLite, for what cannot depend on the database."""
    return World(mail_server, tmp_path / "syncd", sqlite_url)


class PreparedWorld(Protocol):
    """A company with users on a copy of a database that `fill` has filled once, in a company like it."""

    def __call__(self, fill: Callable[[World], object], *logins: str) -> World: ...


@pytest.fixture
def prepared_world(mail_server: MailServer, prepared: Prepared, tmp_path: Path) -> PreparedWorld:
    """Once on SQLite and once on PostgreSQL. Only what is in the database is kept, no file and no mail."""

    def begun(folder: str, url: str, logins: Sequence[str]) -> World:
        made = World(mail_server, tmp_path / folder, url)
        for login in logins:
            made.add_user(login)
        made.write_config()
        return made

    def make(fill: Callable[[World], object], *logins: str) -> World:
        return begun("syncd", prepared.copy(fill, lambda url: fill(begun("first", url, logins))), logins)

    return make


@pytest.fixture
def sqlite_url(new_database: NewDatabase) -> str:
    """The URL of a SQLite database with all tables and no rows."""
    return new_database("sqlite")
