"""Who may log in: names and passwords for Basic and NTLM, tokens for OAuth."""

import base64
import binascii
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Logins:
    """Accounts by login name. An account is a mailbox's address, or a service account without a mailbox."""

    passwords: dict[str, str] = field(default_factory=dict)  # login -> password
    accounts: dict[str, str] = field(default_factory=dict)  # login -> account
    tokens: dict[str, str] = field(default_factory=dict)  # bearer token -> account
    token_owner: Callable[[str], str | None] | None = None  # asked for tokens that are not in `tokens`
    schemes: set[str] = field(default_factory=lambda: {"Basic", "NTLM", "Bearer"})
    refused: list[str] = field(default_factory=list)  # logins that were refused, in order

    def add(self, login: str, account: str, password: str | None = None) -> str:
        """A login for an account; returns its password, a made-up one where none is given."""
        chosen = secrets.token_urlsafe(12) if password is None else password
        self.passwords[login.lower()] = chosen
        self.accounts[login.lower()] = account.lower()
        return chosen

    def grant(self, account: str) -> str:
        """A bearer token for an account."""
        token = f"token-{secrets.token_urlsafe(32)}"
        self.tokens[token] = account.lower()
        return token

    def challenges(self) -> list[str]:
        """The WWW-Authenticate headers of an answer that asks for a login."""
        return [scheme if scheme == "NTLM" else f'{scheme} realm="ews"' for scheme in sorted(self.schemes)]

    def basic(self, encoded: str) -> str | None:
        """The account of a Basic header's value."""
        try:
            login, _, password = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self.passwords.get(login.lower())
        if known is None or not secrets.compare_digest(known.encode(), password.encode()):
            self.refused.append(login)
            return None
        return self.accounts[login.lower()]

    def ntlm(self, login: str) -> str | None:
        """The account of a login that an NTLM handshake came to."""
        return self.accounts.get(login.lower())

    def bearer(self, token: str) -> str | None:
        """The account of a bearer token."""
        account = self.tokens.get(token)
        if account is None and self.token_owner is not None:
            owner = self.token_owner(token)
            account = None if owner is None else self.accounts.get(owner.lower(), owner.lower())
        if account is None:
            self.refused.append("bearer")
        return account
