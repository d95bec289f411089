"""Rules that change, and what becomes of attachments and of what cannot be read."""

from datetime import timedelta
from email.message import EmailMessage

import pytest

from tests.mailboxes import CLAIRE, PAUL, STRANGER, is_green, subjects, verdicts, with_paul
from tests.servers.dovecot import DovecotServer
from tests.servers.world import NOW, PDF, World, mail
from tests.servers.worlds import on_both

PNG = b"\x89PNG\r\n" + bytes(5_000)


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


@on_both
def test_taking_an_exclusion_out_brings_in_what_it_kept_out(company: World) -> None:
    company.mail_section = (
        'since = "2026-01-01"\nexclude = [{ subject = "[perso]*" }, { address = "paul@*" }]'
    )
    company.deliver(
        "claire",
        "INBOX",
        mail(1, PAUL, CLAIRE, "Devis"),
        mail(2, PAUL, CLAIRE, "[perso] Déjeuner"),
        mail(3, STRANGER, CLAIRE, "[perso] Autre"),
    )
    company.sync()
    assert subjects(company) == []
    assert company.rows("SELECT uid, reason FROM verdict ORDER BY uid") == [
        (1, "mail.exclude rule 2"),
        (2, "mail.exclude rule 1"),
        (3, "mail.exclude rule 1"),
    ]
    company.mail_section = 'since = "2026-01-01"\nexclude = [{ subject = "[perso]*" }]'
    company.sync()
    assert subjects(company) == ["Devis"]
    company.mail_section = 'since = "2026-01-01"'
    company.sync()
    assert subjects(company) == ["Devis", "[perso] Déjeuner"]
    assert [kind for _, _, kind in verdicts(company)] == [1, 1, 2]
    assert not company.sync()["claire"].wrote


@on_both
def test_reaching_further_back_brings_in_older_mail(company: World) -> None:
    company.mail_section = 'since = "2026-11-01"'
    company.deliver(
        "claire",
        "INBOX",
        *(mail(i, PAUL, CLAIRE, f"il y a {i} jours", at=NOW - timedelta(days=i)) for i in (5, 50, 500)),
    )
    company.sync()
    assert subjects(company) == ["il y a 5 jours"]
    company.mail_section = 'since = "90d"'
    company.sync()
    assert subjects(company) == ["il y a 5 jours", "il y a 50 jours"]
    company.mail_section = 'since = "2020-01-01"'
    company.sync()
    assert len(subjects(company)) == 3
    company.mail_section = 'since = "2026-11-01"'  # nothing that is logged goes because it grew old
    company.sync()
    assert len(subjects(company)) == 3


def test_an_address_that_turns_out_to_be_a_users_changes_what_is_sent_and_what_is_internal(
    company: World,
) -> None:
    alias = "c.dupont@former.example"
    company.deliver("claire", "Sent", mail(1, alias, PAUL, "De mon autre adresse"))
    company.deliver("claire", "INBOX", mail(2, alias, CLAIRE, "À moi-même"))
    company.sync()
    assert [kind for _, _, kind in verdicts(company)] == [2, 2]
    company.mailbox_keys["claire"] = (
        f'[[users]]\nlogin = "former"\nname = "F"\nemail = "f@acme.example"\naliases = ["{alias}"]'
    )
    company.sync()
    assert company.rows("SELECT subject, direction FROM email_message") == [("De mon autre adresse", "SENT")]
    assert [kind for _, _, kind in verdicts(company)] == [3, 1]


@on_both
def test_of_an_attachment_over_the_limit_name_size_and_hash_are_kept(company: World) -> None:
    company.mail_section = 'since = "2026-01-01"\nmax_attachment = "20KiB"'
    small, large = b"s" * 20 * 1024, b"l" * (20 * 1024 + 1)
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, attachments={"s.pdf": small, "l.pdf": large}))
    company.sync()
    kept = company.rows(
        "SELECT name, size, length(sha256), path IS NULL FROM email_attachment ORDER BY position"
    )
    assert kept == [("s.pdf", len(small), 64, 0), ("l.pdf", len(large), 64, 1)]
    assert len(company.files()) == 1


def test_a_signature_image_is_not_kept_and_other_images_are(company: World) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = PAUL, CLAIRE, "<1@mail.example>"
    message["Date"] = "Fri, 20 Nov 2026 10:00:00 +0000"
    message.set_content("Bonjour")
    message.add_alternative("<p>Bonjour<img src='cid:logo'><img src='cid:plan'></p>", subtype="html")
    html = message.get_payload()[1]  # type: ignore[index]
    assert isinstance(html, EmailMessage)
    html.add_related(PNG, maintype="image", subtype="png", cid="<logo>", filename="logo.png")
    html.add_related(PNG * 4, maintype="image", subtype="png", cid="<plan>", filename="plan.png")
    message.add_attachment(PNG, maintype="image", subtype="png", filename="photo.png")
    company.deliver("claire", "INBOX", message.as_bytes().replace(b"\n", b"\r\n"))
    company.sync()
    assert company.rows("SELECT name, size FROM email_attachment ORDER BY name") == [
        ("photo.png", len(PNG)),
        ("plan.png", len(PNG) * 4),
    ]


def test_what_cannot_be_read_waits_in_quarantine_until_it_can(world: World, dovecot: DovecotServer) -> None:
    with_paul(world)
    account = world.users["claire"]
    _, name, _ = world.server.deliver(
        account, "INBOX", [mail(i, PAUL, CLAIRE, f"S{i}", attachments={"a.pdf": PDF}) for i in range(3)]
    )
    path = dovecot.maildir(account) / "cur" / name
    path.chmod(0)
    try:
        report = world.sync()["claire"]
        assert (report.error, report.folder_errors) == (None, {})
        assert subjects(world) == ["S0", "S2"]
        assert [kind for _, _, kind in verdicts(world)] == [1, 7, 1]
        assert world.rows("SELECT remote_ref, tries FROM quarantine") == [("2", 1)]
        assert not world.sync()["claire"].wrote  # not tried again by itself
        world.sync(quarantined=True)
        assert world.rows("SELECT remote_ref, tries FROM quarantine") == [("2", 2)]
    finally:
        path.chmod(0o600)
    world.sync(quarantined=True)
    assert subjects(world) == ["S0", "S1", "S2"]
    assert [kind for _, _, kind in verdicts(world)] == [1, 1, 1]
    assert world.rows("SELECT * FROM quarantine") == []
    assert is_green(world)
