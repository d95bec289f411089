"""Killed at every step of `forget` and started again: no orphan file, no missing one, the same rows."""

import json
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from syncd.daemon import offers
from syncd.engine.forget import Selection
from tests.crash.steps import Steps, in_child
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.world import PDF, World, mail, picture

CLAIRE = "claire@acme.example"
ANNE = "anne@dupont.example"
LUC = "luc@dupont.example"


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_any_step_of_forgetting_leaves_what_an_uninterrupted_one_leaves(
    kind: str,
    dovecot: DovecotServer,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    world = World(dovecot, tmp_path / "before", new_database(kind))
    world.add_user("claire")
    account = world.add_account("Garage Dupont")
    world.add_contact(account, ANNE)
    world.add_contact(account, LUC)
    world.deliver(
        "claire",
        "INBOX",
        mail(1, ANNE, CLAIRE, "Devis", attachments={"a.pdf": PDF, "b.pdf": PDF + b"2"}),
        mail(2, LUC, CLAIRE, "Le même", attachments={"a.pdf": PDF}),
        mail(3, ANNE, CLAIRE, "Encore", attachments={"c.pdf": PDF + b"3"}),
    )
    world.sync()
    world.mail_section += f'\nexclude = [{{ address = "{ANNE}" }}]'

    undisturbed = world.copy(tmp_path / "undisturbed", clone_database(world.database_url))
    steps_file = tmp_path / "steps.json"
    assert in_child(lambda: forget(undisturbed, 0, steps_file)) == 0
    undisturbed.sync()
    expected = picture(undisturbed)
    steps = json.loads(steps_file.read_text())
    assert {"sql DELETE", "sql COMMIT", "os.fsync", "os.remove"} <= set(steps)
    assert len(undisturbed.files()) == 1

    for number in range(1, len(steps) + 1):
        killed = world.copy(tmp_path / "killed", clone_database(world.database_url))
        assert in_child(partial(forget, killed, number, None)) == -signal.SIGKILL
        missing = {sha for (sha,) in killed.rows("SELECT sha256 FROM email_attachment")} - killed.files()
        assert not missing, f"a file is missing after the kill at step {number}, {steps[number - 1]}"
        assert in_child(partial(forget, killed, 0, None)) == 0
        killed.sync()
        assert picture(killed) == expected, f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        assert killed.files() == undisturbed.files(), f"killed at step {number}, {steps[number - 1]}"
        shutil.rmtree(killed.folder)


def forget(world: World, kill_at: int, steps_file: Path | None) -> None:
    """Forgets in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    offers.forgetting(installation).carry_out(Selection(excluded=True), world.now, actor="root")
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
