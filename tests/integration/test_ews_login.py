"""Getting into a mailbox on Exchange: whose rights, which way, and never more often than is good."""

import dataclasses
from pathlib import Path
from typing import Literal

import pytest
from exchangelib.protocol import CachingProtocol

from connectors.errors import AuthFailed, CollectionGone, ProtocolViolation, Unreachable, Untrusted
from connectors.ews import discovery
from connectors.ews.access import Entry, EwsAccess, Password, Token
from connectors.ews.mail import EwsMailConnector
from connectors.model import FolderRole
from connectors.numbering import MemoryNumbering
from connectors.oauth import EndpointTokens
from tests.servers.certs import CertAuthority
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.ews_answers import reaction
from tests.servers.exchange import ews_access
from tests.servers.scripted_dav import Reply, ScriptedDav
from tests.servers.token import TokenServer

CLAIRE, DENIS = "claire@acme.example", "denis@acme.example"
MAIL = b"From: jean@example.org\r\nSubject: x\r\n\r\nBonjour.\r\n"


@pytest.fixture
def access(ews: EwsServer, spool_dir: Path) -> EwsAccess:
    """Claire's own mailbox, with one message in it; Denis has another with two."""
    password = ews.add_mailbox(CLAIRE)
    ews.add_mailbox(DENIS)
    OtherClient(ews, CLAIRE).add_mails([MAIL])
    OtherClient(ews, DENIS).add_mails([MAIL, MAIL])
    return ews_access(ews, CLAIRE, password, spool_dir)


def count(access: EwsAccess) -> int:
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        return connector.state("INBOX").count


def test_a_password_opens_the_owners_mailbox(access: EwsAccess) -> None:
    assert count(access) == 1


def test_ntlm_opens_the_owners_mailbox_over_tls(ews: EwsServer, access: EwsAccess) -> None:
    ews.logins.schemes = {"NTLM"}
    basic = access.auth
    assert isinstance(basic, Password)
    ntlm = dataclasses.replace(access, auth=Password(CLAIRE, basic.supplier, "ntlm"))
    with EwsMailConnector(ntlm, MemoryNumbering()) as connector:
        assert connector.state("INBOX").count == 1
        assert [len(one.content) for one in connector.bodies("INBOX", [1]) if not isinstance(one, Exception)]
        auth = connector._session.channel.auth
        assert auth._get_server_cert(None)  # type: ignore[attr-defined]  # the login is bound to the TLS connection
        ews.drop_connections()
        assert connector.state("INBOX").count == 1  # another connection logs in anew
    assert ews.logins.refused == []


@pytest.mark.parametrize("scheme", ["basic", "ntlm"])
def test_a_wrong_password_is_tried_once(
    ews: EwsServer, access: EwsAccess, scheme: Literal["basic", "ntlm"]
) -> None:
    wrong = dataclasses.replace(access, auth=Password(CLAIRE, lambda: "wrong-canary", scheme))
    with pytest.raises(AuthFailed) as caught:
        count(wrong)
    assert len(ews.logins.refused) == 1
    assert "wrong-canary" not in str(caught.value)
    assert "not tried again" in str(caught.value)


@pytest.mark.parametrize("scheme", ["basic", "ntlm"])
def test_a_password_that_was_changed_on_both_sides_is_read_anew(
    ews: EwsServer, access: EwsAccess, scheme: Literal["basic", "ntlm"]
) -> None:
    passwords = ["first"]
    ews.logins.add(CLAIRE, CLAIRE, "first")
    mine = dataclasses.replace(access, auth=Password(CLAIRE, lambda: passwords[-1], scheme))
    with EwsMailConnector(mine, MemoryNumbering()) as connector:
        assert connector.state("INBOX").count == 1
        ews.logins.add(CLAIRE, CLAIRE, "second")
        passwords.append("second")
        ews.drop_connections()  # NTLM asks for a password only of a new connection
        assert connector.state("INBOX").count == 1
        assert len(ews.logins.refused) == 1
        ews.logins.add(CLAIRE, CLAIRE, "third")
        ews.drop_connections()
        with pytest.raises(AuthFailed):
            connector.state("INBOX")
        assert len(ews.logins.refused) == 2


def test_a_scheme_that_is_not_offered_is_told_and_no_password_is_sent(
    ews: EwsServer, access: EwsAccess
) -> None:
    ews.logins.schemes = {"Basic"}
    wants_ntlm = dataclasses.replace(access, auth=Password(CLAIRE, lambda: "unsent", "ntlm"))
    with pytest.raises(AuthFailed, match="does not offer NTLM"):
        count(wants_ntlm)
    assert ews.logins.refused == []


