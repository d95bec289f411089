"""The databases that a CRM can be kept in, and the schema in them."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import inspect, text

from store.audit_log import AuditLog, Channel
from store.database import Database
from store.errors import SchemaMismatch
from store.tables import METADATA

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def test_migrations_make_the_tables_that_the_models_describe(database: Database) -> None:
    inspector = inspect(database.engine)

    made = {name: {c["name"] for c in inspector.get_columns(name)} for name in inspector.get_table_names()}
    made.pop("alembic_version")

    assert made == {table.name: {c.name for c in table.columns} for table in METADATA.sorted_tables}


def test_an_empty_database_is_refused_with_the_command_that_mends_it(blank_database_url: str) -> None:
    database = Database(blank_database_url)

    with pytest.raises(SchemaMismatch, match="syncd db upgrade"):
        database.check_schema()
    database.upgrade()
    database.check_schema()
    database.close()


def test_a_database_of_a_newer_program_is_refused(database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaMismatch, match="newer syncd"):
        database.check_schema()


def test_what_is_written_in_a_transaction_that_fails_is_not_there(database: Database) -> None:
    entry = AuditLog(at=NOW, actor="x", entity="test", entity_id=None, change={}, channel=Channel.CLI)

    def fail() -> None:
        with database.write() as session:
            session.add(entry)
            session.flush()
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()

    with database.read() as session:
        assert session.query(AuditLog).count() == 0
