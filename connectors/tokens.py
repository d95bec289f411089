"""What a connector asks for an access token, whoever gets it and however."""

from typing import Protocol


class TokenSource(Protocol):
    """Gives an access token of OAuth 2.0."""

    def token(self, *, instead_of: str | None = None) -> str:
        """A token that should be good now. `instead_of` was refused by the server: get another one.

        Raises AuthFailed, RateLimited or Unreachable.
        """
        ...
