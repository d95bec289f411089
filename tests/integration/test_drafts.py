"""Drafts in the folder Drafts of their user's mailbox: what a change of status asks for (R155)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import text

from store.accounts import AccountStatus
from store.database import Transaction
from store.statuses import StatusChange
from syncd.daemon.wiring import Installation
from tests.servers.console import console
from tests.servers.dovecot import DovecotServer
from tests.servers.form_world import ANNE, FormWorld
from tests.servers.mailserver import MailServer
from tests.servers.worlds import on_both

pytestmark = pytest.mark.puts

RULE = """
[[status_rules]]
to = "neglected"
action = "email_draft"
template = "Des nouvelles, {account} ?"
body = "Bonjour,\\n\\nVoilà longtemps ({from} : {to}).\\n"
assignee = "claire"
"""
WAITING = "SELECT count(*) FROM outbound_message"


@pytest.fixture
def world(mail_server: MailServer, database_url: str, tmp_path: Path) -> FormWorld:
    """Claire, the client SA with Anne, and the rule."""
    world = FormWorld(mail_server, tmp_path / "syncd", database_url, mail_section=RULE)
    world.begin()
    world.deliver("claire", "Drafts")
    return world


@contextmanager
def working(world: FormWorld) -> Iterator[tuple[Installation, Transaction]]:
    installation = world.open()
    try:
        with installation.database.write() as session:
            yield installation, session
    finally:
        installation.close()


def neglected(world: FormWorld, name: str = "Client SA") -> int:
    """The account gets that status."""
    change = StatusChange(world.account, name, AccountStatus.ACTIVE, AccountStatus.NEGLECTED, 1)
    with working(world) as (installation, session):
        assert installation.statuses.then is not None
        return installation.statuses.then(session, [change], date(2026, 11, 22), world.now)


def drafts(world: FormWorld) -> list[EmailMessage]:
    return world.messages(folder="Drafts")


@on_both
def test_a_draft_lies_once_in_drafts_and_nobody_is_mailed(world: FormWorld) -> None:
    assert neglected(world) == 1
    assert world.rows("SELECT * FROM task") == []
    assert world.sync()["claire"].drafts == 1
    for _ in range(3):
        assert not world.sync()["claire"].wrote
    (draft,) = drafts(world)
    assert draft["From"] == "Claire <claire@acme.example>"
    assert ANNE in str(draft["To"])
    assert draft["Subject"] == "Des nouvelles, Client SA ?"
    assert draft.get_content().replace("\r\n", "\n") == "Bonjour,\n\nVoilà longtemps (active : neglected).\n"
    assert world.messages(folder="Sent") == []
    assert (world.one(WAITING), world.rows("SELECT * FROM email_message")) == (0, [])
    assert world.rows("SELECT actor, entity, entity_id FROM audit_log WHERE channel = 'JOB'") == [
        ("status rule", "account", world.account)
    ]


@on_both
def test_what_the_user_sends_of_it_is_logged_once(world: FormWorld) -> None:
    neglected(world)
    world.sync()
    (draft,) = drafts(world)
    world.deliver("claire", "Sent", draft.as_bytes(policy=policy.SMTP))
    world.sync()
    world.sync()
    assert world.rows("SELECT subject, direction FROM email_message") == [
        ("Des nouvelles, Client SA ?", "SENT")
    ]
    assert len(drafts(world)) == 1, "none comes back"


@on_both
def test_each_change_has_a_draft_of_its_own(world: FormWorld) -> None:
    neglected(world)
    world.sync()
    neglected(world)
    world.sync()
    assert len(drafts(world)) == 2


@on_both
def test_the_account_s_own_address_comes_first(world: FormWorld) -> None:
    with working(world) as (_, session):
        session.connection().exec_driver_sql("UPDATE account SET email = 'info@client.example'")
    neglected(world)
    world.sync()
    (draft,) = drafts(world)
    assert str(draft["To"]) == "Client SA <info@client.example>"


@on_both
def test_an_account_without_an_address_has_a_draft_to_nobody(world: FormWorld) -> None:
    with working(world) as (_, session):
        session.connection().exec_driver_sql("UPDATE contact SET email = NULL")
    neglected(world)
    world.sync()
    (draft,) = drafts(world)
    assert draft["To"] is None


@on_both
@pytest.mark.parametrize("address", ["anne@client.example.", "=?utf-8?q?mallory?=@client.example"])
def test_an_address_that_no_header_can_hold_is_left_to_the_user(world: FormWorld, address: str) -> None:
    said = ("contact", "edit", "1", "--email", address)
    assert console(world.write_config(), *said).code == 0, "the CRM takes it"
    neglected(world)
    report = world.sync()["claire"]
    assert (report.error, report.drafts, world.one(WAITING)) == (None, 1, 0)
    (draft,) = drafts(world)
    assert draft["To"] is None
    assert draft["From"] == "Claire <claire@acme.example>"


@on_both
def test_a_name_can_neither_add_headers_nor_stand_for_a_place(world: FormWorld) -> None:
    neglected(world, "{to}\r\nBcc: mallory@stranger.example")
    world.sync()
    (draft,) = drafts(world)
    assert draft["Bcc"] is None
    assert draft["Subject"] == "Des nouvelles, {to} Bcc: mallory@stranger.example ?"


@on_both
def test_where_no_mailbox_takes_drafts_a_task_is_made(world: FormWorld) -> None:
    world.mailbox_keys["claire"] = 'sync = ["mail"]\ndirection = "to-crm"'
    assert neglected(world) == 1
    assert world.rows("SELECT subject FROM task") == [("Des nouvelles, Client SA ?",)]
    assert world.one(WAITING) == 0


@on_both
def test_a_mailbox_that_becomes_read_only_gets_none(world: FormWorld) -> None:
    neglected(world)
    world.mailbox_keys["claire"] = 'sync = ["mail"]\ndirection = "to-crm"'
    world.sync()
    assert drafts(world) == []


def test_a_mailbox_without_drafts_is_asked_some_times_and_left_in_peace(
    dovecot: DovecotServer, sqlite_url: str, tmp_path: Path
) -> None:
    world = FormWorld(dovecot, tmp_path / "other", sqlite_url, mail_section=RULE)
    world.begin()
    neglected(world)
    for _ in range(7):
        assert world.sync()["claire"].error is None
    assert world.one(WAITING) == 0
    assert not world.sync()["claire"].wrote


def test_the_flags_are_those_of_a_draft(dovecot: DovecotServer, sqlite_url: str, tmp_path: Path) -> None:
    world = FormWorld(dovecot, tmp_path / "other", sqlite_url, mail_section=RULE)
    world.begin()
    world.deliver("claire", "Drafts")
    neglected(world)
    world.sync()
    (name,) = [one for one in dovecot.file_names(world.users["claire"]) if ".Drafts/" in one]
    assert name.endswith(":2,DS")
    assert message_from_bytes((dovecot.maildir(world.users["claire"]) / name).read_bytes())["Subject"]


@on_both
def test_a_user_has_a_mail_to_a_contact_drafted(world: FormWorld) -> None:
    world.sync()
    said = ("contact", "email", "1", "--as", "claire", "--subject", "Votre devis", "--body", "Bonjour Anne,")
    done = console(world.write_config(), *said)
    assert (done.code, done.err) == (0, "")
    assert ANNE in done.out
    assert world.sync()["claire"].drafts == 1
    (draft,) = drafts(world)
    assert (str(draft["Subject"]), ANNE in str(draft["To"])) == ("Votre devis", True)
    assert draft.get_content().strip() == "Bonjour Anne,"
    assert world.messages(folder="Sent") == []
    world.deliver("claire", "Sent", draft.as_bytes(policy=policy.SMTP))
    world.sync()
    world.sync()
    assert world.rows("SELECT subject, direction FROM email_message") == [("Votre devis", "SENT")]
    assert world.rows("SELECT actor, change FROM audit_log WHERE entity = 'contact'")[0][0] == "claire"


@on_both
def test_a_mail_is_not_drafted_where_the_mailbox_is_not_in_order(world: FormWorld) -> None:
    said = ("contact", "email", "1", "--subject", "Votre devis")
    config = world.write_config()
    nobody = console(config, *said)
    assert (nobody.code, "--as LOGIN" in nobody.err) == (1, True)
    assert console(config, *said, "--as", "claire").code == 0, "it has not been looked at yet"
    assert console(config, "stop", "claire").code == 0
    stopped = console(config, *said, "--as", "claire")
    assert stopped.code == 1
    assert "the mailbox claire is not in order: it is stopped. See `syncd status`" in stopped.err
    with working(world) as (_, session):
        session.connection().exec_driver_sql("UPDATE contact SET email = NULL")
    without = console(config, *said, "--as", "claire")
    assert (without.code, "contact 1 has no e-mail address" in without.err) == (1, True)
    assert world.one(WAITING) == 1


@on_both
def test_a_number_that_no_contact_can_have_is_wrong_use(world: FormWorld) -> None:
    for number in ("0", str(2**31), "9" * 23):
        for verb in (("email", number, "--subject", "x"), ("edit", number), ("delete", number)):
            done = console(world.write_config(), "contact", *verb, "--as", "claire")
            assert (done.code, "Invalid value for 'ID'" in done.err) == (2, True), done.err


@on_both
def test_a_draft_that_is_held_back_is_told_and_tried_when_a_person_says_so(world: FormWorld) -> None:
    neglected(world)
    with working(world) as (_, session):
        said = {"error": "nobody may look into Drafts", "at": world.now}
        session.execute(text("UPDATE outbound_message SET tries = 1, error = :error, failed_at = :at"), said)
    assert world.sync()["claire"].drafts == 0
    assert not world.sync()["claire"].wrote, "an idle cycle writes nothing"
    doctor = console(world.write_config(), "doctor")
    assert (doctor.code, "drafts of mails wait (1): nobody may look into Drafts" in doctor.out) == (1, True)
    assert world.sync(quarantined=True)["claire"].drafts == 1
    assert len(drafts(world)) == 1
    assert world.one(WAITING) == 0
