"""Calendars in memory that behave as those of a CalDAV server do, and fail on demand: for tests and dry runs.

They pass the same contract suite as the real connector. `MemoryCalendar` is the server's side: a test puts
items into it, edits them as another client would and arranges failures; `MemoryCalendarConnector` is what
the engine gets. What it stores are the bytes of iCalendar, written and read by `connectors.ical`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self

from connectors.calendar import (
    CalendarInfo,
    ChangeSet,
    Dress,
    Item,
    Kind,
    Listed,
    Missing,
    RemoteItem,
)
from connectors.dav import paths
from connectors.errors import (
    AuthFailed,
    CollectionError,
    CollectionGone,
    CollectionRefused,
    Conflict,
    ItemError,
    OutcomeUnknown,
    Unreachable,
)
from connectors.ical import editing, writing
from connectors.ical.reading import Unreadable, read
from connectors.scheduling import Mailed, hushed, mails, missing_guests

Make = Callable[[], BaseException]
Rewrite = Callable[[bytes], bytes]
WRITES = frozenset({"create", "update", "delete"})


@dataclass(slots=True)
class _Stored:
    source: bytes
    version: str
    withheld: bool = False  # listed, and never given
    vanished: bool = False  # listed, and said not to be there


@dataclass(slots=True)
class _Calendar:
    info: CalendarInfo
    epoch: int  # tokens of another epoch mean nothing
    refused: bool = False
    stored: dict[str, _Stored] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)  # the ref of each change; its length is the token


@dataclass(slots=True)
class _Fault:
    call: str
    nth: int  # the how manieth call from now on fails
    after: bool  # once it was done, rather than before
    make: Make


class MemoryCalendar:
    """The server's side. Starts with one calendar, "/calendar/", that takes events and tasks.

    `owner` are the addresses of the mailbox's owner. With `auto_schedule`, what the server would mail
    because of a connector's write is noted in `mailed`.
    """

    def __init__(
        self,
        who: str = "a mailbox in memory",
        *,
        owner: frozenset[str] = frozenset(),
        auto_schedule: bool = False,
    ) -> None:
        self.who = who
        self.owner = owner
        self.auto_schedule = auto_schedule
        self.syncs = True  # False: no tokens, a changed calendar is listed as a whole
        self.versions: Literal["always", "flaky", "never"] = "always"  # flaky: not in answer to a write
        self.rewrite: Rewrite | None = None  # what the server does to what it is given
        self.tells_rewrites = True  # False: it answers a write as if it had kept what it was given
        self.login_refused = False
        self.mailed: list[Mailed] = []
        self.calls: Counter[str] = Counter()  # by name of the connector's method, and "connect"
        self.logged: list[tuple[str, str]] = []  # each call with its calendar or ref, in order
        self.before_call: Callable[[str, str], None] | None = None  # before each: its name, calendar or ref
        self._calendars: dict[str, _Calendar] = {}
        self._faults: list[_Fault] = []
        self._hooks: list[tuple[str, int, Callable[[], None]]] = []
        self._epochs = 0
        self._versions = 0
        self.add_calendar("/calendar/", "Calendar")

    # What other clients and the server do.

    def add_calendar(
        self,
        ref: str,
        name: str = "",
        *,
        kinds: frozenset[Kind] = frozenset(Kind),
        writable: bool = True,
    ) -> None:
        """A new, empty calendar, in place of one of that ref."""
        self._epochs += 1
        info = CalendarInfo(ref, name or ref, kinds, writable, self.auto_schedule)
        self._calendars[ref] = _Calendar(info, self._epochs)

    def remove_calendar(self, ref: str) -> None:
        """The calendar and its items are gone."""
        del self._calendars[ref]

    def remake_calendar(self, ref: str) -> None:
        """The calendar is removed and made anew under the same ref: empty, its tokens unknown."""
        info = self._calendars.pop(ref).info
        self.add_calendar(ref, info.name, kinds=info.kinds, writable=info.writable)

    def refuse_calendar(self, ref: str, *, refused: bool = True) -> None:
        """The calendar is listed and access to it denied."""
        self._calendars[ref].refused = refused

    def make_read_only(self, ref: str) -> None:
        """Nothing can be written to the calendar any more."""
        calendar = self._calendars[ref]
        calendar.info = replace(calendar.info, writable=False)

    def put(self, calendar: str, source: bytes, ref: str = "") -> str:
        """Another client writes an item, or what is none. Returns its ref."""
        if not ref:
            try:
                ref = paths.for_uid(calendar, read(source).uid)
            except Unreadable:
                ref = f"{calendar}unreadable-{len(self._calendars[calendar].log)}.ics"
        self._store(self._calendars[calendar], ref, source)
        return ref

    def remove(self, ref: str) -> None:
        """Another client deletes the item."""
        self._drop(self._calendars[paths.parent(ref)], ref)

    def withhold(self, ref: str, *, withheld: bool = True) -> None:
        """The server lists the item and cannot give it."""
        self._calendars[paths.parent(ref)].stored[ref].withheld = withheld

    def vanish(self, ref: str, *, vanished: bool = True) -> None:
        """The server lists the item and says that it is not there when asked for it."""
        self._calendars[paths.parent(ref)].stored[ref].vanished = vanished

    def expire_tokens(self, calendar: str) -> None:
        """Every cursor given so far means nothing any more; the items stay."""
        self._epochs += 1
        self._calendars[calendar].epoch = self._epochs

    def sources(self, calendar: str = "/calendar/") -> dict[str, bytes]:
        """What is stored, by ref."""
        return {ref: one.source for ref, one in self._calendars[calendar].stored.items()}

    def items(self, calendar: str = "/calendar/") -> dict[str, Item]:
        """What is stored and can be read, by UID."""
        found = {}
        for source in self.sources(calendar).values():
            try:
                item = read(source)
            except Unreadable:
                continue
            found[item.uid] = item
        return found

    # Faults on demand.

    def fail(self, call: str, make: Make | None = None, *, nth: int = 1, after: bool = False) -> None:
        """The nth `call` from now on fails with what `make` makes, before anything was done or after it was.

        Without `make`, a write ends in OutcomeUnknown and the rest in Unreachable. A listing that is cut
        short: `fail("changes", ...)` with a CollectionError.
        """
        self._faults.append(_Fault(call, nth, after, make or (lambda: self._silent(call))))

    def before(self, call: str, action: Callable[[], None], *, nth: int = 1) -> None:
        """Does something right before the nth `call` from now on: another client is quicker."""
        self._hooks.append((call, nth, action))

    def _silent(self, call: str) -> BaseException:
        if call in WRITES:
            return OutcomeUnknown(f"The server of {self.who} gave no answer to a change.")
        return Unreachable(f"The server of {self.who} gave no answer.")

    # For the connector.

    def enter(self, call: str, ref: str) -> _Fault | None:
        """Notes the call, does what was to be done before it, and returns the fault that it meets."""
        self.calls[call] += 1
        self.logged.append((call, ref))
        if self.before_call is not None:
            self.before_call(call, ref)
        due = [action for name, nth, action in self._hooks if name == call and nth == 1]
        self._hooks = [
            (name, nth - (name == call), action)
            for name, nth, action in self._hooks
            if not (name == call and nth == 1)
        ]
        for action in due:
            action()
        met = next((one for one in self._faults if one.call == call and one.nth == 1), None)
        self._faults = [one for one in self._faults if one is not met]
        for fault in self._faults:
            fault.nth -= fault.call == call
        return met

    def infos(self) -> list[CalendarInfo]:
        return [calendar.info for calendar in self._calendars.values()]

    def opened(self, ref: str) -> _Calendar:
        """Raises CollectionGone or CollectionRefused."""
        calendar = self._calendars.get(ref)
        if calendar is None:
            raise CollectionGone(f"The calendar {ref} of {self.who} does not exist.", collection=ref)
        if calendar.refused:
            raise CollectionRefused(f"The calendar {ref} of {self.who} cannot be opened.", collection=ref)
        return calendar

    def write(self, ref: str, source: bytes, before: bytes | None) -> None:
        """A connector's PUT: stored, and mailed where the server schedules."""
        self._note(before, source)
        self._store(self.opened(paths.parent(ref)), ref, self.rewrite(source) if self.rewrite else source)

    def erase(self, ref: str, *, reply: bool) -> None:
        """A connector's DELETE. `reply` False is the header Schedule-Reply: F."""
        calendar = self.opened(paths.parent(ref))
        self._note(calendar.stored[ref].source, None, reply=reply)
        self._drop(calendar, ref)

    def _note(self, before: bytes | None, after: bytes | None, *, reply: bool = True) -> None:
        if self.auto_schedule:
            self.mailed += mails(before, after, self.owner, reply=reply)

    def _store(self, calendar: _Calendar, ref: str, source: bytes) -> None:
        self._versions += 1
        calendar.stored[ref] = _Stored(source, f'"v{self._versions}"')
        calendar.log.append(ref)

    def _drop(self, calendar: _Calendar, ref: str) -> None:
        del calendar.stored[ref]
        calendar.log.append(ref)


