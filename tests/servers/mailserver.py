"""What the tests of whole mailboxes ask of a server, whatever it speaks."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from tests.servers.dovecot import Account


class MailServer(Protocol):
    """A server with users, seen from behind."""

    @property
    def port(self) -> int:
        """Where it listens."""
        ...

    def table(self, port: int) -> str:
        """The servers' table of a config."""
        ...

    def add_mailbox_of(self, login: str, password: str | None = None) -> Account:
        """A new, empty mailbox for a CRM user."""
        ...

    def change_password(self, account: Account) -> Account:
        """The same user with another password; the old one is refused from now on."""
        ...

    def deliver(
        self,
        account: Account,
        folder: str,
        raw: bytes | Sequence[bytes],
        *,
        internaldate: datetime | None = None,
        flags: tuple[str, ...] = (),
    ) -> list[str]:
        """Puts messages into a folder; returns what the server calls them."""
        ...

    def expunge(self, account: Account, folder: str, name: str) -> None:
        """Removes a delivered message, as another client would."""
        ...

    def rename_folder(self, account: Account, old: str, new: str) -> None:
        """Another name for the folder."""
        ...

    def delete_folder(self, account: Account, name: str) -> None:
        """The folder and all its messages are gone."""
        ...

    def change_uidvalidity(self, account: Account, folder: str, *, new_uids: bool = True) -> None:
        """What was known of the folder's messages by numbers means nothing any more."""
        ...

    def refused(self) -> int:
        """How many logins were refused so far."""
        ...
