"""Two processes that put accounts below each other at the same moment make no circle."""

import multiprocessing
import time
from datetime import date
from multiprocessing.connection import Connection

from sqlalchemy import text
from sqlalchemy.orm import Session

from store.csvfile import Line, Refused
from store.database import Database
from store.importing import Occasion
from store.kinds import KINDS
from syncd.engine import records
from tests.integration.test_statuses import ADMIN, NOON

PATIENCE = 60.0  # seconds
OCCASION = Occasion(ADMIN, NOON, date(2026, 11, 22), "test.csv")


def put(session: Session, *rows: dict[str, str]) -> None:
    lines = [Line(number, row) for number, row in enumerate(rows, 2)]
    records.save(session, KINDS["accounts"], lines, OCCASION)


def other(url: str, told: Connection) -> None:
    """A process of its own, which puts B below A."""
    database = Database(url)
    try:
        with database.write() as session:
            told.send("begun")
            put(session, {"ext_id": "B", "parent": "A"})
        told.send("done")
    except Refused as error:
        told.send(error.faults[0].message)
    finally:
        database.close()


def test_a_below_b_and_b_below_a_at_the_same_moment(database: Database, database_url: str) -> None:
    with database.write() as session:
        put(session, *({"ext_id": one, "name": one, "type": "groupe"} for one in "AB"))
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    process = spawn.Process(target=other, args=(database_url, theirs))
    with database.write() as session:
        put(session, {"ext_id": "A", "parent": "B"})
        # This transaction is not over when the other one begins.
        process.start()
        if not database.sqlite:  # there is nothing to see of who waits for a file
            assert mine.poll(PATIENCE)
            assert mine.recv() == "begun"
            wait_until_it_waits(database)
    told = [mine.recv() for _ in range(2 if database.sqlite else 1) if mine.poll(PATIENCE)]
    process.join(PATIENCE)
    assert (process.exitcode, told[-1]) == (0, "would make the account its own parent")
    with database.read() as session:
        rows = session.execute(text("SELECT ext_id, parent_id IS NULL FROM account ORDER BY id")).all()
    assert [(row[0], bool(row[1])) for row in rows] == [("A", False), ("B", True)]


def wait_until_it_waits(database: Database) -> None:
    """For somebody who waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with database.read() as session:
            if session.scalar(waiting):
                return
        time.sleep(0.02)
    raise AssertionError("the other process does not wait")
