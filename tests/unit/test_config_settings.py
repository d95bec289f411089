"""What other code asks of the settings, and the values a single key accepts."""

from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from config.rules import host_name, mail_address, protected_url
from config.settings import (
    ImapServer,
    Mailbox,
    Schedule,
    SecretRef,
    Security,
    Server,
    Settings,
    Store,
    User,
    Workspace,
)


def mailbox(name: str, interval: timedelta | None = None, server: str = "corp") -> Mailbox:
    return Mailbox(
        name=name,
        user="claire",
        server=server,
        username=name,
        password=SecretRef(env="PW"),
        interval=interval,
    )


SETTINGS = Settings(
    workspace=Workspace(name="Acme"),
    store=Store(url=SecretStr("sqlite:////var/lib/syncd/crm.db?timeout=5")),
    schedule=Schedule(interval=timedelta(minutes=2)),
    servers={"corp": Server(imap=ImapServer(host="imap.acme.example")), "empty": Server()},
    users=(
        User(login="claire", name="Claire", email="Claire@Acme.example", aliases=("c@acme.example",)),
        User(login="marc", name="Marc", email="marc@acme.example"),
    ),
    mailboxes=(mailbox("a"), mailbox("b", timedelta(minutes=5)), mailbox("c", server="empty")),
)


def test_users_and_mailboxes_are_found_by_name() -> None:
    assert SETTINGS.user("marc").name == "Marc"
    assert SETTINGS.mailbox("b").username == "b"


def test_a_name_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="paul"):
        SETTINGS.user("paul")
    with pytest.raises(KeyError, match="z"):
        SETTINGS.mailbox("z")
    with pytest.raises(KeyError, match="empty"):
        SETTINGS.imap_of(SETTINGS.mailbox("c"))


def test_a_mailbox_has_its_own_interval_or_that_of_the_schedule() -> None:
    assert SETTINGS.interval_of(SETTINGS.mailbox("a")) == timedelta(minutes=2)
    assert SETTINGS.interval_of(SETTINGS.mailbox("b")) == timedelta(minutes=5)


def test_own_addresses_are_those_of_all_users_in_lower_case() -> None:
    assert SETTINGS.own_addresses() == {"claire@acme.example", "c@acme.example", "marc@acme.example"}


def test_the_daemons_files_are_beside_the_sqlite_file_unless_said_otherwise() -> None:
    assert SETTINGS.store_dir() == Path("/var/lib/syncd")
    store = Store(url=SETTINGS.store.url, state_dir=Path("/srv/state"))
    assert SETTINGS.model_copy(update={"store": store}).store_dir() == Path("/srv/state")


@pytest.mark.parametrize(
    ("security", "port", "effective"),
    [
        (Security.TLS, None, 993),
        (Security.STARTTLS, None, 143),
        (Security.NONE, None, 143),
        (Security.NONE, 1143, 1143),
        (Security.TLS, 143, 143),
    ],
)
def test_the_port_follows_the_security_unless_it_is_given(
    security: Security, port: int | None, effective: int
) -> None:
    assert ImapServer(host="::1", security=security, port=port).effective_port == effective


def test_the_settings_cannot_be_changed_nor_built_from_wrong_types() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SETTINGS.workspace.name = "Other"
    with pytest.raises(ValidationError, match="exactly one"):
        Mailbox(name="a", user="a", server="a", username="a")
    with pytest.raises(ValidationError, match="exactly one"):
        SecretRef()


@pytest.mark.parametrize(
    "host",
    ["imap.acme.example", "localhost", "192.0.2.1", "2001:db8::1", "mail", "bücher.example", "a_b.test."],
)
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert host_name(host) == host


@pytest.mark.parametrize(
    "host",
    [
        "",
        " ",
        "a b",
        "a:993",
        "imap://a",
        "a/b",
        "u@h",
        "[::1]",
        "a..b",
        "-a.test",
        "a" * 64,
        "a." * 150,
        "a\n",
    ],
)
def test_what_is_more_or_less_than_a_host_is_refused(host: str) -> None:
    with pytest.raises(ValueError, match="a host name such as"):
        host_name(host)


@pytest.mark.parametrize(
    "address",
    ["claire@acme.example", "c.d+tag@acme.example", "o'neil@acme.example", "é@bücher.example", "a@localhost"],
)
def test_an_address_is_local_part_at_domain(address: str) -> None:
    assert mail_address(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "claire", "@a.test", "a@", "a@b@c.test", "Claire <c@a.test>", "<c@a.test>", "c@a.test, d@a.test",
     "a b@c.test", ".a@c.test", "a..b@c.test", "a@-c.test", "a@c.test\n", '"a b"@c.test', "a@[192.0.2.1]"],
)  # fmt: skip
def test_what_is_no_bare_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="bare e-mail address"):
        mail_address(address)


@pytest.mark.parametrize(
    "url",
    ["https://login.example/token", "https://h.test:8443/t?x=1", "http://127.0.0.1:8080/t", "http://[::1]/t"],
)
def test_tokens_are_asked_for_over_https_or_on_this_machine(url: str) -> None:
    assert protected_url(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "login.example", "http://login.example/", "ftp://127.0.0.1/", "https://", "https:///x", "https://[::1",
     "https://h.test:99999/", "https://u:p@h.test/", "https://h.test/\n", "https://h.test/a b"],
)  # fmt: skip
def test_any_other_token_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        protected_url(url)
