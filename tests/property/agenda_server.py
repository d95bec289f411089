"""The remote side of the state machine: one user's calendar server, with faults, and another client's hand.

This is the seam for another protocol. A side has the methods of `Side` and those of `MemoryCalendar` that
the machine calls: `put`, `remove` and `sources` are what another client does and sees, as iCalendar text
whatever the server keeps; `fail`, `before` and `before_call` the faults; `calls` and `mailed` what is
counted. `Company.make_side` makes it.
"""

from collections.abc import Callable
from datetime import datetime

from connectors.protocol import CalendarConnector
from connectors.testing_calendar import MemoryCalendar, MemoryCalendarConnector


class Side(MemoryCalendar):
    """A server in memory."""

    def connector(self, clock: Callable[[], datetime]) -> CalendarConnector:
        """What the service speaks to it with: a new connection each time."""
        return MemoryCalendarConnector(self, clock=clock)

    def refs(self) -> list[str]:
        """Its calendars."""
        return list(self._calendars)

    def has(self, calendar: str) -> bool:
        """Whether that calendar is there."""
        return calendar in self._calendars

    def refuses(self, calendar: str) -> bool:
        """Whether nobody can look into it just now."""
        return self._calendars[calendar].refused

    def calm(self) -> None:
        """No fault waits any more."""
        self._faults.clear()
        self._hooks.clear()
        self.before_call = None

    def allow_all(self) -> None:
        """Every calendar can be looked into."""
        for calendar in self._calendars.values():
            calendar.refused = False

    def heal(self) -> list[str]:
        """Everything that is listed is given again; returns what is there, whether it can be read or not."""
        for calendar in self._calendars.values():
            for stored in calendar.stored.values():
                stored.withheld = stored.vanished = False
        return [ref for calendar in self._calendars.values() for ref in calendar.stored]
