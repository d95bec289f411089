"""Makes the sources of push: for each mailbox, what its servers can tell of. `syncd.daemon.wiring` holds it.

A source is made where it is opened, in a thread of the listener's: making one may import much.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from config.settings import Mailbox, Settings
from connectors.calendar import CalendarInfo
from connectors.imap.access import ImapAccess
from connectors.imap.push import ImapPushSource
from connectors.model import Folder
from connectors.protocol import PushSource
from syncd.engine.calendar.choice import named
from syncd.engine.folders import choose

if TYPE_CHECKING:
    from connectors.ews.access import EwsAccess


class Push:
    """Knows which mailboxes are to be listened to."""

    def __init__(
        self,
        settings: Settings,
        imap: Callable[[Mailbox], ImapAccess],
        exchange: Callable[[Mailbox], "EwsAccess"],
    ) -> None:
        self._settings = settings
        self._imap = imap
        self._exchange = exchange

    def sources(self) -> Mapping[str, Sequence[Callable[[], PushSource]]]:
        """By mailbox, what makes its sources; mailboxes without any are left out."""
        found = {box.name: self.of(box) for box in self._settings.mailboxes if self._settings.push_of(box)}
        return {name: makes for name, makes in found.items() if makes}

    def of(self, mailbox: Mailbox) -> Sequence[Callable[[], PushSource]]:
        """What makes the sources of one mailbox, whether it is to be listened to or not."""
        server = self._settings.servers[mailbox.server]
        makes: list[Callable[[], PushSource]] = []
        mail, calendars = "mail" in mailbox.sync, "calendar" in mailbox.sync
        if mail and server.imap is not None:
            makes.append(partial(self._of_imap, mailbox))
            mail = False
        if server.caldav is not None:
            calendars = False  # CalDAV tells nobody anything
        if server.ews is not None and (mail or calendars):
            makes.append(partial(self._of_exchange, mailbox, mail=mail, calendars=calendars))
        return makes

    def _of_imap(self, mailbox: Mailbox) -> PushSource:
        return ImapPushSource(self._imap(mailbox))

    def _of_exchange(self, mailbox: Mailbox, *, mail: bool, calendars: bool) -> PushSource:
        from connectors.ews.push import EwsPushSource

        def folders(listed: Sequence[Folder]) -> Sequence[str]:
            return [ref for ref, _ in choose(listed, mailbox.mail_folders, []).folders]

        def lists(listed: Sequence[CalendarInfo]) -> Sequence[str]:
            wanted = mailbox.calendars
            if wanted is None:
                return [one.ref for one in listed]
            return [one.ref for one in listed if any(named(one, text.text()) for text in wanted)]

        return EwsPushSource(
            self._exchange(mailbox),
            mail=folders if mail else None,
            calendars=lists if calendars else None,
        )
