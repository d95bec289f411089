"""Whatever happens, at the most talkative level: no secret and nothing of a mail reaches the log."""

import io
import json
import logging
import re
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Generic, Literal, Protocol, TypeVar

import pytest
from sqlalchemy import event

from connectors.imap.wire import Wire
from store.contacts import Contact
from syncd.daemon import logs
from syncd.daemon.service import Service
from syncd.daemon.wiring import Installation
from tests.servers.dovecot import Account, DovecotServer
from tests.servers.ews.faults import Fault
from tests.servers.proxy import CuttingProxy
from tests.servers.token import TokenServer
from tests.servers.world import PDF, World, mail
from tests.servers.worlds import on_both, on_exchange

pytestmark = pytest.mark.usefixtures("restored_logging")

PASSWORD = "canary-password-x7"
WRONG_PASSWORD = "canary-wrong-password-x8"
SUBJECT = "canari-du-sujet"
BODY = "canari-du-corps"
FILE = "canari-du-fichier.pdf"
STRANGER = "canari.inconnu@stranger.example"
STRANGERS_NAME = "Canari-Inconnu"
CONTACT = "canari.client@client.example"
CONTACTS_NAME = "Canari-Client"
MESSAGE_ID = "canari-id"
CANARIES = {
    PASSWORD, WRONG_PASSWORD, SUBJECT, BODY, FILE, MESSAGE_ID,
    STRANGER, STRANGERS_NAME, CONTACT, CONTACTS_NAME,
    "canari.inconnu", "canari.client", "stranger.example", "client.example",
    b64encode(PASSWORD.encode()).decode(), b64encode(f"\0claire\0{PASSWORD}".encode()).decode()[12:],
}  # fmt: skip

Style = Literal["json", "console"]


class Configured(Protocol):
    """A world that the service is installed in."""

    @property
    def config(self) -> Path: ...

    def write_config(self) -> Path: ...


W = TypeVar("W", bound=Configured)


class Watched(Generic[W]):
    """One installation of which everything that it logs is kept."""

    def __init__(self, world: W, style: Style) -> None:
        self.world = world
        self.style = style
        self.canaries = set(CANARIES)
        self.out = io.StringIO()
        logs.configure("debug", style, self.out)

    def cycles(
        self, times: int = 1, *, mailbox: str = "claire", harm: Callable[[Installation], None] | None = None
    ) -> None:
        """Runs the daemon's own cycle, on the config as it stands now."""
        self.world.write_config()
        service = Service(self.world.config, open_=Installation.open, rng=Random(1))
        try:
            if harm is not None:
                harm(service._installation)
            for _ in range(times):
                service._not_before.clear()
                service._cycle(mailbox)
        finally:
            service._installation.close()

    def said(self, *what: str) -> str:
        """Everything so far; each of `what` must be in it, so that the test tests what it says."""
        log = self.out.getvalue()
        for one in what:
            assert one in log, f"{one!r} was not logged at all"
        return log

    def check(self, *what: str) -> None:
        """Nothing private is in the log, and every line has its three keys."""
        log = self.said(*what)
        told = {canary for canary in self.canaries if canary.casefold() in log.casefold()}
        assert told == set()
        assert log.strip(), "nothing was logged"
        for line in log.splitlines():
            if self.style == "console" and re.fullmatch(r"\w+", line):
                continue  # the kind of an error, which the console writer puts below its line
            if self.style == "json":
                assert {"run", "mailbox", "action", "level", "timestamp"} <= json.loads(line).keys()
            else:
                assert re.search(r"\brun=\S+", line), line
                assert re.search(r"\bmailbox=\S+", line), line
                assert re.search(r"\baction=\S+", line), line


@pytest.fixture(params=["json", "console"])
def watched(request: pytest.FixtureRequest, lite_world: World) -> Watched[World]:
    """Claire, her contact, a stranger, and canaries all over them."""
    lite_world.mail_section = 'since = "2000-01-01"'
    lite_world.users["claire"] = lite_world.server.add_mailbox_of("claire", PASSWORD)
    account = lite_world.add_account(CONTACTS_NAME)
    lite_world.add_contact(account, CONTACT)
    database = lite_world.database()
    with database.write() as session:
        session.query(Contact).update({"first_name": CONTACTS_NAME, "last_name": CONTACTS_NAME})
    database.close()
    deliver(lite_world, 1, f"{CONTACTS_NAME} <{CONTACT}>")
    deliver(lite_world, 2, f"{STRANGERS_NAME} <{STRANGER}>")
    return Watched(lite_world, request.param)


