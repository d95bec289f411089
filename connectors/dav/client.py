"""The calendars of one mailbox over CalDAV (RFC 4791): `connectors.protocol.CalendarConnector`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from connectors.calendar import CalendarInfo, ChangeSet, Dress, Item, Missing, RemoteItem
from connectors.dav import discovery
from connectors.dav.access import DavAccess
from connectors.dav.listing import Lister
from connectors.dav.reading import Reader
from connectors.dav.session import DavSession
from connectors.dav.writing import Writer
from connectors.dav.xml import Response
from connectors.errors import ItemError


def _now() -> datetime:
    return datetime.now(UTC)


class DavConnector:
    """One mailbox of a CalDAV server. Entering logs in; one thread at a time uses it.

    It may stay entered for many cycles. Once a method raised a MailboxError, leave it and enter it again.
    A `ref` is the path of a resource in one spelling (`connectors.dav.paths`). `clock` stamps what is
    written.
    """

    def __init__(self, access: DavAccess, *, clock: Callable[[], datetime] = _now) -> None:
        self.access = access
        self._session = DavSession(access)
        self._start: Response | None = None
        self._lister = Lister(self._session)
        self._reader = Reader(self._session)
        self._writer = Writer(self._session, self._reader, clock, self._addresses)

    def __enter__(self) -> Self:
        self._session.__enter__()
        try:
            self._start = discovery.log_in(self._session)
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

    def _addresses(self) -> frozenset[str]:
        return discovery.addresses(self._session, self._start)

    def calendars(self) -> Sequence[CalendarInfo]:
        """Every calendar and task list; no inbox, outbox, subscription or collection of journals.

        Raises ProtocolViolation where the address is not one of CalDAV.
        """
        found = discovery.calendars(self._session, self._start)
        for one in found:
            self._lister.learn(one)
            self._reader.kinds[one.info.ref] = one.info.kinds
            self._writer.auto_schedules[one.info.ref] = one.info.auto_schedule
        return [one.info for one in found]

    def changes(self, calendar: str, cursor: str) -> ChangeSet:
        """What changed since `cursor`, by sync-token where the server has them, else by CTag and ETags.

        Raises CollectionGone, CollectionRefused, and CollectionError for an answer that is cut or garbled.
        """
        return self._lister.changes(calendar, cursor)

    def read(self, calendar: str, refs: Sequence[str]) -> Iterator[RemoteItem | Missing | ItemError]:
        """The items, each ref once, in batches (RFC 4791 section 7.9)."""
        return self._reader.read(calendar, refs)

    def find(self, calendar: str, uid: str) -> RemoteItem | None:
        """The item of that UID: where a create of ours puts it, else wherever the server finds it."""
        return self._reader.find(calendar, uid)

    def create(self, calendar: str, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Writes a new item, at a place that follows from its UID."""
        return self._writer.create(calendar, item, dress, notify=notify)

    def update(self, current: RemoteItem, item: Item, dress: Dress, *, notify: bool) -> RemoteItem:
        """Edits `current` in place. Where that changes nothing, nothing is sent.

        Raises WouldMail where `notify` is False and the server would mail all the same.
        """
        return self._writer.update(current, item, dress, notify=notify)

    def delete(self, current: RemoteItem, *, notify: bool) -> None:
        """Deletes `current`. Raises as `update`."""
        self._writer.delete(current, notify=notify)
