"""Killed at every step of putting a form's message into the Inbox, and of taking the answer to it: one is
there, whose token is the one that counts, and there is one report."""

import json
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from syncd.core.meetings.tokens import hash_of, tokens_in
from tests.crash.steps import Steps, in_child, ready, telling
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.exchange import ExchangeServer
from tests.servers.form_world import FormWorld, reply
from tests.servers.mailserver import MailServer

pytestmark = [pytest.mark.puts, pytest.mark.timeout(900)]
SERVERS = [("sqlite", "dovecot"), ("postgresql", "dovecot"), ("sqlite", "exchange")]
STEPS = {
    "dovecot": {"imap APPEND", "imap literal", "sql UPDATE", "sql DELETE", "sql COMMIT"},
    "exchange": {"ews CreateItem", "ews answered", "sql UPDATE", "sql DELETE", "sql COMMIT"},
}


@pytest.mark.parametrize(("kind", "speaks"), SERVERS)
def test_a_kill_at_any_step_leaves_one_message_whose_token_counts(
    kind: str,
    speaks: str,
    request: pytest.FixtureRequest,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    world = FormWorld(request.getfixturevalue(speaks), tmp_path / "syncd", new_database(kind))
    world.begin()
    world.hold()
    world.hold(subject="Encore")
    world.sync("claire")  # the folders are chosen, and both messages put: not what is killed here
    assert len(world.messages()) == 2
    world.hold(subject="Troisième")
    before = world.database_url
    empty(world)
    world.database_url = clone_database(before)
    ready(world)
    empty(world)
    steps = undisturbed(world, clone_database(before), tmp_path)
    assert STEPS[speaks] <= set(steps)
    for number in telling(steps):
        world.database_url = clone_database(before)
        empty(world)
        assert in_child(partial(cycle, world, number, None)) == -signal.SIGKILL, steps[number - 1]
        for _ in range(2):
            assert in_child(partial(cycle, world, 0, None)) == 0
        where = f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        (message,) = world.messages()
        (token,) = tokens_in(str(message["Subject"]))
        assert world.reports("token_hash")[2:] == [(hash_of(token),)], where
        assert world.rows("SELECT report_id FROM report_mail") == [], where


@pytest.mark.parametrize(("kind", "speaks"), SERVERS)
def test_a_kill_at_any_step_leaves_one_report(
    kind: str,
    speaks: str,
    request: pytest.FixtureRequest,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    world = FormWorld(request.getfixturevalue(speaks), tmp_path / "syncd", new_database(kind))
    world.begin()
    world.hold()
    world.sync()
    text = "Très intéressée.\nSuite : rappel envoyer le devis mardi"
    world.deliver("claire", "Sent", reply(world.form(), text))
    before = world.database_url
    world.database_url = clone_database(before)
    ready(world)
    steps = undisturbed(world, clone_database(before), tmp_path)
    expected = picture(world)
    assert expected["report"] == [("ANSWERED", "EMAIL", "Très intéressée.")]
    assert len(expected["task"]) == 2
    for number in telling(steps):
        world.database_url = clone_database(before)
        assert in_child(partial(cycle, world, number, None)) == -signal.SIGKILL, steps[number - 1]
        assert in_child(partial(cycle, world, 0, None)) == 0
        assert picture(world) == expected, f"killed at step {number} of {len(steps)}, {steps[number - 1]}"


PICTURE = {
    "report": "SELECT state, channel, comments FROM meeting_report",
    "activity": "SELECT state, comments FROM activity",
    "task": "SELECT subject, state, due_date FROM task",
    "reply": "SELECT report_id, fingerprint FROM report_reply",
    "verdict": "SELECT c.remote_ref, v.uid, v.verdict FROM verdict v "
    "JOIN collection c ON c.id = v.collection_id",
}


def picture(world: FormWorld) -> dict[str, list[tuple[object, ...]]]:
    return world.tables(PICTURE)


def undisturbed(world: FormWorld, database_url: str, tmp_path: Path) -> list[str]:
    """The steps of a cycle that nobody kills."""
    world.database_url = database_url
    steps_file = tmp_path / "steps.json"
    assert in_child(partial(cycle, world, 0, steps_file)) == 0
    steps: list[str] = json.loads(steps_file.read_text())
    return steps


def empty(world: FormWorld) -> None:
    """Another client clears the Inbox."""
    server: MailServer = world.server
    account = world.users["claire"]
    if isinstance(server, ExchangeServer):
        with server.ews.store.lock:
            for item in list(server._folder(account, "INBOX").items.values()):
                server.ews.store.remove(item)
        return
    assert isinstance(server, DovecotServer)
    for path in server.maildir(account).glob("*/*"):
        if path.parent.name in {"cur", "new"}:
            path.unlink()


def cycle(world: FormWorld, kill_at: int, steps_file: Path | None) -> None:
    """One cycle, in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    report = installation.supervisor.run("claire", lambda: world.now)
    steps.stop()
    assert (report.error, report.folder_errors) == (None, {})
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
