"""What every mail connector keeps to: one suite for Dovecot, pymap, Exchange and the one in memory."""

from collections.abc import Iterator

import pytest

from connectors.errors import AuthFailed, CollectionError, CollectionGone, Unreachable
from connectors.model import FolderRole, MessageHead
from connectors.protocol import MailConnector
from tests.contract.mail_worlds import FIELDS, SERVERS, WHEN, World, contents, mail, started

world = pytest.fixture(params=SERVERS)(started)


@pytest.fixture
def connector(world: World) -> Iterator[MailConnector]:
    with world.connector() as entered:
        yield entered


def heads(connector: MailConnector, folder: str, uids: list[int]) -> dict[int, MessageHead]:
    return {head.uid: head for head in connector.heads(folder, uids, FIELDS)}


def test_the_inbox_is_listed_with_its_role(connector: MailConnector) -> None:
    assert [f.ref for f in connector.folders() if f.role is FolderRole.INBOX] == ["INBOX"]


def test_a_folder_that_does_not_exist_is_gone(connector: MailConnector) -> None:
    with pytest.raises(CollectionGone) as caught:
        connector.state("Nowhere")
    assert caught.value.collection == "Nowhere"
    assert connector.state("INBOX").count == 0


def test_the_states_of_several_folders_come_together(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    states = connector.states(["Nowhere", "INBOX"])
    assert states["INBOX"] == connector.state("INBOX")
    gone = states["Nowhere"]
    assert isinstance(gone, CollectionGone)
    assert gone.collection == "Nowhere"


def test_the_states_of_no_folder_are_none(connector: MailConnector) -> None:
    assert connector.states([]) == {}


def test_reading_a_folder_that_does_not_exist_is_no_empty_answer(connector: MailConnector) -> None:
    with pytest.raises(CollectionGone):
        connector.uids("Nowhere")
    with pytest.raises(CollectionGone):
        list(connector.heads("Nowhere", [1], FIELDS))
    with pytest.raises(CollectionGone):
        list(connector.bodies("Nowhere", [1]))


def test_the_state_counts_messages_and_foretells_uids(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    before = connector.state("INBOX")
    world.deliver("INBOX", mail(2))
    after = connector.state("INBOX")
    assert (before.count, after.count) == (1, 2)
    assert before.epoch == after.epoch
    first, second = connector.uids("INBOX")
    assert first < before.next_uid <= second < after.next_uid


def test_uids_are_ascending_and_above_the_bound(world: World, connector: MailConnector) -> None:
    for number in range(5):
        world.deliver("INBOX", mail(number))
    every = list(connector.uids("INBOX"))
    assert len(every) == 5
    assert every == sorted(set(every))
    assert list(connector.uids("INBOX", above=every[2])) == every[3:]
    assert list(connector.uids("INBOX", above=every[-1])) == []
    assert list(connector.uids("INBOX", above=every[-1] + 1000)) == []


def test_an_empty_folder_has_no_messages(connector: MailConnector) -> None:
    assert list(connector.uids("INBOX")) == []
    assert list(connector.heads("INBOX", [], FIELDS)) == []
    assert list(connector.bodies("INBOX", [])) == []


def test_a_head_has_the_fields_asked_for_and_what_the_server_knows(
    world: World, connector: MailConnector
) -> None:
    world.deliver("INBOX", mail(1), flags=("\\Flagged",))
    uids = list(connector.uids("INBOX"))
    head = heads(connector, "INBOX", uids)[uids[0]]
    assert head.size == len(mail(1))
    assert head.received_at == WHEN
    assert head.keywords - {"\\Recent"} == {"\\Flagged"}
    assert head.header.splitlines(keepends=True) == [
        b"From: Jean <jean1@example.org>\r\n",
        b"To: Claire <claire@acme.example>,\r\n",
        b" other@example.org\r\n",
        b"Subject: number 1\r\n",
        b"Message-ID: <1@example.org>\r\n",
        b"\r\n",
    ]


def test_a_body_is_the_message_octet_by_octet(world: World, connector: MailConnector) -> None:
    sent = [mail(1), mail(2, "\xe9 \x80 é\r\n" * 10), mail(3, "")]
    for raw in sent:
        world.deliver("INBOX", raw)
    uids = list(connector.uids("INBOX"))
    assert contents(connector, "INBOX", uids) == dict(zip(uids, sent, strict=True))


def test_a_large_message_comes_whole(world: World, connector: MailConnector) -> None:
    large = mail(1, "0123456789abcdef" * 3 * 1024 * 128 + "\r\n")
    world.deliver("INBOX", large)
    world.deliver("INBOX", mail(2))
    uids = list(connector.uids("INBOX"))
    assert contents(connector, "INBOX", uids) == dict(zip(uids, [large, mail(2)], strict=True))


def test_what_is_not_there_any_more_is_left_out(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    world.deliver("INBOX", mail(2))
    uids = list(connector.uids("INBOX"))
    world.expunge_first("INBOX")
    wanted = [*uids, uids[-1] + 500]
    connector.state("INBOX")
    assert list(heads(connector, "INBOX", wanted)) == [uids[1]]
    assert contents(connector, "INBOX", wanted) == {uids[1]: mail(2)}


def test_reading_leaves_no_trace(world: World, connector: MailConnector) -> None:
    world.deliver("INBOX", mail(1))
    world.deliver("INBOX", mail(2), flags=("\\Seen",))
    uids = list(connector.uids("INBOX"))
    heads(connector, "INBOX", uids)
    contents(connector, "INBOX", uids)
    connector.state("INBOX")
    assert world.keywords("INBOX") == [frozenset(), {"\\Seen"}]


def test_a_kept_connection_sees_new_mail(world: World, connector: MailConnector) -> None:
    for number in range(1, 4):
        world.deliver("INBOX", mail(number))
        assert connector.state("INBOX").count == number
        uids = list(connector.uids("INBOX"))
        assert len(uids) == number
        assert contents(connector, "INBOX", uids[-1:]) == {uids[-1]: mail(number)}


@pytest.mark.parametrize("world", ["dovecot", "memory"], indirect=True)
def test_a_folder_replaced_while_it_is_read_is_an_error(world: World) -> None:
    world.deliver("INBOX", mail(1))
    with world.connector() as connector:
        before = connector.state("INBOX")
        world.change_epoch("INBOX")
        with pytest.raises(CollectionError) as caught:
            connector.uids("INBOX")
        assert not isinstance(caught.value, CollectionGone)
        after = connector.state("INBOX")
        assert after.epoch != before.epoch
        assert len(connector.uids("INBOX")) == 1


def test_a_refused_login_is_an_error_of_the_mailbox(world: World) -> None:
    with pytest.raises(AuthFailed), world.connector_with_wrong_password():
        pass


def test_a_connector_works_only_while_it_is_entered(world: World) -> None:
    connector = world.connector()
    with pytest.raises(Unreachable):
        connector.state("INBOX")
    with connector:
        assert connector.state("INBOX").count == 0
    with pytest.raises(Unreachable):
        connector.uids("INBOX")
    with connector:
        assert connector.state("INBOX").count == 0
