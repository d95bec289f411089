"""Whatever a client of Exchange and the CRM do to weekly series, and whichever request goes wrong: once it is
quiet, both say the same, nothing is there twice, and nobody was mailed twice for one change.

`test_calendar_machine` has all the rest. Here people use the CRM's own commands, which take what was changed
in a series along when it moves, and the service is the one that the config makes.

The histories are those of a fixed seed; SYNCD_MACHINE_ROUNDS=N draws N at random instead.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, event, given, note, seed, settings
from hypothesis import strategies as st

from connectors.calendar import RemoteItem
from connectors.ews.access import EwsAccess, Password
from connectors.ews.calendar.client import EwsCalendarConnector
from store.errors import Invalid
from store.sync_state import MailboxState
from syncd.core.canonical import redacted
from syncd.engine.calendar.items import item_of
from tests.servers.databases import NewDatabase
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import recurrence
from tests.servers.ews.server import EwsServer
from tests.servers.exchange_office import ROMANCE, Office

ROUNDS = int(os.environ.get("SYNCD_MACHINE_ROUNDS", "0"))
CLAIRE = "claire@acme.example"
GUEST = "paul@client.example"
FAULTS = [Fault.BUSY, Fault.RESET_BEFORE, Fault.RESET_AFTER, Fault.UNAVAILABLE_AFTER, Fault.INTERNAL]
SHOWN = "SELECT id FROM event WHERE series_id IS NULL AND NOT hidden AND status <> 'CANCELLED'"
OPERATIONS = ["SyncFolderItems", "GetItem", "FindItem", "CreateItem", "UpdateItem", "DeleteItem"]
FIRST = datetime(2026, 12, 1, 9, tzinfo=UTC)  # a Tuesday

KINDS = (
    "client adds series", "client moves", "client edits occurrence", "client cancels occurrence",
    "crm invites", "crm moves", "crm edits occurrence", "crm cancels occurrence", "cycle",
)  # fmt: skip
Step = tuple[str, int, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [*KINDS, "cycle"]
        ),
        st.integers(0, 9),
        st.integers(0, 999),
    ),
    min_size=5,
    max_size=14,
)  # fmt: skip
TROUBLES = st.lists(
    st.tuples(st.sampled_from(FAULTS), st.sampled_from(OPERATIONS), st.integers(0, 4)), max_size=3
)


class History:
    """One company on its way through one history."""

    def __init__(self, office: Office, done: Counter[str]) -> None:
        self.office = office
        self.client = office.client("claire")
        self.done = done

    def run(self, step: Step) -> None:
        name, which, number = step
        rule: Callable[[int, int], bool] = getattr(self, name.replace(" ", "_"))
        if rule(which, number):
            self.done[name] += 1
            event(name)

    def cycle(self, _which: int = 0, _number: int = 0) -> bool:
        self.office.now += timedelta(minutes=10)
        self.office.sync()
        return True

    # --- the client -----------------------------------------------------------------------------

    def _pick(self, which: int, *, series: bool = False) -> str:
        ids = [self.client.id_of(one.item) for one in self.client.events()]
        if series:
            ids = [one for one in ids if "Recurrence" in self.client.target(one).item.fields]
        return ids[which % len(ids)] if ids else ""

    def client_adds_series(self, which: int, number: int) -> bool:
        weekly = recurrence(
            "WeeklyRecurrence",
            date(2026, 12, 1),
            count=6,
            Interval="1",
            DaysOfWeek="Tuesday",
            FirstDayOfWeek="Monday",
        )
        self.client.add_event(
            f"Série {number}",
            FIRST,
            FIRST + timedelta(hours=1),
            zone=ROMANCE,
            Recurrence=weekly,
        )
        return True

    def client_moves(self, which: int, number: int) -> bool:
        ref = self._pick(which)
        if ref:
            start = self.client.target(ref).start.replace(hour=8 + number % 8)
            self.client.edit(ref, Start=f"{start:%Y-%m-%dT%H:%M:%SZ}", End=f"{start:%Y-%m-%dT%H}:59:00Z")
        return bool(ref)

    def _occurrence(self, which: int, number: int) -> str:
        ref = self._pick(which, series=True)
        found = self.client.occurrences(ref) if ref else []
        if len(found) < 2:
            return ""
        original = found[1 + number % (len(found) - 1)].original
        assert original is not None
        return self.client.occurrence_id(ref, original)

    def client_edits_occurrence(self, which: int, number: int) -> bool:
        ref = self._occurrence(which, number)
        if ref:
            self.client.edit(ref, Subject=f"Occurrence {number}")
        return bool(ref)

    def client_cancels_occurrence(self, which: int, number: int) -> bool:
        ref = self._occurrence(which, number)
        if ref:
            self.client.delete(ref)
        return bool(ref)

    # --- the CRM --------------------------------------------------------------------------------

    def _record(self, which: int, *, series: bool = False) -> int:
        rows = self.office.rows(SHOWN + (" AND series_rrule IS NOT NULL" if series else "") + " ORDER BY id")
        return int(str(rows[which % len(rows)][0])) if rows else 0

    def crm_invites(self, which: int, _number: int) -> bool:
        return self._edit(self._record(which, series=True), participants=(GUEST,))

    def _edit(self, id_: int, occurrence: str | None = None, **said: object) -> bool:
        if not id_:
            return False
        try:
            self.office.desk("claire").edit(id_, occurrence=occurrence, **said)
        except Invalid as error:
            note(f"refused: {error}")
            return False
        return True

    def crm_moves(self, which: int, number: int) -> bool:
        id_ = self._record(which)
        if not id_:
            return False
        start = self.office.desk("claire").record(id_).main.values["start"]
        hour = 8 + number % 9
        return self._edit(id_, start=f"{start:%Y-%m-%d}T{hour:02}:00", end=f"{start:%Y-%m-%d}T{hour:02}:45")

    def crm_edits_occurrence(self, which: int, number: int) -> bool:
        day = date(2026, 12, 1) + timedelta(weeks=1 + number % 5)
        return self._edit(self._record(which, series=True), day.isoformat(), subject=f"Autre {number}")

    def crm_cancels_occurrence(self, which: int, number: int) -> bool:
        id_ = self._record(which, series=True)
        day = date(2026, 12, 1) + timedelta(weeks=1 + number % 5)
        try:
            if id_:
                self.office.desk("claire").cancel(id_, occurrence=day.isoformat())
        except Invalid as error:
            note(f"refused: {error}")
            return False
        return bool(id_)

    # --- at the end -----------------------------------------------------------------------------

    def quiet(self) -> None:
        """Faults end, a person lets go what waits, and it comes to rest."""
        office = self.office
        office.ews.faults.clear()
        for _ in range(8):
            office.now += timedelta(hours=7)
            if office.state("claire") == MailboxState.BRAKED.name:
                office.release("claire")
            report = office.sync("claire")["claire"]
            assert (report.error, report.folder_errors) == (None, {})
            if not report.wrote:
                break
        else:
            raise AssertionError("both sides do not come to rest")
        assert office.rows("SELECT uid FROM intent") == []
        assert office.rows("SELECT error FROM quarantine") == []

    def both_sides_are_equal(self) -> None:
        office = self.office
        password = office.passwords["claire"]
        access = EwsAccess(
            "claire@acme.example",
            Password("claire@acme.example", lambda: password, "basic"),
            url=office.ews.url,
        )
        with EwsCalendarConnector(access, zone="Europe/Paris") as connector:
            (calendar,) = (one.ref for one in connector.calendars() if one.name == "Calendar")
            listed = [one.ref for one in connector.changes(calendar, "").listed]
            there = {}
            for one in connector.read(calendar, listed):
                assert isinstance(one, RemoteItem), one
                assert one.item.uid not in there, "the same event twice"
                there[one.item.uid] = redacted(one.item)
        ids = office.rows(
            "SELECT id FROM event WHERE series_id IS NULL AND NOT hidden AND status <> 'CANCELLED'"
        )
        held = [item_of(office.desk("claire").record(int(str(id_)))) for (id_,) in ids]
        assert {one.uid: one for one in held} == there

    def guests_were_told_once(self) -> None:
        told = Counter((one.uid, one.recipient) for one in self.office.ews.counts.of("request"))
        assert all(times == 1 for times in told.values()), told


@pytest.mark.timeout(900)
def test_both_sides_come_to_rest_equal_whatever_happened(new_database: NewDatabase) -> None:
    done: Counter[str] = Counter()
    wrapped = settings(
        max_examples=ROUNDS or 8,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        database=None,
    )(
        given(STEPS, TROUBLES)(
            lambda steps, troubles: a_history(new_database("sqlite"), steps, troubles, done)
        )
    )
    if not ROUNDS:
        wrapped = seed(20261122)(wrapped)
    wrapped()
    assert {kind for kind in KINDS if not done[kind]} == set(), "these never occurred"


def a_history(
    database_url: str, steps: list[Step], troubles: list[tuple[Fault, str, int]], done: Counter[str]
) -> None:
    with tempfile.TemporaryDirectory() as folder, EwsServer() as server:
        office = Office(server, Path(folder) / "syncd", database_url)
        office.calendar_section = "brake = { count = 1000, percent = 100 }"
        office.add_user("claire")
        history = History(office, done)
        history.client_adds_series(0, 0)
        history.cycle()
        for fault, operation, skip in troubles:
            server.faults.plan(fault, operation, skip=skip)
        for step in steps:
            note(repr(step))
            history.run(step)
        history.cycle()
        history.quiet()
        history.both_sides_are_equal()
        history.guests_were_told_once()
