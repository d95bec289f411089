"""What an admin writes of calendars, and what the service makes of it."""

from datetime import timedelta
from pathlib import Path

import pytest

from config.load import load
from config.settings import Direction, Settings
from syncd.core.canonical import Unit
from syncd.core.conflicts import Winner
from syncd.core.guards import Policy
from syncd.core.identity import KeyedHash
from syncd.daemon.calendars import calendar_rules, calendars_of

HASHED = KeyedHash(b"a key that is long enough for it")
BEFORE = """
[workspace]
name = "Acme"
[store]
url = "sqlite:///crm.db"
[servers.corp.caldav]
url = "https://dav.acme.example/"
[[users]]
login = "claire"
name = "Claire"
email = "claire@acme.example"
[[mailboxes]]
name = "claire"
user = "claire"
server = "corp"
username = "claire"
password = { env = "PW" }
"""


def settings(folder: Path, mailbox: str = 'sync = ["calendar"]', more: str = "") -> Settings:
    (folder / "syncd.toml").write_text(BEFORE + mailbox + "\n" + more, encoding="utf-8")
    return load(folder / "syncd.toml", environ={"PW": "x"})


def test_a_mailbox_needs_no_mail_server_for_calendars_alone(tmp_path: Path) -> None:
    found = settings(tmp_path)
    (mailbox,) = found.mailboxes
    server = found.caldav_of(mailbox)
    assert (server.url, server.auth, server.timeout) == (
        "https://dav.acme.example/", "auto", timedelta(seconds=60),
    )  # fmt: skip
    with pytest.raises(KeyError, match="corp"):
        found.imap_of(mailbox)


def test_the_defaults_are_those_of_the_table_of_decisions(tmp_path: Path) -> None:
    rules = calendar_rules(settings(tmp_path), HASHED)
    assert (rules.past, rules.future) == (timedelta(days=30), timedelta(days=365))
    assert all(rules.merge.of(unit) is Winner.REMOTE for unit in Unit)
    assert (rules.limits.count, rules.limits.percent) == (10, 30)


def test_each_unit_may_have_a_rule_of_its_own(tmp_path: Path) -> None:
    units = "".join(f"{unit.value} = 'manual'\n" for unit in Unit if unit is not Unit.NOTES)
    rules = calendar_rules(settings(tmp_path, more=f"[calendar.conflict]\ndefault = 'crm'\n{units}"), HASHED)
    assert {unit: rules.merge.of(unit) for unit in Unit} == {
        unit: Winner.CRM if unit is Unit.NOTES else Winner.MANUAL for unit in Unit
    }


def test_calendars_are_chosen_by_name_or_url_with_a_direction_of_their_own(tmp_path: Path) -> None:
    lines = """sync = ["calendar"]
direction = "to-remote"
invitations = "never"
calendars = ["Agenda", { name = "Tâches", direction = "to-crm" }, { url = "/dav/x/" }]"""
    found = calendars_of(settings(tmp_path, lines).mailboxes[0])
    assert found is not None
    assert (found.direction.value, found.invitations) == ("to-remote", Policy.NEVER)
    assert [(text, None if way is None else way.value) for text, way in found.calendars or ()] == [
        ("Agenda", None),
        ("Tâches", Direction.TO_CRM.value),
        ("/dav/x/", None),
    ]


def test_a_mailbox_that_synchronises_mail_only_has_no_calendars(tmp_path: Path) -> None:
    more = '[servers.corp.imap]\nhost = "imap.acme.example"'
    assert calendars_of(settings(tmp_path, 'sync = ["mail"]', more).mailboxes[0]) is None


def test_plain_http_is_for_this_machine_only(tmp_path: Path) -> None:
    local = BEFORE.replace("https://dav.acme.example/", "http://127.0.0.1:5232/")
    (tmp_path / "syncd.toml").write_text(local + 'sync = ["calendar"]', encoding="utf-8")
    assert load(tmp_path / "syncd.toml", environ={"PW": "x"}).servers["corp"].caldav is not None
