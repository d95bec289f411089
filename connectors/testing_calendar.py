"""Calendars in memory that behave as those of a CalDAV server do, and fail on demand: for tests and dry runs.

They pass the same contract suite as the real connector. `MemoryCalendar` is the server's side: a test puts
items into it, edits them as another client would and arranges failures; `MemoryCalendarConnector` is what
the engine gets. What it stores are the bytes of iCalendar, written and read by `connectors.ical`.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from connectors.calendar import (
    CalendarInfo,
    ChangeSet,
    Dress,
    Item,
    Listed,
    Missing,
    RemoteItem,
)
from connectors.dav import paths
from connectors.errors import (
    AuthFailed,
    CollectionRefused,
    Conflict,
    ItemError,
    Unreachable,
    WouldMail,
)
from connectors.ical import editing, writing
from connectors.ical.reading import Unreadable, read
from connectors.scheduling import mails
from connectors.testing_server import Calendar, Fault, MemoryCalendar, Stored, cut_short

__all__ = ["MemoryCalendar", "MemoryCalendarConnector", "cut_short"]


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
        if item != current.item:  # else only what the CRM adds is another one: that goes whoever hears of it
            self._require_quiet(current.ref, one.source, source, notify=notify)
        self.server.write(current.ref, source, one.source)
        _end(fault)
        return self._written(current.ref, source)

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        fault = self._begin("delete", current.ref)
        one = self._writable(paths.parent(current.ref)).stored.get(current.ref)
        if one is not None:
            if not self._same(one, current):
                raise Conflict(f"The item {current.ref} of {self.server.who} was changed by somebody else.")
            self._require_quiet(current.ref, one.source, None, notify=notify)
            self.server.erase(current.ref, reply=notify)
        _end(fault)

    def _require_quiet(self, ref: str, before: bytes, after: bytes | None, *, notify: bool) -> None:
        if notify or not self.server.auto_schedule:
            return
        if mails(before, after, self.server.owner, reply=False):
            raise WouldMail(f"The server of {self.server.who} would mail participants of {ref}.", locator=ref)

    def _begin(self, call: str, ref: str) -> Fault | None:
        if not self._entered:
            raise Unreachable(f"{self.server.who} is not connected.")
        fault = self.server.enter(call, ref)
        if fault is not None and not fault.after:
            raise fault.make()
        return fault

    def _changes(self, calendar: Calendar, cursor: str) -> ChangeSet:
        now = json.dumps([calendar.epoch, len(calendar.log)])
        since = _since(cursor)
        known = since is not None and since[0] == calendar.epoch
        if cursor and known and since is not None and (self.server.syncs or since[1] == len(calendar.log)):
            touched: dict[str, bool] = {}  # and whether it was there then
            for ref, was_there in calendar.log[since[1] :]:
                touched.setdefault(ref, was_there)
            listed = tuple(self._listed(ref, calendar) for ref in touched if ref in calendar.stored)
            gone = {ref: was_there for ref, was_there in touched.items() if ref not in calendar.stored}
            removed = tuple(ref for ref, was_there in gone.items() if was_there or self.server.tells_passing)
            return ChangeSet(listed, removed, complete=False, reset=False, cursor=now)
        every = tuple(self._listed(ref, calendar) for ref in calendar.stored)
        return ChangeSet(every, (), complete=True, reset=bool(cursor) and not known, cursor=now)

    def _listed(self, ref: str, calendar: Calendar) -> Listed:
        return Listed(ref, self._version(calendar.stored[ref]))

    def _version(self, one: Stored) -> str:
        return "" if self.server.versions == "never" else one.version

    def _given(self, ref: str, one: Stored) -> RemoteItem:
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

    def _writable(self, calendar: str) -> Calendar:
        here = self.server.opened(calendar)
        if not here.info.writable:
            raise CollectionRefused(f"The calendar {calendar} is read-only.", collection=calendar)
        return here

    def _same(self, one: Stored, current: RemoteItem) -> bool:
        if current.version:
            return one.version == current.version
        try:
            return read(one.source) == current.item
        except Unreadable:
            return False


def _end(fault: Fault | None) -> None:
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
