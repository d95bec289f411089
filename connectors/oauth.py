"""Access tokens of OAuth 2.0: asked for when needed, kept in memory until shortly before they expire.

A refresh token (RFC 6749 section 6) stands for one mailbox's owner, client credentials (section 4.4) for a
whole company. Neither they nor the tokens ever get into a message or a log.
"""

import json
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from config.settings import OAuth2
from connectors.errors import AuthFailed, MailboxError, ProtocolViolation, RateLimited, Unreachable
from connectors.oauth_http import WAIT, Reply, TokenHttp
from connectors.redact import readable

Secret = Callable[[], str]
Rotated = Callable[[str], None]

SKEW = 120.0  # seconds before its end from which a token is not used any more
UNSAID = 600.0  # seconds a token is taken to last where the endpoint does not say
OK = 200

MICROSOFT = "https://login.microsoftonline.com"
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"
MAIL_SCOPES = {
    ("microsoft", "refresh"): ("https://outlook.office.com/IMAP.AccessAsUser.All",),
    ("microsoft", "client-credentials"): ("https://outlook.office365.com/.default",),
    ("google", "refresh"): ("https://mail.google.com/",),
}

_ADVICE = {
    "invalid_grant": "The consent was withdrawn or has expired: let the mailbox's owner give it again and"
    " store the new refresh token.",
    "invalid_client": "Check `oauth2.client_id` and `oauth2.client_secret`; secrets of applications expire.",
    "unauthorized_client": "The application may not use this flow: change that where it is registered.",
    "invalid_scope": "Check `oauth2.scopes`.",
    "interaction_required": "The mailbox's owner must log in again and give the consent anew.",
}


@dataclass(frozen=True, slots=True)
class _Granted:
    token: str = field(repr=False)
    lasts: float  # seconds
    refresh_token: str | None = field(default=None, repr=False)


class _Tokens(ABC):
    """Keeps the token in memory; what asks for one is the subclass's."""

    def __init__(self, who: str, clock: Callable[[], float]) -> None:
        self.who = who
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._until = 0.0

    def token(self, *, instead_of: str | None = None) -> str:
        """A token that should be good now. `instead_of` was refused by the server: get another one.

        Raises AuthFailed where a person must act, RateLimited, Unreachable or Untrusted.
        """
        with self._lock:
            if self._token is None or self._token == instead_of or self._clock() >= self._until:
                self._token = None
                granted = self._ask()
                self._token = granted.token
                self._until = self._clock() + max(granted.lasts - SKEW, granted.lasts / 2)
            return self._token

    @abstractmethod
    def _ask(self) -> _Granted: ...


class _Refreshable:
    """The refresh token: the one that was configured, until the provider hands out another one."""

    def __init__(self, configured: Secret, on_rotate: Rotated | None) -> None:
        self._configured = configured
        self._rotated: str | None = None
        self._on_rotate = on_rotate

    def current(self) -> str:
        return self._rotated or self._configured()

    def seen(self, fresh: str | None) -> None:
        """To be told after every answer. A new token is kept at once: the old one may be void already."""
        if fresh and fresh != self.current():
            self._rotated = fresh
            if self._on_rotate is not None:
                self._on_rotate(fresh)

    def refused(self) -> None:
        """Back to the configured one, which a person may have renewed meanwhile."""
        self._rotated = None


class EndpointTokens(_Tokens):
    """Tokens of any RFC 6749 endpoint: with a refresh token where one is given, else client credentials."""

    def __init__(
        self,
        who: str,
        *,
        token_url: str,
        client_id: str,
        client_secret: Secret | None = None,
        refresh_token: Secret | None = None,
        scopes: Sequence[str] = (),
        on_rotate: Rotated | None = None,
        clock: Callable[[], float] = time.time,
        http: TokenHttp | None = None,
    ) -> None:
        super().__init__(who, clock)
        self._url = token_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._refresh = None if refresh_token is None else _Refreshable(refresh_token, on_rotate)
        self._scopes = tuple(scopes)
        self._http = http or TokenHttp(who)

    def _ask(self) -> _Granted:
        form = {"grant_type": "client_credentials"}
        if self._refresh is not None:
            form = {"grant_type": "refresh_token", "refresh_token": self._refresh.current()}
        if self._scopes:
            form["scope"] = " ".join(self._scopes)
        secret = None if self._client_secret is None else self._client_secret()
        body = {**form, "client_id": self._client_id}
        reply = self._http.post(self._url, data=body if secret is None else {**body, "client_secret": secret})
        if secret is not None and _error_of(reply) == "invalid_client":
            # Some endpoints take the secret as HTTP Basic only, which is what RFC 6749 2.3.1 prefers.
            reply = self._http.post(self._url, data=form, auth=(self._client_id, secret))
        answer = _parsed(reply)
        if reply.status_code != OK or "error" in answer:
            if self._refresh is not None:
                self._refresh.refused()
            raise _refused(self.who, answer, reply.status_code)
        granted = _granted(self.who, answer)
        if self._refresh is not None:
            self._refresh.seen(granted.refresh_token)
        return granted


