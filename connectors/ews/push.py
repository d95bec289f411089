"""Streaming notifications of one mailbox: `connectors.protocol.PushSource`.

Subscribe (StreamingSubscriptionRequest) on the folders that are synchronised, one subscription for mail and
one for calendars and tasks, then GetStreamingEvents on both over a connection of its own. Opened anew, it
looks for the folders and subscribes afresh: what was subscribed before is let go first.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from exchangelib.properties import FolderId
from exchangelib.services import GetStreamingEvents, SubscribeToStreaming, Unsubscribe

from connectors.calendar import CalendarInfo
from connectors.errors import CollectionError, CollectionGone, ItemError, SyncdError, Unreachable
from connectors.ews import folders
from connectors.ews.access import EwsAccess
from connectors.ews.calendar import folders as calendar_folders
from connectors.ews.calendar.wire import Wire
from connectors.ews.session import API, EwsSession
from connectors.ews.streaming import Stream, complaint
from connectors.model import Folder
from connectors.protocol import Heard, Subject

MINUTES = 29  # ConnectionTimeout: 30 is the most (MS-OXWSNTIF section 3.1.4.2.3.2)
# A heartbeat comes every 45 s or so. A stream without one for longer is dead, whatever TCP says.
SILENCE = timedelta(minutes=3)

CAME_AND_WENT = ("CopiedEvent", "CreatedEvent", "DeletedEvent", "MovedEvent", "NewMailEvent")
# What is read or flagged is no news of mail. Of an appointment or a task, each change is.
TOLD = {
    Subject.MAIL: CAME_AND_WENT,
    Subject.CALENDAR: ("CopiedEvent", "CreatedEvent", "DeletedEvent", "MovedEvent", "ModifiedEvent"),
}
LOST = frozenset({
    "ErrorSubscriptionNotFound", "ErrorInvalidSubscription", "ErrorReadEventsFailed",
    "ErrorMissedNotificationEvents", "ErrorExpiredSubscription", "ErrorSubscriptionUnsubscribed",
    "ErrorNewEventStreamConnectionOpened",
})  # fmt: skip

ChooseMail = Callable[[Sequence[Folder]], Sequence[str]]  # of the folders listed, the refs that are read
ChooseCalendars = Callable[[Sequence[CalendarInfo]], Sequence[str]]  # as well, of calendars


class EwsPushSource:
    """One mailbox's stream. `mail` and `calendars` choose what to be told of; None: nothing of that kind."""

    silence = SILENCE

    def __init__(
        self, access: EwsAccess, *, mail: ChooseMail | None, calendars: ChooseCalendars | None
    ) -> None:
        self.access = access
        self._mail = mail
        self._calendars = calendars
        self._session = EwsSession(access)
        self._stream: Stream | None = None
        self._failure: SyncdError | None = None  # of the stream, to be raised next
        self._subscriptions: dict[str, Subject] = {}  # by id, that stand at the server as far as is known

    @property
    def lasts(self) -> timedelta:
        """The server ends the stream by itself before that; this is for one that forgets to."""
        return timedelta(minutes=MINUTES + 1)

    def open(self) -> None:
        """Finds the folders, subscribes and opens the stream.

        Raises MailboxError or CollectionError; AuthFailed where the login is refused, CollectionGone where
        there is nothing to be told of.
        """
        self.close()
        with self._session as session:
            wanted = self._wanted(session)
            if not any(wanted.values()):
                raise CollectionGone(
                    f"No folder of {self.access.who} is there to be told of.", collection=self.access.address
                )
            self._unsubscribe(session)
            for subject, ids in wanted.items():
                if ids:
                    self._subscribe(session, subject, ids)
            service = session.service(GetStreamingEvents)
            with session.asking():
                envelope: bytes = service.wrap(
                    service.get_payload(list(self._subscriptions), MINUTES), api_version=API
                )
                headers: dict[str, str] = service.extra_headers()
            if session.account.affinity_cookie:
                headers["Cookie"] = f"X-BackEndOverrideCookie={session.account.affinity_cookie}"
            url = str(session.account.protocol.service_endpoint)
        self._stream = Stream(self.access, url, headers, envelope)

    def fileno(self) -> int:
        """Of the stream's socket."""
        return self._entered.fileno()

    def pending(self) -> bool:
        """Whether there is more in the TLS layer."""
        return self._failure is not None or (self._stream is not None and self._stream.pending())

    def arrived(self) -> Heard:
        """What is there. Raises RateLimited, Unreachable, ProtocolViolation or another MailboxError."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        documents, over = self._entered.read()
        heard: set[Subject] = set()
        for told in documents:
            for one in told.heard:
                # An id that we do not know would be a surprise: better one cycle too many.
                known = self._subscriptions.get(one)
                heard |= {known} if known is not None else set(self._subscriptions.values())
            if LOST & set(told.codes):
                self._subscriptions.clear()
                over = True
            elif told.codes:
                failure = complaint(told, self.access)
                break
            over = over or told.closed
        if failure is not None:
            if not heard:
                raise failure
            self._failure = failure  # what was told before it comes first
        return Heard(frozenset(heard), over)

    def close(self) -> None:
        """Ends the stream. The server keeps the subscriptions for a while."""
        stream, self._stream, self._failure = self._stream, None, None
        if stream is not None:
            stream.close()

    def forget(self) -> None:
        """Ends the stream and the subscriptions (Unsubscribe): it logs in for that. Raises MailboxError."""
        self.close()
        if not self._subscriptions:
            return
        with self._session as session:
            self._unsubscribe(session)

    @property
    def _entered(self) -> Stream:
        if self._stream is None:
            raise Unreachable(f"{self.access.who} is not listened to.")
        return self._stream

    def _wanted(self, session: EwsSession) -> dict[Subject, list[str]]:
        """The ids of the folders to be told of. The first request logs in."""
        wanted: dict[Subject, list[str]] = {}
        if self._mail is not None:
            tree = folders.tree(session, folders.special(session))
            wanted[Subject.MAIL] = [tree.ids[ref] for ref in self._mail(tree.folders) if ref in tree.ids]
        if self._calendars is not None:
            wire = Wire(session)
            calendar_folders.log_in(wire)
            wanted[Subject.CALENDAR] = list(self._calendars(calendar_folders.calendars(wire)))
        return wanted

    def _subscribe(self, session: EwsSession, subject: Subject, ids: Sequence[str]) -> None:
        found: list[Any] = session.call(
            SubscribeToStreaming,
            collection=f"the {subject.value} of {self.access.address}",
            folders=[FolderId(id=one) for one in ids],
            event_types=TOLD[subject],
        )
        for one in found:
            if isinstance(one, Exception):
                raise one
            self._subscriptions[str(one)] = subject

    def _unsubscribe(self, session: EwsSession) -> None:
        """Lets go of what was subscribed before; the server may know nothing of it any more."""
        before, self._subscriptions = self._subscriptions, {}
        for one in before:
            with suppress(CollectionError, ItemError):
                session.call(Unsubscribe, collection="subscription", subscription_id=one)
