"""What the service does, what goes wrong, and what must hold: the third part of the machine."""

import shutil
from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import rule

from store.sync_state import MailboxState
from syncd.core.guards import WHOLE_CALENDAR
from syncd.engine.calendar.intents import WORKED_ON
from tests.property import agenda_client as client
from tests.property.agenda import FIRST, SECOND
from tests.property.agenda_both import Meetings
from tests.property.agenda_company import LOGINS
from tests.property.agenda_people import PICK, UNITS, WHO, some_of
from tests.property.agenda_weather import CALLS, KINDS_OF_FAULT


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
        self.servers[login].break_down(call, kind, nth=nth, after=after)
        self.done[f"fault {call}"] += 1
        self.cycle(login)

    @rule(login=WHO, nth=st.integers(1, 8))
    def a_cycle_that_is_killed_before_a_commit(self, login: str, nth: int) -> None:
        self.agenda.kill_at_commit = nth
        self.cycle(login)

    @rule(login=WHO, nth=st.integers(1, 12))
    def a_cycle_that_is_killed_before_a_call(self, login: str, nth: int) -> None:
        self.servers[login].kill_at(nth)
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
        if not server.has(calendar):
            return
        server.change(what, calendar)
        self.done[f"server {what}"] += 1

    @rule(login=WHO, at=PICK, how=st.sampled_from(["garbage", "withhold", "vanish", "heal", "heal"]))
    def one_cannot_be_read(self, login: str, at: int, how: str) -> None:
        self.done[how] += self.checks.break_or_heal(login, at, how, self.pick(login, at), self.next())

    @rule(restored=st.booleans())
    def a_calendar_is_made_anew(self, restored: bool) -> None:
        """Removed and made anew under the same URL, empty; then the server's backup is put back, or not."""
        server = self.servers["claire"]
        if not server.has(FIRST) or any(server.refuses(one) for one in server.refs()):
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
            before = {ref: self.checks.at("claire", ref) for ref in sources}
            for ref, source in server.restore(FIRST, sources).items():
                item, anew = self.checks.parsed(source), before.get(ref)
                if anew is not None and item is not None:  # it was written anew meanwhile
                    lines = client.Resource(source).own_lines()
                    self.truth.written_by_client(item.uid, anew, item, lines)
            self.done["restored"] += 1

    # --- what must hold ---------------------------------------------------------------------------

    def quiet(self) -> None:
        for server in self.servers.values():
            server.auto_schedule = False  # from now on it takes what it would have mailed about in silence
            server.allow_all()
        self.checks.heal_all()
        self.agenda.now += WORKED_ON  # nobody is at work any more on what was asked of a server
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