def test_a_server_that_offers_ntlm_and_does_not_speak_it_is_told(spool_dir: Path) -> None:
    with ScriptedDav({".*": Reply(401, headers={"WWW-Authenticate": "NTLM"})}) as server:
        access = EwsAccess(
            CLAIRE,
            Password(CLAIRE, lambda: "unsent"),
            url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
            spool_dir=spool_dir,
        )
        with pytest.raises(AuthFailed, match="does not go through with it"):
            count(access)
        assert len(server.requests) == 2


@pytest.mark.parametrize("challenge", ["AAAA", "!!!!"])
def test_a_challenge_of_ntlm_that_is_none_is_told(spool_dir: Path, challenge: str) -> None:
    replies = [
        Reply(401, headers={"WWW-Authenticate": "NTLM"}),
        Reply(401, headers={"WWW-Authenticate": f"NTLM {challenge}"}),
    ]
    with ScriptedDav({".*": list(replies)}) as server:
        access = EwsAccess(
            CLAIRE,
            Password(CLAIRE, lambda: "unsent"),
            url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
            spool_dir=spool_dir,
        )
        with pytest.raises(AuthFailed, match="does not go through with it"):
            count(access)
        assert len(server.requests) == 2


def test_a_password_that_cannot_be_sent_is_told_before_anything_is(access: EwsAccess) -> None:
    for username, password, scheme in (("a:b", "x", "basic"), ("a", "x\0", "basic"), ("", "", "ntlm")):
        auth = Password(username, lambda password=password: password, scheme)  # type: ignore[misc,arg-type]
        with pytest.raises(AuthFailed):
            count(dataclasses.replace(access, auth=auth))


# Whose rights.


def test_a_delegate_reads_the_mailbox_that_it_was_given_access_to(ews: EwsServer, access: EwsAccess) -> None:
    ews.delegate(DENIS, CLAIRE, "Reviewer")
    other = dataclasses.replace(access, address=DENIS, entry=Entry.DELEGATE)
    assert count(other) == 2
    assert count(access) == 1


def test_who_was_given_no_access_is_refused_and_reads_nothing(ews: EwsServer, access: EwsAccess) -> None:
    other = dataclasses.replace(access, address=DENIS, entry=Entry.DELEGATE)
    with pytest.raises(AuthFailed, match=DENIS):
        count(other)


def test_one_service_account_impersonates_several_owners(ews: EwsServer, access: EwsAccess) -> None:
    password = ews.add_service_account("svc@acme.example")
    service = Password("svc@acme.example", lambda: password, "basic")
    lent = dataclasses.replace(access, auth=service, entry=Entry.IMPERSONATE)
    assert count(lent) == 1
    assert count(dataclasses.replace(lent, address=DENIS)) == 2


def test_an_account_that_may_not_impersonate_is_told_what_it_needs(access: EwsAccess) -> None:
    with pytest.raises(AuthFailed, match="impersonate"):
        count(dataclasses.replace(access, address=DENIS, entry=Entry.IMPERSONATE))


def test_an_address_that_is_no_mailbox_is_told(ews: EwsServer, access: EwsAccess) -> None:
    password = ews.add_service_account("svc@acme.example")
    lent = dataclasses.replace(
        access,
        address="nobody@acme.example",
        auth=Password("svc@acme.example", lambda: password, "basic"),
        entry=Entry.IMPERSONATE,
    )
    with pytest.raises(AuthFailed, match=r"nobody@acme\.example"):
        count(lent)


# OAuth 2.0.


@pytest.fixture
def issuer(ews: EwsServer, token_server: TokenServer) -> TokenServer:
    ews.logins.token_owner = token_server.user_of
    ews.logins.schemes = {"Bearer"}
    return token_server


def delegated(access: EwsAccess, issuer: TokenServer) -> EwsAccess:
    """With a refresh token of the mailbox's owner."""
    refresh = issuer.consent(CLAIRE)
    source = EndpointTokens(
        CLAIRE, token_url=issuer.token_url, client_id=issuer.client_id, refresh_token=lambda: refresh
    )
    return dataclasses.replace(access, auth=Token(source))


def test_a_refresh_token_opens_its_owners_mailbox(issuer: TokenServer, access: EwsAccess) -> None:
    mine = delegated(access, issuer)
    assert (count(mine), count(mine)) == (1, 1)
    assert len(issuer.requests) == 1  # the second login used the same token


def test_a_token_withdrawn_early_is_renewed_once(issuer: TokenServer, access: EwsAccess) -> None:
    with EwsMailConnector(delegated(access, issuer), MemoryNumbering()) as connector:
        assert connector.state("INBOX").count == 1
        issuer.withdraw_access()
        assert connector.state("INBOX").count == 1
    assert len(issuer.requests) == 2