def deliver(world: World, number: int, sender: str) -> str:
    """A mail with canaries; returns its file name on the server."""
    raw = mail(
        number,
        sender,
        "claire@acme.example",
        f"{SUBJECT} {number}",
        text=f"{BODY}\n",
        attachments={FILE: PDF},
        message_id=f"<{MESSAGE_ID}-{number}@mail.example>",
    )
    (name,) = world.server.deliver(world.users["claire"], "INBOX", [raw])
    return name


@on_both
def test_of_what_is_logged_into_the_crm_nothing_is_logged_into_the_log(watched: Watched[World]) -> None:
    watched.cycles(2)
    assert watched.world.one("SELECT subject FROM email_message") == f"{SUBJECT} 1"
    watched.check("cycle ended")


@on_exchange
@pytest.mark.parametrize("fault", [*Fault])
def test_whatever_an_exchange_server_does_wrong_is_told_without_what_is_in_a_mailbox(
    watched: Watched[World], fault: Fault
) -> None:
    faults = watched.world.server.ews.faults  # type: ignore[attr-defined]
    for operation in ("GetFolder", "FindFolder", "SyncFolderItems", "GetItem"):
        faults.plan(fault, operation, times=1, seconds=0.01)
        watched.cycles()
        faults.clear()
    watched.cycles()
    watched.check()


@on_both
def test_late_matching_tells_numbers_only(watched: Watched[World]) -> None:
    watched.cycles()
    account = watched.world.add_account(STRANGERS_NAME)
    watched.world.add_contact(account, STRANGER)
    watched.cycles()
    assert watched.world.one("SELECT count(*) FROM email_message") == 2
    watched.check("older messages found")


def test_an_unreadable_message_is_told_by_its_place(watched: Watched[World], dovecot: DovecotServer) -> None:
    name = deliver(watched.world, 3, CONTACT)
    path = dovecot.maildir(watched.world.users["claire"]) / "cur" / name
    path.chmod(0)
    try:
        watched.cycles()
    finally:
        path.chmod(0o600)
    assert watched.world.one("SELECT count(*) FROM quarantine") == 1
    watched.check("put in quarantine")


def test_a_refused_login_tells_no_password(watched: Watched[World]) -> None:
    good = watched.world.users["claire"]
    watched.world.users["claire"] = Account(good.username, WRONG_PASSWORD)
    watched.cycles(2)
    assert watched.world.one("SELECT state FROM mailbox") == "NEEDS_ATTENTION"
    watched.check("mailbox cannot be worked on")


def test_a_missing_password_is_told_by_the_name_of_its_file(watched: Watched[World]) -> None:
    watched.cycles(harm=lambda _installation: (watched.world.folder / "claire.secret").unlink())
    watched.check("mailbox cannot be worked on", "claire.secret")


@pytest.mark.parametrize("octets", [100, 2_000, 6_000])
def test_a_connection_that_is_cut_tells_nothing_of_what_came_over_it(
    watched: Watched[World], octets: int
) -> None:
    with CuttingProxy(watched.world.server.port) as proxy:
        proxy.cut_after = octets
        watched.world.port = proxy.port
        watched.cycles(2)
    assert watched.world.one("SELECT count(*) FROM email_message") == 0
    watched.check("cannot be")  # the mailbox worked on, or the message read


def test_a_folder_in_an_error_state_tells_its_name_only(
    watched: Watched[World], dovecot: DovecotServer
) -> None:
    watched.world.mailbox_keys["claire"] = 'mail_folders = ["INBOX", "Clients"]'
    watched.world.deliver("claire", "Clients", mail(9, CONTACT, "claire@acme.example", SUBJECT, text=BODY))
    watched.cycles()
    dovecot.deny_folder(watched.world.users["claire"], "Clients")
    try:
        watched.cycles(2)
    finally:
        dovecot.allow_folder(watched.world.users["claire"], "Clients")
    watched.cycles()
    watched.check("folder cannot be read", "folder can be read again", "Clients")


@pytest.fixture
def oauth_server(token_server: TokenServer) -> Iterator[DovecotServer]:
    """A server that takes tokens."""
    with DovecotServer(introspection_url=token_server.introspection_url) as server:
        yield server


def test_an_oauth_refusal_tells_no_token(
    watched: Watched[World], token_server: TokenServer, oauth_server: DovecotServer
) -> None:
    token = token_server.consent("claire")
    token_server.withdraw(token)  # the endpoint repeats it in its answer
    with_oauth(watched, token_server, oauth_server, token)
    watched.cycles(2, mailbox="oauth")
    assert token_server.requests
    watched.check("mailbox cannot be worked on")


