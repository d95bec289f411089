"""Whatever happens to calendars on both sides: once it is quiet, both are equal and nothing is lost.

Hypothesis edits in the client and in the CRM, lets any call fail, kills the service anywhere, takes calendars
away. Then the faults end, and design section 4.1 to 4.9 and 4.12 must hold.

The histories are those of some fixed seeds, the same each time; SYNCD_MACHINE_ROUNDS=N runs N rounds at
random instead. Those still find rare histories after which an item does not come to rest equal: known, not
mended yet.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    rule,
    run_state_machine_as_test,
)

from store.sync_state import MailboxState
from syncd.core.decision import Direction
from syncd.core.guards import WHOLE_CALENDAR
from syncd.engine.calendar import cycle as engine_cycle
from syncd.engine.calendar import push as engine_push
from tests.property import agenda_client as client
from tests.property import agenda_crm as crm
from tests.property.agenda import FIRST, SECOND, Killed
from tests.property.agenda_both import Meetings
from tests.property.agenda_company import LOGINS
from tests.property.agenda_people import PICK, UNITS, WHO, some_of
from tests.property.agenda_weather import CALLS, KINDS_OF_FAULT, make_error
from tests.property.office import fast

DEFAULT_SEEDS = "1 2 3 4 5 6"
INNER = "SYNCD_MACHINE_INNER"
EXAMPLES = int(os.environ.get("SYNCD_MACHINE_EXAMPLES", "15"))
ROUNDS = int(os.environ.get("SYNCD_MACHINE_ROUNDS", "0"))
SHRINK = bool(os.environ.get("SYNCD_MACHINE_SHRINK"))
SEEDS = [int(one) for one in os.environ.get("SYNCD_MACHINE_SEEDS", DEFAULT_SEEDS).split()]
STEPS = int(os.environ.get("SYNCD_MACHINE_STEPS", "25"))


class Machine(Meetings):
    """What the service does, what goes wrong, and what must hold."""

    def teardown(self) -> None:
        try:
            self.quiet()
        finally:
            self.agenda.close()
            shutil.rmtree(self.place)

    # --- what the service does, and what goes wrong -----------------------------------------------

    @rule(login=WHO, quarantined=st.booleans())
    def a_cycle(self, login: str, quarantined: bool) -> None:
        report = self.cycle(login, quarantined=quarantined)
        assert report is not None
        assert report.error is None

    @rule()
    def some_cycles(self) -> None:
        for login in LOGINS:
            self.cycle(login)

    @rule(
        login=WHO,
        call=st.sampled_from(CALLS),
        kind=st.sampled_from(KINDS_OF_FAULT),
        nth=st.integers(1, 3),
        after=st.booleans(),
    )
    def a_cycle_in_which_a_call_fails(self, login: str, call: str, kind: str, nth: int, after: bool) -> None:
        make = make_error(call, kind)
        if make is None:
            after = after and kind == "silence"
        self.servers[login].fail(
            call, make, nth=nth if call in client_calls else 1, after=after and kind in {"silence", "kill"}
        )
        self.done[f"fault {call}"] += 1
        self.cycle(login)

    @rule(login=WHO, nth=st.integers(1, 8))
    def a_cycle_that_is_killed_before_a_commit(self, login: str, nth: int) -> None:
        self.agenda.kill_at_commit = nth
        self.cycle(login)

    @rule(login=WHO, nth=st.integers(1, 12))
    def a_cycle_that_is_killed_before_a_call(self, login: str, nth: int) -> None:
        left = nth

        def before(_call: str, _ref: str) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        self.servers[login].before_call = before
        self.cycle(login)

    @rule(
        call=st.sampled_from(["changes", "changes", "read", "create", "update", "delete", "find"]),
        nth=st.integers(1, 2),
        what=some_of(["client", "crm", "both", "delete", "cancel", "pause", "other cycle"]),
        at=PICK,
        kind=st.sampled_from(UNITS),
    )
    def a_cycle_in_which_something_happens(
        self, call: str, nth: int, what: list[str], at: int, kind: str
    ) -> None:
        actions: dict[str, Callable[[], object]] = {
            "client": lambda: self.the_client_changes_one("claire", at, at, [kind]),
            "crm": lambda: self.the_crm_changes_one(at, at, [kind]),
            "both": lambda: self.both_sides_change_one(at, at, kind, kind),
            "delete": lambda: self.the_client_deletes_one("claire", at),
            "cancel": lambda: self.the_crm_cancels_one(at),
            "pause": lambda: self.agenda.order("claire", MailboxState.PAUSED),
            "other cycle": lambda: self.agenda.cycle("denis"),
        }

        def act() -> None:
            for each in what:
                self.done[f"meanwhile {each}"] += 1
                actions[each]()

        self.servers["claire"].before(call, act, nth=nth)
        self.cycle("claire")
        if self.agenda.state("claire") is MailboxState.PAUSED:
            self.agenda.order("claire", MailboxState.RUNNING)

    @rule(login=WHO)
    def it_is_paused_or_goes_on(self, login: str) -> None:
        state = self.agenda.state(login)
        if state is MailboxState.RUNNING:
            self.agenda.order(login, MailboxState.PAUSED)
            self.done["paused"] += 1
        elif state is MailboxState.PAUSED:
            self.agenda.order(login, MailboxState.RUNNING)

    @rule(login=WHO)
    def it_is_released(self, login: str) -> None:
        if self.agenda.state(login) is MailboxState.BRAKED:
            self.agenda.release(login)
            self.checks.released.add(login)
            self.done["released"] += 1

    @rule(
        what=st.sampled_from(["expire", "refuse", "allow", "versions", "rewrite"]),
        calendar=st.sampled_from([FIRST, SECOND]),
    )
    def the_server_changes(self, what: str, calendar: str) -> None:
        server = self.servers["claire"]
        if calendar not in server._calendars:
            return
        if what == "expire":
            server.expire_tokens(calendar)
        elif what == "versions":
            server.versions = "flaky" if server.versions == "always" else "always"
        elif what == "rewrite":
            server.rewrite = None
        else:
            server.refuse_calendar(calendar, refused=what == "refuse")
        self.done[f"server {what}"] += 1

    @rule(login=WHO, at=PICK, how=st.sampled_from(["garbage", "withhold", "vanish", "heal", "heal"]))
    def one_cannot_be_read(self, login: str, at: int, how: str) -> None:
        self.done[how] += self.checks.break_or_heal(login, at, how, self.pick(login, at), self.next())

    @rule(restored=st.booleans())
    def a_calendar_is_made_anew(self, restored: bool) -> None:
        """Removed and made anew under the same URL, empty; then the server's backup is put back, or not."""
        server = self.servers["claire"]
        if FIRST not in server._calendars or any(one.refused for one in server._calendars.values()):
            return
        sources = dict(server.sources(FIRST))
        restored = restored or bool(self.checks.broken)
        items = [item for source in sources.values() if (item := self.checks.parsed(source)) is not None]
        self.truth.deleted |= {item.uid for item in items}
        for item in () if restored else items:
            self.truth.written_by_client(item.uid, item, None, set())
        bound, let_go = self.checks.bound(FIRST), "claire" in self.checks.released
        server.remake_calendar(FIRST)
        shown = self.checks.shown()
        self.cycle("claire")
        self.cycle("claire")
        if bound >= WHOLE_CALENDAR and not let_go:
            assert self.checks.shown() >= shown, "a calendar made anew cancelled what was in it, unasked"
        self.done["made anew"] += 1
        if restored:
            for ref, source in sources.items():
                before = self.checks.at("claire", ref)
                server.put(FIRST, source, ref)
                item = self.checks.parsed(source)
                if before is not None and item is not None:  # it was written anew meanwhile
                    lines = client.Resource(source).own_lines()
                    self.truth.written_by_client(item.uid, before, item, lines)
            self.done["restored"] += 1

    # --- what must hold ---------------------------------------------------------------------------

    def quiet(self) -> None:
        for server in self.servers.values():
            server.auto_schedule = False  # from now on it takes what it would have mailed about in silence
            for calendar in server._calendars.values():
                calendar.refused = False
        self.checks.heal_all()
        for round_ in range(12):
            before = self.agenda.version()
            for login in LOGINS:
                self.go_on(login)
                report = self.cycle(login, quarantined=round_ < 4)
                assert report is not None
                assert (report.error, report.folder_errors) == (None, {})
            if round_ >= 4 and self.agenda.version() == before:
                break
        else:
            raise AssertionError(f"it never comes to rest: {self.checks.restless()}")
        self.checks.the_next_cycle_writes_nothing()
        self.checks.at_the_end()

    def go_on(self, login: str) -> None:
        if self.agenda.state(login) is MailboxState.BRAKED:
            self.it_is_released(login)
        elif self.agenda.state(login) is not MailboxState.RUNNING:
            self.agenda.order(login, MailboxState.RUNNING)


