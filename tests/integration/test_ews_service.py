"""The installed service with mailboxes on Exchange: doctor, logins that end, one account for many."""

import dataclasses
from datetime import timedelta
from pathlib import Path

import pytest

from store.sync_state import MailboxState
from syncd.daemon import doctor
from syncd.daemon.wiring import Installation
from tests.mailboxes import CLAIRE, PAUL, is_green, subjects, with_paul
from tests.servers.ews.faults import Fault
from tests.servers.token import TokenServer
from tests.servers.world import World, mail
from tests.servers.worlds import on_exchange

pytestmark = on_exchange


@pytest.fixture
def company(lite_world: World) -> World:
    """Claire, and her customer Paul."""
    return with_paul(lite_world)


def test_the_doctor_tells_of_folders_and_of_the_server(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE))
    company.deliver("claire", "Clients", mail(2, PAUL, CLAIRE))
    (told,) = doctor.mailboxes(company.write_config(), ["claire"])
    assert told.good
    assert "INBOX" in told.says
    assert "Sent" in told.says
    assert any(word.startswith("Exchange 15.") for word in told.capabilities)
    read = {folder.ref: folder.messages for folder in told.folders if folder.read}
    assert read == {"INBOX": 1, "Sent": 0}
    roles = {folder.ref: folder.role for folder in told.folders}
    assert roles["Clients"] == "other"
    assert roles["Trash"] == "trash"
    assert "Calendar" not in roles
    assert told.push == "yes"
    assert company.server.ews.subscriptions.ids == []  # type: ignore[attr-defined]  # nothing is left behind


def test_the_doctor_says_why_nothing_is_told_and_that_is_nothing_to_mend(company: World) -> None:
    company.server.ews.faults.plan(Fault.UNAVAILABLE_BEFORE, "Subscribe")  # type: ignore[attr-defined]
    (told,) = doctor.mailboxes(company.write_config(), ["claire"])
    assert told.good
    assert told.push.startswith("no: ")
    company.mailbox_keys["claire"] = "push = false"
    (told,) = doctor.mailboxes(company.write_config(), ["claire"])
    assert (told.good, told.push) == (True, "no: `push` is off")


def test_the_doctor_does_not_log_in_where_the_login_was_refused(company: World) -> None:
    good = company.users["claire"]
    company.users["claire"] = dataclasses.replace(good, password="wrong")
    (told,) = doctor.mailboxes(company.write_config(), ["claire"])
    assert not told.good
    assert "refused the login of claire@acme.example" in told.says


def test_what_the_server_asks_for_is_waited_for(company: World) -> None:
    company.server.ews.faults.plan(Fault.BUSY, "GetFolder", seconds=90)  # type: ignore[attr-defined]
    report = company.sync()["claire"]
    assert report.retry_after == timedelta(seconds=90)
    assert company.one("SELECT state FROM mailbox") == MailboxState.RUNNING.name


def test_a_cycle_with_nothing_new_asks_once_a_folder_and_writes_nothing(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE))
    installation = Installation.open(company.write_config(), keep=True)
    try:
        installation.supervisor.run("claire", lambda: company.now)
        installation.supervisor.run("claire", lambda: company.now)
        operations = company.server.ews.counts.operations  # type: ignore[attr-defined]
        before = operations.copy()
        report = installation.supervisor.run("claire", lambda: company.now)
        assert not report.wrote
        assert operations - before == {"SyncFolderItems": 2}
    finally:
        installation.close()


CONFIG = """
[workspace]
name = "Acme"
[store]
url = "{database}"
state_dir = "."
[mail]
since = "2026-01-01"
{server}
"""
USER = """
[[users]]
login = "{login}"
name = "{login}"
email = "{login}@acme.example"
[[mailboxes]]
name = "{login}"
user = "{login}"
server = "corp"
{keys}
"""


def write_config(world: World, keys: str, *logins: str) -> Path:
    """A config of its own: the mailboxes with other keys than a user's own password."""
    world.folder.mkdir(exist_ok=True)
    text = CONFIG.format(database=world.database_url, server=world.server.table(world.server.port))
    world.config.write_text(text + "".join(USER.format(login=login, keys=keys) for login in logins))
    return world.config


def cycle(config: Path, world: World, *logins: str) -> list[str | None]:
    """One cycle of the mailboxes; what went wrong, or was skipped."""
    installation = Installation.open(config)
    try:
        reports = [installation.supervisor.run(login, lambda: world.now) for login in logins]
        return [report.error or report.skipped for report in reports]
    finally:
        installation.close()


def test_one_service_account_serves_the_mailboxes_of_all(company: World) -> None:
    company.add_user("denis")
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "À Claire"))
    company.deliver("denis", "INBOX", mail(2, PAUL, "denis@acme.example", "À Denis"))
    password = company.server.ews.add_service_account("svc@acme.example")  # type: ignore[attr-defined]
    company.folder.mkdir(exist_ok=True)
    secret = company.folder / "service.secret"
    secret.touch(mode=0o600)
    secret.write_text(password)
    keys = 'username = "svc@acme.example"\npassword = { file = "service.secret" }\naccess = "impersonate"\n'
    config = write_config(company, keys, "claire", "denis")
    assert cycle(config, company, "claire", "denis") == [None, None]
    assert company.rows(
        'SELECT u.login, e.subject FROM email_user x JOIN "user" u ON u.id = x.user_id '
        "JOIN email_message e ON e.id = x.email_id ORDER BY 1"
    ) == [("claire", "À Claire"), ("denis", "À Denis")]
    assert company.rows("SELECT name, address FROM mailbox ORDER BY name") == [
        ("claire", CLAIRE),
        ("denis", "denis@acme.example"),
    ]


