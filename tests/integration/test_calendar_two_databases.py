"""The same work of calendars on SQLite and on PostgreSQL has the same outcome; two processes, one mailbox."""

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import brakes
from tests.servers.calendar_world import event
from tests.servers.console import program
from tests.servers.databases import KINDS, NewDatabase
from tests.servers.memory_world import CALENDAR, MemoryWorld, unfolded
from tests.servers.ports import wait_until
from tests.servers.scripted_dav import Reply, Request, ScriptedDav

PAUL = "paul@client.example"
OWN = "ORGANIZER:mailto:claire@acme.example"

# Everything that a cycle leaves behind, by natural keys: ids differ between databases.
QUERIES = {
    "event": 'SELECT e.uid, e.recurrence_key, e.subject, e.start, e."end", e.tz, e.all_day, e.series_rrule, '
    "e.location, e.notes, e.status, e.privacy, e.busy, e.hidden, e.origin, e.editable, e.sequence, "
    'e.version, e.alarm_minutes, e.type, u.login, a.name FROM event e JOIN "user" u ON u.id = e.owner_id '
    "LEFT JOIN account a ON a.id = e.account_id",
    "participant": "SELECT e.uid, e.recurrence_key, p.email, p.kind, p.response, p.is_organizer, p.attending "
    "FROM event_participant p JOIN event e ON e.id = p.event_id",
    "task": "SELECT uid, subject, due_date, state, done_at, hidden FROM task",
    "binding": "SELECT m.name, b.remote_ref, b.uid, b.version, b.state, b.entity, b.role, b.supplies, "
    "b.ours, b.base_crm, b.base_remote, b.absent FROM binding b JOIN collection c ON c.id = b.collection_id "
    "JOIN mailbox m ON m.id = c.mailbox_id",
    "decision": "SELECT m.name, d.uid, d.entity, d.action, d.row, d.side, d.reason, d.crm_before, "
    "d.remote_before, d.mailed FROM decision d JOIN mailbox m ON m.id = d.mailbox_id",
    "conflict": "SELECT entity, component, unit, base, crm_value, remote_value, winner, state FROM conflict",
    "quarantine": "SELECT remote_ref, error, tries FROM quarantine",
    "pending": "SELECT entity, by_person FROM pending",
    "intent": "SELECT uid FROM intent",
    "mailbox": "SELECT name, state, attention, last_error FROM mailbox",
    "run": "SELECT m.name, r.pulled, r.pushed, r.conflicts, r.error FROM run r "
    "JOIN mailbox m ON m.id = r.mailbox_id",
}  # fmt: skip


