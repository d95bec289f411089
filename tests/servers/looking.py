"""What a person sees who opens a database: by its driver alone.

Tests ask some ten thousand times. Through `Database` each question would first make an engine, which reads
the server's version and settings, and would cost ten times as much as the answer.
"""

import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

READ_ONLY = "-c default_transaction_read_only=on"

Rows = list[tuple[object, ...]]


class Look(Protocol):
    """Asks one question of an open database; named values are written as in :this."""

    def __call__(self, sql: str, values: Mapping[str, object] = ...) -> Rows: ...


@contextmanager
def opened(url: str) -> Iterator[Look]:
    """The database of that URL, for a few questions; nothing is changed by them."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=30)) as connection:
            yield lambda sql, values={}: connection.execute(sql, dict(values)).fetchall()
        return
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with closing(psycopg.connect(plain, options=READ_ONLY, autocommit=True)) as server:

        def ask(sql: str, values: Mapping[str, object] = {}) -> Rows:
            # As SQLAlchemy's text(): a colon that no other one stands before begins a name.
            named: Any = (
                re.sub(r"(?<![:\w]):(\w+)(?!:)", r"%(\1)s", sql.replace("%", "%%")) if values else sql
            )
            return server.execute(named, values or None).fetchall()

        yield ask