def test_a_token_that_is_refused_for_good_waits_for_a_person(
    ews: EwsServer, issuer: TokenServer, access: EwsAccess
) -> None:
    mine = delegated(access, issuer)
    ews.logins.token_owner = None
    with pytest.raises(AuthFailed) as caught:
        count(mine)
    assert len(ews.logins.refused) == 2  # the first one, and the one in its place
    assert "access-" not in str(caught.value)


def test_an_applications_token_impersonates(ews: EwsServer, issuer: TokenServer, access: EwsAccess) -> None:
    ews.dispatcher.impersonators.add("application")
    source = EndpointTokens(
        CLAIRE,
        token_url=issuer.token_url,
        client_id=issuer.client_id,
        client_secret=lambda: issuer.client_secret,
        scopes=("https://mail.acme.example/.default",),
    )
    lent = dataclasses.replace(access, auth=Token(source), entry=Entry.IMPERSONATE)
    assert count(lent) == 1
    assert count(dataclasses.replace(lent, address=DENIS)) == 2
    assert [form["grant_type"] for form in issuer.requests] == ["client_credentials"]


# TLS.


def test_a_certificate_of_nobody_is_refused_and_nothing_is_sent(ews: EwsServer, access: EwsAccess) -> None:
    with pytest.raises(Untrusted, match="unknown authority"):
        count(dataclasses.replace(access, ca_file=None))
    assert not ews.counts.operations
    assert ews.logins.refused == []


def test_another_authority_than_the_named_one_is_refused(
    ews: EwsServer, access: EwsAccess, authority: CertAuthority
) -> None:
    with pytest.raises(Untrusted):
        count(dataclasses.replace(access, ca_file=authority.ca_file))
    assert not ews.counts.operations


@pytest.mark.parametrize(
    "url", ["http://mail.acme.example/EWS/Exchange.asmx", "ftp://x.example/", "https://", "nothing"]
)
def test_an_address_without_protection_is_never_connected_to(access: EwsAccess, url: str) -> None:
    with pytest.raises(Untrusted, match=r"Check `url`|clear text"):
        count(dataclasses.replace(access, url=url))