class MicrosoftTokens(_Tokens):
    """Tokens of Microsoft Entra, through Microsoft's own library."""

    def __init__(
        self,
        who: str,
        *,
        tenant: str,
        client_id: str,
        scopes: Sequence[str],
        client_secret: Secret | None = None,
        refresh_token: Secret | None = None,
        on_rotate: Rotated | None = None,
        authority: str = MICROSOFT,
        clock: Callable[[], float] = time.time,
        http: TokenHttp | None = None,
    ) -> None:
        super().__init__(who, clock)
        self._authority = f"{authority}/{tenant}"
        self._client_id = client_id
        self._client_secret = client_secret
        self._refresh = None if refresh_token is None else _Refreshable(refresh_token, on_rotate)
        self._scopes = list(scopes)
        self._http = http or TokenHttp(who)

    def _ask(self) -> _Granted:
        import msal  # takes a second to import: only where it is used

        options = {"authority": self._authority, "http_client": self._http}
        try:
            # A new application each time: msal's own cache would return a token that was just refused.
            if self._client_secret is None:
                application = msal.PublicClientApplication(self._client_id, **options)
            else:
                application = msal.ConfidentialClientApplication(
                    self._client_id, client_credential=self._client_secret(), **options
                )
            if self._refresh is None:
                answer = application.acquire_token_for_client(self._scopes)
            else:
                answer = application.acquire_token_by_refresh_token(self._refresh.current(), self._scopes)
        except ValueError as error:  # a tenant that does not exist, an answer that is no JSON
            raise AuthFailed(
                f"Microsoft gives no token of {self.who}: check `oauth2.tenant`. {readable(str(error))}"
            ) from None
        if not isinstance(answer, dict):
            raise ProtocolViolation(f"Microsoft's answer holds no token of {self.who}.")
        if "error" in answer:
            if self._refresh is not None:
                self._refresh.refused()
            raise _refused(self.who, answer, OK)
        granted = _granted(self.who, answer)
        if self._refresh is not None:
            self._refresh.seen(granted.refresh_token)
        return granted


def tokens(
    settings: OAuth2,
    *,
    who: str,
    client_secret: Secret | None = None,
    refresh_token: Secret | None = None,
    on_rotate: Rotated | None = None,
) -> EndpointTokens | MicrosoftTokens:
    """The source of tokens that the settings describe. `who` names the mailbox in messages.

    The secrets are read when they are needed. `on_rotate` gets each new refresh token that the provider
    hands out; the old one may be void from then on, so it should be stored before anything else is done.
    """
    scopes = settings.scopes or MAIL_SCOPES.get((settings.provider, settings.flow), ())
    refresh = refresh_token if settings.flow == "refresh" else None
    if settings.provider == "microsoft":
        return MicrosoftTokens(
            who,
            tenant=settings.tenant,
            client_id=settings.client_id,
            scopes=scopes,
            client_secret=client_secret,
            refresh_token=refresh,
            on_rotate=on_rotate,
        )
    return EndpointTokens(
        who,
        token_url=settings.token_url or GOOGLE_TOKENS,
        client_id=settings.client_id,
        client_secret=client_secret,
        refresh_token=refresh,
        scopes=settings.scopes if refresh is not None else scopes,  # a refresh keeps the scopes it had
        on_rotate=on_rotate,
    )


def _parsed(reply: Reply) -> Mapping[str, object]:
    try:
        answer = json.loads(reply.text)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _error_of(reply: Reply) -> object:
    return _parsed(reply).get("error") if reply.status_code != OK else None


def _granted(who: str, answer: Mapping[str, object]) -> _Granted:
    token, lasts, refresh = (answer.get(k) for k in ("access_token", "expires_in", "refresh_token"))
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise ProtocolViolation(f"The token endpoint's answer holds no token of {who}.")
    try:
        seconds = float(lasts) if isinstance(lasts, int | float | str) else UNSAID
    except ValueError:
        seconds = UNSAID
    return _Granted(token, seconds, refresh if isinstance(refresh, str) else None)


def _refused(who: str, answer: Mapping[str, object], status: int) -> MailboxError:
    code = readable(str(answer.get("error", f"HTTP {status}")))
    if code in {"temporarily_unavailable", "server_error"}:
        return Unreachable(f"The token endpoint of {who} cannot serve now ({code}). It is tried again later.")
    if code == "slow_down":
        return RateLimited(f"The token endpoint asks to be left alone before {who}'s next.", retry_after=WAIT)
    advice = _ADVICE.get(code, "Check the settings under `oauth2`.")
    told = readable(str(answer.get("error_description", "")))
    return AuthFailed(
        f"No token for {who}: {code}. {advice} It is not tried again until then."
        + (f' The provider said: "{told}"' if told else "")
    )
