"""The Inbox of one mailbox, listened to with IDLE (RFC 2177): `connectors.protocol.PushSource`.

A connection of its own, with the Inbox open for reading only (EXAMINE). The server tells of no other folder.
"""

import re
import ssl
from datetime import timedelta

from connectors.errors import MailboxError, ProtocolViolation, Unreachable, Unsupported
from connectors.imap import refusals
from connectors.imap.access import ImapAccess, connect
from connectors.imap.selection import Selection
from connectors.imap.wire import Wire
from connectors.protocol import Heard, Subject

INBOX = "INBOX"
LASTS = timedelta(minutes=28)  # RFC 2177: a server may log out who is idle for 30 minutes
LONGEST_LINE = 64 * 1024  # octets
PIECE = 16 * 1024  # octets read at once: one record of TLS
PIECES = 4  # read in a row, before others have their turn

_CAME = re.compile(rb"\* \d{1,20} (EXISTS|RECENT)\s*", re.IGNORECASE)
_BYE = re.compile(rb"\* BYE\b(.*)", re.IGNORECASE | re.DOTALL)
_UNTAGGED = (b"* ", b"+")


class ImapPushSource:
    """The stream of one mailbox's Inbox."""

    lasts = LASTS
    silence = LASTS  # many servers say nothing in all that time; TCP's keep-alive finds those that are gone

    def __init__(self, access: ImapAccess) -> None:
        self.access = access
        self._wire: Wire | None = None
        self._waiting = b""  # a line that has not ended yet
        self._unread = False  # `_waiting` came together with the beginning, and was not looked at

    def open(self) -> None:
        """Logs in, opens the Inbox and begins to wait. Raises MailboxError or CollectionError; Unsupported
        where the server does not offer IDLE."""
        self.close()
        wire = connect(self.access)
        try:
            offered = wire.offers("IDLE")
            if offered:
                Selection(wire).open(INBOX)
                self._waiting = wire.idle()
                self._unread = bool(self._waiting)
                wire.sock.setblocking(False)
        except BaseException:
            wire.close_quietly()
            raise
        if not offered:
            wire.say_goodbye()
            raise Unsupported(
                f"The server of {self.access.who} does not tell of new mail (it does not offer IDLE)."
            )
        self._wire = wire

    def fileno(self) -> int:
        """Of the socket."""
        return self._entered.sock.fileno()

    def pending(self) -> bool:
        """Whether there is more in the TLS layer, or came with the beginning."""
        sock = None if self._wire is None else self._wire.sock
        return self._unread or (isinstance(sock, ssl.SSLSocket) and sock.pending() > 0)

    def arrived(self) -> Heard:
        """What is there. Raises Unreachable where the connection ended, RateLimited where the server says so,
        ProtocolViolation for what is no IMAP."""
        sock = self._entered.sock
        self._unread = False
        heard, over = self._lines()
        for _ in range(PIECES):
            if over:
                break
            try:
                data = sock.recv(PIECE)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                break
            except OSError:  # of TLS too: the server proved who it is when it was connected to
                data = b""
            if not data:
                raise Unreachable(
                    f"The server of {self.access.who} dropped the connection. It is tried again later."
                )
            self._waiting += data
            came, over = self._lines()
            heard = heard or came
        return Heard(frozenset({Subject.MAIL}) if heard else frozenset(), over)

    def close(self) -> None:
        """Ends the connection; a server lets go of it by itself."""
        wire, self._wire = self._wire, None
        self._waiting, self._unread = b"", False
        if wire is not None:
            wire.close_quietly()

    def forget(self) -> None:
        """As `close`: nothing is left at the server."""
        self.close()

    @property
    def _entered(self) -> Wire:
        if self._wire is None:
            raise Unreachable(f"{self.access.who} is not listened to.")
        return self._wire

    def _lines(self) -> tuple[bool, bool]:
        """Whether mail came, and whether the server ended the waiting, by the lines that are whole."""
        *lines, self._waiting = self._waiting.split(b"\n")
        if len(self._waiting) > LONGEST_LINE:
            raise self._no_imap()
        heard = over = False
        for line in lines:
            if bye := _BYE.match(line):
                raise self._goodbye(bye[1])
            heard = heard or bool(_CAME.fullmatch(line))
            over = over or self._is_end(line)
        return heard, over

    def _is_end(self, line: bytes) -> bool:
        """Whether a line is the tagged end of our IDLE."""
        if line.startswith(_UNTAGGED):
            return False
        if re.match(rb"[A-Z]{4}\d+ (OK|NO|BAD)\b", line):
            return True
        raise self._no_imap()

    def _goodbye(self, text: bytes) -> MailboxError:
        return refusals.goodbye(text, self.access.who)

    def _no_imap(self) -> ProtocolViolation:
        return ProtocolViolation(
            f"What the server of {self.access.who} tells while it is waited for is no IMAP."
        )
