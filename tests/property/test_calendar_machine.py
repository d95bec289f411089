"""Whatever happens to calendars on both sides: once it is quiet, both are equal and nothing is lost.

Hypothesis edits in the client and in the CRM, lets any call fail, kills the service anywhere, takes calendars
away. Then the faults end, and design section 4.1 to 4.9 and 4.12 must hold. So it is where all calendars are
in memory, and in a mixed company: one user's is on an Exchange server, which the connector for EWS speaks to.

One history walks past every kind of thing (`agenda_walk`); the others are those of some fixed seeds, the
same each time. SYNCD_MACHINE_ROUNDS=N runs N rounds at random instead (SYNCD_MACHINE_COMPANY=exchange or
memory: of one of the two). What it calls a server is a `Side` (`agenda_server`): another protocol brings its
own.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from syncd.core.decision import Direction
from syncd.engine.calendar import cycle as engine_cycle
from syncd.engine.calendar import push as engine_push
from tests.property import agenda_client as client
from tests.property import agenda_crm as crm
from tests.property.agenda_company import ADDRESSES
from tests.property.agenda_machine import Machine
from tests.property.agenda_server import Side
from tests.property.agenda_walk import walk
from tests.property.agenda_weather import CALLS
from tests.property.exchange_faults import watch_requests
from tests.property.exchange_side import ExchangeSide
from tests.property.office import fast

SEEDS_OF = {"memory": "1 2 3 4 5", "exchange": "5 1"}
INNER = "SYNCD_MACHINE_INNER"
EXAMPLES_OF = {"memory": "12", "exchange": "6"}
ROUNDS = int(os.environ.get("SYNCD_MACHINE_ROUNDS", "0"))
SHRINK = bool(os.environ.get("SYNCD_MACHINE_SHRINK"))
STEPS = int(os.environ.get("SYNCD_MACHINE_STEPS", "25"))
COMPANIES = os.environ.get("SYNCD_MACHINE_COMPANY", "memory exchange").split()


class Mixed(Machine):
    """Claire's calendars are on an Exchange server, the others' on plain ones."""

    def make_side(self, login: str) -> Side:
        return ExchangeSide(ADDRESSES[login]) if login == "claire" else super().make_side(login)


KINDS = {
    *(f"T4 {one}" for one in (
        "push", "pull", "merge", "adopt", "delete_remote", "hide", "cancel_crm", "restore_crm",
        "recreate_remote",
        "drop", "create_remote", "create_crm", "relink", "echo",
    )),
    *(f"client {one}" for one in client.SIMPLE), *(f"crm {one}" for one in crm.SIMPLE),
    "client new", "client delete", "client move", "client override", "client override remove",
    "client override cancel", "client guest", "client answer", "client private", "client public",
    "crm new", "crm cancel", "crm override add", "crm override remove", "crm override cancel", "crm guest",
    "crm colleague", "crm no guest", "crm link", "crm advice", "crm private", "both", "both the same",
    "deleted by both",
    "crm hides", "crm three", *(f"direction {one.value}" for one in Direction),
    "client takes back", "client has it too",
    "deleted by crm, changed by the other", "deleted by client, changed by the other",
    *(f"fault {one}" for one in CALLS), "killed", "braked", "released", "broken off", "skipped", "paused",
    *(f"meanwhile {one}" for one in ("client", "crm", "both", "delete", "cancel", "pause", "other cycle")),
    "garbage", "withhold", "vanish", "heal", "made anew", "restored",
}  # fmt: skip
# What a person cannot do in a client of Exchange: see `exchange_hand`.
NOT_THERE: dict[str, set[str]] = {"memory": set(), "exchange": {"client override remove"}}

in_a_hurry = pytest.fixture(autouse=True)(fast)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several groups and several commits, with few items."""
    monkeypatch.setattr(engine_push, "GROUP", 2)
    monkeypatch.setattr(engine_cycle, "BATCH", 2)


def in_a_process_of_its_own(company: str) -> None:
    """Runs this module again: what hypothesis draws depends on the modules that other tests have loaded."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:xdist", str(Path(__file__))],
        check=False,
        cwd=Path(__file__).parents[2],
        env={**environ, INNER: "1", "PYTHONHASHSEED": "0", "SYNCD_MACHINE_COMPANY": company},
        capture_output=True,
        text=True,
    )
    print(done.stdout)  # noqa: T201 - how often each kind of thing happened
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.timeout(0 if ROUNDS else 900)
@pytest.mark.parametrize("company", COMPANIES)
def test_whatever_happens_both_sides_become_equal_and_nothing_is_lost(
    company: str,
    sqlite_template: Path,
    tmp_path: Path,
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not ROUNDS and INNER not in os.environ:
        in_a_process_of_its_own(company)
        return
    counted: Counter[str] = Counter()
    kind_of_company = Mixed if company == "exchange" else Machine

    class Here(kind_of_company):  # type: ignore[valid-type,misc]  # one of two machines
        template = sqlite_template
        top = tmp_path
        done = counted

    watch_requests(monkeypatch)
    first = Here()
    try:
        walk(first)
    finally:
        first.teardown()
    examples = int(os.environ.get("SYNCD_MACHINE_EXAMPLES", EXAMPLES_OF[company]))
    seeds = [int(one) for one in os.environ.get("SYNCD_MACHINE_SEEDS", SEEDS_OF[company]).split()]
    for round_ in range(ROUNDS or len(seeds)):
        if not ROUNDS:
            # The same histories each time: rounds at random are asked for, see the top of this module.
            monkeypatch.setattr("hypothesis.core.global_force_seed", seeds[round_])
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=examples,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=False,
                phases=[Phase.generate, *([Phase.shrink] if SHRINK else [])],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print("\n".join(f"{counted[kind]:7} {kind}" for kind in sorted(counted)))  # noqa: T201 - how often
    wanted = KINDS - NOT_THERE[company]
    assert {kind for kind in wanted if not counted[kind]} == set(), "these never occurred"
