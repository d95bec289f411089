"""What every mail connector keeps to that puts a message into a folder, and looks for it."""

from collections.abc import Iterator

import pytest

from connectors.errors import CollectionGone
from connectors.protocol import MailConnector
from tests.contract.mail_worlds import SERVERS, World, contents, mail, started

pytestmark = pytest.mark.puts
world = pytest.fixture(params=SERVERS)(started)


@pytest.fixture
def connector(world: World) -> Iterator[MailConnector]:
    with world.connector() as entered:
        yield entered


def test_a_message_that_is_put_is_there_unread_and_octet_by_octet(
    world: World, connector: MailConnector
) -> None:
    world.deliver("INBOX", mail(1), flags=("\\Seen",))
    connector.state("INBOX")
    connector.put("INBOX", mail(2))
    assert connector.state("INBOX").count == 2
    uids = list(connector.uids("INBOX"))
    assert contents(connector, "INBOX", uids[1:]) == {uids[1]: mail(2)}
    assert sorted(map(sorted, world.keywords("INBOX"))) == [[], ["\\Seen"]]


def test_a_message_is_found_by_its_id_as_soon_as_it_is_there(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    assert not connector.holds("INBOX", "2@example.org")
    world.deliver("INBOX", mail(2))
    assert connector.holds("INBOX", "2@example.org")
    connector.put("INBOX", mail(3))
    assert connector.holds("INBOX", "3@example.org")
    assert not connector.holds("INBOX", "@example.org")
    assert connector.holds("INBOX", "3@example.org", word="NUMBER")
    assert not connector.holds("INBOX", "3@example.org", word="else")
    world.expunge_first("INBOX")
    assert not connector.holds("INBOX", "1@example.org")


def test_a_draft_that_is_put_is_one_and_counts_as_read(world: World, connector: MailConnector) -> None:
    connector.put("INBOX", mail(1), draft=True)
    uids = list(connector.uids("INBOX"))
    assert contents(connector, "INBOX", uids) == {uids[0]: mail(1)}
    assert world.drafts("INBOX", connector) == [True]
    assert connector.holds("INBOX", "1@example.org")


def test_a_folder_that_does_not_exist_takes_no_message(connector: MailConnector) -> None:
    with pytest.raises(CollectionGone):
        connector.put("Nowhere", mail(1))
    with pytest.raises(CollectionGone):
        connector.holds("Nowhere", "1@example.org")
