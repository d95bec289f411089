"""Logins at the EWS test server: Basic, NTLM, tokens, delegates, impersonation, autodiscover."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import requests
from exchangelib import (
    BASIC,
    DELEGATE,
    IMPERSONATION,
    NTLM,
    Account,
    Configuration,
    Credentials,
    FailFast,
    Version,
)
from exchangelib.autodiscover.protocol import AutodiscoverProtocol
from exchangelib.errors import (
    ErrorAccessDenied,
    ErrorFolderNotFound,
    ErrorImpersonateUserDenied,
    ErrorNonExistentMailbox,
    UnauthorizedError,
)
from exchangelib.version import EXCHANGE_2016

from tests.servers.ews.exchange_client import ENVELOPE, trusting
from tests.servers.ews.other_client import OtherClient
from tests.servers.ews.server import EwsServer
from tests.servers.token import TokenServer

CLAIRE = "claire@acme.example"
MARC = "marc@acme.example"
ZONES = "<m:GetServerTimeZones><m:Ids><t:Id>UTC</t:Id></m:Ids></m:GetServerTimeZones>"


@pytest.fixture
def two(ews: EwsServer) -> Iterator[EwsServer]:
    """A server with two mailboxes, trusted by exchangelib."""
    ews.add_mailbox(CLAIRE, "Claire Dupont")
    ews.add_mailbox(MARC, "Marc Martin")
    with trusting(ews.ca_file):
        yield ews


def opened(server: EwsServer, address: str, login: str, password: str, kind: str, access: str) -> Account:
    config = Configuration(
        service_endpoint=server.url,
        credentials=Credentials(login, password),
        auth_type=kind,
        version=Version(EXCHANGE_2016),
        retry_policy=FailFast(),
    )
    return Account(address, config=config, autodiscover=False, access_type=access)


def test_ntlm_authenticates_the_connection(two: EwsServer) -> None:
    two.logins.schemes = {"NTLM"}
    claire = opened(two, CLAIRE, CLAIRE, two.logins.passwords[CLAIRE], NTLM, DELEGATE)
    assert claire.calendar.total_count == 0
    assert claire.inbox.total_count == 0
    assert two.logins.refused == []
    assert "NTLM_USER_FILE" not in os.environ
    claire.protocol.close()


def test_ntlm_takes_a_windows_login(two: EwsServer) -> None:
    password = two.logins.add("ACME\\claire", CLAIRE)
    claire = opened(two, CLAIRE, "ACME\\claire", password, NTLM, DELEGATE)
    assert claire.calendar.total_count == 0
    claire.protocol.close()


def test_ntlm_refuses_a_wrong_password(two: EwsServer) -> None:
    claire = opened(two, CLAIRE, CLAIRE, "wrong", NTLM, DELEGATE)
    with pytest.raises(UnauthorizedError):
        _ = claire.calendar.total_count
    assert two.logins.refused
    claire.protocol.close()


def test_a_scheme_that_is_not_offered_is_refused(two: EwsServer) -> None:
    two.logins.schemes = {"NTLM"}
    claire = opened(two, CLAIRE, CLAIRE, two.logins.passwords[CLAIRE], BASIC, DELEGATE)
    with pytest.raises(UnauthorizedError):
        _ = claire.calendar.total_count
    claire.protocol.close()


def bearer(server: EwsServer, token: str) -> requests.Response:
    return requests.post(
        server.url,
        data=ENVELOPE.format(header="", body=ZONES).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "text/xml; charset=utf-8"},
        verify=str(server.ca_file),
        timeout=30,
    )


def test_a_bearer_token_logs_in_until_it_is_withdrawn(two: EwsServer) -> None:
    token = two.logins.grant(CLAIRE)
    assert bearer(two, token).status_code == 200
    two.logins.tokens.clear()
    answer = bearer(two, token)
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_tokens_of_a_token_server_are_taken(two: EwsServer) -> None:
    with TokenServer() as tokens:
        two.logins.token_owner = tokens.user_of
        refresh = tokens.consent(CLAIRE)
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_secret": tokens.client_secret,
        }
        given = requests.post(tokens.token_url, data=form, timeout=30).json()["access_token"]
        assert bearer(two, given).status_code == 200


def test_a_service_account_acts_as_the_user_it_impersonates(two: EwsServer) -> None:
    password = two.add_service_account("service@acme.example")
    OtherClient(two, MARC).add_task("Call")
    marc = opened(two, MARC, "service@acme.example", password, BASIC, IMPERSONATION)
    assert [task.subject for task in marc.tasks.all()] == ["Call"]
    marc.protocol.close()


def test_impersonation_is_refused_to_others_and_for_strangers(two: EwsServer) -> None:
    marc = opened(two, MARC, CLAIRE, two.logins.passwords[CLAIRE], BASIC, IMPERSONATION)
    with pytest.raises(ErrorImpersonateUserDenied):
        _ = marc.tasks.total_count
    marc.protocol.close()
    password = two.add_service_account("service@acme.example")
    nobody = opened(two, "nobody@acme.example", "service@acme.example", password, BASIC, IMPERSONATION)
    with pytest.raises(ErrorNonExistentMailbox):
        _ = nobody.tasks.total_count
    nobody.protocol.close()


def test_a_delegate_reads_and_writes_as_far_as_allowed(two: EwsServer) -> None:
    OtherClient(two, MARC).add_event("Marc's", *_hours())
    password = two.logins.passwords[CLAIRE]
    marc = opened(two, MARC, CLAIRE, password, BASIC, DELEGATE)  # Marc's mailbox with Claire's login
    with pytest.raises(ErrorFolderNotFound):
        list(marc.calendar.all())
    two.delegate(MARC, CLAIRE, "Reviewer")
    [event] = marc.calendar.all()
    event.subject = "Changed"
    with pytest.raises(ErrorAccessDenied):
        event.save(update_fields=["subject"])
    two.delegate(MARC, CLAIRE, "Editor")
    event.save(update_fields=["subject"])
    assert OtherClient(two, MARC).events()[0].text("Subject") == "Changed"
    marc.protocol.close()
    nobody = opened(two, "nobody@acme.example", CLAIRE, password, BASIC, DELEGATE)
    with pytest.raises(ErrorNonExistentMailbox):
        list(nobody.calendar.all())
    nobody.protocol.close()


def test_soap_autodiscover_tells_the_url(two: EwsServer) -> None:
    config = Configuration(
        service_endpoint=f"https://{two.host}/autodiscover/autodiscover.svc",
        credentials=Credentials(CLAIRE, two.logins.passwords[CLAIRE]),
        auth_type=BASIC,
        retry_policy=FailFast(),
    )
    protocol = AutodiscoverProtocol(config=config)
    told = protocol.get_user_settings(user=CLAIRE)
    assert told.ews_url == two.url
    assert told.autodiscover_smtp_address == CLAIRE
    assert told.version.api_version == "Exchange2016"
    unknown = protocol.get_user_settings(user="nobody@acme.example")
    with pytest.raises(ErrorNonExistentMailbox):
        unknown.raise_errors()
    two.autodiscover.redirects["old@acme.example"] = CLAIRE
    assert protocol.get_user_settings(user="old@acme.example").redirect_address == CLAIRE
    protocol.close()


def test_plain_autodiscover_tells_the_url(two: EwsServer) -> None:
    schema = "http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006"
    asked = f"<Request><EMailAddress>{CLAIRE}</EMailAddress></Request>"
    body = f'<Autodiscover xmlns="{schema}">{asked}</Autodiscover>'
    answer = requests.post(
        f"https://{two.host}/autodiscover/autodiscover.xml",
        data=body,
        auth=(CLAIRE, two.logins.passwords[CLAIRE]),
        verify=str(two.ca_file),
        timeout=30,
    )
    assert answer.status_code == 200
    assert f"EwsUrl>{two.url}<" in answer.text


def test_a_certificate_is_verified(two: EwsServer) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(two.url, timeout=30)


def _hours() -> tuple[datetime, datetime]:
    return datetime(2026, 5, 4, 9, tzinfo=UTC), datetime(2026, 5, 4, 10, tzinfo=UTC)
