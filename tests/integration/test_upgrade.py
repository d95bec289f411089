"""An installation of the former version is brought up to date with everything in it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import JSON, Boolean, DateTime, Integer, MetaData, Table, create_engine, insert, select, text

from store.database import Database
from tests.servers.databases import NewDatabase

# Columns whose value a constraint looks at.
CHOSEN: dict[tuple[str, str], object] = {
    ("opportunity", "status"): "OPEN",
    ("case_file", "scope"): "GENERAL",
    ("case_file", "account_id"): None,
}


def filled(table: Table) -> dict[str, object]:
    """One row, every column of it."""
    row: dict[str, object] = {}
    for column in table.columns:
        kind = column.type
        if (table.name, column.name) in CHOSEN:
            row[column.name] = CHOSEN[table.name, column.name]
        elif isinstance(kind, JSON) or "JSON" in str(kind).upper():
            row[column.name] = []
        elif isinstance(kind, Boolean) or str(kind).upper() == "BOOLEAN":
            row[column.name] = True
        elif isinstance(kind, DateTime) or "TIMESTAMP" in str(kind).upper():
            row[column.name] = datetime(2026, 11, 1, tzinfo=UTC)
        elif str(kind).upper() == "DATE":
            row[column.name] = datetime(2026, 11, 1, tzinfo=UTC).date()
        elif isinstance(kind, Integer) or str(kind).upper().startswith("NUMERIC"):
            row[column.name] = 1
        else:
            row[column.name] = "x"
    return row


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_tables_of_mail_keep_every_row_and_every_reference(
    kind: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}" if kind == "sqlite" else new_database(kind)
    database = Database(url)
    try:
        if not database.sqlite:
            with database._writing.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        with database._writing.begin() as connection:
            config = database._alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        before = fill(url)
        assert len(before) > 15

        database.upgrade()

        database.check_schema()
        assert everything(url, list(before)) == before
        with database.read() as session:
            broken = session.execute(text("PRAGMA foreign_key_check")).all() if database.sqlite else []
        assert broken == []
    finally:
        database.close()


def fill(url: str) -> dict[str, int]:
    """A row in every table; returns how many there are."""
    engine = create_engine(url)
    try:
        metadata = MetaData()
        metadata.reflect(engine)
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                if table.name != "alembic_version":
                    connection.execute(insert(table), [filled(table)])
        names = [table.name for table in metadata.sorted_tables if table.name != "alembic_version"]
    finally:
        engine.dispose()
    return everything(url, names)


def everything(url: str, names: list[str]) -> dict[str, int]:
    """The number of rows, by table."""
    engine = create_engine(url)
    try:
        metadata = MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            return {name: len(connection.execute(select(metadata.tables[name])).all()) for name in names}
    finally:
        engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_statuses_of_opportunities_become_items_and_a_companys_own_list_stays(
    kind: str, new_database: NewDatabase, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}" if kind == "sqlite" else new_database(kind)
    database = Database(url)
    try:
        if not database.sqlite:
            with database._writing.begin() as connection:
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        with database._writing.begin() as connection:
            config = database._alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "0009")
            for id_, status in ((1, "OPEN"), (2, "WON"), (3, "LOST")):
                closed = "NULL" if status == "OPEN" else "'2026-01-01'"
                connection.execute(
                    text(
                        "INSERT INTO opportunity "
                        "(id, title, status, closed_on, created_at, updated_at, version) "
                        f"VALUES ({id_}, 'x', '{status}', {closed}, '2026-01-01 00:00:00', "
                        "'2026-01-01 00:00:00', 1)"
                    )
                )
            connection.execute(
                text(
                    'INSERT INTO value_list_item (list_code, code, label, "order", active, is_default) '
                    "VALUES ('order_status', 'received', '{\"fr\": \"À moi\"}', 0, true, true), "
                    "('case_file_type', 'mine', '{}', 0, true, false)"
                )
            )

        database.upgrade()

        database.check_schema()
        with database.read() as session:
            rows = session.execute(
                text(
                    "SELECT o.status, i.code, i.flag FROM opportunity o "
                    "JOIN value_list_item i ON i.id = o.status_id ORDER BY o.id"
                )
            ).all()
            mine = session.execute(
                text(
                    "SELECT label, is_default, branch_ids FROM value_list_item "
                    "WHERE list_code = 'order_status' AND code = 'received'"
                )
            ).all()
            defaults = session.scalar(
                text("SELECT count(*) FROM value_list_item WHERE list_code = 'order_status' AND is_default")
            )
        assert [tuple(row) for row in rows] == [
            ("OPEN", "open", "open"), ("WON", "won", "won"), ("LOST", "lost", "lost"),
        ]  # fmt: skip
        assert len(mine) == 1
        assert "moi" in str(mine[0][0])
        assert defaults == 1
        with database.read() as session:
            query = "SELECT code, flag FROM value_list_item WHERE list_code = '{}' ORDER BY \"order\", id"
            own = session.execute(text(query.format("case_file_type"))).all()
            types = session.execute(text(query.format("activity_type"))).all()
        assert [tuple(row) for row in own] == [("mine", None)], "a company's own list stays what it is"
        assert [row[0] for row in types] == [row[1] for row in types]
        assert len(types) == 6
    finally:
        database.close()
