"""One mailbox with mail and calendars at two servers: what one of them does is not the other's affair."""

from pathlib import Path

import pytest

from syncd.daemon.wiring import Installation
from syncd.engine.report import CycleReport
from tests.servers.calendar_world import CalendarWorld, event
from tests.servers.dovecot import DovecotServer
from tests.servers.plain_dav import PlainDav
from tests.servers.ports import free_port
from tests.servers.radicale import RadicaleServer


@pytest.fixture
def office(radicale: RadicaleServer, sqlite_url: str, tmp_path: Path) -> CalendarWorld:
    world = CalendarWorld(radicale, tmp_path / "syncd", sqlite_url)
    world.add_user("claire")
    world.put("claire", "a", event("a@client.example", "Point client"))
    return world


def cycle(office: CalendarWorld, mail_port: int) -> CycleReport:
    """One cycle of claire's mailbox, whose mail is at that port of this machine."""
    text = office.write_config().read_text()
    text = text.replace('sync = ["calendar"]', 'sync = ["mail", "calendar"]')
    mail = f'[servers.corp.imap]\nhost = "127.0.0.1"\nport = {mail_port}\nsecurity = "none"\n'
    office.config.write_text(text.replace("[[users]]", f"{mail}[[users]]", 1))
    installation = Installation.open(office.config)
    try:
        return installation.supervisor.run("claire", lambda: office.now)
    finally:
        installation.close()


def logins(client: PlainDav) -> int:
    """A question that any client may ask: the calendar server still takes the password."""
    return client.request("OPTIONS", "/").status


def test_calendars_go_on_where_the_mail_server_is_out_of_reach(office: CalendarWorld) -> None:
    report = cycle(office, free_port())

    assert report.error is not None
    assert office.rows("SELECT subject FROM event") == [("Point client",)]


def test_a_password_that_mail_refuses_is_not_tried_on_the_calendars(
    office: CalendarWorld, dovecot: DovecotServer
) -> None:
    dovecot.add_user(office.users["claire"].username)  # the same name, with another password

    report = cycle(office, dovecot.port)

    assert report.error is not None
    assert "refused" in report.error
    assert office.rows("SELECT state FROM mailbox") == [("NEEDS_ATTENTION",)]
    assert office.rows("SELECT count(*) FROM event") == [(0,)]
    assert logins(office.client("claire")) == 200
