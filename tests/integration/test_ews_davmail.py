"""DavMail in front of the EWS server: an ordinary mail client lists, reads, marks, files and deletes."""

import imaplib
from collections.abc import Iterator

import pytest

from tests.servers.ews.davmail import DavMail
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.fixtures import missing

ADDRESS = "claire@acme.example"


def mail(number: int) -> bytes:
    lines = [
        "From: zoe@else.example",
        f"To: {ADDRESS}",
        f"Subject: n {number}",
        f"Message-ID: <{number}@else.example>",
        "Date: Mon, 5 Oct 2026 10:00:00 +0000",
        "",
        f"body {number}",
        "",
    ]
    return "\r\n".join(lines).encode()


@pytest.fixture
def plain() -> Iterator[EwsServer]:
    """An EWS server without TLS, which DavMail's keystore would have to know."""
    if not DavMail.available():
        missing("DavMail", "apt-get install davmail-server")
    with EwsServer() as server:
        server.check.older_clients = True  # it speaks as a client of Exchange 2013
        yield server


@pytest.fixture
def client(plain: EwsServer) -> Iterator[imaplib.IMAP4]:
    """A mail client of three messages."""
    password = plain.add_mailbox(ADDRESS, "Claire Dupont")
    OtherClient(plain, ADDRESS).add_mails([mail(number) for number in range(3)])
    with DavMail(plain) as davmail:
        connection = davmail.login(ADDRESS, password)
        yield connection
        connection.logout()


def test_a_mail_client_reads_marks_files_and_deletes_through_davmail(
    plain: EwsServer, client: imaplib.IMAP4
) -> None:
    other = OtherClient(plain, ADDRESS)
    assert client.select("INBOX") == ("OK", [b"3"])
    _, found = client.uid("SEARCH", "ALL")
    first, second, third = found[0].split()
    _, parts = client.uid("FETCH", "1:*", "(UID BODY.PEEK[])")
    assert [part[1] for part in parts if isinstance(part, tuple)] == [mail(number) for number in range(3)]

    client.uid("STORE", first, "+FLAGS", "(\\Seen)")
    client.create("Clients")
    client.uid("COPY", first, "Junk")
    client.uid("MOVE", third, "Clients")
    client.append("Sent", "", "", mail(7))
    client.uid("STORE", second, "+FLAGS", "(\\Deleted)")
    client.expunge()

    inbox = other.items("inbox")
    assert [(target.mime, target.item.is_read) for target in inbox] == [(mail(0), True)]
    places = {
        name: [target.mime for target in other.items(name)] for name in ("junkemail", "sentitems", "Clients")
    }
    assert places == {"junkemail": [mail(0)], "sentitems": [mail(7)], "Clients": [mail(2)]}
