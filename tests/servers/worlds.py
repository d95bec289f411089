"""Fixtures that give a `World`."""

from pathlib import Path

import pytest

from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.world import World


@pytest.fixture
def world(dovecot: DovecotServer, database_url: str, tmp_path: Path) -> World:
    """An empty company, once on SQLite and once on PostgreSQL."""
    return World(dovecot, tmp_path / "syncd", database_url)


@pytest.fixture
def lite_world(dovecot: DovecotServer, sqlite_url: str, tmp_path: Path) -> World:
    """An empty company on SQLite, for what cannot depend on the database."""
    return World(dovecot, tmp_path / "syncd", sqlite_url)


@pytest.fixture
def sqlite_url(new_database: NewDatabase) -> str:
    """The URL of a SQLite database with all tables and no rows."""
    return new_database("sqlite")