def test_an_access_token_that_the_server_refuses_is_not_told(
    watched: Watched[World], token_server: TokenServer, oauth_server: DovecotServer
) -> None:
    with_oauth(watched, token_server, oauth_server, token_server.consent("somebody else"))
    watched.cycles(2, mailbox="oauth")
    assert token_server._access  # one was given, and it is another user's
    watched.canaries |= {part for token in token_server._access for part in (token, token[7:27])}
    watched.check("mailbox cannot be worked on")


def with_oauth(
    watched: Watched[World], token_server: TokenServer, server: DovecotServer, refresh_token: str
) -> None:
    """A second mailbox that logs in with tokens."""
    world = watched.world
    world.folder.mkdir(exist_ok=True)
    for name, content in (("app.secret", token_server.client_secret), ("oauth.token", refresh_token)):
        (world.folder / name).touch(mode=0o600)
        (world.folder / name).write_text(content)
        watched.canaries |= {content, content[-20:]}
    world.mailbox_keys["claire"] = (
        f'[servers.tokens.imap]\nhost = "127.0.0.1"\nport = {server.port}\nsecurity = "none"\n'
        '[[mailboxes]]\nname = "oauth"\nuser = "claire"\nserver = "tokens"\nusername = "claire"\n'
        f'[mailboxes.oauth2]\nclient_id = "{token_server.client_id}"\n'
        f'token_url = "{token_server.token_url}"\nclient_secret = {{ file = "app.secret" }}\n'
        'refresh_token = { file = "oauth.token" }\nscopes = ["imap"]\n'
    )


def test_a_defect_in_a_cycle_is_told_by_its_kind_and_place(
    watched: Watched[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Wire.send

    def defective(self: Wire, data: bytes) -> None:
        if b"BODY.PEEK[]" in data:
            local = {SUBJECT: BODY}
            raise KeyError(f"{SUBJECT} {STRANGER} {PASSWORD} {local}")
        send(self, data)

    monkeypatch.setattr(Wire, "send", defective)
    watched.cycles(2)
    monkeypatch.undo()
    watched.check("a defect of syncd", "KeyError", "connectors.imap.wire:")
    watched.cycles()  # the mailbox was let go, and nothing was lost
    assert watched.world.one("SELECT count(*) FROM email_message") == 1


def test_a_defect_behind_another_error_is_not_told_either(
    watched: Watched[World], monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Wire.send

    def defective(self: Wire, data: bytes) -> None:
        if b"BODY.PEEK[]" in data:
            try:
                int(f"{BODY} {CONTACT}")
            except ValueError as error:
                raise RuntimeError(SUBJECT) from error
        send(self, data)

    monkeypatch.setattr(Wire, "send", defective)
    watched.cycles()
    watched.check("a defect of syncd", "RuntimeError")


def test_a_database_that_refuses_a_row_does_not_tell_the_row(watched: Watched[World]) -> None:
    """SQLAlchemy's own messages hold every parameter: subject, body, addresses."""

    def harm(installation: Installation) -> None:
        def lock_up(_conn: object, _cursor: object, statement: str, *_: object) -> tuple[str, object]:
            if statement.startswith("INSERT INTO email_message"):
                statement = statement.replace("INTO email_message", "INTO no_such_table")
            return statement, _[0]

        event.listen(installation.database.engine, "before_cursor_execute", lock_up, retval=True)

    watched.cycles(2, harm=harm)
    assert watched.world.one("SELECT count(*) FROM email_message") == 0
    watched.check("mailbox cannot be worked on")


def test_libraries_talk_in_the_same_lines_and_as_little(watched: Watched[World]) -> None:
    watched.cycles()
    for name in logs.TALKATIVE:
        logging.getLogger(f"{name}.wire").debug("%s %s", SUBJECT, PASSWORD)
        logging.getLogger(name).info(BODY)
    try:
        int(SUBJECT)
    except ValueError:
        logging.getLogger("apscheduler.executors.default").exception("Job raised an exception")
    watched.check("Job raised an exception", "ValueError")


def test_the_names_of_the_canaries_are_really_there(watched: Watched[World]) -> None:
    """What the other tests look for is what the database holds."""
    watched.cycles()
    (row,) = watched.world.rows(
        "SELECT e.subject, e.body_text, a.name, c.first_name, c.email FROM email_message e "
        "JOIN email_attachment a ON a.email_id = e.id JOIN email_match m ON m.email_id = e.id "
        f"JOIN {Contact.__tablename__} c ON c.id = m.contact_id"
    )
    assert row == (f"{SUBJECT} 1", f"{BODY}\n", FILE, CONTACTS_NAME, CONTACT)
    assert Path(watched.world.folder / "claire.secret").read_text() == PASSWORD
