"""New databases for a scenario: a file of SQLite, and a server of PostgreSQL where there is one."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from benchmarks.bench import Bench
from store.database import Database
from tests.servers.postgres import PostgresServer

Made = Callable[[Bench], AbstractContextManager[Database]]


def servers() -> list[tuple[str, Made]]:
    """What a scenario can be measured on, by name."""
    return [("SQLite", sqlite), *([("PostgreSQL", postgres)] if PostgresServer.available() else [])]


def analyze(database: Database) -> None:
    """What PostgreSQL's autovacuum does within a minute after rows were put in."""
    if not database.sqlite:
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")


@contextmanager
def sqlite(bench: Bench) -> Iterator[Database]:
    """A new, empty CRM in a file."""
    directory = bench.new_directory()
    directory.mkdir(exist_ok=True)
    yield from _migrated(f"sqlite:///{directory / 'crm.db'}")


@contextmanager
def postgres(_: Bench) -> Iterator[Database]:
    """The same on a server of its own."""
    with PostgresServer() as server:
        yield from _migrated(server.url(server.create()))


def _migrated(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        database.upgrade()
        yield database
    finally:
        database.close()
