"""`mail.retention`: older mail is erased at night and not logged again; younger mail stays."""

from datetime import timedelta

import pytest

from store.actors import Actor
from store.errors import Forbidden, Invalid
from store.users import UserRole
from tests.servers.console import console
from tests.servers.world import NOW, PDF, World, mail

CLAIRE = "claire@acme.example"
ANNE = "anne@dupont.example"
KEPT = 'since = "2026-01-01"\nretention = "100d"'


@pytest.fixture
def company(world: World) -> World:
    """Mail of 200, 101, 99 and 2 days ago, one content attached to an old one and a young one."""
    world.add_user("claire")
    world.add_contact(world.add_account("Garage Dupont"), ANNE)
    for number, days in enumerate((200, 101, 99, 2), start=1):
        files = {"same.pdf": PDF} if days in {200, 2} else {"own.pdf": PDF + bytes([number])}
        at = NOW - timedelta(days=days)
        message = mail(number, ANNE, CLAIRE, f"{days} jours", at=at, attachments=files)
        world.deliver("claire", "INBOX", message, internaldate=at)
    world.sync()
    assert len(subjects(world)) == 4
    return world


def subjects(world: World) -> list[object]:
    return [one for (one,) in world.rows("SELECT subject FROM email_message ORDER BY date")]


def night(world: World) -> int:
    installation = world.open()
    try:
        ended = installation.retention.run(world.now)
        return -1 if ended is None else ended.mails
    finally:
        installation.close()


def test_by_default_nothing_is_erased(company: World) -> None:
    company.now += timedelta(days=4000)
    assert night(company) == -1
    assert len(subjects(company)) == 4


def test_older_mail_goes_with_its_attachments_and_activities_and_does_not_come_back(company: World) -> None:
    company.mail_section = KEPT
    assert night(company) == 2
    assert subjects(company) == ["99 jours", "2 jours"]
    assert company.rows("SELECT count(*) FROM activity") == [(2,)]
    kept = {sha for (sha,) in company.rows("SELECT sha256 FROM email_attachment")}
    assert company.files() == kept, "the content that younger mail has stays, every other one is gone"
    assert company.rows("SELECT verdict, reason, count(*) FROM verdict WHERE email_id IS NULL "
                        "GROUP BY verdict, reason") == [(6, "mail.retention", 2)]  # fmt: skip
    company.sync()
    company.add_contact(company.add_account("Banque"), ANNE)
    company.sync()
    assert subjects(company) == ["99 jours", "2 jours"]
    company.now += timedelta(days=2)
    assert night(company) == 1
    assert subjects(company) == ["2 jours"]
    assert (
        company.rows("SELECT actor, channel FROM audit_log WHERE actor = 'retention'")
        == [("retention", "JOB")] * 2
    )


def test_the_look_comes_once_a_night(company: World) -> None:
    company.mail_section = KEPT
    installation = company.open()
    run = installation.retention.run
    try:
        assert run(NOW) is not None
        assert run(NOW + timedelta(hours=1)) is None
        assert run(NOW.replace(hour=23, minute=5) + timedelta(minutes=1)) is None  # 00:06 in Paris
        ended = run(NOW.replace(hour=23, minute=15))
        assert ended is not None
        assert ended.mails == 0
    finally:
        installation.close()


def test_the_command_line_shows_what_would_go_and_does_it_when_told(company: World) -> None:
    unset = console(company.write_config(), "forget", "old")
    assert (unset.code, "mail.retention is not set" in unset.err) == (1, True)
    company.mail_section = 'retention = "23h"'
    assert "must be a day at least" in console(company.write_config(), "forget", "old").err
    company.mail_section = 'since = "2026-01-01"\nretention = "3000d"'
    assert "0 e-mails would go." in console(company.write_config(), "forget", "old").out
    company.mail_section = 'since = "2026-01-01"\nretention = "1d"'
    config = company.write_config()
    assert "4 e-mails would go, from " in console(config, "forget", "old").out
    assert len(subjects(company)) == 4
    assert "4 e-mails and 3 files of attachments erased" in console(config, "forget", "old", "--yes").out
    assert subjects(company) == []
    assert company.files() == set()


def test_only_an_admin_erases_old_mail_at_once(company: World) -> None:
    company.mail_section = KEPT
    installation = company.open()
    with pytest.raises(Forbidden, match="needs the role admin"):
        installation.retention.ordered(Actor("marc", 7, UserRole.ADVANCED), NOW)
    installation.close()
    company.mail_section = ""
    installation = company.open()
    with pytest.raises(Invalid, match="is not set in the config"):
        installation.retention.preview(NOW)
    installation.close()
