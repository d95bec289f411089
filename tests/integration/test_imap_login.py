"""Logging in: mechanisms, protection of the connection, and what a refusal becomes."""

import dataclasses
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from config.settings import Security
from connectors.errors import AuthFailed, ProtocolViolation, RateLimited, Unreachable, Untrusted
from connectors.imap.access import ImapAccess
from connectors.imap.auth import Password, Token
from connectors.imap.client import ImapConnector
from connectors.oauth import EndpointTokens
from tests.servers.access import imap_access, local_access
from tests.servers.certs import CertAuthority, ServerCert
from tests.servers.dovecot import Account, DovecotServer
from tests.servers.hostile_imap import HostileImap
from tests.servers.ports import free_port
from tests.servers.token import TokenServer


def count(access: ImapAccess) -> int:
    with ImapConnector(access) as connector:
        return connector.state("INBOX").count


@pytest.mark.parametrize("security", list(Security))
@pytest.mark.parametrize("mechanism", ["login", "plain"])
def test_a_password_opens_the_mailbox(
    dovecot: DovecotServer, spool_dir: Path, security: Security, mechanism: str, imap_commands: list[bytes]
) -> None:
    account = dovecot.add_user()
    access = imap_access(dovecot, account, spool_dir, security=security)
    auth = Password(lambda: account.password, "plain" if mechanism == "plain" else "login")
    assert count(dataclasses.replace(access, auth=auth)) == 0
    used = b"AUTHENTICATE PLAIN" if mechanism == "plain" else b"LOGIN"
    assert any(line.startswith(used) for line in imap_commands)


@pytest.mark.parametrize(
    "password", ['qu"ote', "back\\slash", "with space", "{5}", "()%*", "pässwörd", "密码", "del\x7fete"]
)
def test_odd_characters_get_through(dovecot: DovecotServer, spool_dir: Path, password: str) -> None:
    account = dovecot.add_user(password=password)
    assert count(imap_access(dovecot, account, spool_dir)) == 0


def test_a_user_name_with_spaces_and_quotes_gets_through(spool_dir: Path) -> None:
    with HostileImap() as server:
        access = local_access(server.port, spool_dir)
        access = dataclasses.replace(access, username='Claire "C" Dupont\\x', auth=Password(lambda: 'a"b'))
        assert count(access) == 2
        assert server.commands[0] == b'LOGIN "Claire \\"C\\" Dupont\\\\x" "a\\"b"'


def test_what_a_quoted_string_cannot_hold_goes_as_a_literal(
    dovecot: DovecotServer, spool_dir: Path, imap_commands: list[bytes]
) -> None:
    account = dovecot.add_user(password="del\x7fete")
    assert count(imap_access(dovecot, account, spool_dir)) == 0
    assert imap_commands[0] == b'LOGIN "%s" {7}\r\n' % account.username.encode()


def test_a_refused_password_is_tried_once(
    dovecot: DovecotServer, account: Account, spool_dir: Path, imap_commands: list[bytes]
) -> None:
    wrong = Account(account.username, account.password + "-wrong")
    with pytest.raises(AuthFailed) as caught:
        count(imap_access(dovecot, wrong, spool_dir))
    assert account.username in str(caught.value)
    assert wrong.password not in str(caught.value)
    assert len([line for line in imap_commands if line.startswith(b"LOGIN")]) == 1


def test_logging_in_takes_no_round_trip_more_than_it_must(
    dovecot: DovecotServer, account: Account, spool_dir: Path, imap_commands: list[bytes]
) -> None:
    with ImapConnector(imap_access(dovecot, account, spool_dir)) as connector:
        connector.state("INBOX")
        connector.state("Sent")
    assert [line.split()[0] for line in imap_commands] == [b"LOGIN", b"STATUS", b"STATUS", b"LOGOUT"]


def test_a_server_that_disables_login_gets_plain(spool_dir: Path) -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=PLAIN SASL-IR] x\r\n"
    with HostileImap({"AUTHENTICATE PLAIN .": b"TAG OK done\r\n"}, greeting=greeting) as server:
        assert count(local_access(server.port, spool_dir)) == 2


def test_a_server_that_takes_no_password_gets_none(spool_dir: Path) -> None:
    greeting = b"* OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2] x\r\n"
    with HostileImap(greeting=greeting) as server:
        with pytest.raises(AuthFailed, match="takes no password"):
            count(local_access(server.port, spool_dir))
        assert server.commands == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"TAG NO [AUTHENTICATIONFAILED] made up is wrong\r\n", AuthFailed),
        (b"TAG BAD made up\r\n", AuthFailed),
        (b"TAG NO [UNAVAILABLE] Temporary authentication failure\r\n", Unreachable),
        (b"TAG NO [LIMIT] too many connections\r\n", RateLimited),
        (b"* BYE [ALERT] Too many connections\r\n", RateLimited),
        (b"* BYE made up is wrong\r\n", AuthFailed),
        (b"* bye\r\n", AuthFailed),
        (b"", Unreachable),
        (b"TAG YES\r\n", ProtocolViolation),
        (b"what?\r\n", ProtocolViolation),
        (b"BBBB1 OK done\r\n", ProtocolViolation),
    ],
)
def test_every_answer_to_a_login_has_its_error(
    spool_dir: Path, answer: bytes, error: type[Exception]
) -> None:
    with HostileImap({"LOGIN": answer}) as server, pytest.raises(error) as caught:
        count(local_access(server.port, spool_dir, timedelta(seconds=3)))
    assert "made up" not in str(caught.value)


