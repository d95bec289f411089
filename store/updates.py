"""Changes of single rows, gathered and sent together: one statement for all that set the same columns.

Each statement of its own costs a millisecond of the object mapper; a cycle changes hundreds of rows.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from store.base import Base
from store.database import table
from store.errors import Stale

_ID, _VERSION = "syncd_id", "syncd_version"  # no column is called so


class Updates:
    """What is to change in one transaction. Nothing of it is in the database before `send`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._values: dict[tuple[type[Base], int], dict[str, Any]] = {}
        self._versions: dict[tuple[type[Base], int], int] = {}

    def set(
        self, model: type[Base], id_: int, values: Mapping[str, Any], *, version: int | None = None
    ) -> None:
        """Gives a row these values, by column name. With `version` only if that is the row's version still;
        the values say the next one."""
        key = model, id_
        if version is not None:
            if key in self._versions:
                self.send()  # the second finds what the first one left
            self._versions[key] = version
        self._values.setdefault(key, {}).update(values)

    def send(self) -> None:
        """Writes all of it. Raises Stale where a row has another version by now."""
        alike: dict[tuple[type[Base], frozenset[str], bool], list[dict[str, Any]]] = {}
        for key, values in self._values.items():
            model, id_ = key
            row = {**values, _ID: id_}
            if key in self._versions:
                row[_VERSION] = self._versions[key]
            alike.setdefault((model, frozenset(values), key in self._versions), []).append(row)
        self._values, self._versions = {}, {}
        for (model, _, versioned), rows in alike.items():
            columns = table(model).c
            statement = update(table(model)).where(columns.id == bindparam(_ID))
            if versioned:
                statement = statement.where(columns.version == bindparam(_VERSION))
            done = self._session.connection().execute(statement, rows)
            if versioned and done.rowcount != len(rows):
                raise Stale(f"of {len(rows)} rows of {model.__tablename__} some were changed at this moment")