class MemoryCalendarConnector:
    """`connectors.protocol.CalendarConnector` on a `MemoryCalendar`."""

    def __init__(
        self,
        server: MemoryCalendar,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.server = server
        self._clock = clock
        self._entered = False

    def __enter__(self) -> Self:
        fault = self.server.enter("connect", "")
        if fault is not None:
            raise fault.make()
        if self.server.login_refused:
            raise AuthFailed(f"The login of {self.server.who} was refused.")
        self._entered = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._entered = False

    def calendars(self) -> Sequence[CalendarInfo]:
        fault = self._begin("calendars", "")
        found = self.server.infos()
        _end(fault)
        return found

    def changes(self, calendar: str, cursor: str) -> ChangeSet:
        fault = self._begin("changes", calendar)
        found = self._changes(self.server.opened(calendar), cursor)
        _end(fault)
        return found

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[RemoteItem | Missing | ItemError]:
        fault = self._begin("read", calendar)
        stored = self.server.opened(calendar).stored
        for ref in dict.fromkeys(refs):
            one = stored.get(ref)
            if one is None or one.vanished:
                yield Missing(ref)
                continue
            try:
                yield self._given(ref, one)
            except ItemError as error:
                yield error
        _end(fault)

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        fault = self._begin("find", calendar)
        found = self._find(calendar, uid)
        _end(fault)
        return found

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        fault = self._begin("create", calendar)
        here = self._writable(calendar)
        ref = paths.for_uid(calendar, item.uid)
        taken = any(_uid(one.source) == item.uid for one in here.stored.values())
        if ref in here.stored or taken:
            raise Conflict(f"The item {ref} of {self.server.who} is there already.")
        if item.kind not in here.info.kinds:
            raise ItemError(f"The calendar takes no {item.kind.value}.", locator=ref)
        try:
            source = writing.new(item, dress, stamp=self._clock(), quiet=not notify)
        except ValueError as error:
            raise ItemError(f"The item {ref} cannot be written: {error}.", locator=ref) from error
        self.server.write(ref, source, None)
        _end(fault)
        return self._written(ref, source)

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        fault = self._begin("update", current.ref)
        here = self._writable(paths.parent(current.ref))
        try:
            source = editing.edit(current.source, item, dress, stamp=self._clock(), quiet=not notify)
        except ValueError as error:
            raise ItemError(
                f"The item {current.ref} cannot be edited: {error}.", locator=current.ref
            ) from error
        if source == current.source:
            _end(fault)
            return current
        one = here.stored.get(current.ref)
        if one is None or not self._same(one, current):
            raise Conflict(f"The item {current.ref} of {self.server.who} was changed by somebody else.")
        before = one.source
        if not notify and self.server.auto_schedule and missing_guests(current.item, item):
            before = hushed(before)
            self.server.write(current.ref, before, one.source)
        self.server.write(current.ref, source, before)
        _end(fault)
        return self._written(current.ref, source)

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        fault = self._begin("delete", current.ref)
        one = self._writable(paths.parent(current.ref)).stored.get(current.ref)
        if one is not None:
            if not self._same(one, current):
                raise Conflict(f"The item {current.ref} of {self.server.who} was changed by somebody else.")
            if not notify and self.server.auto_schedule:
                self.server.write(current.ref, hushed(one.source), one.source)
            self.server.erase(current.ref, reply=notify)
        _end(fault)

    def _begin(self, call: str, ref: str) -> _Fault | None:
        if not self._entered:
            raise Unreachable(f"{self.server.who} is not connected.")
        fault = self.server.enter(call, ref)
        if fault is not None and not fault.after:
            raise fault.make()
        return fault

    def _changes(self, calendar: _Calendar, cursor: str) -> ChangeSet:
        now = json.dumps([calendar.epoch, len(calendar.log)])
        since = _since(cursor)
        known = since is not None and since[0] == calendar.epoch
        if cursor and known and since is not None and (self.server.syncs or since[1] == len(calendar.log)):
            touched = dict.fromkeys(calendar.log[since[1] :])
            listed = tuple(self._listed(ref, calendar) for ref in touched if ref in calendar.stored)
            removed = tuple(ref for ref in touched if ref not in calendar.stored)
            return ChangeSet(listed, removed, complete=False, reset=False, cursor=now)
        every = tuple(self._listed(ref, calendar) for ref in calendar.stored)
        return ChangeSet(every, (), complete=True, reset=bool(cursor) and not known, cursor=now)

    def _listed(self, ref: str, calendar: _Calendar) -> Listed:
        return Listed(ref, self._version(calendar.stored[ref]))

    def _version(self, one: _Stored) -> str:
        return "" if self.server.versions == "never" else one.version

    def _given(self, ref: str, one: _Stored) -> RemoteItem:
        if one.withheld:
            raise ItemError(f"The server of {self.server.who} does not give the item {ref}.", locator=ref)
        try:
            return RemoteItem(ref, self._version(one), read(one.source), one.source)
        except Unreadable as error:
            raise ItemError(
                f"The item {ref} of {self.server.who} cannot be read. {error}", locator=ref
            ) from error

    def _find(self, calendar: str, uid: str) -> RemoteItem | None:
        for ref, one in self.server.opened(calendar).stored.items():
            if _uid(one.source) == uid and not one.vanished:
                return self._given(ref, one)
        return None

    def _written(self, ref: str, source: bytes) -> RemoteItem:
        one = self.server.opened(paths.parent(ref)).stored[ref]
        if not self.server.tells_rewrites:
            return RemoteItem(ref, self._version(one), read(source), source)
        given = self._given(ref, one)
        return replace(given, version="") if self.server.versions == "flaky" else given

    def _writable(self, calendar: str) -> _Calendar:
        here = self.server.opened(calendar)
        if not here.info.writable:
            raise CollectionRefused(f"The calendar {calendar} is read-only.", collection=calendar)
        return here

    def _same(self, one: _Stored, current: RemoteItem) -> bool:
        if current.version:
            return one.version == current.version
        try:
            return read(one.source) == current.item
        except Unreadable:
            return False


def cut_short() -> CollectionError:
    """The error of a listing that the server cut short."""
    return CollectionError("The server cut its list short.", collection="")


def _end(fault: _Fault | None) -> None:
    if fault is not None:
        raise fault.make()


def _since(cursor: str) -> tuple[int, int] | None:
    try:
        read_cursor: object = json.loads(cursor)
    except ValueError:
        return None
    match read_cursor:
        case [int(epoch), int(position)]:
            return epoch, position
    return None


def _uid(source: bytes) -> str:
    try:
        return read(source).uid
    except Unreadable:
        return ""
