"""What people do with their calendars, in their clients and in the CRM: the first part of the machine."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
)

from connectors.calendar import Item, Privacy
from store.bindings import BoundEntity
from syncd.core.canonical import is_private
from syncd.core.conflicts import Rules, Winner
from syncd.core.decision import Direction
from syncd.core.guards import Limits
from tests.property import agenda_client as client
from tests.property import agenda_crm as crm
from tests.property.agenda import FIRST, SECOND
from tests.property.agenda_company import ADDRESSES, LOGINS, Company
from tests.property.agenda_weather import Versions

DENIS, EMMA = ADDRESSES["denis"], ADDRESSES["emma"]
WHO = st.sampled_from(["claire", "claire", "claire", "denis", "emma"])
PICK = st.integers(0, 9)
UNITS = sorted(set(client.SIMPLE) & set(crm.SIMPLE))


def some_of(kinds: list[str]) -> st.SearchStrategy[list[str]]:
    """A few different ones."""
    return st.lists(st.sampled_from(kinds), min_size=1, max_size=4, unique=True)


def anything(_: Item) -> bool:
    """Whatever it is."""
    return True


def is_series(item: Item) -> bool:
    """Whether it takes place more than once."""
    return bool(item.main.timing.rrule)


def has_overrides(item: Item) -> bool:
    """Whether an occurrence of it is another one than the series says."""
    return len(item.components) > 1


def has_alarms(item: Item) -> bool:
    """Whether there is an alarm in it."""
    return any(one.alarms for one in item.components)


def has_people(item: Item) -> bool:
    """Whether anybody takes part."""
    return any(one.attendees for one in item.components)


class People(Company):
    """Everything that a person does on one side."""

    # --- what users do in their own clients -------------------------------------------------------

    @initialize(
        rule_=st.sampled_from([Winner.REMOTE, Winner.REMOTE, Winner.CRM, Winner.NEWEST, Winner.MANUAL]),
        limits=st.sampled_from([Limits(1000, 100), Limits(1000, 100), Limits(3, 40)]),
        versions=st.sampled_from(["always", "always", "flaky", "never"]),
        syncs=st.booleans(),
        rewrite=st.sampled_from(["", "", "location", "alarm", "silent"]),
        second=st.booleans(),
        items=st.integers(0, 6),
        direction=st.sampled_from([*[Direction.BOTH] * 4, Direction.TO_CRM, Direction.TO_REMOTE]),
    )
    def world(
        self,
        rule_: Winner,
        limits: Limits,
        versions: Versions,
        syncs: bool,
        rewrite: str,
        second: bool,
        items: int,
        direction: Direction,
    ) -> None:
        self.agenda.rules, self.agenda.limits = Rules(rule_), limits
        if rewrite == "silent" and direction is Direction.TO_REMOTE:
            direction = Direction.BOTH  # two writers who never hear of each other: frozen, see elsewhere
        self.agenda.directions["claire"] = direction
        self.done[f"direction {direction.value}"] += 1
        self.agenda.restart()
        self.checks.manual = rule_ is Winner.MANUAL
        server = self.servers["claire"]
        server.set_up(versions, rewrite, syncs=syncs)
        if second:
            server.add_calendar(SECOND, "Second")
        self.done[f"versions {versions}"] += 1
        self.some_items(items)

    def some_items(self, count_: int) -> None:
        """What is there from the beginning, and in step already: most things can only happen to such."""
        plain = {"series": False, "task": False, "past": False, "private": False}
        made: list[Callable[[], None]] = [
            lambda: self.the_client_makes_one("claire", **plain, guests="", second=False),
            lambda: self.the_crm_makes_one("claire", **{**plain, "series": True}, guest=""),
            lambda: self.the_client_makes_one("claire", **{**plain, "series": True}, guests="", second=False),
            lambda: self.the_crm_makes_one("claire", **plain, guest="both"),
            lambda: self.the_client_makes_one("claire", **plain, guests="theirs", second=True),
            lambda: self.the_client_makes_one("claire", **{**plain, "task": True}, guests="", second=False),
        ]
        for make in made[:count_]:
            make()
        if count_:
            for login in LOGINS:
                self.cycle(login)

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
            other = next(address for one, address in ADDRESSES.items() if one != login)
            source = source.replace(f"guest{number}@guest.example".encode(), other.encode())
        server = self.servers[login]
        calendar = SECOND if second and server.has(SECOND) else FIRST
        if not server.has(calendar):
            return
        ref = server.put(calendar, source)
        lines = client.Resource(self.checks.all_sources(login)[ref]).own_lines()
        uid = self.checks.uid(login, ref)
        self.truth.written_by_client(uid, None, self.checks.at(login, ref), lines)
        if self.agenda.directions.get(login) is Direction.TO_REMOTE:
            self.truth.left_alone.add(uid)
        self.done["client new"] += 1

    @rule(login=WHO, at=PICK, part=PICK, kinds=some_of(sorted(client.SIMPLE)))
    def the_client_changes_one(self, login: str, at: int, part: int, kinds: list[str]) -> None:
        found = self.pick(login, at, has_alarms if "no alarm" in kinds else anything, own=True)
        for kind in kinds if found is not None else ():
            number = self.next()

            def change(resource: client.Resource, kind: str = kind, number: int = number) -> None:
                parts = resource.parts
                if kind == "no alarm":
                    parts = [one for one in parts if "BEGIN:VALARM" in one] or parts
                client.SIMPLE[kind](parts[part % len(parts)], number)

            if found is not None:
                self.done[f"client {kind}"] += self.write(login, *found, change)

    @rule(login=WHO, at=PICK, what=st.sampled_from(["add", "add", "remove", "cancel"]))
    def the_client_changes_an_occurrence(self, login: str, at: int, what: str) -> None:
        found = self.pick(login, at, is_series if what == "add" else has_overrides, own=True)
        if found is None:
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
        found = self.pick(login, at, has_people if who == "answer" else anything, own=who == "guest")
        if found is None:
            return
        number, me = self.next(), f"{login}@acme.example"

        def change(resource: client.Resource) -> None:
            for part in resource.parts:
                if who == "guest":
                    client.add_guest(part, number, me)
                else:
                    client.answer(part, number, me)

        self.done[f"client {who}"] += self.write(login, *found, change)

    @rule(login=WHO, at=PICK, private=st.sampled_from([True, False, False]))
    def the_client_makes_it_private_or_public(self, login: str, at: int, private: bool) -> None:
        found = self.pick(login, at, anything if private else is_private, own=True)
        if found is None:
            return
        number = self.next()

        def change(resource: client.Resource) -> None:
            for part in resource.parts:
                (client.make_private if private else client.make_public)(part, number)

        self.done["client private" if private else "client public"] += self.write(login, *found, change)
        if private:
            self.truth.concealed.add(self.checks.uid(login, found[1]))

    @rule(login=WHO, at=PICK)
    def the_client_deletes_one(self, login: str, at: int) -> None:
        found = self.pick(login, at, own=True)
        if found is not None:
            self.remove(login, found[1])
            self.done["client delete"] += 1

    @precondition(lambda self: self.servers["claire"].has(SECOND))
    @rule(at=PICK)
    def the_client_moves_one(self, at: int) -> None:
        found = self.pick("claire", at)
        if found is None or not self.servers["claire"].has(FIRST):
            return
        calendar, ref = found
        source = self.servers["claire"].sources(calendar)[ref]
        target = SECOND if calendar == FIRST else FIRST
        if self.servers["claire"].refuses(target):
            return  # until it can be seen there it is gone
        there = self.servers["claire"].move(ref, target)
        item = self.checks.parsed(source)
        if item is not None:
            self.truth.deleted.add(item.uid)  # until it is seen where it is now; what it holds lives on
            if self.checks.uid("claire", there) != item.uid:  # a server may know it by where it lies alone
                lines = client.Resource(self.checks.all_sources("claire")[there]).own_lines()
                moved = self.checks.at("claire", there)
                self.truth.written_by_client(item.uid, item, None, set())
                self.truth.written_by_client(self.checks.uid("claire", there), None, moved, lines)
        self.done["client move"] += 1

    # --- what people do in the CRM ----------------------------------------------------------------

    @rule(
        login=WHO,
        series=st.booleans(),
        task=st.sampled_from([False, False, False, True]),
        guest=st.sampled_from(["", "", "guest", DENIS, "both"]),
        past=st.sampled_from([False, False, False, True]),
        private=st.sampled_from([False, False, False, False, False, True]),
    )
    def the_crm_makes_one(
        self, login: str, series: bool, task: bool, guest: str, past: bool, private: bool
    ) -> None:
        number, me = self.next(), f"{login}@acme.example"
        uid = f"crm-{number}@syncd.example"
        both, guest = guest == "both", DENIS if guest == "both" else guest
        guest = f"invite{number}@guest.example" if guest == "guest" else "" if guest == me else guest
        item = crm.new_item(
            uid, number, me, series=series, task=task, guest=guest, past=past, private=private
        )
        if both and me != EMMA:
            item = crm.with_guest(item, number, me, email=EMMA)
            self.done["crm three"] += 1
        self.agenda.add(login, item)
        self.truth.edited(uid, None, item)
        self.truth.edits[uid] += 1
        self.done["crm new"] += 1

    @rule(at=PICK, part=PICK, kinds=some_of(sorted(crm.SIMPLE)))
    def the_crm_changes_one(self, at: int, part: int, kinds: list[str]) -> None:
        key = self.record(at, has_alarms if "no alarm" in kinds else anything)
        for kind in kinds if key is not None else ():
            number = self.next()

            def change(item: Item, kind: str = kind, number: int = number) -> Item:
                return crm.changed(item, part, kind, number)

            if key is not None:
                self.done[f"crm {kind}"] += self.edit(key, change)

    @rule(at=PICK, what=st.sampled_from(["add", "add", "remove", "cancel"]))
    def the_crm_changes_an_occurrence(self, at: int, what: str) -> None:
        key = self.record(at, is_series if what == "add" else has_overrides)
        if key is None or key[0] is BoundEntity.TASK:
            return
        number = self.next()
        if what == "add":
            done = self.edit(key, lambda item: crm.with_override(item, number))
        else:
            done = self.edit(key, lambda item: crm.without_override(item, number, cancel=what == "cancel"))
        self.done[f"crm override {what}"] += done

    @rule(at=PICK, what=st.sampled_from(["guest", "colleague", "no guest", "link", "private"]))
    def the_crm_changes_who_is_concerned(self, at: int, what: str) -> None:
        key = self.record(at, has_people if what == "no guest" else anything)
        if key is None or key[0] is BoundEntity.TASK:
            return
        number = self.next()
        me = self.agenda._owner(self.agenda.records()[key]) + "@acme.example"
        if what == "link":
            self.agenda.link(key)
            self.what_stands_at_the_account_changes(("Acompte exigé", "Payé", None)[number % 3])
            done = True
        elif what == "no guest":
            done = self.edit(key, lambda item: crm.without_guest(item, number))
        elif what == "private":
            done = self.edit(key, lambda item: crm.with_privacy(item, Privacy.PRIVATE))
        else:
            colleague = next(
                address for address in (DENIS, EMMA)[:: 1 if number % 2 else -1] if address != me
            )
            email = colleague if what == "colleague" else ""
            done = self.edit(key, lambda item: crm.with_guest(item, number, me, email=email))
        self.done[f"crm {what}"] += done

    def what_stands_at_the_account_changes(self, message: str | None) -> None:
        """Nobody's change of any event: what both sides hold stays the truth."""
        self.agenda.advise(message)
        self.done["crm advice"] += 1

    @rule(at=PICK)
    def the_crm_cancels_one(self, at: int) -> None:
        key = self.record(at)
        if key is not None:
            before = self.agenda.cancel(key)
            self.truth.edited(before.uid, before, None)
            self.truth.edits[before.uid] += 1
            self.done["crm cancel"] += 1
