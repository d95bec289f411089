"""Mailboxes that do not simply take the message of a form: full, read-only, or silent about what they did."""

import io
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from connectors.errors import CollectionError, CollectionRefused, OutcomeUnknown, SyncdError, Unreachable
from connectors.imap.client import ImapConnector
from connectors.model import FolderRole
from connectors.testing import MemoryMailbox, MemoryMailConnector
from store import ledger, mailboxes
from syncd.core.matching import Verdict
from syncd.daemon.wiring import Installation
from syncd.engine.mail import RETRY_AFTER
from syncd.engine.meetings.messages import MOST_TRIES
from syncd.engine.report import CycleReport
from tests.servers.access import local_access
from tests.servers.ews.faults import Fault
from tests.servers.exchange import ExchangeServer
from tests.servers.form_world import FormWorld, reply
from tests.servers.hostile_imap import HostileImap
from tests.servers.mailserver import MailServer
from tests.servers.world import mail

pytestmark = pytest.mark.puts


@pytest.fixture
def asked(mail_server: MailServer, sqlite_url: str, tmp_path: Path) -> FormWorld:
    """Claire is to be asked in the next cycle."""
    world = FormWorld(mail_server, tmp_path / "syncd", sqlite_url)
    world.begin()
    world.hold()
    return world


@pytest.fixture
def installation(asked: FormWorld) -> Iterator[Installation]:
    opened = asked.open()
    yield opened
    opened.close()


def put(world: FormWorld, installation: Installation, mailbox: MemoryMailbox) -> None:
    """What a cycle does at its end, with another mailbox."""
    assert installation.mail.messages is not None
    with MemoryMailConnector(mailbox) as connector:
        list(installation.mail.messages.put(1, connector, world.now))


def look(world: FormWorld, installation: Installation, mailbox: MemoryMailbox) -> CycleReport:
    """A cycle of another mailbox."""
    with installation.database.look() as connection:
        view = mailboxes.view(connection, "claire", world.now - RETRY_AFTER)
    installation.mail.prepare(view.marks, world.now)
    report = CycleReport("claire", "0")
    with MemoryMailConnector(mailbox) as connector:
        installation.mail.cycle(view, connector, world.now, report, wanted=None)
    assert report.folder_errors == {}
    return report


def waiting(world: FormWorld) -> list[tuple[object, ...]]:
    return world.rows("SELECT announced FROM report_mail")


def unknown() -> SyncdError:
    return OutcomeUnknown("no answer came")


def test_a_message_whose_outcome_is_unknown_is_looked_for_and_not_put_again(
    asked: FormWorld, installation: Installation
) -> None:
    mailbox = MemoryMailbox()
    mailbox.fail("put", after=1)
    with pytest.raises(OutcomeUnknown):
        put(asked, installation, mailbox)
    assert waiting(asked) == [(1,)]
    put(asked, installation, mailbox)
    assert (mailbox.calls["put"], mailbox.calls["holds"]) == (1, 1)
    assert waiting(asked) == []


def test_one_that_did_not_come_is_put_again_a_few_times(asked: FormWorld, installation: Installation) -> None:
    mailbox = MemoryMailbox()
    for _ in range(MOST_TRIES):
        mailbox.fail("put", unknown)
        with pytest.raises(OutcomeUnknown):
            put(asked, installation, mailbox)
    put(asked, installation, mailbox)
    assert mailbox.calls["put"] == MOST_TRIES
    assert waiting(asked) == []


@pytest.mark.parametrize("call", ["put", "holds"])
def test_a_mailbox_that_refuses_it_is_not_asked_again(
    asked: FormWorld,
    installation: Installation,
    log: io.StringIO,
    call: str,
) -> None:
    mailbox = MemoryMailbox()
    if call == "holds":
        mailbox.fail("put", unknown)
        with pytest.raises(OutcomeUnknown):
            put(asked, installation, mailbox)
    mailbox.fail(call, lambda: CollectionRefused("INBOX is read-only", collection="INBOX"))
    put(asked, installation, mailbox)
    assert waiting(asked) == []
    assert "INBOX is read-only" in log.getvalue()
    assert asked.reports("state") == [("OFFERED",)]