@pytest.mark.parametrize(
    ("greeting", "error"),
    [
        (b"* BYE Too many connections from your address\r\n", RateLimited),
        (b"* BYE shutting down\r\n", Unreachable),
        (b"SSH-2.0-OpenSSH_9.2\r\n", ProtocolViolation),
        (b"* OK", Unreachable),
        (b"* OK [CAPABILITY IMAP2] old\r\n", ProtocolViolation),
    ],
)
def test_every_greeting_has_its_error(spool_dir: Path, greeting: bytes, error: type[Exception]) -> None:
    with HostileImap(greeting=greeting) as server, pytest.raises(error):
        count(local_access(server.port, spool_dir, timedelta(seconds=3)))


def test_nobody_listening_is_unreachable(spool_dir: Path) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        count(local_access(free_port(), spool_dir))


def test_an_unknown_host_is_unreachable(spool_dir: Path) -> None:
    access = local_access(143, spool_dir)
    with pytest.raises(Unreachable, match="cannot be found"):
        count(dataclasses.replace(access, host="nowhere.invalid", security=Security.TLS))


# TLS.


@pytest.fixture
def tls_server(authority: CertAuthority) -> Iterator[HostileImap]:
    with HostileImap(context=serving(authority.issue("good"))) as server:
        yield server


def serving(cert: ServerCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert.cert, cert.key)
    return context


def over_tls(server: HostileImap, spool_dir: Path, ca_file: Path | None) -> ImapAccess:
    access = local_access(server.port, spool_dir)
    return dataclasses.replace(access, security=Security.TLS, ca_file=ca_file, host="localhost")


def test_a_trusted_certificate_is_accepted(
    tls_server: HostileImap, authority: CertAuthority, spool_dir: Path
) -> None:
    assert count(over_tls(tls_server, spool_dir, authority.ca_file)) == 2


def test_an_authority_that_is_not_named_is_not_trusted(tls_server: HostileImap, spool_dir: Path) -> None:
    with pytest.raises(Untrusted, match=r"unknown authority.*ca_file"):
        count(over_tls(tls_server, spool_dir, None))
    assert tls_server.commands == []


def test_a_certificate_for_another_host_is_refused(authority: CertAuthority, spool_dir: Path) -> None:
    cert = authority.issue("elsewhere", ("mail.example.org",))
    with HostileImap(context=serving(cert)) as server:
        with pytest.raises(Untrusted, match="another host name"):
            count(over_tls(server, spool_dir, authority.ca_file))
        assert server.commands == []


def test_an_expired_certificate_is_refused(authority: CertAuthority, spool_dir: Path) -> None:
    with HostileImap(context=serving(authority.issue_expired())) as server:
        with pytest.raises(Untrusted, match=r"has expired.*renew"):
            count(over_tls(server, spool_dir, authority.ca_file))
        assert server.commands == []


def test_an_old_tls_version_is_refused(authority: CertAuthority, spool_dir: Path) -> None:
    context = serving(authority.issue("old"))
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with HostileImap(context=context) as server, pytest.raises(Untrusted, match=r"TLS 1\.2"):
        count(over_tls(server, spool_dir, authority.ca_file))


def test_a_port_without_tls_is_named_as_such(spool_dir: Path, authority: CertAuthority) -> None:
    with HostileImap() as server, pytest.raises(Untrusted, match="does not speak TLS"):
        count(over_tls(server, spool_dir, authority.ca_file))


