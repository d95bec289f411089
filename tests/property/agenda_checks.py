"""What must hold of a company's calendars: after each cycle, and once it is quiet."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import lru_cache

from connectors.calendar import Item, Kind, Status
from connectors.ical.reading import Unreadable, read
from store.sync_state import MailboxState
from syncd.core.canonical import Unit, is_private, redacted, value_of
from syncd.core.decision import Direction
from syncd.engine.calendar.items import minutes_before, settled, settled_task
from syncd.engine.report import CycleReport
from tests.property.agenda import Agenda, Record, held, hidden
from tests.property.agenda_client import Resource
from tests.property.agenda_server import Side
from tests.property.agenda_truth import Truth, values_in

WRITES = ("create", "update", "delete")


@lru_cache(1000)
def parsed(source: bytes) -> Item | None:
    """The item, where it is one."""
    try:
        return read(source)
    except Unreadable:
        return None


@dataclass
class Watched:
    """One cycle, and what the server held before it."""

    report: CycleReport | None = None
    refs: dict[str, bytes] = field(default_factory=dict)


class Checks:
    """One company's."""

    def __init__(self, agenda: Agenda, truth: Truth) -> None:
        self.agenda = agenda
        self.truth = truth
        self.broken: dict[str, bytes] = {}  # refs of what cannot be read, and what stood there before
        self.rubbish: set[str] = set()  # those that nobody can ever read
        self.released: set[str] = set()  # mailboxes that a person let go just now
        self.manual = False  # whether conflicts wait for a person

    # --- the servers ------------------------------------------------------------------------------

    def all_sources(self, login: str) -> dict[str, bytes]:
        server = self.agenda.servers[login]
        return {ref: source for calendar in server.refs() for ref, source in server.sources(calendar).items()}

    def at(self, login: str, ref: str) -> Item | None:
        source = self.all_sources(login).get(ref)
        return None if source is None else self.parsed(source)

    def uid(self, login: str, ref: str) -> str:
        item = self.at(login, ref)
        return "" if item is None else item.uid

    @staticmethod
    def parsed(source: bytes) -> Item | None:
        return parsed(source)

    def by_uid(self, login: str) -> dict[str, list[tuple[str, Item]]]:
        found: dict[str, list[tuple[str, Item]]] = {}
        for ref, source in self.all_sources(login).items():
            item = self.parsed(source)
            if item is not None and not item.companion:
                found.setdefault(item.uid, []).append((ref, item))
        return found

    def break_or_heal(
        self, login: str, at: int, how: str, found: tuple[str, str] | None, number: int
    ) -> bool:
        server = self.agenda.servers[login]
        if how == "heal":
            self.heal_all()
            return True
        if how == "garbage":
            calendar = sorted(server.refs())[at % len(server.refs())]
            ref = server.garbage(calendar, number)
            self.rubbish.add(ref)
            self.broken[ref] = b""
            return True
        if found is None:
            return False
        (server.withhold if how == "withhold" else server.vanish)(found[1])
        self.broken[found[1]] = b""
        return True

    def heal_all(self) -> None:
        """What was garbage stays garbage; the rest can be read again."""
        for server in self.agenda.servers.values():
            server.heal()
        self.broken = dict.fromkeys(self.rubbish, b"")

    # --- after each cycle -------------------------------------------------------------------------

    @contextmanager
    def of_a_cycle(self, login: str) -> Iterator[Watched]:
        """Watches one: what it deletes, whom it mails, whether it goes on where the brake is on."""
        server = self.agenda.servers[login]
        before = {uid for uid, ones in self.by_uid(login).items() if ones}
        visible = self.shown()
        asleep = self.agenda.state(login) is not MailboxState.RUNNING
        ((mapped,),) = self.agenda.rows(
            "SELECT count(*) FROM binding b JOIN collection c ON c.id = b.collection_id "
            "JOIN mailbox m ON m.id = c.mailbox_id WHERE b.state = 'BOUND' AND m.name = :name",
            name=login,
        )
        watched = Watched()
        yield watched
        self._deletions(login, before, visible, int(str(mapped)))
        self._mails(server)
        self.nothing_is_there_twice()
        self._secrets()
        self._concealed()
        for name, way in self.agenda.directions.items():
            if way is Direction.TO_CRM:
                calls = self.agenda.servers[name].calls
                assert not [one for one in WRITES if calls[one]], f"{name}: {calls}"
        if asleep and watched.report is not None:
            assert watched.report.skipped is not None or watched.report.calendar.braked is not None
        if self.agenda.rows("SELECT name FROM mailbox WHERE name = :name AND released IS NULL", name=login):
            self.released.discard(login)  # what was let go is done

    def _deletions(self, login: str, before: set[str], visible: set[str], mapped: int) -> None:
        gone = before - set(self.by_uid(login))
        hid = visible - self.shown()
        without = {uid for uid in gone | hid if uid not in self.truth.deleted}
        copies = {uid for uid in without if login != "claire" and uid in gone}
        assert not without - copies, f"deleted without a person: {without}"
        limits = self.agenda.limits
        for count in (len(gone), len(hid)):
            if login not in self.released and count >= limits.count and count * 100 > limits.percent * mapped:
                raise AssertionError(f"{count} of {mapped} deleted in one cycle, and nobody was asked")

    def shown(self) -> set[str]:
        """What the CRM shows."""
        return {held(one).uid for one in self.agenda.records().values() if not hidden(one)}

    def bound(self, calendar: str) -> int:
        """How many items that lie in one of Claire's calendars, and nobody took out, are kept in step; where
        it is several of the server's own (events here, tasks there), in the fullest of them."""
        server = self.agenda.servers["claire"]
        here, shown = server.sources(calendar), self.shown()
        return max(
            sum(
                1
                for ref, uid in self.agenda.rows(
                    "SELECT b.remote_ref, b.uid FROM binding b JOIN collection c ON c.id = b.collection_id "
                    "JOIN mailbox m ON m.id = c.mailbox_id "
                    "WHERE b.state = 'BOUND' AND m.name = 'claire' AND c.remote_ref = :ref",
                    ref=collection,
                )
                if ref in here and uid in shown
            )
            for collection in server.collections(calendar)
        )

    def is_bound(self, login: str, uid: str) -> bool:
        """Whether an item of that UID is kept in step with one of the user's calendars."""
        return bool(
            self.agenda.rows(
                "SELECT b.id FROM binding b JOIN collection c ON c.id = b.collection_id "
                "JOIN mailbox m ON m.id = c.mailbox_id "
                "WHERE b.state = 'BOUND' AND m.name = :name AND b.uid = :uid",
                name=login, uid=uid,
            )
        )  # fmt: skip

    def _mails(self, server: Side) -> None:
        """A guest is mailed once for each change of a person in the CRM, at most."""
        for (recipient, uid, _), count in server.told().items():
            assert count <= self.truth.edits[uid], f"{recipient} was mailed {count} times about {uid}"
        assert not server.replied()

    def nothing_is_there_twice(self) -> None:
        for login in self.agenda.servers:
            twice = {uid: ones for uid, ones in self.by_uid(login).items() if len(ones) > 1}
            assert not twice, f"{login} has twice: {sorted(twice)}"
        uids = Counter(held(one).uid for one in self.agenda.records().values())
        assert set(uids) <= self.truth.created, f"nobody made {set(uids) - self.truth.created}"
        assert not [uid for uid, times in uids.items() if times > 1]

    def _secrets(self) -> None:
        if self.truth.secret:
            everything = self.agenda.everything().casefold()
            told = {text for text in self.truth.secret if text in everything}
            assert not told, f"text of private items is in the database: {told}"

    def _concealed(self) -> None:
        """What a client made private is busy time in the CRM; what had not left there is gone for good."""
        held_ = {held(one).uid: held(one) for one in self.agenda.records().values()}
        for uid in self.truth.concealed & held_.keys():
            if is_private(held_[uid]) and held_[uid] == redacted(held_[uid]):
                for login in self.agenda.servers:
                    for _ref, item in self.by_uid(login).get(uid, ()):
                        self.truth.forgotten(uid, item)

    def restless(self) -> list[str]:
        """What another cycle changes."""
        before = set(self.agenda.everything().split("\n"))
        for login in self.agenda.servers:
            self.agenda.cycle(login)
        return sorted(before ^ set(self.agenda.everything().split("\n")))

    # --- in the end -------------------------------------------------------------------------------

    def the_next_cycle_writes_nothing(self) -> None:
        before = self.agenda.version()
        writes = [server.calls[name] for server in self.agenda.servers.values() for name in WRITES]
        for login in self.agenda.servers:
            report = self.agenda.cycle(login)
            assert report is not None
            assert (report.error, report.skipped) == (None, None)
            assert not report.wrote, f"{login}: {dict(report.calendar.actions)}"
        assert self.agenda.version() == before, "the database was written to"
        assert writes == [server.calls[name] for server in self.agenda.servers.values() for name in WRITES]

    def at_the_end(self) -> None:
        records = {held(one).uid: one for one in self.agenda.records().values()}
        assert not self.agenda.rows("SELECT * FROM intent")
        told = {uid for uid, one in records.items() if self._is_told(held(one))}
        ids = {records[uid].id for uid in told}
        waiting = [
            row for row in self.agenda.rows("SELECT entity_id, entity FROM pending") if row[0] not in ids
        ]
        assert not waiting, (
            f"still in the outbox: {waiting}; "
            f"quarantined: {self.agenda.rows('SELECT * FROM quarantine')}; "
            f"bound: {self.agenda.rows('SELECT uid, state, entity, entity_id FROM binding')}"
        )
        conflicts = self._conflicts()
        open_ = {
            (str(uid), str(component), Unit(str(unit)))
            for uid, component, unit in self.agenda.rows(
                "SELECT b.uid, k.component, k.unit FROM conflict k JOIN binding b ON b.id = k.binding_id "
                "WHERE k.state = 'OPEN' AND k.unit <> ''"
            )
        }
        for login in self.agenda.servers:
            for uid, ((ref, item),) in self.by_uid(login).items():
                if ref not in self.broken and uid not in told:
                    self._in_step(login, ref, item, records.get(uid), open_, conflicts)
        shown = {uid for uid, one in records.items() if not hidden(one)}
        there = {uid for login in self.agenda.servers for uid in self.by_uid(login)}
        for uid in shown - there:
            item = held(records[uid])
            owner = self.agenda._owner(records[uid])
            way = self.agenda.directions.get(owner)
            if way is Direction.TO_CRM:
                continue
            if way is Direction.TO_REMOTE and is_private(item) and uid in self.truth.deleted:
                continue  # its text was the client's alone, so the CRM has nothing to put back
            assert all(one.status is Status.CANCELLED for one in item.components), (
                f"{uid} is nowhere: {self.agenda.rows('SELECT uid, action, row, reason FROM decision')}; "
                f"{self.agenda.rows('SELECT uid, state, entity_id FROM binding')}"
            )
        if Direction.TO_REMOTE in self.agenda.directions.values():
            shown |= there  # what nothing is taken from is lost only where it is gone
        for uid in self.truth.created - shown - self.truth.left_alone - told:
            assert uid in self.truth.deleted, f"{uid} is lost"
            if uid in records and is_private(held(records[uid])):
                continue  # of its text nothing is kept, not even what lost
            one_way = Direction.TO_CRM in self.agenda.directions.values()
            left = held(records[uid]) if one_way and uid in records else None  # its changes are its own
            assert not self.truth.missing(uid, left, conflicts), f"{uid}: {self.truth.living[uid]}"

    def _is_told(self, item: Item) -> bool:
        """Whether a server cannot hold what the CRM has, and a person reads so in the quarantine."""
        rows = self.agenda.rows("SELECT remote_ref FROM quarantine WHERE error LIKE '%cannot be written%'")
        return any(
            server.unsayable(item, ref) and (ref,) in rows
            for login, server in self.agenda.servers.items()
            for ref, _ in self.by_uid(login).get(item.uid, ())
        )

    def _in_step(
        self,
        login: str,
        ref: str,
        item: Item,
        record: Record | None,
        open_: set[tuple[str, str, Unit]],
        conflicts: str,
    ) -> None:
        """One item at a server, and what the CRM has of it."""
        uid = item.uid
        where = self.agenda.rows(
            "SELECT b.state, b.supplies FROM binding b JOIN collection c ON c.id = b.collection_id "
            "JOIN mailbox m ON m.id = c.mailbox_id WHERE b.remote_ref = :ref AND m.name = :name",
            ref=ref, name=login,
        )  # fmt: skip
        way = self.agenda.directions.get(login, Direction.BOTH)
        if not where and way is Direction.TO_REMOTE and (record is None or hidden(record)):
            return  # nothing is taken from there
        assert len(where) == 1, f"{login} {ref} is bound {where}"
        ((state, supplies),) = where
        if state == "IGNORED":
            assert uid in self.truth.deleted, f"{uid} is ignored"
            return
        assert state == "BOUND", f"{login} {ref} is {state}"
        assert record is not None, f"{uid} is not in the CRM"
        if hidden(record) and (
            (uid in self.truth.out_of_sight and item.main.organizer)
            or (uid in self.truth.deleted and (way is Direction.TO_CRM or is_private(item)))
        ):
            return
        assert not hidden(record), f"{uid} is hidden in the CRM"
        if way is Direction.TO_REMOTE and is_private(item):
            return  # the client's own affair
        if way is Direction.TO_CRM and self.truth.edits[uid]:
            lost = self.truth.missing(uid, held(record), conflicts)
            assert is_private(item) or is_private(held(record)) or not lost, f"{uid} lacks in the CRM {lost}"
        elif supplies:
            self._equal(uid, held(record), item, open_, conflicts)
            self._vendor(login, ref, held(record), put_back=way is Direction.TO_REMOTE)

    def _conflicts(self) -> str:
        rows = self.agenda.rows("SELECT base, crm_value, remote_value FROM conflict")
        return "\n".join(str(text) for row in rows for text in row).casefold()

    def _equal(
        self, uid: str, crm: Item, remote: Item, open_: set[tuple[str, str, Unit]], conflicts: str
    ) -> None:
        settle = settled_task if remote.kind is Kind.TASK else settled
        wanted = settle(redacted(remote))
        silent = any(not server.tells_rewrites for server in self.agenda.servers.values())
        one_way = Direction.TO_REMOTE in self.agenda.directions.values()
        assert set(crm.by_key) == set(wanted.by_key), f"{uid}: {crm}\n is not {wanted}"
        for key, one in wanted.by_key.items():
            for unit in Unit:
                left, right = value_of(crm.by_key[key], unit), value_of(one, unit)
                if unit is Unit.LOCATION and one_way:  # the server's own way of writing it stays there
                    left, right = str(left).upper(), str(right).upper()
                if unit is Unit.ALARMS and (silent or one_way):
                    left, right = (
                        value_of(replace(each, alarms=each.alarms - {"-PT10M"}), unit)
                        for each in (crm.by_key[key], one)
                    )
                assert left == right or (uid, key, unit) in open_, (
                    f"{uid} {key} {unit}: {left} is not {right}"
                )
        if not is_private(remote):  # what the CRM lost when it became private is not kept either
            waits = any(one == uid for one, _, _ in open_)  # each side keeps its own until a person decides
            lost = self.truth.missing(uid, remote, conflicts) - (values_in(crm) if waits else set())
            assert not lost, f"{uid} lacks at the server {lost}: {remote}"
            lost = self.truth.missing(uid, crm, conflicts) - (values_in(remote) if waits else set())
            assert not lost, f"{uid} lacks in the CRM {lost}: {crm}"

    def _vendor(self, login: str, ref: str, crm: Item, *, put_back: bool) -> None:
        """With `put_back`, an alarm that the client added goes, and with it what the client wrote into it."""
        lost = self.truth.vendor[crm.uid] - Resource(self.all_sources(login)[ref]).own_lines()
        if put_back:
            kept = {minutes_before(alarm) for one in crm.components for alarm in one.alarms}
            alarms = {f"X-VENDOR-ALARM:{minutes}" for minutes in kept}
            lost = {line for line in lost if not line.startswith("X-VENDOR-ALARM:") or line in alarms}
        assert not lost, f"{crm.uid} lost {lost}"
