"""What can go wrong at the edge: one tree for every protocol.

    SyncdError
    ├── ItemError              one message or event; its collection goes on
    │   ├── WouldMail              a quiet write that the server would mail people about: not made
    │   └── BadFile                a file that a person dropped and that cannot be taken
    ├── CollectionError        one folder or calendar; its mailbox goes on
    │   ├── CollectionGone         the server says that it does not exist
    │   └── CollectionRefused      the server denies access to it
    ├── MailboxError           one mailbox; the others go on
    │   ├── Unreachable            no connection, a dropped one, silence: worth another try later
    │   ├── Untrusted              TLS could not be verified: a person must look
    │   ├── AuthFailed             credentials refused: a person must act, never tried again by itself
    │   ├── RateLimited            the server asks to wait
    │   ├── Unsupported            the server cannot do what was asked, and nothing is wrong
    │   └── ProtocolViolation      the server does not speak its protocol
    ├── FatalError             nothing can go on
    ├── Conflict               a precondition failed: somebody else wrote first
    └── OutcomeUnknown         a write was sent and no answer came: look, never repeat

A message says what happened, to which mailbox or item, and what to do next. It never holds a
password, a token, a subject, a body or an address of a stranger, since messages end in the log.
"""

from datetime import timedelta


class SyncdError(Exception):
    """The root of everything a connector raises on purpose."""


class ItemError(SyncdError):
    """One message or event could not be read or written; `locator` tells which."""

    def __init__(self, message: str, *, locator: str) -> None:
        super().__init__(message)
        self.locator = locator


class WouldMail(ItemError):
    """The write was to be made in silence, and the server would mail participants: it was not made."""


class BadFile(ItemError):
    """A dropped file cannot be taken; `line` is the line of the file, 0 where it is all of it.

    The name of a file may hold a meeting's title, so the message leaves it out: `locator` has it, and
    `told` is the whole sentence for the person who dropped the file.
    """

    def __init__(self, message: str, *, locator: str, line: int = 0) -> None:
        super().__init__(f"line {line}: {message}" if line else message, locator=locator)
        self.line = line

    def told(self) -> str:
        """File, line, what is wrong and what to do."""
        return f"{self.locator}: {self}"


class CollectionError(SyncdError):
    """A folder or calendar is in an error state. This is never an empty folder."""

    def __init__(self, message: str, *, collection: str) -> None:
        super().__init__(message)
        self.collection = collection


class CollectionGone(CollectionError):
    """The server says that the folder or calendar does not exist (any more)."""


class CollectionRefused(CollectionError):
    """The server denies access to the folder or calendar."""


class MailboxError(SyncdError):
    """A mailbox cannot be worked on now."""


class Unreachable(MailboxError):
    """No connection, one that broke, or a server that stays silent. Tried again with back-off."""


class Untrusted(MailboxError):
    """The server's certificate could not be verified. Nothing was sent over the connection."""


class AuthFailed(MailboxError):
    """The server refused the credentials. Waits for a person, so that no account gets locked out."""


class RateLimited(MailboxError):
    """The server asks to be left alone for `retry_after`."""

    def __init__(self, message: str, *, retry_after: timedelta) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unsupported(MailboxError):
    """The server, or the mailbox as it is configured, has no such thing. Not asked again by itself."""


class ProtocolViolation(MailboxError):
    """The server's answer is not its protocol: garbage, a literal beyond all limits."""


class FatalError(SyncdError):
    """Nothing can go on: the installation itself is broken."""


class Conflict(SyncdError):
    """A precondition failed: the item changed on the server since it was read."""


class OutcomeUnknown(SyncdError):
    """A write was sent and no answer came. It may have happened; resolved by looking.

    `then` is what the whole mailbox suffers from besides, such as a server that asks to be left alone: that
    holds for all that is still to be written too.
    """

    def __init__(self, message: str, *, then: MailboxError | None = None) -> None:
        super().__init__(message)
        self.then = then
