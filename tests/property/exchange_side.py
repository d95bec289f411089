"""A side of the state machine that is an Exchange server: the connector for EWS speaks to the tests' own one.

Where Exchange truly differs from a server in memory is said here, once, with the reason, and nowhere else:

- *Versions and tokens.* There is a change key always and a sync state always; the server writes nothing by
  itself that would come back as another value. So those habits of a server in memory are not drawn here.
- *Whom a write mails* is said with each write, and nothing has to be refused because it would mail. A mail is
  about a series, or about one occurrence: a change of a series that moves has one for each.
- *What cannot be said* (`unsayable`): the CRM is not asked for it, since the item would wait in quarantine.
  Where two changes at once come to it only together, it does: it is told with the reason, and stays so.
- *Exceptions* are dropped by Exchange when their series moves, and when a deleted occurrence is to be there
  again: what other programs wrote into them is gone then, whoever writes.
- *A creation has no precondition*: a create does not meet the item of another client's; a deletion has none
  either, so "somebody else was quicker" is a fault of updates alone.
- *A task has no UID* of its own: one that a client made is known by its id.
- *The mailbox's own calendar* cannot be removed. A restored database takes its place: the folders are the
  same, the items are not there and no sync state means anything.
- *Recurrences*: the other client sets none anew, and there are no single dates beside a rule.
- *What a person cannot do* in a client of Exchange: `exchange_hand`.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

from connectors.calendar import Component, Item, Kind, When
from connectors.ews.access import EwsAccess, Password
from connectors.protocol import CalendarConnector
from tests.property.agenda_server import Mail
from tests.property.agenda_weather import Versions
from tests.property.exchange_faults import Breaking, Watched
from tests.property.exchange_hand import Hand
from tests.property.exchange_text import LINK, own_text, source_of
from tests.servers.ews import fields
from tests.servers.ews.model import Folder
from tests.servers.ews.model import Item as Stored
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews.target import Target

FIRST = "/calendar/"


class ExchangeSide:
    """One mailbox on a server of its own. Each calendar of the machine is one of Exchange and a task list."""

    def __init__(self, address: str) -> None:
        self.server = EwsServer()
        self.server.store._secret = bytes(8)  # the same ids each time, and so the same histories
        self.server.__enter__()
        self.address = address
        self.password = self.server.add_mailbox(address)
        self.client = OtherClient(self.server, address)
        self.hand = Hand(self.client, address)
        self.breaking = Breaking(self.server)
        self.calls = self.breaking.calls
        self.auto_schedule = True
        self.tells_rewrites = True
        self.has_all_rules = False
        self._folders = {FIRST: ("calendar", "tasks")}
        self._binned: dict[str, Stored] = {}
        self._lost: list[Stored] = []
        self._texts: dict[tuple[int, int], bytes] = {}  # by number and version
        self._now = datetime(2026, 11, 22, 12, 0).astimezone()
        self.server.store.now = lambda: self._now  # type: ignore[method-assign]  # no time but the machine's

    def connector(self, clock: Callable[[], datetime]) -> CalendarConnector:
        self._now = clock()
        access = EwsAccess(
            self.address,
            Password(self.address, lambda: self.password, "basic"),
            url=self.server.url,
            timeout=timedelta(seconds=10),
        )
        return Watched(access, self.breaking, clock)

    def close(self) -> None:
        self.server.__exit__(None, None, None)

    # --- what it is like ------------------------------------------------------------------------

    def set_up(self, versions: Versions, rewrite: str, *, syncs: bool) -> None:
        """None of it, see above."""

    def change(self, what: str, calendar: str) -> None:
        if what == "expire":
            self.server.expire_sync_states()
        elif what in {"refuse", "allow"}:
            self.breaking.refuse(self.collections(calendar), refused=what == "refuse")

    def unsayable(self, item: Item, ref: str = "") -> str:
        if item.kind is Kind.TASK:
            return "a place of a task" if any(one.location for one in item.components) else ""
        link = own_text(self._target(ref), LINK) if ref in self._items() else ""
        if link and item.main.video_url != link:
            return "another link than that of the meeting's provider"
        if item.main.timing.rdates:
            return "single dates beside a rule"
        return "" if in_order(item) else "an occurrence that is none, or not between its neighbours"

    def drops_others(self, before: Item, after: Item) -> bool:
        was, now = before.main.timing, after.main.timing
        back = {one.key() for one in was.exdates} - {one.key() for one in now.exdates}
        return bool(back) or (was.start, was.end, was.rrule) != (now.start, now.end, now.rrule)

    # --- another client's hand ------------------------------------------------------------------

    def refs(self) -> list[str]:
        return list(self._folders)

    def collections(self, calendar: str) -> list[str]:
        return [self.server.store.folder_id(one) for one in self._both(calendar)]

    def has(self, calendar: str) -> bool:
        return calendar in self._folders

    def refuses(self, calendar: str) -> bool:
        return bool(self.breaking.refused & set(self.collections(calendar)))

    def add_calendar(self, ref: str, name: str) -> None:
        self._folders[ref] = name, f"{name} tasks"
        for each, kind in zip(self._folders[ref], ("IPF.Appointment", "IPF.Task"), strict=True):
            self.client.add_folder(each, folder_class=kind)

    def sources(self, calendar: str) -> dict[str, bytes]:
        with self.server.store.lock:
            return {
                self.client.id_of(one): self._text(one)
                for folder in self._both(calendar)
                for one in folder.items.values()
            }

    def _both(self, calendar: str) -> list[Folder]:
        return [self.client.folder(name) for name in self._folders[calendar]]

    def _text(self, item: Stored) -> bytes:
        if item.number in self.breaking.rubbish:
            return b"BEGIN:VCALENDAR\r\nnothing that is one\r\n"
        key = item.number, item.version
        if key not in self._texts:
            self._texts[key] = source_of(item, self.client.id_of(item))
        return self._texts[key]

    def _items(self) -> dict[str, Stored]:
        folders = [folder for calendar in self._folders for folder in self._both(calendar)]
        return {self.client.id_of(item): item for folder in folders for item in folder.items.values()}

    def _target(self, ref: str) -> Target:
        return Target(self._items()[ref])

    def put(self, calendar: str, source: bytes, ref: str = "") -> str:
        if ref:
            self.hand.edit(ref, self.sources(calendar)[ref], source)
            return ref
        return self.hand.make(source, *self._folders[calendar])

    def garbage(self, calendar: str, number: int) -> str:
        """An event whose time zone nobody has ever heard of, without its definition."""
        day = datetime(2026, 12, 1, 9).astimezone()
        ref = self.client.add_event(f"Garbage {number}", day, day, folder=self._folders[calendar][0])
        self.breaking.spoil(self.client.target(ref).item)
        return ref

    def remove(self, ref: str) -> None:
        """Into Deleted Items, as a client does it."""
        self._binned[ref] = self._items()[ref]
        self.client.delete(ref, to_deleted_items=True)

    def bring_back(self, calendar: str, source: bytes, ref: str) -> str:
        item = self._binned[ref]
        event = item.kind is fields.Kind.CALENDAR
        return self.client.move(self.client.id_of(item), self._folders[calendar][0 if event else 1])

    def move(self, ref: str, calendar: str) -> str:
        event = self._items()[ref].kind is fields.Kind.CALENDAR
        return self.client.move(ref, self._folders[calendar][0 if event else 1])

    def remake_calendar(self, ref: str) -> None:
        self._lost = []
        for folder in self._both(ref):
            self._lost += [one for one in folder.items.values() if one.number not in self.breaking.rubbish]
            for number in folder.items:
                del self.server.store.items[number]
            folder.items.clear()
            folder.gone.clear()
            folder.log.clear()
        self.server.expire_sync_states()

    def restore(self, calendar: str, sources: dict[str, bytes]) -> dict[str, bytes]:
        """Those that nobody has written anew meanwhile: the server would have them twice."""
        store, there = self.server.store, {self._uid(one) for one in self._items().values()}
        found = {}
        for item in self._lost:
            if self._uid(item) in there:
                continue
            item.entered = item.version = store.next_version()
            store.items[item.number] = item.folder.items[item.number] = item
            item.folder.log.append((item.version, item.number))
            found[self.client.id_of(item)] = self._text(item)
        return found

    def _uid(self, item: Stored) -> str:
        return own_text(Target(item), "uid") or item.text("UID") or self.client.id_of(item)

    # --- what goes wrong ------------------------------------------------------------------------

    def break_down(self, call: str, kind: str, *, nth: int, after: bool) -> None:
        self.breaking.plan(call, kind, nth=nth, after=after)

    def kill_at(self, nth: int) -> None:
        self.breaking.kill_at(nth)

    def before(self, call: str, action: Callable[[], None], *, nth: int = 1) -> None:
        self.breaking.hooks.append((call, nth, action))

    def withhold(self, ref: str) -> None:
        self.breaking.withheld.add(ref)

    def vanish(self, ref: str) -> None:
        self.breaking.vanished.add(ref)

    def heal(self) -> None:
        self.breaking.withheld.clear()
        self.breaking.vanished.clear()

    def calm(self) -> None:
        self.breaking.calm()

    def allow_all(self) -> None:
        self.breaking.refused.clear()

    # --- what is counted ------------------------------------------------------------------------

    def told(self) -> Counter[Mail]:
        return Counter((one.recipient, one.uid, one.occurrence) for one in self.server.counts.sent)

    def replied(self) -> bool:
        return bool(self.server.counts.of("response"))


def in_order(item: Item) -> bool:
    """Whether each changed occurrence is one of its (daily) series and lies between its neighbours."""
    main = item.main
    start, end = main.timing.start, main.timing.end
    if len(item.components) == 1 or start is None or end is None:
        return True
    assert isinstance(start.local, datetime)
    assert isinstance(end.local, datetime)
    count = int(main.timing.rrule.rpartition("COUNT=")[2] or 1)
    gone = {one.key() for one in main.timing.exdates}
    places = {
        When(start.local + timedelta(days=day), start.zone).key(): (
            start.local + timedelta(days=day), end.local + timedelta(days=day)
        )
        for day in range(count)
    }  # fmt: skip
    for one in item.components[1:]:
        if one.key not in places or one.key in gone:
            return False
        places[one.key] = span(one)
    taken = [span for key, span in places.items() if key not in gone]
    return all(before[1] <= after[0] for before, after in pairwise(taken))


def span(one: Component) -> tuple[datetime, datetime]:
    """From when to when, by the clock in Paris."""
    start, end = one.timing.start, one.timing.end
    assert start is not None
    assert end is not None
    assert isinstance(start.local, datetime)
    assert isinstance(end.local, datetime)
    return start.local, end.local
