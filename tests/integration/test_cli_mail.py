"""The command line on mail: sync, status, explain, audit, forget, against a real server."""

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from store import ledger, mailboxes
from store.ledger import VerdictRow
from store.sync_state import VerdictKind
from tests.servers.console import Outcome, console
from tests.servers.world import NOW, PDF, World, mail

CLAIRE = "claire@acme.example"
ANNE = "anne@dupont.example"


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire and Marc; Anne of Garage Dupont is a contact, wrote once, and so did a bank and a stranger."""
    world = lite_world
    world.mail_section = 'since = "2026-01-01"\nexclude = [{ domain = "bank.example" }]'
    world.add_user("claire")
    world.add_user("marc")
    account = world.add_account("Garage Dupont", ext_id="A1")
    world.add_contact(account, ANNE)
    world.deliver(
        "claire",
        "INBOX",
        mail(1, f"Anne <{ANNE}>", CLAIRE, "Devis \x1b[31mrouge", attachments={"devis.pdf": PDF}),
        mail(2, "stranger@else.example", CLAIRE, "Promo"),
        mail(3, "info@bank.example", CLAIRE, "Relevé"),
    )
    world.deliver(
        "marc",
        "INBOX",
        mail(1, f"Anne <{ANNE}>", CLAIRE, "Devis \x1b[31mrouge", attachments={"devis.pdf": PDF}),
    )
    world.write_config()
    return world


def run(world: World, *arguments: str) -> Outcome:
    outcome = console(world.config, *arguments)
    assert "Traceback" not in outcome.err
    return outcome


def files(world: World) -> set[str]:
    """The contents kept; a journal may wait for the next recovery."""
    return {name for name in world.files() if not name.endswith(".journal")}


def put_in_quarantine(world: World, uid: int) -> None:
    """As a cycle does with a message of Claire's Inbox that it cannot read."""
    database = world.database()
    with database.write() as session:
        inbox = next(row for row in mailboxes.view(session, "claire").folders if row.ref == "INBOX")
        ledger.write(session, inbox.id, [VerdictRow(uid, VerdictKind.QUARANTINED, "see quarantine")])
        ledger.quarantine(session, inbox.id, uid, "it is garbage", NOW)
    database.close()


def test_a_dry_run_lists_what_would_be_logged_and_writes_nothing(company: World) -> None:
    outcome = run(company, "sync", "--dry-run")

    assert "Garage Dupont" in outcome.out
    assert "Devis" in outcome.out
    assert "\x1b" not in outcome.out, "what a mail says is never obeyed by a terminal"
    assert company.rows("SELECT count(*) FROM email_message") == [(0,)]
    assert company.rows("SELECT count(*) FROM verdict") == [(0,)]


def test_sync_tells_a_line_a_mailbox(company: World) -> None:
    outcome = run(company, "sync")

    lines = [line.split() for line in outcome.out.splitlines()]
    assert [line[:3] for line in lines[1:]] == [["claire", "3", "1"], ["marc", "1", "1"]]
    assert sum(int(line[3]) for line in lines[1:]) == 1, "the same message is one e-mail"
    assert outcome.code == 0

    again = run(company, "sync", "--json")
    assert again.code == 0
    assert [(one["mailbox"], one["seen"]) for one in again.json] == [("claire", 0), ("marc", 0)]


def test_status_tells_what_needs_a_person(company: World) -> None:
    before = run(company, "status")
    assert before.code == 0
    assert "never" in before.out
    run(company, "sync")
    assert run(company, "status").code == 0
    put_in_quarantine(company, 3)

    outcome = run(company, "status")

    assert outcome.code == 1
    assert "claire: 1 message could not be read: `syncd list quarantine --mailbox claire`" in outcome.out
    report = run(company, "status", "claire", "--json").json["mailboxes"][0]
    assert report["verdicts"] == {"logged": 1, "no_contact": 1, "quarantined": 1}
    assert report["lag_seconds"] < 60
    assert len(report["needs_person"]) == 1


def test_a_refused_password_needs_a_person_until_resume(company: World) -> None:
    company.users["marc"] = company.server.change_password(company.users["marc"])

    outcome = run(company, "sync", "marc")

    assert outcome.code == 1
    assert "marc" in outcome.err
    status = run(company, "status", "marc")
    assert status.code == 1
    assert "syncd resume marc" in status.out
    audit = run(company, "audit", "marc")
    assert audit.code == 1
    company.write_config()
    assert run(company, "resume", "marc").out == "marc: running (was needs_attention)\n"
    assert run(company, "sync", "marc").code == 0
    assert run(company, "status", "marc").code == 0