client_calls = {"read", "find", "create", "update", "delete", "changes"}

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
    "crm colleague", "crm no guest", "crm link", "crm private", "both", "both the same", "deleted by both",
    "crm hides", "crm three", *(f"direction {one.value}" for one in Direction),
    "client takes back", "client has it too",
    "deleted by crm, changed by the other", "deleted by client, changed by the other",
    *(f"fault {one}" for one in CALLS), "killed", "braked", "released", "broken off", "skipped", "paused",
    *(f"meanwhile {one}" for one in ("client", "crm", "both", "delete", "cancel", "pause", "other cycle")),
    "garbage", "withhold", "vanish", "heal", "made anew", "restored",
}  # fmt: skip

in_a_hurry = pytest.fixture(autouse=True)(fast)


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several groups and several commits, with few items."""
    monkeypatch.setattr(engine_push, "GROUP", 2)
    monkeypatch.setattr(engine_cycle, "BATCH", 2)


def in_a_process_of_its_own() -> None:
    """Runs this module again: what hypothesis draws depends on the modules that other tests have loaded."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:xdist", str(Path(__file__))],
        check=False,
        cwd=Path(__file__).parents[2],
        env={**environ, INNER: "1", "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
    )
    print(done.stdout)  # noqa: T201 - how often each kind of thing happened
    assert done.returncode == 0, done.stdout[-8000:]


@pytest.mark.timeout(0 if ROUNDS else 900)
def test_whatever_happens_both_sides_become_equal_and_nothing_is_lost(
    sqlite_template: Path, tmp_path: Path, small_batches: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not ROUNDS and INNER not in os.environ:
        in_a_process_of_its_own()
        return
    done: Counter[str] = Counter()

    class Here(Machine):
        template = sqlite_template
        top = tmp_path

    Here.done = done
    for round_ in range(ROUNDS or len(SEEDS)):
        if not ROUNDS:
            # The same histories each time: rounds at random are asked for, see the top of this module.
            monkeypatch.setattr("hypothesis.core.global_force_seed", SEEDS[round_])
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                derandomize=False,
                phases=[Phase.generate, *([Phase.shrink] if SHRINK else [])],
                report_multiple_bugs=False,
                suppress_health_check=list(HealthCheck),
            ),
        )
    print("\n".join(f"{done[kind]:7} {kind}" for kind in sorted(done)))  # noqa: T201 - how often
    assert {kind for kind in KINDS if not done[kind]} == set(), "these never occurred"