def test_a_broken_connection_leaves_it_for_the_next_cycle(
    asked: FormWorld, installation: Installation
) -> None:
    mailbox = MemoryMailbox()
    mailbox.fail("put")
    with pytest.raises(Unreachable):
        put(asked, installation, mailbox)
    put(asked, installation, mailbox)
    assert mailbox.calls["put"] == 2
    assert waiting(asked) == []


@pytest.mark.parametrize("mail_server", ["exchange"], indirect=True)
def test_exchange_that_resets_the_connection_over_it_has_it_once(asked: FormWorld) -> None:
    server = asked.server
    assert isinstance(server, ExchangeServer)
    server.ews.faults.plan(Fault.RESET_AFTER, "CreateItem")
    assert asked.sync()["claire"].error is not None
    assert asked.sync()["claire"].error is None
    assert len(asked.messages()) == 1
    assert waiting(asked) == []


def test_mail_without_a_token_costs_no_request_more(asked: FormWorld, installation: Installation) -> None:
    with installation.database.look() as connection:
        view = mailboxes.view(connection, "claire")
    installation.mail.prepare(view.marks, asked.now)
    calls = []
    for replies in (installation.mail.replies, None):
        mailbox = MemoryMailbox()
        for number in range(700):
            mailbox.deliver("Sent", mail(number, "claire@acme.example", "x@stranger.example"))
        installation.mail.replies = replies
        with MemoryMailConnector(mailbox) as connector:
            report = CycleReport("claire", "0")
            installation.mail.cycle(view, connector, asked.now, report, wanted=None, dry_run=False)
        assert report.pulled == 700
        calls.append([one for one in mailbox.logged if one[0] != "put"])
        with installation.database.write() as session:
            ledger.begin_epoch(session, 1, "")
            ledger.begin_epoch(session, 2, "")
    assert calls[0] == calls[1]
    assert ("bodies", "Sent") not in calls[0]


@pytest.mark.parametrize("where", ["sent", "sent, later", "received", "other subject"])
def test_in_all_mail_an_answer_counts_where_sent_holds_it_too(
    asked: FormWorld, installation: Installation, where: str
) -> None:
    mailbox = MemoryMailbox()
    mailbox.add_folder("All", FolderRole.ALL)
    put(asked, installation, mailbox)
    raw = next(iter(mailbox._folders["INBOX"].messages.values())).raw
    answer = reply(message_from_bytes(raw, policy=policy.default), "Vu.")
    mailbox.deliver("All", answer)
    if where != "received":
        other = answer.replace(b"Subject: Re: Compte", b"Subject: Bonjour\r\nX-Subject: Re")
        mailbox.deliver("Sent", answer if where.startswith("sent") else other)
    if where == "sent, later":
        refused = CollectionError("Sent cannot be searched", collection="Sent")
        mailbox.fail("holds", lambda: refused)
        assert look(asked, installation, mailbox).verdicts == Counter({Verdict.QUARANTINED: 1})
        asked.now += RETRY_AFTER * 2
    report = look(asked, installation, mailbox)
    assert report.verdicts == Counter({Verdict.INTERNAL: 1})
    taken = [("ANSWERED", "EMAIL", "Vu.")]
    assert asked.reports() == (taken if where.startswith("sent") else [("OFFERED", None, "")])


def form_in(mailbox: MemoryMailbox) -> EmailMessage:
    (raw,) = (one.raw for one in mailbox._folders["INBOX"].messages.values())
    return message_from_bytes(raw, policy=policy.default)


def test_an_older_answer_that_was_in_quarantine_is_not_put_over_a_newer_one(
    asked: FormWorld, installation: Installation, log: io.StringIO
) -> None:
    mailbox = MemoryMailbox()
    mailbox.add_folder("All", FolderRole.ALL)
    put(asked, installation, mailbox)
    first, second = (reply(form_in(mailbox), text, number=n) for n, text in enumerate(["Un.", "Deux."], 1))
    for minute, answer in enumerate([first, second]):
        mailbox.deliver("Sent", answer)
        mailbox.deliver("All", answer, received_at=asked.now - timedelta(minutes=2 - minute))
    mailbox.fail("holds", lambda: CollectionError("Sent cannot be searched", collection="Sent"))
    look(asked, installation, mailbox)
    assert asked.reports() == [("ANSWERED", "EMAIL", "Deux.")]
    asked.now += RETRY_AFTER * 2
    assert look(asked, installation, mailbox).verdicts == Counter({Verdict.INTERNAL: 1})
    assert asked.reports() == [("ANSWERED", "EMAIL", "Deux.")]
    assert "a later answer was taken before it" in log.getvalue()


