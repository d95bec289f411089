"""Folders that move, go, come back, are refused, are numbered anew, and are large."""

import pytest

from tests.mailboxes import (
    CLAIRE,
    PAUL,
    STRANGER,
    before_sending,
    folder_errors,
    is_green,
    subjects,
    verdicts,
    with_paul,
)
from tests.servers.dovecot import DovecotServer
from tests.servers.world import PDF, World, mail
from tests.servers.worlds import on_both


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


@on_both
def test_a_message_that_is_moved_is_not_logged_again(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "Clients"]'
    letter = mail(1, PAUL, CLAIRE, "Devis", attachments={"devis.pdf": PDF})
    (name,) = company.server.deliver(company.users["claire"], "INBOX", [letter])
    company.deliver("claire", "Clients", mail(2, PAUL, CLAIRE, "Ancien"))
    company.sync()
    before = company.rows("SELECT id, updated_at FROM email_message ORDER BY id")
    company.server.expunge(company.users["claire"], "INBOX", name)
    company.deliver("claire", "Clients", letter)
    report = company.sync()["claire"]
    assert (report.pulled, report.stored, report.activities) == (1, 0, 0)
    assert company.rows("SELECT id, updated_at FROM email_message ORDER BY id") == before
    assert verdicts(company) == [("Clients", 1, 1), ("Clients", 2, 1), ("INBOX", 1, 1)]
    assert len(company.files()) == 1
    assert is_green(company)


def test_a_role_goes_with_a_renamed_folder_and_nothing_is_logged_twice(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "\\\\Archive"]'
    company.deliver("claire", "Archive", mail(1, PAUL, CLAIRE, "Rangé"))
    company.sync()
    company.server.rename_folder(company.users["claire"], "Archive", "Archives")
    company.deliver("claire", "Archives", mail(2, PAUL, CLAIRE, "Rangé ensuite"))
    report = company.sync()["claire"]
    assert not report.failed
    assert subjects(company) == ["Rangé", "Rangé ensuite"]
    assert folder_errors(company) == {"INBOX": None, "Archives": None}
    assert company.one("SELECT count(*) FROM activity") == 2


def test_a_folder_that_nothing_replaces_is_an_error_until_it_is_back(company: World) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "\\\\Archive"]'
    company.deliver("claire", "Archive", mail(1, PAUL, CLAIRE, "Rangé"))
    company.sync()
    company.server.rename_folder(company.users["claire"], "Archive", "Vieilleries")
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Pendant"))
    report = company.sync()["claire"]
    assert list(report.folder_errors) == ["Archive"]
    assert "is not on the server any more" in str(folder_errors(company)["Archive"])
    assert subjects(company) == ["Pendant", "Rangé"]  # the other folder goes on, and nothing is deleted
    assert not company.sync()["claire"].wrote  # said once
    assert not is_green(company)
    company.server.rename_folder(company.users["claire"], "Vieilleries", "Archive")
    company.deliver("claire", "Archive", mail(3, PAUL, CLAIRE, "Retrouvé"))
    assert not company.sync()["claire"].failed
    assert folder_errors(company) == {"INBOX": None, "Archive": None}
    assert subjects(company) == ["Pendant", "Rangé", "Retrouvé"]
    assert is_green(company)


def test_a_refused_folder_is_an_error_and_never_an_emptiness(company: World, dovecot: DovecotServer) -> None:
    company.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "Clients"]'
    company.deliver("claire", "Clients", mail(1, PAUL, CLAIRE, "Avant"))
    company.sync()
    dovecot.deny_folder(company.users["claire"], "Clients")
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Ailleurs"))
    try:
        report = company.sync()["claire"]
        assert list(report.folder_errors) == ["Clients"]
        assert report.error is None
        assert verdicts(company) == [("Clients", 1, 1), ("INBOX", 1, 1)]
        again = company.sync()["claire"]
        assert (list(again.folder_errors), again.wrote) == (["Clients"], False)
        assert not is_green(company)
    finally:
        dovecot.allow_folder(company.users["claire"], "Clients")
    company.deliver("claire", "Clients", mail(3, PAUL, CLAIRE, "Après"))
    assert not company.sync()["claire"].failed
    assert folder_errors(company) == {"INBOX": None, "Clients": None}
    assert subjects(company) == ["Ailleurs", "Après", "Avant"]


@on_both
def test_a_folder_that_is_never_read_is_told_to_whoever_names_it(company: World) -> None:
    company.deliver("claire", "Trash", mail(1, PAUL, CLAIRE, "Jeté"))
    company.mailbox_keys["claire"] = 'mail_folders = ["Trash"]'
    report = company.sync()["claire"]
    assert "never read" in report.folder_errors["Trash"]
    assert subjects(company) == []


def test_a_folder_numbered_anew_between_two_commands_is_read_in_the_next_cycle(
    company: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = company.users["claire"]
    company.deliver("claire", "INBOX", *(mail(i, PAUL, CLAIRE, f"S{i}") for i in range(3)))
    company.sync()
    company.deliver("claire", "INBOX", mail(3, PAUL, CLAIRE, "S3"), mail(4, STRANGER, CLAIRE))
    with before_sending(
        monkeypatch, b"EXAMINE", lambda: company.server.change_uidvalidity(account, "INBOX", new_uids=False)
    ):
        report = company.sync()["claire"]
    assert report.error is not None or "INBOX" in report.folder_errors
    assert company.one("SELECT count(*) FROM verdict") == 3
    company.sync()
    assert subjects(company) == ["S0", "S1", "S2", "S3"]
    assert company.one("SELECT count(*) FROM verdict") == 5
    assert company.one("SELECT count(*) FROM activity") == 4
    assert is_green(company)


@on_both
def test_six_hundred_messages_are_read_in_batches(company: World) -> None:
    company.deliver(
        "claire",
        "INBOX",
        *(mail(i, PAUL if i % 10 == 0 else f"s{i}@stranger.example", CLAIRE, f"S{i:03}") for i in range(600)),
    )
    report = company.sync()["claire"]
    assert (report.pulled, report.stored) == (600, 60)
    assert company.rows("SELECT cursor FROM collection WHERE role = 'inbox'") == [(600,)]
    assert company.rows("SELECT verdict, count(*) FROM verdict GROUP BY verdict ORDER BY verdict") == [
        (1, 60),
        (2, 540),
    ]
    assert subjects(company) == [f"S{i:03}" for i in range(0, 600, 10)]
    assert is_green(company)
    # Late matching over more than one batch.
    account = company.add_account("Étrangers")
    company.add_contact(account, "s1@stranger.example", email2="s599@stranger.example")
    assert company.sync()["claire"].stored == 2
    assert company.one("SELECT count(*) FROM rematch") == 0
