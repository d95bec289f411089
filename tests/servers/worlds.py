"""Fixtures that give a `World`."""

from pathlib import Path

import pytest

from tests.servers.databases import NewDatabase
from tests.servers.mailserver import MailServer
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


@pytest.fixture
def sqlite_url(new_database: NewDatabase) -> str:
    """The URL of a SQLite database with all tables and no rows."""
    return new_database("sqlite")
