"""Reading messages of Exchange: the same message whether its header is at hand or not, whatever its size."""

import resource
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from exchangelib.util import TNS
from lxml import etree

from connectors.errors import ItemError
from connectors.ews.access import EwsAccess
from connectors.ews.content import Pile
from connectors.ews.heads import composed
from connectors.ews.mail import EwsMailConnector
from connectors.mime import read_envelope
from connectors.model import RawMessage
from connectors.numbering import MemoryNumbering
from syncd.core.identity import fingerprint
from tests.mailboxes import CLAIRE, PAUL, is_green, subjects, with_paul
from tests.servers.ews import mapi
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews.xmlwork import typed
from tests.servers.exchange import ews_access
from tests.servers.world import World, mail
from tests.servers.worlds import on_exchange

FIELDS = (
    "From", "Reply-To", "To", "Cc", "Bcc", "Date", "Subject", "Message-ID", "In-Reply-To", "References",
    "Sensitivity",
)  # fmt: skip


@pytest.fixture
def access(ews: EwsServer, spool_dir: Path) -> EwsAccess:
    return ews_access(ews, CLAIRE, ews.add_mailbox(CLAIRE), spool_dir)


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """No message has a header of its way: as of those that were written in Exchange."""
    monkeypatch.setitem(mapi._OF_ITEMS, "0x7d", lambda _: None)


def odd_mails() -> list[bytes]:
    """Names, subjects and addresses that are not plain."""
    found = []
    for number, (sender, to, cc, subject) in enumerate(
        [
            ("Claire Dupont <claire@acme.example>", "paul@client.example", "", "Devis"),
            (
                "Éloïse d'Arc <eloise@acme.example>",
                "Zoë <zoe@client.example>, b@c.example",
                "",
                "Été à Orléans",
            ),
            (
                '"Dupont, Claire" <claire@acme.example>',
                "P <p@client.example>",
                "x@y.example",
                "Re:  deux  mots",
            ),
            ("claire@acme.example", "paul@client.example", '"a; b" <ab@client.example>', "日本語の件名" * 20),
            ("claire@acme.example", "paul@client.example", "", ""),
        ]
    ):
        message = EmailMessage()
        message["From"], message["To"] = sender, to
        if cc:
            message["Cc"] = cc
        if subject:
            message["Subject"] = subject
        message["Date"] = datetime(2026, 3, 4, 5, 6, number, tzinfo=UTC)
        message["Message-ID"] = f"<{number}@mail.example>"
        message["In-Reply-To"] = "<a@mail.example>"
        message["References"] = "<z@mail.example> <a@mail.example>"
        message.set_content("Bonjour.\n")
        found.append(message.as_bytes().replace(b"\n", b"\r\n"))
    return found


def test_a_message_without_a_header_of_its_way_reads_as_the_one_with_it(
    ews: EwsServer, access: EwsAccess, unsent: None
) -> None:
    sent = odd_mails()
    OtherClient(ews, CLAIRE).add_mails(sent)
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        connector.state("INBOX")
        heads = sorted(connector.heads("INBOX", [1, 2, 3, 4, 5], FIELDS), key=lambda head: head.uid)
    assert ews.counts.operations["GetItem"] == 2
    for head, raw in zip(heads, sent, strict=True):
        made, own = read_envelope(head.header), read_envelope(raw)
        for name in ("sender", "to", "cc", "date", "message_id", "in_reply_to", "references"):
            assert getattr(made, name) == getattr(own, name), name
        assert made.subject.split() == own.subject.split()
        assert fingerprint(made) == fingerprint(own)


def test_an_author_told_by_an_x500_name_is_the_mailboxs_owner() -> None:
    def box(email: str, kind: str) -> str:
        return (
            f"<t:Mailbox><t:Name>N</t:Name><t:EmailAddress>{email}</t:EmailAddress>"
            f"<t:RoutingType>{kind}</t:RoutingType></t:Mailbox>"
        )

    x500 = box("/O=ACME/OU=EXCHANGE/CN=RECIPIENTS/CN=CLAIRE", "EX")
    element = etree.fromstring(
        f'<t:Message xmlns:t="{TNS}"><t:ToRecipients>{x500}{box("paul@client.example", "SMTP")}'
        f"</t:ToRecipients><t:From>{x500}</t:From></t:Message>"
    )
    envelope = read_envelope(composed(element, FIELDS, CLAIRE))
    assert [address.email for address in envelope.sender] == [CLAIRE]
    assert [address.email for address in envelope.to] == ["paul@client.example"]


def test_only_the_fields_that_were_asked_for_are_told(
    ews: EwsServer, access: EwsAccess, unsent: None
) -> None:
    OtherClient(ews, CLAIRE).add_mail(odd_mails()[0])
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        connector.state("INBOX")
        (head,) = connector.heads("INBOX", [1], ("subject", "X-Nothing"))
    assert head.header == b"Subject: Devis\r\n\r\n"


