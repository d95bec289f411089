"""The database behind the CRM: connections, transactions, schema version.

SQLite is used in WAL mode with foreign keys on and full durability; writers queue up at BEGIN IMMEDIATE
instead of failing in the middle. PostgreSQL is used as it comes.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, make_url, text
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from store.base import Base
from store.errors import SchemaMismatch, Stale, StoreError
from store.rights import DEFAULT, RIGHTS

if TYPE_CHECKING:
    from alembic.config import Config

SCHEMA = "0016"  # the newest migration; Alembic, which could tell, takes a tenth of a second to load

Transaction = Session  # what `read` and `write` give, for those who may not import SQLAlchemy

LOST_THE_RACE = frozenset({"40001", "40P01"})  # serialization failure, deadlock (PostgreSQL, appendix A)
WRITE = "syncd_write"  # execution option: this transaction will write


class Database:
    """One CRM. Safe to use from many threads, each with its own session."""

    def __init__(
        self, url: str, *, busy_timeout: timedelta = timedelta(seconds=30), pool_size: int = 10
    ) -> None:
        parsed = make_url(url)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        if self.sqlite:
            self.engine = create_engine(
                parsed,
                connect_args={"timeout": busy_timeout.total_seconds()},
                json_serializer=_json,
                hide_parameters=True,  # an error must not carry a subject into a report
            )
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                parsed,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_pre_ping=True,
                hide_parameters=True,
            )
        self.rights = DEFAULT  # who may do what: every session carries it, so that no path forgets it
        self._writing: Engine = self.engine.execution_options(**{WRITE: True})
        # SQLite's readers see one state anyway; PostgreSQL's would see a new one with each query.
        self._reading = (
            self.engine if self.sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the database and writes nothing."""
        with told(), Session(self._reading, info={RIGHTS: self.rights}) as session:
            yield session

    @contextlib.contextmanager
    def look(self) -> Iterator[Connection]:
        """As `read`, without the object mapper: for what every cycle asks for, though nothing is new."""
        with told(), self._reading.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end, or not at all."""
        with told(), Session(self._writing, info={RIGHTS: self.rights}) as session, session.begin():
            yield session

    def close(self) -> None:
        """Closes every idle connection."""
        self.engine.dispose()

    # --- schema ---------------------------------------------------------------------------------

    def revision(self) -> str | None:
        """The migration that the tables are at; None for an empty database."""
        with told(), self.engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            revision = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return None if revision is None else str(revision)

    def check_schema(self) -> None:
        """Raises SchemaMismatch unless the tables are those of this program."""
        found, needed = self.revision(), SCHEMA
        if found == needed:
            return
        if found is None:
            raise SchemaMismatch("the database has no tables yet: run `syncd db upgrade`")
        from alembic.script import ScriptDirectory

        known = {script.revision for script in ScriptDirectory.from_config(self._alembic()).walk_revisions()}
        if found not in known:
            raise SchemaMismatch(
                f"the database was written by a newer syncd (schema {found}, this one needs {needed}): "
                "install that version again"
            )
        raise SchemaMismatch(
            f"the database is at schema {found}, this syncd needs {needed}: run `syncd db upgrade`"
        )

    def upgrade(self) -> None:
        """Brings the tables to what this program needs; each migration is one transaction."""
        from alembic import command

        with told(), self._writing.begin() as connection:
            config = self._alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _alembic(self) -> "Config":
        from alembic.config import Config

        config = Config()
        # Alembic treats % as interpolation in its options.
        config.set_main_option(
            "script_location", str(Path(__file__).parent / "migrations").replace("%", "%%")
        )
        config.set_main_option("path_separator", "os")
        return config


def reserve_ids(session: Session, model: type[Base], count: int) -> Sequence[int]:
    """`count` fresh ids of a table, ascending, so that rows can be written in bulk with their references.

    On SQLite the writing transaction already excludes every other writer; PostgreSQL's sequence serves
    many at once.
    """
    name = model.__tablename__
    if session.get_bind().dialect.name == "sqlite":
        first = session.scalar(text(f'SELECT coalesce(max(id), 0) + 1 FROM "{name}"')) or 1
        return range(first, first + count)
    sequence = f"pg_get_serial_sequence('\"{name}\"', 'id')"
    return session.scalars(
        text(f"SELECT nextval({sequence}) FROM generate_series(1, :n)"), {"n": count}
    ).all()


def table(model: type[Base]) -> Table:
    """The table behind a model."""
    return Base.metadata.tables[model.__tablename__]


def bulk(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Inserts many rows, by column name, without the object mapper: four times faster, the same types."""
    if rows:
        session.connection().execute(insert(table(model)), rows)


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _json(value: object) -> str:
    """Lists of addresses as a person reads them; most of them are empty."""
    return _ENCODER.encode(value) if value else "[]" if isinstance(value, list | tuple) else json.dumps(value)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = (
        None  # transactions begin where `_begin_sqlite` says, not where the driver guesses
    )
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "temp_store=MEMORY",
        "wal_autocheckpoint=4000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    immediate = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turns what the driver says of a database out of reach into a StoreError that a person can use."""
    try:
        yield
    except IntegrityError as error:
        # Two processes stored the same thing, or one deleted what the other referred to.
        raise Stale(f"somebody else wrote at the same time, try again: {_first_line(error)}") from error
    except DatabaseError as error:
        if getattr(error.orig, "sqlstate", None) in LOST_THE_RACE:
            raise Stale(f"somebody else wrote at the same time, try again: {_first_line(error)}") from error
        if isinstance(error, DataError):
            raise StoreError(f"the database refuses a value: {_first_line(error)}") from error
        # Beside OperationalError the bare kind: "file is not a database". The others are defects of ours.
        if not isinstance(error, OperationalError) and type(error) is not DatabaseError:
            raise
        raise StoreError(f"the database cannot be used: {_first_line(error)}") from error


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
