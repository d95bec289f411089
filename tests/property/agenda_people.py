"""What people do with their calendars, in their clients and in the CRM: the first half of the machine."""

from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from connectors.calendar import Privacy
from connectors.testing_calendar import MemoryCalendar
from store.bindings import BoundEntity
from syncd.core.canonical import is_private
from syncd.core.conflicts import Rules, Winner
from syncd.core.guards import Limits
from tests.property import agenda_client as client
from tests.property import agenda_crm as crm
from tests.property.agenda import FIRST, SECOND, Agenda, Key, held, hidden, values_of
from tests.property.agenda_checks import Checks
from tests.property.agenda_truth import Truth
from tests.property.agenda_weather import rewriting

CLAIRE, DENIS = "claire@acme.example", "denis@acme.example"
LOGINS = ("claire", "denis")
WHO = st.sampled_from(["claire", "claire", "claire", "denis"])
PICK = st.integers(0, 9)
UNITS = sorted(set(client.SIMPLE) & set(crm.SIMPLE))


class People(RuleBasedStateMachine):
    """Two users, each with a calendar server."""

    template: Path
    top: Path
    done: Counter[str]  # over all examples: what really occurred
    numbers = count()

    def __init__(self) -> None:
        super().__init__()
        self.servers = {
            login: MemoryCalendar(
                login, owner=frozenset({f"{login}@acme.example"}), auto_schedule=login == "claire"
            )
            for login in LOGINS
        }
        self.place = self.top / str(next(self.numbers))
        self.agenda = Agenda(self.place, self.template, self.servers)
        self.truth = Truth()
        self.checks = Checks(self.agenda, self.truth)
        self.number = 20

    def next(self) -> int:
        self.number += 1
        return self.number

    # --- what users do in their own clients -------------------------------------------------------

    def refs(self, login: str) -> list[tuple[str, str]]:
        """The readable items: calendar and ref, by UID."""
        server = self.servers[login]
        return [
            (calendar, ref)
            for calendar in (FIRST, SECOND)
            if calendar in server._calendars
            for ref in sorted(server.sources(calendar))
            if ref not in self.checks.broken and "companion" not in ref
        ]

    def pick(self, login: str, at: int) -> tuple[str, str] | None:
        refs = self.refs(login)
        return refs[at % len(refs)] if refs else None

    def owned(self, login: str, ref: str) -> bool:
        """Whether the item is not a copy of a colleague's."""
        item = self.checks.at(login, ref)
        other = next(f"{one}@acme.example" for one in LOGINS if one != login)
        return item is not None and item.main.organizer != other

    def write(self, login: str, calendar: str, ref: str, change: Callable[[client.Resource], object]) -> None:
        before = self.checks.at(login, ref)
        resource = client.Resource(self.servers[login].sources(calendar)[ref])
        change(resource)
        self.servers[login].put(calendar, resource.source, ref)
        after = self.checks.at(login, ref)
        assert before is not None
        assert after is not None
        self.truth.written_by_client(after.uid, before, after, resource.own_lines())

    @initialize(
        rule_=st.sampled_from([Winner.REMOTE, Winner.REMOTE, Winner.CRM, Winner.NEWEST, Winner.MANUAL]),
        limits=st.sampled_from([Limits(1000, 100), Limits(1000, 100), Limits(3, 40)]),
        versions=st.sampled_from(["always", "always", "flaky", "never"]),
        syncs=st.booleans(),
        rewrite=st.sampled_from(["", "", "location", "alarm", "silent"]),
        second=st.booleans(),
    )
    def world(
        self, rule_: Winner, limits: Limits, versions: str, syncs: bool, rewrite: str, second: bool
    ) -> None:
        self.agenda.rules, self.agenda.limits = Rules(rule_), limits
        self.agenda.restart()
        self.checks.manual = rule_ is Winner.MANUAL
        server = self.servers["claire"]
        assert versions in {"always", "flaky", "never"}
        server.versions = versions  # type: ignore[assignment]
        server.syncs = syncs
        server.rewrite = rewriting(rewrite)
        server.tells_rewrites = rewrite != "silent"
        if second:
            server.add_calendar(SECOND, "Second")
        self.done[f"versions {versions}"] += 1

    @rule(
        login=WHO,
        series=st.booleans(),
        task=st.sampled_from([False, False, False, True]),
        guests=st.sampled_from(["", "", "mine", "theirs", "colleague"]),
        past=st.sampled_from([False, False, False, True]),
        private=st.sampled_from([False, False, False, False, True]),
        second=st.booleans(),
    )
    def the_client_makes_one(
        self, login: str, series: bool, task: bool, guests: str, past: bool, private: bool, second: bool
    ) -> None:
        number = self.next()
        uid = f"client-{number}@other.example"
        kind = "mine" if guests == "colleague" else guests
        source = client.new_resource(
            uid,
            number,
            f"{login}@acme.example",
            series=series,
            task=task,
            guests=kind,
            past=past,
            private=private,
        )
        if guests == "colleague" and not task:
            other = next(one for one in LOGINS if one != login)
            source = source.replace(f"guest{number}@guest.example".encode(), f"{other}@acme.example".encode())
        server = self.servers[login]
        calendar = SECOND if second and SECOND in server._calendars else FIRST
        if calendar not in server._calendars:
            return
        ref = server.put(calendar, source)
        lines = client.Resource(source).own_lines()
        self.truth.written_by_client(uid, None, self.checks.at(login, ref), lines)
        self.done["client new"] += 1

    @rule(login=WHO, at=PICK, part=PICK, kind=st.sampled_from(sorted(client.SIMPLE)))
    def the_client_changes_one(self, login: str, at: int, part: int, kind: str) -> None:
        found = self.pick(login, at)
        if found is None or not self.owned(login, found[1]):
            return
        number = self.next()

        def change(resource: client.Resource) -> None:
            client.SIMPLE[kind](resource.parts[part % len(resource.parts)], number)

        self.write(login, *found, change)
        self.done[f"client {kind}"] += 1

    @rule(login=WHO, at=PICK, what=st.sampled_from(["add", "add", "remove", "cancel"]))
    def the_client_changes_an_occurrence(self, login: str, at: int, what: str) -> None:
        found = self.pick(login, at)
        if found is None or not self.owned(login, found[1]):
            return
        number = self.next()

        def change(resource: client.Resource) -> None:
            if what == "add":
                self.done["client override"] += client.add_override(resource, number)
            else:
                self.done[f"client override {what}"] += client.remove_override(
                    resource, number, cancel=what == "cancel"
                )

        self.write(login, *found, change)

    @rule(login=WHO, at=PICK, who=st.sampled_from(["guest", "answer", "answer"]))
    def people_come_and_answer(self, login: str, at: int, who: str) -> None:
        found = self.pick(login, at)
        if found is None:
            return
        number, me = self.next(), f"{login}@acme.example"

        def change(resource: client.Resource) -> None:
            for part in resource.parts:
                if who == "guest" and self.owned(login, found[1]):
                    client.add_guest(part, number, me)
                elif who == "answer":
                    client.answer(part, number, me)

        self.write(login, *found, change)
        self.done[f"client {who}"] += 1

    @rule(login=WHO, at=PICK, private=st.sampled_from([True, False, False]))
    def the_client_makes_it_private_or_public(self, login: str, at: int, private: bool) -> None:
        found = self.pick(login, at)
        if found is None or not self.owned(login, found[1]):
            return
        number = self.next()

        def change(resource: client.Resource) -> None:
            for part in resource.parts:
                (client.make_private if private else client.make_public)(part, number)

        self.write(login, *found, change)
        if private:
            self.truth.concealed.add(self.checks.uid(login, found[1]))
        self.done["client private" if private else "client public"] += 1

    @rule(login=WHO, at=PICK)
    def the_client_deletes_one(self, login: str, at: int) -> None:
        found = self.pick(login, at)
        if found is not None and self.owned(login, found[1]):
            self.remove(login, found[1])
            self.done["client delete"] += 1

    def remove(self, login: str, ref: str) -> None:
        before = self.checks.at(login, ref)
        assert before is not None
        self.servers[login].remove(ref)
        self.truth.written_by_client(before.uid, before, None, set())

    @precondition(lambda self: SECOND in self.servers["claire"]._calendars)
    @rule(at=PICK)
    def the_client_moves_one(self, at: int) -> None:
        found = self.pick("claire", at)
        if found is None or FIRST not in self.servers["claire"]._calendars:
            return
        calendar, ref = found
        source = self.servers["claire"].sources(calendar)[ref]
        target = SECOND if calendar == FIRST else FIRST
        if self.servers["claire"]._calendars[target].refused:
            return  # until it can be seen there it is gone
        self.servers["claire"].remove(ref)
        self.servers["claire"].put(target, source, target + ref.rpartition("/")[2])
        item = self.checks.parsed(source)
        if item is not None:
            self.truth.deleted.add(item.uid)  # until it is seen where it is now; what it holds lives on
        self.done["client move"] += 1

    # --- what people do in the CRM ----------------------------------------------------------------

    def record(self, at: int) -> Key | None:
        """One that a person may change: shown, public, organised by a user."""
        keys = sorted(
            (
                key
                for key, one in self.agenda.records().items()
                if not hidden(one) and not is_private(held(one)) and values_of(one).get("editable", True)
            ),
            key=lambda key: (key[0].value, key[1]),
        )
        return keys[at % len(keys)] if keys else None

    def edit(self, key: Key, change: Callable[..., object]) -> None:
        before, after = self.agenda.edit(key, change)  # type: ignore[arg-type]
        self.truth.edited(before.uid, before, after)
        self.truth.edits[before.uid] += before != after

    @rule(
        login=WHO,
        series=st.booleans(),
        task=st.sampled_from([False, False, False, True]),
        guest=st.sampled_from(["", "", "guest", DENIS]),
        past=st.sampled_from([False, False, False, True]),
        private=st.sampled_from([False, False, False, False, False, True]),
    )
    def the_crm_makes_one(
        self, login: str, series: bool, task: bool, guest: str, past: bool, private: bool
    ) -> None:
        number, me = self.next(), f"{login}@acme.example"
        uid = f"crm-{number}@syncd.example"
        guest = f"invite{number}@guest.example" if guest == "guest" else "" if guest == me else guest
        item = crm.new_item(
            uid, number, me, series=series, task=task, guest=guest, past=past, private=private
        )
        self.agenda.add(login, item)
        self.truth.edited(uid, None, item)
        self.truth.edits[uid] += 1
        self.done["crm new"] += 1

    @rule(at=PICK, part=PICK, kind=st.sampled_from(sorted(crm.SIMPLE)))
    def the_crm_changes_one(self, at: int, part: int, kind: str) -> None:
        key = self.record(at)
        if key is not None:
            number = self.next()
            self.edit(key, lambda item: crm.changed(item, part, kind, number))
            self.done[f"crm {kind}"] += 1

    @rule(at=PICK, what=st.sampled_from(["add", "add", "remove", "cancel"]))
    def the_crm_changes_an_occurrence(self, at: int, what: str) -> None:
        key = self.record(at)
        if key is None or key[0] is BoundEntity.TASK:
            return
        number = self.next()
        if what == "add":
            self.edit(key, lambda item: crm.with_override(item, number))
        else:
            self.edit(key, lambda item: crm.without_override(item, number, cancel=what == "cancel"))
        self.done[f"crm override {what}"] += 1

    @rule(at=PICK, what=st.sampled_from(["guest", "colleague", "no guest", "link", "private"]))
    def the_crm_changes_who_is_concerned(self, at: int, what: str) -> None:
        key = self.record(at)
        if key is None or key[0] is BoundEntity.TASK:
            return
        number = self.next()
        me = self.agenda._owner(self.agenda.records()[key]) + "@acme.example"
        if what == "link":
            self.agenda.link(key)
        elif what == "no guest":
            self.edit(key, lambda item: crm.without_guest(item, number))
        elif what == "private":
            self.edit(key, lambda item: crm.with_privacy(item, Privacy.PRIVATE))
        else:
            email = DENIS if what == "colleague" and me != DENIS else ""
            self.edit(key, lambda item: crm.with_guest(item, number, me, email=email))
        self.done[f"crm {what}"] += 1

    @rule(at=PICK)
    def the_crm_cancels_one(self, at: int) -> None:
        key = self.record(at)
        if key is not None:
            before = self.agenda.cancel(key)
            self.truth.edited(before.uid, before, None)
            self.truth.edits[before.uid] += 1
            self.done["crm cancel"] += 1

    # --- both at once -----------------------------------------------------------------------------

    @rule(at=PICK, part=PICK, kind=st.sampled_from(UNITS), other=st.sampled_from(UNITS))
    def both_sides_change_one(self, at: int, part: int, kind: str, other: str) -> None:
        key = self.record(at)
        if key is None:
            return
        uid = held(self.agenda.records()[key]).uid
        found = next((one for one in self.refs("claire") if self.checks.uid("claire", one[1]) == uid), None)
        if found is None or not self.owned("claire", found[1]):
            return
        number, second = self.next(), self.next()
        self.edit(key, lambda item: crm.changed(item, part, other, second))
        self.write(
            "claire", *found, lambda one: client.SIMPLE[kind](one.parts[part % len(one.parts)], number)
        )
        self.done["both"] += 1

    @rule(at=PICK, first=st.sampled_from(["crm", "client"]), kind=st.sampled_from(UNITS))
    def one_side_deletes_what_the_other_one_changes(self, at: int, first: str, kind: str) -> None:
        key = self.record(at)
        if key is None:
            return
        uid = held(self.agenda.records()[key]).uid
        found = next((one for one in self.refs("claire") if self.checks.uid("claire", one[1]) == uid), None)
        if found is None or not self.owned("claire", found[1]):
            return
        number = self.next()
        if first == "crm":
            self.write("claire", *found, lambda one: client.SIMPLE[kind](one.parts[0], number))
            self.truth.edited(uid, self.agenda.cancel(key), None)
            self.truth.edits[uid] += 1
        else:
            self.remove("claire", found[1])
            self.edit(key, lambda item: crm.changed(item, 0, kind, number))
        self.done[f"deleted by {first}, changed by the other"] += 1
