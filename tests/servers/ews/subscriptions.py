"""Subscribe, GetStreamingEvents, GetEvents and Unsubscribe: clients are told of changes as they happen.

Push subscriptions are not served. A stream says OK at its beginning and at each heartbeat, and Closed when
its time is over (GetStreamingEvents operation). Events of folders themselves are not told.
"""

import secrets
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from tests.servers.ews.answers import failure, response, success
from tests.servers.ews.errors import EwsError
from tests.servers.ews.folders import folder_id
from tests.servers.ews.model import Mailbox
from tests.servers.ews.requests import Request
from tests.servers.ews.store import Event, Store
from tests.servers.ews.xmlwork import boolean, children, local, m, make, stamp, t, typed


@dataclass(slots=True, eq=False)
class Subscription:
    """What one client wants to hear, and what it was not told yet. `folders` None: all of the mailbox."""

    id: str
    owner: Mailbox
    mailbox: Mailbox
    folders: set[int] | None
    types: set[str]
    streaming: bool
    waiting: list[tuple[int, Element]] = field(default_factory=list)


class Subscriptions:
    """All subscriptions of a server. Times are in seconds; tests make `minute` and `heartbeat` short."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._known: dict[str, Subscription] = {}
        self._count = 0
        self._ended = 0  # grows when all streams are to end
        self._closed = 0  # grows when all streams are to say that their time is over
        self.minute = 60.0
        self.heartbeat = 30.0
        self.open_streams = 0
        self.most_streams = 10  # of the whole server; Exchange counts them by account (EWSMaxConcurrency)
        store.listeners.append(self._hear)

    @property
    def ids(self) -> list[str]:
        """The ids of the subscriptions that stand."""
        with self._changed:
            return list(self._known)

    def forget_all(self) -> None:
        """Every subscription is gone, as after a fail-over of the server: ErrorSubscriptionNotFound."""
        with self._changed:
            self._known.clear()
            self._changed.notify_all()

    def end_streams(self) -> None:
        """Streams end without a word."""
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def close_streams(self) -> None:
        """The time of all streams that are open is over: they say Closed."""
        with self._changed:
            self._closed += 1
            self._changed.notify_all()

    def await_streams(self, number: int, seconds: float = 10.0) -> bool:
        """Waits until so many streams are open."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open_streams == number, seconds)

    def _hear(self, event: Event) -> None:
        told = {"NewMail": ("CreatedEvent", "NewMailEvent")}.get(event.kind, (f"{event.kind}Event",))
        with self._changed:
            for subscription in self._known.values():
                for name in told:
                    if self._concerns(subscription, event, name):
                        self._count += 1
                        subscription.waiting.append((self._count, self._element(subscription, event, name)))
            self._changed.notify_all()

    def _concerns(self, subscription: Subscription, event: Event, name: str) -> bool:
        if event.folder.mailbox is not subscription.mailbox or name not in subscription.types:
            return False
        touched = {event.folder.number} | (set() if event.old_folder is None else {event.old_folder.number})
        return subscription.folders is None or bool(touched & subscription.folders)

    def _element(self, subscription: Subscription, event: Event, name: str) -> Element:
        store = self._store
        parts = [] if subscription.streaming else [typed("Watermark", store.seal_state(f"W|{self._count}"))]
        item_id = typed("ItemId", Id=store.item_id(event.item), ChangeKey=store.change_key(event.item))
        parts += [
            typed("TimeStamp", stamp(store.now())),
            item_id,
            folder_id(store, event.folder, "ParentFolderId"),
        ]
        if event.old_folder is not None:
            old_id = store.removed_id(event.old_folder, event.old_number)
            parts += [
                typed("OldItemId", Id=old_id),
                folder_id(store, event.old_folder, "OldParentFolderId"),
            ]
        return typed(name, parts)

    def subscribe(self, request: Request) -> list[Element]:
        """Subscribe operation, streaming and pull."""
        asked = request.body[0]
        try:
            if local(asked) == "PushSubscriptionRequest":
                return [failure("Subscribe", EwsError("ErrorInvalidSubscriptionRequest", "Not served here."))]
            everything = boolean(asked.get("SubscribeToAllFolders"))
            folders = [request.folder(each) for each in children(asked.find(t("FolderIds")))]
        except EwsError as error:
            return [failure("Subscribe", error)]
        if not folders and not everything:
            text = "A subscription needs folders."
            return [failure("Subscribe", EwsError("ErrorInvalidSubscriptionRequest", text))]
        made = Subscription(
            self._store.seal_state(f"N|{secrets.token_hex(8)}"),
            request.caller,
            folders[0].mailbox if folders else request.caller,
            None if everything else {folder.number for folder in folders},
            {each.text or "" for each in children(asked.find(t("EventTypes")))},
            local(asked) == "StreamingSubscriptionRequest",
        )
        with self._changed:
            self._known[made.id] = made
            parts = [make(m("SubscriptionId"), made.id)]
            if not made.streaming:
                parts.append(make(m("Watermark"), self._store.seal_state(f"W|{self._count}")))
        return [success("Subscribe", parts)]

    def unsubscribe(self, request: Request) -> list[Element]:
        """Unsubscribe operation."""
        told = request.body.findtext(m("SubscriptionId"), "")
        with self._changed:
            known = self._known.get(told)
            if known is None or known.owner is not request.caller:
                return [failure("Unsubscribe", _not_found())]
            del self._known[told]
            self._changed.notify_all()
        return [success("Unsubscribe")]

    def get_events(self, request: Request) -> list[Element]:
        """GetEvents operation: what a pull subscription has heard since a watermark."""
        told, watermark = (
            request.body.findtext(m("SubscriptionId"), ""),
            request.body.findtext(m("Watermark"), ""),
        )
        try:
            _, number = self._store.open_state(watermark, 2)
        except EwsError:
            return [failure("GetEvents", EwsError("ErrorInvalidWatermark", "The watermark is invalid."))]
        with self._changed:
            known = self._known.get(told)
            if known is None or known.owner is not request.caller:
                return [failure("GetEvents", _not_found())]
            known.waiting = [(at, element) for at, element in known.waiting if at > int(number)]
            events = [element for _, element in known.waiting]
        if not events:
            events = [typed("StatusEvent", [typed("Watermark", watermark)])]
        head = [
            typed("SubscriptionId", told),
            typed("PreviousWatermark", watermark),
            typed("MoreEvents", "false"),
        ]
        return [success("GetEvents", [make(m("Notification"), [*head, *events])])]

    def stream(self, request: Request) -> Generator[Element, None, None]:
        """GetStreamingEvents operation: a response each time there is something to say."""
        ids = [each.text or "" for each in children(request.body.find(m("SubscriptionIds")))]
        minutes = int(request.body.findtext(m("ConnectionTimeout"), "30"))
        end = time.monotonic() + minutes * self.minute
        with self._changed:
            if self.open_streams >= self.most_streams:
                text = "You have exceeded the available concurrent connections for your account."
                yield _failed(EwsError("ErrorExceededConnectionCount", text), [])
                return
            ended, closed = self._ended, self._closed
            self.open_streams += 1
            self._changed.notify_all()
        try:
            yield _response([], "OK")
            while True:
                missing = [each for each in ids if not self._is_known(each, request)]
                if missing:
                    yield _failed(_not_found(), missing)
                    return
                notifications = self._wait(ids, min(end, time.monotonic() + self.heartbeat), (ended, closed))
                if self._ended != ended:
                    return
                over = time.monotonic() >= end or self._closed != closed
                yield _response(notifications, "Closed" if over else "OK")
                if over:
                    return
        finally:
            with self._changed:
                self.open_streams -= 1
                self._changed.notify_all()

    def _is_known(self, told: str, request: Request) -> bool:
        with self._changed:
            known = self._known.get(told)
            return known is not None and known.owner is request.caller and known.streaming

    def _wait(self, ids: list[str], until: float, before: tuple[int, int]) -> list[Element]:
        def something() -> bool:
            return (self._ended, self._closed) != before or any(
                each not in self._known or self._known[each].waiting for each in ids
            )

        with self._changed:
            self._changed.wait_for(something, max(0.0, until - time.monotonic()))
            found = []
            for each in ids:
                known = self._known.get(each)
                if known is not None and known.waiting:
                    events = [element for _, element in known.waiting]
                    known.waiting.clear()
                    found.append(make(m("Notification"), [typed("SubscriptionId", each), *events]))
            return found


def _not_found() -> EwsError:
    return EwsError("ErrorSubscriptionNotFound", "The specified subscription was not found.")


def _response(notifications: list[Element], status: str) -> Element:
    parts = [make(m("Notifications"), notifications)] if notifications else []
    return response(
        "GetStreamingEvents",
        [success("GetStreamingEvents", [*parts, make(m("ConnectionStatus"), status)])],
    )


def _failed(error: EwsError, ids: list[str]) -> Element:
    parts = []
    if ids:
        parts.append(make(m("ErrorSubscriptionIds"), [typed("SubscriptionId", each) for each in ids]))
    parts.append(make(m("ConnectionStatus"), "Closed"))
    return response("GetStreamingEvents", [failure("GetStreamingEvents", error, parts)])
