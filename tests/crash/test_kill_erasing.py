"""Killed while a person is erased, and started again: the same end, no orphan file, and one receipt."""

import json
import shutil
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from store.actors import admin_at_machine
from syncd.daemon import offers
from tests.crash.steps import Steps, in_child, telling
from tests.leftovers import Needles, in_files, in_tables
from tests.servers.databases import NewDatabase
from tests.servers.dovecot import DovecotServer
from tests.servers.world import PDF, World, mail, picture

CLAIRE = "claire@acme.example"
ANNELISE = "annelise@quevreux.example"
LUC = "luc@client.example"
NEEDLES = Needles(("annelise", "quevreux"), ("698765432",))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_kill_at_any_step_of_an_erasure_leaves_what_an_uninterrupted_one_leaves(
    kind: str,
    dovecot: DovecotServer,
    new_database: NewDatabase,
    clone_database: Callable[[str], str],
    tmp_path: Path,
) -> None:
    world = World(dovecot, tmp_path / "before", new_database(kind))
    world.add_user("claire")
    account = world.add_account("Client SA", comment=f"Voir {ANNELISE}")
    world.add_contact(account, ANNELISE, phone_mobile="06 98 76 54 32")
    world.add_contact(account, LUC)
    world.deliver(
        "claire",
        "INBOX",
        mail(1, ANNELISE, CLAIRE, "Devis", attachments={"a.pdf": PDF, "b.pdf": PDF + b"annelise"}),
        mail(2, LUC, CLAIRE, "Le même", attachments={"a.pdf": PDF}),
        mail(3, LUC, [CLAIRE, ANNELISE], "À deux", attachments={"c.pdf": PDF + b"3"}),
    )
    world.sync()

    undisturbed = world.copy(tmp_path / "undisturbed", clone_database(world.database_url))
    steps_file = tmp_path / "steps.json"
    assert in_child(lambda: erase(undisturbed, 0, steps_file)) == 0
    undisturbed.sync()
    expected = picture(undisturbed)
    steps = json.loads(steps_file.read_text())
    assert {"sql DELETE", "sql COMMIT", "os.fsync", "os.remove"} <= set(steps)
    assert len(undisturbed.files()) == 1
    numbers = telling(steps)
    assert len(numbers) >= 8

    for number in numbers:
        killed = world.copy(tmp_path / "killed", clone_database(world.database_url))
        assert in_child(partial(erase, killed, number, None)) == -signal.SIGKILL
        what = f"killed at step {number} of {len(steps)}, {steps[number - 1]}"
        missing = {sha for (sha,) in killed.rows("SELECT sha256 FROM email_attachment")} - killed.files()
        assert not missing, what
        assert in_child(partial(erase, killed, 0, None)) == 0, what
        assert killed.files() == undisturbed.files(), what
        killed.sync()
        assert picture(killed) == expected, what
        assert list(in_tables(killed.database_url, NEEDLES)) == [], what
        assert list(in_files([killed.folder], NEEDLES)) == [], what
        assert killed.rows("SELECT count(*) FROM audit_log WHERE entity = 'person'") == [(1,)], what
        assert killed.rows("SELECT key FROM erased_mail ORDER BY key") == undisturbed.rows(
            "SELECT key FROM erased_mail ORDER BY key"
        )
        shutil.rmtree(killed.folder)


def erase(world: World, kill_at: int, steps_file: Path | None) -> None:
    """Erases in a process of its own; writes the names of its steps down."""
    steps = Steps(world.folder, kill_at)
    installation = world.open()
    steps.watch()
    means = offers.erasing(installation)
    means.carry_out(ANNELISE, admin_at_machine("root"), world.now, id_="0011223344556677")
    steps.stop()
    if steps_file is not None:
        steps_file.write_text(json.dumps(steps.names))
