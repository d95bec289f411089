"""Killed at every step of putting a draft into Drafts: one lies there, and nothing waits any more."""

import json
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.crash.steps import Steps, in_child, telling
from tests.integration.test_drafts import RULE, WAITING, drafts, neglected
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.exchange import ExchangeServer
from tests.servers.form_world import FormWorld
from tests.servers.mailserver import MailServer

pytestmark = [pytest.mark.puts, pytest.mark.timeout(900)]
SERVERS = [("sqlite", "dovecot"), ("postgresql", "dovecot"), ("sqlite", "exchange")]
STEPS = {
    "dovecot": {"imap APPEND", "imap literal", "sql UPDATE", "sql DELETE", "sql COMMIT"},
    "exchange": {"ews CreateItem", "ews answered", "sql UPDATE", "sql DELETE", "sql COMMIT"},
}


@pytest.mark.parametrize(("kind", "speaks"), SERVERS)
def test_a_kill_at_any_step_leaves_one_draft(
    kind: str,
    speaks: str,
    request: pytest.FixtureRequest,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    server = request.getfixturevalue(speaks)
    world = FormWorld(server, tmp_path / "syncd", new_database(kind), mail_section=RULE)
    world.begin()
    world.deliver("claire", "Drafts")
    world.sync("claire")  # the folders are chosen: not what is killed here
    neglected(world)
    before = world.database_url
    steps_file = tmp_path / "steps.json"
    world.database_url = clone_database(before)
    assert in_child(partial(cycle, world, 0, steps_file)) == 0
    steps: list[str] = json.loads(steps_file.read_text())
    assert STEPS[speaks] <= set(steps)
    for number in telling(steps):
        world.database_url = clone_database(before)
        empty(world)
        assert in_child(partial(cycle, world, number, None)) == -signal.SIGKILL, steps[number - 1]
        for _ in range(2):
            assert in_child(partial(cycle, world, 0, None)) == 0
        where = f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        assert len(drafts(world)) == 1, where
        assert world.one(WAITING) == 0, where


def empty(world: FormWorld) -> None:
    """Another client clears Drafts."""
    server: MailServer = world.server
    account = world.users["claire"]
    if isinstance(server, ExchangeServer):
        with server.ews.store.lock:
            for item in list(server._folder(account, "Drafts").items.values()):
                server.ews.store.remove(item)
        return
    assert isinstance(server, DovecotServer)
    for path in (server.maildir(account) / ".Drafts").glob("*/*"):
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
