"""Joins mailboxes at Exchange servers to their connectors; `syncd.daemon.wiring` holds it.

exchangelib takes most of a second to import: it is, where a mailbox needs it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from config.settings import Mailbox, SecretRef, Settings
from connectors.protocol import CalendarConnector, MailConnector
from connectors.tokens import TokenSource
from store.database import Database
from syncd.engine.numbering import StoredNumbering

if TYPE_CHECKING:
    from connectors.ews.access import EwsAccess, Password, Token


class Exchange:
    """Makes connectors that are not entered yet."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        folder: Path,
        tokens: Callable[[Mailbox], TokenSource],
        read: Callable[[SecretRef], str],
    ) -> None:
        self._settings = settings
        self._database = database
        self._spool = folder / "spool"
        self._tokens = tokens
        self._read = read

    def mail(self, mailbox: Mailbox) -> MailConnector:
        """Of the mailbox's mail. Raises SecretError."""
        from connectors.ews.mail import EwsMailConnector

        return EwsMailConnector(self.access(mailbox), StoredNumbering(self._database, mailbox.name))

    def calendars(self, mailbox: Mailbox) -> CalendarConnector:
        """Of the mailbox's calendars and task lists. Raises SecretError."""
        from connectors.ews.calendar.client import EwsCalendarConnector

        user = self._settings.user(mailbox.user)
        zone = user.timezone or self._settings.workspace.timezone
        return EwsCalendarConnector(
            self.access(mailbox), zone=zone.key, aliases=frozenset({user.email, *user.aliases})
        )

    def access(self, mailbox: Mailbox) -> "EwsAccess":
        """Where the mailbox is and how to get in."""
        from connectors.ews.access import Entry, EwsAccess

        server = self._settings.ews_of(mailbox)
        return EwsAccess(
            address=self._settings.address_of(mailbox),
            auth=self._auth(mailbox),
            url=server.address,
            discovery=server.discovery,
            entry=Entry(mailbox.access),
            ca_file=server.ca_file,
            timeout=server.timeout,
            spool_dir=self._spool,
        )

    def _auth(self, mailbox: Mailbox) -> "Password | Token":
        from connectors.ews.access import Password, Token

        ref = mailbox.password
        if ref is None:
            return Token(self._tokens(mailbox))
        return Password(mailbox.username, lambda: self._read(ref), self._settings.ews_of(mailbox).auth)
