"""What happens between two steps of a cycle, at a moment that the test chooses."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, event

from store.database import WRITE


@contextmanager
def before_writing(engine: Engine, ready: Callable[[], bool], work: Callable[[], None]) -> Iterator[None]:
    """Does `work`, once, right before this thread's first transaction that writes while `ready` holds; fails
    where there is none."""
    mine, done = threading.get_ident(), threading.Event()

    def connects(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITE, False)
        if writes and not done.is_set() and threading.get_ident() == mine and ready():
            done.set()
            work()

    event.listen(engine, "engine_connect", connects)
    try:
        yield
    finally:
        event.remove(engine, "engine_connect", connects)
    assert done.is_set(), "nothing was written"