def test_thread_5_a_consent_that_was_withdrawn_is_told_and_nothing_is_lost(
    company: World, token_server: TokenServer
) -> None:
    logins = company.server.ews.logins  # type: ignore[attr-defined]
    logins.token_owner = token_server.user_of
    logins.schemes = {"Bearer"}
    company.folder.mkdir(exist_ok=True)
    secret = company.folder / "claire.refresh"
    secret.touch(mode=0o600)
    given = token_server.consent(CLAIRE)
    secret.write_text(given)
    keys = (
        f'username = "{CLAIRE}"\n[mailboxes.oauth2]\nclient_id = "{token_server.client_id}"\n'
        f'token_url = "{token_server.token_url}"\nrefresh_token = {{ file = "claire.refresh" }}\n'
    )
    config = write_config(company, keys, "claire")
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "Avant"))
    assert cycle(config, company, "claire") == [None]

    token_server.withdraw(given)
    token_server.withdraw_access()
    company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "Pendant"))
    (error,) = cycle(config, company, "claire")
    assert "invalid_grant" in str(error)
    (state, attention) = company.rows("SELECT state, attention FROM mailbox")[0]
    assert state == MailboxState.NEEDS_ATTENTION.name
    assert "syncd resume claire" in str(attention)
    asked = len(token_server.requests)
    (skipped,) = cycle(config, company, "claire")
    assert "needs attention" in str(skipped)
    assert len(token_server.requests) == asked  # it is not tried again by itself

    secret.write_text(token_server.consent(CLAIRE))
    assert cycle(config, company, "claire") == [None]
    assert subjects(company) == ["Avant", "Pendant"]
    assert company.one("SELECT state FROM mailbox") == MailboxState.RUNNING.name


def test_an_audit_beside_a_cycle_loses_nothing(company: World) -> None:
    """A kept connection knows the folder as it was; the audit numbers what came meanwhile."""
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "S1"))
    installation = Installation.open(company.write_config(), keep=True)
    try:
        installation.supervisor.run("claire", lambda: company.now)
        company.deliver("claire", "INBOX", mail(2, PAUL, CLAIRE, "S2"))
        assert is_green(company)  # new ones are not missing
        company.deliver("claire", "INBOX", mail(3, PAUL, CLAIRE, "S3"))
        report = installation.supervisor.run("claire", lambda: company.now)
        assert (report.pulled, report.error, report.folder_errors) == (2, None, {})
    finally:
        installation.close()
    assert subjects(company) == ["S1", "S2", "S3"]
    assert company.one("SELECT count(*) FROM verdict") == 3
    assert is_green(company)


@pytest.mark.parametrize(
    ("flow", "scope"),
    [
        ("refresh", "https://outlook.office.com/EWS.AccessAsUser.All"),
        ("client-credentials", "https://outlook.office365.com/.default"),
    ],
)
def test_of_microsoft_a_token_for_ews_is_asked_for(company: World, flow: str, scope: str) -> None:
    keys = (
        f'username = "{CLAIRE}"\naccess = "impersonate"\n[mailboxes.oauth2]\nprovider = "microsoft"\n'
        f'flow = "{flow}"\ntenant = "acme.example"\nclient_id = "app"\nclient_secret = {{ env = "X" }}\n'
        'refresh_token = { env = "X" }\n'
    )
    installation = Installation.open(write_config(company, keys, "claire"), environ={"X": "made up"})
    try:
        source = installation._source_of(installation.settings.mailbox("claire"))
        assert source._scopes == [scope]  # type: ignore[attr-defined]
    finally:
        installation.close()


def test_a_dry_run_tells_what_it_would_log_and_the_next_cycle_logs_it(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "S1"), mail(2, "x@stranger.example", CLAIRE))
    company.deliver("claire", "Sent", mail(3, CLAIRE, PAUL, "S3"))
    installation = company.open()
    try:
        report = installation.supervisor.run("claire", lambda: company.now, dry_run=True)
    finally:
        installation.close()
    assert sorted(one.subject for one in report.rehearsed) == ["S1", "S3"]
    for table in ("email_message", "activity", "verdict", "collection"):
        assert company.one(f"SELECT count(*) FROM {table}") == 0
    assert company.sync()["claire"].pulled == 3
    assert subjects(company) == ["S1", "S3"]
    assert is_green(company)


def test_a_mailbox_whose_address_changed_is_read_from_the_start(company: World) -> None:
    company.deliver("claire", "INBOX", mail(1, PAUL, CLAIRE, "À Claire"))
    company.sync()
    denis = company.server.add_mailbox_of("denis")
    company.server.deliver(denis, "INBOX", [mail(2, PAUL, "denis@acme.example", "À Denis")])
    company.users["claire"] = denis
    company.mailbox_keys["claire"] = 'address = "denis@acme.example"'
    report = company.sync()["claire"]
    assert (report.pulled, report.error, report.folder_errors) == (1, None, {})
    assert subjects(company) == ["À Claire", "À Denis"]
