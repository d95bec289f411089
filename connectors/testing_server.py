"""The server's side of the calendars in memory: see `connectors.testing_calendar`."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from connectors.calendar import CalendarInfo, Item, Kind
from connectors.dav import paths
from connectors.errors import CollectionError, CollectionGone, CollectionRefused, OutcomeUnknown, Unreachable
from connectors.ical.reading import Unreadable, read
from connectors.scheduling import Mailed, mails, reworded

Make = Callable[[], BaseException]
Rewrite = Callable[[bytes], bytes]
WRITES = frozenset({"create", "update", "delete"})


@dataclass(slots=True)
class Stored:
    source: bytes
    version: str
    withheld: bool = False  # listed, and never given
    vanished: bool = False  # listed, and said not to be there


@dataclass(slots=True)
class Calendar:
    info: CalendarInfo
    epoch: int  # tokens of another epoch mean nothing
    refused: bool = False
    stored: dict[str, Stored] = field(default_factory=dict)
    # The ref of each change, and whether it was there before; its length is the token.
    log: list[tuple[str, bool]] = field(default_factory=list)


@dataclass(slots=True)
class Fault:
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
        self.tells_passing = True  # False: a listing says nothing of what came and went since the last one
        self.versions: Literal["always", "flaky", "never"] = "always"  # flaky: not in answer to a write
        self.rewrite: Rewrite | None = None  # what the server does to what it is given
        self.tells_rewrites = True  # False: it answers a write as if it had kept what it was given
        self.login_refused = False
        self.mailed: list[Mailed] = []
        self.calls: Counter[str] = Counter()  # by name of the connector's method, and "connect"
        self.logged: list[tuple[str, str]] = []  # each call with its calendar or ref, in order
        self.before_call: Callable[[str, str], None] | None = None  # before each: its name, calendar or ref
        self._calendars: dict[str, Calendar] = {}
        self._faults: list[Fault] = []
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
        self._calendars[ref] = Calendar(info, self._epochs)

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
        self._faults.append(Fault(call, nth, after, make or (lambda: self._silent(call))))

    def before(self, call: str, action: Callable[[], None], *, nth: int = 1) -> None:
        """Does something right before the nth `call` from now on: another client is quicker."""
        self._hooks.append((call, nth, action))

    def _silent(self, call: str) -> BaseException:
        if call in WRITES:
            return OutcomeUnknown(f"The server of {self.who} gave no answer to a change.")
        return Unreachable(f"The server of {self.who} gave no answer.")

    # For the connector.

    def enter(self, call: str, ref: str) -> Fault | None:
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

    def opened(self, ref: str) -> Calendar:
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
            self.mailed += reworded(before, after, self.owner)

    def _store(self, calendar: Calendar, ref: str, source: bytes) -> None:
        self._versions += 1
        calendar.log.append((ref, ref in calendar.stored))
        calendar.stored[ref] = Stored(source, f'"v{self._versions}"')

    def _drop(self, calendar: Calendar, ref: str) -> None:
        del calendar.stored[ref]
        calendar.log.append((ref, True))


def cut_short() -> CollectionError:
    """The error of a listing that the server cut short."""
    return CollectionError("The server cut its list short.", collection="")