def test_a_missing_ca_file_is_named(tls_server: HostileImap, spool_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(Untrusted, match=r"missing\.pem cannot be read: No such file"):
        count(over_tls(tls_server, spool_dir, tmp_path / "missing.pem"))
    (tmp_path / "empty.pem").touch()
    with pytest.raises(Untrusted, match="it holds no certificate"):
        count(over_tls(tls_server, spool_dir, tmp_path / "empty.pem"))


def test_clear_text_is_for_this_machine_only(spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> socket.socket:
        raise AssertionError("it was connected to")

    monkeypatch.setattr(socket, "create_connection", never)
    access = dataclasses.replace(local_access(143, spool_dir), host="imap.example.org")
    with pytest.raises(Untrusted, match="clear text"):
        count(access)


STARTTLS_GREETING = b"* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] x\r\n"


def with_starttls(server: HostileImap, spool_dir: Path, authority: CertAuthority) -> ImapAccess:
    return dataclasses.replace(over_tls(server, spool_dir, authority.ca_file), security=Security.STARTTLS)


def test_starttls_never_falls_back(authority: CertAuthority, spool_dir: Path) -> None:
    with HostileImap() as server:
        with pytest.raises(Untrusted, match="does not offer STARTTLS"):
            count(with_starttls(server, spool_dir, authority))
        assert server.commands == []
    with HostileImap({"STARTTLS": b"TAG NO not today\r\n"}, greeting=STARTTLS_GREETING) as server:
        with pytest.raises(Untrusted, match="not today"):
            count(with_starttls(server, spool_dir, authority))
        assert server.commands == [b"STARTTLS"]


def test_what_was_said_in_clear_before_starttls_is_forgotten(
    authority: CertAuthority, spool_dir: Path
) -> None:
    injected = b"TAG OK go\r\n* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n* BYE [ALERT] injected\r\n"
    context = serving(authority.issue("starttls"))
    with HostileImap({"STARTTLS": injected}, greeting=STARTTLS_GREETING, starttls=context) as server:
        assert count(with_starttls(server, spool_dir, authority)) == 2
        assert [line.split()[0] for line in server.commands[:3]] == [b"STARTTLS", b"CAPABILITY", b"LOGIN"]


def test_starttls_checks_the_certificate(authority: CertAuthority, spool_dir: Path) -> None:
    context = serving(authority.issue("other", ("mail.example.org",)))
    with HostileImap(greeting=STARTTLS_GREETING, starttls=context) as server:
        with pytest.raises(Untrusted, match="another host name"):
            count(with_starttls(server, spool_dir, authority))
        assert server.commands == [b"STARTTLS"]


# OAuth 2.0, checked by a real server.


@pytest.fixture
def oauth_dovecot(dovecot: DovecotServer, token_server: TokenServer) -> Iterator[DovecotServer]:
    with DovecotServer(introspection_url=token_server.introspection_url) as server:
        yield server


def with_tokens(
    server: DovecotServer, tokens: TokenServer, spool_dir: Path, user: str, mechanism: str = "xoauth2"
) -> ImapAccess:
    refresh = tokens.consent(user)
    source = EndpointTokens(
        user, token_url=tokens.token_url, client_id=tokens.client_id, refresh_token=lambda: refresh
    )
    access = imap_access(server, Account(user, ""), spool_dir)
    auth = Token(source, "oauthbearer" if mechanism == "oauthbearer" else "xoauth2")
    return dataclasses.replace(access, auth=auth)


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_a_token_opens_the_mailbox(
    oauth_dovecot: DovecotServer,
    token_server: TokenServer,
    spool_dir: Path,
    mechanism: str,
) -> None:
    user = oauth_dovecot.add_user().username
    access = with_tokens(oauth_dovecot, token_server, spool_dir, user, mechanism)
    assert count(access) == 0
    assert count(access) == 0
    assert len(token_server.requests) == 1  # the second login used the same token


def test_a_token_withdrawn_early_is_renewed_once(
    oauth_dovecot: DovecotServer, token_server: TokenServer, spool_dir: Path
) -> None:
    user = oauth_dovecot.add_user().username
    access = with_tokens(oauth_dovecot, token_server, spool_dir, user)
    assert count(access) == 0
    token_server.withdraw_access()
    assert count(access) == 0
    assert len(token_server.requests) == 2


@pytest.mark.parametrize("mechanism", ["xoauth2", "oauthbearer"])
def test_a_token_of_somebody_else_is_refused_for_good(
    oauth_dovecot: DovecotServer,
    token_server: TokenServer,
    spool_dir: Path,
    mechanism: str,
    imap_commands: list[bytes],
) -> None:
    one, other = oauth_dovecot.add_user().username, oauth_dovecot.add_user().username
    access = with_tokens(oauth_dovecot, token_server, spool_dir, other, mechanism)
    with pytest.raises(AuthFailed) as caught:
        count(dataclasses.replace(access, username=one))
    assert "access-" not in str(caught.value)
    assert len([line for line in imap_commands if line.startswith(b"AUTHENTICATE")]) == 2


def test_a_mechanism_that_is_not_offered_asks_for_no_token(
    token_server: TokenServer, spool_dir: Path
) -> None:
    with HostileImap() as server:
        source = EndpointTokens("x", token_url=token_server.token_url, client_id="x")
        access = dataclasses.replace(local_access(server.port, spool_dir), auth=Token(source))
        with pytest.raises(AuthFailed, match="does not offer XOAUTH2"):
            count(access)
        assert server.commands == []
    assert token_server.requests == []
