"""What one database has compiled serves the others of its kind too.

SQLAlchemy keeps compiled statements by engine. A service has one engine and compiles each statement once;
tests open thousands, and would spend a third of their time on it. Only that is shared: a statement with
other columns, other values in its text or another kind of database is compiled as ever.
"""

from collections.abc import MutableMapping
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

ENOUGH = 5000  # statements: more than the product has


class _Shared:
    """Stands for the cache of one engine; its keys begin with the engine's dialect, which is its own."""

    def __init__(self) -> None:
        self._kept: MutableMapping[Any, Any] = LRUCache(ENOUGH)

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return self._kept.get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: tuple[Any, ...], compiled: Any) -> None:
        self._kept[key[0].name, *key[1:]] = compiled


_SHARED = _Shared()


def share() -> None:
    """From now on, for the rest of this process's life."""

    @event.listens_for(Engine, "engine_connect")
    def _(connection: Connection) -> None:
        connection.engine._compiled_cache = _SHARED  # type: ignore[assignment]  # of what is asked of it


share()
