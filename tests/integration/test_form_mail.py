"""The message of a form in its user's Inbox, and the answer to it: Dovecot and Exchange, both databases."""

import io
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from syncd.daemon import doctor
from syncd.engine.audit import audit
from syncd.engine.meetings import telling
from tests.servers.desk import Desk
from tests.servers.form_world import ANNE, FormWorld, everybody, reply
from tests.servers.mailserver import MailServer
from tests.servers.worlds import on_both

pytestmark = [on_both, pytest.mark.puts]


@pytest.fixture
def world(mail_server: MailServer, database_url: str, tmp_path: Path) -> FormWorld:
    return FormWorld(mail_server, tmp_path / "syncd", database_url)


@pytest.fixture
def asked(world: FormWorld) -> FormWorld:
    """Claire's meeting is over, and she has been asked."""
    world.begin()
    world.hold()
    world.sync()
    return world


def test_the_form_lies_once_in_its_user_s_inbox_and_names_nobody_else(asked: FormWorld) -> None:
    for _ in range(3):
        asked.sync()
        asked.follow_up()
    assert not asked.sync()["claire"].wrote
    form = asked.form()
    assert everybody(form) == ["claire@acme.example"]
    assert form["Auto-Submitted"] == "auto-generated"
    assert str(form["Subject"]).startswith("Compte rendu : Visio [CR-")
    assert "Client SA" in form.get_content()
    assert asked.messages(folder="Sent") == []
    assert asked.rows("SELECT verdict FROM verdict") == [(3,)]
    assert asked.rows("SELECT id FROM email_message") == []


def test_of_the_token_nothing_is_kept_but_a_hash(asked: FormWorld) -> None:
    token = str(asked.form()["Subject"]).partition("[CR-")[2].rstrip("]")
    assert len(token) == 26
    for path in asked.folder.parent.rglob("*"):
        if path.is_file() and "exchange" not in path.parts:
            assert token.encode() not in path.read_bytes(), path
    ((found,),) = asked.reports("token_hash")
    assert len(str(found)) == 64


def test_an_answer_that_lies_in_sent_is_the_report(asked: FormWorld) -> None:
    asked.deliver("claire", "Sent", reply(asked.form(), "Très intéressée.\nRésultat : intéressé"))
    asked.sync()
    assert asked.reports("state, channel, comments, outcome, submitted_by") == [
        ("ANSWERED", "EMAIL", "Très intéressée.", "intéressé", 1)
    ]
    assert asked.rows("SELECT state, comments FROM activity") == [("VALIDATED", "Très intéressée.")]
    assert asked.rows("SELECT state FROM task") == [("DONE",)]
    assert asked.rows("SELECT verdict FROM verdict") == [(3,), (3,)]
    asked.follow_up()
    asked.sync()
    assert not asked.sync()["claire"].wrote


def test_a_further_answer_changes_the_report_and_none_counts_twice(asked: FormWorld) -> None:
    form = asked.form()
    asked.deliver("claire", "Sent", reply(form, "Un."), reply(form, "Deux.", number=2))
    asked.sync()
    assert asked.reports() == [("ANSWERED", "EMAIL", "Deux.")]
    asked.deliver("claire", "Sent", reply(form, "Un."))
    asked.server.change_uidvalidity(asked.users["claire"], "Sent")
    asked.sync()
    asked.sync()
    assert asked.reports() == [("ANSWERED", "EMAIL", "Deux.")]
    assert asked.one("SELECT count(*) FROM report_reply") == 2


def test_an_answer_that_a_contact_gets_too_is_logged_and_is_the_report(asked: FormWorld) -> None:
    asked.deliver("claire", "Sent", reply(asked.form(), "Vu avec Anne.", cc=[ANNE]))
    asked.sync()
    assert asked.reports() == [("ANSWERED", "EMAIL", "Vu avec Anne.")]
    assert asked.rows("SELECT direction FROM email_message") == [("SENT",)]
    assert asked.rows("SELECT verdict FROM verdict ORDER BY verdict") == [(1,), (3,)]


