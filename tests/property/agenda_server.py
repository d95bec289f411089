"""The remote side of the state machine: one user's calendar server, with faults, and another client's hand.

This is the seam for another protocol (`exchange_side` is one). What another client does and sees is the text
of iCalendar, whatever the server keeps. `Company.make_side` makes it.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from connectors.calendar import Item
from connectors.protocol import CalendarConnector
from connectors.testing_calendar import MemoryCalendar, MemoryCalendarConnector
from tests.property.agenda_weather import Killed, Versions, make_error, rewriting

Mail = tuple[str, str, str]  # the recipient, the UID, and what of the item a mail of its own is about


class Side(Protocol):
    """What the machine asks of a server."""

    calls: Counter[str]  # by name of the connector's method
    auto_schedule: bool
    tells_rewrites: bool

    def connector(self, clock: Callable[[], datetime]) -> CalendarConnector:
        """What the service speaks to it with: a new connection each time."""
        ...

    def close(self) -> None:
        """The company is wound up. Raises AssertionError for what was wrong all along."""
        ...

    # What it is like.

    def set_up(self, versions: Versions, rewrite: str, *, syncs: bool) -> None:
        """Its habits, as far as it can have them."""
        ...

    def change(self, what: str, calendar: str) -> None:
        """One of "expire", "refuse", "allow", "versions", "rewrite" happens to it."""
        ...

    def unsayable(self, item: Item, ref: str = "") -> str:
        """Why the server cannot hold that item, in place of `ref` or as a new one; empty where it can."""
        ...

    def drops_others(self, before: Item, after: Item) -> bool:
        """Whether it drops by itself what other programs wrote into occurrences, when `before` becomes so."""
        ...

    # Another client's hand.

    def refs(self) -> list[str]:
        """Its calendars, by what the machine calls them."""
        ...

    def collections(self, calendar: str) -> list[str]:
        """What the connector calls that calendar."""
        ...

    def has(self, calendar: str) -> bool:
        """Whether that calendar is there."""
        ...

    def refuses(self, calendar: str) -> bool:
        """Whether nobody can look into it just now."""
        ...

    def add_calendar(self, ref: str, name: str) -> None:
        """A new, empty calendar."""
        ...

    def sources(self, calendar: str) -> dict[str, bytes]:
        """What is there, by ref."""
        ...

    def put(self, calendar: str, source: bytes, ref: str = "") -> str:
        """A new item, or the one at `ref` changed. Returns its ref."""
        ...

    def garbage(self, calendar: str, number: int) -> str:
        """Something that is no item. Returns its ref."""
        ...

    def remove(self, ref: str) -> None:
        """A person deletes the item."""
        ...

    def bring_back(self, calendar: str, source: bytes, ref: str) -> str:
        """What was removed at `ref` is there again. Returns its ref."""
        ...

    def move(self, ref: str, calendar: str) -> str:
        """A person puts the item into another calendar. Returns its ref there."""
        ...

    def remake_calendar(self, ref: str) -> None:
        """The calendar is there and empty, and nobody says what became of its items."""
        ...

    def restore(self, calendar: str, sources: dict[str, bytes]) -> dict[str, bytes]:
        """What it held before is there again. Returns what came back, by ref."""
        ...

    # What goes wrong.

    def break_down(self, call: str, kind: str, *, nth: int, after: bool) -> None:
        """The nth `call` from now on fails in that way (`agenda_weather.KINDS_OF_FAULT`)."""
        ...

    def kill_at(self, nth: int) -> None:
        """The process is gone at its nth step from now on."""
        ...

    def before(self, call: str, action: Callable[[], None], *, nth: int = 1) -> None:
        """Does something right before the nth `call` from now on."""
        ...

    def withhold(self, ref: str) -> None:
        """The server lists the item and cannot give it."""
        ...

    def vanish(self, ref: str) -> None:
        """The server lists the item and says that it is not there when asked for it."""
        ...

    def heal(self) -> None:
        """Everything that is listed is given again."""
        ...

    def calm(self) -> None:
        """No fault waits any more."""
        ...

    def allow_all(self) -> None:
        """Every calendar can be looked into."""
        ...

    # What is counted.

    def told(self) -> Counter[Mail]:
        """How often it mailed whom about what, because of the service."""
        ...

    def replied(self) -> bool:
        """Whether it answered anybody's invitation because of the service."""
        ...


class MemorySide(MemoryCalendar):
    """A server in memory."""

    def connector(self, clock: Callable[[], datetime]) -> CalendarConnector:
        return MemoryCalendarConnector(self, clock=clock)

    def close(self) -> None:
        """Nothing is open."""

    def set_up(self, versions: Versions, rewrite: str, *, syncs: bool) -> None:
        self.versions = versions
        self.syncs = syncs
        self.rewrite = rewriting(rewrite)
        self.tells_rewrites = rewrite != "silent"
        self.tells_passing = versions != "always"  # a server may, and need not

    def change(self, what: str, calendar: str) -> None:
        if what == "expire":
            self.expire_tokens(calendar)
        elif what == "versions":
            self.versions = "flaky" if self.versions == "always" else "always"
        elif what == "rewrite":
            self.rewrite = None
        else:
            self.refuse_calendar(calendar, refused=what == "refuse")

    def unsayable(self, item: Item, ref: str = "") -> str:
        return ""

    def drops_others(self, before: Item, after: Item) -> bool:
        return False

    def refs(self) -> list[str]:
        return list(self._calendars)

    def collections(self, calendar: str) -> list[str]:
        return [calendar]

    def has(self, calendar: str) -> bool:
        return calendar in self._calendars

    def refuses(self, calendar: str) -> bool:
        return self._calendars[calendar].refused

    def garbage(self, calendar: str, number: int) -> str:
        return self.put(
            calendar, b"BEGIN:VCALENDAR\r\nnothing that is one\r\n", f"{calendar}garbage-{number}.ics"
        )

    def bring_back(self, calendar: str, source: bytes, ref: str) -> str:
        return self.put(calendar, source)

    def move(self, ref: str, calendar: str) -> str:
        source = self.sources(f"{ref.rpartition('/')[0]}/")[ref]
        self.remove(ref)
        return self.put(calendar, source, calendar + ref.rpartition("/")[2])

    def restore(self, calendar: str, sources: dict[str, bytes]) -> dict[str, bytes]:
        return {self.put(calendar, source, ref): source for ref, source in sources.items()}

    def break_down(self, call: str, kind: str, *, nth: int, after: bool) -> None:
        counted = call not in {"connect", "calendars"}
        make = make_error(call, kind)
        self.fail(call, make, nth=nth if counted else 1, after=after and kind in {"silence", "kill"})

    def kill_at(self, nth: int) -> None:
        left = nth

        def before(_call: str, _ref: str) -> None:
            nonlocal left
            left -= 1
            if not left:
                raise Killed

        self.before_call = before

    def heal(self) -> None:
        for calendar in self._calendars.values():
            for stored in calendar.stored.values():
                stored.withheld = stored.vanished = False

    def calm(self) -> None:
        self._faults.clear()
        self._hooks.clear()
        self.before_call = None

    def allow_all(self) -> None:
        for calendar in self._calendars.values():
            calendar.refused = False

    def told(self) -> Counter[Mail]:
        return Counter((mail.recipient, mail.uid, "") for mail in self.mailed)

    def replied(self) -> bool:
        return any(mail.method == "REPLY" for mail in self.mailed)