def test_pause_stop_and_resume(company: World) -> None:
    assert run(company, "pause", "claire", "marc").out == (
        "claire: paused (was running)\nmarc: paused (was running)\n"
    )
    assert run(company, "pause", "claire").out == "claire: paused already\n"

    rest = run(company, "sync")

    assert rest.code == 0
    assert "claire: paused" in rest.err
    assert company.rows("SELECT count(*) FROM verdict") == [(0,)]
    assert run(company, "sync", "claire").code == 1, "what was asked for was not done"
    assert run(company, "stop", "claire").code == 0
    assert run(company, "resume", "claire").out == "claire: running (was stopped)\n"
    run(company, "sync", "claire")
    assert company.rows("SELECT count(*) FROM email_message") == [(1,)]


def test_explain_tells_why_a_message_is_in_quarantine_and_a_retry_takes_it_out(company: World) -> None:
    run(company, "sync")
    put_in_quarantine(company, 3)

    outcome = run(company, "explain", "claire:INBOX:3")

    assert "in quarantine: it could not be read: it is garbage (tried once" in outcome.out
    assert run(company, "list", "quarantine", "--json").json["rows"][0]["tries"] == 1
    assert run(company, "sync", "--quarantined").code == 0
    assert "not logged: excluded" in run(company, "explain", "claire:INBOX:3").out
    assert run(company, "list", "quarantine").out == "None.\n"


@pytest.mark.parametrize(
    ("item", "told"),
    [
        (
            "<1@mail.example>",
            ["claire, folder INBOX, UID 1: logged", "marc, folder INBOX", f"by {ANNE}", "kept"],
        ),
        (
            "2@mail.example",
            ["UID 2: not logged: no address in it belongs to a contact", "only hashes are kept"],
        ),
        ("3@mail.example", ["not logged: excluded (mail.exclude rule 1)", 'domain = "bank.example"']),
        ("activity:1", ["e-mail 1: Devis", "account 1 Garage Dupont", "in run "]),
    ],
)
def test_explain_names_the_rule_and_the_evidence(company: World, item: str, told: list[str]) -> None:
    run(company, "sync")

    outcome = run(company, "explain", item)

    assert outcome.code == 0
    for words in told:
        assert words in outcome.out
    assert run(company, "explain", item, "--json").json["known"] is True


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("never@seen.example", "was never seen"),
        ("email:99", "There is no e-mail 99"),
        ("activity:99", "There is no activity 99"),
        ("INBOX:99", "no message with UID 99"),
    ],
)
def test_explain_says_so_where_nothing_is_known(company: World, item: str, told: str) -> None:
    run(company, "sync")

    outcome = run(company, "explain", item)

    assert outcome.code == 1
    assert told in outcome.out


def test_the_audit_is_green_once_every_message_has_its_verdict(company: World) -> None:
    never = run(company, "audit")
    assert never.code == 1
    assert "never read yet" in never.err
    run(company, "sync")
    company.deliver("claire", "INBOX", mail(9, "late@else.example", CLAIRE))

    outcome = run(company, "audit", "--json")

    assert outcome.code == 0
    inbox = next(
        f for one in outcome.json for f in one["folders"] if (one["mailbox"], f["ref"]) == ("claire", "INBOX")
    )
    assert (inbox["on_server"], inbox["verdicts"], inbox["fresh"], inbox["quarantined"]) == (4, 3, 1, 0)


def test_the_audit_finds_a_message_that_was_passed_by_and_mends_it(company: World) -> None:
    run(company, "sync")
    database = company.database()
    with database.write() as session:
        session.execute(text("DELETE FROM verdict WHERE uid = 2"))
    database.close()

    red = run(company, "audit", "claire")

    assert red.code == 1
    assert "no verdict for UID 2" in red.err
    assert "put down for the next cycle" in run(company, "audit", "claire", "--mend").err
    run(company, "sync")
    assert run(company, "audit", "claire").code == 0


