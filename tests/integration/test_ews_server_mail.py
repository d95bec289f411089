"""Mail at the EWS test server: what is derived from a message's bytes, and twenty thousand of them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from exchangelib import Account, Message
from exchangelib.errors import ErrorStaleObject

from tests.servers.ews.exchange_client import account, trusting
from tests.servers.ews.other_client import OtherClient, categories
from tests.servers.ews.server import EwsServer

ADDRESS = "claire@acme.example"


@pytest.fixture
def claire(ews: EwsServer) -> Iterator[Account]:
    """exchangelib's account of a mailbox."""
    password = ews.add_mailbox(ADDRESS, "Claire Dupont")
    with trusting(ews.ca_file):
        yield account(ews, ADDRESS, password)


@pytest.fixture
def other(ews: EwsServer, claire: Account) -> OtherClient:
    """Another client of it."""
    return OtherClient(ews, ADDRESS)


def mail(number: int = 1) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Zoé <zoe@else.example>"
    message["To"] = "Claire <claire@acme.example>, bob@else.example"
    message["Cc"] = "eve@else.example"
    message["Subject"] = f"Réunion {number}"
    message["Message-ID"] = f"<{number}@else.example>"
    message["References"] = "<0@else.example>"
    message["Date"] = "Mon, 05 Oct 2026 10:00:00 +0200"
    message["Sensitivity"] = "Private"
    message.set_content("Bonjour\n")
    message.add_alternative("<p>Bonjour</p>", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="plan.pdf")
    return message


def test_properties_come_from_the_bytes(claire: Account, other: OtherClient) -> None:
    raw = mail().as_bytes()
    other.add_mail(raw, received=datetime(2026, 10, 5, 8, 1, tzinfo=UTC))

    [found] = claire.inbox.all()

    assert found.sender.email_address == "zoe@else.example"
    assert found.author.name == "Zoé"
    assert [box.email_address for box in found.to_recipients] == [ADDRESS, "bob@else.example"]
    assert [box.email_address for box in found.cc_recipients] == ["eve@else.example"]
    assert (found.subject, found.message_id) == ("Réunion 1", "<1@else.example>")
    assert found.references == "<0@else.example>"
    assert found.datetime_sent == datetime(2026, 10, 5, 8, tzinfo=UTC)
    assert found.datetime_received == datetime(2026, 10, 5, 8, 1, tzinfo=UTC)
    assert found.sensitivity == "Private"
    assert found.has_attachments
    assert found.size == len(raw)
    assert found.body.strip() == "<p>Bonjour</p>"
    assert {header.name for header in found.headers} >= {"From", "Message-ID", "Sensitivity"}
    assert found.mime_content == raw


def test_a_message_without_anything_is_served(claire: Account, other: OtherClient) -> None:
    other.add_mails([b"", b"\r\n", b"Subject: \x00\xff\r\n\r\n", b"Date: never\r\nFrom: @@\r\n\r\nx"])
    assert len([item.subject for item in claire.inbox.all()]) == 4


def test_categories_of_another_client_are_told(claire: Account, other: OtherClient) -> None:
    one = other.add_mail(mail().as_bytes())
    other.edit(one, Categories=categories("red", "blue"))
    [found] = claire.inbox.all()
    assert found.categories == ["red", "blue"]
    assert found.subject == "Réunion 1"


def test_a_message_is_found_by_its_message_id_and_its_sender(claire: Account, other: OtherClient) -> None:
    other.add_mails([mail(number).as_bytes() for number in range(3)])
    assert [item.subject for item in claire.inbox.filter(message_id="<2@else.example>")] == ["Réunion 2"]
    assert claire.inbox.filter(subject__icontains="réunion").count() == 3


def test_a_deleted_message_goes_where_the_client_says(claire: Account, other: OtherClient) -> None:
    other.add_mails([mail(number).as_bytes() for number in range(3)])
    first, second, third = claire.inbox.all()
    first.delete()
    second.move_to_trash()
    third.soft_delete()
    counts = [len(other.items(name)) for name in ("inbox", "deleteditems", "recoverableitemsdeletions")]
    assert counts == [0, 1, 1]


def test_folders_come_and_go_in_the_hierarchy(claire: Account, other: OtherClient) -> None:
    list(claire.msg_folder_root.sync_hierarchy())
    state = claire.msg_folder_root.folder_sync_state
    made = other.add_folder("Clients", "inbox")
    changes = list(claire.msg_folder_root.sync_hierarchy(sync_state=state))
    assert [(kind, folder.name) for kind, folder in changes] == [("create", "Clients")]
    state = claire.msg_folder_root.folder_sync_state
    other.remove_folder("Clients")
    changes = list(claire.msg_folder_root.sync_hierarchy(sync_state=state))
    assert [(kind, folder.id) for kind, folder in changes] == [("delete", made)]


def test_many_messages_are_listed_in_pages(claire: Account, other: OtherClient) -> None:
    other.add_mails(b"Subject: %d\r\n\r\n" % number for number in range(2500))
    assert claire.inbox.all().only("subject").count() == 2500


def test_a_draft_is_sent_under_its_current_change_key_only(
    ews: EwsServer, claire: Account, other: OtherClient
) -> None:
    draft = Message(account=claire, folder=claire.drafts, subject="Hello", to_recipients=["bob@else.example"])
    draft.save()
    other.edit(draft.id, Subject="Hello again")
    with pytest.raises(ErrorStaleObject):
        draft.send(save_copy=True)
    draft.refresh()
    draft.send(save_copy=True)
    assert [(mail.recipient, mail.subject) for mail in ews.counts.of("mail")] == [
        ("bob@else.example", "Hello again")
    ]
    assert [len(other.items(name)) for name in ("drafts", "sentitems")] == [0, 1]
