"""Access tokens from a token endpoint: kept, renewed, rotated, and every failure told apart."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from config.settings import OAuth2, SecretRef
from connectors.errors import AuthFailed, ProtocolViolation, RateLimited, Unreachable, Untrusted
from connectors.oauth import EndpointTokens, MicrosoftTokens, tokens
from connectors.oauth_http import Reply, TokenHttp, retry_after
from tests.servers.ports import free_port
from tests.servers.token import Scripted, TokenServer

WHO = "claire at imap.example.org"


class Clock:
    """Seconds, as the test has them."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Rewritten(TokenHttp):
    """Sends what is meant for Microsoft to the local endpoint."""

    def __init__(self, server: TokenServer) -> None:
        super().__init__(WHO)
        self._base = f"http://127.0.0.1:{server.port}"

    def post(self, url: str, **options: object) -> Reply:
        return super().post(self._local(url), **options)

    def get(self, url: str, **options: object) -> Reply:
        return super().get(self._local(url), **options)

    def _local(self, url: str) -> str:
        assert url.startswith("https://login.microsoftonline.com/")
        return self._base + url.removeprefix("https://login.microsoftonline.com")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["endpoint", "microsoft"])
def source(
    request: pytest.FixtureRequest, token_server: TokenServer, clock: Clock
) -> Iterator[EndpointTokens | MicrosoftTokens]:
    """A source with a refresh token that it reads from `store`, and stores new ones into it."""
    store = request.getfixturevalue("store")
    if request.param == "microsoft":
        yield MicrosoftTokens(
            WHO,
            tenant="acme",
            client_id=token_server.client_id,
            scopes=["https://outlook.office.com/IMAP.AccessAsUser.All"],
            client_secret=lambda: token_server.client_secret,
            refresh_token=lambda: store[-1],
            on_rotate=store.append,
            clock=clock,
            http=Rewritten(token_server),
        )
        return
    yield EndpointTokens(
        WHO,
        token_url=token_server.token_url,
        client_id=token_server.client_id,
        client_secret=lambda: token_server.client_secret,
        refresh_token=lambda: store[-1],
        on_rotate=store.append,
        clock=clock,
    )


Source = EndpointTokens | MicrosoftTokens


@pytest.fixture
def store(token_server: TokenServer) -> list[str]:
    return [token_server.consent("claire")]


def test_a_token_is_kept_until_shortly_before_its_end(
    source: Source, token_server: TokenServer, clock: Clock
) -> None:
    first = source.token()
    assert token_server.user_of(first) == "claire"
    clock.now += 3600 - 121
    assert source.token() == first
    clock.now += 2
    assert source.token() != first
    assert len(token_server.requests) == 2


def test_a_refused_token_is_not_given_again(source: Source, token_server: TokenServer) -> None:
    first = source.token()
    second = source.token(instead_of=first)
    assert second != first
    assert source.token(instead_of=first) == second


def test_a_new_refresh_token_is_handed_on_and_used(
    source: Source, token_server: TokenServer, store: list[str], clock: Clock
) -> None:
    token_server.rotates = True
    source.token()
    assert len(store) == 2
    clock.now += 4000
    source.token()
    assert len(store) == 3
    assert [form["refresh_token"] for form in token_server.requests] == store[:2]


def test_a_withdrawn_consent_waits_for_a_person(
    source: Source, token_server: TokenServer, store: list[str]
) -> None:
    token_server.withdraw(store[-1])
    with pytest.raises(AuthFailed, match="invalid_grant") as caught:
        source.token()
    assert "consent" in str(caught.value)
    assert WHO in str(caught.value)
    assert store[-1] not in str(caught.value)  # though the endpoint repeats it


def test_a_consent_given_anew_is_taken_up(
    source: Source, token_server: TokenServer, store: list[str]
) -> None:
    token_server.rotates = True
    source.token()
    token_server.withdraw(store[-1])
    with pytest.raises(AuthFailed):
        source.token(instead_of=source.token())
    store.append(token_server.consent("claire"))
    assert token_server.user_of(source.token()) == "claire"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Scripted(500), Unreachable),
        (Scripted(503), Unreachable),
        (Scripted(429), RateLimited),
        (Scripted(429, headers={"Retry-After": "7"}), RateLimited),
        (Scripted(503, headers={"Retry-After": "7"}), RateLimited),
        (Scripted(400, b'{"error": "invalid_scope"}'), AuthFailed),
        (Scripted(400, b'{"error": "temporarily_unavailable"}'), Unreachable),
        (Scripted(200, b'{"token_type": "Bearer"}'), ProtocolViolation),
    ],
)
def test_every_failure_has_its_error(
    source: Source, token_server: TokenServer, answer: Scripted, error: type[Exception]
) -> None:
    token_server.script.append(answer)
    with pytest.raises(error) as caught:
        source.token()
    if isinstance(caught.value, RateLimited):
        assert caught.value.retry_after == timedelta(seconds=7 if answer.headers else 300)
    assert token_server.user_of(source.token()) == "claire"


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Scripted(400, b"<html>no</html>"), AuthFailed),
        (Scripted(302, headers={"Location": "http://127.0.0.1:1/"}), AuthFailed),
        (Scripted(200, b"nonsense"), ProtocolViolation),
        (Scripted(200, b"[]"), ProtocolViolation),
        (Scripted(200, b'{"access_token": "a\\nb"}'), ProtocolViolation),
        (Scripted(200, b"x" * 2_000_000), ProtocolViolation),
    ],
)
def test_an_answer_that_is_none_is_no_token(
    token_server: TokenServer, answer: Scripted, error: type[Exception]
) -> None:
    token_server.script.append(answer)
    source = EndpointTokens(WHO, token_url=token_server.token_url, client_id="x")
    with pytest.raises(error):
        source.token()