def test_the_owners_mark_and_categories_are_told(ews: EwsServer, access: EwsAccess) -> None:
    other = OtherClient(ews, CLAIRE)
    one = other.add_mail(odd_mails()[0])
    other.edit(one, Sensitivity="Private", Categories=typed("Categories", [typed("String", "Privé")]))
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        connector.state("INBOX")
        (head,) = connector.heads("INBOX", [1], FIELDS)
    assert head.keywords == {"Privé"}
    assert read_envelope(head.header, {"sensitivity"}).headers == (("sensitivity", "Private"),)


@on_exchange
def test_what_outlook_marks_as_private_is_not_logged(lite_world: World) -> None:
    company = with_paul(lite_world)
    (first, second, _) = company.server.deliver(
        company.users["claire"], "INBOX", [mail(i, PAUL, CLAIRE, f"S{i}") for i in range(3)]
    )
    other = OtherClient(company.server.ews, CLAIRE)  # type: ignore[attr-defined]
    other.edit(first, Sensitivity="Confidential")
    other.edit(second, Categories=typed("Categories", [typed("String", "PRIVÉ")]))
    company.sync()
    assert subjects(company) == ["S2"]
    assert company.one("SELECT count(*) FROM verdict WHERE verdict = 5") == 2


@on_exchange
def test_what_was_sent_from_outlook_is_logged_once_with_what_the_customer_got(
    lite_world: World, unsent: None
) -> None:
    company = with_paul(lite_world)
    company.add_user("denis")
    letter = mail(1, CLAIRE, [PAUL, "denis@acme.example"], "Été à Orléans")
    company.deliver("claire", "Sent", letter)
    company.deliver("denis", "INBOX", b"Received: by mail.acme.example\r\n" + letter)
    company.sync()
    assert company.one("SELECT count(*) FROM email_message") == 1
    assert company.one("SELECT count(*) FROM activity") == 1
    assert company.one("SELECT direction FROM email_message") == "SENT"
    assert is_green(company)


@on_exchange
def test_a_sync_state_that_the_server_forgot_logs_nothing_twice(lite_world: World) -> None:
    company = with_paul(lite_world)
    company.deliver("claire", "INBOX", *(mail(i, PAUL, CLAIRE, f"S{i}") for i in range(3)))
    company.sync()
    before = company.rows("SELECT collection_id, uid, verdict FROM verdict")
    company.server.ews.expire_sync_states()  # type: ignore[attr-defined]
    company.deliver("claire", "INBOX", mail(3, PAUL, CLAIRE, "S3"))
    report = company.sync()["claire"]
    assert (report.pulled, report.error) == (1, None)
    assert subjects(company) == ["S0", "S1", "S2", "S3"]
    assert company.rows("SELECT collection_id, uid, verdict FROM verdict")[:3] == before
    assert is_green(company)


@on_exchange
def test_the_audit_asks_the_server_and_not_the_numbers(lite_world: World) -> None:
    company = with_paul(lite_world)
    names = company.server.deliver(
        company.users["claire"], "INBOX", [mail(i, PAUL, CLAIRE, f"S{i}") for i in range(4)]
    )
    company.sync()
    assert is_green(company)
    database = company.database()
    with database.write() as session:  # as if a message had been numbered, passed by and never judged
        session.connection().exec_driver_sql("DELETE FROM verdict WHERE uid = 2")
    database.close()
    assert not is_green(company)
    company.server.expunge(company.users["claire"], "INBOX", names[1])
    assert is_green(company)  # what is not on the server needs no verdict


def test_a_large_message_waits_in_a_file_and_not_in_memory(ews: EwsServer, access: EwsAccess) -> None:
    large = b"Subject: large\r\n\r\n" + b"0123456789abcdef" * (2 * 1024 * 1024)  # 32 MiB
    OtherClient(ews, CLAIRE).add_mails([large, b"Subject: small\r\n\r\nx"])
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        connector.state("INBOX")
        sizes = {}
        for one in connector.bodies("INBOX", [1, 2]):
            assert isinstance(one, RawMessage)
            sizes[one.uid] = len(one.content)
            assert isinstance(one.content.obj, bytes) == (one.uid == 2)
            assert bytes(one.content[:8]) == b"Subject:"
    assert sizes == {1: len(large), 2: 19}
    assert list(access.spool_dir.iterdir()) == []  # the file never had a name


def test_a_disk_that_is_full_is_one_messages_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    pile = Pile(tmp_path / "new", in_memory=10)
    pile.write(b"0123456789")
    assert pile.held == 10
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        for _ in range(50):
            pile.write(bytes(10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert pile.failure is not None
    assert pile.content() is None
    pile.close()


def test_a_message_for_which_there_is_no_room_is_told(
    ews: EwsServer, access: EwsAccess, tmp_path: Path
) -> None:
    access.spool_dir.rmdir()
    access.spool_dir.write_text("a file in place of the folder")
    OtherClient(ews, CLAIRE).add_mails(
        [b"Subject: x\r\n\r\n" + bytes(5 * 1024 * 1024), b"Subject: y\r\n\r\ny"]
    )
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        connector.state("INBOX")
        found = {
            one.uid if isinstance(one, RawMessage) else 0: one for one in connector.bodies("INBOX", [1, 2])
        }
    assert isinstance(found[0], ItemError)
    assert "no room" in str(found[0])
    assert 2 in found
