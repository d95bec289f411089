"""Notifications of the EWS test server: streams that stay open, and pull subscriptions."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from exchangelib import Account
from exchangelib.errors import ErrorSubscriptionNotFound
from exchangelib.properties import CreatedEvent, MovedEvent, NewMailEvent

from tests.servers.ews.exchange_client import account, trusting
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer

ADDRESS = "claire@acme.example"
NINE, TEN = datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)


@pytest.fixture
def claire(ews: EwsServer) -> Iterator[Account]:
    """exchangelib's account of a mailbox."""
    password = ews.add_mailbox(ADDRESS, "Claire Dupont")
    with trusting(ews.ca_file):
        opened = account(ews, ADDRESS, password)
        yield opened


def listen(of: Account, subscription: str, found: list[object], most: int) -> threading.Thread:
    """Collects events in a thread until there are enough."""

    def collect() -> None:
        for notification in of.inbox.get_streaming_events(subscription, connection_timeout=1):
            found.extend(notification.events)
            if len(found) >= most:
                return

    thread = threading.Thread(target=collect, daemon=True)
    thread.start()
    return thread


def test_a_stream_tells_of_changes_while_it_is_open(ews: EwsServer, claire: Account) -> None:
    other = OtherClient(ews, ADDRESS)
    ews.subscriptions.heartbeat = 0.2
    subscription = claire.inbox.subscribe_to_streaming()
    events: list[object] = []
    thread = listen(claire, subscription, events, 3)
    assert ews.subscriptions.await_streams(1)

    mail = other.add_mail(b"Subject: one\r\n\r\n")
    other.add_event("not in the inbox", NINE, TEN)
    moved = other.move(mail, "junkemail")
    thread.join(20)

    assert not thread.is_alive()
    created, new, went = events
    assert isinstance(created, CreatedEvent)
    assert isinstance(new, NewMailEvent)
    assert isinstance(went, MovedEvent)
    assert created.item_id.id == mail
    assert (went.item_id.id, went.old_item_id.id) == (moved, mail)


def test_a_stream_ends_when_its_time_is_over(ews: EwsServer, claire: Account) -> None:
    ews.subscriptions.minute = 0.3
    subscription = claire.inbox.subscribe_to_streaming()
    assert list(claire.inbox.get_streaming_events(subscription, connection_timeout=1)) == []
    assert ews.subscriptions.await_streams(0)


def test_a_lost_subscription_is_refused(ews: EwsServer, claire: Account) -> None:
    subscription = claire.inbox.subscribe_to_streaming()
    ews.subscriptions.forget_all()
    with pytest.raises(ErrorSubscriptionNotFound):
        list(claire.inbox.get_streaming_events(subscription, connection_timeout=1))


def test_an_ended_subscription_is_gone(ews: EwsServer, claire: Account) -> None:
    subscription = claire.inbox.subscribe_to_streaming()
    claire.inbox.unsubscribe(subscription)
    assert ews.subscriptions.ids == []
    with pytest.raises(ErrorSubscriptionNotFound):
        claire.inbox.unsubscribe(subscription)


def test_a_pull_subscription_tells_what_came_since_a_watermark(ews: EwsServer, claire: Account) -> None:
    subscription, watermark = claire.inbox.subscribe_to_pull()
    OtherClient(ews, ADDRESS).add_mail(b"Subject: one\r\n\r\n")
    [first] = claire.inbox.get_events(subscription, watermark)
    assert [type(event) for event in first.events] == [CreatedEvent, NewMailEvent]
    [second] = claire.inbox.get_events(subscription, first.events[-1].watermark)
    assert [type(event).__name__ for event in second.events] == ["StatusEvent"]