SECRET = "Rien que pour nous."
OTHER = {"Subject": "Re: Compte rendu : Visio [CR-ABCDEFGHIJKLMNOPQRSTUVWXYZ]"}


@pytest.mark.parametrize(
    ("folder", "sender", "headers", "flags", "told"),
    [
        ("INBOX", "claire@acme.example", {}, (), "it does not lie in Sent"),
        ("INBOX", "mallory@stranger.example", {}, (), "it is not from the user of this mailbox"),
        ("Sent", "mallory@stranger.example", {}, (), "it is not from the user of this mailbox"),
        ("Sent", "claire@acme.example", {"Auto-Submitted": "auto-replied"}, (), "no person wrote it"),
        ("Sent", "claire@acme.example", {"Precedence": "bulk"}, (), "no person wrote it"),
        ("Sent", "claire@acme.example", {"Sensitivity": "Private"}, (), "it is private"),
        ("Sent", "claire@acme.example", OTHER, (), "its token is of no form"),
    ],
)
def test_what_is_no_answer_changes_nothing_and_is_told_without_a_word_of_it(
    asked: FormWorld,
    log: io.StringIO,
    folder: str,
    sender: str,
    headers: dict[str, str],
    flags: tuple[str, ...],
    told: str,
) -> None:
    forged = reply(asked.form(), SECRET, sender=sender, headers=headers)
    asked.deliver("claire", folder, forged, flags=flags)
    report = asked.sync()["claire"]
    assert (report.error, report.folder_errors) == (None, {})
    assert asked.reports() == [("OFFERED", None, "")]
    logged = log.getvalue()
    assert told in logged
    assert SECRET not in logged
    assert "[CR-" not in logged


def test_an_answer_without_a_text_of_its_own_is_none(asked: FormWorld) -> None:
    asked.deliver("claire", "Sent", reply(asked.form(), ""))
    asked.sync()
    assert asked.reports() == [("OFFERED", None, "")]


def test_a_token_is_of_no_use_to_another_user(world: FormWorld) -> None:
    world.begin("claire", "denis")
    world.hold()
    world.sync()
    stolen = reply(world.form(), SECRET, sender="denis@acme.example")
    world.deliver("denis", "Sent", stolen)
    world.sync()
    assert world.reports() == [("OFFERED", None, "")]


def test_a_token_expires_after_30_days(asked: FormWorld) -> None:
    late = asked.now + timedelta(days=30)
    asked.deliver("claire", "Sent", reply(asked.form(), "Trop tard."), internaldate=late)
    asked.now = late
    asked.sync()
    assert asked.reports() == [("OFFERED", None, "")]


@pytest.mark.parametrize(("own", "told"), [("", ""), ("Avec : son chef.\n\n", "Avec : son chef.")])
def test_the_facts_in_a_message_are_no_answer_though_they_are_others_by_now(
    asked: FormWorld, own: str, told: str
) -> None:
    """The message stays in the Inbox as it was put, and some clients do not mark what they quote."""
    before = asked.form()
    asked.account = asked.add_account("Autre SARL")
    Desk(asked, "claire").edit(1, account=str(asked.account), subject="Revue", start="2026-11-23T09:30")
    asked.follow_up()
    ((block,),) = asked.rows("SELECT block FROM task")
    assert "Autre SARL" in str(block)
    answer = message_from_bytes(reply(before, own), policy=policy.SMTP)
    assert isinstance(answer, EmailMessage)
    answer.set_content(own + before.get_content())
    asked.deliver("claire", "Sent", answer.as_bytes())
    asked.sync()
    assert asked.reports("comments") == [(told,)]


def test_an_answer_from_a_clock_that_is_ahead_does_not_shut_out_a_later_one(asked: FormWorld) -> None:
    form = asked.form()
    ahead = asked.now + timedelta(days=9)
    asked.deliver("claire", "Sent", reply(form, "Bien."), internaldate=ahead)
    asked.sync()
    asked.follow_up()
    asked.deliver("claire", "Sent", reply(form, "Très bien.", number=2), internaldate=asked.now)
    asked.sync()
    assert asked.reports("comments") == [("Très bien.",)]


