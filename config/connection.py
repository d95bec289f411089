"""The tables that say how a server is reached and how to log in there. `config.settings` offers them on.

The text below a field is its description in the JSON Schema and in messages.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from config import rules
from config.calendar import CaldavServer
from config.exchange import EwsServer
from config.types import Host, LocalPath, Period, Section, Text


class Security(StrEnum):
    """How a connection is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"  # loopback only


class SecretRef(Section):
    """Where a secret is kept: exactly one of these. Never the secret itself."""

    file: LocalPath | None = None
    """A file that holds nothing but the secret, readable by its owner only; relative to the config file."""
    env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The name of an environment variable: letters, digits and underscores."""
    credential: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._@-]*$")] | None = None
    """The name of a systemd credential (LoadCredential=): letters, digits and . _ @ -"""
    keyring: Annotated[str, Field(pattern=r"^[^/].*/[^/]+$")] | None = None
    """An entry of the system keyring, as "service/username"."""

    @model_validator(mode="before")
    @classmethod
    def _is_a_table(cls, value: object) -> object:
        if isinstance(value, str):
            message = f"a secret is never written here in clear; {rules.WHERE_SECRETS_ARE}"
            raise ValueError(message)  # noqa: TRY004 - pydantic takes no TypeError for a mistake
        return value

    @field_validator("env", "credential", "keyring")
    @classmethod
    def _is_the_only_one(cls, value: str | None, info: ValidationInfo) -> str | None:
        given = [name for name, other in info.data.items() if other is not None]
        if value is not None and given:
            raise ValueError(f"{given[0]} is given already; {rules.WHERE_SECRETS_ARE}")
        return value

    @model_validator(mode="after")
    def _is_given(self) -> Self:
        if not (self.file or self.env or self.credential or self.keyring):
            raise ValueError(f"says nowhere where the secret is; {rules.WHERE_SECRETS_ARE}")
        return self


class OAuth2(Section):
    """OAuth 2.0 with a refresh token (RFC 6749 section 6) or client credentials (section 4.4)."""

    provider: Literal["microsoft", "google", "other"] = "other"
    """Whose tokens: microsoft and google need no token_url and no scopes."""
    flow: Literal["refresh", "client-credentials"] = "refresh"
    """refresh: the mailbox's owner has agreed once; client-credentials: the company has, for all."""
    client_id: Text
    """The application's id, as registered with the provider."""
    client_secret: SecretRef | None = Field(default=None, validate_default=True)
    """The application's secret; required with client-credentials."""
    refresh_token: SecretRef | None = Field(default=None, validate_default=True)
    """The refresh token of this mailbox's owner; required with refresh."""
    token_url: str | None = Field(default=None, validate_default=True)
    """The token endpoint: https (or http to loopback); required with provider "other"."""
    tenant: Text = Field(default="organizations", validate_default=True)
    """Microsoft only: the directory's id or domain; required with client-credentials."""
    scopes: tuple[Text, ...] = ()
    """What to ask for; empty: what mail needs at this provider."""
    mechanism: Literal["xoauth2", "oauthbearer"] = "xoauth2"
    """The SASL mechanism: xoauth2, or oauthbearer (RFC 7628)."""

    @field_validator("flow")
    @classmethod
    def _is_offered(cls, value: str, info: ValidationInfo) -> str:
        if value == "client-credentials" and info.data.get("provider") == "google":
            raise ValueError('Google has no client credentials for mail; use flow = "refresh"')
        return value

    @field_validator("tenant")
    @classmethod
    def _is_one_directory(cls, value: str, info: ValidationInfo) -> str:
        flow = (info.data.get("provider"), info.data.get("flow"))
        if flow == ("microsoft", "client-credentials") and value in {"organizations", "common", "consumers"}:
            raise ValueError(
                "must be the id or a domain of one directory, which has agreed for its mailboxes"
            )
        return value

    @field_validator("client_secret", "refresh_token")
    @classmethod
    def _suits_the_flow(cls, value: SecretRef | None, info: ValidationInfo) -> SecretRef | None:
        needed = {"refresh": "refresh_token", "client-credentials": "client_secret"}
        if value is None and needed.get(info.data.get("flow", "")) == info.field_name:
            raise ValueError(f'is required with flow = "{info.data["flow"]}"; {rules.WHERE_SECRETS_ARE}')
        return value

    @field_validator("token_url")
    @classmethod
    def _is_protected(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("provider") == "other":
            raise ValueError('is required with provider = "other": the https:// address of its tokens')
        if value is not None and info.data.get("provider") == "microsoft":
            raise ValueError("is not used with Microsoft, whose endpoint follows from tenant; leave it out")
        return None if value is None else rules.protected_url(value)


class ImapServer(Section):
    """An IMAP4rev1 server (RFC 3501)."""

    host: Host
    """A host name or an IP address."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """The TCP port; 993 with tls, else 143."""
    security: Security = Security.TLS
    """tls from the first octet on; starttls, never falling back; none, on loopback only."""
    ca_file: LocalPath | None = None
    """A PEM file of certificates; trusted in place of the system's. Relative to the config file."""
    timeout: Period = timedelta(seconds=60)
    """Silence after which a connection is given up."""
    auth: Literal["login", "plain"] = "login"
    """How a password is sent: the LOGIN command or AUTHENTICATE PLAIN."""

    @field_validator("security")
    @classmethod
    def _is_protected(cls, value: Security, info: ValidationInfo) -> Security:
        if value is Security.NONE and not rules.is_loopback(info.data.get("host", "localhost")):
            raise ValueError(
                '"none" sends passwords in clear and is accepted only when host is this machine '
                '(127.0.0.0/8, ::1 or localhost); use "tls" or "starttls"'
            )
        return value

    @property
    def effective_port(self) -> int:
        """The port to connect to."""
        return self.port or (993 if self.security is Security.TLS else 143)


class Server(Section):
    """The addresses of one company's servers, said once and used by many mailboxes."""

    imap: ImapServer | None = None
    """Where mail is read."""
    caldav: CaldavServer | None = None
    """Where calendars and task lists are."""
    ews: EwsServer | None = None
    """An Exchange server: for mail where there is no imap, for calendars where there is no caldav."""
