"""Databases that hold what many tests begin with: filled once a session, and copied for each of them.

Filling is what costs in a short test: a file that is imported takes ten times as long as a copy of what came
of it. Nothing else changes: each test has a database of its own, which nobody else writes to.
"""

import shutil
from collections.abc import Callable, Iterator

import pytest

from store.database import Database
from tests.servers.databases import NewDatabase, database_file, in_one_file
from tests.servers.postgres import PostgresServer


class Prepared:
    """Gives copies of filled databases of one kind. They are known by the name of what fills them, so what it
    writes may not depend on the test."""

    def __init__(
        self,
        request: pytest.FixtureRequest,
        kind: str,
        new: NewDatabase,
        filled: dict[tuple[str, ...], str],
    ) -> None:
        self._request = request
        self._kind = kind
        self._new = new
        self._filled = filled
        self.opened: list[Database] = []

    def copy(self, what: Callable[..., object], fill: Callable[[str], object]) -> str:
        """The URL of a copy of the database that `fill` was once called with the URL of; it leaves nothing
        open. The name of `what` is what the filled one is known by."""
        name = (self._kind, what.__module__, what.__qualname__)
        if name not in self._filled:
            url = self._lasting()
            fill(url)
            if url.startswith("sqlite"):
                in_one_file(database_file(url))
            self._filled[name] = url
        return self._new(self._kind, self._filled[name])

    def database(self, fill: Callable[[Database], object]) -> Database:
        """A copy of the database that this was called with once; it is closed with the test."""

        def filled(url: str) -> None:
            database = Database(url)
            try:
                fill(database)
            finally:
                database.close()

        made = Database(self.copy(fill, filled))
        self.opened.append(made)
        return made

    def _lasting(self) -> str:
        """The URL of a database with all tables and no rows that outlives the test."""
        if self._kind == "sqlite":
            folders: pytest.TempPathFactory = self._request.getfixturevalue("tmp_path_factory")
            path = folders.mktemp("prepared") / "crm.db"
            shutil.copyfile(self._request.getfixturevalue("sqlite_template"), path)
            return f"sqlite:///{path}"
        server: PostgresServer = self._request.getfixturevalue("postgres")
        return server.url(server.create(template=self._request.getfixturevalue("postgres_template")))


@pytest.fixture(scope="session")
def prepared_already() -> dict[tuple[str, ...], str]:
    """The URLs of the databases that were filled, by their kind and what filled them."""
    return {}


@pytest.fixture
def prepared(
    request: pytest.FixtureRequest,
    database_kind: str,
    new_database: NewDatabase,
    prepared_already: dict[tuple[str, ...], str],
) -> Iterator[Prepared]:
    """Copies of filled databases, once on SQLite and once on PostgreSQL."""
    made = Prepared(request, database_kind, new_database, prepared_already)
    yield made
    for database in made.opened:
        database.close()