def test_a_mailbox_whose_sent_folder_is_not_read_gets_no_message_to_answer(
    world: FormWorld, log: io.StringIO
) -> None:
    world.mailbox_keys["claire"] = 'sync = ["mail"]\nmail_folders = ["INBOX"]'
    world.begin()
    world.hold()
    world.sync()
    world.sync()
    assert world.messages() == []
    assert world.reports("state") == [("OFFERED",)]
    assert "no folder Sent of the mailbox is read" in log.getvalue()
    (diagnosis,) = doctor.mailboxes(world.config, ["claire"])
    assert "cannot be answered by mail" in diagnosis.says


def put_off(world: FormWorld) -> None:
    """The meeting is moved to next week, after all."""
    event = int(str(world.one("SELECT id FROM event")))
    Desk(world, "claire").edit(event, start="2026-11-30T10:00", end="2026-11-30T11:00")
    assert world.follow_up().withdrawn == 1


def test_a_form_that_was_withdrawn_takes_no_answer(asked: FormWorld) -> None:
    form = asked.form()
    put_off(asked)
    asked.deliver("claire", "Sent", reply(form, "Reportée."))
    asked.sync()
    assert asked.reports() == [("WITHDRAWN", None, "")]


def test_a_form_that_is_withdrawn_before_its_message_is_put_gets_none(world: FormWorld) -> None:
    world.begin()
    world.hold()
    put_off(world)
    world.sync()
    assert world.messages() == []
    assert not world.sync()["claire"].wrote


@pytest.mark.parametrize("how", ["to-crm", "off"])
def test_nothing_is_put_where_the_config_says_so(world: FormWorld, how: str) -> None:
    if how == "to-crm":
        world.mailbox_keys["claire"] = 'sync = ["mail"]\ndirection = "to-crm"'
    else:
        world.mail_section += "\n[video]\nform_mail = false"
    world.begin()
    world.hold()
    world.sync()
    assert world.reports("state") == [("OFFERED",)]
    assert world.messages() == []


def test_a_dry_run_tells_of_the_message_and_puts_none(world: FormWorld) -> None:
    world.begin()
    world.hold()
    installation = world.open()
    try:
        report = installation.supervisor.run("claire", lambda: world.now, dry_run=True)
    finally:
        installation.close()
    assert report.forms == 1
    assert world.messages() == []


def test_the_audit_misses_nothing(asked: FormWorld) -> None:
    asked.deliver("claire", "Sent", reply(asked.form(), "Vu."))
    asked.sync()
    installation = asked.open()
    try:
        report = audit(installation.database, installation.connect("claire"), "claire", wanted=None)
    finally:
        installation.close()
    assert report.green


def test_an_answer_of_any_length_is_taken_and_stops_no_mail(asked: FormWorld) -> None:
    asked.deliver("claire", "Sent", reply(asked.form(), "Très long. " * 12_000))
    report = asked.sync()["claire"]
    assert (report.error, report.folder_errors) == (None, {})
    ((state, comments),) = asked.reports("state, comments")
    assert state == "ANSWERED"
    assert len(str(comments)) > 100_000


def test_an_answer_that_cannot_be_taken_stops_no_mail(
    asked: FormWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> bool:
        raise ValueError("a defect")

    monkeypatch.setattr(telling, "answer_by_mail", broken)
    asked.deliver("claire", "Sent", reply(asked.form(), "Fait."))
    report = asked.sync()["claire"]
    assert (report.error, report.folder_errors) == (None, {})
    assert asked.reports("state") == [("OFFERED",)]
    assert len(asked.rows("SELECT verdict FROM verdict")) == 2


def test_a_form_that_is_passed_on_is_no_answer(asked: FormWorld, log: io.StringIO) -> None:
    answer = reply(asked.form(), "Tu peux me rappeler ce qu'elle a dit ?")
    lines = [b"To: marc@acme.example" if one.startswith(b"To:") else one for one in answer.split(b"\r\n")]
    asked.deliver("claire", "Sent", b"\r\n".join(lines))
    asked.sync()
    assert asked.reports() == [("OFFERED", None, "")]
    assert "passed on" in log.getvalue()
