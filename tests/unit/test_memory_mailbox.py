"""The mailbox in memory fails as it was told to, and only then."""

import pytest

from connectors.errors import (
    CollectionError,
    CollectionGone,
    CollectionRefused,
    ItemError,
    RateLimited,
    Unreachable,
)
from connectors.model import RawMessage
from connectors.testing import MemoryMailbox, MemoryMailConnector, header_fields

RAW = b"From: a@example.org\r\nTo: b@example.org,\r\n c@example.org\r\nX: y\r\n\r\nhello\r\n"


@pytest.fixture
def mailbox() -> MemoryMailbox:
    made = MemoryMailbox()
    for _ in range(5):
        made.deliver("INBOX", RAW)
    return made


def test_the_nth_call_fails_once(mailbox: MemoryMailbox) -> None:
    mailbox.fail("state", nth=2)
    with MemoryMailConnector(mailbox) as connector:
        connector.state("INBOX")
        with pytest.raises(Unreachable):
            connector.state("INBOX")
        assert connector.state("INBOX").count == 5
    assert mailbox.calls["state"] == 3


def test_an_iteration_breaks_off_after_so_many_items(mailbox: MemoryMailbox) -> None:
    mailbox.fail("bodies", after=2)
    seen: list[int] = []
    with MemoryMailConnector(mailbox) as connector:
        with pytest.raises(Unreachable):
            seen.extend(
                one.uid for one in connector.bodies("INBOX", [1, 2, 3]) if isinstance(one, RawMessage)
            )
        assert seen == [1, 2]
        mailbox.fail("heads", after=1)
        with pytest.raises(Unreachable):
            list(connector.heads("INBOX", [1, 2], ["From"]))
        assert len(list(connector.heads("INBOX", [1, 2], ["From"]))) == 2


def test_a_failure_may_be_any(mailbox: MemoryMailbox) -> None:
    error = CollectionError("x", collection="INBOX")
    mailbox.fail("uids", lambda: error)
    with MemoryMailConnector(mailbox) as connector, pytest.raises(CollectionError) as caught:
        connector.uids("INBOX")
    assert caught.value is error
    assert not issubclass(RateLimited, CollectionError)


def test_a_connection_may_fail(mailbox: MemoryMailbox) -> None:
    mailbox.fail("connect")
    with pytest.raises(Unreachable), MemoryMailConnector(mailbox):
        pass


def test_messages_may_go_between_two_calls(mailbox: MemoryMailbox) -> None:
    mailbox.before("bodies", lambda: mailbox.expunge("INBOX", 2))
    with MemoryMailConnector(mailbox) as connector:
        uids = connector.uids("INBOX")
        found = [one.uid for one in connector.bodies("INBOX", uids) if isinstance(one, RawMessage)]
    assert (uids, found) == ([1, 2, 3, 4, 5], [1, 3, 4, 5])


def test_messages_may_be_withheld_or_broken(mailbox: MemoryMailbox) -> None:
    mailbox.withhold("INBOX", 1)
    mailbox.break_body("INBOX", 2)
    with MemoryMailConnector(mailbox) as connector:
        assert connector.uids("INBOX") == [1, 2, 3, 4, 5]
        assert [head.uid for head in connector.heads("INBOX", [1, 2, 3], ["From"])] == [2, 3]
        found = list(connector.bodies("INBOX", [1, 2]))
    assert [one.locator for one in found if isinstance(one, ItemError)] == ["2"]
    assert len(found) == 1


def test_folders_come_and_go(mailbox: MemoryMailbox) -> None:
    mailbox.add_folder("Team")
    mailbox.refuse_folder("Team")
    with MemoryMailConnector(mailbox) as connector:
        with pytest.raises(CollectionRefused):
            connector.state("Team")
        mailbox.refuse_folder("Team", refused=False)
        assert connector.state("Team").count == 0
        mailbox.rename_folder("Team", "Crew")
        with pytest.raises(CollectionGone):
            connector.uids("Team")
        mailbox.remove_folder("Crew")
        assert [folder.ref for folder in connector.folders()] == ["INBOX", "Sent"]


def test_header_fields_are_taken_as_they_stand() -> None:
    assert (
        header_fields(RAW, frozenset({"to", "x"})) == b"To: b@example.org,\r\n c@example.org\r\nX: y\r\n\r\n"
    )
    assert header_fields(b"", frozenset({"to"})) == b"\r\n"
