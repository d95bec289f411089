"""Killed at every step of a cycle of calendars on Exchange: both sides, and what was mailed, are as an
uninterrupted run leaves them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from syncd.engine.calendar.intents import WORKED_ON
from tests.crash.calendar_steps import kill_at_every_step
from tests.crash.test_kill_calendars import PICTURE
from tests.servers.databases import NewDatabase
from tests.servers.ews.model import Item
from tests.servers.ews.other_client import recurrence
from tests.servers.ews.server import EwsServer
from tests.servers.ews.target import Target
from tests.servers.ews.xmlwork import stamp
from tests.servers.exchange_office import Office, Snapshot, paris

PAUL = "paul@client.example"


def first_sync(office: Office) -> None:
    """Two events and a private one are at the server, one with a guest is in the CRM."""
    office.sync()
    for number in (1, 2):
        office.client("claire").add_event(f"Client {number}", paris(24, 9), paris(24, 10), UID=f"c{number}")
    office.client("claire").add_event("Privé", paris(24, 9), paris(24, 10), UID="p", Sensitivity="Private")
    office.desk("claire").add("Du CRM", participants=(PAUL,))


def a_push(office: Office) -> None:
    """A person made one, changed one and cancelled one, each with a guest."""
    for number in (1, 2):
        office.meet("claire", f"Client {number}", paris(24, 9), uid=f"c{number}", guests=(PAUL,))
    office.sync()
    office.desk("claire").add("Du CRM", participants=(PAUL,))
    office.desk("claire").edit(office.id_of("c1"), subject="Changé", location="Nice")
    office.desk("claire").cancel(office.id_of("c2"))


def a_series_that_moves(office: Office) -> None:
    """A series with a changed and a cancelled occurrence, both of which Exchange drops when it moves."""
    weekly = recurrence(
        "WeeklyRecurrence", date(2026, 11, 24), count=6, Interval="1", DaysOfWeek="Tuesday",
        FirstDayOfWeek="Monday",
    )  # fmt: skip
    office.meet("claire", "Suivi", paris(24, 9), uid="s", guests=(PAUL,), Recurrence=weekly)
    office.sync()
    desk, id_ = office.desk("claire"), office.id_of("s")
    desk.edit(id_, occurrence="2026-12-01", subject="Suivi long")
    desk.cancel(id_, occurrence="2026-12-08")
    office.settle()
    office.ews.counts.sent.clear()
    desk.edit(id_, start="2026-11-24T11:00", end="2026-11-24T12:00")


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("kind", "prepare"),
    [
        ("sqlite", first_sync),
        ("sqlite", a_push),
        ("sqlite", a_series_that_moves),
        ("postgresql", a_push),
    ],
    ids=["first_sync", "a_push", "a_series_that_moves", "a_push on PostgreSQL"],
)
def test_a_kill_at_any_step_leaves_what_an_uninterrupted_run_leaves(
    *,
    kind: str,
    prepare: Callable[[Office], None],
    ews: EwsServer,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    office = Office(ews, tmp_path / "before", new_database(kind))
    office.add_user("claire")
    prepare(office)
    office.open().close()
    kept = Snapshot(ews)

    def again(name: str) -> Office:
        """The same installation and the same server, as they were before the cycle."""
        kept.restore()
        return office.copy(tmp_path / name, clone_database(office.database_url))

    # What the server does not have by then, it does not make any more.
    steps = kill_at_every_step(again, picture, tmp_path, every=False, later=WORKED_ON)
    assert {"sql INSERT", "sql COMMIT", "ews SyncFolderItems", "ews answered"} <= set(steps)
    assert {"ews CreateItem", "ews UpdateItem"} & set(steps)


def picture(office: Office) -> dict[str, list[tuple[object, ...]]]:
    """Both sides, by natural keys, and what was mailed. Ids of new items and change keys differ."""
    found = office.tables(PICTURE)
    client = office.client("claire")
    names = {client.id_of(one.item): one.text("UID") for one in client.events()}
    found["binding"] = [(uid, names.get(str(ref), ref), bool(version), *row) for uid, ref, version, *row
                        in found["binding"]]  # fmt: skip
    found["server"] = sorted((told(one.item) for one in client.events()), key=repr)
    found["bin"] = [(len(client.items("deleteditems")),)]
    found["mailed"] = sorted((one.kind, one.recipient, one.subject, one.occurrence) for one in office.mailed)
    return found


def told(item: Item) -> tuple[object, ...]:
    """What an item says, with its occurrences; no property of ours is left that says what is still to do."""
    series = item.series
    changed = {} if series is None else series.changed
    return (
        *(Target(item).text(name) for name in ("UID", "Subject", "Location", "Start", "End", "Body")),
        sorted((path.name, "".join(value.itertext())) for path, value in item.extended.items()),
        sorted(
            (stamp(at), Target(item, at).text("Subject"), stamp(Target(item, at).start)) for at in changed
        ),
        [] if series is None else sorted(stamp(at) for at in series.deleted),
    )
