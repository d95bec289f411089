"""One company of the state machine: who there is, and the few things that everything else is made of."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from hypothesis import currently_in_test_context, note
from hypothesis.stateful import RuleBasedStateMachine

from connectors.calendar import Component, Item
from syncd.core.canonical import is_private
from syncd.engine.calendar.items import minutes_before
from syncd.engine.report import CycleReport
from tests.property import agenda_client as client
from tests.property.agenda import FIRST, SECOND, Agenda, Key, held, hidden, values_of
from tests.property.agenda_checks import Checks
from tests.property.agenda_server import MemorySide, Side
from tests.property.agenda_truth import Truth

LOGINS = ("claire", "denis", "emma")
ADDRESSES = {login: f"{login}@acme.example" for login in LOGINS}


def place_of(one: Component) -> datetime | None:
    """Where the series has that occurrence, by the clock."""
    at = None if one.recurrence_id is None else one.recurrence_id.local
    return at if isinstance(at, datetime) else None


class Company(RuleBasedStateMachine):
    """Some users, each with a calendar server. Claire's mails guests; the others' are plain ones."""

    template: Path
    top: Path
    done: Counter[str]  # over all examples: what really occurred
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.servers = {login: self.make_side(login) for login in LOGINS}
        self.place = self.top / str(next(self.numbers))
        self.agenda = Agenda(self.place, self.template, self.servers)
        self.truth = Truth()
        self.checks = Checks(self.agenda, self.truth)
        self.number = 20
        self.binned: dict[str, tuple[str, bytes]] = {}  # what each client deleted last, and where it was

    def make_side(self, login: str) -> Side:
        """The user's calendar server, empty but for one calendar."""
        return MemorySide(login, owner=frozenset({ADDRESSES[login]}), auto_schedule=login == "claire")

    def next(self) -> int:
        self.number += 1
        return self.number

    # --- clients ---------------------------------------------------------------------------------

    def refs(self, login: str) -> list[tuple[str, str]]:
        """The readable items: calendar and ref, by UID."""
        server = self.servers[login]
        return [
            (calendar, ref)
            for calendar in (FIRST, SECOND)
            if server.has(calendar)
            for ref, source in sorted(server.sources(calendar).items())
            if ref not in self.checks.broken
            and ((item := self.checks.parsed(source)) is None or not item.companion)
        ]

    def pick(
        self, login: str, at: int, fits: Callable[[Item], bool] = lambda _: True, *, own: bool = False
    ) -> tuple[str, str] | None:
        """One of those that fit; with `own`, no copy of a colleague's."""
        refs = [
            (calendar, ref)
            for calendar, ref in self.refs(login)
            if (item := self.checks.at(login, ref)) is not None
            and fits(item)
            and (not own or self.owned(login, ref))
        ]
        return refs[at % len(refs)] if refs else None

    def owned(self, login: str, ref: str) -> bool:
        """Whether the item is not a copy of a colleague's."""
        item = self.checks.at(login, ref)
        others = {address for one, address in ADDRESSES.items() if one != login}
        return item is not None and item.main.organizer not in others

    def write(self, login: str, calendar: str, ref: str, change: Callable[[client.Resource], object]) -> bool:
        """A client changes a resource; whether that changed anything."""
        before = self.checks.at(login, ref)
        resource = client.Resource(self.servers[login].sources(calendar)[ref])
        change(resource)
        self.servers[login].put(calendar, resource.source, ref)
        after = self.checks.at(login, ref)
        assert before is not None
        assert after is not None
        lines = self.truth.vendor[after.uid]
        written = client.Resource(self.servers[login].sources(calendar)[ref])
        self.truth.written_by_client(after.uid, before, after, written.own_lines())
        return before != after or lines != self.truth.vendor[after.uid]

    def remove(self, login: str, ref: str) -> None:
        before = self.checks.at(login, ref)
        assert before is not None
        self.binned[login] = ref, self.checks.all_sources(login)[ref]
        self.servers[login].remove(ref)
        self.truth.written_by_client(before.uid, before, None, set())

    # --- the CRM ---------------------------------------------------------------------------------

    def keys(self) -> list[Key]:
        """What a person may change: shown, public, organised by a user."""
        return sorted(
            (
                key
                for key, one in self.agenda.records().items()
                if not hidden(one) and not is_private(held(one)) and values_of(one).get("editable", True)
            ),
            key=lambda key: (key[0].value, key[1]),
        )

    def record(self, at: int, fits: Callable[[Item], bool] = lambda _: True) -> Key | None:
        """One of those that fit."""
        records = self.agenda.records()
        keys = [key for key in self.keys() if fits(held(records[key]))]
        return keys[at % len(keys)] if keys else None

    def edit(self, key: Key, change: Callable[..., object]) -> bool:
        """A person changes something in the CRM; whether that changed anything. What a server could not say
        is left alone: it would be told and wait, and nothing else could happen to it any more."""
        if self.unsayable(held(self.agenda.records()[key]), change):
            self.done["unsayable"] += 1
            return False
        before, after = self.agenda.edit(key, change)  # type: ignore[arg-type]
        self.truth.edited(before.uid, before, after)
        self.truth.edits[before.uid] += before != after
        self._goes_with_it(before, after)
        return before != after

    def unsayable(self, item: Item, change: Callable[..., object]) -> bool:
        """Whether a server that holds the item could not hold it with that change."""
        after = change(item)
        assert isinstance(after, Item)
        return any(
            self.servers[login].unsayable(after, ref)
            for login in LOGINS
            for ref, _ in self.checks.by_uid(login).get(item.uid, [("", item)])
        )

    def _goes_with_it(self, before: Item, after: Item) -> None:
        """Whoever takes out an occurrence or an alarm in the CRM takes out what vendors wrote into it."""
        places = {
            at
            for one in before.components
            if (at := place_of(one)) is not None and one.key not in after.by_key
        }
        alarms = {
            minutes
            for one in before.components
            for alarm in one.alarms - (after.by_key[one.key].alarms if one.key in after.by_key else set())
            if (minutes := minutes_before(alarm)) is not None
        }
        for login in LOGINS:
            if self.servers[login].drops_others(before, after):
                places |= {at for one in before.components if (at := place_of(one)) is not None}
            for ref, _ in self.checks.by_uid(login).get(before.uid, ()):
                resource = client.Resource(self.checks.all_sources(login)[ref])
                self.truth.vendor[before.uid] -= resource.lines_without(places, alarms)

    # --- the service -----------------------------------------------------------------------------

    def cycle(self, login: str, *, quarantined: bool = False) -> CycleReport | None:
        with self.checks.of_a_cycle(login) as watched:
            report = watched.report = self.agenda.cycle(login, quarantined=quarantined)
        for server in self.servers.values():
            server.calm()
        self.done["cycle"] += 1
        if report is None:
            self.done["killed"] += 1
            return None
        if currently_in_test_context():
            actions, error = dict(report.calendar.actions), report.error or ""
            note(f"{login}: {actions} {error} {report.folder_errors or ''}")
        for action, times in report.calendar.actions.items():
            self.done[f"T4 {action.value}"] += times
        self.done["braked"] += report.calendar.braked is not None
        self.done["broken off"] += report.error is not None
        self.done["skipped"] += report.skipped is not None
        return report
