"""Killed at every step of a cycle of calendars: both sides are as an uninterrupted run leaves them."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.crash.calendar_steps import kill_at_every_step
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.databases import NewDatabase
from tests.servers.radicale import RadicaleServer

PICTURE = {
    "event": 'SELECT uid, recurrence_key, subject, start, "end", location, notes, status, hidden FROM event',
    "people": "SELECT e.uid, p.email, p.response FROM event_participant p JOIN event e ON e.id = p.event_id",
    "task": "SELECT uid, subject, due_date, state, hidden FROM task",
    "binding": "SELECT b.uid, b.remote_ref, b.version, b.state, b.entity, b.role, b.supplies, b.ours "
    "FROM binding b",
    "conflict": "SELECT component, unit, base, crm_value, remote_value, winner, state FROM conflict",
    "decision": "SELECT uid, action, side FROM decision",
    "quarantine": "SELECT remote_ref, error FROM quarantine",
    "intent": "SELECT uid FROM intent",
    "pending": "SELECT entity, entity_id FROM pending",
    "mailbox": "SELECT name, state, attention, last_error FROM mailbox",
}


def first_sync(world: CalendarWorld) -> None:
    """Three events are at the server, one of them private, and one in the CRM."""
    world.sync()
    for number in (1, 2):
        world.put("claire", str(number), event(f"{number}@client.example", f"Client {number}"))
    world.put("claire", "3", event("3@client.example", "Privé", more=["CLASS:PRIVATE"]))
    world.desk("claire").add("Du CRM")


def a_push(world: CalendarWorld) -> None:
    """A person made one, changed one and cancelled one."""
    for number in (1, 2):
        world.put("claire", str(number), event(f"{number}@client.example", f"Client {number}"))
    world.sync()
    world.desk("claire").add("Du CRM")
    world.desk("claire").edit(world.id_of("1@client.example"), subject="Changé", location="Nice")
    world.desk("claire").cancel(world.id_of("2@client.example"))


def a_merge(world: CalendarWorld) -> None:
    """Both sides changed one in different fields, and another one in the same."""
    for number in (1, 2):
        world.put("claire", str(number), event(f"{number}@client.example", f"Client {number}"))
    world.sync()
    world.desk("claire").edit(world.id_of("1@client.example"), subject="CRM 1")
    world.desk("claire").edit(world.id_of("2@client.example"), subject="CRM 2", notes="Du CRM")
    world.put("claire", "1", event("1@client.example", "Client 1", more=["LOCATION:Lyon"]))
    world.put("claire", "2", event("2@client.example", "Client deux"))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("prepare", [first_sync, a_push, a_merge])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_any_step_leaves_what_an_uninterrupted_run_leaves(
    *,
    kind: str,
    prepare: Callable[[CalendarWorld], None],
    radicale: RadicaleServer,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    world = CalendarWorld(radicale, tmp_path / "before", new_database(kind))
    world.add_user("claire")
    prepare(world)
    world.open().close()
    stored = radicale.base / "collections" / "collection-root" / world.users["claire"].username
    shutil.copytree(stored, tmp_path / "stored")

    def again(name: str) -> CalendarWorld:
        """The same installation and the same server, as they were before the cycle."""
        shutil.rmtree(stored)
        shutil.copytree(tmp_path / "stored", stored)
        return world.copy(tmp_path / name, clone_database(world.database_url))

    steps = kill_at_every_step(again, picture, tmp_path, every=(kind, prepare) == ("sqlite", a_push))
    assert {"sql INSERT", "sql COMMIT", "dav REPORT", "dav PUT", "dav answered"} <= set(steps)


def picture(world: CalendarWorld) -> dict[str, list[tuple[object, ...]]]:
    """Both sides, by natural keys. When an item was written, and its version, differ."""
    found = world.tables(PICTURE)
    refs = {row[1] for row in found["binding"]}
    found["binding"] = [(*row[:2], bool(row[2]), *row[3:]) for row in found["binding"]]
    stamps = re.compile(r"(DTSTAMP|LAST-MODIFIED|CREATED):\w+\n")
    items = {unquote(path): text for path, text in world.items("claire").items()}
    assert refs == set(items), "what is bound, and what is at the server"
    found["server"] = sorted((path, stamps.sub("", text)) for path, text in items.items())
    return found
