"""Killed at every step and started again: the same database and the same files as without the kill."""

import json
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from syncd.engine import aside
from syncd.engine import mail as engine_mail
from tests.crash.steps import Steps, in_child, ready, telling
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.world import PDF, World, mail, picture

CLAIRE = "claire@acme.example"
PAUL = "Paul <paul@client.example>"
PNG = b"\x89PNG" + bytes(20_000)


def first_cycle(world: World) -> None:
    """Two folders, threads, attachments (one content twice), copies, strangers, an empty message."""
    account = world.add_account("Client SA")
    world.add_contact(account, "paul@client.example")
    world.add_opportunity(account, "OPP-7")
    world.deliver(
        "claire",
        "INBOX",
        mail(1, PAUL, CLAIRE, "Devis OPP-7", attachments={"devis.pdf": PDF}),
        mail(2, "nobody@stranger.example", CLAIRE, attachments={"a.pdf": PNG + b"3"}),
        mail(3, PAUL, CLAIRE, "Re: Devis", reply_to=["1"], attachments={"encore.pdf": PDF, "plan.pdf": PNG}),
        mail(4, "denis@acme.example", CLAIRE, "Entre nous"),
        mail(5, PAUL, CLAIRE, "Sans identifiant", message_id="", attachments={"c.pdf": PNG + b"2"}),
        b"\r\n",  # nothing at all
    )
    world.deliver(
        "claire",
        "Sent",
        mail(6, CLAIRE, PAUL, "Re: Re: Devis", reply_to=["1", "3"]),
        mail(3, PAUL, CLAIRE, "Re: Devis", reply_to=["1"], attachments={"encore.pdf": PDF, "plan.pdf": PNG}),
    )


def late_match(world: World) -> None:
    """A contact made after the first cycle, so that a logged and a skipped message are judged again."""
    first_cycle(world)
    world.sync()
    account = world.add_account("Tard SARL")
    world.add_contact(account, "nobody@stranger.example")
    world.add_contact(account, "paul@client.example")


def new_epoch(world: World) -> None:
    """The server numbers the Inbox anew."""
    first_cycle(world)
    world.sync()
    world.deliver("claire", "INBOX", mail(8, PAUL, CLAIRE, "Neuf", attachments={"d.pdf": PNG + b"4"}))
    world.server.change_uidvalidity(world.users["claire"], "INBOX")


SCENARIOS = (first_cycle, late_match, new_epoch)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several batches and several commits, with few messages."""
    monkeypatch.setattr(engine_mail, "HEADS", 3)
    monkeypatch.setattr(engine_mail, "GROUP", 2)


STEPS = {
    "dovecot": {"sql INSERT", "sql COMMIT", "imap UID", "os.fsync", "os.rename", "os.remove"},
    "exchange": {"sql INSERT", "sql COMMIT", "ews SyncFolderItems", "ews GetItem", "os.fsync", "os.rename"},
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("prepare", SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize(
    ("kind", "speaks"), [("sqlite", "dovecot"), ("postgresql", "dovecot"), ("sqlite", "exchange")]
)
def test_a_kill_at_any_step_leaves_what_an_uninterrupted_run_leaves(
    *,
    kind: str,
    speaks: str,
    prepare: Callable[[World], None],
    request: pytest.FixtureRequest,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    world = World(request.getfixturevalue(speaks), tmp_path / "before", new_database(kind))
    world.add_user("claire")
    world.write_config()
    prepare(world)
    world.open().close()  # the config's users and mailboxes are there: the cycle itself is what is killed

    ready(world.copy(tmp_path / "warm", clone_database(world.database_url)))
    undisturbed = world.copy(tmp_path / "undisturbed", clone_database(world.database_url))
    steps_file = tmp_path / "steps.json"
    assert in_child(partial(cycle, undisturbed, 0, steps_file)) == 0
    expected = picture(undisturbed)
    steps = json.loads(steps_file.read_text())
    assert STEPS[speaks] <= set(steps)

    every = (kind, speaks, prepare) == ("sqlite", "dovecot", first_cycle)
    for number in range(1, len(steps) + 1) if every else telling(steps):
        killed = world.copy(tmp_path / "killed", clone_database(world.database_url))
        assert in_child(partial(cycle, killed, number, None)) == -signal.SIGKILL, steps[number - 1]
        missing = {sha for (sha,) in killed.rows("SELECT sha256 FROM email_attachment")} - killed.files()
        assert not missing, f"a file is missing after the kill at step {number}, {steps[number - 1]}"
        assert in_child(partial(cycle, killed, 0, None)) == 0
        assert picture(killed) == expected, f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        shutil.rmtree(killed.folder)


@pytest.mark.timeout(900)
def test_a_kill_while_another_process_reads_leaves_what_an_uninterrupted_run_leaves(
    *,
    dovecot: DovecotServer,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(aside, "MANY", 0)
    monkeypatch.setattr(aside, "cores", lambda: 2)
    world = World(dovecot, tmp_path / "before", new_database("sqlite"))
    world.add_user("claire")
    world.write_config()
    first_cycle(world)
    world.open().close()

    undisturbed = world.copy(tmp_path / "undisturbed", clone_database(world.database_url))
    steps_file = tmp_path / "steps.json"
    assert in_child(partial(cycle, undisturbed, 0, steps_file)) == 0
    expected = picture(undisturbed)
    steps = json.loads(steps_file.read_text())

    # Which step is the how manieth depends on two processes here, so the last ones may not come at all.
    statuses = []
    for number in range(1, len(steps) + 1, 3):
        killed = world.copy(tmp_path / "killed", clone_database(world.database_url))
        statuses.append(in_child(partial(cycle, killed, number, None)))
        missing = {sha for (sha,) in killed.rows("SELECT sha256 FROM email_attachment")} - killed.files()
        assert not missing, f"a file is missing after the kill at step {number}"
        assert in_child(partial(cycle, killed, 0, None)) == 0
        assert picture(killed) == expected, f"killed at step {number} of {len(steps)}"
        shutil.rmtree(killed.folder)
    assert set(statuses) <= {-signal.SIGKILL, 0}
    assert statuses.count(-signal.SIGKILL) > len(statuses) / 2


def cycle(world: World, kill_at: int, steps_file: Path | None) -> None:
    """One cycle, in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    installation.supervisor.run("claire", lambda: world.now)
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
