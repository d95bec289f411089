"""What people do on both sides at once, so that the two meet: the second part of the machine."""

from dataclasses import replace

from hypothesis import strategies as st
from hypothesis.stateful import rule

from syncd.core.canonical import is_private
from syncd.core.decision import Direction
from tests.property import agenda_client as client
from tests.property import agenda_crm as crm
from tests.property.agenda import FIRST, Key, held, hidden, values_of
from tests.property.agenda_people import PICK, UNITS, WHO, People


class Meetings(People):
    """Changes and deletions that cross."""

    def met(self, at: int) -> tuple[Key, str, tuple[str, str]] | None:
        """A record that a person may change and that one of Claire's calendars holds: with its UID, and with
        the calendar and the ref."""
        there = {self.checks.uid("claire", ref): (calendar, ref) for calendar, ref in self.refs("claire")}
        found = [
            (key, uid, there[uid])
            for key in self.keys()
            if (uid := held(self.agenda.records()[key]).uid) in there and self.owned("claire", there[uid][1])
        ]
        return found[at % len(found)] if found else None

    @rule(at=PICK, part=PICK, kind=st.sampled_from(UNITS), other=st.sampled_from(UNITS))
    def both_sides_change_one(self, at: int, part: int, kind: str, other: str) -> None:
        met = self.met(at)
        if met is None:
            return
        key, _, found = met
        number, second = self.next(), self.next()
        done = self.edit(key, lambda item: crm.changed(item, part, other, second))
        done &= self.write(
            "claire", *found, lambda one: client.SIMPLE[kind](one.parts[part % len(one.parts)], number)
        )
        self.done["both"] += done

    @rule(at=PICK)
    def both_sides_say_the_same(self, at: int) -> None:
        met = self.met(at)
        if met is None:
            return
        key, _, found = met
        if is_private(self.checks.at("claire", found[1])):
            return
        text = f"Tous deux {self.next()}"

        def change(resource: client.Resource) -> None:
            client.put(resource.series or resource.parts[0], "SUMMARY", f"SUMMARY:{text}")

        if self.write("claire", *found, change):
            self.edit(
                key,
                lambda item: replace(
                    item, components=(replace(item.main, subject=text), *item.components[1:])
                ),
            )
            self.done["both the same"] += 1

    @rule(at=PICK, first=st.sampled_from(["crm", "client"]), kind=st.sampled_from(UNITS))
    def one_side_deletes_what_the_other_one_changes(self, at: int, first: str, kind: str) -> None:
        met = self.met(at)
        if met is None:
            return
        key, uid, found = met
        number = self.next()
        if first == "crm":
            done = self.write("claire", *found, lambda one: client.SIMPLE[kind](one.parts[0], number))
            self.truth.edited(uid, self.agenda.cancel(key), None)
            self.truth.edits[uid] += 1
        else:
            self.remove("claire", found[1])
            done = self.edit(key, lambda item: crm.changed(item, 0, kind, number))
        self.done[f"deleted by {first}, changed by the other"] += done

    @rule(at=PICK)
    def both_sides_delete_one(self, at: int) -> None:
        met = self.met(at)
        if met is None:
            return
        key, uid, found = met
        self.remove("claire", found[1])
        self.truth.edited(uid, self.agenda.cancel(key), None)
        self.truth.edits[uid] += 1
        self.done["deleted by both"] += 1

    @rule(at=PICK)
    def the_crm_takes_an_invitation_out_of_sight(self, at: int) -> None:
        """Somebody else's meeting: the CRM may hide it, and leaves it alone at the server."""
        keys = [
            key
            for key, one in sorted(self.agenda.records().items(), key=lambda each: each[0][1])
            if not hidden(one) and not is_private(held(one)) and not values_of(one).get("editable", True)
        ]
        if keys:
            before = self.agenda.cancel(keys[at % len(keys)])
            self.truth.edited(before.uid, before, None)
            self.truth.out_of_sight.add(before.uid)
            self.done["crm hides"] += 1

    @rule(login=WHO)
    def the_client_takes_back_a_deletion(self, login: str) -> None:
        (ref, source), server = self.binned.get(login, ("", b"")), self.servers[login]
        if not ref or not server.has(FIRST) or server.refuses(FIRST):
            return
        item = self.checks.parsed(source)
        if item is None or self.checks.is_bound(login, item.uid):
            return  # what comes back before anybody saw that it was gone never was
        if item.uid not in self.checks.by_uid(login):
            del self.binned[login]
            ref = server.bring_back(FIRST, source, ref)
            lines = client.Resource(source).own_lines()
            uid = self.checks.uid(login, ref)
            self.truth.written_by_client(uid, None, self.checks.at(login, ref), lines)
            if self.agenda.directions.get(login) is Direction.TO_REMOTE:
                self.truth.left_alone.add(uid)
            self.done["client takes back"] += 1

    @rule(at=PICK)
    def the_client_has_what_the_crm_just_made(self, at: int) -> None:
        """By a file, say, that came with a mail: the same UID on both sides, before the two were linked."""
        there = self.checks.by_uid("claire")
        records = self.agenda.records()
        keys = [
            key
            for key in self.keys()
            if held(records[key]).uid not in there and self.agenda._owner(records[key]) == "claire"
        ]
        if not keys or not self.servers["claire"].has(FIRST) or self.servers["claire"].refuses(FIRST):
            return  # what lies where nobody can look nobody can know of: it is made in another calendar
        item = held(records[keys[at % len(keys)]])
        number = self.next()
        source = client.new_resource(
            item.uid, number, "claire@acme.example",
            series=False, task=item.kind.value == "VTODO", guests="", past=False, private=False,
        )  # fmt: skip
        ref = self.servers["claire"].put(FIRST, source)
        lines = client.Resource(self.checks.all_sources("claire")[ref]).own_lines()
        self.truth.written_by_client(item.uid, None, self.checks.at("claire", ref), lines)
        self.done["client has it too"] += 1