def test_client_credentials_ask_for_a_token_of_the_application(token_server: TokenServer) -> None:
    source = EndpointTokens(
        WHO,
        token_url=token_server.token_url,
        client_id=token_server.client_id,
        client_secret=lambda: token_server.client_secret,
        scopes=["mail"],
    )
    assert token_server.user_of(source.token()) == "application"
    assert token_server.requests[0]["grant_type"] == "client_credentials"
    assert token_server.requests[0]["scope"] == "mail"


def test_microsofts_client_credentials_are_asked_anew_for_a_refused_token(token_server: TokenServer) -> None:
    source = MicrosoftTokens(
        WHO,
        tenant="acme",
        client_id=token_server.client_id,
        scopes=["https://outlook.office365.com/.default"],
        client_secret=lambda: token_server.client_secret,
        http=Rewritten(token_server),
    )
    first = source.token()
    assert source.token(instead_of=first) != first


def test_an_endpoint_that_takes_the_secret_as_basic_only_gets_it(token_server: TokenServer) -> None:
    token_server.basic_only = True
    source = EndpointTokens(
        WHO,
        token_url=token_server.token_url,
        client_id=token_server.client_id,
        client_secret=lambda: token_server.client_secret,
    )
    assert token_server.user_of(source.token()) == "application"


def test_a_wrong_secret_is_named(token_server: TokenServer) -> None:
    source = EndpointTokens(
        WHO, token_url=token_server.token_url, client_id="x", client_secret=lambda: "wrong-secret"
    )
    with pytest.raises(AuthFailed, match=r"oauth2\.client_secret") as caught:
        source.token()
    assert "wrong-secret" not in str(caught.value)


def test_a_token_without_an_end_is_taken_for_a_short_one(token_server: TokenServer, clock: Clock) -> None:
    token_server.lasts = None
    source = EndpointTokens(WHO, token_url=token_server.token_url, client_id="x", clock=clock)
    first = source.token()
    clock.now += 600
    assert source.token() != first


def test_an_endpoint_in_clear_text_elsewhere_gets_no_secret() -> None:
    source = EndpointTokens(WHO, token_url="http://tokens.example.org/", client_id="x")
    with pytest.raises(Untrusted, match="not https"):
        source.token()


def test_an_endpoint_that_is_down_is_unreachable() -> None:
    source = EndpointTokens(WHO, token_url=f"http://127.0.0.1:{free_port()}/", client_id="x")
    with pytest.raises(Unreachable):
        source.token()


def test_no_secret_reaches_a_log(
    source: Source, token_server: TokenServer, store: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.NOTSET)
    for name in ("msal", "msal.application", "msal.token_cache", "urllib3", "requests"):
        logging.getLogger(name).setLevel(1)
    token_server.rotates = True
    secrets = [token_server.client_secret, source.token(), source.token(instead_of=source.token()), *store]
    logged = "\n".join(record.getMessage() for record in caplog.records)
    assert [secret for secret in secrets if secret in logged] == []
    assert [secret for secret in secrets if secret in repr(source)] == []


def test_the_settings_choose_the_source() -> None:
    secret = SecretRef(env="SECRET")
    google = OAuth2(provider="google", client_id="x", refresh_token=secret)
    microsoft = OAuth2(provider="microsoft", client_id="x", refresh_token=secret)
    assert isinstance(tokens(google, who=WHO, refresh_token=lambda: ""), EndpointTokens)
    assert isinstance(tokens(microsoft, who=WHO, refresh_token=lambda: ""), MicrosoftTokens)


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("0", timedelta(0)),
        ("90", timedelta(seconds=90)),
        ("999999999999", timedelta(days=1)),
        ("Thu, 01 Jan 2026 00:01:00 GMT", timedelta(minutes=1)),
        ("Wed, 31 Dec 2025 00:00:00 GMT", timedelta(0)),
    ],
)
def test_retry_after_is_read_in_both_forms(value: str | None, wait: timedelta | None) -> None:
    assert retry_after(value, NOW) == wait
