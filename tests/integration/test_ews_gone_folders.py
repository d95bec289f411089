"""The numbers of the messages of a folder that is gone: they go too, once the server says so of that folder;
no number is ever given twice."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest

from connectors.errors import ProtocolViolation
from connectors.ews.access import Entry, EwsAccess, Password
from connectors.ews.mail import EwsMailConnector
from connectors.numbering import MemoryNumbering
from tests.servers.ews.faults import Fault
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.exchange import ews_access

CLAIRE = "claire@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nHello\r\n"


@pytest.fixture
def access(ews: EwsServer, spool_dir: Path) -> EwsAccess:
    return ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), spool_dir)


@pytest.fixture
def numbering(ews: EwsServer, access: EwsAccess) -> MemoryNumbering:
    """With three messages in Clients."""
    other, found = OtherClient(ews, CLAIRE), MemoryNumbering()
    other.add_folder("Clients")
    other.add_mails([MAIL] * 3, folder="Clients")
    with EwsMailConnector(access, found) as connector:
        assert connector.state("Clients").count == 3
    return found


@pytest.fixture
def connector(access: EwsAccess, numbering: MemoryNumbering) -> Iterator[EwsMailConnector]:
    with EwsMailConnector(access, numbering) as made:
        yield made


def held(numbering: MemoryNumbering) -> list[int]:
    return [numbering.read(one).count for one in numbering.folders()]


def test_the_numbers_of_a_folder_that_is_gone_go_and_none_is_given_twice(
    ews: EwsServer, numbering: MemoryNumbering, connector: EwsMailConnector
) -> None:
    other = OtherClient(ews, CLAIRE)
    (folder,) = numbering.folders()
    lost = other.folder("Clients")
    other.remove_folder("Clients")
    connector.folders()
    assert list(numbering.folders()) == []
    assert numbering.read(folder).last == 3
    before = ews.counts.operations["GetFolder"]
    connector.folders()
    assert ews.counts.operations["GetFolder"] - before == 1  # it is not asked for again

    ews.store.folders[lost.number] = lost  # out of a backup, under the same id
    assert lost.parent is not None
    lost.parent.children.append(lost)
    other.add_mails([MAIL] * 2, folder="Clients")
    connector.folders()
    assert min(connector.uids("Clients")) > 3


def test_a_folder_that_the_list_leaves_out_keeps_its_numbers(
    ews: EwsServer, numbering: MemoryNumbering, connector: EwsMailConnector
) -> None:
    OtherClient(ews, CLAIRE).folder("Clients").folder_class = "IPF.Contact"
    connector.folders()
    assert held(numbering) == [3]


@pytest.mark.parametrize("code", ["ErrorAccessDenied", "ErrorInternalServerError", "ErrorFolderCorrupt"])
def test_a_folder_of_which_the_server_does_not_say_that_it_is_gone_keeps_its_numbers(
    ews: EwsServer, numbering: MemoryNumbering, connector: EwsMailConnector, code: str
) -> None:
    OtherClient(ews, CLAIRE).remove_folder("Clients")
    usual = ews.dispatcher.operations["GetFolder"]
    ews.dispatcher.operations["GetFolder"] = lambda request: saying(code, usual(request))
    connector.folders()
    ews.dispatcher.operations["GetFolder"] = usual
    assert held(numbering) == [3]
    connector.folders()
    assert held(numbering) == []


def saying(code: str, answers: list[Element]) -> list[Element]:
    """The answers, with another code in place of ErrorFolderNotFound."""
    for one in answers:
        for part in one.iter():
            if part.text == "ErrorFolderNotFound":
                part.text = code
    return answers


def test_a_list_that_fails_takes_nothing_away(
    ews: EwsServer, numbering: MemoryNumbering, connector: EwsMailConnector
) -> None:
    ews.faults.plan(Fault.TRUNCATED, "FindFolder")
    with pytest.raises(ProtocolViolation):
        connector.folders()
    assert held(numbering) == [3]


def test_a_delegate_who_may_not_see_a_folder_any_more_keeps_its_numbers(
    ews: EwsServer, access: EwsAccess, numbering: MemoryNumbering
) -> None:
    """To a delegate without rights Exchange says the same as of what is not there."""
    password = ews.add_mailbox("denis@acme.example")
    auth = Password("denis@acme.example", lambda: password, "basic")
    other = replace(access, auth=auth, entry=Entry.DELEGATE)
    ews.delegate(CLAIRE, "denis@acme.example", "Reviewer")
    OtherClient(ews, CLAIRE).remove_folder("Clients")
    with EwsMailConnector(other, numbering) as connector:
        connector.folders()
    assert held(numbering) == [3]