def test_of_two_messages_of_one_form_either_can_be_answered(
    asked: FormWorld, installation: Installation
) -> None:
    mailbox = MemoryMailbox()
    mailbox.fail("put", after=1)
    with pytest.raises(OutcomeUnknown):
        put(asked, installation, mailbox)
    first = form_in(mailbox)
    mailbox._folders["INBOX"].messages.clear()  # a telephone archived it
    put(asked, installation, mailbox)
    assert form_in(mailbox)["Message-ID"] == first["Message-ID"]
    mailbox.deliver("Sent", reply(first, "Vu."))
    look(asked, installation, mailbox)
    assert asked.reports() == [("ANSWERED", "EMAIL", "Vu.")]


@pytest.mark.parametrize("own", ["", "Très intéressée."])
def test_outlook_on_the_web_adds_nothing_to_the_report(
    asked: FormWorld, installation: Installation, own: str
) -> None:
    mailbox = MemoryMailbox()
    put(asked, installation, mailbox)
    form = form_in(mailbox)
    message = message_from_bytes(reply(form, ""), policy=policy.default)
    original = form.get_content().replace("\n", "<br>\n")
    message.set_content(
        f'<div>{own}<br></div><hr style="width:98%"><div><b>De :</b> claire@acme.example<br><b>Envoyé :</b>'
        f" lundi 23 novembre 2026 14:00<br><b>Objet :</b> x</div><div>{original}</div>",
        subtype="html",
    )
    mailbox.deliver("Sent", message.as_bytes(policy=policy.SMTP))
    look(asked, installation, mailbox)
    assert asked.reports("state, comments") == [("ANSWERED", own) if own else ("OFFERED", "")]


@pytest.mark.parametrize(("days", "counts"), [(29, True), (31, False)])
def test_an_answer_that_waited_for_the_service_counts_by_the_day_it_came(
    asked: FormWorld, installation: Installation, days: int, *, counts: bool
) -> None:
    mailbox = MemoryMailbox()
    put(asked, installation, mailbox)
    mailbox.deliver("Sent", reply(form_in(mailbox), "Vu."), received_at=asked.now + timedelta(days=days))
    asked.now += timedelta(days=40)
    look(asked, installation, mailbox)
    assert asked.reports("state") == [("ANSWERED" if counts else "OFFERED",)]


# A server that talks IMAP.


@pytest.fixture
def hostile() -> Iterator[HostileImap]:
    with HostileImap() as server:
        yield server


@pytest.mark.parametrize("id_", ['a"b@c', "a\\b@c", "é@c", "a\r\nA1 DELETE INBOX"])
def test_no_message_id_is_more_than_one(hostile: HostileImap, spool_dir: Path, id_: str) -> None:
    with ImapConnector(local_access(hostile.port, spool_dir, timedelta(seconds=1.5))) as connector:
        assert not connector.holds("INBOX", id_)
    lines = [line for line in hostile.commands if b"HEADER" in line or b"DELETE" in line]
    quoted = id_.replace("\\", "\\\\").replace('"', '\\"')
    assert lines == ([f'UID SEARCH HEADER Message-ID "<{quoted}>"'.encode()] if id_[1] in '"\\' else [])


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (b"", OutcomeUnknown, "not known"),
        (b"+ go on\r\n? ?\r\n", OutcomeUnknown, "not known"),
        (b"TAG NO [OVERQUOTA] Quota exceeded\r\n", CollectionError, "is full"),
        (b"TAG NO [NOPERM] no\r\n", CollectionRefused, "access rights"),
        (b"TAG NO [UNAVAILABLE] later\r\n", Unreachable, "again later"),
        (b"TAG BAD what?\r\n", CollectionRefused, "access rights"),
    ],
)
def test_what_imap_servers_answer_to_a_message(
    hostile: HostileImap, spool_dir: Path, answer: bytes, error: type[SyncdError], words: str
) -> None:
    hostile.script["APPEND"] = answer
    connector = ImapConnector(local_access(hostile.port, spool_dir, timedelta(seconds=1.5)))
    with pytest.raises(error, match=words), connector:
        connector.put("INBOX", b"Subject: x\r\n\r\nx\r\n")
