"""The calendars and tasks of one mailbox over EWS: `connectors.protocol.CalendarConnector`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from connectors.calendar import UTC_ZONE, CalendarInfo, ChangeSet, Dress, Item, Kind, Missing, RemoteItem
from connectors.errors import ItemError
from connectors.ews.access import EwsAccess
from connectors.ews.calendar import folders, listing
from connectors.ews.calendar.fetching import Fetcher
from connectors.ews.calendar.reading import Owner
from connectors.ews.calendar.wire import Wire
from connectors.ews.calendar.writing import Writer
from connectors.ews.session import EwsSession


def _now() -> datetime:
    return datetime.now(UTC)


class EwsCalendarConnector:
    """One mailbox of an Exchange server. Entering logs in; one thread at a time uses it.

    Once a method raised a MailboxError, leave it and enter it again. A calendar's `ref` is the id of its
    folder, an item's the id of the item, its version the change key. `zone` is the IANA name of the time zone
    in which the owner's whole days begin; `aliases` are the owner's other addresses.
    """

    def __init__(
        self,
        access: EwsAccess,
        *,
        zone: str = UTC_ZONE,
        aliases: frozenset[str] = frozenset(),
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.access = access
        emails = frozenset(one.lower() for one in (access.address, *aliases))
        self._session = EwsSession(access)
        self._wire = Wire(self._session)
        self._kinds: dict[str, Kind] = {}
        owner = Owner(emails, zone)
        self._fetcher = Fetcher(self._wire, owner, self._kinds)
        self._writer = Writer(self._wire, self._fetcher, owner, clock)

    def __enter__(self) -> Self:
        self._session.__enter__()
        try:
            folders.log_in(self._wire)
        except BaseException as error:
            self._session.__exit__(type(error), error, error.__traceback__)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session.__exit__(kind, error, trace)

    def calendars(self) -> Sequence[CalendarInfo]:
        """Every calendar and task list of the mailbox, but those in Deleted Items."""
        found = folders.calendars(self._wire)
        self._kinds.update({one.ref: next(iter(one.kinds)) for one in found})
        return found

    def changes(self, calendar: str, cursor: str) -> ChangeSet:
        """What changed since `cursor`, ids and change keys only.

        Raises CollectionGone, CollectionRefused, and CollectionError for an answer that is cut or garbled.
        """
        return listing.changes(self._wire, calendar, cursor)

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[RemoteItem | Missing | ItemError]:
        """The items, each ref once, in batches."""
        self._learn(calendar)
        return self._fetcher.read(calendar, refs)

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """The item of that UID. One that a write of ours left half made is made whole first."""
        self._learn(calendar)
        return self._writer.find(calendar, uid)

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Writes a new item under its UID."""
        self._learn(calendar)
        return self._writer.create(calendar, item, dress, notify=notify)

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Sends what differs from `current`; where nothing does, nothing is sent."""
        return self._writer.update(current, item, dress, notify=notify)

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        """Moves `current` to Deleted Items. Raises as `update`."""
        self._writer.delete(current, notify=notify)

    def _learn(self, calendar: str) -> None:
        if calendar not in self._kinds:
            self.calendars()