def test_a_proxy_and_a_netrc_of_the_environment_are_not_used(
    access: EwsAccess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login thief password x\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9/")
    assert count(access) == 1


def test_nothing_of_a_login_stays_in_the_process(access: EwsAccess) -> None:
    before = dict(CachingProtocol._protocol_cache)
    connector = EwsMailConnector(access, MemoryNumbering())
    with connector:
        assert connector.state("INBOX").count == 1
        assert dict(CachingProtocol._protocol_cache) == before
        channel = connector._session.channel
    assert channel._secret == ""
    with pytest.raises(Unreachable):
        connector.state("INBOX")


def test_logging_in_is_one_request_and_a_look_at_nothing_new_is_one(
    ews: EwsServer, access: EwsAccess
) -> None:
    with EwsMailConnector(access, MemoryNumbering()) as connector:
        assert ews.counts.operations == {"GetFolder": 1}
        sent = next(folder.ref for folder in connector.folders() if folder.role is FolderRole.SENT)
        connector.states(["INBOX", sent])
        before = ews.counts.operations.total()
        connector.states(["INBOX", sent])
        assert ews.counts.operations.total() == before + 2


# Autodiscover.

SETTINGS = """<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
<h:ServerVersionInfo xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover"><h:MajorVersion>15
</h:MajorVersion><h:MinorVersion>1</h:MinorVersion><h:MajorBuildNumber>2507</h:MajorBuildNumber>
<h:MinorBuildNumber>6</h:MinorBuildNumber><h:Version>Exchange2016</h:Version></h:ServerVersionInfo></s:Header>
<s:Body><GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover">
<Response><ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse>
<ErrorCode>{code}</ErrorCode><ErrorMessage>no</ErrorMessage>{redirect}<UserSettingErrors/><UserSettings>{settings}
</UserSettings></UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"""
SETTING = """<UserSetting xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="StringSetting">
<Name>{name}</Name><Value>{value}</Value></UserSetting>"""


def settings(url: str = "", *, code: str = "NoError", redirect: str = "") -> Reply:
    told = SETTING.format(name="ExternalEwsUrl", value=url) if url else ""
    target = f"<RedirectTarget>{redirect}</RedirectTarget>" if redirect else ""
    text = SETTINGS.format(code=code, redirect=target, settings=told)
    return Reply(200, text.encode(), {"Content-Type": "text/xml"})


def found_by(server: ScriptedDav, access: EwsAccess) -> EwsAccess:
    service = f"http://127.0.0.1:{server.port}/autodiscover/autodiscover.svc"
    return dataclasses.replace(access, url="", discovery=service)


def test_autodiscover_tells_where_the_mailbox_is(ews: EwsServer, access: EwsAccess) -> None:
    with ScriptedDav({".*": settings(ews.url)}) as server:
        assert count(found_by(server, access)) == 1
        (asked,) = server.requests
    assert CLAIRE.encode() in asked.body
    assert asked.headers["authorization"].startswith("Basic ")


def test_autodiscover_is_asked_once_as_long_as_all_is_well(ews: EwsServer, access: EwsAccess) -> None:
    with ScriptedDav({".*": settings(ews.url)}) as server:
        connector = EwsMailConnector(found_by(server, access), MemoryNumbering())
        for _ in range(2):
            with connector:
                assert connector.state("INBOX").count == 1
        assert len(server.requests) == 1
        with pytest.raises(CollectionGone), connector:
            connector.state("Nowhere")
        with connector:
            assert connector.state("INBOX").count == 1
        assert len(server.requests) == 2  # the mailbox may have moved


def test_autodiscover_of_the_same_server_leads_to_it(ews: EwsServer, access: EwsAccess) -> None:
    service = ews.url.replace("/EWS/Exchange.asmx", "/autodiscover/autodiscover.svc")
    assert count(dataclasses.replace(access, url="", discovery=service)) == 1


def test_autodiscover_follows_a_redirect_to_another_service(ews: EwsServer, access: EwsAccess) -> None:
    with ScriptedDav({".*": settings(ews.url)}) as second:
        target = f"http://127.0.0.1:{second.port}/autodiscover/autodiscover.svc"
        with ScriptedDav({".*": settings(code="RedirectUrl", redirect=target)}) as first:
            assert count(found_by(first, access)) == 1


def test_autodiscover_follows_a_redirect_to_another_address(ews: EwsServer, access: EwsAccess) -> None:
    replies = [settings(code="RedirectAddress", redirect=DENIS), settings(ews.url)]
    with ScriptedDav({".*": list(replies)}) as server:
        assert count(found_by(server, access)) == 1
        assert DENIS.encode() in server.requests[1].body


def test_autodiscover_that_redirects_for_ever_ends(access: EwsAccess) -> None:
    with ScriptedDav({".*": settings(code="RedirectAddress", redirect=DENIS)}) as server:
        with pytest.raises(ProtocolViolation, match="without end"):
            count(found_by(server, access))
        assert len(server.requests) == discovery.MOST_REDIRECTS


def test_autodiscover_never_leads_to_an_unprotected_place(access: EwsAccess) -> None:
    for reply in (
        settings("http://mail.acme.example/EWS/Exchange.asmx"),
        settings(code="RedirectUrl", redirect="http://thief.example/autodiscover/autodiscover.svc"),
    ):
        with ScriptedDav({".*": reply}) as server, pytest.raises(Untrusted, match="clear text"):
            count(found_by(server, access))


def test_autodiscover_that_knows_nothing_says_what_to_do(access: EwsAccess) -> None:
    reply = settings(code="InvalidUser")
    with ScriptedDav({".*": reply}) as server, pytest.raises(ProtocolViolation, match="Set `url`"):
        count(found_by(server, access))


def test_a_login_that_autodiscover_refuses_is_tried_nowhere_else(access: EwsAccess) -> None:
    with ScriptedDav({".*": Reply(401, headers={"WWW-Authenticate": "Basic"})}) as server:
        with pytest.raises(AuthFailed):
            count(found_by(server, access))
        assert len(server.requests) == 1


def test_an_address_that_redirects_or_is_no_exchange_is_told(spool_dir: Path) -> None:
    for reply, words in (
        (Reply(302, headers={"Location": "https://thief.example/EWS/Exchange.asmx"}), "redirects elsewhere"),
        (Reply(404), "speaks no EWS"),
        (Reply(200, b"<html><p>Sign in<br></html>"), "cannot be read"),
        (Reply(200, b""), "cannot be read"),
    ):
        with ScriptedDav({".*": reply}) as server:
            access = EwsAccess(
                CLAIRE,
                Password(CLAIRE, lambda: "x", "basic"),
                url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
                spool_dir=spool_dir,
            )
            with pytest.raises(ProtocolViolation, match=words):
                count(access)
            assert len(server.requests) == 1


def test_a_mailbox_that_may_not_use_ews_waits_for_a_person(spool_dir: Path) -> None:
    with ScriptedDav({".*": reaction(GetFolder=Reply(403))}) as server:
        access = EwsAccess(
            CLAIRE,
            Password(CLAIRE, lambda: "x", "basic"),
            url=f"http://127.0.0.1:{server.port}/EWS/Exchange.asmx",
            spool_dir=spool_dir,
        )
        with pytest.raises(AuthFailed, match="use EWS"):
            count(access)
