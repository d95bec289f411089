"""A message that an Exchange server denies for once: left out, and not taken for gone."""

from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

from connectors.ews.mail import EwsMailConnector
from connectors.numbering import MemoryNumbering
from tests.servers.ews.answers import failure
from tests.servers.ews.errors import EwsError
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.requests import Request
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import children, m, make
from tests.servers.exchange import ews_access

CLAIRE = "claire@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nHello\r\n"


def denied(usual: Callable[[Request], list[Element]], *refs: str) -> Callable[[Request], list[Element]]:
    """GetItem that says of these messages that there are none: so it says, too, where rights are missing."""

    def get_item(request: Request) -> list[Element]:
        error = EwsError("ErrorItemNotFound", "The specified object was not found in the store.")
        absent = failure("GetItem", error, [make(m("Items"), ())])
        ids = [one.get("Id", "") for one in children(request.body.find(m("ItemIds")))]
        return [absent if one in refs else told for one, told in zip(ids, usual(request), strict=True)]

    return get_item


def test_a_message_that_is_denied_once_keeps_its_number_and_is_read_later(
    ews: EwsServer, spool_dir: Path
) -> None:
    access = ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), spool_dir)
    other = OtherClient(ews, CLAIRE)
    other.add_mails([MAIL] * 3)
    second = other.id_of(other.items("inbox")[1].item)
    usual = ews.dispatcher.operations["GetItem"]
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        before = connector.state("INBOX")
        ews.dispatcher.operations["GetItem"] = denied(usual, second)
        assert [one.uid for one in connector.heads("INBOX", [1, 2, 3], ["Subject"])] == [1, 3]
        assert len(list(connector.bodies("INBOX", [1, 2, 3]))) == 2
        ews.dispatcher.operations["GetItem"] = usual
        assert connector.state("INBOX") == before
        assert list(connector.uids("INBOX", above=1)) == [2, 3]
        assert list(connector.uids("INBOX")) == [1, 2, 3]
        assert len(list(connector.bodies("INBOX", [1, 2, 3]))) == 3


def test_a_message_that_is_gone_is_gone_with_the_next_look(ews: EwsServer, spool_dir: Path) -> None:
    access = ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), spool_dir)
    other = OtherClient(ews, CLAIRE)
    other.add_mails([MAIL] * 3)
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        connector.state("INBOX")
        other.delete(other.id_of(other.items("inbox")[1].item))
        assert [one.uid for one in connector.heads("INBOX", [1, 2, 3], ["Subject"])] == [1, 3]
        assert connector.state("INBOX").count == 2
        assert list(connector.uids("INBOX", above=1)) == [3]
