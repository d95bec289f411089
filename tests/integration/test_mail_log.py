"""Mail from a real Dovecot into a real database: what is logged, once, and why."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from syncd.engine import mail as engine_mail
from syncd.engine.batch import Batch
from tests.servers.world import PDF, World, mail, picture
from tests.servers.worlds import on_both

pytestmark = on_both


def company(world: World) -> None:
    """Claire with a customer who wrote to her twice, and a stranger."""
    world.add_user("claire")
    account = world.add_account("Client SA")
    world.add_contact(account, "paul@client.example")
    world.deliver(
        "claire",
        "INBOX",
        mail(1, "Paul <paul@client.example>", "claire@acme.example", "Devis", attachments={"devis.pdf": PDF}),
        mail(2, "spam@stranger.example", "claire@acme.example", "Gagnez"),
        mail(3, "PAUL@Client.example", "claire@acme.example", "Re: Devis", reply_to=["1"]),
    )


def test_a_mail_from_a_contact_is_logged_with_subject_content_and_attachment(world: World) -> None:
    company(world)
    world.sync()
    assert world.rows(
        "SELECT e.subject, e.body_text, a.name, a.size FROM email_message e "
        "LEFT JOIN email_attachment a ON a.email_id = e.id ORDER BY e.subject"
    ) == [
        ("Devis", "Bonjour,\nvoici le devis.\n", "devis.pdf", len(PDF)),
        ("Re: Devis", "Bonjour,\nvoici le devis.\n", None, None),
    ]
    assert world.one("SELECT count(*) FROM activity WHERE type = 'EMAIL' AND automatic") == 2
    (path,) = world.rows("SELECT path FROM email_attachment")
    assert (world.folder / "attachments" / str(path[0])).read_bytes() == PDF


def test_of_a_strangers_mail_nothing_is_kept_but_a_verdict_and_hashes(world: World) -> None:
    company(world)
    world.sync()
    assert world.rows("SELECT verdict, count(*) FROM verdict GROUP BY verdict ORDER BY verdict") == [
        (1, 2),
        (2, 1),
    ]
    assert "stranger.example" not in repr(picture(world))
    for path in world.folder.parent.rglob("*"):
        if path.is_file():
            assert b"spam@stranger" not in path.read_bytes(), path
            assert b"Gagnez" not in path.read_bytes(), path


def test_a_second_cycle_logs_nothing_again_and_writes_nothing(world: World) -> None:
    company(world)
    world.sync()
    before = world.rows("SELECT id, updated_at FROM email_message ORDER BY id")
    report = world.sync()["claire"]
    assert not report.wrote
    assert world.rows("SELECT id, updated_at FROM email_message ORDER BY id") == before


def test_one_record_for_a_mail_that_two_users_hold(world: World) -> None:
    company(world)
    world.add_user("denis")
    copy = mail(7, "paul@client.example", ["claire@acme.example", "denis@acme.example"], "À tous deux")
    world.deliver("claire", "INBOX", copy)
    world.deliver("denis", "INBOX", b"Received: by another.example\r\n" + copy)
    world.sync()
    assert world.one("SELECT count(*) FROM email_message WHERE subject = 'À tous deux'") == 1
    assert world.rows(
        'SELECT u.login FROM email_user x JOIN "user" u ON u.id = x.user_id '
        "JOIN email_message e ON e.id = x.email_id WHERE e.subject = 'À tous deux' ORDER BY u.login"
    ) == [("claire",), ("denis",)]
    assert world.one("SELECT count(*) FROM activity WHERE subject = 'À tous deux'") == 1


def test_a_contact_made_later_finds_the_older_mail(world: World) -> None:
    company(world)
    world.sync()
    account = world.add_account("Étranger SARL")
    world.add_contact(account, "spam@stranger.example")
    world.sync()
    assert world.rows(
        "SELECT t.subject FROM activity t JOIN account a ON a.id = t.account_id "
        "WHERE a.name = 'Étranger SARL'"
    ) == [("Gagnez",)]
    assert world.one("SELECT count(*) FROM rematch") == 0


def test_a_new_uidvalidity_logs_nothing_twice(world: World) -> None:
    company(world)
    world.sync()
    world.server.change_uidvalidity(world.users["claire"], "INBOX")
    report = world.sync()["claire"]
    assert report.pulled == 3
    assert world.one("SELECT count(*) FROM email_message") == 2
    assert world.one("SELECT count(*) FROM activity") == 2
    assert world.one("SELECT count(*) FROM verdict") == 3


def test_two_mailboxes_read_at_the_same_time_store_each_mail_once(world: World) -> None:
    company(world)
    world.add_user("denis")
    both = [
        mail(
            100 + i,
            "paul@client.example",
            ["claire@acme.example", "denis@acme.example"],
            f"Nr {i}",
            attachments={"a.pdf": PDF},
        )
        for i in range(40)
    ]
    world.deliver("claire", "INBOX", *both)
    world.deliver("denis", "INBOX", *reversed(both))
    installation = world.open()
    try:
        with ThreadPoolExecutor(2) as pool:
            reports = list(
                pool.map(lambda login: installation.supervisor.run(login, lambda: world.now), world.users)
            )
    finally:
        installation.close()
    assert [report.error for report in reports] == [None, None]
    assert [report.folder_errors for report in reports] == [{}, {}]
    assert world.one("SELECT count(*) FROM email_message WHERE subject LIKE 'Nr %'") == 40
    assert world.one("SELECT count(*) FROM activity WHERE subject LIKE 'Nr %'") == 40
    assert world.one("SELECT count(*) FROM email_user") == 82
    world.sync()  # a batch that had to be repeated leaves its journal to the next cycle
    assert len(world.files()) == 1


def test_a_contact_made_between_two_groups_of_a_batch_misses_no_mail_of_the_second(
    lite_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    company(lite_world)
    account = lite_world.add_account("Nouveau SA")
    newcomer = "nora@nouveau.example"
    lite_world.deliver("claire", "INBOX", mail(4, newcomer, "claire@acme.example", "De Nora"))
    monkeypatch.setattr(engine_mail, "GROUP", 1)
    installation = lite_world.open()
    commit = Batch.commit
    calls = []

    def committed(batch: Batch, *, cursor: int | None) -> None:
        calls.append(cursor)
        if len(calls) == 1:  # another process adds her, and searches the ledger, before anything is committed
            lite_world.add_contact(account, newcomer)
            installation.mail.known.catch_up(installation.mail.rules.policy_hash, domains=False)
        commit(batch, cursor=cursor)

    monkeypatch.setattr(Batch, "commit", committed)
    try:
        installation.supervisor.run("claire", lambda: lite_world.now)
        installation.supervisor.run("claire", lambda: lite_world.now)
    finally:
        installation.close()
    assert lite_world.one("SELECT count(*) FROM email_message WHERE subject = 'De Nora'") == 1
