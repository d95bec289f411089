"""Drafts whose folder cannot be looked into: told once, left for hours, taken up again (R048, R155)."""

import io
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.errors import CollectionRefused
from connectors.model import FolderRole
from connectors.testing import MemoryMailbox, MemoryMailConnector
from store import mailboxes, outbound
from syncd.daemon.wiring import Installation
from syncd.engine.drafting import RETRY_AFTER, compose, message_id
from tests.integration.test_cli_value_lists import in_french
from tests.servers.console import console
from tests.servers.crm import NOW
from tests.servers.office import Office

MAILBOX = """
[servers.corp.imap]
host = "imap.acme.example"
security = "tls"
[[mailboxes]]
name = "claire"
user = "claire"
server = "corp"
username = "claire@acme.example"
password = { file = "claire.secret" }
sync = ["mail"]
"""
CLOSED = "select failed: [NOPERM] nobody may look into Drafts"


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Office:
    """Claire, with a mailbox, and two mails to Anne that were announced and not answered."""
    made = Office(tmp_path / "syncd", database_url)
    made.write_config()
    secret = made.folder / "claire.secret"
    secret.touch(mode=0o600)
    secret.write_text("unused")
    made.tail = MAILBOX
    made.add_contact(made.add_account("Garage"), "anne@garage.example")
    return made


@pytest.fixture
def installation(office: Office) -> Iterator[Installation]:
    opened = Installation.open(office.write_config())
    yield opened
    opened.close()


@pytest.fixture
def mailbox(office: Office, installation: Installation) -> MemoryMailbox:
    """With Drafts, where the connection broke after each of two drafts was put."""
    made = MemoryMailbox()
    made.add_folder("Drafts", FolderRole.DRAFTS)
    for subject in ("Devis", "Rappel"):
        office.done("contact", "email", "1", "--as", "claire", "--subject", subject, "--body", "Bonjour")
    for id_ in (1, 2):
        with installation.database.write() as session:
            outbound.announce(session, id_)
    return made


def cycle(installation: Installation, mailbox: MemoryMailbox, now: datetime) -> list[int]:
    """What a cycle does with drafts, if it has any to look at."""
    with installation.database.look() as connection:
        if not mailboxes.view(connection, "claire", now - RETRY_AFTER).drafts:
            return []
    assert installation.mail.drafting is not None
    with MemoryMailConnector(mailbox) as connector:
        return list(installation.mail.drafting.put(1, connector, now))


def close(mailbox: MemoryMailbox, times: int = 1) -> None:
    for nth in range(1, times + 1):
        mailbox.fail("holds", lambda: CollectionRefused(CLOSED, collection="Drafts"), nth=nth)


def warnings(log: io.StringIO) -> list[str]:
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    return [str(one["error"]) for one in lines if one.get("action") == "draft" and one["level"] == "warning"]


def test_a_folder_that_cannot_be_looked_into_is_asked_once_in_hours_and_told_once(
    office: Office, installation: Installation, mailbox: MemoryMailbox, log: io.StringIO
) -> None:
    close(mailbox)
    assert cycle(installation, mailbox, NOW) == []
    for minutes in (1, 2, 60, 300):
        assert cycle(installation, mailbox, NOW + timedelta(minutes=minutes)) == []
    assert mailbox.calls["holds"] == 1, "one draft asks for both, and nobody asks again for hours"
    assert warnings(log) == [CLOSED]
    close(mailbox)
    assert cycle(installation, mailbox, NOW + RETRY_AFTER + timedelta(seconds=1)) == []
    assert (mailbox.calls["holds"], warnings(log)) == (2, [CLOSED])
    assert office.rows("SELECT tries, failed_at IS NULL FROM outbound_message") in (
        [(1, 0), (1, 0)], [(1, False), (1, False)],
    )  # fmt: skip


def test_it_stands_in_the_status_and_is_taken_up_when_the_folder_works(
    office: Office, installation: Installation, mailbox: MemoryMailbox
) -> None:
    close(mailbox)
    cycle(installation, mailbox, NOW)
    said = console(office.write_config(), "status", at=NOW)
    assert said.code == 1
    assert f"claire: 2 drafts of mails cannot be put: {CLOSED} (last tried " in said.out
    in_words = in_french(office.run, "status")
    assert (
        f"claire : 2 brouillons d'e-mails ne peuvent pas être déposés : {CLOSED} (dernier essai " in in_words
    )
    assert "À régler par une personne :" in in_words
    (box,) = console(office.write_config(), "status", "--json", at=NOW).json["mailboxes"]
    assert (box["drafts_held"]["count"], box["drafts_held"]["error"]) == (2, CLOSED)
    mailbox.deliver("Drafts", lying(installation, 1))
    assert cycle(installation, mailbox, NOW + RETRY_AFTER + timedelta(seconds=1)) == [1, 2]
    assert mailbox.calls["put"] == 1, "what lay there is not put again, the other one is"
    assert office.one("SELECT count(*) FROM outbound_message") == 0
    assert "drafts of mails" not in console(office.write_config(), "status", at=NOW).out


def test_a_person_has_it_tried_at_once(
    office: Office, installation: Installation, mailbox: MemoryMailbox
) -> None:
    close(mailbox)
    cycle(installation, mailbox, NOW)
    with installation.database.write() as session:
        outbound.retry(session, 1)
    assert "drafts of mails" not in console(office.write_config(), "status", at=NOW).out
    mailbox._faults.clear()
    assert cycle(installation, mailbox, NOW + timedelta(minutes=1)) == [1, 2]


def test_a_new_draft_does_not_wait_for_those_that_are_held(
    office: Office, installation: Installation, mailbox: MemoryMailbox
) -> None:
    close(mailbox)
    cycle(installation, mailbox, NOW)
    mailbox._faults.clear()
    office.done("contact", "email", "1", "--as", "claire", "--subject", "Neuf", "--body", "Bonjour")
    assert cycle(installation, mailbox, NOW + timedelta(minutes=1)) == [3]
    assert office.one("SELECT count(*) FROM outbound_message") == 2


def lying(installation: Installation, id_: int) -> bytes:
    """The draft of that id as it was put."""
    assert installation.mail.drafting is not None
    with installation.database.read() as session:
        (one,) = [one for one in outbound.waiting(session, 1) if one.id == id_]
    instance = installation.mail.drafting._instance
    return compose(one, message_id(one, instance), NOW)