def round_(world: MemoryWorld) -> None:
    """Pull, push, merge, conflict, cancellation, two users in a meeting, a task, a series, brake, release."""
    world.add_user("claire")
    world.add_user("denis", auto_schedule=False)
    world.add_contact(world.add_account("Client SA"), PAUL)
    desk = world.desk("claire")
    people = (OWN, f"ATTENDEE:mailto:{PAUL}", "ATTENDEE:mailto:denis@acme.example")
    meeting = event("meeting", "À deux", more=people)
    ref = world.put("claire", "meeting", meeting)
    copy = world.put("denis", "copy", meeting)
    world.put(
        "claire", "series", event("series", "Suivi", more=("RRULE:FREQ=WEEKLY;COUNT=5", "LOCATION:Ici"))
    )
    world.put("claire", "private", event("private", "Secret", more=("CLASS:PRIVATE",)))
    task = event("task", "Rappeler").replace(b"VEVENT", b"VTODO").replace(b"DTEND", b"DUE")
    done = world.put("claire", "task", task)
    world.settle()
    mine = desk.add("Du CRM", location="Paris", participants=(PAUL,), account="Client SA")
    gone = desk.add("Annulé", "2026-11-30T10:00")
    world.settle()
    ids = {
        str(uid): int(str(id_))
        for uid, id_ in world.rows("SELECT uid, id FROM event WHERE series_id IS NULL")
    }
    # Merge, conflict, an answer, an occurrence, a task that is done, two deletions.
    world.change("claire", ref, lambda text: text.replace("À deux", "À deux, du client"))
    desk.edit(ids["meeting"], subject="À deux, du CRM", location="Lyon", notes="Une\nDeux")
    world.change("denis", copy, lambda text: text.replace(
        "ATTENDEE:mailto:denis", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:denis"))  # fmt: skip
    desk.edit(ids["series"], occurrence="2026-12-01", subject="Suivi long")
    world.change("claire", done, lambda text: text.replace("SUMMARY", "STATUS:COMPLETED\nSUMMARY"))
    desk.cancel(gone)
    desk.edit(mine, alarm=30, status="tentative")
    world.settle()
    world.servers["claire"].put(CALENDAR, b"BEGIN:VCALENDAR\r\nthis is none\r\n", f"{CALENDAR}broken.ics")
    world.settle()
    # A wave that a person must let go.
    late = [world.put("claire", f"wave{number:02}", event(f"wave{number:02}")) for number in range(12)]
    world.sync("claire")
    assert world.one("SELECT state FROM mailbox WHERE name = 'claire'") == "BRAKED"
    with world.open().database.write() as session:
        brakes.release(session, "claire", world.now, actor="admin")
    world.settle()
    for one in late[:3]:
        world.servers["claire"].remove(one)
    world.servers["claire"].fail("create", after=True)
    desk.add("Sans réponse", "2026-12-03T10:00", participants=(PAUL,))
    world.settle()


def picture(world: MemoryWorld) -> dict[str, list[str]]:
    """Everything on both sides. What differs by its nature is written alike: times, flags."""

    def plain(value: object) -> str:
        text = re.sub(r"(\.000000)?(\+00:00)?$", "", str(value))
        return {"True": "1", "False": "0"}.get(text, text)

    found = {
        name: sorted(str([plain(v) for v in row]) for row in world.rows(sql)) for name, sql in QUERIES.items()
    }
    for login, server in world.servers.items():
        found[login] = [f"{ref}\n{unfolded(source)}" for ref, source in sorted(server.sources().items())]
    found["mailed"] = [f"{one.recipient} {one.method} {one.uid}" for one in world.mailed()]
    return found


def test_a_round_of_everything_ends_the_same_on_both_databases(
    tmp_path: Path, new_database: NewDatabase
) -> None:
    pictures = []
    for kind in KINDS:
        folder = tmp_path / kind
        folder.mkdir()
        (folder / "hash.key").touch(mode=0o600)
        (folder / "hash.key").write_bytes(b"the same key of 32 bytes in both")
        world = MemoryWorld(folder, new_database(kind))
        try:
            round_(world)
            pictures.append(picture(world))
        finally:
            world.close()
    lite, large = pictures
    assert lite == large
    assert all(
        lite[name] for name in ("event", "participant", "task", "binding", "decision", "conflict", "mailed")
    )
    actions = {one.split("', '")[3] for one in lite["decision"]}
    assert {"push", "pull", "merge", "create_crm", "create_remote", "delete_remote", "cancel_crm"} <= actions


@pytest.fixture
def slow() -> Iterator[tuple[ScriptedDav, threading.Event]]:
    """A server that answers nobody before it is let go."""
    gate = threading.Event()

    def answer(_request: Request) -> Reply:
        gate.wait(60)
        return Reply(503)

    with ScriptedDav({".*": answer}) as server:
        yield server, gate
        gate.set()


def test_a_second_process_leaves_a_mailbox_alone_that_another_works_on(
    slow: tuple[ScriptedDav, threading.Event], database_url: str, tmp_path: Path
) -> None:
    server, gate = slow
    config = tmp_path / "syncd.toml"
    (tmp_path / "claire.secret").touch(mode=0o600)
    (tmp_path / "claire.secret").write_text("made up")
    config.write_text(
        f'[workspace]\nname = "Acme"\n[store]\nurl = "{database_url}"\nstate_dir = "."\n'
        f'[servers.corp.caldav]\nurl = "http://{server.host}:{server.port}/"\n'
        '[[users]]\nlogin = "claire"\nname = "Claire"\nemail = "claire@acme.example"\n'
        '[[mailboxes]]\nname = "claire"\nuser = "claire"\nserver = "corp"\nusername = "claire"\n'
        'password = { file = "claire.secret" }\nsync = ["calendar"]\n'
    )
    outcomes = []
    first = threading.Thread(
        target=lambda: outcomes.append(program("--config", str(config), "sync", "--json", cwd=tmp_path))
    )
    first.start()
    try:
        wait_until(lambda: bool(server.requests), "the first process asks the server", 30)
        asked = len(server.requests)
        second = program("--config", str(config), "sync", "claire", "--json", cwd=tmp_path)
        assert len(server.requests) == asked
        assert second.code == 1
        assert "another syncd" in second.json[0]["skipped"]
    finally:
        gate.set()
        first.join(60)
    (outcome,) = outcomes
    assert outcome.json[0]["skipped"] is None
    assert outcome.json[0]["error"]
