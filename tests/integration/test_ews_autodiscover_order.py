"""Autodiscover where the company's web site is no Exchange: the site's word counts for nothing."""

import dataclasses
from pathlib import Path

import pytest

from connectors.errors import AuthFailed, SyncdError, Unreachable
from connectors.ews import discovery
from connectors.ews.access import EwsAccess, Password
from connectors.ews.http import Channel
from tests.servers.scripted_dav import Reply, ScriptedDav

CLAIRE = "claire@acme.example"
FOUND = "https://mail.acme.example/EWS/Exchange.asmx"
SETTINGS = f"""<?xml version="1.0" encoding="utf-8"?>
<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
<h:ServerVersionInfo xmlns:h="http://schemas.microsoft.com/exchange/2010/Autodiscover"><h:MajorVersion>15
</h:MajorVersion><h:MinorVersion>1</h:MinorVersion><h:MajorBuildNumber>2507</h:MajorBuildNumber>
<h:MinorBuildNumber>6</h:MinorBuildNumber><h:Version>Exchange2016</h:Version></h:ServerVersionInfo></s:Header>
<s:Body><GetUserSettingsResponseMessage xmlns="http://schemas.microsoft.com/exchange/2010/Autodiscover">
<Response><ErrorCode>NoError</ErrorCode><ErrorMessage/><UserResponses><UserResponse>
<ErrorCode>NoError</ErrorCode><ErrorMessage>no</ErrorMessage><UserSettingErrors/><UserSettings>
<UserSetting xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="StringSetting">
<Name>ExternalEwsUrl</Name><Value>{FOUND}</Value></UserSetting>
</UserSettings></UserResponse></UserResponses></Response></GetUserSettingsResponseMessage></s:Body></s:Envelope>"""
EXCHANGE = Reply(200, SETTINGS.encode(), {"Content-Type": "text/xml"})
AWAY = Reply(503)
REFUSED = Reply(401, headers={"WWW-Authenticate": "Basic"})
NO_EXCHANGE = [
    Reply(403),
    Reply(401),
    Reply(401, headers={"WWW-Authenticate": "Digest realm=x"}),
    Reply(404),
    Reply(200, b"<html>Welcome<br></html>"),
]


@pytest.fixture
def access(spool_dir: Path) -> EwsAccess:
    return EwsAccess(CLAIRE, Password(CLAIRE, lambda: "made-up", "basic"), url="", spool_dir=spool_dir)


def outcome(
    monkeypatch: pytest.MonkeyPatch, access: EwsAccess, first: Reply, second: Reply
) -> tuple[str | SyncdError, int]:
    """What two services in a row lead to, and how often the second one was asked."""
    with ScriptedDav({".*": first}) as one, ScriptedDav({".*": second}) as other:
        services = [
            f"http://127.0.0.1:{server.port}/autodiscover/autodiscover.svc" for server in (one, other)
        ]
        monkeypatch.setattr(discovery, "candidates", lambda _: iter(services))
        channel = Channel(access)
        try:
            return discovery.discover(channel), len(other.requests)
        except SyncdError as error:
            return error, len(other.requests)
        finally:
            channel.close()


@pytest.mark.parametrize("reply", NO_EXCHANGE, ids=lambda reply: str(reply.status))
def test_a_web_site_that_is_no_exchange_does_not_end_the_search(
    monkeypatch: pytest.MonkeyPatch, access: EwsAccess, reply: Reply
) -> None:
    assert outcome(monkeypatch, access, reply, EXCHANGE) == (FOUND, 1)


@pytest.mark.parametrize("reply", NO_EXCHANGE[:3], ids=lambda reply: str(reply.status))
def test_while_the_service_is_away_the_web_sites_refusal_waits_for_nobody(
    monkeypatch: pytest.MonkeyPatch, access: EwsAccess, reply: Reply
) -> None:
    error, _ = outcome(monkeypatch, access, AWAY, reply)
    assert isinstance(error, Unreachable)


def test_a_login_that_is_refused_is_tried_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, access: EwsAccess
) -> None:
    error, asked = outcome(monkeypatch, access, REFUSED, EXCHANGE)
    assert isinstance(error, AuthFailed)
    assert asked == 0
    error, _ = outcome(monkeypatch, access, AWAY, REFUSED)
    assert isinstance(error, AuthFailed)


def test_where_nobody_lets_us_in_a_person_must_look(
    monkeypatch: pytest.MonkeyPatch, access: EwsAccess
) -> None:
    error, _ = outcome(monkeypatch, access, Reply(403), Reply(403))
    assert isinstance(error, AuthFailed)


def test_the_domains_own_service_gets_the_login_before_its_web_site(access: EwsAccess) -> None:
    assert list(discovery.candidates(dataclasses.replace(access, discovery=""))) == [
        "https://autodiscover.acme.example/autodiscover/autodiscover.svc",
        "https://acme.example/autodiscover/autodiscover.svc",
    ]