def test_the_audit_fails_for_a_server_that_cannot_be_reached(company: World) -> None:
    run(company, "sync")
    company.port = 1
    company.write_config()

    outcome = run(company, "audit", "claire")

    assert outcome.code == 1
    assert "claire: " in outcome.err


def test_an_address_that_is_taken_away_offers_to_forget_its_mail(company: World) -> None:
    run(company, "sync")

    edited = run(company, "contact", "edit", "1", "--email", "new@dupont.example")

    assert f"1 e-mail logged because of {ANNE}" in edited.err
    preview = run(company, "forget", "--address", ANNE)
    assert "1 e-mail would go" in preview.out
    assert company.rows("SELECT count(*) FROM email_message") == [(1,)]
    assert len(files(company)) == 1
    done = run(company, "forget", "--address", ANNE.upper(), "--yes")
    assert done.out == "1 e-mail, 1 activity and 1 attachment removed\n"
    assert company.rows("SELECT count(*) FROM email_message") == [(0,)]
    assert files(company) == set()
    assert run(company, "audit").code == 0


def test_new_exclusions_offer_to_forget_what_they_cover(company: World) -> None:
    run(company, "sync")
    company.mail_section += "\nprivate_keywords = []\n"
    company.mail_section = company.mail_section.replace("bank.example", "dupont.example")
    company.write_config()

    outcome = run(company, "sync")

    assert "1 logged e-mail would not be logged under the present rules" in outcome.err
    assert "mail.exclude rule 1" in run(company, "forget", "--excluded").out


def test_a_contact_who_is_there_is_not_forgotten_and_the_reason_told(company: World) -> None:
    run(company, "sync")

    assert "is an address of contact 1" in run(company, "forget", "--address", ANNE).out
    assert "`syncd contact delete 1` first" in run(company, "forget", "--contact", "1").out
    assert run(company, "contact", "delete", "1").code == 0
    assert json.loads(run(company, "forget", "--contact", "1", "--json").out)["mails"][0]["id"] == 1


def test_older_mail_of_a_new_contact_is_logged_by_the_next_sync(company: World) -> None:
    run(company, "sync")

    added = run(
        company, "contact", "add", "--account", "A1", "--last-name", "X", "--email", "stranger@else.example"
    )

    assert added.code == 0
    run(company, "sync")
    assert company.rows("SELECT subject FROM email_message WHERE subject = 'Promo'") == [("Promo",)]


def test_lists_and_details_of_mail(company: World) -> None:
    started = datetime.now(UTC)
    run(company, "sync")

    emails = run(company, "list", "emails", "--account", "A1", "--json").json
    assert (emails["total"], emails["rows"][0]["users"]) == (1, ["claire", "marc"])
    assert emails["rows"][0]["date"].endswith("Z")
    assert run(company, "list", "emails", "--text", "DEVIS").out.count("Garage") == 1
    assert run(company, "list", "emails", "--since", "2027-01-01").out == "None.\n"
    assert run(company, "list", "emails", "--mailbox", "marc", "--json").json["total"] == 1
    detail = run(company, "show", "email", "1", "--json").json
    assert detail["attachments"][0]["name"] == "devis.pdf"
    assert [place["mailbox"] for place in detail["places"]] == ["claire", "marc"]
    assert "voici le devis" in run(company, "show", "email", "1").out
    runs = run(company, "list", "runs", "--json").json["rows"]
    assert {one["mailbox"] for one in runs} == {"claire", "marc"}
    assert all(datetime.fromisoformat(one["started_at"]) >= started.replace(microsecond=0) for one in runs)
    assert run(company, "list", "activities", "--contact", "1", "--json").json["rows"][0]["email_id"] == 1


def test_doctor_lists_folders_and_says_what_to_mend(company: World) -> None:
    healthy = run(company, "doctor")
    assert healthy.code == 0
    assert "reads INBOX, Sent" in healthy.out
    assert "tells of changes: yes, of the Inbox" in healthy.out

    (company.folder / "hash.key").chmod(0o644)
    company.mailbox_keys["marc"] = 'mail_folders = ["Klienten"]'
    company.write_config()

    outcome = run(company, "doctor")

    assert outcome.code == 1
    assert "chmod 600" in outcome.out
    (company.folder / "hash.key").chmod(0o600)
    outcome = run(company, "doctor", "marc")
    assert outcome.code == 1
    assert "Klienten" in outcome.out
